#include "bytes.h"

#include <gtest/gtest.h>

#include "check.h"

namespace audit_check {
namespace {

TEST(CheckerTree, PublishedRoots) {
  // leaves and roots of Certificate Transparency's reference tree (RFC 6962)
  const std::vector<std::string> leaves = {"", std::string(1, '\0'), "\x10", "\x20\x21", "\x30\x31", "\x40\x41\x42\x43", "\x50\x51\x52\x53\x54\x55\x56\x57",
                                           "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"};
  const char* roots[] = {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                         "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                         "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                         "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  Tree tree;
  EXPECT_EQ(hex(tree.root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    tree.add(leaf_digest(leaves[i]));
    EXPECT_EQ(hex(tree.root()), roots[i]) << i + 1;
  }
}

TEST(CheckerBytes, Base64) {
  EXPECT_EQ(decode_base64("aGVuZw=="), "heng");
  EXPECT_EQ(decode_base64("aGVuZzE="), "heng1");
  for (const char* bad : {"", "a", "====", "a===", "aG=uZw==", "aGVu\n"}) EXPECT_FALSE(decode_base64(bad).has_value()) << bad;
}

TEST(CheckerNote, PublishedKey) {
  const auto key = parse_key("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
  ASSERT_TRUE(key.has_value());
  EXPECT_FALSE(parse_key("PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").has_value());
  const std::string text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
  const auto signature = decode_base64("x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=");
  ASSERT_EQ(signature->size(), 68U);
  EXPECT_EQ(signature->substr(0, 4), key->id);
  EXPECT_TRUE(verify_ed25519(key->public_key, text, signature->substr(4)));
  EXPECT_FALSE(verify_ed25519(key->public_key, text + " ", signature->substr(4)));
}

}  // namespace
}  // namespace audit_check
