// A request, a second person, one reading.
#include <fmt/format.h>

#include <algorithm>

#include "heng/base/hash.h"
#include "heng/base/text.h"
#include "heng/vault/sealed_vault.h"
#include "rows.h"

namespace heng::vault {
namespace {

constexpr std::size_t most_reason_bytes = 4000;
constexpr int most_listed = 500;

bool sees_all(const Principal& who) { return who.has_role("privacy") || who.has_role("supervisor") || who.has_role("auditor") || who.is_admin(); }

/// Whose row a person means: of the subject the request names, else the tenant's own, else the one met last.
std::optional<SealedRow> choose(std::vector<SealedRow> rows, const std::string& wanted_tag) {
  if (rows.empty()) return std::nullopt;
  for (const auto& tag : {wanted_tag, std::string()})
    for (auto& row : rows)
      if (row.subject_tag == tag) return std::move(row);
  return std::move(rows[0]);
}

}  // namespace

Result<void> SealedVault::note(const Principal& who, const char* action, const UnmaskRequest& request, const std::string& subject, const std::string& outcome) {
  const std::int64_t now = clock_.unix_ms();
  AuditClose close;
  close.time_ms = now;
  close.outcome = outcome;
  close.output = request.token;
  close.verdicts.push_back({"vault", "1", action, "sha256 " + request.sha256});
  HENG_TRY(audit_.note({.request = new_request_id(now, random_), .time_ms = now, .principal = who, .action = action, .subject = subject, .resource = "unmask:" + request.id.value}, close));
  return {};
}

void SealedVault::add_state(const Principal& who, UnmaskRequest& request) {
  const std::int64_t now = clock_.unix_ms();
  if (request.shown_ms != 0) {
    request.state = UnmaskState::shown;
    return;
  }
  const auto item = reviews_.get(who, ReviewId(request.review));
  const auto state = item.ok() ? item->state : ReviewState::waiting;
  const bool over = now >= request.expires_ms || (state == ReviewState::approved && now >= item->valid_until_ms);
  request.state = state == ReviewState::rejected ? UnmaskState::rejected
                  : over || state == ReviewState::expired ? UnmaskState::expired
                  : state == ReviewState::approved ? UnmaskState::approved
                                                   : UnmaskState::waiting;
}

Result<UnmaskRequest> SealedVault::request(const Principal& who, const std::string& token, const std::string& reason) {
  if (text::trim(reason).empty() || reason.size() > most_reason_bytes || !text::is_valid_utf8(reason))
    return Error(ErrorCode::invalid_argument, fmt::format("say why, in at most {} bytes; it is recorded and shown to the second person", most_reason_bytes), "reason");
  std::string tag;
  if (!who.data_subject.empty()) tag = HENG_TRY(keyring_.subject_tag(who.tenant, who.data_subject));
  std::optional<SealedRow> row;
  {
    auto reader = HENG_TRY(pool_.reader());
    if (!token.empty()) row = choose(HENG_TRY(select_rows(*reader, who.tenant, token, "", most_listed)), tag);
  }
  if (!row) return Error(ErrorCode::not_found, "the vault has no value behind this token", "token");
  StoredRequest stored;
  UnmaskRequest& made = stored.request;
  made.id = UnmaskId("U" + random_hex(random_, 12));
  made.token = row->token;
  made.type = row->type;
  made.requester = who.user;
  made.reason = reason;
  made.created_ms = clock_.unix_ms();
  made.expires_ms = made.created_ms + std::chrono::milliseconds(settings_.valid).count();
  made.text = text_of(made);
  made.sha256 = sha256_hex(made.text);
  stored.subject_tag = row->subject_tag;
  HENG_TRY(note(who, "vault.request", made, reason, "ok"));
  ReviewDraft draft;
  draft.kind = "unmask";
  draft.resource = "vault";
  draft.question = made.token;
  draft.proposed = made.text;
  draft.rule = "vault.unmask";
  draft.reason = reason;
  made.review = HENG_TRY(reviews_.submit(who, draft)).id.value;
  auto writer = HENG_TRY(pool_.writer());
  HENG_TRY(insert_request(*writer, who.tenant, stored));
  return made;
}

Result<std::vector<UnmaskRequest>> SealedVault::requests(const Principal& who, int limit) {
  std::vector<StoredRequest> found;
  {
    auto reader = HENG_TRY(pool_.reader());
    found = HENG_TRY(select_requests(*reader, who.tenant, sees_all(who) ? UserId() : who.user, std::clamp(limit, 1, most_listed)));
  }
  std::vector<UnmaskRequest> out;
  for (auto& stored : found) {
    add_state(who, stored.request);
    out.push_back(std::move(stored.request));
  }
  return out;
}

Result<UnmaskRequest> SealedVault::decide(const Principal& who, const UnmaskId& id, bool approve, const std::string& sha256, const std::string& reason) {
  StoredRequest stored;
  {
    auto reader = HENG_TRY(pool_.reader());
    stored = HENG_TRY(find_request(*reader, who.tenant, id));
  }
  UnmaskRequest& request = stored.request;
  if (approve && clock_.unix_ms() >= request.expires_ms)
    return Error(ErrorCode::policy_denied, fmt::format("the request expired on {}; ask again", iso8601(request.expires_ms)));
  // the queue holds what was asked for; a stored request that says something else now is not the one to approve
  if (sha256 != request.sha256)
    return Error(ErrorCode::conflict, fmt::format("this is not the request as it stands: its SHA-256 is {}; read it again, then decide with this hash", request.sha256), "sha256");
  const auto item = HENG_TRY(reviews_.decide(who, ReviewId(request.review), {approve ? ReviewDecision::approve : ReviewDecision::reject, sha256, "", reason}));
  HENG_TRY(note(who, approve ? "vault.approve" : "vault.reject", request, reason, std::string(to_string(item.state))));
  add_state(who, request);
  return request;
}

Result<std::string> SealedVault::unsealed(const TenantId& tenant, const UnmaskRequest& request, const std::string& subject_tag) {
  std::optional<SealedRow> row;
  {
    auto reader = HENG_TRY(pool_.reader());
    row = HENG_TRY(find_row(*reader, tenant, request.token, subject_tag));
  }
  if (!row) return Error(ErrorCode::not_found, "the value is not in the vault any more: it was erased or its term is over", "id");
  const auto key = HENG_TRY(keyring_.by_id(row->key));
  auto value = store::unseal(key, row->sealed, seal_context(tenant, row->token, row->subject_tag, row->type));
  if (!value.ok()) return Error(ErrorCode::corrupt, fmt::format("the vault's row of {} is damaged: it does not open under its key", row->token));
  return value;
}

Result<Unmasked> SealedVault::show(const Principal& who, const UnmaskId& id) {
  StoredRequest stored;
  {
    auto reader = HENG_TRY(pool_.reader());
    stored = HENG_TRY(find_request(*reader, who.tenant, id));
  }
  const UnmaskRequest& request = stored.request;
  const auto refuse = [&](Error error) -> Error {
    const auto noted = note(who, "vault.show", request, error.message, "refused");
    return noted.ok() ? error : noted.error();
  };
  if (request.requester != who.user) return refuse(Error(ErrorCode::not_found, fmt::format("there is no request \"{}\" of yours", id.value.substr(0, 64)), "id"));
  if (request.shown_ms != 0) return refuse(Error(ErrorCode::conflict, "the value was read already; a request serves once"));
  if (clock_.unix_ms() >= request.expires_ms) return refuse(Error(ErrorCode::policy_denied, fmt::format("the request expired on {}; ask again", iso8601(request.expires_ms))));
  // opened first, so that an approval is not used up for what is gone
  auto value = unsealed(who.tenant, request, stored.subject_tag);
  if (!value.ok()) return refuse(value.error());
  auto redeemed = reviews_.redeem(who, ReviewId(request.review), request.sha256);
  if (!redeemed.ok()) return refuse(redeemed.error());
  HENG_TRY(note(who, "vault.show", request, request.reason, "ok"));
  auto writer = HENG_TRY(pool_.writer());
  HENG_TRY(writer->run("UPDATE unmask_request SET shown_ms = ? WHERE tenant = ? AND id = ? AND shown_ms = 0", clock_.unix_ms(), who.tenant.value, id.value));
  if (writer->changes() != 1) return Error(ErrorCode::conflict, "the value was read already; a request serves once");
  return Unmasked{request.token, request.type, std::move(*value)};
}

}  // namespace heng::vault
