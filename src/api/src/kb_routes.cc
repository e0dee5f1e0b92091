#include <fmt/format.h>

#include <algorithm>

#include "context.h"
#include "heng/base/hash.h"
#include "heng/base/text.h"
#include "json_parts.h"

namespace heng::api {
namespace {

KbName kb_of(const http::Request& request) { return KbName(std::string(request.param("kb"))); }

http::Step list_bases(Api& api, http::Request& request, const Principal& principal) {
  const auto bases = api.services.knowledge.list(principal);
  if (!bases) return api.fail(request, bases.error());
  Json out{{"knowledge_bases", Json::array()}};
  for (const auto& kb : *bases) out["knowledge_bases"].push_back(kb_value(kb));
  return json_response(200, out);
}

Result<std::pair<KbName, std::string>> read_new_base(const http::Request& request) {
  const auto json = HENG_TRY(parse_object(request.body));
  const Fields fields(json);
  auto name = HENG_TRY(fields.required_text("name", 64));
  if (!is_kb_name(name))
    return Error(ErrorCode::invalid_argument, "'name' must have 1 to 64 ASCII characters, or 1 to 16 of any script, without spaces, slashes and quotes, no dot first", "name");
  auto language = HENG_TRY(fields.text("language", 64)).value_or("mixed");
  if (language != "mixed" && language != "zh" && language != "en") return fields.wrong("language", "\"mixed\", \"zh\" or \"en\"");
  return std::pair(KbName(std::move(name)), std::move(language));
}

http::Step create_base(Api& api, http::Request& request, const Principal& principal) {
  const auto wanted = read_new_base(request);
  if (!wanted) return api.fail(request, wanted.error());
  const auto ticket = api.open_record(request, principal, "kb.create", wanted->first.value, wanted->second);
  if (!ticket) return api.fail(request, ticket.error());
  const auto kb = api.services.knowledge.create(principal, wanted->first, wanted->second);
  AuditClose close;
  close.outcome = kb ? "ok" : outcome_of(kb.error());
  const auto closed = api.close_record(*ticket, std::move(close));
  if (!kb) return api.fail(request, kb.error());
  if (!closed) return api.fail(request, closed.error());
  return json_response(201, kb_value(*kb), ticket->index);
}

http::Step remove_base(Api& api, http::Request& request, const Principal& principal) {
  http::Work work;
  work.run = [&api, &request, principal](http::Stream&, std::stop_token) {
    const auto kb = kb_of(request);
    const auto ticket = api.open_record(request, principal, "kb.delete", kb.value, "");
    if (!ticket) return api.fail(request, ticket.error());
    const auto removed = api.services.knowledge.remove(principal, kb);
    AuditClose close;
    close.outcome = removed ? "ok" : outcome_of(removed.error());
    const auto closed = api.close_record(*ticket, std::move(close));
    if (!removed) return api.fail(request, removed.error());
    if (!closed) return api.fail(request, closed.error());
    return http::Response::empty(204).header("x-heng-audit-index", fmt::format("{}", ticket->index));
  };
  return work;
}

Result<SearchQuery> read_search(const http::Request& request, const Principal& principal) {
  const auto json = HENG_TRY(parse_object(request.body));
  const Fields fields(json);
  SearchQuery query;
  query.principal = principal;
  query.kb = kb_of(request);
  query.text = HENG_TRY(fields.required_text("query", 4000));
  query.k = static_cast<int>(HENG_TRY(fields.integer("k", 1, 100)).value_or(query.k));
  const auto mode = HENG_TRY(fields.text("mode", 64)).value_or("hybrid");
  if (mode != "hybrid" && mode != "words" && mode != "meaning") return fields.wrong("mode", "\"hybrid\", \"words\" or \"meaning\"");
  query.mode = mode == "words" ? SearchMode::words : mode == "meaning" ? SearchMode::meaning : SearchMode::hybrid;
  return query;
}

http::Response search(Api& api, const http::Request& request, const SearchQuery& query, std::stop_token stop) {
  const auto ticket = api.open_record(request, query.principal, "search", query.kb.value, query.text);
  if (!ticket) return api.fail(request, ticket.error());
  const auto began = std::chrono::steady_clock::now();
  const auto found = api.services.knowledge.search(query, stop);
  AuditClose close;
  close.outcome = found ? "ok" : outcome_of(found.error());
  if (found) {
    DataClass highest = DataClass::c1;
    for (const auto& passage : *found) {
      close.passages.push_back({passage.chunk, passage.sha256, passage.document_path, passage.page});
      highest = std::max(highest, passage.labels.data_class);
    }
    if (highest != DataClass::c1) close.verdicts.push_back({"data_class", "1", class_name(highest), "the highest class of the passages found"});
  }
  close.total_ms = elapsed_ms(began);
  const auto closed = api.close_record(*ticket, std::move(close));
  if (!found) return api.fail(request, found.error());
  if (!closed) return api.fail(request, closed.error());
  return http::Response::json(200, search_results_to_json(*found)).header("x-heng-audit-index", fmt::format("{}", ticket->index));
}

http::Step start_search(Api& api, http::Request& request, const Principal& principal) {
  auto query = read_search(request, principal);
  if (!query) return api.fail(request, query.error());
  http::Work work;
  work.run = [&api, &request, query = std::move(*query)](http::Stream&, std::stop_token stop) {
    return search(api, request, query, stop);
  };
  return work;
}

}  // namespace

bool is_kb_name(std::string_view name) {
  if (name.empty() || name.front() == '.' || !text::is_valid_utf8(name)) return false;
  bool is_ascii = true;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte == 0x7f || c == '/' || c == '\\' || c == '"') return false;
    is_ascii = is_ascii && byte < 0x80;
  }
  return text::code_points(name) <= (is_ascii ? 64 : 16);
}

bool is_role_name(std::string_view name) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; };
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), fits);
}

void add_kb_routes(Routes& routes, Api& api) {
  add(routes, api, "GET", "/v1/kb", access::Action::kb_list, Counts::no, list_bases);
  add(routes, api, "POST", "/v1/kb", access::Action::kb_manage, Counts::no, create_base);
  add(routes, api, "DELETE", "/v1/kb/{kb}", access::Action::kb_manage, Counts::no, remove_base);
  add(routes, api, "POST", "/v1/kb/{kb}/search", access::Action::search, Counts::yes, start_search);
}

}  // namespace heng::api
