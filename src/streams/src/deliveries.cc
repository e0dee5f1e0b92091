// Alerts on their way out: to webhooks and files, each once where it works, again later where it does not.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "alerting.h"
#include "heng/base/log.h"
#include "heng/store/files.h"
#include "heng/streams/engine.h"
#include "webhook.h"

namespace heng::streams {
namespace {

constexpr int most_attempts = 12, at_once = 16;
constexpr std::int64_t claim_ms = 60'000, longest_pause_ms = 600'000;

/// 1 s, 2 s, 4 s … 10 min.
std::int64_t pause_ms(int attempts) { return std::min<std::int64_t>(1000LL << std::min(attempts, 20), longest_pause_ms); }

struct Outcome {
  bool done = false, again = false;
  std::string error;
};

Outcome append_line(const Delivery& to, const std::string& body) {
  const int file = ::open(to.path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (file < 0) return {false, true, store::file_error(errno, "cannot open", to.path).message};
  const std::string line = body + "\n";
  // one write: lines of several processes do not mix
  const bool written = ::write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && ::fdatasync(file) == 0;
  const int failed = errno;
  ::close(file);
  if (!written) return {false, true, store::file_error(failed, "cannot write", to.path).message};
  return {true, false, {}};
}

Outcome send(const Delivery& to, const std::vector<std::string>& hosts, const std::string& body, std::int64_t alert, std::int64_t now_ms, std::stop_token stop) {
  const auto target = check_webhook_url(to.url, hosts);
  if (!target.ok()) return {false, false, target.error().message};
  const char* secret = std::getenv(to.secret_env.c_str());
  if (secret == nullptr || *secret == '\0') return {false, true, fmt::format("the environment variable {} with the signing key is not set", to.secret_env)};
  WebhookCall call;
  call.target = *target;
  call.body = body;
  call.signature = sign(secret, now_ms / 1000, body);
  call.alert_id = std::to_string(alert);
  call.ca_file = to.ca_file;
  const auto status = post(call, stop);
  if (!status.ok()) return {false, status.error().code != ErrorCode::policy_denied, status.error().message};
  if (*status >= 200 && *status < 300) return {true, false, {}};
  const bool again = *status >= 500 || *status == 408 || *status == 425 || *status == 429;
  return {false, again, fmt::format("answered with status {}{}", *status, *status >= 300 && *status < 400 ? " (redirects are not followed)" : "")};
}

}  // namespace

Result<void> StreamEngine::deliver(std::int64_t id, const TenantId& tenant, std::int64_t number, const std::string& name, int attempts, std::stop_token stop) {
  const auto setup = setup_.current();
  const Delivery* to = setup->delivery(name);
  Outcome outcome{false, false, "no [[delivery]] has this name any more"};
  if (to != nullptr) {
    std::string body;
    {
      auto reader = HENG_TRY(pool_.reader());
      body = settings_.alert_json(HENG_TRY(find_alert(*reader, tenant, number)));
    }
    outcome = to->kind == Delivery::Kind::file ? append_line(*to, body) : send(*to, setup->webhook_hosts, body, number, clock_.unix_ms(), stop);
  }
  const std::int64_t now = clock_.unix_ms();
  if (!outcome.done) log::warn("alert_delivery_failed", {{"delivery", name}, {"alert", std::to_string(number)}, {"attempt", std::to_string(attempts + 1)}, {"reason", outcome.error}});
  const bool gives_up = !outcome.done && (!outcome.again || attempts + 1 >= most_attempts);
  auto writer = HENG_TRY(pool_.writer());
  return writer->run("UPDATE delivery SET attempts = attempts + 1, claimed_ms = 0, done_ms = ?, failed = ?, next_ms = ?, error = ? WHERE id = ?", outcome.done ? now : std::int64_t{0},
                     static_cast<std::int64_t>(gives_up), now + pause_ms(attempts), outcome.error, id);
}

Result<int> StreamEngine::deliver_due(std::stop_token stop) {
  struct Due {
    std::int64_t id, alert;
    TenantId tenant;
    std::string name;
    int attempts;
  };
  std::vector<Due> due;
  const std::int64_t now = clock_.unix_ms();
  {
    auto reader = HENG_TRY(pool_.reader());
    auto row = HENG_TRY(reader->prepare("SELECT d.id, d.alert, a.tenant, d.name, d.attempts FROM delivery d JOIN alert a ON a.id = d.alert WHERE d.done_ms = 0 AND d.failed = 0 AND d.next_ms <= ? "
                                        "AND d.claimed_ms < ? ORDER BY d.next_ms, d.id LIMIT ?"));
    row.bind_all(now, now - claim_ms, at_once);
    while (HENG_TRY(row.step())) due.push_back({row.integer(0), row.integer(1), TenantId(row.string(2)), row.string(3), static_cast<int>(row.integer(4))});
  }
  int tried = 0;
  for (const auto& each : due) {
    if (stop.stop_requested()) break;
    {
      // several processes deliver: who claims it sends it
      auto writer = HENG_TRY(pool_.writer());
      HENG_TRY(writer->run("UPDATE delivery SET claimed_ms = ? WHERE id = ? AND done_ms = 0 AND failed = 0 AND claimed_ms < ?", now, each.id, now - claim_ms));
      if (writer->changes() == 0) continue;
    }
    ++tried;
    HENG_TRY(deliver(each.id, each.tenant, each.alert, each.name, each.attempts, stop));
  }
  return tried;
}

Result<std::int64_t> StreamEngine::waiting_deliveries() {
  auto reader = HENG_TRY(pool_.reader());
  return reader->query_integer("SELECT count(*) FROM delivery WHERE done_ms = 0 AND failed = 0");
}

void StreamEngine::run_deliveries(std::stop_token stop) {
  std::uint64_t seen = 0;
  while (!stop.stop_requested()) {
    const auto tried = deliver_due(stop);
    if (!tried.ok()) log::warn("alert_delivery", {{"reason", tried.error().message}});
    if (tried.ok() && *tried == at_once) continue;
    std::unique_lock lock(raised_mutex_);
    raised_condition_.wait_for(lock, stop, std::chrono::milliseconds(500), [&] { return raised_count_ != seen; });
    seen = raised_count_;
  }
}

}  // namespace heng::streams
