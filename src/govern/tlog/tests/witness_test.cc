#include "heng/tlog/witness.h"

#include <gtest/gtest.h>

#include "heng/base/hash.h"

namespace heng::tlog {
namespace {

const std::string seed(32, '\x07');

Note cosigned(const std::string& body, const std::string& line) { return *parse_note(body + "\n" + line); }

TEST(Witness, SignsWhatCanBeChecked) {
  const auto signer = *WitnessSigner::create("w.example", seed);
  const std::string body = Checkpoint{.origin = "log.example", .size = 7, .root = sha256("x")}.text();
  const std::string line = signer.cosign(body, 1'780'000'000);
  const auto note = cosigned(body, line);
  EXPECT_EQ(*verify_cosignature(note, signer.key()), 1'780'000'000u);
  EXPECT_EQ(WitnessKey::parse(signer.key().text())->text(), signer.key().text());
  // a note's signature and a cosignature are of different kinds: neither passes as the other
  VerifierKey same;
  same.name = signer.key().name;
  same.public_key = signer.key().public_key;
  EXPECT_NE(same.id(), signer.key().id());
  EXPECT_FALSE(verify_note(note, same).ok());
  EXPECT_FALSE(VerifierKey::parse(signer.key().text()).ok());
  EXPECT_FALSE(WitnessKey::parse(same.text()).ok());
}

TEST(Witness, AnyChangeBreaksIt) {
  const auto signer = *WitnessSigner::create("w.example", seed);
  const auto stranger = *WitnessSigner::create("w.example", std::string(32, '\x08'));
  const std::string body = Checkpoint{.origin = "log.example", .size = 7, .root = sha256("x")}.text();
  const std::string line = signer.cosign(body, 1'780'000'000);
  EXPECT_FALSE(verify_cosignature(cosigned(Checkpoint{.origin = "log.example", .size = 8, .root = sha256("x")}.text(), line), signer.key()).ok());
  EXPECT_FALSE(verify_cosignature(cosigned(body, stranger.cosign(body, 1)), signer.key()).ok());
  auto note = cosigned(body, line);
  for (std::size_t i = 0; i < note.signatures[0].bytes.size(); ++i) {
    auto changed = note;
    changed.signatures[0].bytes[i] = static_cast<char>(changed.signatures[0].bytes[i] ^ 1);
    EXPECT_FALSE(verify_cosignature(changed, signer.key()).ok()) << i;
  }
  note.signatures[0].bytes.pop_back();
  EXPECT_FALSE(verify_cosignature(note, signer.key()).ok());
  EXPECT_FALSE(WitnessSigner::create("a b", seed).ok());
  EXPECT_FALSE(WitnessSigner::create("w", "short").ok());
  for (const char* bad : {"", "+", "w+1+", "w+12345678+AAAA"}) EXPECT_FALSE(WitnessKey::parse(bad).ok()) << bad;
}

}  // namespace
}  // namespace heng::tlog
