#include <fmt/format.h>

#include "context.h"
#include "heng/base/hash.h"
#include "heng/guard_label/label.h"
#include "json_parts.h"

namespace heng::api {
namespace {

constexpr std::size_t most_evidence = 64;

Json vote_value(const ReviewVote& vote) {
  return {{"reviewer", vote.reviewer.value}, {"decision", to_string(vote.decision)}, {"sha256", vote.sha256}, {"reason", vote.reason}, {"time", time_value(vote.time_ms)}};
}

Result<Reviews*> reviews_of(const Api& api) {
  if (api.services.reviews == nullptr) return Error(ErrorCode::unsupported, "this server has no review queue");
  return api.services.reviews;
}

/// The item; with text of a model, which leaves here when it is approved, its label.
Json labelled_review(const Api& api, const ReviewItem& item) {
  Json out = review_value(item);
  if (item.kind != "answer" || item.text.empty()) return out;
  out["ai_label"] = label_value({std::string(guard_label::visible_label(item.language == "zh")), api.settings.provider, "review-" + item.id.value});
  return out;
}

http::Step list_reviews(Api& api, http::Request& request, const Principal& principal) {
  std::int64_t limit = 50;
  std::optional<ReviewState> state;
  if (const auto text = request.query_value("limit")) {
    const auto value = parse_integer(*text, "limit", 1, 500);
    if (!value) return api.fail(request, value.error());
    limit = *value;
  }
  if (const auto text = request.query_value("state"); text && *text != "all") {
    for (const auto each : {ReviewState::waiting, ReviewState::approved, ReviewState::rejected, ReviewState::expired})
      if (*text == to_string(each)) state = each;
    if (!state) return api.fail(request, Error(ErrorCode::invalid_argument, "'state' must be waiting, approved, rejected, expired or all", "state"));
  }
  const auto queue = reviews_of(api);
  if (!queue) return api.fail(request, queue.error());
  const auto items = (*queue)->list(principal, state, static_cast<int>(limit));
  if (!items) return api.fail(request, items.error());
  Json out{{"reviews", Json::array()}};
  for (const auto& item : *items) out["reviews"].push_back(labelled_review(api, item));
  return json_response(200, out);
}

ReviewId id_of(const http::Request& request) { return ReviewId(std::string(request.param("id"))); }

http::Step get_review(Api& api, http::Request& request, const Principal& principal) {
  const auto queue = reviews_of(api);
  if (!queue) return api.fail(request, queue.error());
  const auto item = (*queue)->get(principal, id_of(request));
  if (!item) return api.fail(request, item.error());
  return json_response(200, labelled_review(api, *item));
}

Result<std::string> read_hash(const Fields& fields) {
  auto hash = HENG_TRY(fields.required_text("sha256", 64));
  if (hash.size() != 64 || hash.find_first_not_of("0123456789abcdef") != std::string::npos)
    return fields.wrong("sha256", "the SHA-256 of the text as 64 lower-case hexadecimal digits");
  return hash;
}

Result<ReviewChoice> read_choice(const http::Request& request) {
  const auto json = HENG_TRY(parse_object(request.body));
  const Fields fields(json);
  ReviewChoice choice;
  const auto decision = HENG_TRY(fields.required_text("decision", 16));
  if (decision == "approve") {
    choice.decision = ReviewDecision::approve;
  } else if (decision == "edit") {
    choice.decision = ReviewDecision::edit;
  } else if (decision != "reject") {
    return fields.wrong("decision", "\"approve\", \"edit\" or \"reject\"");
  }
  choice.sha256 = HENG_TRY(read_hash(fields));
  choice.text = HENG_TRY(fields.text("text")).value_or("");
  choice.reason = HENG_TRY(fields.text("reason", 4000)).value_or("");
  return choice;
}

http::Step decide(Api& api, http::Request& request, const Principal& principal) {
  const auto choice = read_choice(request);
  if (!choice) return api.fail(request, choice.error());
  const auto queue = reviews_of(api);
  if (!queue) return api.fail(request, queue.error());
  const auto item = (*queue)->decide(principal, id_of(request), *choice);
  if (!item) return api.fail_recorded(request, principal, item.error());
  return json_response(200, labelled_review(api, *item));
}

http::Step redeem(Api& api, http::Request& request, const Principal& principal) {
  const auto hash = [&]() -> Result<std::string> {
    const auto json = HENG_TRY(parse_object(request.body));
    return read_hash(Fields(json));
  }();
  if (!hash) return api.fail(request, hash.error());
  const auto queue = reviews_of(api);
  if (!queue) return api.fail(request, queue.error());
  const auto item = (*queue)->redeem(principal, id_of(request), *hash);
  if (!item) return api.fail_recorded(request, principal, item.error());
  return json_response(200, labelled_review(api, *item));
}

Result<ReviewDraft> read_draft(const Json& json) {
  const Fields fields(json);
  ReviewDraft draft;
  draft.kind = HENG_TRY(fields.text("kind", 16)).value_or("action");
  if (draft.kind != "answer" && draft.kind != "action") return fields.wrong("kind", "\"answer\" or \"action\"");
  draft.proposed = HENG_TRY(fields.required_text("proposed"));
  draft.question = HENG_TRY(fields.text("question", 16'000)).value_or("");
  draft.resource = HENG_TRY(fields.text("resource", 256)).value_or("");
  draft.rule = HENG_TRY(fields.text("rule", 256)).value_or("api");
  draft.reason = HENG_TRY(fields.text("reason", 4000)).value_or("");
  const auto* evidence = HENG_TRY(fields.array("evidence"));
  if (evidence == nullptr) return draft;
  if (evidence->size() > most_evidence)
    return Error(ErrorCode::invalid_argument, fmt::format("'evidence' has {} entries, the limit is {}", evidence->size(), most_evidence), "evidence");
  for (std::size_t i = 0; i < evidence->size(); ++i) {
    const auto path = fmt::format("evidence[{}]", i);
    if (!(*evidence)[i].is_object()) return Error(ErrorCode::invalid_argument, fmt::format("'{}' must be an object", path), path);
    const Fields entry((*evidence)[i], path);
    ReviewEvidence made;
    made.text = HENG_TRY(entry.required_text("text", 32'000));
    made.document = HENG_TRY(entry.text("document", 1024)).value_or("");
    made.page = static_cast<int>(HENG_TRY(entry.integer("page", 0, INT32_MAX)).value_or(0));
    made.sha256 = sha256_hex(made.text);
    draft.evidence.push_back(std::move(made));
  }
  return draft;
}

http::Step submit(Api& api, http::Request& request, const Principal& principal) {
  const auto queue = reviews_of(api);
  if (!queue) return api.fail(request, queue.error());
  const auto item = [&]() -> Result<ReviewItem> {
    const auto json = HENG_TRY(parse_object(request.body));
    const auto draft = HENG_TRY(read_draft(json));
    const auto expected = HENG_TRY(Fields(json).text("planted", 16));
    if (!expected) return (*queue)->submit(principal, draft);
    if (*expected != "approve" && *expected != "reject") return Fields(json).wrong("planted", "\"approve\" or \"reject\"");
    return (*queue)->plant(principal, draft, *expected == "approve" ? ReviewDecision::approve : ReviewDecision::reject);
  }();
  if (!item) return api.fail_recorded(request, principal, item.error());
  return json_response(201, review_value(*item));
}

http::Step get_quality(Api& api, http::Request& request, const Principal& principal) {
  const auto queue = reviews_of(api);
  if (!queue) return api.fail(request, queue.error());
  const auto quality = (*queue)->quality(principal);
  if (!quality) return api.fail_recorded(request, principal, quality.error());
  return http::Response::json(200, to_json(*quality));
}

}  // namespace

Json review_value(const ReviewItem& item) {
  Json evidence = Json::array(), votes = Json::array();
  for (const auto& e : item.evidence) evidence.push_back({{"document", e.document}, {"page", e.page}, {"sha256", e.sha256}, {"text", e.text}});
  for (const auto& vote : item.votes) votes.push_back(vote_value(vote));
  // evidence before the text, the text before the reason: the order in which a person should read
  return {{"id", item.id.value}, {"state", to_string(item.state)}, {"kind", item.kind}, {"resource", item.resource}, {"question", item.question},
          {"evidence", std::move(evidence)}, {"text", item.text}, {"sha256", item.sha256}, {"language", item.language}, {"rule", item.rule},
          {"reason", item.reason}, {"approvals", item.approvals}, {"approvals_needed", item.approvals_needed}, {"escalated", item.escalated},
          {"redeemed", item.redeemed}, {"created", time_value(item.created_ms)}, {"due", time_value(item.due_ms)}, {"expires", time_value(item.expires_ms)},
          {"decided", time_value(item.decided_ms)}, {"valid_until", time_value(item.valid_until_ms)}, {"votes", std::move(votes)},
          {"author", item.author.value}, {"audit_index", item.audit_index}};
}

std::string to_json(const ReviewItem& item) { return dump(review_value(item)); }

std::string to_json(const ReviewQuality& quality) {
  Json people = Json::array();
  for (const auto& p : quality.reviewers)
    people.push_back({{"reviewer", p.reviewer.value}, {"decisions", p.decisions}, {"approved", p.approved}, {"edited", p.edited}, {"rejected", p.rejected},
                      {"planted", p.planted}, {"caught", p.caught}, {"catch_rate", p.planted ? Json(static_cast<double>(p.caught) / p.planted) : Json(nullptr)},
                      {"catch_rate_interval", Json::array({p.catch_low, p.catch_high})}, {"median_seconds", p.median_s}});
  return dump({{"reviewers", std::move(people)}, {"pairs", quality.pairs}, {"agreement", quality.pairs ? Json(quality.agreement) : Json(nullptr)},
               {"kappa", quality.kappa ? Json(*quality.kappa) : Json(nullptr)}, {"waiting", quality.waiting}, {"overdue", quality.overdue},
               {"approved", quality.approved}, {"rejected", quality.rejected}, {"expired", quality.expired}});
}

void add_review_routes(Routes& routes, Api& api) {
  add(routes, api, "GET", "/v1/reviews", access::Action::review_use, Counts::no, list_reviews);
  add(routes, api, "POST", "/v1/reviews", access::Action::review_use, Counts::yes, submit);
  add(routes, api, "GET", "/v1/reviews/quality", access::Action::review_supervise, Counts::no, get_quality);
  add(routes, api, "GET", "/v1/reviews/{id}", access::Action::review_use, Counts::no, get_review);
  add(routes, api, "POST", "/v1/reviews/{id}/decide", access::Action::review_decide, Counts::no, decide);
  add(routes, api, "POST", "/v1/reviews/{id}/redeem", access::Action::review_use, Counts::no, redeem);
}

}  // namespace heng::api
