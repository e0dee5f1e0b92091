#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "heng/base/clock.h"
#include "heng/contracts/audit.h"
#include "heng/contracts/streams.h"
#include "heng/store/pool.h"
#include "heng/streams/message.h"
#include "heng/streams/setup.h"

namespace heng::streams {

/// How far a followed file has been read: committed together with what was read.
struct Position {
  std::string source;                 ///< The file's name in its folder.
  std::int64_t offset = 0, line = 0;  ///< Bytes and lines read.
  std::string head;                   ///< SHA-256 of the file's first `head_bytes` bytes: another file under the name begins anew.
  std::int64_t head_bytes = 0;
};

/// What is processed at once: all of it counts, or nothing.
struct Batch {
  TenantId tenant;
  std::string stream;
  std::vector<std::string> tasks;
  std::vector<Message> messages;
  std::vector<std::pair<std::int64_t, std::string>> unreadable;   ///< Place and reason: counted as rejected.
  std::vector<Position> positions;
};

/// Which heads answer a task. Errors of the resolver: not_found (says which tasks there are).
struct EngineSettings {
  std::function<Result<TaskKind>(const std::string& task)> resolve;   ///< Null: every task is a label task of `labeller`.
  std::function<std::string(const Alert&)> alert_json;                ///< What deliveries send; needed for them.
  std::string provider = "Heng";      ///< The institution in the labels of briefs.
  std::string entities_task;          ///< Run on every stream that has tasks, where not empty: rules count by company.
  Tier tier = Tier::automatic;
  int most_waiting_pushes = 32;       ///< More at once are refused as overloaded.
  std::size_t most_messages = 10'000; ///< In one push.
  bool deliver = true;                ///< Runs the thread that delivers alerts.
};

/// Streams on the database "streams": cleans, tells copies apart, labels, stores and alerts, one transaction for each batch.
///
/// Lifetime: pool, setup file, heads, ledger (may be null: acknowledging is refused), clock and randomness outlive it. Threads:
/// safe; batches of one stream go one after another. Processes: several may share the database.
class StreamEngine final : public Streams {
 public:
  static Result<std::unique_ptr<StreamEngine>> create(EngineSettings settings, store::Pool& pool, SetupFile& setup, Labeller* labeller, Extractor* extractor, Audit* audit,
                                                      const Clock& clock = system_clock(), Random& random = system_random());
  ~StreamEngine() override;

  /// Errors: as Streams::push.
  Result<PushReport> process(const Batch& batch, std::stop_token stop);
  /// Nothing where the file was never read.
  Result<std::vector<Position>> positions(const TenantId& tenant, const std::string& stream);
  SetupFile& setup() { return setup_; }

  Result<PushReport> push(const Principal&, const std::string& stream, const std::vector<std::string>& tasks, std::string_view body, std::stop_token stop) override;
  Result<std::vector<StreamInfo>> streams(const Principal&) override;
  Result<std::vector<StreamItem>> items(const Principal&, const ItemQuery&) override;
  Result<std::vector<Alert>> alerts(const Principal&, const AlertQuery&) override;
  Result<AlertRules> alert_rules(const Principal&) override;
  Result<std::vector<Alert>> wait_for_alerts(const Principal&, std::int64_t after, std::chrono::milliseconds wait, std::stop_token stop) override;
  Result<Alert> acknowledge(const Principal&, std::int64_t id, const std::string& note) override;
  Result<std::string> brief(const Principal&, const BriefRequest&) override;

  /// Sends what is due now and returns how many deliveries were tried; for tests and the end of a run.
  Result<int> deliver_due(std::stop_token stop);
  /// Deliveries that still wait, of all tenants.
  Result<std::int64_t> waiting_deliveries();

 private:
  struct Prepared;
  StreamEngine(EngineSettings settings, store::Pool& pool, SetupFile& setup, Labeller* labeller, Extractor* extractor, Audit* audit, const Clock& clock, Random& random);
  Result<void> tell_copies_apart(const Batch& batch, const Setup& setup, std::vector<Prepared>& prepared);
  Result<void> read(const Batch& batch, std::vector<Prepared>& prepared, std::stop_token stop);
  Result<void> read_with(const Batch& batch, const std::string& task, std::vector<Prepared>& prepared, const std::vector<std::size_t>& fresh, std::stop_token stop);
  Result<PushReport> commit(const Batch& batch, const Setup& setup, std::vector<Prepared>& prepared);
  std::shared_ptr<std::mutex> turn_of(const TenantId& tenant, const std::string& stream);
  void raised();
  void run_deliveries(std::stop_token stop);
  Result<void> deliver(std::int64_t id, const TenantId& tenant, std::int64_t alert, const std::string& name, int attempts, std::stop_token stop);

  EngineSettings settings_;
  store::Pool& pool_;
  SetupFile& setup_;
  Labeller* labeller_;
  Extractor* extractor_;
  Audit* audit_;
  const Clock& clock_;
  Random& random_;
  std::mutex turns_mutex_;
  std::map<std::string, std::shared_ptr<std::mutex>> turns_;
  std::atomic<int> pushes_{0}, waiters_{0};
  std::mutex raised_mutex_;
  std::condition_variable_any raised_condition_;
  std::uint64_t raised_count_ = 0;
  std::jthread deliverer_;   // last: uses the rest
};

}  // namespace heng::streams
