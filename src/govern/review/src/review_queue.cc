#include "heng/review/review_queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "agreement.h"
#include "heng/base/hash.h"
#include "heng/base/text.h"
#include "queue_store.h"

namespace heng::review {
namespace {

constexpr std::size_t most_reason_bytes = 8 * 1024;
constexpr int most_listed = 500;

bool holds(const std::vector<std::string>& list, const std::string& name) {
  return std::any_of(list.begin(), list.end(), [&](const std::string& entry) { return entry == "*" || entry == name; });
}

bool is_reviewer(const Principal& who) { return who.has_role("reviewer") || who.has_role("supervisor"); }
/// Reading a masked value is not a matter of an answer's quality: privacy and supervisors decide on it, reviewers do not see it.
bool may_judge(const Principal& who, const ReviewItem& item) {
  return item.kind == "unmask" ? who.has_role("privacy") || who.has_role("supervisor") : is_reviewer(who);
}
bool supervises(const Principal& who) { return who.has_role("supervisor") || who.is_admin(); }
bool audits(const Principal& who) { return who.has_role("auditor") || who.is_admin(); }

Error absent(const ReviewId& id) { return Error(ErrorCode::not_found, fmt::format("there is no review \"{}\" here", id.value.substr(0, 64)), "id"); }

/// What the principal may see of an item; nothing: it does not exist for it.
std::optional<ReviewItem> view(StoredReview stored, const Principal& who, std::int64_t now) {
  ReviewItem item = std::move(stored.item);
  const bool author = item.author == who.user && !stored.planted;
  if (!author && !may_judge(who, item) && !supervises(who)) return std::nullopt;
  if (author) {
    // the author learns the text when it is approved, and how it was decided; never what was held back
    if (item.state != ReviewState::approved || now >= item.valid_until_ms) {
      item.text.clear();
      item.sha256.clear();
    }
    if (item.state == ReviewState::waiting) item.votes.clear();
    item.reason.clear();
    return item;
  }
  const bool voted = std::any_of(item.votes.begin(), item.votes.end(), [&](const ReviewVote& vote) { return vote.reviewer == who.user; });
  if (item.state == ReviewState::waiting && !voted) {
    item.votes.clear();
    item.approvals = 0;
  }
  // who wrote an item, and so whether it was planted, must not sway its reviewers
  item.author = {};
  item.audit_index = -1;
  return item;
}

Result<void> check_text(const std::string& text, std::size_t most, const char* name) {
  if (text::trim(text).empty()) return Error(ErrorCode::invalid_argument, fmt::format("'{}' is empty", name), name);
  if (text.size() > most) return Error(ErrorCode::too_large, fmt::format("'{}' has {} bytes, the limit is {}", name, text.size(), most), name);
  if (const auto at = text::first_invalid_utf8(text); at != std::string_view::npos)
    return Error(ErrorCode::malformed_input, fmt::format("'{}' is not UTF-8 at byte {}", name, at), name);
  return {};
}

}  // namespace

Result<std::unique_ptr<ReviewQueue>> ReviewQueue::create(QueueSettings settings, store::Pool& pool, Audit& audit, const Clock& clock, Random& random) {
  const auto minutes = [](const char* name, std::chrono::minutes value) -> Result<void> {
    if (value.count() < 1 || value.count() > 525'600) return Error(ErrorCode::invalid_argument, fmt::format("review.{} is {} minutes; it must be 1 to 525600", name, value.count()), name);
    return {};
  };
  HENG_TRY(minutes("due_minutes", settings.due));
  HENG_TRY(minutes("expires_minutes", settings.expires));
  HENG_TRY(minutes("approval_minutes", settings.approval_valid));
  if (!(settings.double_share >= 0 && settings.double_share <= 1))
    return Error(ErrorCode::invalid_argument, fmt::format("review.double_share is {}; it must be 0 to 1", settings.double_share), "double_share");
  return std::unique_ptr<ReviewQueue>(new ReviewQueue(std::move(settings), pool, audit, clock, random));
}

std::optional<std::string> ReviewQueue::required(const Principal&, std::string_view kind, const std::string& resource) const {
  if (kind == "answer" && holds(settings_.knowledge_bases, resource)) return "review.knowledge_bases";
  if (kind == "chat" && holds(settings_.models, resource)) return "review.models";
  return std::nullopt;
}

Result<void> ReviewQueue::note(const Principal& who, const char* action, const ReviewId& id, const std::string& subject, const std::string& outcome,
                               const std::string& sha256, const std::string& output) {
  const std::int64_t now = clock_.unix_ms();
  AuditClose close;
  close.time_ms = now;
  close.outcome = outcome;
  close.output = output;
  close.verdicts.push_back({"review", "1", action, "sha256 " + sha256});
  HENG_TRY(audit_.note({.request = new_request_id(now, random_), .time_ms = now, .principal = who, .action = action, .subject = subject, .resource = "review:" + id.value}, close));
  return {};
}

Result<ReviewItem> ReviewQueue::add(const Principal& author, const ReviewDraft& draft, const ReviewDecision* planted) {
  HENG_TRY(check_text(draft.proposed, settings_.most_text_bytes, "proposed"));
  const std::int64_t now = clock_.unix_ms();
  StoredReview stored;
  ReviewItem& item = stored.item;
  item.id = ReviewId("R" + random_hex(random_, 12));
  item.kind = draft.kind;
  item.resource = draft.resource;
  item.question = text::replace_invalid_utf8(draft.question);
  item.text = draft.proposed;
  item.sha256 = sha256_hex(draft.proposed);
  item.language = draft.language;
  item.rule = draft.rule;
  item.reason = text::replace_invalid_utf8(draft.reason);
  item.evidence = draft.evidence;
  item.author = author.user;
  item.audit_index = draft.audit_index;
  item.created_ms = now;
  item.due_ms = now + std::chrono::milliseconds(settings_.due).count();
  item.expires_ms = now + std::chrono::milliseconds(settings_.expires).count();
  std::uint32_t lot = 0;
  random_.fill(&lot, sizeof lot);
  const bool drawn = static_cast<double>(lot) < settings_.double_share * 4294967296.0;
  item.approvals_needed = drawn || holds(settings_.four_eyes, draft.rule) || holds(settings_.four_eyes, draft.resource) ? 2 : 1;
  stored.tenant = author.tenant;
  stored.data_subject = author.data_subject;
  stored.planted = planted != nullptr;
  if (planted) stored.expected = *planted;
  auto writer = HENG_TRY(pool_.writer());
  auto transaction = HENG_TRY(store::Transaction::begin(*writer));
  const auto waiting = HENG_TRY(writer->query_integer("SELECT COUNT(*) FROM review WHERE tenant = ? AND state = 0", author.tenant.value));
  if (waiting >= settings_.most_waiting) return Error(ErrorCode::overloaded, fmt::format("{} items wait for review already; try again later", waiting));
  HENG_TRY(insert_review(*writer, stored));
  HENG_TRY(note(author, planted ? "review.plant" : "review.submit", item.id, draft.rule, "ok", item.sha256, draft.proposed));
  HENG_TRY(transaction.commit());
  return item;
}

Result<ReviewItem> ReviewQueue::submit(const Principal& author, const ReviewDraft& draft) {
  auto item = HENG_TRY(add(author, draft, nullptr));
  StoredReview shown;
  shown.item = std::move(item);
  return *view(std::move(shown), author, clock_.unix_ms());
}

Result<ReviewItem> ReviewQueue::plant(const Principal& who, const ReviewDraft& draft, ReviewDecision expected) {
  if (!supervises(who)) return Error(ErrorCode::permission_denied, "planting an error needs the role supervisor or admin");
  return add(who, draft, &expected);
}

Result<void> ReviewQueue::keep_time(const Principal& who) {
  const std::int64_t now = clock_.unix_ms();
  std::vector<StoredReview> late;
  {
    auto reader = HENG_TRY(pool_.reader());
    late = HENG_TRY(select_reviews(*reader, who.tenant, "state = 0 AND ((due_ms <= CAST(?2 AS INTEGER) AND escalated_ms = 0) OR expires_ms <= CAST(?2 AS INTEGER)) ORDER BY due_ms",
                                   std::to_string(now), 1000));
  }
  Principal system;
  system.tenant = who.tenant;
  system.user = UserId("system");
  for (auto& stored : late) {
    auto writer = HENG_TRY(pool_.writer());
    auto transaction = HENG_TRY(store::Transaction::begin(*writer));
    stored = HENG_TRY(find_review(*writer, who.tenant, stored.item.id));
    if (stored.item.state != ReviewState::waiting) continue;
    const bool expired = stored.item.expires_ms <= now;
    if (!expired && stored.item.escalated) continue;
    if (expired) stored.item.state = ReviewState::expired;
    if (expired) stored.item.decided_ms = now;
    stored.item.escalated = true;
    HENG_TRY(update_review(*writer, stored));
    system.data_subject = stored.data_subject;
    HENG_TRY(note(system, expired ? "review.expire" : "review.escalate", stored.item.id, stored.item.rule, "ok", stored.item.sha256));
    HENG_TRY(transaction.commit());
  }
  return {};
}

Result<std::vector<ReviewItem>> ReviewQueue::list(const Principal& who, std::optional<ReviewState> state, int limit) {
  HENG_TRY(keep_time(who));
  auto reader = HENG_TRY(pool_.reader());
  const std::string order = " ORDER BY escalated_ms DESC, due_ms, id";
  const bool all = is_reviewer(who) || supervises(who) || who.has_role("privacy");
  std::string where = all ? "?2 = ?2" : "author = ?2 AND planted = 0";
  if (state) where += fmt::format(" AND state = {}", static_cast<int>(*state));
  std::vector<ReviewItem> out;
  for (auto& stored : HENG_TRY(select_reviews(*reader, who.tenant, where + order, who.user.value, std::clamp(limit, 1, most_listed)))) {
    if (auto item = view(std::move(stored), who, clock_.unix_ms())) out.push_back(std::move(*item));
  }
  return out;
}

Result<ReviewItem> ReviewQueue::get(const Principal& who, const ReviewId& id) {
  HENG_TRY(keep_time(who));
  auto reader = HENG_TRY(pool_.reader());
  auto item = view(HENG_TRY(find_review(*reader, who.tenant, id)), who, clock_.unix_ms());
  if (!item) return absent(id);
  return std::move(*item);
}

namespace {

/// What a vote makes of an item: waiting still, approved or rejected.
ReviewState outcome_of(const StoredReview& stored) {
  const ReviewItem& item = stored.item;
  // with two people both say their word before a rejection closes it, so that agreement can be measured
  std::vector<UserId> voters;
  bool rejected = false;
  for (const auto& vote : item.votes) {
    if (std::find(voters.begin(), voters.end(), vote.reviewer) == voters.end()) voters.push_back(vote.reviewer);
    rejected = rejected || vote.decision == ReviewDecision::reject;
  }
  if (rejected) return static_cast<int>(voters.size()) >= item.approvals_needed ? ReviewState::rejected : ReviewState::waiting;
  // an editor has read the text too, but cannot be the only one
  const int needed = stored.editor.empty() ? item.approvals_needed : std::max(1, item.approvals_needed - 1);
  return item.approvals >= needed ? ReviewState::approved : ReviewState::waiting;
}

Result<void> may_vote(const StoredReview& stored, const Principal& who, const ReviewChoice& choice) {
  const ReviewItem& item = stored.item;
  if (item.author == who.user) return Error(ErrorCode::permission_denied, "an author never decides on the own item; another person must");
  if (item.state != ReviewState::waiting) return Error(ErrorCode::conflict, fmt::format("the review is {} already", to_string(item.state)));
  if (choice.sha256 != item.sha256)
    return Error(ErrorCode::conflict, fmt::format("the text has changed: its SHA-256 is {}; read it again, then decide with this hash", item.sha256), "sha256");
  if (stored.editor == who.user && choice.decision == ReviewDecision::approve)
    return Error(ErrorCode::permission_denied, "you wrote the present text; another person must approve it");
  const bool voted = std::any_of(item.votes.begin(), item.votes.end(), [&](const ReviewVote& vote) {
    return vote.reviewer == who.user && (vote.sha256 == item.sha256 || vote.decision == ReviewDecision::reject);
  });
  if (voted) return Error(ErrorCode::conflict, "you have decided on this text already");
  return {};
}

}  // namespace

Result<ReviewItem> ReviewQueue::decide(const Principal& who, const ReviewId& id, const ReviewChoice& choice) {
  HENG_TRY(keep_time(who));
  auto writer = HENG_TRY(pool_.writer());
  auto transaction = HENG_TRY(store::Transaction::begin(*writer));
  auto stored = HENG_TRY(find_review(*writer, who.tenant, id));
  if (!may_judge(who, stored.item)) {
    if (!view(stored, who, clock_.unix_ms())) return absent(id);
    return Error(ErrorCode::permission_denied, stored.item.kind == "unmask" ? "unmasking is decided on by the roles privacy and supervisor" : "deciding needs the role reviewer or supervisor");
  }
  if (stored.item.kind == "unmask" && choice.decision == ReviewDecision::edit)
    return Error(ErrorCode::invalid_argument, "a request to unmask is approved or rejected as it is", "decision");
  HENG_TRY(may_vote(stored, who, choice));
  if (choice.decision != ReviewDecision::approve || !choice.reason.empty()) HENG_TRY(check_text(choice.reason, most_reason_bytes, "reason"));
  ReviewItem& item = stored.item;
  ReviewVote vote;
  vote.reviewer = who.user;
  vote.decision = choice.decision;
  vote.reason = choice.reason;
  vote.time_ms = clock_.unix_ms();
  if (choice.decision == ReviewDecision::edit) {
    HENG_TRY(check_text(choice.text, settings_.most_text_bytes, "text"));
    if (choice.text == item.text) return Error(ErrorCode::invalid_argument, "the edited text is the same; approve it or change it", "text");
    item.text = choice.text;
    item.sha256 = sha256_hex(choice.text);
    stored.editor = who.user;
  }
  vote.sha256 = item.sha256;
  item.approvals += choice.decision == ReviewDecision::approve;
  if (choice.decision == ReviewDecision::edit) item.approvals = 0;
  const bool first = std::none_of(item.votes.begin(), item.votes.end(), [&](const ReviewVote& before) { return before.reviewer == who.user; });
  item.votes.push_back(vote);
  item.state = outcome_of(stored);
  if (item.state != ReviewState::waiting) item.decided_ms = vote.time_ms;
  if (item.state == ReviewState::approved) item.valid_until_ms = vote.time_ms + std::chrono::milliseconds(settings_.approval_valid).count();
  HENG_TRY(add_vote(*writer, id, vote, first));
  HENG_TRY(update_review(*writer, stored));
  const std::string action = fmt::format("review.{}", to_string(choice.decision));
  Principal noted = who;
  noted.data_subject = stored.data_subject;
  HENG_TRY(note(noted, action.c_str(), id, choice.reason, std::string(to_string(item.state)), item.sha256, item.state == ReviewState::approved ? item.text : ""));
  HENG_TRY(transaction.commit());
  return *view(std::move(stored), who, clock_.unix_ms());
}

Result<ReviewItem> ReviewQueue::redeem(const Principal& who, const ReviewId& id, const std::string& sha256) {
  auto writer = HENG_TRY(pool_.writer());
  auto transaction = HENG_TRY(store::Transaction::begin(*writer));
  auto stored = HENG_TRY(find_review(*writer, who.tenant, id));
  ReviewItem& item = stored.item;
  if (stored.planted || item.author != who.user) return absent(id);
  if (item.state != ReviewState::approved) return Error(ErrorCode::conflict, fmt::format("the review is {}, not approved", to_string(item.state)));
  if (item.redeemed) return Error(ErrorCode::conflict, "this approval was used already; an approval serves once");
  if (sha256 != item.sha256) {
    HENG_TRY(note(who, "review.redeem", id, "another text than the approved one", "refused", sha256));
    return Error(ErrorCode::conflict, "this is not the text that was approved", "sha256");
  }
  const std::int64_t now = clock_.unix_ms();
  if (now >= item.valid_until_ms) {
    HENG_TRY(note(who, "review.redeem", id, "the approval has expired", "refused", sha256));
    return Error(ErrorCode::policy_denied, fmt::format("the approval expired on {}; submit it again", iso8601(item.valid_until_ms)));
  }
  item.redeemed = true;
  HENG_TRY(update_review(*writer, stored));
  Principal noted = who;
  noted.data_subject = stored.data_subject;
  HENG_TRY(note(noted, "review.redeem", id, "", "ok", sha256));
  HENG_TRY(transaction.commit());
  return *view(std::move(stored), who, clock_.unix_ms());
}

Result<ReviewQuality> ReviewQueue::quality(const Principal& who) {
  if (!supervises(who) && !audits(who)) return Error(ErrorCode::permission_denied, "the quality of reviews is shown to supervisors, auditors and administrators");
  HENG_TRY(keep_time(who));
  auto reader = HENG_TRY(pool_.reader());
  ReviewQuality out;
  std::map<std::string, ReviewQuality::Reviewer> people;
  std::map<std::string, std::vector<double>> seconds;
  std::vector<std::pair<int, int>> pairs;
  std::string last_review;
  std::vector<int> firsts;
  const auto end_item = [&] {
    if (firsts.size() >= 2) pairs.emplace_back(firsts[0], firsts[1]);
    firsts.clear();
  };
  {
    auto row = HENG_TRY(reader->prepare("SELECT v.review, v.reviewer, v.decision, v.time_ms - r.created_ms, r.planted, r.expected FROM review_vote v JOIN review r ON r.id = v.review "
                                        "WHERE r.tenant = ? AND v.first = 1 AND (r.state <> 0 OR r.approvals_needed > 0) ORDER BY v.review, v.n"));
    row.bind(1, who.tenant.value);
    while (HENG_TRY(row.step())) {
      if (row.text(0) != last_review) end_item();
      last_review = row.string(0);
      const auto decision = static_cast<ReviewDecision>(row.integer(2));
      firsts.push_back(static_cast<int>(decision));
      auto& person = people[row.string(1)];
      person.reviewer = UserId(row.string(1));
      ++person.decisions;
      person.approved += decision == ReviewDecision::approve;
      person.edited += decision == ReviewDecision::edit;
      person.rejected += decision == ReviewDecision::reject;
      if (row.integer(4) != 0 && static_cast<ReviewDecision>(row.integer(5)) != ReviewDecision::approve) {
        ++person.planted;
        person.caught += decision != ReviewDecision::approve;
      }
      seconds[row.string(1)].push_back(static_cast<double>(row.integer(3)) / 1000);
    }
    end_item();
  }
  for (auto& [name, person] : people) {
    std::tie(person.catch_low, person.catch_high) = wilson(person.caught, person.planted);
    auto& times = seconds[name];
    std::sort(times.begin(), times.end());
    person.median_s = times.size() % 2 ? times[times.size() / 2] : (times[times.size() / 2 - 1] + times[times.size() / 2]) / 2;
    out.reviewers.push_back(person);
  }
  const Agreement agreement = cohen_kappa(pairs, 3);
  out.pairs = agreement.pairs;
  out.agreement = agreement.observed;
  out.kappa = agreement.kappa;
  const auto count = [&](const char* where) -> Result<int> {
    return static_cast<int>(HENG_TRY(reader->query_integer(fmt::format("SELECT COUNT(*) FROM review WHERE tenant = ? AND {}", where), who.tenant.value)));
  };
  out.waiting = HENG_TRY(count("state = 0"));
  out.overdue = HENG_TRY(count("state = 0 AND escalated_ms <> 0"));
  out.approved = HENG_TRY(count("state = 1"));
  out.rejected = HENG_TRY(count("state = 2"));
  out.expired = HENG_TRY(count("state = 3"));
  return out;
}

Result<std::vector<ReviewItem>> ReviewQueue::of_record(const Principal& who, std::int64_t audit_index) {
  if (!audits(who) && !supervises(who)) return Error(ErrorCode::permission_denied, "the reviews of a record are shown to auditors and administrators");
  auto reader = HENG_TRY(pool_.reader());
  std::vector<ReviewItem> out;
  for (auto& stored : HENG_TRY(select_reviews(*reader, who.tenant, "audit_index = CAST(?2 AS INTEGER) AND planted = 0 ORDER BY created_ms", std::to_string(audit_index), 100)))
    out.push_back(std::move(stored.item));
  return out;
}

}  // namespace heng::review
