// ledger_bench rate|kills FOLDER [NUMBER]: durable records a second against one-by-one peers; acknowledged records lost over kills.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "bench.h"
#include "heng/store/database.h"

namespace heng::bench {

namespace fs = std::filesystem;

AuditOpen typical_open(const std::string& subject) {
  AuditOpen open;
  open.request = RequestId("01KAW3T5V9XGZQ8N7M2B4C6D8F");
  open.time_ms = 1'763'967'600'000;
  open.principal = {.tenant = TenantId("bank"), .user = UserId("li.ming"), .key = KeyId("a1b2c3d4e5f6"), .roles = {"analyst"}, .purpose = "research"};
  open.action = "ask";
  open.subject = subject;
  open.resource = "kb/products";
  return open;
}

AuditClose typical_close() {
  AuditClose close;
  close.outcome = "ok";
  close.model = "qwen2.5-coder-1.5b-instruct-q4_k_m";
  close.model_sha256 = close.prompt_sha256 = std::string(64, 'a');
  for (int i = 0; i < 4; ++i) close.passages.push_back({ChunkId(1000 + i), std::string(64, 'b'), "terms.pdf", i});
  for (int i = 0; i < 60; ++i) close.prompt_tokens.push_back(1000 + 37 * i);
  for (int i = 0; i < 24; ++i) close.output_tokens.push_back({.token = 500 + i, .text = "x", .logprob = -0.125 * i});
  close.verdicts = {{"grounding", "1", "release", ""}, {"figures", "1", "release", ""}};
  close.output = std::string(160, 'o');
  return close;
}

namespace {

double seconds_since(SteadyTime start) { return elapsed_ms(start) / 1000.0; }

struct Rate {
  double per_second = 0, median_ms = 0, p95_ms = 0;
  std::uint64_t groups = 0;
};

Rate measure_threads(audit::Ledger& ledger, int threads, double seconds) {
  std::mutex mutex;
  std::vector<double> all;
  const std::uint64_t groups = ledger.groups();
  const SteadyTime start = std::chrono::steady_clock::now();
  std::vector<std::thread> pool;
  for (int t = 0; t < threads; ++t) {
    pool.emplace_back([&] {
      std::vector<double> mine;
      const AuditOpen open = typical_open("What does an early repayment cost?");
      const AuditClose close = typical_close();
      while (seconds_since(start) < seconds) {
        const SteadyTime begin = std::chrono::steady_clock::now();
        if (!ledger.note(open, close).ok()) std::abort();
        mine.push_back(elapsed_ms(begin));
      }
      const std::lock_guard lock(mutex);
      all.insert(all.end(), mine.begin(), mine.end());
    });
  }
  for (auto& thread : pool) thread.join();
  const double took = seconds_since(start);
  std::sort(all.begin(), all.end());
  return {static_cast<double>(all.size()) / took, all[all.size() / 2], all[all.size() * 95 / 100], ledger.groups() - groups};
}

// Two producers keep at most `window` records on their way, as a stream of events would.
Rate measure_async(audit::Ledger& ledger, int window, double seconds) {
  std::atomic<std::int64_t> sent = 0, done = 0;
  const std::uint64_t groups = ledger.groups();
  const SteadyTime start = std::chrono::steady_clock::now();
  std::vector<std::thread> pool;
  for (int t = 0; t < 2; ++t) {
    pool.emplace_back([&] {
      const AuditOpen open = typical_open("tick");
      const AuditClose close = typical_close();
      while (seconds_since(start) < seconds) {
        while (sent - done > window) std::this_thread::sleep_for(std::chrono::microseconds(200));
        ++sent;
        ledger.note_async(open, close, [&](Result<AuditTicket> ticket) {
          if (!ticket.ok()) std::abort();
          ++done;
        });
      }
    });
  }
  for (auto& thread : pool) thread.join();
  while (done < sent) std::this_thread::sleep_for(std::chrono::microseconds(200));
  return {static_cast<double>(done) / seconds_since(start), 0, 0, ledger.groups() - groups};
}

// The peer: the same encrypted bytes as rows of an encrypted SQLite file, one durable transaction each.
double measure_sqlite(const fs::path& folder, double seconds) {
  auto db = store::Database::open({.path = folder / "peer.db", .key = store::SecretKey::random()});
  if (!db.ok() || !(*db)->execute("CREATE TABLE record(id INTEGER PRIMARY KEY, bytes BLOB)").ok()) std::abort();
  const std::string bytes(2000, 'x');
  int rows = 0;
  const SteadyTime start = std::chrono::steady_clock::now();
  for (; seconds_since(start) < seconds; ++rows) {
    if (!(*db)->run("INSERT INTO record(bytes) VALUES (?)", bytes).ok()) std::abort();
  }
  return rows / seconds_since(start);
}

int run_rate(const fs::path& folder, double seconds) {
  auto keyring = store::Keyring::open(folder / "keyring", store::SecretKey::random());
  if (!keyring.ok()) return fmt::print("{}\n", keyring.error().message), 1;
  auto ledger = audit::Ledger::create({.folder = folder / "ledger"}, **keyring);
  if (!ledger.ok()) return fmt::print("{}\n", ledger.error().message), 1;
  fmt::print("{:<44}{:>12}{:>10}{:>10}{:>14}\n", "", "records/s", "p50 ms", "p95 ms", "records/fsync");
  double best = 0;
  for (const int threads : {1, 16, 64, 256}) {
    const auto rate = measure_threads(**ledger, threads, seconds);
    best = std::max(best, rate.per_second);
    fmt::print("{:<44}{:>12.0f}{:>10.2f}{:>10.2f}{:>14.0f}\n", fmt::format("ledger, {} threads, each waits", threads), rate.per_second, rate.median_ms, rate.p95_ms,
               rate.per_second * seconds / static_cast<double>(std::max<std::uint64_t>(1, rate.groups)));
  }
  const auto async = measure_async(**ledger, 8192, seconds);
  best = std::max(best, async.per_second);
  fmt::print("{:<44}{:>12.0f}{:>10}{:>10}{:>14.0f}\n", "ledger, 2 threads, up to 8192 on their way", async.per_second, "", "",
             async.per_second * seconds / static_cast<double>(std::max<std::uint64_t>(1, async.groups)));
  fmt::print("{:<44}{:>12.0f}\n", "peer: encrypted SQLite, a commit per record", measure_sqlite(folder, seconds));
  fmt::print("best {:.0f} durable records/s (wanted: 10,000): {}\n", best, best >= 10'000 ? "reached" : "MISSED");
  return best >= 10'000 ? 0 : 1;
}

}  // namespace
}  // namespace heng::bench

int main(int count, char** values) {
  const std::string mode = count > 2 ? values[1] : "";
  if (mode != "rate" && mode != "kills") return std::fprintf(stderr, "usage: ledger_bench rate|kills FOLDER [SECONDS|KILLS]\n"), 2;
  const std::filesystem::path folder = values[2];
  std::filesystem::create_directories(folder);
  if (mode == "rate") return heng::bench::run_rate(folder, count > 3 ? std::atof(values[3]) : 3.0);
  return heng::bench::run_kills(folder, count > 3 ? std::atoi(values[3]) : 500, 20261124) == 0 ? 0 : 1;
}
