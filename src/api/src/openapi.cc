#include <fmt/format.h>

#include "context.h"
#include "openapi_schemas.h"

namespace heng::api {
namespace {

Json ref(const std::string& name) { return {{"$ref", "#/components/schemas/" + name}}; }
Json json_content(const std::string& schema) { return {{"application/json", {{"schema", ref(schema)}}}}; }

struct Operation {
  std::string method, path, id, summary, tag;
  std::string request_schema;                                ///< Empty: no JSON body.
  std::vector<std::pair<int, std::string>> answers;          ///< Status → schema; empty schema: no body.
  std::string description = {};
  bool is_public = false;
  Json parameters = Json::array();
};

Json query_parameter(const char* name, const char* description, Json schema, bool required = false) {
  return {{"name", name}, {"in", "query"}, {"required", required}, {"description", description}, {"schema", std::move(schema)}};
}

Json path_parameter(const std::string& name) {
  Json schema{{"type", "string"}, {"minLength", 1}, {"pattern", "^[^/\\x00-\\x1f\\x7f]+$"}};
  if (name == "kb") schema["maxLength"] = 64;
  const bool is_number = name == "index" || name == "id:document";  // stops too
  if (is_number) schema = {{"type", "integer"}, {"minimum", 0}, {"maximum", 9007199254740991}};
  return {{"name", is_number && name != "index" ? "id" : name}, {"in", "path"}, {"required", true}, {"schema", std::move(schema)}};
}

Json parameters_of(const Operation& operation) {
  Json out = operation.parameters;
  for (std::size_t at = operation.path.find('{'); at != std::string::npos; at = operation.path.find('{', at + 1)) {
    const auto name = operation.path.substr(at + 1, operation.path.find('}', at) - at - 1);
    const bool is_document = name == "id" && (operation.path.find("/documents/") != std::string::npos || operation.path.find("/stops/") != std::string::npos);
    out.push_back(path_parameter(is_document ? "id:document" : name));
  }
  return out;
}

Json answer(int status, const std::string& schema) {
  const char* text = status == 201 ? "Made." : status == 204 ? "Done." : status == 503 ? "Not ready." : "The answer.";
  Json out{{"description", text}};
  if (!schema.empty()) out["content"] = json_content(schema);
  return out;
}

void add_refusals(Json& operation) {
  for (const char* name : {"400", "401", "403", "404", "408", "409", "413", "415", "429", "431", "500", "503", "504", "507"})
    operation["responses"][name] = {{"$ref", "#/components/responses/" + std::string(name == std::string("401") ? "Unauthorized" : "Error")}};
}

Json operation_value(const Operation& operation) {
  Json out{{"operationId", operation.id}, {"summary", operation.summary}, {"tags", Json::array({operation.tag})}};
  if (!operation.description.empty()) out["description"] = operation.description;
  auto parameters = parameters_of(operation);
  if (!parameters.empty()) out["parameters"] = std::move(parameters);
  if (!operation.request_schema.empty())
    out["requestBody"] = {{"required", true}, {"content", json_content(operation.request_schema)}};
  for (const auto& [status, schema] : operation.answers) out["responses"][std::to_string(status)] = answer(status, schema);
  if (operation.is_public) out["security"] = Json::array();
  else add_refusals(out);
  return out;
}

void stream_answer(Json& operation) {
  operation["responses"]["200"]["content"]["text/event-stream"] = {{"schema", {{"type", "object"}, {"properties", {{"event", {{"type", "string"}}}, {"data", {{"type", "string"}}}}}}}};
}

std::vector<Operation> model_operations() {
  return {{"post", "/v1/chat/completions", "createChatCompletion", "Chat, plain or with a knowledge base", "openai", "ChatRequest",
           {{200, "ChatCompletion"}},
           "OpenAI's chat completion. `model` is a loaded model or `heng/kb:NAME`. With `stream` the answer is an event stream that ends "
           "with `[DONE]`. Unknown fields are ignored."},
          {"post", "/v1/completions", "createCompletion", "Continue a text", "openai", "CompletionRequest", {{200, "Completion"}}},
          {"post", "/v1/embeddings", "createEmbedding", "Vectors of texts", "openai", "EmbeddingRequest", {{200, "EmbeddingList"}}},
          {"get", "/v1/models", "listModels", "Models and knowledge bases", "openai", "", {{200, "ModelList"}}},
          {"get", "/v1/models/{model}", "getModel", "One model", "openai", "", {{200, "Model"}}},
          {"post", "/v1/label", "label", "Label texts with a trained task", "reading", "LabelRequest", {{200, "LabelList"}},
           "One result for each text, in order; a text that cannot be read carries its own error."},
          {"get", "/v1/tasks", "listTasks", "Trained tasks", "reading", "", {{200, "TaskList"}}}};
}

std::vector<Operation> knowledge_operations() {
  return {{"get", "/v1/kb", "listKnowledgeBases", "Knowledge bases", "knowledge", "", {{200, "KnowledgeBaseList"}}},
          {"post", "/v1/kb", "createKnowledgeBase", "Make a knowledge base", "knowledge", "NewKnowledgeBase", {{201, "KnowledgeBase"}}},
          {"delete", "/v1/kb/{kb}", "deleteKnowledgeBase", "Delete a knowledge base with its documents", "knowledge", "", {{204, ""}}},
          {"post", "/v1/kb/{kb}/search", "search", "Find passages", "knowledge", "SearchRequest", {{200, "SearchResults"}}},
          {"get", "/v1/kb/{kb}/documents", "listDocuments", "Documents", "knowledge", "", {{200, "DocumentList"}}},
          {"get", "/v1/kb/{kb}/documents/{id}", "getDocument", "One document", "knowledge", "", {{200, "Document"}}},
          {"delete", "/v1/kb/{kb}/documents/{id}", "deleteDocument", "Delete a document", "knowledge", "", {{204, ""}}},
          {"get", "/v1/kb/{kb}/documents/{id}/passages", "listPassages", "All passages of a document", "knowledge", "",
           {{200, "PassageList"}}},
          {"post", "/v1/ask", "ask", "A checked answer with citations", "knowledge", "AskRequest", {{200, "Answer"}},
           "With `stream` the answer is an event stream: `stage`, `passages`, `sentence`, `answer`, or `error`."},
          {"post", "/v1/extract", "extract", "Events or entities of texts", "insight", "ExtractRequest", {{200, "Extraction"}},
           "`task` is a trained event task or `entities`. Results stand in the order of `items`; one that cannot be read has an error of its own."},
          {"post", "/v1/guard/scan", "scanText", "Personal data, secrets, attacks and forbidden promises in a text", "guard", "ScanRequest", {{200, "Verdict"}},
           "Positions are Unicode code points of the text sent. Nothing of the text is kept: the record holds its hash."},
          {"post", "/v1/feedback", "rate", "Rate an answer", "knowledge", "Rating", {{204, ""}}}};
}

std::vector<Operation> admin_operations() {
  std::vector<Operation> out{
      {"get", "/v1/me", "me", "Who the key belongs to", "account", "", {{200, "Me"}}},
      {"get", "/v1/keys", "listKeys", "Keys of the tenant (role admin)", "account", "", {{200, "KeyList"}}},
      {"post", "/v1/keys", "createKey", "Make a key; its secret is shown once (role admin)", "account", "NewKey", {{201, "NewKeyAnswer"}}},
      {"delete", "/v1/keys/{id}", "revokeKey", "Revoke a key (role admin)", "account", "", {{204, ""}}},
      {"get", "/v1/audit", "listRecords", "Newest records (roles auditor, admin)", "audit", "", {{200, "RecordList"}}},
      {"get", "/v1/audit/checkpoint", "checkpoint", "The latest signed checkpoint (roles auditor, admin)", "audit", "", {{200, "Record"}}},
      {"get", "/v1/audit/{index}", "getRecord", "One record (roles auditor, admin)", "audit", "", {{200, "Record"}}},
      {"get", "/v1/audit/{index}/proof", "prove", "Inclusion proof of a record (roles auditor, admin)", "audit", "", {{200, "Record"}}}};
  out[4].parameters = Json::array(
      {query_parameter("limit", "Most records.", {{"type", "integer"}, {"minimum", 1}, {"maximum", 1000}, {"default", 50}}),
       query_parameter("before", "Only records with a lower index.",
                       {{"type", "integer"}, {"minimum", 0}, {"maximum", 9007199254740991}})});
  for (Operation probe : {Operation{"get", "/healthz", "health", "Is the process alive", "operation", "", {{200, "Health"}}},
                          Operation{"get", "/readyz", "ready", "Can it answer", "operation", "", {{200, "Readiness"}, {503, "Readiness"}}}}) {
    probe.is_public = true;
    out.push_back(std::move(probe));
  }
  return out;
}

std::vector<Operation> govern_operations() {
  std::vector<Operation> out{
      {"get", "/v1/reviews", "listReviews", "The review queue (reviewers), or one's own items", "govern", "", {{200, "ReviewList"}}},
      {"post", "/v1/reviews", "submitReview", "Send an action to reviewers, or plant an error (supervisors)", "govern", "NewReview", {{201, "Review"}}},
      {"get", "/v1/reviews/quality", "reviewQuality", "Catch rates and agreement of reviewers", "govern", "", {{200, "ReviewQuality"}}},
      {"get", "/v1/reviews/{id}", "getReview", "One item: evidence first, then the text, then the reason", "govern", "", {{200, "Review"}}},
      {"post", "/v1/reviews/{id}/decide", "decideReview", "Approve, edit or reject the text with this hash", "govern", "ReviewChoice", {{200, "Review"}}},
      {"post", "/v1/reviews/{id}/redeem", "redeemReview", "Use up the approval of an action", "govern", "ReviewHash", {{200, "Review"}}},
      {"get", "/v1/stops", "listStops", "What is halted", "govern", "", {{200, "StopList"}}},
      {"post", "/v1/stops", "stop", "Halt a model, a tool, a desk, a tenant or everything", "govern", "NewStop", {{201, "StopInfo"}}},
      {"post", "/v1/stops/{id}/resume", "resume", "Ask to lift a stop, or agree as the second person", "govern", "Reason", {{200, "StopInfo"}}},
      {"get", "/v1/monitor", "monitor", "Usage, refusals, drift, quality and alerts of the last hours", "govern", "", {{200, "Record"}}},
      {"get", "/v1/vault", "listVault", "Tokens of masked values, never a value", "govern", "", {{200, "VaultList"}}},
      {"get", "/v1/vault/requests", "listUnmaskRequests", "Requests to unmask: the own ones, or all for who decides", "govern", "", {{200, "UnmaskList"}}},
      {"post", "/v1/vault/requests", "requestUnmask", "Ask to read the value behind a token, with a reason", "govern", "NewUnmask", {{201, "UnmaskRequest"}}},
      {"post", "/v1/vault/requests/{id}/decide", "decideUnmask", "Approve or reject as the second person (roles privacy, supervisor)", "govern", "UnmaskChoice", {{200, "UnmaskRequest"}}},
      {"post", "/v1/vault/requests/{id}/show", "showUnmasked", "Read the value, once, after approval", "govern", "", {{200, "Unmasked"}}},
      {"post", "/v1/logout", "logout", "End the session", "account", "", {{204, ""}}},
      {"get", "/v1/users", "listUsers", "Accounts of the tenant (role admin)", "account", "", {{200, "UserList"}}},
      {"post", "/v1/users", "createUser", "Make an account (role admin)", "account", "NewUser", {{201, "User"}}},
      {"delete", "/v1/users/{user}", "disableUser", "Disable an account and end its sessions (role admin)", "account", "", {{204, ""}}},
      {"get", "/v1/audit/{index}/explain", "explain", "One page: why this answer is as it is (roles auditor, admin)", "audit", "", {{200, "Record"}}}};
  for (auto& operation : out)
    if (operation.id == "monitor") operation.parameters = Json::array({query_parameter("hours", "Length of the window; it is compared with the one before.", {{"type", "integer"}, {"minimum", 1}, {"maximum", 8784}, {"default", 24}})});
  for (auto& operation : out) {
    if (operation.id == "listVault" || operation.id == "listUnmaskRequests")
      operation.parameters.push_back(query_parameter("limit", "Most entries.", {{"type", "integer"}, {"minimum", 1}, {"maximum", 500}, {"default", 50}}));
    if (operation.id == "listVault")
      for (const char* name : {"token", "type"}) operation.parameters.push_back(query_parameter(name, "Only these.", {{"type", "string"}, {"maxLength", 200}, {"pattern", "^[^\\x00-\\x1f\\x7f]*$"}}));
  }
  out.back().parameters = Json::array({query_parameter("format", "JSON, a page, or text.", {{"enum", {"json", "html", "text"}}}), query_parameter("lang", "Of the page.", {{"enum", {"en", "zh"}}})});
  out[0].parameters = Json::array({query_parameter("limit", "Most items.", {{"type", "integer"}, {"minimum", 1}, {"maximum", 500}, {"default", 50}}),
                                   query_parameter("state", "Only these.", {{"enum", {"waiting", "approved", "rejected", "expired", "all"}}})});
  out[6].parameters = Json::array({query_parameter("lifted", "Show what was lifted too.", {{"type", "boolean"}})});
  return out;
}

/// Logging in needs no key, but may be refused like everything else.
void add_login(Json& paths) {
  Operation login{"post", "/v1/login", "login", "A session for a name, a password and, where it is set, a code", "account", "Credentials", {{200, "Session"}}};
  auto value = operation_value(login);
  value["security"] = Json::array();
  paths[login.path]["post"] = std::move(value);
}

/// The operations whose bodies are not JSON.
void add_raw_operations(Json& paths) {
  const Json binary{{"type", "string"}, {"format", "binary"}};
  Operation upload{"post", "/v1/kb/{kb}/documents", "addDocument", "Add or replace a document", "knowledge", "", {{201, "IngestReport"}, {200, "IngestReport"}},
                   "201: stored and findable by words; vectors follow. 200: nothing was stored, `outcome` says why."};
  upload.parameters = Json::array(
      {query_parameter("path", "The name it is kept under.", {{"type", "string"}, {"minLength", 1}, {"maxLength", 256},
                       {"pattern", "^[^\\x00-\\x1f\\x7f]+$"}}, true),
       query_parameter("readers", "Roles that may read it, separated by commas; empty: all.", {{"type", "string"}, {"pattern", "^[^,\\x00-\\x1f\\x7f]{0,32}(,[^,\\x00-\\x1f\\x7f]{0,32}){0,63}$"}})});
  auto value = operation_value(upload);
  value["requestBody"] = {{"required", false}, {"content", {{"application/octet-stream", {{"schema", binary}}}}}};
  paths[upload.path]["post"] = std::move(value);

  Operation original{"get", "/v1/kb/{kb}/documents/{id}/original", "getOriginal", "The document as it was uploaded", "knowledge", "", {{200, ""}}};
  value = operation_value(original);
  value["responses"]["200"]["content"] = {{"*/*", {{"schema", binary}}}};
  paths[original.path]["get"] = std::move(value);

  Operation metrics{"get", "/metrics", "metrics", "Prometheus metrics", "operation", "", {{200, ""}}};
  metrics.is_public = true;
  value = operation_value(metrics);
  value["responses"]["200"]["content"] = {{"text/plain", {{"schema", {{"type", "string"}}}}}};
  paths[metrics.path]["get"] = std::move(value);
}

Json shared_responses() {
  Json error{{"description", "Refused or failed; `error.message` says what to do."}, {"content", json_content("Error")}};
  Json unauthorized = error;
  unauthorized["headers"]["WWW-Authenticate"] = {{"required", true}, {"schema", {{"type", "string"}}}};
  return {{"Error", std::move(error)}, {"Unauthorized", std::move(unauthorized)}};
}

}  // namespace

std::string openapi_document(const ApiSettings& settings) {
  Json out{{"openapi", "3.1.0"},
           {"info", {{"title", "Heng"}, {"version", settings.version},
                     {"description", "A financial institution's own language model platform: OpenAI-compatible models, knowledge bases with "
                                     "checked and cited answers, and an audit ledger."}}},
           {"security", Json::array({{{"key", Json::array()}}})},
           {"paths", Json::object()}};
  for (const auto& group : {model_operations(), knowledge_operations(), admin_operations(), govern_operations()})
    for (const auto& operation : group) {
      auto value = operation_value(operation);
      if (operation.id == "createChatCompletion" || operation.id == "createCompletion" || operation.id == "ask") stream_answer(value);
      if (operation.id == "explain")
        for (const char* type : {"text/html", "text/plain"}) value["responses"]["200"]["content"][type] = {{"schema", {{"type", "string"}}}};
      out["paths"][operation.path][operation.method] = std::move(value);
    }
  add_raw_operations(out["paths"]);
  add_login(out["paths"]);
  for (const char* written : {openapi_stream_paths(), openapi_access_paths(), openapi_batch_paths()}) {
    Json paths = Json::parse(written);
    for (auto& [path, methods] : paths.items()) {
      for (auto& [method, operation] : methods.items()) add_refusals(operation);
      out["paths"][path] = std::move(methods);
    }
  }
  Json schemas = Json::parse(openapi_schemas());
  schemas.update(Json::parse(openapi_govern_schemas()));
  schemas.update(Json::parse(openapi_stream_schemas()));
  schemas.update(Json::parse(openapi_access_schemas()));
  schemas.update(Json::parse(openapi_batch_schemas()));
  out["components"] = {{"schemas", std::move(schemas)},
                       {"parameters", {{"Id", path_parameter("id")}}},
                       {"responses", shared_responses()},
                       {"securitySchemes", {{"key", {{"type", "http"}, {"scheme", "bearer"}, {"description", "A key: heng_…"}}}}}};
  return dump(out);
}

}  // namespace heng::api
