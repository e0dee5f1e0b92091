#include "heng/insight_bert/encoder_file.h"

#include <fmt/format.h>

#include <cstring>
#include <fstream>
#include <sstream>

#include "heng/base/hash.h"

namespace heng::insight_bert {
namespace {

/// Reads little-endian values; once past the end, everything reads as zero and `broken` is set.
struct Reader {
  const std::string& bytes;
  std::size_t at = 0;
  bool broken = false;

  template <class T>
  T number() {
    T value{};
    if (bytes.size() - at < sizeof(T)) {
      broken = true;
      at = bytes.size();
      return value;
    }
    std::memcpy(&value, bytes.data() + at, sizeof(T));
    at += sizeof(T);
    return value;
  }
  std::string text() {
    const auto size = number<std::uint64_t>();
    if (size > bytes.size() - at) {
      broken = true;
      at = bytes.size();
      return {};
    }
    std::string out = bytes.substr(at, size);
    at += size;
    return out;
  }
};

struct Metadata {
  std::map<std::string, double> numbers;
  std::map<std::string, std::string> texts;
  std::vector<std::string> vocabulary;
};

constexpr std::uint32_t type_text = 8, type_array = 9;

double scalar(Reader& in, std::uint32_t type) {
  switch (type) {
    case 0: return in.number<std::uint8_t>();
    case 1: return in.number<std::int8_t>();
    case 2: return in.number<std::uint16_t>();
    case 3: return in.number<std::int16_t>();
    case 4: return in.number<std::uint32_t>();
    case 5: return in.number<std::int32_t>();
    case 6: return in.number<float>();
    case 7: return in.number<std::uint8_t>();
    case 10: return static_cast<double>(in.number<std::uint64_t>());
    case 11: return static_cast<double>(in.number<std::int64_t>());
    case 12: return in.number<double>();
    default: in.broken = true; return 0;
  }
}

void read_pair(Reader& in, Metadata& out) {
  const std::string key = in.text();
  const auto type = in.number<std::uint32_t>();
  if (type == type_text) {
    out.texts[key] = in.text();
  } else if (type == type_array) {
    const auto element = in.number<std::uint32_t>();
    const auto count = in.number<std::uint64_t>();
    const bool vocabulary = key == "tokenizer.ggml.tokens";
    for (std::uint64_t i = 0; i < count && !in.broken; ++i) {
      if (element == type_text) {
        std::string item = in.text();
        if (vocabulary) out.vocabulary.push_back(std::move(item));
      } else {
        scalar(in, element);
      }
    }
  } else {
    out.numbers[key] = scalar(in, type);
  }
}

float from_half(std::uint16_t half) { return Eigen::half_impl::half_to_float(Eigen::half_impl::raw_uint16_to_half(half)); }

}  // namespace

Result<EncoderFile> EncoderFile::open(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error(ErrorCode::not_found, fmt::format("{}: cannot be opened; name the embedding model's GGUF file", path.string()));
  EncoderFile out;
  std::ostringstream content;
  content << file.rdbuf();
  out.bytes_ = std::move(content).str();
  Reader in{out.bytes_};
  const auto magic = in.number<std::uint32_t>();
  const auto version = in.number<std::uint32_t>();
  if (magic != 0x46554747 || version < 2 || version > 3) return Error(ErrorCode::malformed_input, path.string() + ": not a GGUF file of version 2 or 3");
  const auto tensors = in.number<std::uint64_t>(), pairs = in.number<std::uint64_t>();
  Metadata meta;
  for (std::uint64_t i = 0; i < pairs && !in.broken; ++i) read_pair(in, meta);
  for (std::uint64_t i = 0; i < tensors && !in.broken; ++i) {
    const std::string name = in.text();
    Place place;
    const auto dimensions = in.number<std::uint32_t>();
    if (dimensions < 1 || dimensions > 4) in.broken = true;
    for (std::uint32_t d = 0; d < dimensions && !in.broken; ++d) {
      const auto size = in.number<std::uint64_t>();
      if (d == 0) place.cols = size;
      else place.rows *= size;
    }
    place.type = in.number<std::uint32_t>();
    place.offset = in.number<std::uint64_t>();
    out.tensors_[name] = place;
  }
  if (in.broken) return Error(ErrorCode::malformed_input, path.string() + ": the GGUF header is broken");
  const std::uint64_t alignment = meta.numbers.contains("general.alignment") ? static_cast<std::uint64_t>(meta.numbers["general.alignment"]) : 32;
  if (alignment == 0 || alignment > 65536) return Error(ErrorCode::malformed_input, path.string() + ": nonsense alignment");
  out.data_ = (in.at + alignment - 1) / alignment * alignment;
  if (meta.texts["general.architecture"] != "bert" || meta.texts["tokenizer.ggml.model"] != "bert") {
    return Error(ErrorCode::unsupported, fmt::format("{}: what is trained here is built on a BERT encoder with a word-piece vocabulary (such as bge-small-zh); this is \"{}\" with a \"{}\" vocabulary",
                                                     path.string(), meta.texts["general.architecture"], meta.texts["tokenizer.ggml.model"]));
  }
  auto number = [&](const char* key) { return static_cast<int>(meta.numbers[std::string("bert.") + key]); };
  out.shape = {.vocabulary = static_cast<int>(meta.vocabulary.size()), .positions = number("context_length"), .width = number("embedding_length"),
               .heads = number("attention.head_count"), .inner = number("feed_forward_length"), .layers = number("block_count"), .frozen = 0,
               .epsilon = static_cast<float>(meta.numbers["bert.attention.layer_norm_epsilon"])};
  const EncoderShape& s = out.shape;
  if (s.vocabulary < 100 || s.positions < 16 || s.positions > 65536 || s.width < 8 || s.width > 8192 || s.heads < 1 || s.width % s.heads || s.inner < 8 ||
      s.inner > 65536 || s.layers < 1 || s.layers > 128) {
    return Error(ErrorCode::malformed_input, path.string() + ": sizes of the encoder are missing or nonsense");
  }
  out.vocabulary = std::move(meta.vocabulary);
  out.sha256 = sha256_hex(out.bytes_);
  return out;
}

Result<void> EncoderFile::copy(const std::string& name, std::size_t count, float* out) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) return Error(ErrorCode::malformed_input, "the encoder's file has no weights named " + name);
  const Place& place = found->second;
  if (place.type > 1) return Error(ErrorCode::unsupported, fmt::format("{}: weights of type {}; f32 and f16 are read", name, place.type));
  const std::uint64_t each = place.type == 0 ? 4 : 2, room = bytes_.size() > data_ ? bytes_.size() - data_ : 0;
  if (place.cols > 1U << 28 || place.rows > 1U << 28 || place.rows * place.cols != count || place.offset > room || count * each > room - place.offset) {
    return Error(ErrorCode::malformed_input, fmt::format("{}: {} × {} values do not fit", name, place.rows, place.cols));
  }
  const char* from = bytes_.data() + data_ + place.offset;
  if (place.type == 0) {
    std::memcpy(out, from, count * 4);
    return {};
  }
  for (std::size_t i = 0; i < count; ++i) {
    std::uint16_t half = 0;
    std::memcpy(&half, from + 2 * i, 2);
    out[i] = from_half(half);
  }
  return {};
}

Result<void> EncoderFile::load(const Layout& layout, float* values) const {
  for (const auto& entry : layout.entries()) {
    if (entry.group == Group::head) continue;
    float* out = values + entry.tensor.offset;
    const auto joined = entry.name.find("attn_qkv");
    if (joined == std::string::npos) {
      HENG_TRY(copy(entry.name, entry.tensor.size(), out));
      continue;
    }
    const std::size_t third = entry.tensor.size() / 3;
    for (std::size_t part = 0; part < 3; ++part) {
      std::string name = entry.name;
      name.replace(joined, 8, std::string("attn_") + "qkv"[part]);
      HENG_TRY(copy(name, third, out + part * third));
    }
  }
  return {};
}

}  // namespace heng::insight_bert
