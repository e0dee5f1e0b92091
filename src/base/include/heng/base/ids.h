#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace heng {

/// A string id that cannot be mixed up with another kind of id.
template <class Tag>
struct StringId {
  std::string value;
  StringId() = default;
  explicit StringId(std::string v) : value(std::move(v)) {}
  auto operator<=>(const StringId&) const = default;
  bool empty() const { return value.empty(); }
};

/// An integer id that cannot be mixed up with another kind of id.
template <class Tag>
struct IntId {
  std::int64_t value = 0;
  IntId() = default;
  explicit constexpr IntId(std::int64_t v) : value(v) {}
  auto operator<=>(const IntId&) const = default;
};

using TenantId = StringId<struct TenantTag>;
using UserId = StringId<struct UserTag>;
using KeyId = StringId<struct KeyTag>;
using RequestId = StringId<struct RequestTag>;
using KbName = StringId<struct KbTag>;
using DocumentId = IntId<struct DocumentTag>;
using ChunkId = IntId<struct ChunkTag>;

/// Where randomness comes from; passed in so that tests can fix it.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(void* data, std::size_t size) = 0;
};

/// The operating system's cryptographic generator. Thread-safe.
Random& system_random();

/// `size` random bytes as lower-case hex.
std::string random_hex(Random& random, std::size_t size);

/// A sortable request id: 48 bits of milliseconds, then 80 random bits, as 26 characters of Crockford base 32 (ULID).
RequestId new_request_id(std::int64_t unix_ms, Random& random);

}  // namespace heng

template <class Tag>
struct std::hash<heng::StringId<Tag>> {
  std::size_t operator()(const heng::StringId<Tag>& id) const { return std::hash<std::string>{}(id.value); }
};
template <class Tag>
struct std::hash<heng::IntId<Tag>> {
  std::size_t operator()(const heng::IntId<Tag>& id) const { return std::hash<std::int64_t>{}(id.value); }
};
