#include "claims_map.h"

#include <fmt/format.h>

#include <algorithm>

#include "heng/base/hash.h"
#include "heng/base/text.h"

namespace heng::oidc {
namespace {

constexpr std::size_t most_entries = 1000, most_entry_bytes = 256, most_name_bytes = 200;

Error refused(std::string message) { return Error(ErrorCode::permission_denied, std::move(message)); }

bool is_word(std::string_view s) {
  return !s.empty() && s.size() <= 64 && std::all_of(s.begin(), s.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '@';
  });
}

/// The claim of this name, else the way through objects that dots write: "realm_access.roles".
const Json* claim_of(const Json& claims, std::string_view name) {
  if (const auto at = claims.find(std::string(name)); at != claims.end()) return &*at;
  const Json* here = &claims;
  for (const auto step : text::split(name, '.')) {
    if (!here->is_object()) return nullptr;
    const auto at = here->find(std::string(step));
    if (at == here->end()) return nullptr;
    here = &*at;
  }
  return here;
}

Result<bool> applies(const MapRule& rule, const Json& claims) {
  const Json* claim = claim_of(claims, rule.claim);
  if (claim == nullptr) return false;
  if (claim->is_string()) return claim->get_ref<const std::string&>() == rule.value;
  if (!claim->is_array()) return false;
  if (claim->size() > most_entries) return refused(fmt::format("the claim \"{}\" has more than {} entries", rule.claim, most_entries));
  bool found = false;
  for (const auto& entry : *claim) {
    if (!entry.is_string()) continue;
    const auto& text = entry.get_ref<const std::string&>();
    if (text.size() > most_entry_bytes) return refused(fmt::format("the claim \"{}\" has an entry of more than {} bytes", rule.claim, most_entry_bytes));
    found = found || text == rule.value;
  }
  return found;
}

/// Two rows may say the same, never two things.
Result<void> agree(std::string& held, const std::string& said, const char* what) {
  if (said.empty()) return {};
  if (!held.empty() && held != said) return refused(fmt::format("the identity provider's claims give two {}s; an administrator must mend the map", what));
  held = said;
  return {};
}

/// The name of the account. A subject that is no word of ours gets one made of it, the same each time.
Result<UserId> user_of(const Json& claims, const Settings& settings) {
  const Json* claim = claim_of(claims, settings.user_claim);
  if (claim == nullptr || !claim->is_string()) return refused(fmt::format("the identity provider does not say \"{}\", which the account is called by", settings.user_claim));
  const auto& text = claim->get_ref<const std::string&>();
  if (is_word(text)) return UserId(text);
  if (settings.user_claim == "sub") return UserId("oidc-" + sha256_hex(settings.issuer + "\n" + text).substr(0, 32));
  return refused(fmt::format("the claim \"{}\" is no name for an account: 1 to 64 letters, digits, _ - . @", settings.user_claim));
}

}  // namespace

Result<void> check_map(const std::vector<MapRule>& map) {
  if (map.empty()) return Error(ErrorCode::invalid_argument, "nobody could sign in: the map has no row", "map");
  for (std::size_t i = 0; i < map.size(); ++i) {
    const auto& rule = map[i];
    const auto wrong = [&](const std::string& why) { return Error(ErrorCode::invalid_argument, fmt::format("row {} of the map {}", i + 1, why), "map"); };
    if (rule.claim.empty() || rule.value.empty()) return wrong("needs claim and value");
    if (rule.value.size() > most_entry_bytes) return wrong("has a value of more than 256 bytes, which no claim reaches");
    for (const auto& role : rule.roles)
      if (!is_word(role)) return wrong("has a role that is not 1 to 64 letters, digits, _ - . @");
    for (const auto* word : {&rule.tenant, &rule.desk})
      if (!word->empty() && !is_word(*word)) return wrong("has a tenant or desk that is not 1 to 64 letters, digits, _ - . @");
    if (rule.purpose.size() > most_name_bytes) return wrong("has a purpose of more than 200 bytes");
  }
  return {};
}

Result<ExternalLogin> map_claims(const Json& claims, const Settings& settings) {
  ExternalLogin out;
  out.issuer = settings.issuer;
  out.subject = text_of(claims, "sub").value_or("");
  std::string tenant;
  bool any = false;
  for (const auto& rule : settings.map) {
    if (!HENG_TRY(applies(rule, claims))) continue;
    any = true;
    for (const auto& role : rule.roles)
      if (std::find(out.roles.begin(), out.roles.end(), role) == out.roles.end()) out.roles.push_back(role);
    HENG_TRY(agree(tenant, rule.tenant, "tenant"));
    HENG_TRY(agree(out.desk, rule.desk, "desk"));
    HENG_TRY(agree(out.purpose, rule.purpose, "purpose"));
    if (rule.clearance) out.clearance = std::max(out.clearance, *rule.clearance);
  }
  if (!any) return refused("the identity provider knows you, but nobody has given you anything to do here; ask an administrator");
  out.tenant = TenantId(tenant.empty() ? settings.tenant : tenant);
  out.user = HENG_TRY(user_of(claims, settings));
  out.name = text_of(claims, "name").value_or("");
  if (out.name.size() > most_name_bytes) return refused("the claim \"name\" has more than 200 bytes");
  return out;
}

}  // namespace heng::oidc
