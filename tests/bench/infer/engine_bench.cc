// Measures the engine through its port and prints one JSON object.
//   infer_engine_bench single MODEL THREADS PROMPT_TOKENS ANSWER_TOKENS RUNS
//   infer_engine_bench wave MODEL THREADS CONTEXT_TOKENS CLIENTS WAVES ANSWER_TOKENS NEVER_IDS < requests
//     (standard input: the system prompt on the first line, then CLIENTS × WAVES questions, one a line)
//   infer_engine_bench json MODEL THREADS RUNS forced|sampled          fixed parts of a JSON answer
//   infer_engine_bench score MODEL THREADS RUNS < request        standard input: {"prefix","items","fields":[{"lead","candidates"}]}
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <thread>

#include "heng/infer/llama/engine.h"

namespace {

using namespace heng;
using namespace heng::infer;

std::unique_ptr<LlamaEngine> load(const char* path, int threads, int context_tokens, bool force = true) {
  LlamaSettings settings;
  settings.path = path;
  settings.threads = threads;
  settings.context_tokens = context_tokens;
  settings.force_fixed_parts = force;
  auto engine = LlamaEngine::create(settings);
  if (!engine.ok()) {
    fmt::print(stderr, "{}\n", engine.error().message);
    std::exit(1);
  }
  return std::move(engine).value();
}

std::string filler(LlamaEngine& engine, int tokens, int seed) {
  static const char* const words[] = {" bank", " rate", " loan", " card", " fee", " client", " risk", " fund", " bond", " year"};
  std::string text;
  for (unsigned state = static_cast<unsigned>(seed) * 7919u + 1, n = 0; n < static_cast<unsigned>(tokens); ++n) {
    state = state * 1664525u + 1013904223u;
    text += words[(state >> 24) % 10];
  }
  const auto got = engine.tokenize("", text);
  if (!got.ok() || static_cast<int>(got->size()) != tokens) fmt::print(stderr, "filler has {} tokens\n", got.ok() ? got->size() : 0);
  return text;
}

// Each run has a new engine, so that no earlier prompt is kept: llama-bench clears its memory before each run as well.
int single(char** a) {
  const int prompt = std::atoi(a[4]), answer = std::atoi(a[5]), runs = std::atoi(a[6]);
  std::string reads, writes;
  for (int run = 0; run < runs; ++run) {
    auto engine = load(a[2], std::atoi(a[3]), 4096);
    ChatRequest request;
    request.raw_prompt = "warm up";
    request.max_tokens = 8;
    if (!engine->chat(request, nullptr, {}).ok()) return 1;
    request.raw_prompt = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21";
    request.max_tokens = answer + 1;
    const auto written = engine->chat(request, nullptr, {});
    request.raw_prompt = filler(*engine, prompt, run);
    request.max_tokens = 1;
    const auto read = engine->chat(request, nullptr, {});
    if (!read.ok() || !written.ok()) return 1;
    reads += fmt::format("{}{:.2f}", reads.empty() ? "" : ",", read->usage.prompt_tokens * 1000.0 / read->timings.first_token_ms);
    writes += fmt::format("{}{:.2f}", writes.empty() ? "" : ",", (written->usage.completion_tokens - 1) * 1000.0 / written->timings.generation_ms);
  }
  fmt::print("{{\"prompt_tokens_per_second\":[{}],\"answer_tokens_per_second\":[{}]}}\n", reads, writes);
  return 0;
}

int wave(char** a) {
  auto engine = load(a[2], std::atoi(a[3]), std::atoi(a[4]));
  const int clients = std::atoi(a[5]), waves = std::atoi(a[6]), answer = std::atoi(a[7]);
  std::vector<std::pair<std::int32_t, double>> never;
  for (const char* ids = a[8]; *ids;) {
    char* end = nullptr;
    never.emplace_back(static_cast<std::int32_t>(std::strtol(ids, &end, 10)), -1000.0);
    ids = *end ? end + 1 : end;
  }
  std::string system;
  std::getline(std::cin, system);
  std::vector<std::string> questions;
  for (std::string line; std::getline(std::cin, line);) questions.push_back(line);
  if (static_cast<int>(questions.size()) < clients * waves) return 2;
  const auto ask = [&](const std::string& question, int tokens) {
    ChatRequest request;
    request.tenant = TenantId("bench");
    request.messages = {{"system", system, {}, {}, {}, {}}, {"user", question, {}, {}, {}, {}}};
    request.max_tokens = tokens;
    request.sampling.logit_bias = never;
    return request;
  };
  ChatRequest warm = ask("warm", 2);
  warm.messages[0].content = "warm";
  warm.tenant = TenantId("warm");
  if (!engine->chat(warm, nullptr, {}).ok()) return 1;
  std::mutex mutex;
  std::string first, rest;
  int prompts = 0, cached = 0, answers = 0, failed = 0, peak = 0;
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::jthread> threads;
  for (int c = 0; c < clients; ++c) {
    threads.emplace_back([&, c] {
      for (int w = 0; w < waves; ++w) {
        const auto sent = std::chrono::steady_clock::now();
        double first_ms = 0;
        const auto result = engine->chat(ask(questions[static_cast<std::size_t>(w * clients + c)], answer), [&](const ChatDelta&) {
          if (first_ms == 0) first_ms = elapsed_ms(sent);
          return true;
        }, {});
        std::lock_guard lock(mutex);
        peak = std::max(peak, engine->stats()[0].kv_cells_used);
        if (!result.ok()) { ++failed; continue; }
        prompts += result->usage.prompt_tokens;
        cached += result->usage.cached_tokens;
        answers += result->usage.completion_tokens;
        auto& list = w == 0 ? first : rest;
        list += fmt::format("{}{:.1f}", list.empty() ? "" : ",", first_ms);
      }
    });
  }
  threads.clear();
  const auto stats = engine->stats()[0];
  fmt::print("{{\"seconds\":{:.3f},\"first_wave_ms\":[{}],\"later_waves_ms\":[{}],\"prompt_tokens\":{},\"cached_tokens\":{},"
             "\"answer_tokens\":{},\"failed\":{},\"kv_cells_peak\":{},\"kv_cells\":{},\"kv_bytes\":{}}}\n",
             elapsed_ms(begin) / 1000, first, rest, prompts, cached, answers, failed, peak, stats.kv_cells, stats.kv_bytes);
  return failed != 0;
}

int json(char** a) {
  auto engine = load(a[2], std::atoi(a[3]), 4096, std::string(a[5]) == "forced");
  const int runs = std::atoi(a[4]);
  const std::string schema = R"({"type":"object","properties":{"customer_full_name":{"type":"string","maxLength":20},"account_number":{"type":"integer"},
    "request_category":{"enum":["balance_inquiry","lost_or_stolen_card","loan_application"]},"requires_human_review":{"type":"boolean"}},
    "required":["customer_full_name","account_number","request_category","requires_human_review"],"additionalProperties":false})";
  std::string ms, forced, tokens;
  for (int run = -1; run < runs; ++run) {
    ChatRequest request;
    request.messages = {{"user", "Ada Lovelace, account 4711, reports that her card was stolen. Fill in the form as JSON.", {}, {}, {}, {}}};
    request.json_schema = schema;
    request.max_tokens = 120;
    const auto result = engine->chat(request, nullptr, {});
    if (!result.ok()) return 1;
    if (run < 0) continue;
    const char* comma = ms.empty() ? "" : ",";
    ms += fmt::format("{}{:.1f}", comma, result->timings.first_token_ms + result->timings.generation_ms);
    forced += fmt::format("{}{}", comma, std::count_if(result->tokens.begin(), result->tokens.end(), [](const TokenInfo& t) { return t.forced; }));
    tokens += fmt::format("{}{}", comma, result->tokens.size());
  }
  fmt::print("{{\"generation_ms\":[{}],\"forced_tokens\":[{}],\"tokens\":[{}]}}\n", ms, forced, tokens);
  return 0;
}

// Items a second, and the log-probabilities of the last run.
int score(char** a) {
  LlamaSettings settings;
  settings.path = a[2];
  settings.threads = std::atoi(a[3]);
  settings.context_tokens = 4096;
  settings.max_sequences = 256;
  auto engine = LlamaEngine::create(settings);
  if (!engine.ok()) return 1;
  const auto input = nlohmann::json::parse(std::cin);
  ScoreRequest request;
  request.tenant = TenantId("bench");
  request.prefix = input.at("prefix").get<std::string>();
  request.items = input.at("items").get<std::vector<std::string>>();
  for (const auto& field : input.at("fields")) request.fields.push_back({field.at("lead").get<std::string>(), field.at("candidates").get<std::vector<std::string>>()});
  ScoreRequest warm = request;
  warm.tenant = TenantId("warm");
  warm.items.resize(std::min<std::size_t>(warm.items.size(), 4));
  if (!(*engine)->score(warm, {}).ok()) return 1;
  nlohmann::json out{{"seconds", nlohmann::json::array()}};
  for (int run = 0; run < std::atoi(a[4]); ++run) {
    request.tenant = TenantId("bench" + std::to_string(run));  // each run reads the prefix anew
    const auto begin = std::chrono::steady_clock::now();
    const auto result = (*engine)->score(request, {});
    if (!result.ok()) {
      fmt::print(stderr, "{}\n", result.error().message);
      return 1;
    }
    out["seconds"].push_back(elapsed_ms(begin) / 1000);
    out["logprobs"] = result->logprobs;
    out["decoded_tokens"] = result->decoded_tokens;
  }
  fmt::print("{}\n", out.dump());
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string mode = count > 1 ? arguments[1] : "";
  if (mode == "single" && count == 7) return single(arguments);
  if (mode == "wave" && count == 9) return wave(arguments);
  if (mode == "json" && count == 6) return json(arguments);
  if (mode == "score" && count == 5) return score(arguments);
  fmt::print(stderr, "usage: infer_engine_bench single|wave|json|score …\n");
  return 2;
}
