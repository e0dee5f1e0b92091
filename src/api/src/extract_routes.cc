// Events and entities of texts.
#include <fmt/format.h>

#include <cmath>

#include "context.h"
#include "heng/api/extraction_json.h"

namespace heng::api {
namespace {

constexpr std::size_t most_items = 1000;
constexpr const char* entities_task = "entities";

Json events_value(const std::vector<Event>& events) {
  Json out = Json::array();
  for (const auto& event : events) {
    Json mentions = Json::array();
    for (const auto& m : event.mentions) mentions.push_back({{"word", m.word}, {"span", {m.begin, m.end}}, {"role", m.role}});
    out.push_back({{"type", event.type}, {"confidence", std::round(event.confidence * 1e4) / 1e4}, {"mentions", std::move(mentions)}});
  }
  return out;
}

Json entities_value(const std::vector<Entity>& entities) {
  Json out = Json::array();
  for (const auto& e : entities) {
    Json one{{"type", e.type}, {"word", e.word}, {"span", {e.begin, e.end}}};
    if (!e.id.empty()) one["id"] = e.id;
    if (!e.name.empty()) one["name"] = e.name;
    if (!e.value.empty()) one["value"] = e.value;
    if (!e.label.empty()) {
      one["label"] = e.label;
      one["confidence"] = std::round(e.confidence * 1e4) / 1e4;
    }
    out.push_back(std::move(one));
  }
  return out;
}

Json outcome_value(Json id, const Result<ExtractionResult>& outcome, bool entities) {
  Json out{{"id", std::move(id)}};
  if (!outcome.ok()) out["error"] = {{"code", std::string(to_string(outcome.error().code))}, {"message", outcome.error().message}};
  else if (entities) out["entities"] = entities_value(outcome->entities);
  else out["events"] = events_value(outcome->events);
  return out;
}

/// {"task","items":[{"id","text"}|"text"],"minimum_confidence"}.
Result<ExtractRequest> read_extract(const http::Request& request, const Principal& principal, Json& ids) {
  const auto json = HENG_TRY(parse_object(request.body));
  const Fields fields(json);
  ExtractRequest out;
  out.tenant = principal.tenant;
  out.task = HENG_TRY(fields.required_text("task", 64));
  out.minimum_confidence = HENG_TRY(fields.number("minimum_confidence", 0, 1)).value_or(0);
  const Json* items = HENG_TRY(fields.array("items"));
  if (!items || items->empty() || items->size() > most_items) return fields.wrong("items", "a list of 1 to 1000 texts or {\"id\", \"text\"}");
  for (std::size_t i = 0; i < items->size(); ++i) {
    const Json& item = (*items)[i];
    if (item.is_string()) {
      out.items.push_back({"", item.get<std::string>()});
      ids.push_back(i);
      continue;
    }
    const std::string name = fmt::format("items[{}]", i);
    if (!item.is_object()) return fields.wrong(name, "a text or {\"id\", \"text\"}");
    const Fields each(item, name);
    const auto text = HENG_TRY(each.text("text"));
    if (!text) return each.wrong("text", "a text");
    const Json* id = each.find("id");
    if (id && !id->is_string() && !id->is_number_integer()) return each.wrong("id", "a text or a whole number");
    ids.push_back(id ? *id : Json(i));
    out.items.push_back({"", *text});
  }
  return out;
}

http::Response extract(Api& api, const http::Request& request, const Principal& principal, const ExtractRequest& wanted, const Json& ids, std::stop_token stop) {
  const auto ticket = api.open_record(request, principal, "extract", wanted.task, fmt::format("{} items", wanted.items.size()));
  if (!ticket) return api.fail(request, ticket.error());
  const auto began = std::chrono::steady_clock::now();
  const auto outcomes = api.services.extractor->extract(wanted, stop);
  AuditClose close;
  close.outcome = outcomes ? "ok" : outcome_of(outcomes.error());
  close.total_ms = elapsed_ms(began);
  const auto closed = api.close_record(*ticket, std::move(close));
  if (!outcomes) return api.fail(request, outcomes.error());
  if (!closed) return api.fail(request, closed.error());
  bool entities = wanted.task == entities_task;   // or a labelling task about them
  if (!entities && api.services.tasks != nullptr)
    if (const auto info = api.services.tasks->task(wanted.task); info.ok()) entities = info->input == TaskInput::entity;
  Json out{{"task", wanted.task}, {"results", Json::array()}};
  for (std::size_t i = 0; i < outcomes->size(); ++i) out["results"].push_back(outcome_value(ids[i], (*outcomes)[i], entities));
  return json_response(200, out, ticket->index);
}

}  // namespace

http::Step answer_extract(Api& api, http::Request& request, const Principal& principal, Priority) {
  if (!api.services.extractor) return api.fail(request, Error(ErrorCode::unavailable, "this server extracts nothing"));
  Json ids = Json::array();
  auto wanted = read_extract(request, principal, ids);
  if (!wanted) return api.fail(request, wanted.error());
  http::Work work;
  work.run = [&api, &request, principal, wanted = std::move(*wanted), ids = std::move(ids)](http::Stream&, std::stop_token stop) {
    return extract(api, request, principal, wanted, ids, stop);
  };
  return work;
}

std::string extraction_to_json(const std::string& id_json, const Result<ExtractionResult>& outcome, bool entities) {
  Json id = Json::parse(id_json, nullptr, false);
  if (id.is_discarded()) id = nullptr;
  return dump(outcome_value(std::move(id), outcome, entities));
}

void add_extract_routes(Routes& routes, Api& api) {
  add(routes, api, "POST", "/v1/extract", Access::key, Counts::yes, [](Api& a, http::Request& request, const Principal& principal) { return answer_extract(a, request, principal, Priority::interactive); });
}

}  // namespace heng::api
