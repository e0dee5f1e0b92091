#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "heng/batches/engine.h"
#include "lines.h"
#include "records.h"

namespace heng::batches {

/// A line that has its place in a result.
struct Answered {
  std::int64_t line = 0;
  bool failed = false;
  std::string output;
  Usage usage;
};

/// Works on batches: checks their input, has their lines answered, ends them. Its threads share the batches, which take turns.
/// Lifetime: from start() to stop(); what it is given outlives it. Threads: safe.
class Runner {
 public:
  Runner(const BatchSettings& settings, store::Pool& pool, const Clock& clock, Random& random, BatchExecutor& executor);
  ~Runner();
  Result<void> add(std::int64_t batch);
  void cancel(std::int64_t batch);
  void start();
  void stop();

 private:
  /// Why it ends, decided when nothing of it runs any more.
  struct Ending {
    BatchStatus status = BatchStatus::completed;
    BatchProblem problem;             ///< For the lines that have no answer.
  };
  struct Running {
    Running(store::Pool& pool, BatchRow r, std::size_t longest) : row(std::move(r)), pieces(pool, row.input), reader(pieces, longest) {}
    BatchRow row;
    StoredPieces pieces;
    LineReader reader;
    std::vector<std::int64_t> answered;   ///< Lines that need no answer any more, from before; ascending.
    std::size_t next_answered = 0;
    std::deque<InputLine> again;
    bool read_all = false, claimed = false;
    std::atomic<bool> gone{false};        ///< Erased by somebody while it ran.
    int in_flight = 0;
    std::stop_source halt;
    std::int64_t pause_until_ms = 0;
    std::vector<Answered> unsaved;
    std::int64_t unsaved_since_ms = 0, output_bytes = 0;
    std::optional<Ending> ending;
  };
  using RunningPtr = std::shared_ptr<Running>;
  enum class Kind { check, line, save, end, purge };
  struct Job {
    Kind kind;
    RunningPtr batch;
    InputLine line;
  };

  void work();
  std::optional<Job> next_job();
  std::optional<Job> job_of(const RunningPtr& batch, std::int64_t now);
  void decide_ending(Running& batch, std::int64_t now);
  bool take_line(Running& batch, InputLine& out);
  void run(Job& job);

  Result<void> check(Running& batch);
  void answer(Running& batch, InputLine line);
  void keep(Running& batch, Answered answered, bool now);
  Result<void> save(Running& batch);
  void break_off(Running& batch, const Error& error);

  Result<void> end(Running& batch);                                                        // ending.cc
  Result<std::int64_t> fill(store::Database& db, Running& batch, const Ending& ending);
  Result<std::string> make_result(store::Database& db, const BatchRow& row, bool failed);
  Result<void> purge();

  const BatchSettings settings_;
  store::Pool& pool_;
  const Clock& clock_;
  Random& random_;
  BatchExecutor& executor_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<RunningPtr> batches_;
  std::size_t turn_ = 0;
  std::int64_t purge_ms_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace heng::batches
