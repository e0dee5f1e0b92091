#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "embedder.h"
#include "fields.h"
#include "heng/api/server.h"
#include "heng/http/server.h"
#include "metrics.h"

namespace heng::api {

/// Kinds of routes, for those that name no action of their own: everyone with a key, readers of the ledger, administrators.
enum class Access { key, auditor, admin };
enum class Counts { no, yes };   ///< Whether a request takes from the key's quota.

/// What all routes share. Lives as long as the server.
struct Api {
  Api(const ApiSettings& s, const Services& v) : settings(s), services(v), embedder(v.knowledge) {}

  const ApiSettings settings;
  const Services services;
  Metrics metrics;
  Embedder embedder;
  const http::Server* server = nullptr;
  std::string openapi;

  /// Who sends the request. Refusals are recorded. Errors: unauthenticated.
  Result<Principal> authenticate(const http::Request& request);
  /// The same with role and quota. Errors: unauthenticated, permission_denied, rate_limited.
  Result<Principal> admit(const http::Request& request, access::Action action, Counts counts);

  /// Opens a record. Errors: unavailable (nothing may run).
  Result<AuditTicket> open_record(const http::Request& request, const Principal& principal, std::string action,
                                  std::string resource, std::string subject);
  /// Closes it. Errors: unavailable (the result must be withheld).
  Result<AuditTicket> close_record(const AuditTicket& ticket, AuditClose close);
  /// Both at once.
  Result<AuditTicket> note(const http::Request& request, const Principal& principal, std::string action, std::string resource,
                           std::string subject, std::string outcome);

  /// The error as a response; a stop during the drain is explained as one.
  http::Response fail(const http::Request& request, Error error) const;
  /// The same; what the principal may not do (permission_denied, policy_denied, not_found, conflict) is recorded as refused.
  http::Response fail_recorded(const http::Request& request, const Principal& principal, Error error);
  /// Records a refusal, unless there are too many in this second. `why` stands in the record: no secrets, no text of the request.
  void refuse(const http::Request& request, const Principal& principal, const Error& error, const std::string& why = {}) { record_refusal(request, principal, error, why); }
  std::int64_t refusals_unrecorded() const { return refusals_unrecorded_; }

 private:
  void record_refusal(const http::Request& request, const Principal& principal, const Error& error, const std::string& why = {});

  std::mutex refusals_mutex_;
  std::int64_t refusals_second_ = 0;
  int refusals_in_second_ = 0;
  std::atomic<std::int64_t> refusals_unrecorded_{0};
};

using Routes = std::vector<http::Route>;
/// A handler behind a key: runs on the quick pool after admission.
using Action = std::function<http::Step(Api& api, http::Request& request, const Principal& principal)>;
void add(Routes& routes, Api& api, std::string method, std::string pattern, access::Action needs, Counts counts, Action action,
         std::size_t body_bytes = 0);
void add(Routes& routes, Api& api, std::string method, std::string pattern, Access access, Counts counts, Action action,
         std::size_t body_bytes = 0);
/// The token of "Authorization: Bearer …".
std::optional<std::string> bearer_of(const http::Request& request);

/// A JSON answer with the audit index in its header.
http::Response json_response(int status, const Json& value, std::int64_t audit_index = -1);
/// What whoever has logged in is given.
http::Response session_response(const Session& session);
/// "ok" or "error:<code>".
std::string outcome_of(const Error& error);

// One function for each group of routes; each in the file of its name.
void add_model_routes(Routes& routes, Api& api);
void add_chat_routes(Routes& routes, Api& api);
void add_kb_routes(Routes& routes, Api& api);
void add_document_routes(Routes& routes, Api& api);
void add_ask_routes(Routes& routes, Api& api);
void add_label_routes(Routes& routes, Api& api);
void add_admin_routes(Routes& routes, Api& api);
void add_review_routes(Routes& routes, Api& api);
void add_explain_routes(Routes& routes, Api& api);
void add_stop_routes(Routes& routes, Api& api);
void add_guard_routes(Routes& routes, Api& api);
void add_monitor_routes(Routes& routes, Api& api);
void add_user_routes(Routes& routes, Api& api);
void add_sign_in_routes(Routes& routes, Api& api);
void add_policy_routes(Routes& routes, Api& api);
void add_stream_routes(Routes& routes, Api& api);
void add_public_routes(Routes& routes, Api& api);
void add_extract_routes(Routes& routes, Api& api);
void add_vault_routes(Routes& routes, Api& api);
void add_batch_routes(Routes& routes, Api& api);

// The first steps of the routes that batches use too.
http::Step answer_label(Api& api, http::Request& request, const Principal& principal, Priority priority);
http::Step answer_extract(Api& api, http::Request& request, const Principal& principal, Priority priority);
http::Step answer_chat(Api& api, http::Request& request, const Principal& principal, Priority priority);
http::Step answer_embedding(Api& api, http::Request& request, const Principal& principal, Priority priority);

/// Asks a knowledge base in the shape of a chat completion.
http::Step chat_with_kb(Api& api, http::Request& request, const Principal& principal, struct ParsedChat parsed);

/// 1 to 64 ASCII characters, or 1 to 16 of any script; no spaces, slashes, quotes or control characters, no dot first.
bool is_kb_name(std::string_view name);
/// Letters, digits, '-' and '_', 1 to 64 of them.
bool is_role_name(std::string_view name);
/// "C1", "C2", "C3".
const char* class_name(DataClass data_class);
/// The field "clearance"; C1 where it is absent. Errors: invalid_argument.
Result<DataClass> read_clearance(const Fields& fields);
/// The field "roles". Errors: invalid_argument.
Result<std::vector<std::string>> read_roles(const Fields& fields);

/// The OpenAPI 3.1 description of the routes.
std::string openapi_document(const ApiSettings& settings);

}  // namespace heng::api
