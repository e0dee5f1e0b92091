#include "key_set.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <optional>

#include "base64url.h"
#include "json_text.h"

namespace heng::oidc {
namespace {

constexpr std::size_t most_bytes = 256 * 1024, most_keys = 100, most_id = 256;
constexpr int least_rsa_bits = 2048, most_rsa_bits = 8192;
constexpr std::size_t most_exponent_bytes = 8, half_es256 = 32;

template <class T, void (*Free)(T*)>
struct Freer {
  void operator()(T* p) const { Free(p); }
};
using Pkey = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY, EVP_PKEY_free>>;
using PkeyContext = std::unique_ptr<EVP_PKEY_CTX, Freer<EVP_PKEY_CTX, EVP_PKEY_CTX_free>>;
using Digest = std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX, EVP_MD_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Freer<BIGNUM, BN_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Freer<OSSL_PARAM, OSSL_PARAM_free>>;
using ParamBuilder = std::unique_ptr<OSSL_PARAM_BLD, Freer<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>>;

const unsigned char* bytes_of(std::string_view s) { return reinterpret_cast<const unsigned char*>(s.data()); }

Number number(std::string_view bytes) { return Number(BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr)); }

Pkey from_params(const char* kind, const ParamBuilder& builder) {
  const Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  const PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr));
  EVP_PKEY* out = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) <= 0 || EVP_PKEY_fromdata(context.get(), &out, EVP_PKEY_PUBLIC_KEY, params.get()) <= 0) return nullptr;
  return Pkey(out);
}

Pkey rsa_key(const Json& key) {
  const auto n = from_base64url(text_of(key, "n").value_or("")), e = from_base64url(text_of(key, "e").value_or(""));
  if (!n || !e || n->empty() || e->empty() || n->size() > most_rsa_bits / 8 + 1 || e->size() > most_exponent_bytes) return nullptr;
  const Number modulus = number(*n), exponent = number(*e);
  if (!modulus || !exponent || BN_num_bits(modulus.get()) < least_rsa_bits || BN_num_bits(modulus.get()) > most_rsa_bits) return nullptr;
  if (!BN_is_odd(exponent.get()) || BN_is_one(exponent.get())) return nullptr;
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (!builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) <= 0 || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) <= 0) return nullptr;
  return from_params("RSA", builder);
}

Pkey ec_key(const Json& key) {
  if (text_of(key, "crv") != "P-256") return nullptr;
  const auto x = from_base64url(text_of(key, "x").value_or("")), y = from_base64url(text_of(key, "y").value_or(""));
  if (!x || !y || x->size() != 32 || y->size() != 32) return nullptr;
  const std::string point = "\x04" + *x + *y;
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (!builder || OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) <= 0 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) <= 0)
    return nullptr;
  Pkey out = from_params("EC", builder);
  const PkeyContext context(out ? EVP_PKEY_CTX_new_from_pkey(nullptr, out.get(), nullptr) : nullptr);
  // a point that is not on the curve is no key
  return context && EVP_PKEY_public_check(context.get()) == 1 ? std::move(out) : nullptr;
}

Pkey ed_key(const Json& key) {
  if (text_of(key, "crv") != "Ed25519") return nullptr;
  const auto x = from_base64url(text_of(key, "x").value_or(""));
  if (!x || x->size() != 32) return nullptr;
  return Pkey(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(*x), x->size()));
}

bool is_for_signatures(const Json& key) {
  if (key.contains("use") && text_of(key, "use") != "sig") return false;
  if (key.contains("d")) return false;  // a private key that is public is nobody's any more
  const auto operations = key.find("key_ops");
  return operations == key.end() || (operations->is_array() && std::find(operations->begin(), operations->end(), Json("verify")) != operations->end());
}

std::optional<Key> read_key(const Json& json) {
  if (!json.is_object() || !is_for_signatures(json)) return std::nullopt;
  const auto id = text_of(json, "kid").value_or("");
  const auto kind = text_of(json, "kty").value_or("");
  if (id.size() > most_id) return std::nullopt;
  std::vector<Algorithm> fits;
  Pkey pkey;
  if (kind == "RSA") {
    pkey = rsa_key(json);
    fits = {Algorithm::rs256, Algorithm::ps256};
  } else if (kind == "EC") {
    pkey = ec_key(json);
    fits = {Algorithm::es256};
  } else if (kind == "OKP") {
    pkey = ed_key(json);
    fits = {Algorithm::eddsa};
  }
  if (!pkey) return std::nullopt;
  if (json.contains("alg")) {
    // a key that says what it is for is for nothing else
    const auto only = parse_algorithm(text_of(json, "alg").value_or(""));
    if (!only.ok() || std::find(fits.begin(), fits.end(), *only) == fits.end()) return std::nullopt;
    fits = {*only};
  }
  return Key(id, std::shared_ptr<void>(pkey.release(), [](void* p) { EVP_PKEY_free(static_cast<EVP_PKEY*>(p)); }), std::move(fits));
}

/// JWS has r ‖ s (RFC 7518 section 3.4), OpenSSL wants DER.
std::optional<std::string> der_of(std::string_view raw) {
  if (raw.size() != 2 * half_es256) return std::nullopt;
  const std::unique_ptr<ECDSA_SIG, Freer<ECDSA_SIG, ECDSA_SIG_free>> made(ECDSA_SIG_new());
  Number r = number(raw.substr(0, half_es256)), s = number(raw.substr(half_es256));
  if (!made || !r || !s || ECDSA_SIG_set0(made.get(), r.get(), s.get()) != 1) return std::nullopt;
  (void)r.release();
  (void)s.release();
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(made.get(), &der);
  if (size <= 0) return std::nullopt;
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

}  // namespace

Result<Algorithm> parse_algorithm(std::string_view name) {
  if (name == "RS256") return Algorithm::rs256;
  if (name == "PS256") return Algorithm::ps256;
  if (name == "ES256") return Algorithm::es256;
  if (name == "EdDSA") return Algorithm::eddsa;
  return Error(ErrorCode::invalid_argument, "signatures may be RS256, PS256, ES256 and EdDSA", "algorithms");
}

bool Key::fits(Algorithm algorithm) const { return std::find(algorithms_.begin(), algorithms_.end(), algorithm) != algorithms_.end(); }

bool Key::verifies(Algorithm algorithm, std::string_view signed_bytes, std::string_view signature) const {
  if (!fits(algorithm)) return false;
  std::string bytes(signature);
  if (algorithm == Algorithm::es256) {
    const auto der = der_of(signature);
    if (!der) return false;
    bytes = *der;
  }
  const Digest digest(EVP_MD_CTX_new());
  EVP_PKEY_CTX* context = nullptr;  // belongs to the digest
  const EVP_MD* hash = algorithm == Algorithm::eddsa ? nullptr : EVP_sha256();
  if (!digest || EVP_DigestVerifyInit(digest.get(), &context, hash, nullptr, static_cast<EVP_PKEY*>(pkey_.get())) != 1) return false;
  if (algorithm == Algorithm::rs256 && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) <= 0) return false;
  if (algorithm == Algorithm::ps256 && (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) <= 0 || EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) <= 0)) return false;
  return EVP_DigestVerify(digest.get(), bytes_of(bytes), bytes.size(), bytes_of(signed_bytes), signed_bytes.size()) == 1;
}

Result<KeySet> KeySet::parse(std::string_view json) {
  const auto bad = [](const char* why) { return Error(ErrorCode::malformed_input, fmt::format("the identity provider's keys {}", why)); };
  const auto parsed = parse_object(json, most_bytes);
  if (!parsed) return bad("are no JSON object of at most 256 KiB");
  const auto list = parsed->find("keys");
  if (list == parsed->end() || !list->is_array()) return bad("have no list \"keys\"");
  if (list->size() > most_keys) return bad("are more than 100");
  KeySet out;
  for (const auto& one : *list)
    if (auto key = read_key(one)) out.keys_.push_back(std::move(*key));
  if (out.keys_.empty()) return bad("hold none that can verify a signature (RSA of 2048 bits, P-256, Ed25519)");
  return out;
}

bool KeySet::knows(std::string_view id) const {
  return std::any_of(keys_.begin(), keys_.end(), [&](const Key& key) { return key.id() == id; });
}

std::vector<const Key*> KeySet::find(std::string_view id, Algorithm algorithm) const {
  std::vector<const Key*> out;
  for (const auto& key : keys_)
    if (key.fits(algorithm) && (id.empty() || key.id() == id)) out.push_back(&key);
  if (id.empty() && out.size() > 1) out.clear();
  return out;
}

}  // namespace heng::oidc
