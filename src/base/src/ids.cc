#include "heng/base/ids.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>
#include <vector>

#include "heng/base/hash.h"

namespace heng {
namespace {

class SystemRandom final : public Random {
 public:
  void fill(void* data, std::size_t size) override {
    auto* at = static_cast<unsigned char*>(data);
    while (size > 0) {
      const ssize_t got = getrandom(at, size, 0);
      if (got < 0) {
        if (errno == EINTR) continue;
        std::abort();  // no randomness: nothing that needs keys may go on
      }
      at += got;
      size -= static_cast<std::size_t>(got);
    }
  }
};

constexpr char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

}  // namespace

Random& system_random() {
  static SystemRandom random;
  return random;
}

std::string random_hex(Random& random, std::size_t size) {
  std::vector<unsigned char> bytes(size);
  random.fill(bytes.data(), size);
  return to_hex(bytes.data(), size);
}

RequestId new_request_id(std::int64_t unix_ms, Random& random) {
  std::string id(26, '0');
  auto time = static_cast<std::uint64_t>(unix_ms) & 0xFFFFFFFFFFFFull;
  for (int i = 9; i >= 0; --i) {
    id[static_cast<std::size_t>(i)] = crockford[time & 31];
    time >>= 5;
  }
  unsigned char bits[16];
  random.fill(bits, sizeof bits);
  for (std::size_t i = 0; i < 16; ++i) id[10 + i] = crockford[bits[i] & 31];
  return RequestId(id);
}

}  // namespace heng
