// Speed of the scanner on plain text without findings, on text with findings, with and without the tagger; and the 99th percentile of 4 KB.
#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "heng/guard_pii/scanner.h"

namespace {

using heng::guard_pii::Names;
using heng::guard_pii::Scanner;

const Scanner& scanner() {
  static const auto made = std::move(*Scanner::create());
  return *made;
}
std::string repeated(const std::string& unit, std::size_t bytes) {
  std::string out;
  while (out.size() < bytes) out += unit;
  return out;
}
const std::string english = "The branch opens at nine and closes at five on working days. Customers may change their statement address in the app or at the counter, free of any charge. ";
const std::string chinese = "客户可以在手机银行或柜台修改账单地址，办理时请携带有效证件。网点工作日上午九点开门，下午五点关门，周末不办理对公业务。";
const std::string full = "客户留的手机是13800138000，身份证11010519491231002X，卡号4111 1111 1111 1111。Please write to jane.roe@example.com or call (415) 555-2671 about 3 open items. ";

void scan(benchmark::State& state, const std::string& unit, std::size_t bytes, Names names) {
  const std::string text = repeated(unit, bytes);
  for (auto _ : state) benchmark::DoNotOptimize(scanner().scan(text, names)->size());
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
void rules_english(benchmark::State& state) { scan(state, english, 1 << 20, Names::without); }
void rules_chinese(benchmark::State& state) { scan(state, chinese, 1 << 20, Names::without); }
void rules_full(benchmark::State& state) { scan(state, full, 1 << 20, Names::without); }
void tagger_english(benchmark::State& state) { scan(state, english, 1 << 16, Names::with); }
void tagger_chinese(benchmark::State& state) { scan(state, chinese, 1 << 16, Names::with); }
BENCHMARK(rules_english);
BENCHMARK(rules_chinese);
BENCHMARK(rules_full);
BENCHMARK(tagger_english);
BENCHMARK(tagger_chinese);

void p99_4k(benchmark::State& state, Names names) {
  const std::string text = repeated(full + english + chinese, 4096).substr(0, 4096 - 4096 % 3);
  const std::string valid = text.substr(0, text.rfind('.') + 1);
  std::vector<double> times;
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    benchmark::DoNotOptimize(scanner().scan(valid, names).ok());
    times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  state.counters["p99_ms"] = times[times.size() * 99 / 100];
}
void p99_4k_rules(benchmark::State& state) { p99_4k(state, Names::without); }
void p99_4k_tagger(benchmark::State& state) { p99_4k(state, Names::with); }
BENCHMARK(p99_4k_rules);
BENCHMARK(p99_4k_tagger);

}  // namespace

BENCHMARK_MAIN();
