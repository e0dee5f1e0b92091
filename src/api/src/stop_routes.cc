#include <fmt/format.h>

#include "context.h"
#include "json_parts.h"

namespace heng::api {
namespace {

Result<Stops*> stops_of(const Api& api) {
  if (api.services.stops == nullptr) return Error(ErrorCode::unsupported, "this server has no stop buttons");
  return api.services.stops;
}

http::Step list_stops(Api& api, http::Request& request, const Principal& principal) {
  const auto stops = stops_of(api);
  if (!stops) return api.fail(request, stops.error());
  const auto lifted = request.query_value("lifted");
  if (lifted && *lifted != "true" && *lifted != "false") return api.fail(request, Error(ErrorCode::invalid_argument, "'lifted' must be true or false", "lifted"));
  const auto found = (*stops)->list(principal, lifted && *lifted == "true");
  if (!found) return api.fail(request, found.error());
  Json out{{"stops", Json::array()}};
  for (const auto& stop : *found) out["stops"].push_back(stop_value(stop));
  return json_response(200, out);
}

http::Step press(Api& api, http::Request& request, const Principal& principal) {
  const auto stops = stops_of(api);
  if (!stops) return api.fail(request, stops.error());
  const auto made = [&]() -> Result<StopInfo> {
    const auto json = HENG_TRY(parse_object(request.body));
    const Fields fields(json);
    const auto word = HENG_TRY(fields.required_text("kind", 32));
    const auto kind = HENG_TRY(parse_stop_kind(word));
    const auto name = HENG_TRY(fields.text("name", 256)).value_or("");
    return (*stops)->stop(principal, kind, name, HENG_TRY(fields.required_text("reason", 1000)));
  }();
  if (!made) return api.fail_recorded(request, principal, made.error());
  return json_response(201, stop_value(*made));
}

http::Step resume(Api& api, http::Request& request, const Principal& principal) {
  const auto stops = stops_of(api);
  if (!stops) return api.fail(request, stops.error());
  const auto lifted = [&]() -> Result<StopInfo> {
    const auto id = HENG_TRY(parse_integer(request.param("id"), "id", 0, most_integer));
    const auto json = HENG_TRY(parse_object(request.body));
    return (*stops)->resume(principal, id, HENG_TRY(Fields(json).required_text("reason", 1000)));
  }();
  if (!lifted) return api.fail_recorded(request, principal, lifted.error());
  return json_response(200, stop_value(*lifted));
}

}  // namespace

Result<StopKind> parse_stop_kind(std::string_view name) {
  for (const auto kind : {StopKind::everything, StopKind::tenant, StopKind::desk, StopKind::model, StopKind::tool})
    if (name == to_string(kind)) return kind;
  return Error(ErrorCode::invalid_argument, "'kind' must be everything, tenant, desk, model or tool", "kind");
}

Json stop_value(const StopInfo& stop) {
  return {{"id", stop.id}, {"kind", to_string(stop.kind)}, {"name", stop.name}, {"tenant", stop.tenant.empty() ? Json(nullptr) : Json(stop.tenant.value)},
          {"reason", stop.reason}, {"stopped_by", stop.stopped_by.value}, {"stopped", time_value(stop.stopped_ms)},
          {"resume_asked_by", stop.resume_asked_by.value}, {"resume_asked", time_value(stop.resume_asked_ms)}, {"resumed_by", stop.resumed_by.value},
          {"resumed", time_value(stop.resumed_ms)}, {"halts", stop.resumed_ms == 0}};
}

std::string to_json(const StopInfo& stop) { return dump(stop_value(stop)); }

void add_stop_routes(Routes& routes, Api& api) {
  add(routes, api, "GET", "/v1/stops", access::Action::me, Counts::no, list_stops);
  add(routes, api, "POST", "/v1/stops", access::Action::stop_press, Counts::no, press);
  add(routes, api, "POST", "/v1/stops/{id}/resume", access::Action::stop_press, Counts::no, resume);
}

}  // namespace heng::api
