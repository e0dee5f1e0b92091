#include "heng/infer/gguf_header.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <fstream>
#include <limits>

namespace heng::infer {
namespace {

constexpr std::uint64_t header_limit_bytes = 256u << 20;
constexpr std::uint64_t count_limit = 1u << 20;
constexpr std::size_t kept_string_limit_bytes = 64u << 10;

enum Type : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64, type_count };
constexpr std::array<std::size_t, type_count> type_bytes = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

// block length and bytes of ggml's tensor types by number; 0: retired or unknown
struct TensorType { std::uint32_t block, bytes; };
constexpr std::array<TensorType, 43> tensor_types = {{
    {1, 4}, {1, 2}, {32, 18}, {32, 20}, {0, 0}, {0, 0}, {32, 22}, {32, 24}, {32, 34}, {32, 36},       // f32 … q8_1
    {256, 84}, {256, 110}, {256, 144}, {256, 176}, {256, 210}, {256, 292},                            // q2_k … q8_k
    {256, 66}, {256, 74}, {256, 98}, {256, 50}, {32, 18}, {256, 110}, {256, 82}, {256, 136},          // iq2_xxs … iq4_xs
    {1, 1}, {1, 2}, {1, 4}, {1, 8}, {1, 8}, {256, 56}, {1, 2}, {0, 0}, {0, 0}, {0, 0},                // i8 … bf16
    {256, 54}, {256, 66}, {0, 0}, {0, 0}, {0, 0}, {32, 17}, {64, 36}, {0, 0}}};                       // tq1_0 … nvfp4

class Reader {
 public:
  Reader(std::string_view bytes, std::uint64_t file_size) : bytes_(bytes), file_size_(file_size) {}

  template <class T>
  Result<T> number() {
    T value{};
    const auto piece = HENG_TRY(take(sizeof value));
    std::memcpy(&value, piece.data(), sizeof value);
    return value;
  }
  Result<std::string_view> text() {
    const auto size = HENG_TRY(number<std::uint64_t>());
    return take(size);
  }
  Result<std::string_view> take(std::uint64_t size) {
    if (size > file_size_ || at_ + size > file_size_) return Error(ErrorCode::corrupt, fmt::format("it ends inside its header (at byte {})", at_));
    if (at_ + size > bytes_.size()) return Error(ErrorCode::too_large, "its header is larger than what was read");
    const auto piece = bytes_.substr(at_, size);
    at_ += size;
    return piece;
  }
  std::uint64_t at() const { return at_; }

 private:
  std::string_view bytes_;
  std::uint64_t file_size_;
  std::uint64_t at_ = 0;
};

Error nonsense(std::string what) { return {ErrorCode::malformed_input, std::move(what)}; }

std::int64_t integer(std::uint32_t type, std::string_view raw) {
  const auto as = [&]<class T>(T value) {
    std::memcpy(&value, raw.data(), sizeof value);
    return static_cast<std::int64_t>(value);
  };
  switch (type) {
    case u8: case boolean: return as(std::uint8_t{});
    case i8: return as(std::int8_t{});
    case u16: return as(std::uint16_t{});
    case i16: return as(std::int16_t{});
    case u32: return as(std::uint32_t{});
    case i32: return as(std::int32_t{});
    default: return as(std::int64_t{});
  }
}

Result<void> read_array(Reader& in, const std::string& key) {
  const auto type = HENG_TRY(in.number<std::uint32_t>());
  const auto count = HENG_TRY(in.number<std::uint64_t>());
  if (type >= type_count || type == array) return nonsense(fmt::format("array '{}' has unknown type {}", key, type));
  if (type == string) {
    for (std::uint64_t i = 0; i < count; ++i) HENG_TRY(in.text());
    return {};
  }
  if (count > header_limit_bytes) return nonsense(fmt::format("array '{}' claims {} entries", key, count));
  HENG_TRY(in.take(count * type_bytes[type]));
  return {};
}

Result<void> read_value(Reader& in, GgufHeader& header) {
  const std::string key(HENG_TRY(in.text()));
  if (key.empty() || key.size() > 65535) return nonsense("a key is empty or too long");
  const auto type = HENG_TRY(in.number<std::uint32_t>());
  if (type >= type_count) return nonsense(fmt::format("key {} has unknown type {}", header.integers.size() + header.strings.size(), type));
  if (type == array) return read_array(in, key);
  if (type == string) {
    const auto value = HENG_TRY(in.text());
    if (value.size() <= kept_string_limit_bytes) header.strings[key] = value;
    return {};
  }
  const auto raw = HENG_TRY(in.take(type_bytes[type]));
  if (type != f32 && type != f64) header.integers[key] = integer(type, raw);
  return {};
}

/// Where the tensor's bytes end, counted from the beginning of the data.
Result<std::uint64_t> read_tensor(Reader& in) {
  const auto name = HENG_TRY(in.text());
  if (name.empty() || name.size() > 63) return nonsense("a tensor's name is empty or longer than 63 bytes");
  const auto dimensions = HENG_TRY(in.number<std::uint32_t>());
  if (dimensions < 1 || dimensions > 4) return nonsense(fmt::format("a tensor has {} dimensions", dimensions));
  std::uint64_t elements = 1, row = 1;
  for (std::uint32_t d = 0; d < dimensions; ++d) {
    const auto n = HENG_TRY(in.number<std::uint64_t>());
    if (n == 0 || n > (1ull << 40) || elements > (1ull << 44) / n) return nonsense("a tensor's shape is impossible");
    if (d == 0) row = n;
    elements *= n;
  }
  const auto type = HENG_TRY(in.number<std::uint32_t>());
  if (type >= tensor_types.size() || tensor_types[type].block == 0) return nonsense(fmt::format("a tensor has unknown type {}", type));
  if (row % tensor_types[type].block != 0) return nonsense("a tensor's row does not fit its type's blocks");
  const auto offset = HENG_TRY(in.number<std::uint64_t>());
  if (offset > (1ull << 50)) return nonsense("a tensor's offset is impossible");
  return offset + elements / tensor_types[type].block * tensor_types[type].bytes;
}

}  // namespace

std::int64_t GgufHeader::number(const std::string& key, std::int64_t otherwise) const {
  const auto found = integers.find(architecture + "." + key);
  return found == integers.end() ? otherwise : found->second;
}

Result<GgufHeader> parse_gguf_header(std::string_view bytes, std::uint64_t file_size) {
  Reader in(bytes, file_size);
  if (file_size < 24 || bytes.substr(0, 4) != "GGUF") return nonsense("it does not begin with \"GGUF\"");
  HENG_TRY(in.take(4));
  const auto version = HENG_TRY(in.number<std::uint32_t>());
  if (version != 2 && version != 3) return nonsense(fmt::format("it has version {}; 2 and 3 are known", version));
  GgufHeader header;
  header.tensors = HENG_TRY(in.number<std::uint64_t>());
  const auto values = HENG_TRY(in.number<std::uint64_t>());
  if (header.tensors > count_limit || values > count_limit) return nonsense(fmt::format("it claims {} tensors and {} keys", header.tensors, values));
  for (std::uint64_t i = 0; i < values; ++i) HENG_TRY(read_value(in, header));
  std::uint64_t data_end = 0;
  for (std::uint64_t i = 0; i < header.tensors; ++i) data_end = std::max(data_end, HENG_TRY(read_tensor(in)));

  const auto alignment_key = header.integers.find("general.alignment");
  const std::int64_t alignment = alignment_key == header.integers.end() ? 32 : alignment_key->second;
  if (alignment < 1 || alignment > 65536 || (alignment & (alignment - 1)) != 0) return nonsense(fmt::format("it has alignment {}", alignment));
  const auto step = static_cast<std::uint64_t>(alignment);
  header.size_needed_bytes = (in.at() + step - 1) / step * step + data_end;
  if (header.size_needed_bytes > file_size) {
    return Error(ErrorCode::corrupt, fmt::format("it is truncated: its tensors need {} bytes, it has {}", header.size_needed_bytes, file_size));
  }
  header.architecture = header.strings["general.architecture"];
  const auto type = header.strings.find("general.type");
  header.type = type == header.strings.end() ? "model" : type->second;
  return header;
}

Result<GgufHeader> read_gguf_header(const std::filesystem::path& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  std::ifstream file(path, std::ios::binary);
  if (error || !file) return Error(ErrorCode::not_found, fmt::format("model file {} cannot be read", path.string()), "path");
  for (std::uint64_t limit = 16u << 20;; limit *= 4) {
    std::string bytes(std::min<std::uint64_t>(size, limit), '\0');
    file.clear();
    file.seekg(0);
    if (!file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) return Error(ErrorCode::corrupt, fmt::format("model file {} cannot be read to its end", path.string()), "path");
    auto header = parse_gguf_header(bytes, size);
    if (header.ok()) return header;
    if (header.error().code == ErrorCode::too_large && limit < header_limit_bytes) continue;
    return Error(ErrorCode::corrupt, fmt::format("{} is not a usable model file: {}", path.string(), header.error().message), "path");
  }
}

}  // namespace heng::infer
