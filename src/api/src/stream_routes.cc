// Streams of market messages, alerts and briefs.
#include <fmt/format.h>

#include <algorithm>

#include "chat_shape.h"
#include "context.h"
#include "heng/base/clock.h"
#include "heng/base/hash.h"
#include "heng/base/text.h"
#include "heng/base/time_text.h"
#include "json_parts.h"

namespace heng::api {
namespace {

constexpr std::size_t push_bytes = 8 * 1024 * 1024;

Result<Streams*> streams_of(const Api& api) {
  if (api.services.streams == nullptr) return Error(ErrorCode::unsupported, "this server has no streams");
  return api.services.streams;
}

Result<std::string> text_of(const http::Request& request, const char* name, std::size_t most = 256) {
  const auto value = request.query_value(name);
  if (!value) return std::string();
  if (text::code_points(*value) > most) return Error(ErrorCode::invalid_argument, fmt::format("'{}' has more than {} characters", name, most), name);
  return std::string(*value);
}

/// One of the choices; the first where the parameter is absent.
Result<std::string> choice_of(const http::Request& request, const char* name, const std::vector<std::string>& choices) {
  const auto value = request.query_value(name);
  if (!value) return choices.front();
  if (std::find(choices.begin(), choices.end(), *value) != choices.end()) return std::string(*value);
  return Error(ErrorCode::invalid_argument, fmt::format("'{}' must be one of {}", name, fmt::join(choices, ", ")), name);
}

Result<std::int64_t> number_of(const http::Request& request, const char* name, std::int64_t least, std::int64_t most, std::int64_t otherwise) {
  const auto value = request.query_value(name);
  if (!value) return otherwise;
  return parse_integer(*value, name, least, most);
}

Result<std::int64_t> time_of(const http::Request& request, const char* name) {
  const auto value = request.query_value(name);
  if (!value) return std::int64_t{0};
  const bool dated = value->size() >= 10 && (*value)[4] == '-' && (*value)[7] == '-';
  auto parsed = parse_time(*value, 0);
  if (parsed.ok() && dated) return std::max<std::int64_t>(*parsed, 1);
  return Error(ErrorCode::invalid_argument, fmt::format("'{}' must be a time such as 2026-11-24T08:30:00Z", name), name);
}

Result<std::vector<std::string>> list_of(const http::Request& request, const char* name, std::size_t most) {
  std::vector<std::string> out;
  const auto value = HENG_TRY(text_of(request, name, 2000));
  for (const auto part : text::split(value, ','))
    if (!text::trim(part).empty()) out.emplace_back(text::trim(part));
  if (out.size() > most) return Error(ErrorCode::invalid_argument, fmt::format("'{}' names {}, the limit is {}", name, out.size(), most), name);
  return out;
}

Json labels_value(const std::vector<StreamLabel>& labels) {
  Json out = Json::array();
  for (const auto& l : labels) out.push_back({{"task", l.task}, {"label", l.label}, {"confidence", l.confidence}, {"tier", l.tier}});
  return out;
}

Json report_value(const PushReport& report) {
  Json errors = Json::array();
  for (const auto& [place, reason] : report.errors) errors.push_back({{"index", place}, {"message", reason}});
  return {{"accepted", report.accepted}, {"duplicates", report.duplicates}, {"near_duplicates", report.near_duplicates}, {"rejected", report.rejected}, {"alerts", report.alerts}, {"errors", std::move(errors)}};
}

http::Response push(Api& api, const http::Request& request, const Principal& principal, Streams& streams, const std::vector<std::string>& tasks, std::stop_token stop) {
  const std::string name(request.param("name"));
  const auto ticket = api.open_record(request, principal, "stream.push", "stream:" + name, sha256_hex(request.body));
  if (!ticket) return api.fail(request, ticket.error());
  const auto began = std::chrono::steady_clock::now();
  const auto report = streams.push(principal, name, tasks, request.body, stop);
  AuditClose close;
  close.outcome = report ? "ok" : outcome_of(report.error());
  if (report) close.output = dump(report_value(*report));
  close.total_ms = elapsed_ms(began);
  const auto closed = api.close_record(*ticket, std::move(close));
  if (!report) return api.fail(request, report.error());
  if (!closed) return api.fail(request, closed.error());
  return json_response(200, report_value(*report), ticket->index);
}

http::Step start_push(Api& api, http::Request& request, const Principal& principal) {
  const auto streams = streams_of(api);
  if (!streams) return api.fail(request, streams.error());
  auto tasks = list_of(request, "task", 16);
  if (!tasks) return api.fail(request, tasks.error());
  http::Work work;
  work.run = [&api, &request, principal, streams = *streams, tasks = std::move(*tasks)](http::Stream&, std::stop_token stop) { return push(api, request, principal, *streams, tasks, stop); };
  return work;
}

http::Step list_streams(Api& api, http::Request& request, const Principal& principal) {
  const auto streams = streams_of(api);
  if (!streams) return api.fail(request, streams.error());
  const auto found = (*streams)->streams(principal);
  if (!found) return api.fail(request, found.error());
  Json out{{"streams", Json::array()}};
  for (const auto& s : *found)
    out["streams"].push_back({{"name", s.name}, {"items", s.items}, {"duplicates", s.duplicates}, {"near_duplicates", s.near_duplicates}, {"rejected", s.rejected}, {"last_ingest", time_value(s.last_ingest_ms)}, {"tasks", s.tasks}});
  return json_response(200, out);
}

Result<ItemQuery> read_item_query(const http::Request& request) {
  ItemQuery query;
  query.stream = HENG_TRY(text_of(request, "stream"));
  query.company = HENG_TRY(text_of(request, "company"));
  query.task = HENG_TRY(text_of(request, "task"));
  query.label = HENG_TRY(text_of(request, "label"));
  query.from_ms = HENG_TRY(time_of(request, "from"));
  query.to_ms = HENG_TRY(time_of(request, "to"));
  query.before = HENG_TRY(number_of(request, "before", 0, most_integer, 0));
  if (request.query_value("after")) query.after = HENG_TRY(number_of(request, "after", 0, most_integer, 0));
  query.limit = static_cast<int>(HENG_TRY(number_of(request, "limit", 1, 500, 50)));
  query.duplicates = HENG_TRY(choice_of(request, "duplicates", {"false", "true"})) == "true";
  return query;
}

/// Lists may look at many rows, so they run on a worker.
template <class Run>
http::Step on_worker(Run run) {
  http::Work work;
  work.run = [run = std::move(run)](http::Stream&, std::stop_token) -> http::Response { return run(); };
  return work;
}

http::Step list_items(Api& api, http::Request& request, const Principal& principal) {
  const auto streams = streams_of(api);
  if (!streams) return api.fail(request, streams.error());
  const auto query = read_item_query(request);
  if (!query) return api.fail(request, query.error());
  return on_worker([&api, &request, principal, streams = *streams, query = *query]() -> http::Response {
    const auto items = streams->items(principal, query);
    if (!items) return api.fail(request, items.error());
    Json out{{"items", Json::array()}};
    for (const auto& item : *items) out["items"].push_back(stream_item_value(item));
    return json_response(200, out);
  });
}

Result<AlertQuery> read_alert_query(const http::Request& request) {
  AlertQuery query;
  const auto state = HENG_TRY(choice_of(request, "state", {"all", "open", "acknowledged"}));
  if (state == "open") query.state = AlertState::open;
  if (state == "acknowledged") query.state = AlertState::acknowledged;
  query.rule = HENG_TRY(text_of(request, "rule"));
  query.severity = HENG_TRY(text_of(request, "severity"));
  query.stream = HENG_TRY(text_of(request, "stream"));
  query.key = HENG_TRY(text_of(request, "key"));
  query.before = HENG_TRY(number_of(request, "before", 0, most_integer, 0));
  if (request.query_value("after")) query.after = HENG_TRY(number_of(request, "after", 0, most_integer, 0));
  query.limit = static_cast<int>(HENG_TRY(number_of(request, "limit", 1, 500, 50)));
  return query;
}

http::Step list_alerts(Api& api, http::Request& request, const Principal& principal) {
  const auto streams = streams_of(api);
  if (!streams) return api.fail(request, streams.error());
  const auto query = read_alert_query(request);
  if (!query) return api.fail(request, query.error());
  const auto alerts = (*streams)->alerts(principal, *query);
  if (!alerts) return api.fail(request, alerts.error());
  Json out{{"alerts", Json::array()}};
  for (const auto& alert : *alerts) out["alerts"].push_back(alert_value(alert));
  return json_response(200, out);
}

http::Step list_rules(Api& api, http::Request& request, const Principal& principal) {
  const auto streams = streams_of(api);
  if (!streams) return api.fail(request, streams.error());
  const auto rules = (*streams)->alert_rules(principal);
  if (!rules) return api.fail(request, rules.error());
  Json list = Json::array();
  for (const auto& r : rules->rules) list.push_back({{"id", r.id}, {"name", {{"zh", r.name_zh}, {"en", r.name_en}}}, {"severity", r.severity}, {"owner", r.owner}, {"condition", r.condition}});
  return json_response(200, {{"rules", std::move(list)}, {"loaded", time_value(rules->loaded_ms)}, {"error", rules->error.empty() ? Json(nullptr) : Json(rules->error)}});
}

http::Step acknowledge(Api& api, http::Request& request, const Principal& principal) {
  const auto streams = streams_of(api);
  if (!streams) return api.fail(request, streams.error());
  const auto done = [&]() -> Result<Alert> {
    const auto id = HENG_TRY(parse_integer(request.param("id"), "id", 0, most_integer));
    const auto json = HENG_TRY(parse_object(request.body));
    return (*streams)->acknowledge(principal, id, HENG_TRY(Fields(json).required_text("note", 1000)));
  }();
  if (!done) return api.fail_recorded(request, principal, done.error());
  return json_response(200, alert_value(*done));
}

http::Response follow_alerts(Api& api, const http::Request& request, const Principal& principal, Streams& streams, std::int64_t after, http::Stream& out, std::stop_token stop) {
  if (!out.write(": alerts\n\n")) return http::Response::empty(200);   // so that the reader knows from when on it hears
  while (!stop.stop_requested()) {
    const auto alerts = streams.wait_for_alerts(principal, after, std::chrono::seconds(5), stop);
    if (!alerts) {
      out.write(named_event("error", error_to_json(alerts.error())));
      return api.fail(request, alerts.error());
    }
    for (const auto& alert : *alerts) {
      if (!out.write(fmt::format("id: {}\n", alert.id) + named_event("alert", to_json(alert)))) return http::Response::empty(200);
      after = alert.id;
    }
    if (alerts->empty() && !out.write(": wait\n\n")) break;
  }
  return http::Response::empty(200);
}

http::Step start_follow(Api& api, http::Request& request, const Principal& principal) {
  const auto streams = streams_of(api);
  if (!streams) return api.fail(request, streams.error());
  auto after = number_of(request, "after", 0, most_integer, -1);
  if (!after) return api.fail(request, after.error());
  // a browser that comes back says what it saw last
  if (const auto last = request.header("last-event-id"); *after < 0 && last) {
    after = parse_integer(*last, "last-event-id", 0, most_integer);
    if (!after) return api.fail(request, after.error());
  }
  if (*after < 0) {
    AlertQuery newest;
    newest.limit = 1;
    const auto found = (*streams)->alerts(principal, newest);
    if (!found) return api.fail(request, found.error());
    after = found->empty() ? std::int64_t{0} : found->front().id;
  }
  http::Work work;
  work.stream_head = event_stream_head();
  work.run = [&api, &request, principal, streams = *streams, from = *after](http::Stream& out, std::stop_token stop) { return follow_alerts(api, request, principal, *streams, from, out, stop); };
  return work;
}

Result<BriefRequest> read_brief(const http::Request& request) {
  BriefRequest out;
  out.company = HENG_TRY(text_of(request, "company"));
  out.stream = HENG_TRY(text_of(request, "stream"));
  out.compare = HENG_TRY(list_of(request, "compare", 20));
  out.from_ms = HENG_TRY(time_of(request, "from"));
  out.to_ms = HENG_TRY(time_of(request, "to"));
  const auto format = HENG_TRY(choice_of(request, "format", {"json", "html", "text"}));
  if (format == "html") out.format = BriefFormat::html;
  if (format == "text") out.format = BriefFormat::text;
  out.language = HENG_TRY(choice_of(request, "lang", {"zh", "en"}));
  return out;
}

http::Step get_brief(Api& api, http::Request& request, const Principal& principal) {
  const auto streams = streams_of(api);
  if (!streams) return api.fail(request, streams.error());
  const auto wanted = read_brief(request);
  if (!wanted) return api.fail(request, wanted.error());
  return on_worker([&api, &request, principal, streams = *streams, wanted = *wanted]() -> http::Response {
    auto made = streams->brief(principal, wanted);
    if (!made) return api.fail(request, made.error());
    const auto subject = fmt::format("{} {} {}", wanted.company, wanted.stream, fmt::join(wanted.compare, ","));
    const auto noted = api.note(request, principal, "brief", wanted.stream.empty() ? "streams" : "stream:" + wanted.stream, subject, "ok");
    if (!noted) return api.fail(request, noted.error());
    auto response = wanted.format == BriefFormat::json ? http::Response::json(200, std::move(*made)) : http::Response::text(200, std::move(*made));
    if (wanted.format == BriefFormat::html) response.headers = {{"content-type", "text/html; charset=utf-8"}, {"content-security-policy", "default-src 'none'; style-src 'unsafe-inline'"}};
    response.header("x-heng-audit-index", fmt::format("{}", noted->index));
    return response;
  });
}

}  // namespace

Json stream_item_value(const StreamItem& item) {
  Json events = Json::array(), entities = Json::array();
  for (const auto& e : item.events) {
    Json mentions = Json::array();
    for (const auto& m : e.mentions) mentions.push_back({{"word", m.word}, {"span", Json::array({m.begin, m.end})}, {"role", m.role}});
    events.push_back({{"type", e.type}, {"confidence", e.confidence}, {"mentions", std::move(mentions)}});
  }
  for (const auto& e : item.entities) entities.push_back({{"type", e.type}, {"word", e.word}, {"id", e.id}, {"name", e.name}});
  return {{"number", item.number}, {"stream", item.stream}, {"id", item.id}, {"source", item.source}, {"sha256", item.sha256}, {"event_time", time_value(item.event_ms)}, {"published", time_value(item.published_ms)},
          {"ingested", time_value(item.ingest_ms)}, {"duplicate_of", item.duplicate_of ? Json(item.duplicate_of) : Json(nullptr)}, {"similarity", item.duplicate_of ? Json(item.similarity) : Json(nullptr)},
          {"copies", item.copies}, {"near_copies", item.near_copies}, {"labels", labels_value(item.labels)}, {"events", std::move(events)}, {"entities", std::move(entities)}, {"errors", item.errors}, {"text", item.text}};
}

Json alert_value(const Alert& alert) {
  return {{"id", alert.id}, {"rule", alert.rule}, {"name", {{"zh", alert.name_zh}, {"en", alert.name_en}}}, {"severity", alert.severity}, {"owner", alert.owner}, {"stream", alert.stream}, {"key", alert.key}, {"key_id", alert.key_id},
          {"raised", time_value(alert.raised_ms)}, {"window_from", time_value(alert.window_from_ms)}, {"window_to", time_value(alert.window_to_ms)}, {"count", alert.count}, {"items", alert.items}, {"suppressed", alert.suppressed},
          {"text", alert.text}, {"ingested", time_value(alert.ingest_ms)}, {"state", alert.state == AlertState::open ? "open" : "acknowledged"}, {"acknowledged_by", alert.acknowledged_by},
          {"acknowledged", time_value(alert.acknowledged_ms)}, {"note", alert.note}};
}

std::string to_json(const StreamItem& item) { return dump(stream_item_value(item)); }
std::string to_json(const Alert& alert) { return dump(alert_value(alert)); }

void add_stream_routes(Routes& routes, Api& api) {
  add(routes, api, "GET", "/v1/streams", Access::key, Counts::no, list_streams);
  add(routes, api, "POST", "/v1/streams/{name}", Access::key, Counts::yes, start_push, push_bytes);
  add(routes, api, "GET", "/v1/items", Access::key, Counts::no, list_items);
  add(routes, api, "GET", "/v1/alerts", Access::key, Counts::no, list_alerts);
  add(routes, api, "GET", "/v1/alerts/rules", Access::key, Counts::no, list_rules);
  add(routes, api, "GET", "/v1/alerts/stream", Access::key, Counts::no, start_follow);
  add(routes, api, "POST", "/v1/alerts/{id}/ack", Access::key, Counts::no, acknowledge);
  add(routes, api, "GET", "/v1/brief", Access::key, Counts::yes, get_brief);
}

}  // namespace heng::api
