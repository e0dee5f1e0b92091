#include "heng/oidc/sign_in.h"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <atomic>

#include "attempts.h"
#include "base64url.h"
#include "claims_map.h"
#include "heng/base/hash.h"
#include "heng/base/text.h"
#include "id_token.h"
#include "provider.h"

namespace heng::oidc {
namespace {

constexpr std::size_t secret_bytes = 32, most_pending = 20'000, most_code_bytes = 2048;
constexpr int most_at_once = 8, most_skew_s = 300;

Error wrong(const char* setting, const std::string& why) { return Error(ErrorCode::invalid_argument, fmt::format("oidc.{} {}", setting, why), setting); }
Error refused(const std::string& why) { return Error(ErrorCode::unauthenticated, "the sign-in is refused: " + why); }

bool same(std::string_view a, std::string_view b) { return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0; }

/// Where a browser ends a session and comes back to: the origin of the redirect.
std::string origin_of(const std::string& url) { return url.substr(0, url.find('/', url.find("://") + 3)) + "/"; }

Result<std::vector<Algorithm>> check(const Settings& s) {
  if (!is_safe_url(s.issuer, s.issuer) || s.issuer.find('?') != std::string::npos) return wrong("issuer", "must be an https address without a query (http on this machine only)");
  if (s.client_id.empty() || s.client_id.size() > 256) return wrong("client_id", "must have 1 to 256 characters");
  if (!is_safe_url(s.redirect, s.redirect) || s.redirect != origin_of(s.redirect) + "sign-in")
    return wrong("redirect", "must be the console's address and \"/sign-in\", with https (http on this machine only)");
  if (s.name.empty() || s.name.size() > 100 || !text::is_valid_utf8(s.name)) return wrong("name", "must be text of 1 to 100 bytes");
  if (s.skew_s < 0 || s.skew_s > most_skew_s) return wrong("skew_s", "must be 0 to 300");
  if (std::find(s.scopes.begin(), s.scopes.end(), "openid") == s.scopes.end()) return wrong("scopes", "must hold \"openid\"");
  std::vector<Algorithm> out;
  for (const auto& name : s.algorithms) {
    const auto algorithm = parse_algorithm(name);
    if (!algorithm.ok()) return wrong("algorithms", fmt::format("has \"{}\"; {}", name.substr(0, 40), algorithm.error().message));
    out.push_back(*algorithm);
  }
  if (out.empty()) return wrong("algorithms", "is empty, so that no token would hold");
  HENG_TRY(check_map(s.map));
  return out;
}

/// One of few places for calls that wait for the provider, so that a slow one does not take the server's threads.
class Place {
 public:
  explicit Place(std::atomic<int>& taken) : taken_(taken), held_(taken.fetch_add(1) < most_at_once) {}
  ~Place() { taken_.fetch_sub(1); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  bool held() const { return held_; }

 private:
  std::atomic<int>& taken_;
  bool held_;
};

Error crowded() {
  Error error(ErrorCode::overloaded, "too many people sign in at this moment; try again in a second");
  error.retry_after_ms = 1000;
  return error;
}

}  // namespace

struct OidcSignIn::Impl {
  Impl(Settings s, std::vector<Algorithm> a, Users& u, Fetcher fetch, const Clock& c, Random& r)
      : settings(std::move(s)), algorithms(std::move(a)), users(u), clock(c), random(r), provider(settings, std::move(fetch), c) {}

  const Settings settings;
  const std::vector<Algorithm> algorithms;
  Users& users;
  const Clock& clock;
  Random& random;
  Provider provider;
  PendingStarts pending{most_pending};
  Failures failures;
  std::atomic<int> asking{0};

  std::string secret() {
    std::string bytes(secret_bytes, '\0');
    random.fill(bytes.data(), bytes.size());
    return to_base64url(bytes);
  }

  Result<Session> finish(const SignInReturn& back) {
    const auto began = back.state.size() <= 64 ? pending.take(back.state, clock.unix_ms()) : std::nullopt;
    if (!began) return refused("it was never begun, was finished already, or took longer than ten minutes; begin again");
    if (!same(began->browser, back.browser)) return refused("it was begun in another browser");
    const auto described = HENG_TRY(provider.metadata());
    // RFC 9207: an answer of another provider must not be finished at this one
    if (back.issuer.empty() ? described->answers_name_issuer : back.issuer != settings.issuer) return refused("the answer is another provider's (iss)");
    if (!back.error.empty()) return refused(back.error == "access_denied" ? "the identity provider says access_denied" : "the identity provider gives an error instead of a code");
    if (back.code.empty() || back.code.size() > most_code_bytes) return refused("the answer has no code of at most 2,048 bytes");
    const auto tokens = HENG_TRY(provider.exchange(back.code, began->verifier));
    const Expected expected{.issuer = settings.issuer, .client_id = settings.client_id, .nonce = began->nonce, .access_token = tokens.access_token, .algorithms = algorithms,
                            .now_ms = clock.unix_ms(), .skew_s = settings.skew_s};
    auto claims = HENG_TRY(read_id_token(tokens.id_token, expected, [&](const std::string& id, Algorithm algorithm, std::string_view bytes, std::string_view signature) {
      return provider.verify(id, algorithm, bytes, signature);
    }));
    if (settings.userinfo) {
      // what the token says holds; the rest is added
      Json more = HENG_TRY(provider.userinfo(tokens.access_token, claims["sub"].get<std::string>()));
      more.update(claims);
      claims = std::move(more);
    }
    return users.login_external(HENG_TRY(map_claims(claims, settings)));
  }
};

OidcSignIn::OidcSignIn(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
OidcSignIn::~OidcSignIn() = default;

Result<std::unique_ptr<OidcSignIn>> OidcSignIn::create(Settings settings, Users& users, Fetcher fetch, const Clock& clock, Random& random) {
  auto algorithms = HENG_TRY(check(settings));
  return std::unique_ptr<OidcSignIn>(new OidcSignIn(std::make_unique<Impl>(std::move(settings), std::move(algorithms), users, std::move(fetch), clock, random)));
}

std::string OidcSignIn::name() const { return impl_->settings.name; }

Result<SignInStart> OidcSignIn::begin(const std::string& peer) {
  auto& p = *impl_;
  HENG_TRY(p.failures.check(peer, p.clock.unix_ms()));
  const Place place(p.asking);
  if (!place.held()) return crowded();
  const auto described = HENG_TRY(p.provider.metadata());
  const std::string state = p.secret();
  Pending made{.nonce = p.secret(), .verifier = p.secret(), .browser = p.secret(), .made_ms = p.clock.unix_ms()};
  const Sha256 digest = sha256(made.verifier);
  const std::string challenge = to_base64url({reinterpret_cast<const char*>(digest.data()), digest.size()});
  SignInStart out;
  out.browser = made.browser;
  out.url = fmt::format("{}{}response_type=code&client_id={}&redirect_uri={}&scope={}&state={}&nonce={}&code_challenge={}&code_challenge_method=S256", described->authorization_endpoint,
                        described->authorization_endpoint.find('?') == std::string::npos ? '?' : '&', percent_encode(p.settings.client_id), percent_encode(p.settings.redirect),
                        percent_encode(text::join(p.settings.scopes, " ")), state, made.nonce, challenge);
  p.pending.put(state, std::move(made));
  return out;
}

Result<Session> OidcSignIn::finish(const SignInReturn& back) {
  auto& p = *impl_;
  HENG_TRY(p.failures.check(back.peer, p.clock.unix_ms()));
  const Place place(p.asking);
  if (!place.held()) return crowded();
  auto session = p.finish(back);
  // a provider that is down is nobody's failure
  if (!session.ok() && session.error().code != ErrorCode::unavailable) p.failures.add(back.peer, p.clock.unix_ms());
  return session;
}

Result<std::string> OidcSignIn::logout_url() {
  auto& p = *impl_;
  if (!p.settings.logout_at_provider) return std::string();
  const Place place(p.asking);
  if (!place.held()) return crowded();
  const auto described = HENG_TRY(p.provider.metadata());
  const std::string& end = described->end_session_endpoint;
  if (end.empty()) return std::string();
  return fmt::format("{}{}client_id={}&post_logout_redirect_uri={}", end, end.find('?') == std::string::npos ? '?' : '&', percent_encode(p.settings.client_id), percent_encode(origin_of(p.settings.redirect)));
}

}  // namespace heng::oidc
