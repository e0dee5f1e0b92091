#include "context.h"

namespace heng::api {
namespace {

http::Response report(Api& api, const http::Request& request, const Principal& principal, int hours) {
  if (!api.services.monitor) return api.fail(request, Error(ErrorCode::unsupported, "this server has no monitor"));
  const auto text = api.services.monitor(principal, hours);
  if (!text) return api.fail(request, text.error());
  return http::Response::json(200, *text);
}

http::Step get_monitor(Api& api, http::Request& request, const Principal& principal) {
  std::int64_t hours = 24;
  if (const auto text = request.query_value("hours")) {
    const auto value = parse_integer(*text, "hours", 1, 24 * 366);
    if (!value) return api.fail(request, value.error());
    hours = *value;
  }
  // it reads the ledger: not on the quick pool
  http::Work work;
  work.run = [&api, &request, principal, hours](http::Stream&, std::stop_token) { return report(api, request, principal, static_cast<int>(hours)); };
  return work;
}

}  // namespace

void add_monitor_routes(Routes& routes, Api& api) { add(routes, api, "GET", "/v1/monitor", access::Action::monitor_read, Counts::no, get_monitor); }

}  // namespace heng::api
