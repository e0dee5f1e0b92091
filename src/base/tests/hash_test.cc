#include "heng/base/hash.h"

#include <gtest/gtest.h>

#include "heng/base/clock.h"
#include "heng/base/ids.h"

namespace {

TEST(Hash, KnownAnswers) {  // FIPS 180-4 examples
  EXPECT_EQ(heng::sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(heng::sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  heng::Sha256Stream stream;
  stream.update("a");
  stream.update("bc");
  EXPECT_EQ(heng::to_hex(stream.finish()), heng::sha256_hex("abc"));
}

TEST(Hash, RoundTrips) {
  for (std::size_t n = 0; n < 40; ++n) {
    std::string bytes;
    for (std::size_t i = 0; i < n; ++i) bytes.push_back(static_cast<char>(i * 37 + n));
    EXPECT_EQ(heng::from_base64(heng::to_base64(bytes)).value(), bytes);
    EXPECT_EQ(heng::from_hex(heng::to_hex(bytes.data(), bytes.size())).value(), bytes);
  }
  EXPECT_FALSE(heng::from_hex("0g").ok());
  EXPECT_FALSE(heng::from_base64("abc").ok());
}

TEST(Ids, SortByTime) {
  auto& random = heng::system_random();
  EXPECT_LT(heng::new_request_id(1000, random).value, heng::new_request_id(2000, random).value);
  EXPECT_EQ(heng::new_request_id(1000, random).value.size(), 26u);
  EXPECT_EQ(heng::iso8601(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(heng::iso8601(1764000000123), "2025-11-24T16:00:00.123Z");
}

}  // namespace
