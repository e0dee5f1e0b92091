#include "id_token.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base64url.h"
#include "heng/base/text.h"

namespace heng::oidc {
namespace {

constexpr std::size_t most_header_bytes = 2 * 1024, most_id = 256;
constexpr double latest_time = 253'402'300'799.0;  // 9999-12-31: what is later is no time

Error refused(std::string_view why) { return Error(ErrorCode::unauthenticated, fmt::format("the identity provider's token is refused: {}", why)); }

bool same(std::string_view a, std::string_view b) { return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0; }

struct Header {
  Algorithm algorithm = Algorithm::rs256;
  std::string key;
};

Result<Header> read_header(std::string_view part, const Expected& expected) {
  const auto bytes = from_base64url(part);
  const auto json = bytes ? parse_object(*bytes, most_header_bytes) : std::nullopt;
  if (!json) return refused("its header is no JSON object of at most 2 KiB");
  Header out;
  const auto algorithm = parse_algorithm(text_of(*json, "alg").value_or(""));
  if (!algorithm.ok() || std::find(expected.algorithms.begin(), expected.algorithms.end(), *algorithm) == expected.algorithms.end())
    return refused("its signature is of a kind that is not taken here (alg)");
  out.algorithm = *algorithm;
  if (json->contains("typ") && !text::equals_ci(text_of(*json, "typ").value_or(""), "JWT")) return refused("it is another kind of token (typ)");
  if (json->contains("crit")) return refused("it asks for an extension (crit)");
  if (json->contains("kid")) {
    const auto id = text_of(*json, "kid");
    if (!id || id->empty() || id->size() > most_id) return refused("its key has no readable name (kid)");
    out.key = *id;
  }
  return out;
}

/// Seconds since 1970, as RFC 7519 writes them; nothing where it is no such number.
std::optional<double> time_of(const Json& claims, const char* name) {
  const auto at = claims.find(name);
  if (at == claims.end() || !at->is_number()) return std::nullopt;
  const double value = at->get<double>();
  if (!(value >= 0 && value <= latest_time)) return std::nullopt;
  return value;
}

Result<void> check_times(const Json& claims, const Expected& expected) {
  const double now = static_cast<double>(expected.now_ms) / 1000, skew = expected.skew_s;
  const auto expires = time_of(claims, "exp"), issued = time_of(claims, "iat");
  if (!expires || !issued) return refused("it does not say when it was made and until when it holds (iat, exp)");
  if (*expires + skew <= now) return refused("it has expired (exp)");
  if (*issued - skew > now) return refused("it is from the future (iat): compare the clocks");
  if (*issued + expected.most_age_s + skew < now) return refused("it was made too long ago (iat)");
  if (claims.contains("nbf")) {
    const auto begins = time_of(claims, "nbf");
    if (!begins || *begins - skew > now) return refused("it does not hold yet (nbf)");
  }
  return {};
}

Result<void> check_audience(const Json& claims, const Expected& expected) {
  const auto at = claims.find("aud");
  bool ours = false;
  std::size_t audiences = 0;
  if (at != claims.end() && at->is_string()) {
    audiences = 1;
    ours = at->get_ref<const std::string&>() == expected.client_id;
  } else if (at != claims.end() && at->is_array()) {
    audiences = at->size();
    for (const auto& one : *at) {
      if (!one.is_string()) return refused("its audience is no text (aud)");
      ours = ours || one.get_ref<const std::string&>() == expected.client_id;
    }
  }
  if (!ours) return refused("it was made for another application (aud)");
  const bool has_party = claims.contains("azp");
  if (audiences > 1 && !has_party) return refused("it was made for several applications and does not say which one asked (azp)");
  if (has_party && text_of(claims, "azp") != expected.client_id) return refused("another application asked for it (azp)");
  return {};
}

/// Left half of the hash that goes with the algorithm (section 3.1.3.6); for Ed25519 that of SHA-512.
std::string half_hash(std::string_view text, Algorithm algorithm) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, algorithm == Algorithm::eddsa ? EVP_sha512() : EVP_sha256(), nullptr);
  return to_base64url({reinterpret_cast<const char*>(digest.data()), size / 2});
}

Result<void> check_access_token(const Json& claims, const Expected& expected, Algorithm algorithm) {
  if (!claims.contains("at_hash")) return {};
  if (!same(text_of(claims, "at_hash").value_or(""), half_hash(expected.access_token, algorithm))) return refused("it does not belong to the access token beside it (at_hash)");
  return {};
}

}  // namespace

Result<Json> read_id_token(std::string_view token, const Expected& expected, const Verifier& verifier) {
  if (token.size() > most_token_bytes) return refused(fmt::format("it has {} bytes, the limit is {}", token.size(), most_token_bytes));
  const auto parts = text::split(token, '.');
  if (parts.size() != 3) return refused("it has not the three parts of a signed token");
  const auto header = HENG_TRY(read_header(parts[0], expected));
  const auto signature = from_base64url(parts[2]);
  if (!signature || signature->empty()) return refused("it has no readable signature");
  // nothing of the claims is looked at before the signature holds
  if (!HENG_TRY(verifier(header.key, header.algorithm, token.substr(0, parts[0].size() + 1 + parts[1].size()), *signature))) return refused("its signature does not hold");
  const auto bytes = from_base64url(parts[1]);
  auto claims = bytes ? parse_object(*bytes, most_token_bytes) : std::nullopt;
  if (!claims) return refused("its claims are no JSON object in which each name stands once");
  if (text_of(*claims, "iss") != expected.issuer) return refused("another provider made it (iss)");
  HENG_TRY(check_audience(*claims, expected));
  HENG_TRY(check_times(*claims, expected));
  if (expected.nonce.empty() || !same(text_of(*claims, "nonce").value_or(""), expected.nonce)) return refused("it belongs to another sign-in (nonce)");
  HENG_TRY(check_access_token(*claims, expected, header.algorithm));
  const auto subject = text_of(*claims, "sub");
  if (!subject || subject->empty() || subject->size() > 255) return refused("it names nobody in 1 to 255 bytes (sub)");
  return std::move(*claims);
}

}  // namespace heng::oidc
