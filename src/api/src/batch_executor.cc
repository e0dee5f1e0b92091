#include "batch_executor.h"

#include <fmt/format.h>

#include <algorithm>

#include "heng/base/clock.h"

namespace heng::api {
namespace {

constexpr auto believed_for = std::chrono::milliseconds(500);
constexpr std::size_t most_seen = 1000;
constexpr int most_tries_unavailable = 5;
constexpr long retry_ms = 1000;

struct Endpoint {
  const char* path;
  access::Action action;
  http::Step (*answer)(Api&, http::Request&, const Principal&, Priority);
};
constexpr Endpoint endpoints[] = {{"/v1/label", access::Action::me, answer_label},
                                  {"/v1/extract", access::Action::me, answer_extract},
                                  {"/v1/chat/completions", access::Action::chat, answer_chat},
                                  {"/v1/embeddings", access::Action::embed, answer_embedding}};

const Endpoint* find_endpoint(const std::string& path) {
  for (const auto& endpoint : endpoints)
    if (path == endpoint.path) return &endpoint;
  return nullptr;
}

/// Lines are not streamed.
class NoStream final : public http::Stream {
 public:
  bool write(std::string_view) override { return false; }
  bool started() const override { return false; }
};

/// The answer of a response; what says "not now" is to be asked again.
BatchAnswer answer_of(const http::Response& response) {
  BatchAnswer out{response.status, response.body, 0, 0};
  if (response.status != 429 && response.status != 503) return out;
  out.retry_after_ms = retry_ms;
  for (const auto& [name, value] : response.headers)
    if (name == "retry-after")
      if (const auto seconds = parse_integer(value, name, 0, 86'400); seconds.ok()) out.retry_after_ms = std::max<long>(retry_ms, static_cast<long>(*seconds) * 1000);
  const auto json = Json::parse(response.body, nullptr, false);
  const bool unavailable = json.is_object() && json.contains("error") && json["error"].value("code", "") == "unavailable";
  if (unavailable) out.most_tries = most_tries_unavailable;
  return out;
}

}  // namespace

/// Whether the key, or the person behind the session, is there and in force.
Result<bool> LineExecutor::look_up(const Principal& principal) const {
  if (principal.key.value.starts_with("session:")) {
    if (api_.services.users == nullptr) return false;
    for (const auto& user : HENG_TRY(api_.services.users->users(principal.tenant)))
      if (user.user == principal.user) return !user.disabled;
    return false;
  }
  const auto now = system_clock().unix_ms();
  for (const auto& key : HENG_TRY(api_.services.identity.keys(principal.tenant)))
    if (key.id == principal.key) return !key.revoked && (key.expires_ms == 0 || key.expires_ms > now);
  return false;
}

Result<void> LineExecutor::still_there(const Principal& principal) {
  if (!api_.settings.http.keys_required) return {};
  const Error gone(ErrorCode::unauthenticated, "the key that made the batch is revoked or expired, or its user is disabled");
  const std::string name = principal.tenant.value + "\n" + principal.user.value + "\n" + principal.key.value;
  const auto now = std::chrono::steady_clock::now();
  {
    const std::lock_guard lock(mutex_);
    const auto at = seen_.find(name);
    if (at != seen_.end() && now - at->second.at < believed_for) return at->second.alive ? Result<void>() : Result<void>(gone);
  }
  const bool alive = HENG_TRY(look_up(principal));
  const std::lock_guard lock(mutex_);
  if (seen_.size() >= most_seen) seen_.clear();
  seen_[name] = {now, alive};
  return alive ? Result<void>() : Result<void>(gone);
}

Result<void> LineExecutor::may(const Principal& principal, const std::string& endpoint) {
  const auto* known = find_endpoint(endpoint);
  if (known == nullptr) {
    std::string all;
    for (const auto& each : endpoints) all += (all.empty() ? "" : ", ") + std::string(each.path);
    return Error(ErrorCode::unsupported, fmt::format("'endpoint' must be one of {}", all), "endpoint");
  }
  HENG_TRY(still_there(principal));
  if (!api_.settings.policy.decide(principal, known->action, {principal.tenant, {}}))
    return Error(ErrorCode::permission_denied, fmt::format("batches of {} need the right {}", endpoint, access::to_string(known->action)), "endpoint");
  if (api_.services.stops != nullptr) return api_.services.stops->check({principal.tenant, principal.desk, "", ""});
  return {};
}

BatchAnswer LineExecutor::run(const BatchCall& call, std::stop_token stop) {
  const auto* endpoint = find_endpoint(call.endpoint);
  http::Request request;
  request.id = call.request;
  request.method = "POST";
  request.path = request.route = call.endpoint;
  request.body = call.body;
  request.peer = "batch";
  if (endpoint == nullptr) return answer_of(api_.fail(request, Error(ErrorCode::unsupported, "a batch has no such endpoint", "endpoint")));
  if (api_.settings.http.keys_required)
    if (auto admitted = api_.services.identity.admit(call.principal); !admitted) return answer_of(api_.fail(request, admitted.error()));
  const auto began = std::chrono::steady_clock::now();
  http::Response response;
  try {
    http::Step step = endpoint->answer(api_, request, call.principal, Priority::batch);
    NoStream none;
    if (!step.work) response = std::move(step.response);
    else if (step.work->stream_head) response = api_.fail(request, Error(ErrorCode::unsupported, "a batch does not stream; leave 'stream' out", "stream"));
    else response = step.work->run(none, stop);
  } catch (const std::exception&) {
    response = api_.fail(request, Error(ErrorCode::internal, "the request met an internal error"));
  }
  api_.metrics.request(call.endpoint, "BATCH", response.status, elapsed_ms(began));
  return answer_of(response);
}

Result<void> LineExecutor::ending(const Principal& principal, const BatchInfo& batch) {
  AuditOpen open;
  open.time_ms = system_clock().unix_ms();
  open.request = new_request_id(open.time_ms, system_random());
  open.principal = principal;
  open.action = "batch.end";
  open.resource = batch.id;
  open.subject = dump({{"endpoint", batch.endpoint}, {"input_file_id", batch.input_file}, {"output_file_id", batch.output_file}, {"error_file_id", batch.error_file},
                       {"total", batch.total}, {"completed", batch.completed}, {"failed", batch.failed}});
  AuditClose close;
  close.time_ms = open.time_ms;
  close.outcome = std::string(to_string(batch.status));
  close.usage = batch.usage;
  const auto noted = api_.services.audit.note(open, close);
  if (!noted) return Error(ErrorCode::unavailable, "the end of the batch could not be recorded: " + noted.error().message);
  return {};
}

}  // namespace heng::api
