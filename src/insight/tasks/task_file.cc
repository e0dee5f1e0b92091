#include "heng/insight/task_file.h"

#include <fmt/format.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "heng/base/hash.h"

namespace heng::insight {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view magic = "HENGTASK";
constexpr std::size_t fixed_bytes = 8 + 4 + 4, hash_bytes = 32, most_header_bytes = 256u << 20;

json info_to_json(const TaskInfo& info) {
  json tiers = json::array();
  for (const Tier tier : info.tiers) tiers.push_back(tier_name(tier));
  json automatic = json::array();
  for (const Tier tier : info.automatic) automatic.push_back(tier_name(tier));
  json metrics = json::array();
  for (const auto& [name, value] : info.metrics) metrics.push_back({name, value});
  return {{"name", info.name}, {"kind", task_kind_name(info.kind)}, {"input", task_input_name(info.input)}, {"description", info.description}, {"labels", info.labels}, {"roles", info.roles},
          {"tiers", tiers}, {"automatic", automatic}, {"metrics", metrics}, {"data_sha256", info.data_sha256}, {"rows", info.rows}, {"trained_ms", info.trained_ms}, {"evaluation_only", info.evaluation_only}};
}

TaskInfo info_from_json(const json& j) {
  TaskInfo info;
  info.name = j.at("name").get<std::string>();
  info.kind = j.at("kind").get<std::string>() == "events" ? TaskKind::events : TaskKind::label;
  const auto input = j.value("input", "text");
  info.input = input == "pair" ? TaskInput::pair : input == "entity" ? TaskInput::entity : TaskInput::text;
  info.description = j.at("description").get<std::string>();
  info.labels = j.at("labels").get<std::vector<std::string>>();
  info.roles = j.at("roles").get<std::vector<std::string>>();
  for (const auto& tier : j.at("tiers"))
    if (const auto known = tier_from_name(tier.get<std::string>())) info.tiers.push_back(*known);
  info.automatic = info.tiers;   // of files that do not say
  if (j.contains("automatic")) {
    info.automatic.clear();
    for (const auto& tier : j.at("automatic"))
      if (const auto known = tier_from_name(tier.get<std::string>())) info.automatic.push_back(*known);
  }
  for (const auto& metric : j.at("metrics")) info.metrics.emplace_back(metric.at(0).get<std::string>(), metric.at(1).get<double>());
  info.data_sha256 = j.at("data_sha256").get<std::string>();
  info.rows = j.at("rows").get<std::int64_t>();
  info.trained_ms = j.at("trained_ms").get<std::int64_t>();
  info.evaluation_only = j.at("evaluation_only").get<bool>();
  return info;
}

void put_u32(std::string& out, std::uint32_t value) { out.append(reinterpret_cast<const char*>(&value), sizeof value); }
std::uint32_t get_u32(std::string_view bytes, std::size_t at) {
  std::uint32_t value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

Error corrupt(const fs::path& path, std::string_view why) {
  return Error(ErrorCode::corrupt, fmt::format("{}: {}; train the task again or bring the file back from a backup", path.string(), why), "task");
}

/// The header's bytes, after the checks of magic and version.
Result<std::size_t> header_size(const fs::path& path, std::string_view head) {
  if (head.size() < fixed_bytes || !head.starts_with(magic)) return corrupt(path, "not a task file");
  const std::uint32_t version = get_u32(head, 8);
  if (version != TaskFile::format_version)
    return Error(ErrorCode::unsupported, fmt::format("{} has format {}, this program reads format {}: use the program that wrote it, or train again", path.string(), version, TaskFile::format_version), "task");
  const std::size_t size = get_u32(head, 12);
  if (size > most_header_bytes) return corrupt(path, "its header is damaged");
  return size;
}

Result<std::string> read_bytes(const fs::path& path, std::size_t most) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return Error(ErrorCode::not_found, "no file " + path.string(), "task");
  std::string bytes;
  if (most == 0) {
    bytes.assign(std::istreambuf_iterator<char>(in), {});
  } else {
    bytes.resize(most);
    in.read(bytes.data(), static_cast<std::streamsize>(most));
    bytes.resize(static_cast<std::size_t>(in.gcount()));
  }
  return bytes;
}

Result<void> write_bytes(const fs::path& path, std::string_view bytes) {
  const fs::path partial = path.string() + ".partial";
  const int file = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return Error(ErrorCode::internal, fmt::format("cannot write {}: {}", partial.string(), std::strerror(errno)));
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t wrote = ::write(file, bytes.data() + done, bytes.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) {
      const int why = errno;
      ::close(file);
      ::unlink(partial.c_str());
      return Error(why == ENOSPC ? ErrorCode::storage_full : ErrorCode::internal, fmt::format("cannot write {}: {}", partial.string(), std::strerror(why)));
    }
    done += static_cast<std::size_t>(wrote);
  }
  const bool kept = ::fsync(file) == 0;
  ::close(file);
  if (!kept || ::rename(partial.c_str(), path.c_str()) != 0) return Error(ErrorCode::internal, fmt::format("cannot write {}: {}", path.string(), std::strerror(errno)));
  return {};
}

}  // namespace

Result<void> check_task_name(const std::string& name) {
  bool ok = !name.empty() && name.size() <= 64 && name.front() >= 'a' && name.front() <= 'z';
  for (const char c : name) ok = ok && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-');
  if (!ok) return Error(ErrorCode::invalid_argument, fmt::format("\"{}\" is no task name: lower-case letters, digits and \"-\", beginning with a letter, at most 64", name), "task");
  return {};
}

Result<void> write_task_file(const fs::path& path, const TaskFile& file) {
  json sections = json::array();
  std::size_t offset = 0;
  for (const auto& [name, bytes] : file.sections) {
    sections.push_back({{"name", name}, {"offset", offset}, {"size", bytes.size()}});
    offset += bytes.size();
  }
  const json details = json::parse(file.details_json, nullptr, false);
  if (details.is_discarded()) return Error(ErrorCode::internal, "the details of a task file are not JSON");
  const std::string header = json({{"task", info_to_json(file.info)}, {"details", details}, {"sections", sections}}).dump();
  std::string out(magic);
  put_u32(out, TaskFile::format_version);
  put_u32(out, static_cast<std::uint32_t>(header.size()));
  out += header;
  for (const auto& [name, bytes] : file.sections) out += bytes;
  const Sha256 hash = sha256(out);
  out.append(reinterpret_cast<const char*>(hash.data()), hash.size());
  std::error_code failed;
  fs::create_directories(path.parent_path(), failed);
  return write_bytes(path, out);
}

Result<TaskFile> read_task_file(const fs::path& path) {
  const std::string bytes = HENG_TRY(read_bytes(path, 0));
  const std::size_t header_bytes = HENG_TRY(header_size(path, bytes));
  if (bytes.size() < fixed_bytes + header_bytes + hash_bytes) return corrupt(path, "it is cut off");
  const std::string_view body(bytes.data(), bytes.size() - hash_bytes);
  const Sha256 hash = sha256(body);
  if (std::memcmp(hash.data(), bytes.data() + body.size(), hash.size()) != 0) return corrupt(path, "its checksum does not fit");
  TaskFile file;
  try {
    const json header = json::parse(body.substr(fixed_bytes, header_bytes));
    file.info = info_from_json(header.at("task"));
    file.details_json = header.at("details").dump();
    const std::string_view data = body.substr(fixed_bytes + header_bytes);
    for (const auto& section : header.at("sections")) {
      const auto offset = section.at("offset").get<std::size_t>(), size = section.at("size").get<std::size_t>();
      if (offset > data.size() || size > data.size() - offset) return corrupt(path, "a section lies outside of it");
      file.sections[section.at("name").get<std::string>()] = std::string(data.substr(offset, size));
    }
  } catch (const json::exception&) {
    return corrupt(path, "its header is damaged");
  }
  return file;
}

Result<TaskInfo> read_task_info(const fs::path& path) {
  const std::string head = HENG_TRY(read_bytes(path, fixed_bytes));
  const std::size_t header_bytes = HENG_TRY(header_size(path, head));
  const std::string bytes = HENG_TRY(read_bytes(path, fixed_bytes + header_bytes));
  try {
    return info_from_json(json::parse(std::string_view(bytes).substr(fixed_bytes)).at("task"));
  } catch (const json::exception&) {
    return corrupt(path, "its header is damaged");
  }
}

}  // namespace heng::insight
