#pragma once

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <memory>
#include <string>

#include "base64url.h"
#include "heng/store/keys.h"
#include "json_text.h"

namespace heng::oidc {

/// A provider's key pair, with which tests sign what they like.
class Signer {
 public:
  enum class Kind { rsa, weak_rsa, p256, ed25519 };
  explicit Signer(Kind kind, std::string id = "k1") : kind_(kind), id_(std::move(id)) {
    EVP_PKEY* made = kind == Kind::rsa        ? EVP_RSA_gen(2048)
                     : kind == Kind::weak_rsa ? EVP_RSA_gen(1024)
                     : kind == Kind::p256     ? EVP_EC_gen("P-256")
                                              : EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    pkey_.reset(made, EVP_PKEY_free);
  }

  const std::string& id() const { return id_; }

  Json jwk() const {
    Json out{{"kid", id_}, {"use", "sig"}};
    if (kind_ == Kind::rsa || kind_ == Kind::weak_rsa) {
      out.update({{"kty", "RSA"}, {"n", number(OSSL_PKEY_PARAM_RSA_N)}, {"e", number(OSSL_PKEY_PARAM_RSA_E)}});
    } else if (kind_ == Kind::p256) {
      out.update({{"kty", "EC"}, {"crv", "P-256"}, {"x", number(OSSL_PKEY_PARAM_EC_PUB_X, 32)}, {"y", number(OSSL_PKEY_PARAM_EC_PUB_Y, 32)}});
    } else {
      std::string raw(32, '\0');
      std::size_t size = raw.size();
      EVP_PKEY_get_raw_public_key(pkey_.get(), reinterpret_cast<unsigned char*>(raw.data()), &size);
      out.update({{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", to_base64url(raw)}});
    }
    return out;
  }

  /// The public key as a file that anyone may have: what an HS256 attack takes for the secret.
  std::string public_pem() const {
    const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
    PEM_write_bio_PUBKEY(out.get(), pkey_.get());
    char* data = nullptr;
    const long size = BIO_get_mem_data(out.get(), &data);
    return {data, static_cast<std::size_t>(size)};
  }

  std::string signature(const std::string& algorithm, const std::string& bytes) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    EVP_PKEY_CTX* context = nullptr;
    EVP_DigestSignInit(digest.get(), &context, kind_ == Kind::ed25519 ? nullptr : EVP_sha256(), nullptr, pkey_.get());
    if (algorithm == "PS256") {
      EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING);
      EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST);
    }
    std::string out(1024, '\0');
    std::size_t size = out.size();
    EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(out.data()), &size, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    out.resize(size);
    return kind_ == Kind::p256 ? raw_of(out) : out;
  }

  std::string token(const Json& header, const std::string& claims) const {
    const std::string bytes = to_base64url(header.dump()) + "." + to_base64url(claims);
    return bytes + "." + to_base64url(signature(header.value("alg", ""), bytes));
  }
  std::string sign(const Json& claims, const std::string& algorithm = "RS256") const { return token(Json{{"alg", algorithm}, {"kid", id_}, {"typ", "JWT"}}, claims.dump()); }

 private:
  std::string number(const char* name, int width = 0) const {
    BIGNUM* value = nullptr;
    EVP_PKEY_get_bn_param(pkey_.get(), name, &value);
    std::string out(static_cast<std::size_t>(width ? width : BN_num_bytes(value)), '\0');
    BN_bn2binpad(value, reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size()));
    BN_free(value);
    return to_base64url(out);
  }
  static std::string raw_of(const std::string& der) {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> sig(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())), ECDSA_SIG_free);
    std::string out(64, '\0');
    BN_bn2binpad(ECDSA_SIG_get0_r(sig.get()), reinterpret_cast<unsigned char*>(out.data()), 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(sig.get()), reinterpret_cast<unsigned char*>(out.data()) + 32, 32);
    return out;
  }

  Kind kind_;
  std::string id_;
  std::shared_ptr<EVP_PKEY> pkey_;
};

inline Json key_set(const std::vector<Json>& keys) { return {{"keys", keys}}; }

}  // namespace heng::oidc
