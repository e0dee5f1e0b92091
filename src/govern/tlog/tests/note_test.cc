#include "heng/tlog/note.h"

#include <gtest/gtest.h>

namespace heng::tlog {
namespace {

// The published example of Go's sum.golang.org format: golang.org/x/mod/sumdb/note.
constexpr const char* peter_key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
constexpr const char* peter_note =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

TEST(Note, PublishedNoteVerifies) {
  auto key = VerifierKey::parse(peter_key);
  ASSERT_TRUE(key.ok()) << key.error().message;
  EXPECT_EQ(key->id(), 0xc74f20a3U);
  EXPECT_EQ(key->text(), peter_key);
  auto note = parse_note(peter_note);
  ASSERT_TRUE(note.ok()) << note.error().message;
  EXPECT_TRUE(verify_note(*note, *key).ok());
  note->text[0] = 'i';
  EXPECT_EQ(verify_note(*note, *key).error().code, ErrorCode::corrupt);
}

TEST(Note, SignsWhatItVerifies) {
  auto signer = NoteSigner::create("heng.example/ledger", std::string(32, 's'));
  ASSERT_TRUE(signer.ok());
  const Checkpoint checkpoint{.origin = "heng.example/ledger", .size = 20'852'163, .root = sha256("root")};
  const std::string bytes = signer->sign(checkpoint.text());
  auto opened = open_checkpoint(bytes, signer->verifier());
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_EQ(opened->size, checkpoint.size);
  EXPECT_EQ(opened->root, checkpoint.root);
  auto other = NoteSigner::create("heng.example/ledger", std::string(32, 't'));
  EXPECT_EQ(open_checkpoint(bytes, other->verifier()).error().code, ErrorCode::corrupt);
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
    std::string bad = bytes;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_FALSE(open_checkpoint(bad, signer->verifier()).ok()) << i;
  }
  // a signature of a stranger beside ours is ignored
  const std::string line = other->sign(checkpoint.text()).substr(checkpoint.text().size() + 1);
  EXPECT_TRUE(open_checkpoint(bytes + line, signer->verifier()).ok());
}

TEST(Note, RefusesBadForms) {
  for (const char* bad : {"", "\n\n", "text\n", "text\n\n", "text\n\n- name AAAAAAA=\n", "text\n\n\xe2\x80\x94 name\n", "text\n\n\xe2\x80\x94 a+b AAAAAAA=\n",
                          "te\txt\n\n\xe2\x80\x94 name AAAAAAA=\n", "\xff\n\n\xe2\x80\x94 name AAAAAAA=\n", "text\n\n\xe2\x80\x94 name AAAAAAA="}) {
    EXPECT_FALSE(parse_note(bad).ok()) << bad;
  }
  for (const char* bad : {"", "a\n", "a\n1\n", "a\n01\nAAAA\n", "a\n-1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n", "a\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
                          "a\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=\n"}) {
    EXPECT_FALSE(Checkpoint::parse(bad).ok()) << bad;
  }
  EXPECT_TRUE(Checkpoint::parse("a\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n").ok());
  for (const char* bad : {"", "a+b", "a+00000000+AQ==", "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"}) {
    EXPECT_FALSE(VerifierKey::parse(bad).ok()) << bad;
  }
  EXPECT_FALSE(NoteSigner::create("a b", std::string(32, 's')).ok());
  EXPECT_FALSE(NoteSigner::create("a", "short").ok());
}

}  // namespace
}  // namespace heng::tlog
