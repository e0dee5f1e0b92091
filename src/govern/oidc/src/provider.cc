#include "provider.h"

#include <fmt/format.h>

#include <algorithm>

#include "base64url.h"
#include "heng/base/hash.h"
#include "heng/base/log.h"
#include "heng/base/text.h"
#include "heng/http_client/http_client.h"

namespace heng::oidc {
namespace {

constexpr std::size_t most_metadata_bytes = 256 * 1024, most_answer_bytes = 128 * 1024, most_url_bytes = 2048, most_access_token_bytes = 16 * 1024;
constexpr int connect_ms = 5'000, read_ms = 10'000;

Error unavailable(const std::string& why) { return Error(ErrorCode::unavailable, "the identity provider cannot be used now: " + why); }

/// "http://127.0.0.1:3000/x" → "127.0.0.1".
std::string_view host_of(std::string_view url) {
  url.remove_prefix(url.find("://") + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  if (url.starts_with("[")) return url.substr(1, url.find(']') - 1);
  return url.substr(0, url.find(':'));
}

bool is_local(std::string_view url) {
  if (!url.starts_with("http://")) return false;
  const auto host = host_of(url);
  return host == "127.0.0.1" || host == "::1" || host == "localhost";
}

bool holds(const Json& list, std::string_view wanted) {
  return list.is_array() && std::any_of(list.begin(), list.end(), [&](const Json& one) { return one.is_string() && one.get_ref<const std::string&>() == wanted; });
}

/// Printable words of the standard only; the rest of the world's text stays out of messages.
std::string oauth_error(std::string_view body) {
  const auto json = parse_object(body, most_answer_bytes);
  const auto error = json ? text_of(*json, "error").value_or("") : "";
  const bool plain = !error.empty() && error.size() <= 40 && std::all_of(error.begin(), error.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
  return plain ? error : "no reason given";
}

}  // namespace

bool is_safe_url(std::string_view url, std::string_view issuer) {
  if (url.size() > most_url_bytes || std::any_of(url.begin(), url.end(), [](char c) { return static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) >= 0x7f; })) return false;
  if (url.find('#') != std::string_view::npos) return false;
  if (url.starts_with("https://")) return !host_of(url).empty() && host_of(url).find('@') == std::string_view::npos;
  return is_local(url) && is_local(issuer);
}

Result<Metadata> read_metadata(std::string_view body, const std::string& issuer) {
  const auto json = parse_object(body, most_metadata_bytes);
  if (!json) return unavailable("its description is no JSON object of at most 256 KiB");
  // word for word, or one provider could speak for another
  if (text_of(*json, "issuer") != issuer) return unavailable("its description names another issuer than heng.toml");
  Metadata out;
  const auto read = [&](const char* name, std::string& into, bool needed) -> Result<void> {
    const auto url = text_of(*json, name);
    if (!url && needed) return unavailable(fmt::format("its description has no \"{}\"", name));
    if (url && !is_safe_url(*url, issuer)) return unavailable(fmt::format("\"{}\" of its description is no https address", name));
    into = url.value_or("");
    return {};
  };
  HENG_TRY(read("authorization_endpoint", out.authorization_endpoint, true));
  HENG_TRY(read("token_endpoint", out.token_endpoint, true));
  HENG_TRY(read("jwks_uri", out.jwks_uri, true));
  HENG_TRY(read("userinfo_endpoint", out.userinfo_endpoint, false));
  HENG_TRY(read("end_session_endpoint", out.end_session_endpoint, false));
  const auto challenges = json->find("code_challenge_methods_supported");
  if (challenges != json->end() && !holds(*challenges, "S256")) return unavailable("it does not do PKCE with S256");
  const auto methods = json->find("token_endpoint_auth_methods_supported");
  out.secret_in_body = methods != json->end() && !holds(*methods, "client_secret_basic") && holds(*methods, "client_secret_post");
  const auto names = json->find("authorization_response_iss_parameter_supported");
  out.answers_name_issuer = names != json->end() && names->is_boolean() && names->get<bool>();
  return out;
}

Result<std::string> Provider::get(const std::string& url, const char* what, const std::string& authorization) {
  auto reply = fetch_({.url = url, .authorization = authorization, .most_bytes = most_metadata_bytes});
  if (!reply.ok()) return unavailable(fmt::format("{} ({})", reply.error().message, what));
  if (reply->status != 200) return unavailable(fmt::format("it answers {} ({})", reply->status, what));
  return std::move(reply->body);
}

Result<std::shared_ptr<const Metadata>> Provider::metadata() {
  const std::lock_guard lock(mutex_);
  const std::int64_t now = clock_.unix_ms();
  if (metadata_ && now - metadata_ms_ < fresh_ms) return metadata_;
  if (metadata_failure_ && now - metadata_failed_ms_ < failed_ms) return *metadata_failure_;
  const auto read = [&]() -> Result<Metadata> {
    const std::string_view base = std::string_view(settings_.issuer).substr(0, settings_.issuer.size() - (settings_.issuer.ends_with('/') ? 1 : 0));
    return read_metadata(HENG_TRY(get(std::string(base) + "/.well-known/openid-configuration", "its description")), settings_.issuer);
  };
  auto found = read();
  if (!found.ok()) {
    metadata_failure_ = found.error();
    metadata_failed_ms_ = now;
    log::warn("oidc_provider", {{"outcome", found.error().message}});
    return found.error();
  }
  metadata_failure_.reset();
  metadata_ = std::make_shared<const Metadata>(std::move(*found));
  metadata_ms_ = now;
  return metadata_;
}

/// The keys held; fetched where they are old, or where this id is not among them and nobody asked for a minute.
Result<std::shared_ptr<const KeySet>> Provider::keys(const std::string& id) {
  const auto described = HENG_TRY(metadata());
  const std::lock_guard lock(mutex_);
  const std::int64_t now = clock_.unix_ms();
  const bool fresh = keys_ && now - keys_ms_ < fresh_ms;
  const bool known = fresh && (id.empty() || keys_->knows(id));
  if (known) return keys_;
  if (keys_asked_ms_ != 0 && now - keys_asked_ms_ < (fresh ? refetch_ms : failed_ms)) {
    if (fresh) return keys_;
    return unavailable("its keys could not be read a moment ago");
  }
  keys_asked_ms_ = now;
  const auto read = [&]() -> Result<KeySet> { return KeySet::parse(HENG_TRY(get(described->jwks_uri, "its keys"))); };
  auto found = read();
  if (!found.ok()) {
    log::warn("oidc_keys", {{"outcome", found.error().message}});
    if (fresh) return keys_;
    return found.error().code == ErrorCode::unavailable ? found.error() : unavailable(found.error().message);
  }
  keys_ = std::make_shared<const KeySet>(std::move(*found));
  keys_ms_ = now;
  return keys_;
}

Result<bool> Provider::verify(const std::string& id, Algorithm algorithm, std::string_view signed_bytes, std::string_view signature) {
  const auto set = HENG_TRY(keys(id));
  const auto candidates = set->find(id, algorithm);
  if (candidates.empty())
    return Error(ErrorCode::unauthenticated, id.empty() ? "the identity provider's token is refused: it does not say which key it is signed with (kid)"
                                                        : "the identity provider's token is refused: its key is unknown, or not for this kind of signature (kid)");
  return std::any_of(candidates.begin(), candidates.end(), [&](const Key* key) { return key->verifies(algorithm, signed_bytes, signature); });
}

Result<Tokens> Provider::exchange(const std::string& code, const std::string& verifier) {
  const auto described = HENG_TRY(metadata());
  Fetch ask{.method = "POST", .url = described->token_endpoint, .content_type = "application/x-www-form-urlencoded", .most_bytes = most_answer_bytes};
  ask.body = fmt::format("grant_type=authorization_code&code={}&redirect_uri={}&code_verifier={}", percent_encode(code), percent_encode(settings_.redirect), percent_encode(verifier));
  const std::string id = percent_encode(settings_.client_id), secret = percent_encode(settings_.client_secret);
  if (settings_.client_secret.empty()) ask.body += "&client_id=" + id;
  else if (described->secret_in_body) ask.body += "&client_id=" + id + "&client_secret=" + secret;
  else ask.authorization = "Basic " + to_base64(id + ":" + secret);  // RFC 6749 section 2.3.1
  auto reply = fetch_(ask);
  const bool oversized = reply.ok() ? reply->body.size() > most_answer_bytes : reply.error().code == ErrorCode::too_large;
  if (oversized) return Error(ErrorCode::unauthenticated, "the identity provider's token is refused: the answer it came in is larger than 128 KiB");
  if (!reply.ok()) return unavailable(reply.error().message + " (tokens)");
  if (reply->status >= 500) return unavailable(fmt::format("it answers {} (tokens)", reply->status));
  if (reply->status != 200) return Error(ErrorCode::unauthenticated, fmt::format("the identity provider refuses the sign-in: {}", oauth_error(reply->body)));
  const auto json = parse_object(reply->body, most_answer_bytes);
  Tokens out;
  if (json) out.id_token = text_of(*json, "id_token").value_or("");
  if (json) out.access_token = text_of(*json, "access_token").value_or("");
  if (out.id_token.empty()) return Error(ErrorCode::unauthenticated, "the identity provider's token is refused: there is none in its answer");
  if (out.access_token.size() > most_access_token_bytes) return Error(ErrorCode::unauthenticated, "the identity provider's token is refused: the access token beside it is larger than 16 KiB");
  return out;
}

Result<Json> Provider::userinfo(const std::string& access_token, const std::string& subject) {
  const auto described = HENG_TRY(metadata());
  if (described->userinfo_endpoint.empty() || access_token.empty()) return unavailable("it has no userinfo, which heng.toml asks for");
  const auto plain = std::all_of(access_token.begin(), access_token.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (!plain) return Error(ErrorCode::unauthenticated, "the identity provider's access token holds characters that no header takes");
  auto json = parse_object(HENG_TRY(get(described->userinfo_endpoint, "userinfo", "Bearer " + access_token)), most_metadata_bytes);
  if (!json) return unavailable("its userinfo is no JSON object in which each name stands once");
  // section 5.3.2: it must be of the same person
  if (text_of(*json, "sub") != subject) return Error(ErrorCode::unauthenticated, "the identity provider's userinfo is of another person (sub)");
  return std::move(*json);
}

Fetcher http_fetcher(std::string ca_file) {
  return [ca_file = std::move(ca_file)](const Fetch& wanted) -> Result<Fetched> {
    const auto path = wanted.url.find_first_of("/?", wanted.url.find("://") + 3);
    auto target = HENG_TRY(http_client::parse_url(wanted.url.substr(0, path)));
    auto client = HENG_TRY(http_client::HttpClient::create(std::move(target), ca_file));
    http_client::HttpCall call;
    call.method = wanted.method;
    call.path = path == std::string::npos ? "/" : wanted.url[path] == '?' ? "/" + wanted.url.substr(path) : wanted.url.substr(path);
    call.body = wanted.body;
    call.content_type = wanted.content_type;
    call.authorization = wanted.authorization;
    call.connect_timeout_ms = connect_ms;
    call.read_timeout_ms = read_ms;
    call.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(connect_ms + read_ms);
    call.response_limit_bytes = wanted.most_bytes;
    auto reply = HENG_TRY(client->send(call));
    return Fetched{reply.status, std::move(reply.body)};
  };
}

}  // namespace heng::oidc
