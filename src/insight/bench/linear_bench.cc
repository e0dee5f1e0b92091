// The linear head alone: texts and bytes a second on one core, on texts made here (Chinese posts of 20 characters, English of 80).
#include <benchmark/benchmark.h>

#include <random>

#include "linear/linear.h"

namespace heng::insight {
namespace {

struct Corpus {
  std::vector<std::string> texts;
  std::vector<std::string_view> views;
  std::vector<int> labels;
  std::int64_t bytes = 0;
};

/// Words drawn by Zipf's law, so that a table is hit as often as by real texts.
Corpus make(bool chinese, int count, std::size_t words) {
  std::mt19937_64 random(1);
  std::vector<std::string> vocabulary;
  for (int i = 0; i < 5000; ++i) {
    std::string word;
    if (chinese) {
      for (int j = 0; j < 2; ++j) {
        const auto c = static_cast<std::uint32_t>(0x4E00 + random() % 2500);
        word += {static_cast<char>(0xE0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 0x3F)), static_cast<char>(0x80 | (c & 0x3F))};
      }
    } else {
      for (std::size_t j = 0; j < 3 + random() % 6; ++j) word += static_cast<char>('a' + random() % 26);
      word += ' ';
    }
    vocabulary.push_back(word);
  }
  std::vector<double> weights;
  for (std::size_t i = 0; i < vocabulary.size(); ++i) weights.push_back(1.0 / static_cast<double>(i + 1));
  std::discrete_distribution<std::size_t> zipf(weights.begin(), weights.end());
  Corpus corpus;
  for (int i = 0; i < count; ++i) {
    std::string text;
    for (std::size_t w = 0; w < words; ++w) text += vocabulary[zipf(random)];
    corpus.bytes += static_cast<std::int64_t>(text.size());
    corpus.texts.push_back(std::move(text));
    corpus.labels.push_back(static_cast<int>(random() % 3));
  }
  corpus.views.assign(corpus.texts.begin(), corpus.texts.end());
  return corpus;
}

void label(benchmark::State& state, bool chinese, std::size_t words) {
  const Corpus corpus = make(chinese, 10000, words);
  const LinearSettings settings;
  const auto head = LinearHead::train(LinearProblem::create(corpus.views, corpus.labels, 3, settings), {}, settings);
  LinearScratch scratch;
  std::vector<float> z(3);
  for (auto _ : state)
    for (const auto text : corpus.views) {
      head.logits(text, scratch, z);
      benchmark::DoNotOptimize(z.data());
    }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(corpus.views.size()));
  state.SetBytesProcessed(state.iterations() * corpus.bytes);
}

void train(benchmark::State& state, bool chinese, std::size_t words) {
  const Corpus corpus = make(chinese, 10000, words);
  const LinearSettings settings;
  for (auto _ : state) benchmark::DoNotOptimize(LinearHead::train(LinearProblem::create(corpus.views, corpus.labels, 3, settings), {}, settings));
}

BENCHMARK_CAPTURE(label, chinese_20_characters, true, 10);
BENCHMARK_CAPTURE(label, chinese_200_characters, true, 100);
BENCHMARK_CAPTURE(label, english_80_characters, false, 12);
BENCHMARK_CAPTURE(train, chinese_10000_texts, true, 10)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(train, english_10000_texts, false, 12)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace heng::insight

BENCHMARK_MAIN();
