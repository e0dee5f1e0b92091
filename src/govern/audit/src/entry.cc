#include "heng/audit/entry.h"

#include <algorithm>

namespace heng::audit {

namespace {

void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(value >> (8 * i)));
}

std::uint64_t take(std::string_view& in, int bytes) {
  std::uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) value = value << 8 | static_cast<unsigned char>(in[static_cast<std::size_t>(i)]);
  in.remove_prefix(static_cast<std::size_t>(bytes));
  return value;
}

void take_hash(std::string_view& in, Sha256& hash) {
  std::copy_n(in.begin(), hash.size(), reinterpret_cast<char*>(hash.data()));
  in.remove_prefix(hash.size());
}

}  // namespace

std::string_view to_string(RecordKind kind) {
  switch (kind) {
    case RecordKind::open: return "open";
    case RecordKind::close: return "close";
    case RecordKind::note: return "note";
  }
  return "unknown";
}

std::string Entry::encode() const {
  std::string out;
  out.reserve(size_bytes);
  put(out, version, 1);
  put(out, static_cast<std::uint8_t>(kind), 1);
  put(out, key_id, 4);
  put(out, static_cast<std::uint64_t>(time_ms), 8);
  put(out, opened, 8);
  put(out, content_size, 8);
  out.append(reinterpret_cast<const char*>(commitment.data()), commitment.size());
  out.append(reinterpret_cast<const char*>(content_sha256.data()), content_sha256.size());
  return out;
}

Result<Entry> Entry::decode(std::string_view bytes) {
  if (bytes.size() != size_bytes) return Error(ErrorCode::corrupt, "a ledger entry of the wrong size");
  if (take(bytes, 1) != version) return Error(ErrorCode::corrupt, "a ledger entry of an unknown version");
  const auto kind = take(bytes, 1);
  if (kind < 1 || kind > 3) return Error(ErrorCode::corrupt, "a ledger entry of an unknown kind");
  Entry entry;
  entry.kind = static_cast<RecordKind>(kind);
  entry.key_id = static_cast<std::uint32_t>(take(bytes, 4));
  entry.time_ms = static_cast<std::int64_t>(take(bytes, 8));
  entry.opened = take(bytes, 8);
  entry.content_size = take(bytes, 8);
  take_hash(bytes, entry.commitment);
  take_hash(bytes, entry.content_sha256);
  return entry;
}

}  // namespace heng::audit
