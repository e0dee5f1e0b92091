#include <fmt/format.h>

#include "context.h"
#include "heng/base/hash.h"
#include "heng/base/text.h"
#include "heng/http/multipart.h"
#include "json_parts.h"

namespace heng::api {
namespace {

constexpr std::size_t most_path = 256;   // characters
constexpr std::size_t most_role = 32;
constexpr std::size_t most_readers = 64;

KbName kb_of(const http::Request& request) { return KbName(std::string(request.param("kb"))); }

Result<DocumentId> document_of(const http::Request& request) {
  return DocumentId(HENG_TRY(parse_integer(request.param("id"), "id", 0, most_integer)));
}

struct Upload {
  IngestItem item;
  std::vector<std::string> readers;
};

void add_readers(std::string_view list, Upload& upload) {
  if (!text::is_valid_utf8(list)) {
    upload.readers.emplace_back(list);  // refused with the rest of the check
    return;
  }
  for (const auto role : text::split(list, ','))
    if (!text::trim(role).empty()) upload.readers.emplace_back(text::trim(role));
}

Result<void> check_readers(const std::vector<std::string>& readers) {
  if (readers.size() > most_readers)
    return Error(ErrorCode::invalid_argument, fmt::format("'readers' names {} roles, the limit is {}", readers.size(), most_readers), "readers");
  for (const auto& role : readers)
    if (!text::is_valid_utf8(role) || text::code_points(role) > most_role)
      return Error(ErrorCode::invalid_argument, fmt::format("a role in 'readers' must be valid UTF-8 of at most {} characters", most_role), "readers");
  return {};
}

Result<void> read_form(http::Request& request, Upload& upload) {
  const auto parts = HENG_TRY(http::parse_multipart(request.header("content-type").value_or(""), request.body));
  bool has_file = false;
  std::string bytes;
  for (const auto& part : parts) {
    if (part.name == "file" && has_file)
      return Error(ErrorCode::unsupported, "the form holds several files; send one document a request", "file");
    if (part.name == "file") {
      has_file = true;
      bytes = std::string(part.content);
      if (upload.item.path.empty()) upload.item.path = part.filename;
    } else if (part.name == "path" && upload.item.path.empty()) {
      upload.item.path = std::string(part.content);
    } else if (part.name == "readers") {
      add_readers(part.content, upload);
    }
  }
  if (!has_file) return Error(ErrorCode::invalid_argument, "the form has no field 'file'", "file");
  upload.item.bytes = std::move(bytes);
  std::string().swap(request.body);
  return {};
}

Result<Upload> read_upload(http::Request& request) {
  Upload upload;
  upload.item.path = std::string(request.query_value("path").value_or(""));
  add_readers(request.query_value("readers").value_or(""), upload);
  const auto type = request.header("content-type").value_or("");
  if (text::starts_with_ci(type, "multipart/form-data")) {
    HENG_TRY(read_form(request, upload));
  } else {
    upload.item.bytes = std::move(request.body);
  }
  if (upload.item.path.empty())
    return Error(ErrorCode::invalid_argument, "the document needs a name: ?path=NAME, or the form's file name", "path");
  if (!text::is_valid_utf8(upload.item.path) || text::code_points(upload.item.path) > most_path)
    return Error(ErrorCode::invalid_argument, fmt::format("'path' must be valid UTF-8 of at most {} characters", most_path), "path");
  for (const unsigned char c : upload.item.path)
    if (c < 0x20 || c == 0x7f) return Error(ErrorCode::invalid_argument, "'path' holds a control character", "path");
  HENG_TRY(check_readers(upload.readers));
  return upload;
}

http::Response ingest(Api& api, http::Request& request, const Principal& principal, std::stop_token stop) {
  auto upload = read_upload(request);
  if (!upload) return api.fail(request, upload.error());
  if (!principal.data_subject.empty()) upload->readers.push_back("subject=" + principal.data_subject);
  const auto kb = kb_of(request);
  const auto sha256 = sha256_hex(upload->item.bytes);
  const auto ticket = api.open_record(request, principal, "ingest", kb.value,
                                      dump({{"path", upload->item.path}, {"sha256", sha256}, {"size_bytes", upload->item.bytes.size()},
                                            {"readers", upload->readers}}));
  if (!ticket) return api.fail(request, ticket.error());
  const auto began = std::chrono::steady_clock::now();
  const auto report = api.services.knowledge.ingest(principal, kb, upload->item, upload->readers, stop);
  AuditClose close;
  close.outcome = !report ? outcome_of(report.error()) : report->error ? outcome_of(*report->error) : "ok";
  if (report) close.output = to_json(*report);
  close.total_ms = elapsed_ms(began);
  const auto closed = api.close_record(*ticket, std::move(close));
  if (!report) return api.fail(request, report.error());
  api.metrics.ingested(*report);
  const bool stored = report->outcome == IngestOutcome::added || report->outcome == IngestOutcome::replaced;
  if (stored) api.embedder.add(kb);
  if (!closed) return api.fail(request, closed.error());
  return json_response(stored ? 201 : 200, report_value(*report), ticket->index);
}

http::Step start_ingest(Api& api, http::Request& request, const Principal& principal) {
  http::Work work;
  work.run = [&api, &request, principal](http::Stream&, std::stop_token stop) { return ingest(api, request, principal, stop); };
  return work;
}

http::Step list_documents(Api& api, http::Request& request, const Principal& principal) {
  const auto documents = api.services.knowledge.documents(principal, kb_of(request));
  if (!documents) return api.fail(request, documents.error());
  Json out{{"documents", Json::array()}};
  for (const auto& document : *documents) out["documents"].push_back(document_value(document));
  return json_response(200, out);
}

http::Step get_document(Api& api, http::Request& request, const Principal& principal) {
  const auto id = document_of(request);
  if (!id) return api.fail(request, id.error());
  const auto document = api.services.knowledge.document(principal, kb_of(request), *id);
  if (!document) return api.fail(request, document.error());
  return json_response(200, document_value(*document));
}

http::Step remove_document(Api& api, http::Request& request, const Principal& principal) {
  const auto id = document_of(request);
  if (!id) return api.fail(request, id.error());
  http::Work work;
  work.run = [&api, &request, principal, id = *id](http::Stream&, std::stop_token) {
    const auto kb = kb_of(request);
    const auto ticket = api.open_record(request, principal, "document.delete", kb.value, fmt::format("{}", id.value));
    if (!ticket) return api.fail(request, ticket.error());
    const auto removed = api.services.knowledge.remove_document(principal, kb, id);
    AuditClose close;
    close.outcome = removed ? "ok" : outcome_of(removed.error());
    const auto closed = api.close_record(*ticket, std::move(close));
    if (!removed) return api.fail(request, removed.error());
    if (!closed) return api.fail(request, closed.error());
    return http::Response::empty(204).header("x-heng-audit-index", fmt::format("{}", ticket->index));
  };
  return work;
}

/// A file name for content-disposition: the last part of the path, other characters percent-encoded (RFC 8187).
std::string disposition_of(const std::string& path) {
  const auto name = path.substr(path.find_last_of("/\\") + 1);
  std::string encoded;
  for (const unsigned char c : name) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_';
    encoded += plain ? std::string(1, static_cast<char>(c)) : fmt::format("%{:02X}", c);
  }
  return "attachment; filename*=UTF-8''" + encoded;
}

http::Response original(Api& api, const http::Request& request, const Principal& principal, DocumentId id) {
  const auto kb = kb_of(request);
  const auto document = api.services.knowledge.document(principal, kb, id);
  if (!document) return api.fail(request, document.error());
  const auto noted = api.note(request, principal, "document.read", kb.value, fmt::format("{}", id.value), "ok");
  if (!noted) return api.fail(request, noted.error());
  auto bytes = api.services.knowledge.original(principal, kb, id);
  if (!bytes) return api.fail(request, bytes.error());
  http::Response response;
  response.body = std::move(*bytes);
  response.header("content-type", document->media_type.empty() ? "application/octet-stream" : document->media_type);
  // a document is somebody else's HTML: a browser must neither run nor frame it
  response.header("content-security-policy", "sandbox; default-src 'none'");
  response.header("content-disposition", disposition_of(document->path));
  return response;
}

http::Step get_original(Api& api, http::Request& request, const Principal& principal) {
  const auto id = document_of(request);
  if (!id) return api.fail(request, id.error());
  http::Work work;
  work.run = [&api, &request, principal, id = *id](http::Stream&, std::stop_token) { return original(api, request, principal, id); };
  return work;
}

http::Step get_passages(Api& api, http::Request& request, const Principal& principal) {
  const auto id = document_of(request);
  if (!id) return api.fail(request, id.error());
  http::Work work;
  work.run = [&api, &request, principal, id = *id](http::Stream&, std::stop_token) {
    const auto kb = kb_of(request);
    const auto passages = api.services.knowledge.document_passages(principal, kb, id);
    if (!passages) return api.fail(request, passages.error());
    const auto noted = api.note(request, principal, "document.read", kb.value, fmt::format("{}", id.value), "ok");
    if (!noted) return api.fail(request, noted.error());
    return http::Response::json(200, passages_to_json(*passages));
  };
  return work;
}

}  // namespace

void add_document_routes(Routes& routes, Api& api) {
  const std::string all = "/v1/kb/{kb}/documents";
  const std::string one = all + "/{id}";
  add(routes, api, "GET", all, access::Action::document_read, Counts::no, list_documents);
  add(routes, api, "POST", all, access::Action::document_manage, Counts::yes, start_ingest, api.settings.document_bytes);
  add(routes, api, "GET", one, access::Action::document_read, Counts::no, get_document);
  add(routes, api, "DELETE", one, access::Action::document_manage, Counts::no, remove_document);
  add(routes, api, "GET", one + "/original", access::Action::document_read, Counts::no, get_original);
  add(routes, api, "GET", one + "/passages", access::Action::document_read, Counts::no, get_passages);
}

}  // namespace heng::api
