// The model file: what it holds, how it is checked.
#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "heng/base/hash.h"
#include "heng/base/text.h"
#include "model_parts.h"

namespace heng::insight_events {
namespace {

using nlohmann::json;

constexpr std::string_view magic = "HENGEVT1";
constexpr std::uint32_t largest_header = 64U << 20U;

json pairs(const std::vector<std::pair<std::string, double>>& in) {
  json out = json::object();
  for (const auto& [name, value] : in) out[name] = value;
  return out;
}

std::vector<std::pair<std::string, double>> pairs(const json& in) {
  std::vector<std::pair<std::string, double>> out;
  for (const auto& [name, value] : in.items()) out.emplace_back(name, value.get<double>());
  return out;
}

json header_of(const EventModel::Parts& parts) {
  const NetworkShape& s = parts.network.shape();
  const EncoderShape& e = s.encoder;
  const Schema& schema = parts.network.schema();
  const Decisions& d = parts.decisions;
  const ModelCard& card = parts.card;
  return {{"task", card.task},
          {"schema", {{"types", schema.types}, {"roles", schema.roles}, {"type_roles", schema.type_roles}}},
          {"encoder", {{"vocabulary", e.vocabulary}, {"positions", e.positions}, {"width", e.width}, {"heads", e.heads}, {"inner", e.inner},
                       {"layers", e.layers}, {"frozen", e.frozen}, {"epsilon", e.epsilon}}},
          {"network", {{"width", s.width}, {"pointer", s.pointer}, {"type_width", s.type_width}, {"contrast_width", s.contrast_width},
                       {"longest_trigger", s.longest_trigger}, {"longest_argument", s.longest_argument}, {"dilations", s.dilations},
                       {"argument_dilations", s.argument_dilations}}},
          {"decisions", {{"trigger", d.trigger}, {"type_share", d.type_share}, {"rescue", d.rescue}, {"argument", d.argument},
                         {"slope", d.slope}, {"offset", d.offset}}},
          {"settings", pairs(card.settings)},
          {"metrics", pairs(card.metrics)},
          {"data_sha256", card.data_sha256},
          {"encoder_sha256", card.encoder_sha256},
          {"rows", card.rows},
          {"trained_ms", card.trained_ms},
          {"values", parts.network.layout().size()},
          {"pieces", parts.vocabulary}};
}

NetworkShape shape_of(const json& header) {
  const json& e = header.at("encoder");
  const json& n = header.at("network");
  NetworkShape s;
  auto number = [](const json& in, const char* key) { return in.at(key).get<int>(); };
  s.encoder = {number(e, "vocabulary"), number(e, "positions"), number(e, "width"), number(e, "heads"),
               number(e, "inner"), number(e, "layers"), number(e, "frozen"), e.at("epsilon").get<float>()};
  s.width = number(n, "width");
  s.pointer = number(n, "pointer");
  s.type_width = number(n, "type_width");
  s.contrast_width = number(n, "contrast_width");
  s.longest_trigger = number(n, "longest_trigger");
  s.longest_argument = number(n, "longest_argument");
  s.dilations = n.at("dilations").get<std::vector<int>>();
  s.argument_dilations = n.at("argument_dilations").get<std::vector<int>>();
  return s;
}

ModelCard read_card(const json& header) {
  ModelCard card;
  card.task = header.at("task").get<std::string>();
  card.types = header.at("schema").at("types").get<std::vector<std::string>>();
  card.roles = header.at("schema").at("roles").get<std::vector<std::string>>();
  card.settings = pairs(header.at("settings"));
  card.metrics = pairs(header.at("metrics"));
  card.data_sha256 = header.at("data_sha256").get<std::string>();
  card.encoder_sha256 = header.at("encoder_sha256").get<std::string>();
  card.rows = header.at("rows").get<std::int64_t>();
  card.trained_ms = header.at("trained_ms").get<std::int64_t>();
  return card;
}

Error broken(const std::filesystem::path& path, const std::string& what) {
  return {ErrorCode::corrupt, fmt::format("{}: {}; train the task again or take the file from a backup", path.string(), what)};
}

/// Magic and header; the stream stands at the weights.
Result<void> read_header(std::istream& in, const std::filesystem::path& path, std::string& raw, json& header) {
  char first[12];
  if (!in.read(first, 8) || std::string_view(first, 7) != magic.substr(0, 7)) return broken(path, "not an event model");
  if (std::string_view(first, 8) != magic) {
    return Error(ErrorCode::unsupported, fmt::format("{}: written in format {}, this program reads format {}; train the task again", path.string(), first[7], magic.back()));
  }
  std::uint32_t size = 0;
  if (!in.read(first + 8, 4)) return broken(path, "the file ends early");
  std::memcpy(&size, first + 8, 4);
  if (size > largest_header) return broken(path, "nonsense header size");
  std::string text(size, '\0');
  if (!in.read(text.data(), size)) return broken(path, "the file ends early");
  raw.assign(first, 12);
  raw += text;
  header = json::parse(text, nullptr, false);
  if (!header.is_object()) return broken(path, "the header is not JSON");
  return {};
}

}  // namespace

void round_to_file(EventModel::Parts& parts) {
  for (std::size_t i = 0; i < parts.network.layout().size(); ++i) parts.values[i] = static_cast<float>(Eigen::half(parts.values[i]));
}

Result<void> save(const EventModel::Parts& parts, const std::filesystem::path& path) {
  std::string bytes(magic);
  const std::string header = header_of(parts).dump();
  const auto size = static_cast<std::uint32_t>(header.size());
  bytes.append(reinterpret_cast<const char*>(&size), 4);
  bytes += header;
  for (std::size_t i = 0; i < parts.network.layout().size(); ++i) {
    const std::uint16_t half = Eigen::half(parts.values[i]).x;
    bytes.append(reinterpret_cast<const char*>(&half), 2);
  }
  const Sha256 hash = sha256(bytes);
  bytes.append(reinterpret_cast<const char*>(hash.data()), hash.size());
  const std::filesystem::path part = path.string() + ".part";
  std::error_code code;
  {
    std::ofstream file(part, std::ios::binary | std::ios::trunc);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    file.flush();
    if (!file) {
      const bool full = errno == ENOSPC;
      file.close();
      std::filesystem::remove(part, code);
      return Error(full ? ErrorCode::storage_full : ErrorCode::internal, fmt::format("{}: {} bytes cannot be written", part.string(), bytes.size()));
    }
  }
  std::filesystem::rename(part, path, code);
  if (code) return Error(ErrorCode::internal, fmt::format("{}: cannot be put in place: {}", path.string(), code.message()));
  return {};
}

Result<std::unique_ptr<EventModel::Parts>> load_parts(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error(ErrorCode::not_found, path.string() + ": no such model; `heng train --kind events` makes one");
  std::string raw;
  json header;
  HENG_TRY(read_header(file, path, raw, header));
  std::ostringstream rest;
  rest << file.rdbuf();
  const std::string weights_bytes = std::move(rest).str();
  try {
    Schema schema;
    schema.types = header.at("schema").at("types").get<std::vector<std::string>>();
    schema.roles = header.at("schema").at("roles").get<std::vector<std::string>>();
    schema.type_roles = header.at("schema").at("type_roles").get<std::vector<std::vector<int>>>();
    const auto count = header.at("values").get<std::size_t>();
    if (weights_bytes.size() != count * 2 + 32) return broken(path, "the file ends early");
    Sha256Stream hash;
    hash.update(raw);
    hash.update(std::string_view(weights_bytes).substr(0, count * 2));
    const Sha256 sum = hash.finish();
    if (std::memcmp(sum.data(), weights_bytes.data() + count * 2, 32) != 0) return broken(path, "checksum does not match");
    auto parts = std::make_unique<EventModel::Parts>(shape_of(header), schema, header.at("pieces").get<std::vector<std::string>>());
    if (parts->network.layout().size() != count) return broken(path, "sizes do not match");
    const json& d = header.at("decisions");
    auto value = [&](const char* key) { return d.at(key).get<float>(); };
    parts->decisions = {value("trigger"), value("type_share"), value("rescue"), value("argument"), value("slope"), value("offset")};
    parts->card = read_card(header);
    for (std::size_t i = 0; i < count; ++i) {
      std::uint16_t half = 0;
      std::memcpy(&half, weights_bytes.data() + 2 * i, 2);
      parts->values[i] = Eigen::half_impl::half_to_float(Eigen::half_impl::raw_uint16_to_half(half));
    }
    prepare_to_read(*parts);
    return parts;
  } catch (const json::exception& e) {
    return broken(path, std::string("the header lacks something: ") + e.what());
  }
}

Result<ModelCard> EventModel::card_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error(ErrorCode::not_found, path.string() + ": no such model; `heng train --kind events` makes one");
  std::string raw;
  json header;
  HENG_TRY(read_header(file, path, raw, header));
  try {
    return read_card(header);
  } catch (const json::exception& e) {
    return broken(path, std::string("the header lacks something: ") + e.what());
  }
}

}  // namespace heng::insight_events
