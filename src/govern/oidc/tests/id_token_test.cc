#include "id_token.h"

#include <gtest/gtest.h>

#include "tokens.h"

namespace heng::oidc {
namespace {

constexpr std::int64_t now_s = 1'780'000'000;

class TokenTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    rsa = new Signer(Signer::Kind::rsa, "rsa");
    p256 = new Signer(Signer::Kind::p256, "p256");
    ed = new Signer(Signer::Kind::ed25519, "ed");
    stranger = new Signer(Signer::Kind::rsa, "rsa");
  }
  static void TearDownTestSuite() {
    for (const Signer* one : {rsa, p256, ed, stranger}) delete one;
  }
  void SetUp() override { set = *KeySet::parse(key_set({rsa->jwk(), p256->jwk(), ed->jwk()}).dump()); }

  static Json claims() {
    return {{"iss", "https://login.bank.test"}, {"aud", "heng"}, {"sub", "248289761001"}, {"exp", now_s + 300}, {"iat", now_s}, {"nonce", "n-0S6_WzA2Mj"}};
  }
  static Json with(const char* name, Json value) {
    Json out = claims();
    out[name] = std::move(value);
    return out;
  }
  static Json without(const char* name) {
    Json out = claims();
    out.erase(name);
    return out;
  }
  Expected expected() const {
    return {.issuer = "https://login.bank.test", .client_id = "heng", .nonce = "n-0S6_WzA2Mj", .access_token = "SlAV32hkKG",
            .algorithms = {Algorithm::rs256, Algorithm::ps256, Algorithm::es256, Algorithm::eddsa}, .now_ms = now_s * 1000};
  }
  Result<Json> read(const std::string& token) { return read(token, expected()); }
  Result<Json> read(const std::string& token, const Expected& wanted) {
    return read_id_token(token, wanted, [&](const std::string& id, Algorithm algorithm, std::string_view bytes, std::string_view signature) -> Result<bool> {
      const auto found = set.find(id, algorithm);
      if (found.empty()) return Error(ErrorCode::unauthenticated, "no key (kid)");
      for (const auto* key : found)
        if (key->verifies(algorithm, bytes, signature)) return true;
      return false;
    });
  }
  /// The message must name the check that failed, so that a test cannot pass for another reason.
  void refused(const std::string& token, const char* why) {
    const auto got = read(token);
    ASSERT_FALSE(got.ok()) << why;
    EXPECT_EQ(got.error().code, ErrorCode::unauthenticated) << why;
    EXPECT_NE(got.error().message.find(why), std::string::npos) << got.error().message << " for " << why;
  }

  static inline const Signer *rsa, *p256, *ed, *stranger;
  KeySet set;
};

TEST_F(TokenTest, HoldsUnderEachAlgorithm) {
  for (const auto& [signer, algorithm] : {std::pair{rsa, "RS256"}, {rsa, "PS256"}, {p256, "ES256"}, {ed, "EdDSA"}}) {
    const auto got = read(signer->sign(claims(), algorithm));
    ASSERT_TRUE(got.ok()) << algorithm << ": " << got.error().message;
    EXPECT_EQ((*got)["sub"], "248289761001");
  }
  EXPECT_TRUE(read(rsa->sign(with("aud", {"heng"}))).ok());
  EXPECT_TRUE(read(rsa->token(Json{{"alg", "RS256"}}, claims().dump())).ok()) << "one RSA key only: no id is needed";
}

TEST_F(TokenTest, AlgorithmNoneIsRefused) {
  for (const char* none : {"none", "None", "NONE", "nOnE", ""}) {
    const std::string bytes = to_base64url(Json{{"alg", none}}.dump()) + "." + to_base64url(claims().dump());
    refused(bytes + ".", "alg");
    refused(bytes + "." + to_base64url("x"), "alg");
  }
  refused(to_base64url("{}") + "." + to_base64url(claims().dump()) + ".", "alg");
  refused(to_base64url("{\"alg\":[\"RS256\"]}") + "." + to_base64url(claims().dump()) + ".AA", "alg");
}

TEST_F(TokenTest, APublicKeyIsNoSharedSecret) {
  for (const char* algorithm : {"HS256", "HS384", "HS512"})
    for (const std::string& secret : {rsa->public_pem(), rsa->jwk().dump(), rsa->jwk()["n"].get<std::string>()}) {
      const std::string bytes = to_base64url(Json{{"alg", algorithm}, {"kid", "rsa"}}.dump()) + "." + to_base64url(claims().dump());
      refused(bytes + "." + to_base64url(store::hmac_sha256(secret, bytes)), "alg");
    }
}

TEST_F(TokenTest, AKeyServesItsOwnAlgorithmOnly) {
  // a signature of one key under the name of another algorithm
  refused(rsa->token(Json{{"alg", "ES256"}, {"kid", "rsa"}}, claims().dump()), "kid");
  refused(p256->token(Json{{"alg", "RS256"}, {"kid", "p256"}}, claims().dump()), "kid");
  refused(ed->token(Json{{"alg", "ES256"}, {"kid", "p256"}}, claims().dump()), "signature");
  // a key that says RS256 takes no PS256
  Json only = rsa->jwk();
  only["alg"] = "RS256";
  set = *KeySet::parse(key_set({only}).dump());
  EXPECT_TRUE(read(rsa->sign(claims(), "RS256")).ok());
  refused(rsa->sign(claims(), "PS256"), "kid");
  Expected wanted = expected();
  wanted.algorithms = {Algorithm::es256};
  EXPECT_FALSE(read(rsa->sign(claims()), wanted).ok()) << "not among those configured";
}

TEST_F(TokenTest, ASignatureOfAnotherIsRefused) {
  refused(stranger->sign(claims()), "signature");
  const std::string token = rsa->sign(claims());
  const auto dot = token.rfind('.');
  refused(token.substr(0, dot + 1), "signature");
  // other claims under the same signature
  const auto first = token.find('.');
  refused(token.substr(0, first + 1) + to_base64url(with("sub", "root").dump()) + token.substr(dot), "signature");
  // every byte of the signature counts
  for (std::size_t i = dot + 1; i < token.size(); i += 37) {
    std::string broken = token;
    broken[i] = broken[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(read(broken).ok()) << i;
  }
  // r = s = 0 (CVE-2022-21449), and DER where raw bytes belong
  const std::string bytes = to_base64url(Json{{"alg", "ES256"}, {"kid", "p256"}}.dump()) + "." + to_base64url(claims().dump());
  refused(bytes + "." + to_base64url(std::string(64, '\0')), "signature");
  refused(bytes + "." + to_base64url("\x30\x06\x02\x01\x01\x02\x01\x01"), "signature");
}

TEST_F(TokenTest, AKeyInTheTokenIsNotLookedAt) {
  Json header{{"alg", "RS256"}, {"kid", "rsa"}, {"jwk", stranger->jwk()}, {"jku", "https://evil.test/keys"}, {"x5u", "https://evil.test/x"}};
  refused(stranger->token(header, claims().dump()), "signature");
  header.erase("kid");
  refused(stranger->token(header, claims().dump()), "signature");
  header["kid"] = "unknown";
  refused(stranger->token(header, claims().dump()), "kid");
}

TEST_F(TokenTest, WhoseItIsIsChecked) {
  refused(rsa->sign(with("iss", "https://evil.test")), "iss");
  refused(rsa->sign(with("iss", "https://login.bank.test/")), "iss");
  refused(rsa->sign(without("iss")), "iss");
  refused(rsa->sign(with("aud", "another")), "aud");
  refused(rsa->sign(with("aud", "heng ")), "aud");
  refused(rsa->sign(with("aud", Json::array())), "aud");
  refused(rsa->sign(with("aud", {"heng", 7})), "aud");
  refused(rsa->sign(with("aud", {{"heng", true}})), "aud");
  refused(rsa->sign(without("aud")), "aud");
  refused(rsa->sign(with("aud", {"heng", "another"})), "azp");
  Json both = with("aud", {"another", "heng"});
  both["azp"] = "another";
  refused(rsa->sign(both), "azp");
  both["azp"] = "heng";
  EXPECT_TRUE(read(rsa->sign(both)).ok());
  refused(rsa->sign(with("azp", "another")), "azp");
  refused(rsa->sign(without("sub")), "sub");
  refused(rsa->sign(with("sub", "")), "sub");
  refused(rsa->sign(with("sub", std::string(256, 's'))), "sub");
  refused(rsa->sign(with("sub", 7)), "sub");
}

TEST_F(TokenTest, TimesAreBounded) {
  refused(rsa->sign(with("exp", now_s - 61)), "exp");
  EXPECT_TRUE(read(rsa->sign(with("exp", now_s - 59))).ok()) << "inside the skew";
  refused(rsa->sign(with("exp", now_s - 60)), "exp");
  refused(rsa->sign(with("iat", now_s + 61)), "iat");
  EXPECT_TRUE(read(rsa->sign(with("iat", now_s + 60))).ok());
  refused(rsa->sign(with("iat", now_s - 661)), "iat");
  EXPECT_TRUE(read(rsa->sign(with("iat", now_s - 659))).ok());
  refused(rsa->sign(with("nbf", now_s + 61)), "nbf");
  refused(rsa->sign(with("nbf", "soon")), "nbf");
  EXPECT_TRUE(read(rsa->sign(with("nbf", now_s))).ok());
  for (const char* name : {"exp", "iat"}) {
    refused(rsa->sign(without(name)), "iat, exp");
    for (const Json& odd : {Json("1780000300"), Json(nullptr), Json(true), Json(-1), Json(1e300), Json::array({now_s})}) refused(rsa->sign(with(name, odd)), "iat, exp");
  }
}

TEST_F(TokenTest, BelongsToThisSignIn) {
  refused(rsa->sign(with("nonce", "another")), "nonce");
  refused(rsa->sign(without("nonce")), "nonce");
  refused(rsa->sign(with("nonce", 7)), "nonce");
  Expected none = expected();
  none.nonce.clear();
  EXPECT_FALSE(read(rsa->sign(with("nonce", "")), none).ok()) << "an empty nonce fits nothing";
  // the half hash of the access token "SlAV32hkKG": SHA-256, and SHA-512 for Ed25519
  const auto half = [](std::string_view text, const EVP_MD* kind) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    EVP_Digest(text.data(), text.size(), digest, &size, kind, nullptr);
    return to_base64url({reinterpret_cast<const char*>(digest), size / 2});
  };
  EXPECT_TRUE(read(rsa->sign(with("at_hash", half("SlAV32hkKG", EVP_sha256())))).ok());
  EXPECT_TRUE(read(ed->sign(with("at_hash", half("SlAV32hkKG", EVP_sha512())), "EdDSA")).ok());
  refused(rsa->sign(with("at_hash", half("another", EVP_sha256()))), "at_hash");
  refused(ed->sign(with("at_hash", half("SlAV32hkKG", EVP_sha256())), "EdDSA"), "at_hash");
  refused(rsa->sign(with("at_hash", "")), "at_hash");
  refused(rsa->sign(with("at_hash", nullptr)), "at_hash");
}

TEST_F(TokenTest, OversizedIsRefusedBeforeAnythingElse) {
  refused(std::string(1'000'000, 'a'), "1000000 bytes");
  refused(rsa->sign(with("x", std::string(1'000'000, 'a'))), "the limit is 16384");
  refused(rsa->sign(with("x", std::string(12'100, 'a'))), "the limit is 16384");
  EXPECT_TRUE(read(rsa->sign(with("x", std::string(11'000, 'a')))).ok());
  refused(rsa->token(Json{{"alg", "RS256"}, {"x", std::string(3000, 'a')}}, claims().dump()), "header");
  refused(rsa->token(Json{{"alg", "RS256"}, {"kid", std::string(300, 'k')}}, claims().dump()), "kid");
}

TEST_F(TokenTest, MalformedIsRefused) {
  for (const char* odd : {"", ".", "..", "...", "a.b", "a.b.c.d.e", "\xff.\xff.\xff"}) EXPECT_EQ(read(odd).error().code, ErrorCode::unauthenticated) << odd;
  const std::string token = rsa->sign(claims());
  for (std::size_t cut = 0; cut < token.size(); cut += 11) EXPECT_FALSE(read(token.substr(0, cut)).ok()) << cut;
  EXPECT_FALSE(read(token + "=").ok()) << "padding";
  EXPECT_FALSE(read(token + "\n").ok());
  EXPECT_FALSE(read(" " + token).ok());
  refused(rsa->token(Json{{"alg", "RS256"}, {"typ", "at+jwt"}}, claims().dump()), "typ");
  refused(rsa->token(Json{{"alg", "RS256"}, {"crit", {"exp"}}}, claims().dump()), "crit");
  refused(rsa->token(Json{{"alg", "RS256"}, {"kid", 7}}, claims().dump()), "kid");
  const Json header{{"alg", "RS256"}};
  refused(rsa->token(header, "[]"), "claims");
  refused(rsa->token(header, claims().dump() + "x"), "claims");
  std::string twice = claims().dump();
  twice.insert(1, "\"sub\":\"root\",");
  refused(rsa->token(header, twice), "claims");
  refused(rsa->token(header, std::string(5000, '[')), "claims");
  refused(rsa->token(header, "{\"a\":" + std::string(40, '[') + std::string(40, ']') + "}"), "claims");
}

TEST(Base64Url, HasOneReading) {
  for (const std::string& bytes : {std::string(), std::string("f"), std::string("fo"), std::string("foo"), std::string("\0\xff\xfe", 3)}) EXPECT_EQ(from_base64url(to_base64url(bytes)), bytes);
  EXPECT_EQ(to_base64url("foob"), "Zm9vYg");
  for (const char* odd : {"Z", "Zh", "Zm9=", "Zm9v\n", "Zm+v", "Zm/v", "Zm 9"}) EXPECT_FALSE(from_base64url(odd)) << odd;
}

TEST_F(TokenTest, KeysThatCannotServeAreLeftOut) {
  const auto size = [](const Json& keys) {
    const auto got = KeySet::parse(keys.dump());
    return got.ok() ? static_cast<int>(got->size()) : -1;
  };
  EXPECT_EQ(size(key_set({rsa->jwk(), p256->jwk(), ed->jwk()})), 3);
  const auto changed = [](Json key, const char* name, Json value) {
    key[name] = std::move(value);
    return key;
  };
  EXPECT_EQ(size(key_set({Signer(Signer::Kind::weak_rsa).jwk()})), -1);
  EXPECT_EQ(size(key_set({rsa->jwk(), changed(rsa->jwk(), "use", "enc")})), 1);
  EXPECT_EQ(size(key_set({rsa->jwk(), changed(rsa->jwk(), "d", "AA")})), 1) << "a private key in the open";
  EXPECT_EQ(size(key_set({rsa->jwk(), changed(rsa->jwk(), "key_ops", {"encrypt"})})), 1);
  EXPECT_EQ(size(key_set({rsa->jwk(), changed(rsa->jwk(), "alg", "HS256")})), 1);
  EXPECT_EQ(size(key_set({rsa->jwk(), changed(rsa->jwk(), "e", "AQ")})), 1) << "e = 1 signs for anyone";
  EXPECT_EQ(size(key_set({rsa->jwk(), changed(rsa->jwk(), "e", "Ag")})), 1) << "an even e";
  EXPECT_EQ(size(key_set({rsa->jwk(), changed(rsa->jwk(), "n", to_base64url(std::string(4096, '\xff')))})), 1) << "a key whose check takes minutes";
  EXPECT_EQ(size(key_set({p256->jwk(), changed(p256->jwk(), "y", p256->jwk()["x"])})), 1) << "a point off the curve";
  EXPECT_EQ(size(key_set({p256->jwk(), changed(p256->jwk(), "crv", "P-521")})), 1);
  EXPECT_EQ(size(key_set({rsa->jwk(), Json{{"kty", "oct"}, {"k", to_base64url("secret")}, {"kid", "s"}}, Json(7), Json::object()})), 1);
  EXPECT_EQ(size(key_set({})), -1);
  EXPECT_EQ(size(Json::object()), -1);
  const std::string whole = key_set({rsa->jwk(), p256->jwk()}).dump();
  for (std::size_t cut = 0; cut < whole.size(); cut += 7) EXPECT_FALSE(KeySet::parse(whole.substr(0, cut)).ok()) << cut;
  EXPECT_FALSE(KeySet::parse(std::string(300'000, ' ') + whole).ok());
  EXPECT_EQ(size(key_set(std::vector<Json>(101, p256->jwk()))), -1);
}

}  // namespace
}  // namespace heng::oidc
