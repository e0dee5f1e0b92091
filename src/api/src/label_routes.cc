#include <fmt/format.h>

#include "context.h"
#include "heng/base/hash.h"

namespace heng::api {
namespace {

constexpr std::size_t most_texts = 1000;

Error no_tasks() { return Error(ErrorCode::unavailable, "this server has no tasks; train one with heng train and start it again", "task"); }

Result<TextItem> read_item(const Json& value, std::size_t i) {
  TextItem item;
  if (value.is_string()) {
    item.text = value.get<std::string>();
    return item;
  }
  if (!value.is_object()) return Error(ErrorCode::invalid_argument, fmt::format("'texts[{}]' must be a string or an object with \"text\"", i), fmt::format("texts[{}]", i));
  const Fields fields(value, fmt::format("texts[{}].", i));
  item.id = HENG_TRY(fields.text("id", 256)).value_or("");
  const auto text = HENG_TRY(fields.text("text"));
  if (!text) return Error(ErrorCode::invalid_argument, fmt::format("'texts[{}].text' is missing", i), fmt::format("texts[{}].text", i));
  item.text = *text;
  const auto entity = HENG_TRY(fields.text("entity", 256)), head = HENG_TRY(fields.text("head", 256));
  if (entity && head) return Error(ErrorCode::invalid_argument, fmt::format("'texts[{}]' has an \"entity\" and a \"head\"; give one of them", i), fmt::format("texts[{}].head", i));
  item.head = head.value_or(entity.value_or(""));
  item.tail = HENG_TRY(fields.text("tail", 256)).value_or("");
  return item;
}

Result<LabelRequest> read_label(const http::Request& request, const Principal& principal) {
  const auto json = HENG_TRY(parse_object(request.body));
  const Fields fields(json);
  LabelRequest out;
  out.tenant = principal.tenant;
  out.task = HENG_TRY(fields.required_text("task", 64));
  const auto tier = tier_from_name(HENG_TRY(fields.text("tier", 64)).value_or("auto"));
  if (!tier) return fields.wrong("tier", "\"auto\", \"linear\", \"encoder\", \"fused\" or \"model\"");
  out.tier = *tier;
  out.abstain_below = HENG_TRY(fields.number("abstain_below", 0, 1)).value_or(0);
  out.evidence = HENG_TRY(fields.boolean("evidence")).value_or(false);
  const auto* texts = HENG_TRY(fields.array("texts"));
  if (!texts || texts->empty() || texts->size() > most_texts) return fields.wrong("texts", fmt::format("an array of 1 to {} texts", most_texts));
  for (std::size_t i = 0; i < texts->size(); ++i) out.items.push_back(HENG_TRY(read_item((*texts)[i], i)));
  return out;
}

Json result_value(const TextItem& item, const Result<LabelResult>& outcome) {
  Json out;
  if (!item.id.empty()) out["id"] = item.id;
  if (!outcome) {
    out["error"] = {{"code", std::string(to_string(outcome.error().code))}, {"message", outcome.error().message}};
    return out;
  }
  out["label"] = outcome->abstained ? Json(nullptr) : Json(outcome->label);
  out["confidence"] = outcome->confidence;
  out["scores"] = Json::object();
  for (const auto& [label, p] : outcome->scores) out["scores"][label] = p;
  out["tier"] = tier_name(outcome->tier);
  out["abstained"] = outcome->abstained;
  if (!outcome->evidence.empty()) {
    out["evidence"] = Json::array();
    for (const auto& e : outcome->evidence) out["evidence"].push_back({{"start", e.begin}, {"end", e.end}, {"weight", e.weight}});
  }
  return out;
}

http::Response label(Api& api, const http::Request& request, const Principal& principal, const LabelRequest& wanted, std::stop_token stop) {
  std::string subject;
  for (const auto& item : wanted.items) subject += item.text + "\n";
  const auto ticket = api.open_record(request, principal, "label", wanted.task, sha256_hex(subject));
  if (!ticket) return api.fail(request, ticket.error());
  const auto began = std::chrono::steady_clock::now();
  const auto outcomes = api.services.labeller->label(wanted, stop);
  AuditClose close;
  close.outcome = outcomes ? "ok" : outcome_of(outcomes.error());
  close.prompt_sha256 = sha256_hex(subject);
  close.total_ms = elapsed_ms(began);
  const auto closed = api.close_record(*ticket, std::move(close));
  if (!outcomes) return api.fail(request, outcomes.error());
  if (!closed) return api.fail(request, closed.error());
  Json results = Json::array();
  for (std::size_t i = 0; i < outcomes->size(); ++i) results.push_back(result_value(wanted.items[i], (*outcomes)[i]));
  return json_response(200, {{"task", wanted.task}, {"results", std::move(results)}, {"audit_index", ticket->index}}, ticket->index);
}

}  // namespace

http::Step answer_label(Api& api, http::Request& request, const Principal& principal, Priority priority) {
  if (!api.services.labeller) return api.fail(request, no_tasks());
  auto wanted = read_label(request, principal);
  if (!wanted) return api.fail(request, wanted.error());
  wanted->priority = priority;
  http::Work work;
  work.run = [&api, &request, principal, wanted = std::move(*wanted)](http::Stream&, std::stop_token stop) { return label(api, request, principal, wanted, stop); };
  return work;
}

namespace {

Json task_value(const TaskInfo& info) {
  Json tiers = Json::array(), metrics = Json::object();
  for (const Tier tier : info.tiers) tiers.push_back(tier_name(tier));
  for (const auto& [name, value] : info.metrics) metrics[name] = value;
  return {{"name", info.name}, {"kind", task_kind_name(info.kind)}, {"input", task_input_name(info.input)}, {"description", info.description}, {"labels", info.labels}, {"roles", info.roles}, {"tiers", tiers},
          {"metrics", metrics}, {"rows", info.rows}, {"data_sha256", info.data_sha256}, {"evaluation_only", info.evaluation_only}};
}

http::Step list_tasks(Api& api, http::Request& request, const Principal&) {
  Json out{{"tasks", Json::array()}};
  if (api.services.tasks) {
    const auto tasks = api.services.tasks->tasks();
    if (!tasks) return api.fail(request, tasks.error());
    for (const auto& info : *tasks) out["tasks"].push_back(task_value(info));
  }
  return json_response(200, out);
}

}  // namespace

void add_label_routes(Routes& routes, Api& api) {
  add(routes, api, "POST", "/v1/label", Access::key, Counts::yes, [](Api& a, http::Request& request, const Principal& principal) { return answer_label(a, request, principal, Priority::interactive); });
  add(routes, api, "GET", "/v1/tasks", Access::key, Counts::no, list_tasks);
}

}  // namespace heng::api
