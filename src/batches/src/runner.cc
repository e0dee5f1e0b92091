#include "runner.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "heng/base/log.h"
#include "parts.h"

namespace heng::batches {
namespace {

constexpr std::int64_t purge_interval_ms = 60'000, pause_after_error_ms = 5'000;
constexpr std::size_t most_problems = 100, saved_together = 64;
constexpr double dear_ms = 50;        // an answer that took so long is stored at once
constexpr auto look_again = std::chrono::milliseconds(100);

Usage usage_of(const std::string& body) {
  Usage out;
  if (body.find("\"usage\"") == std::string::npos) return out;
  const auto json = nlohmann::json::parse(body, nullptr, false);
  const auto usage = json.is_object() ? json.find("usage") : json.end();
  if (!json.is_object() || usage == json.end() || !usage->is_object()) return out;
  const auto tokens = [&](const char* name) { return usage->contains(name) && (*usage)[name].is_number_integer() ? (*usage)[name].get<int>() : 0; };
  out.prompt_tokens = tokens("prompt_tokens");
  out.completion_tokens = tokens("completion_tokens");
  if (const auto details = usage->find("prompt_tokens_details"); details != usage->end() && details->is_object() && details->contains("cached_tokens") && (*details)["cached_tokens"].is_number_integer())
    out.cached_tokens = (*details)["cached_tokens"].get<int>();
  return out;
}

}  // namespace

Runner::Runner(const BatchSettings& settings, store::Pool& pool, const Clock& clock, Random& random, BatchExecutor& executor)
    : settings_(settings), pool_(pool), clock_(clock), random_(random), executor_(executor) {}
Runner::~Runner() { stop(); }

Result<void> Runner::add(std::int64_t number) {
  const std::lock_guard lock(mutex_);   // held while reading: a cancel() comes either before the row is read, or finds it here
  auto reader = HENG_TRY(pool_.reader());
  auto row = HENG_TRY(reader->prepare(fmt::format("SELECT {} FROM batch WHERE number = ?", batch_columns)));
  row.bind_all(number);
  if (!HENG_TRY(row.step())) return {};
  auto batch = std::make_shared<Running>(pool_, read_batch(row), settings_.line_bytes);
  batch->answered = HENG_TRY(answered_lines(*reader, number));
  batch->output_bytes = HENG_TRY(reader->query_integer("SELECT COALESCE(SUM(LENGTH(output)), 0) FROM line WHERE batch = ?", number));
  // the process ended while results were being put together: everything is answered
  auto& info = batch->row.info;
  if (info.status == BatchStatus::finalizing) info.status = BatchStatus::in_progress;
  // its input was found wanting, and the process ended before the batch did
  if (info.status == BatchStatus::in_progress && info.in_progress_ms == 0 && !info.problems.empty()) batch->ending = Ending{BatchStatus::failed, info.problems.front()};
  batches_.push_back(std::move(batch));
  wake_.notify_all();
  return {};
}

void Runner::cancel(std::int64_t number) {
  const std::lock_guard lock(mutex_);
  for (const auto& batch : batches_) {
    if (batch->row.number != number) continue;
    batch->row.info.status = BatchStatus::cancelling;
    batch->row.info.cancelling_ms = clock_.unix_ms();
    batch->halt.request_stop();
  }
  wake_.notify_all();
}

void Runner::start() {
  for (int i = 0; i < std::max(1, settings_.parallel); ++i) workers_.emplace_back([this] { work(); });
}

void Runner::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const auto& batch : batches_) batch->halt.request_stop();
  }
  wake_.notify_all();
  for (auto& worker : workers_) worker.join();
  workers_.clear();
  for (const auto& batch : batches_) (void)save(*batch);
  batches_.clear();
}

void Runner::work() {
  if (settings_.worker_niceness > 0) (void)setpriority(PRIO_PROCESS, 0, settings_.worker_niceness);   // of this thread and those it starts
  for (;;) {
    std::unique_lock lock(mutex_);
    std::optional<Job> job;
    while (!stopping_ && !(job = next_job())) wake_.wait_for(lock, look_again);
    if (stopping_) return;
    lock.unlock();
    run(*job);
  }
}

/// Something to do, claimed; the batches take turns. The mutex is held.
std::optional<Runner::Job> Runner::next_job() {
  const std::int64_t now = clock_.unix_ms();
  for (std::size_t i = 0; i < batches_.size(); ++i) {
    const std::size_t at = (turn_ + i) % batches_.size();
    if (auto job = job_of(batches_[at], now)) {
      turn_ = at + 1;
      return job;
    }
  }
  if (now < purge_ms_) return std::nullopt;
  purge_ms_ = now + purge_interval_ms;
  return Job{Kind::purge, nullptr, {}};
}

std::optional<Runner::Job> Runner::job_of(const RunningPtr& batch, std::int64_t now) {
  Running& b = *batch;
  if (b.claimed || b.gone) return std::nullopt;
  if (b.row.info.status == BatchStatus::validating && !b.ending) {
    if (now < b.pause_until_ms) return std::nullopt;
    b.claimed = true;
    return Job{Kind::check, batch, {}};
  }
  decide_ending(b, now);
  if (b.ending) {
    if (b.in_flight > 0 || now < b.pause_until_ms) return std::nullopt;
    b.claimed = true;
    return Job{Kind::end, batch, {}};
  }
  if (!b.unsaved.empty() && now - b.unsaved_since_ms >= settings_.save_interval_ms) {
    ++b.in_flight;
    return Job{Kind::save, batch, {}};
  }
  if (now < b.pause_until_ms) return std::nullopt;
  Job job{Kind::line, batch, {}};
  if (take_line(b, job.line)) {
    ++b.in_flight;
    return job;
  }
  decide_ending(b, now);   // that was the last line
  if (!b.ending || b.in_flight > 0) return std::nullopt;
  b.claimed = true;
  return Job{Kind::end, batch, {}};
}

void Runner::decide_ending(Running& b, std::int64_t now) {
  if (b.ending) return;
  const bool all_answered = b.read_all && b.again.empty() && b.in_flight == 0;
  if (b.row.info.status == BatchStatus::cancelling) {
    b.ending = Ending{BatchStatus::cancelled, {"batch_cancelled", "the batch was cancelled before this line was answered", "", 0}};
  } else if (now >= b.row.info.expires_ms && !all_answered) {
    b.ending = Ending{BatchStatus::expired, {"batch_expired", fmt::format("the batch's {} were over before this line was answered", b.row.info.window), "", 0}};
  } else if (all_answered) {
    b.ending = Ending{};
  }
  if (b.ending) b.halt.request_stop();
}

/// The next line without an answer. False: none is left, or it could not be read now.
bool Runner::take_line(Running& b, InputLine& out) {
  if (!b.again.empty()) {
    out = std::move(b.again.front());
    b.again.pop_front();
    return true;
  }
  while (!b.read_all) {
    const auto read = b.reader.next(out);
    if (!read.ok()) {
      log::warn("batch_input_unreadable", {{"batch", b.row.info.id}, {"reason", read.error().message}});
      break_off(b, Error(read.error().code, "the input could not be read any further: " + read.error().message));
      return false;
    }
    if (!*read) {
      b.read_all = true;
      return false;
    }
    while (b.next_answered < b.answered.size() && b.answered[b.next_answered] < out.number) ++b.next_answered;
    if (b.next_answered == b.answered.size() || b.answered[b.next_answered] != out.number) return true;
  }
  return false;
}

void Runner::run(Job& job) {
  if (job.kind == Kind::purge) {
    if (auto done = purge(); !done.ok()) log::warn("batch_purge_failed", {{"reason", done.error().message}});
    return;
  }
  Running& b = *job.batch;
  Result<void> done;
  if (job.kind == Kind::check) done = check(b);
  if (job.kind == Kind::line) answer(b, std::move(job.line));
  if (job.kind == Kind::save) done = save(b);
  if (job.kind == Kind::end) done = end(b);
  const std::lock_guard lock(mutex_);
  if (job.kind == Kind::line || job.kind == Kind::save) --b.in_flight;
  else b.claimed = false;
  if (!done.ok()) {
    log::warn("batch_waits", {{"batch", b.row.info.id}, {"reason", done.error().message}});
    b.pause_until_ms = clock_.unix_ms() + pause_after_error_ms;
  } else if (job.kind == Kind::end) {
    std::erase(batches_, job.batch);
  }
  if (b.gone && b.in_flight == 0 && !b.claimed) std::erase(batches_, job.batch);
  wake_.notify_all();
}

/// Reads the whole input: counts its lines, and gives those that cannot be asked their place in the error file.
Result<void> Runner::check(Running& b) {
  LineReader reader(b.pieces, settings_.line_bytes);
  std::unordered_map<std::string, std::int64_t> seen;
  std::vector<Answered> bad;
  std::vector<BatchProblem> problems;
  std::optional<Ending> ending;
  InputLine line;
  std::int64_t total = 0;
  while (HENG_TRY(reader.next(line))) {
    if (b.halt.stop_requested()) return {};
    if (++total > settings_.lines) break;
    auto parsed = parse_line(line, b.row.info.endpoint, settings_.line_bytes);
    if (!parsed.error) {
      const auto [at, fresh] = seen.emplace(parsed.custom_id, line.number);
      if (fresh) continue;
      parsed.error = Error(ErrorCode::invalid_argument, fmt::format("\"custom_id\" stands in line {} already", at->second), "custom_id");
    }
    const auto& error = *parsed.error;
    const std::string code(to_string(error.code));
    bad.push_back({line.number, true, failed_line(new_id("batch_req_", random_), parsed.custom_id, code, error.message, error.param, line.number), {}});
    if (problems.size() < most_problems) problems.push_back({code, error.message, error.param, line.number});
  }
  if (total > settings_.lines) {
    bad.clear();
    ending = Ending{BatchStatus::failed, {"too_many_lines", fmt::format("the file has more than {} lines; cut it into several", settings_.lines), "input_file_id", 0}};
    total = 0;
  } else if (total == static_cast<std::int64_t>(bad.size())) {
    ending = Ending{BatchStatus::failed, {"no_usable_line", "no line of the file can be asked; see the error file", "input_file_id", 0}};
  }
  if (ending) problems.insert(problems.begin(), ending->problem);
  const std::int64_t now = clock_.unix_ms(), started = ending ? 0 : now;
  {
    auto writer = HENG_TRY(pool_.writer());
    auto transaction = HENG_TRY(store::Transaction::begin(*writer));
    HENG_TRY(writer->run("UPDATE batch SET status = ?, total = ?, failed = ?, problems = ?, in_progress_ms = ? WHERE number = ? AND status = 0", static_cast<int>(BatchStatus::in_progress), total, bad.size(),
                         problems_to_text(problems), started, b.row.number));
    if (writer->changes() == 0) {   // cancelled meanwhile, or erased
      b.gone = HENG_TRY(writer->query_integer("SELECT COUNT(*) FROM batch WHERE number = ?", b.row.number)) == 0;
      return {};
    }
    for (const auto& row : bad) HENG_TRY(writer->run("INSERT INTO line (batch, number, failed, output) VALUES (?, ?, 1, ?)", b.row.number, row.line, row.output));
    HENG_TRY(transaction.commit());
  }
  const std::lock_guard lock(mutex_);
  b.row.info.total = total;
  b.row.info.failed = static_cast<std::int64_t>(bad.size());
  b.row.info.problems = std::move(problems);
  b.row.info.in_progress_ms = started;
  for (const auto& row : bad) {
    b.answered.push_back(row.line);
    b.output_bytes += static_cast<std::int64_t>(row.output.size());
  }
  if (b.row.info.status == BatchStatus::validating) b.row.info.status = BatchStatus::in_progress;
  if (ending && !b.ending) b.ending = std::move(ending);
  return {};
}

void Runner::answer(Running& b, InputLine line) {
  const auto pause = [&](std::int64_t ms) {
    const std::lock_guard lock(mutex_);
    b.pause_until_ms = clock_.unix_ms() + std::clamp<std::int64_t>(ms, 50, settings_.retry_most_ms);
    b.again.push_front(std::move(line));
  };
  // whoever made the batch may have lost its key or its rights since
  if (const auto may = executor_.may(b.row.principal, b.row.info.endpoint); !may.ok()) {
    const auto code = may.error().code;
    if (code != ErrorCode::permission_denied && code != ErrorCode::unauthenticated && code != ErrorCode::unsupported) return pause(pause_after_error_ms);
    const std::lock_guard lock(mutex_);
    break_off(b, may.error());
    return;
  }
  const auto parsed = parse_line(line, b.row.info.endpoint, settings_.line_bytes);
  const std::string id = new_id("batch_req_", random_);
  if (parsed.error) return keep(b, {line.number, true, failed_line(id, parsed.custom_id, to_string(parsed.error->code), parsed.error->message, parsed.error->param, line.number), {}}, false);
  const RequestId request = new_request_id(clock_.unix_ms(), random_);
  const auto began = clock_.steady();
  const auto answer = executor_.run({b.row.principal, request, b.row.info.endpoint, parsed.body}, b.halt.get_token());
  if (b.halt.stop_requested() && answer.status != 200) {
    const std::lock_guard lock(mutex_);
    b.again.push_front(std::move(line));
    return;
  }
  ++line.tries;
  if (answer.retry_after_ms > 0 && (answer.most_tries == 0 || line.tries < answer.most_tries)) return pause(answer.retry_after_ms);
  const double took = std::chrono::duration<double, std::milli>(clock_.steady() - began).count();
  keep(b, {line.number, answer.status != 200, answered_line(id, parsed.custom_id, answer.status, request.value, answer.body), usage_of(answer.body)}, took > dear_ms);
}

void Runner::keep(Running& b, Answered answered, bool now) {
  {
    const std::lock_guard lock(mutex_);
    if (b.unsaved.empty()) b.unsaved_since_ms = clock_.unix_ms();
    b.output_bytes += static_cast<std::int64_t>(answered.output.size());
    b.unsaved.push_back(std::move(answered));
    if (b.output_bytes > settings_.output_bytes) break_off(b, Error(ErrorCode::too_large, fmt::format("the results take more than {} bytes; cut the batch into several", settings_.output_bytes)));
    now = now || b.unsaved.size() >= saved_together;
  }
  if (!now) return;
  if (auto saved = save(b); !saved.ok()) {
    const std::lock_guard lock(mutex_);
    b.pause_until_ms = clock_.unix_ms() + pause_after_error_ms;
  }
}

/// Stores what is answered. On an error it stays in memory, and is stored with what comes next.
Result<void> Runner::save(Running& b) {
  std::vector<Answered> rows;
  {
    const std::lock_guard lock(mutex_);
    rows.swap(b.unsaved);
  }
  if (rows.empty()) return {};
  const auto written = [&]() -> Result<void> {
    std::int64_t completed = 0, failed = 0;
    Usage usage;
    auto writer = HENG_TRY(pool_.writer());
    auto transaction = HENG_TRY(store::Transaction::begin(*writer));
    for (const auto& row : rows) {
      HENG_TRY(writer->run("INSERT OR IGNORE INTO line (batch, number, failed, output) VALUES (?, ?, ?, ?)", b.row.number, row.line, row.failed ? 1 : 0, row.output));
      if (writer->changes() == 0) continue;   // a line stands once
      ++(row.failed ? failed : completed);
      usage.prompt_tokens += row.usage.prompt_tokens;
      usage.cached_tokens += row.usage.cached_tokens;
      usage.completion_tokens += row.usage.completion_tokens;
    }
    HENG_TRY(writer->run("UPDATE batch SET completed = completed + ?, failed = failed + ?, prompt_tokens = prompt_tokens + ?, cached_tokens = cached_tokens + ?, "
                         "completion_tokens = completion_tokens + ? WHERE number = ?",
                         completed, failed, usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens, b.row.number));
    if (writer->changes() == 0) {   // erased with its subject: nothing of it may stay
      const std::lock_guard lock(mutex_);
      b.gone = true;
      b.halt.request_stop();
      return {};
    }
    return transaction.commit();
  }();
  if (written.ok()) return {};
  const std::lock_guard lock(mutex_);
  rows.insert(rows.end(), std::make_move_iterator(b.unsaved.begin()), std::make_move_iterator(b.unsaved.end()));
  b.unsaved = std::move(rows);
  return written;
}

/// The batch ends as failed; what is answered stays. The mutex is held.
void Runner::break_off(Running& b, const Error& error) {
  if (b.ending) return;
  b.ending = Ending{BatchStatus::failed, {std::string(to_string(error.code)), error.message, error.param, 0}};
  b.row.info.problems.insert(b.row.info.problems.begin(), b.ending->problem);
  b.halt.request_stop();
}

}  // namespace heng::batches
