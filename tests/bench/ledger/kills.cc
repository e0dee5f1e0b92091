#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "bench.h"
#include "heng/audit/reader.h"

namespace heng::bench {

namespace {

using Acknowledged = std::map<std::int64_t, std::int64_t>;  // index → serial number in the record

[[noreturn]] void write_until_killed(const std::filesystem::path& folder, const store::SecretKey& master, std::int64_t base, int out) {
  auto keyring = store::Keyring::open(folder / "keyring", master);
  auto ledger = keyring.ok() ? audit::Ledger::create({.folder = folder / "ledger"}, **keyring) : Result<std::unique_ptr<audit::Ledger>>(keyring.error());
  if (!ledger.ok()) _exit(3);
  std::atomic<std::int64_t> next = base;
  std::vector<std::thread> threads;
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&] {
      while (true) {
        const std::int64_t mine = ++next;
        auto ticket = (*ledger)->note(typical_open(std::to_string(mine)), typical_close());
        const std::int64_t message[2] = {ticket.ok() ? ticket->index : -1, mine};
        if (!ticket.ok() || ::write(out, message, sizeof message) != sizeof message) _exit(4);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  _exit(5);
}

bool one_round(const std::filesystem::path& folder, const store::SecretKey& master, std::int64_t base, unsigned delay_us, Acknowledged& acknowledged) {
  int ends[2];
  if (::pipe(ends) != 0) return false;
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    write_until_killed(folder, master, base, ends[1]);
  }
  ::close(ends[1]);
  std::thread killer([&] {
    std::this_thread::sleep_for(std::chrono::microseconds(delay_us));
    ::kill(child, SIGKILL);
  });
  std::int64_t message[2];
  bool unique = true;
  while (::read(ends[0], message, sizeof message) == sizeof message) unique = acknowledged.emplace(message[0], message[1]).second && unique;
  killer.join();
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return unique && WIFSIGNALED(status);
}

}  // namespace

long run_kills(const std::filesystem::path& folder, int kills, unsigned seed) {
  const auto master = store::SecretKey::random();
  std::mt19937 random(seed);
  Acknowledged acknowledged;
  for (int i = 0; i < kills; ++i) {
    if (!one_round(folder, master, std::int64_t{1'000'000} * (i + 1), 2'000 + random() % 60'000, acknowledged)) {
      fmt::print("  kill {}: the writer ended by itself, or an index was given twice\n", i);
      return -1;
    }
  }
  auto keyring = store::Keyring::open(folder / "keyring", master);
  // appending goes on after the last kill
  auto ledger = audit::Ledger::create({.folder = folder / "ledger"}, **keyring);
  if (!ledger.ok() || !(*ledger)->note(typical_open("after"), typical_close()).ok()) return -1;
  auto reader = audit::LedgerReader::open({.folder = folder / "ledger"}, **keyring);
  auto report = (*reader)->verify();
  if (!report.ok() || report->problem_count != 0) {
    fmt::print("  not intact: {}\n", report.ok() ? report->problems[0].message : report.error().message);
    return -1;
  }
  long found = 0;
  auto exported = (*reader)->export_lines(0, report->size, [&](const std::string& line) {
    const auto json = nlohmann::json::parse(line);
    const auto it = acknowledged.find(json["index"].get<std::int64_t>());
    if (it != acknowledged.end() && json["record"]["open"]["subject"] == std::to_string(it->second)) ++found;
    return true;
  });
  if (!exported.ok()) return -1;
  const long lost = static_cast<long>(acknowledged.size()) - found;
  fmt::print("  {} kills, {} records acknowledged, {} in the ledger, {} acknowledged lost, every record whole\n", kills, acknowledged.size(), report->size, lost);
  return lost;
}

}  // namespace heng::bench
