#include "queue_store.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace heng::review {
namespace {

using Json = nlohmann::json;

constexpr const char* columns =
    "id, tenant, author, data_subject, kind, resource, question, text, sha256, editor, language, rule, reason, evidence, approvals_needed, state, "
    "created_ms, due_ms, expires_ms, escalated_ms, decided_ms, valid_until_ms, redeemed_ms, audit_index, planted, expected";

std::vector<ReviewEvidence> parse_evidence(std::string_view text) {
  std::vector<ReviewEvidence> out;
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_array()) return out;
  for (const auto& e : json)
    out.push_back({e.value("document", ""), e.value("page", 0), e.value("sha256", ""), e.value("text", "")});
  return out;
}

StoredReview read_row(const store::Statement& row) {
  StoredReview out;
  ReviewItem& item = out.item;
  item.id = ReviewId(row.string(0));
  out.tenant = TenantId(row.string(1));
  item.author = UserId(row.string(2));
  out.data_subject = row.string(3);
  item.kind = row.string(4);
  item.resource = row.string(5);
  item.question = row.string(6);
  item.text = row.string(7);
  item.sha256 = row.string(8);
  out.editor = UserId(row.string(9));
  item.language = row.string(10);
  item.rule = row.string(11);
  item.reason = row.string(12);
  item.evidence = parse_evidence(row.text(13));
  item.approvals_needed = static_cast<int>(row.integer(14));
  item.state = static_cast<ReviewState>(row.integer(15));
  item.created_ms = row.integer(16);
  item.due_ms = row.integer(17);
  item.expires_ms = row.integer(18);
  item.escalated = row.integer(19) != 0;
  item.decided_ms = row.integer(20);
  item.valid_until_ms = row.integer(21);
  item.redeemed = row.integer(22) != 0;
  item.audit_index = row.integer(23);
  out.planted = row.integer(24) != 0;
  out.expected = static_cast<ReviewDecision>(row.integer(25));
  return out;
}

Result<void> read_votes(store::Database& db, StoredReview& stored) {
  auto row = HENG_TRY(db.prepare("SELECT reviewer, decision, sha256, reason, time_ms FROM review_vote WHERE review = ? ORDER BY n"));
  row.bind(1, stored.item.id.value);
  while (HENG_TRY(row.step())) {
    ReviewVote vote;
    vote.reviewer = UserId(row.string(0));
    vote.decision = static_cast<ReviewDecision>(row.integer(1));
    vote.sha256 = row.string(2);
    vote.reason = row.string(3);
    vote.time_ms = row.integer(4);
    stored.item.votes.push_back(std::move(vote));
  }
  stored.item.approvals = 0;
  for (const auto& vote : stored.item.votes)
    if (vote.decision == ReviewDecision::approve && vote.sha256 == stored.item.sha256) ++stored.item.approvals;
  return {};
}

}  // namespace

std::string evidence_json(const std::vector<ReviewEvidence>& evidence) {
  Json out = Json::array();
  for (const auto& e : evidence) out.push_back({{"document", e.document}, {"page", e.page}, {"sha256", e.sha256}, {"text", e.text}});
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<void> insert_review(store::Database& db, const StoredReview& stored) {
  const ReviewItem& i = stored.item;
  return db.run("INSERT INTO review (id, tenant, author, data_subject, kind, resource, question, proposed, text, sha256, language, rule, reason, evidence, "
                "approvals_needed, state, created_ms, due_ms, expires_ms, audit_index, planted, expected) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                i.id.value, stored.tenant.value, i.author.value, stored.data_subject, i.kind, i.resource, i.question, i.text, i.text, i.sha256, i.language, i.rule,
                i.reason, evidence_json(i.evidence), i.approvals_needed, static_cast<int>(i.state), i.created_ms, i.due_ms, i.expires_ms, i.audit_index,
                static_cast<int>(stored.planted), static_cast<int>(stored.expected));
}

Result<StoredReview> find_review(store::Database& db, const TenantId& tenant, const ReviewId& id) {
  auto found = HENG_TRY(select_reviews(db, tenant, "id = ?2", id.value, 1));
  if (found.empty()) return Error(ErrorCode::not_found, fmt::format("there is no review \"{}\" here", id.value.substr(0, 64)), "id");
  return std::move(found[0]);
}

Result<std::vector<StoredReview>> select_reviews(store::Database& db, const TenantId& tenant, std::string_view where, std::string_view value, int limit) {
  std::vector<StoredReview> out;
  {
    auto row = HENG_TRY(db.prepare(fmt::format("SELECT {} FROM review WHERE tenant = ?1 AND {} LIMIT ?3", columns, where)));
    row.bind(1, tenant.value).bind(2, value).bind(3, limit);
    while (HENG_TRY(row.step())) out.push_back(read_row(row));
  }
  for (auto& stored : out) HENG_TRY(read_votes(db, stored));
  return out;
}

Result<void> add_vote(store::Database& db, const ReviewId& id, const ReviewVote& vote, bool first) {
  return db.run("INSERT INTO review_vote (review, n, reviewer, decision, sha256, reason, time_ms, first) "
                "SELECT ?1, 1 + COALESCE(MAX(n), 0), ?2, ?3, ?4, ?5, ?6, ?7 FROM review_vote WHERE review = ?1",
                id.value, vote.reviewer.value, static_cast<int>(vote.decision), vote.sha256, vote.reason, vote.time_ms, static_cast<int>(first));
}

Result<void> update_review(store::Database& db, const StoredReview& stored) {
  const ReviewItem& i = stored.item;
  return db.run("UPDATE review SET text = ?, sha256 = ?, editor = ?, state = ?, escalated_ms = ?, decided_ms = ?, valid_until_ms = ?, redeemed_ms = ? WHERE id = ?",
                i.text, i.sha256, stored.editor.value, static_cast<int>(i.state), static_cast<std::int64_t>(i.escalated), i.decided_ms, i.valid_until_ms,
                static_cast<std::int64_t>(i.redeemed), i.id.value);
}

}  // namespace heng::review
