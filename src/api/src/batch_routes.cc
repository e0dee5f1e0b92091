// Files and batches, in OpenAI's shapes.
#include <fmt/format.h>

#include <optional>

#include "batch_executor.h"
#include "context.h"
#include "heng/base/hash.h"
#include "heng/base/text.h"
#include "heng/http/multipart.h"

namespace heng::api {
namespace {

Result<Batches*> batches_of(const Api& api) {
  if (api.services.batches == nullptr) return Error(ErrorCode::unsupported, "this server keeps no files and runs no batches");
  return api.services.batches;
}

Json seconds(std::int64_t unix_ms) { return unix_ms == 0 ? Json(nullptr) : Json(unix_ms / 1000); }
Json id_or_null(const std::string& id) { return id.empty() ? Json(nullptr) : Json(id); }

Json file_value(const StoredFile& file) {
  return {{"id", file.id}, {"object", "file"}, {"bytes", file.bytes}, {"created_at", file.created_ms / 1000}, {"expires_at", seconds(file.expires_ms)}, {"filename", file.name},
          {"purpose", file.purpose}, {"status", "processed"}, {"status_details", nullptr}, {"heng", {{"sha256", file.sha256}}}};
}

template <class T, class Value>
Json page_value(const Page<T>& page, Value value) {
  Json data = Json::array();
  for (const auto& item : page.items) data.push_back(value(item));
  const bool any = !page.items.empty();
  return {{"object", "list"}, {"data", std::move(data)}, {"first_id", any ? Json(page.items.front().id) : Json(nullptr)}, {"last_id", any ? Json(page.items.back().id) : Json(nullptr)}, {"has_more", page.more}};
}

Result<std::string> text_of(const http::Request& request, const char* name) {
  const auto value = request.query_value(name);
  if (!value) return std::string();
  if (text::code_points(*value) > 256) return Error(ErrorCode::invalid_argument, fmt::format("'{}' is longer than 256 characters", name), name);
  return std::string(*value);
}

Result<int> limit_of(const http::Request& request, int most, int otherwise) {
  const auto value = request.query_value("limit");
  if (!value) return otherwise;
  return static_cast<int>(HENG_TRY(parse_integer(*value, "limit", 1, most)));
}

/// Does it between the two halves of a record.
template <class Run, class Value>
http::Response recorded(Api& api, const http::Request& request, const Principal& principal, const char* action, const std::string& resource, const std::string& subject, Run run, Value value) {
  const auto ticket = api.open_record(request, principal, action, resource, subject);
  if (!ticket) return api.fail(request, ticket.error());
  const auto done = run();
  AuditClose close;
  close.outcome = done.ok() ? "ok" : outcome_of(done.error());
  Json out;
  if (done.ok()) {
    out = value(*done);
    close.output = out.value("id", "");
  }
  const auto closed = api.close_record(*ticket, std::move(close));
  if (!done.ok()) return api.fail(request, done.error());
  if (!closed) return api.fail(request, closed.error());
  return json_response(200, out, ticket->index);
}

// ---- files

struct Upload {
  std::string name, purpose;
  std::string_view bytes;              ///< In the request's body.
  std::int64_t keep_s = 0;
};

Result<Upload> read_upload(const http::Request& request) {
  Upload out;
  bool has_file = false;
  std::string anchor = "created_at";
  for (const auto& part : HENG_TRY(http::parse_multipart(request.header("content-type").value_or(""), request.body))) {
    if (part.name == "file") {
      if (has_file) return Error(ErrorCode::unsupported, "the form holds several files; send one a request", "file");
      has_file = true;
      out.bytes = part.content;
      out.name = part.filename.empty() ? "upload" : part.filename;
    } else if (part.name == "purpose") {
      out.purpose = std::string(part.content);
    } else if (part.name == "expires_after[anchor]") {
      anchor = std::string(part.content);
    } else if (part.name == "expires_after[seconds]") {
      out.keep_s = HENG_TRY(parse_integer(part.content, "expires_after[seconds]", 1, most_integer));
    }
  }
  if (!has_file) return Error(ErrorCode::invalid_argument, "the form has no field 'file'", "file");
  if (out.purpose.empty()) return Error(ErrorCode::invalid_argument, "the form has no field 'purpose'; it must be \"batch\"", "purpose");
  if (anchor != "created_at") return Error(ErrorCode::invalid_argument, "'expires_after[anchor]' must be \"created_at\"", "expires_after");
  return out;
}

http::Step add_file(Api& api, http::Request& request, const Principal& principal) {
  const auto batches = batches_of(api);
  if (!batches) return api.fail(request, batches.error());
  http::Work work;
  work.run = [&api, &request, principal, batches = *batches](http::Stream&, std::stop_token) -> http::Response {
    const auto upload = read_upload(request);
    if (!upload) return api.fail(request, upload.error());
    const auto name = text::replace_invalid_utf8(upload->name.substr(0, 1000));
    const auto subject = dump({{"name", name}, {"purpose", text::replace_invalid_utf8(upload->purpose.substr(0, 80))}, {"bytes", upload->bytes.size()}, {"sha256", sha256_hex(upload->bytes)}});
    return recorded(api, request, principal, "file.add", "files", subject, [&] { return batches->add_file(principal, {upload->name, upload->purpose, upload->bytes, upload->keep_s}); }, file_value);
  };
  return work;
}

http::Step list_files(Api& api, http::Request& request, const Principal& principal) {
  const auto page = [&]() -> Result<Page<StoredFile>> {
    const auto batches = HENG_TRY(batches_of(api));
    FileQuery query;
    query.purpose = HENG_TRY(text_of(request, "purpose"));
    query.after = HENG_TRY(text_of(request, "after"));
    query.limit = HENG_TRY(limit_of(request, 10'000, 10'000));
    const auto order = HENG_TRY(text_of(request, "order"));
    if (!order.empty() && order != "asc" && order != "desc") return Error(ErrorCode::invalid_argument, "'order' must be \"asc\" or \"desc\"", "order");
    query.oldest_first = order == "asc";
    return batches->files(principal, query);
  }();
  if (!page) return api.fail(request, page.error());
  return json_response(200, page_value(*page, file_value));
}

http::Step get_file(Api& api, http::Request& request, const Principal& principal) {
  const auto batches = batches_of(api);
  if (!batches) return api.fail(request, batches.error());
  const auto file = (*batches)->file(principal, std::string(request.param("id")));
  if (!file) return api.fail_recorded(request, principal, file.error());
  return json_response(200, file_value(*file));
}

http::Step get_content(Api& api, http::Request& request, const Principal& principal) {
  const auto batches = batches_of(api);
  if (!batches) return api.fail(request, batches.error());
  const std::string id(request.param("id"));
  const auto file = (*batches)->file(principal, id);
  if (!file) return api.fail_recorded(request, principal, file.error());
  const auto noted = api.note(request, principal, "file.read", id, file->sha256, "ok");
  if (!noted) return api.fail(request, noted.error());
  http::Response head;
  head.header("content-type", "application/jsonl").header("content-disposition", "attachment").header("x-heng-audit-index", fmt::format("{}", noted->index));
  http::Work work;
  work.stream_head = std::move(head);
  work.run = [&api, &request, principal, id, batches = *batches](http::Stream& stream, std::stop_token stop) -> http::Response {
    const auto done = batches->content(principal, id, [&](std::string_view bytes) { return !stop.stop_requested() && stream.write(bytes); });
    if (!done.ok()) return api.fail(request, done.error());
    return http::Response::empty(200);
  };
  return work;
}

http::Step remove_file(Api& api, http::Request& request, const Principal& principal) {
  const auto batches = batches_of(api);
  if (!batches) return api.fail(request, batches.error());
  http::Work work;
  work.run = [&api, &request, principal, batches = *batches](http::Stream&, std::stop_token) -> http::Response {
    const std::string id(request.param("id"));
    return recorded(api, request, principal, "file.delete", text::replace_invalid_utf8(id.substr(0, 80)), "", [&]() -> Result<std::string> {
      HENG_TRY(batches->remove_file(principal, id));
      return id;
    }, [](const std::string& gone) { return Json{{"id", gone}, {"object", "file"}, {"deleted", true}}; });
  };
  return work;
}

// ---- batches

Result<NewBatch> read_batch(const http::Request& request) {
  const auto json = HENG_TRY(parse_object(request.body));
  const Fields fields(json);
  NewBatch out;
  out.endpoint = HENG_TRY(fields.required_text("endpoint", 64));
  out.input_file = HENG_TRY(fields.required_text("input_file_id", 64));
  out.window = HENG_TRY(fields.required_text("completion_window", 16));
  if (const auto* metadata = HENG_TRY(fields.object("metadata")))
    for (const auto& [name, value] : metadata->items()) {
      if (!value.is_string()) return fields.wrong("metadata", "an object of texts");
      out.metadata.emplace_back(name, value.get<std::string>());
    }
  if (const auto* expires = HENG_TRY(fields.object("output_expires_after"))) {
    const Fields inner(*expires, "output_expires_after");
    if (HENG_TRY(inner.text("anchor", 64)).value_or("created_at") != "created_at") return inner.wrong("anchor", "\"created_at\"");
    out.keep_output_s = HENG_TRY(inner.integer("seconds", 3600, 2'592'000)).value_or(0);
  }
  return out;
}

http::Step create_batch(Api& api, http::Request& request, const Principal& principal) {
  const auto batches = batches_of(api);
  if (!batches) return api.fail(request, batches.error());
  auto wanted = read_batch(request);
  if (!wanted) return api.fail(request, wanted.error());
  http::Work work;
  work.run = [&api, &request, principal, batches = *batches, wanted = std::move(*wanted)](http::Stream&, std::stop_token) -> http::Response {
    return recorded(api, request, principal, "batch.create", wanted.endpoint, dump({{"input_file_id", wanted.input_file}, {"completion_window", wanted.window}}),
                    [&] { return batches->create(principal, wanted); }, batch_value);
  };
  return work;
}

http::Step list_batches(Api& api, http::Request& request, const Principal& principal) {
  const auto page = [&]() -> Result<Page<BatchInfo>> {
    const auto batches = HENG_TRY(batches_of(api));
    const auto after = HENG_TRY(text_of(request, "after"));
    return batches->batches(principal, after, HENG_TRY(limit_of(request, 100, 20)));
  }();
  if (!page) return api.fail(request, page.error());
  return json_response(200, page_value(*page, batch_value));
}

http::Step get_batch(Api& api, http::Request& request, const Principal& principal) {
  const auto batches = batches_of(api);
  if (!batches) return api.fail(request, batches.error());
  const auto batch = (*batches)->batch(principal, std::string(request.param("id")));
  if (!batch) return api.fail_recorded(request, principal, batch.error());
  return json_response(200, batch_value(*batch));
}

http::Step cancel_batch(Api& api, http::Request& request, const Principal& principal) {
  const auto batches = batches_of(api);
  if (!batches) return api.fail(request, batches.error());
  http::Work work;
  work.run = [&api, &request, principal, batches = *batches](http::Stream&, std::stop_token) -> http::Response {
    const std::string id(request.param("id"));
    return recorded(api, request, principal, "batch.cancel", text::replace_invalid_utf8(id.substr(0, 80)), "", [&] { return batches->cancel(principal, id); }, batch_value);
  };
  return work;
}

constexpr std::size_t form_bytes = 64 * 1024;   // around the file

}  // namespace

Json batch_value(const BatchInfo& b) {
  Json errors = nullptr;
  if (!b.problems.empty()) {
    errors = {{"object", "list"}, {"data", Json::array()}};
    for (const auto& p : b.problems)
      errors["data"].push_back({{"code", p.code}, {"message", p.message}, {"param", id_or_null(p.param)}, {"line", p.line > 0 ? Json(p.line) : Json(nullptr)}});
  }
  Json metadata = nullptr;
  if (!b.metadata.empty()) {
    metadata = Json::object();
    for (const auto& [name, value] : b.metadata) metadata[name] = value;
  }
  return {{"id", b.id}, {"object", "batch"}, {"endpoint", b.endpoint}, {"errors", std::move(errors)}, {"input_file_id", b.input_file}, {"completion_window", b.window}, {"status", to_string(b.status)},
          {"output_file_id", id_or_null(b.output_file)}, {"error_file_id", id_or_null(b.error_file)}, {"created_at", b.created_ms / 1000}, {"in_progress_at", seconds(b.in_progress_ms)},
          {"expires_at", seconds(b.expires_ms)}, {"finalizing_at", seconds(b.finalizing_ms)}, {"completed_at", seconds(b.completed_ms)}, {"failed_at", seconds(b.failed_ms)},
          {"expired_at", seconds(b.expired_ms)}, {"cancelling_at", seconds(b.cancelling_ms)}, {"cancelled_at", seconds(b.cancelled_ms)},
          {"request_counts", {{"total", b.total}, {"completed", b.completed}, {"failed", b.failed}}},
          {"usage", {{"input_tokens", b.usage.prompt_tokens}, {"input_tokens_details", {{"cached_tokens", b.usage.cached_tokens}}}, {"output_tokens", b.usage.completion_tokens},
                     {"output_tokens_details", {{"reasoning_tokens", 0}}}, {"total_tokens", b.usage.prompt_tokens + b.usage.completion_tokens}}},
          {"metadata", std::move(metadata)}};
}

void add_batch_routes(Routes& routes, Api& api) {
  add(routes, api, "POST", "/v1/files", Access::key, Counts::yes, add_file, api.settings.batch_file_bytes + form_bytes);
  add(routes, api, "GET", "/v1/files", Access::key, Counts::no, list_files);
  add(routes, api, "GET", "/v1/files/{id}", Access::key, Counts::no, get_file);
  add(routes, api, "GET", "/v1/files/{id}/content", Access::key, Counts::no, get_content);
  add(routes, api, "DELETE", "/v1/files/{id}", Access::key, Counts::no, remove_file);
  add(routes, api, "POST", "/v1/batches", Access::key, Counts::yes, create_batch);
  add(routes, api, "GET", "/v1/batches", Access::key, Counts::no, list_batches);
  add(routes, api, "GET", "/v1/batches/{id}", Access::key, Counts::no, get_batch);
  add(routes, api, "POST", "/v1/batches/{id}/cancel", Access::key, Counts::no, cancel_batch);
}

}  // namespace heng::api
