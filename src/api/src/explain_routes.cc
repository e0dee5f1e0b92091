#include <fmt/format.h>

#include "context.h"
#include "heng/explain/explain.h"

namespace heng::api {
namespace {

http::Step explain_record(Api& api, http::Request& request, const Principal& principal) {
  const auto index = parse_integer(request.param("index"), "index", 0, most_integer);
  if (!index) return api.fail(request, index.error());
  const auto format = request.query_value("format").value_or("json");
  const auto lang = request.query_value("lang").value_or("en");
  if (format != "json" && format != "html" && format != "text") return api.fail(request, Error(ErrorCode::invalid_argument, "'format' must be json, html or text", "format"));
  if (lang != "en" && lang != "zh") return api.fail(request, Error(ErrorCode::invalid_argument, "'lang' must be en or zh", "lang"));
  const explain::Sources sources{api.services.audit_reader, &api.services.knowledge, api.services.reviews, &api.services.feedback, api.settings.version, api.settings.provider};
  const auto page = explain::explain(sources, principal, *index);
  if (!page) return api.fail(request, page.error());
  // whoever reads a record is on record too
  const auto noted = api.note(request, principal, "audit.explain", fmt::format("record:{}", *index), "", "ok");
  if (!noted) return api.fail(request, noted.error());
  if (format == "json") return http::Response::json(200, *page).header("x-heng-audit-index", fmt::format("{}", noted->index));
  const auto wording = lang == "zh" ? explain::Wording::chinese : explain::Wording::english;
  http::Response response;
  response.body = format == "html" ? explain::html(*page, wording) : explain::plain(*page, wording);
  response.header("content-type", format == "html" ? "text/html; charset=utf-8" : "text/plain; charset=utf-8");
  response.header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
  return response;
}

}  // namespace

void add_explain_routes(Routes& routes, Api& api) { add(routes, api, "GET", "/v1/audit/{index}/explain", access::Action::audit_read, Counts::no, explain_record); }

}  // namespace heng::api
