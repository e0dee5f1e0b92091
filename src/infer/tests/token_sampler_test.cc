#include "heng/infer/token_sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

namespace heng::infer {
namespace {

constexpr float minus_infinity = -std::numeric_limits<float>::infinity();

std::vector<float> random_logits(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 4);
  std::vector<float> logits(n);
  for (float& l : logits) l = normal(random);
  return logits;
}

TEST(LogSumExp, EqualsTheExactSum) {
  for (std::size_t n : {1u, 7u, 8u, 1000u, 4096u, 151936u}) {
    const auto logits = random_logits(n, static_cast<unsigned>(n));
    long double sum = 0;
    for (float l : logits) sum += std::exp(static_cast<long double>(l));
    EXPECT_NEAR(log_sum_exp(logits), static_cast<double>(std::log(sum)), 1e-5) << n;
  }
  EXPECT_NEAR(log_sum_exp(std::vector<float>{1000.f, 1000.f, -5000.f, minus_infinity, 0, 0, 0, 0, 0}), 1000 + std::log(2), 1e-5);
}

TEST(Largest, AreSortedWithTiesByToken) {
  const std::vector<float> logits = {1, 5, 3, 5, 2};
  const auto best = largest(logits, 3);
  ASSERT_EQ(best.size(), 3u);
  EXPECT_EQ(best[0].token, 1);
  EXPECT_EQ(best[1].token, 3);
  EXPECT_EQ(best[2].token, 2);
  EXPECT_EQ(largest(logits, 100).size(), 5u);
  EXPECT_TRUE(largest(logits, 0).empty());
}

TEST(TokenSampler, GreedyTakesTheBestThatTheFilterAllows) {
  const auto logits = random_logits(5000, 3);
  TokenSampler sampler(Sampling{});
  EXPECT_EQ(sampler.choose(logits), largest(logits, 1)[0].token);
  const auto order = largest(logits, 5000);
  for (std::size_t allowed : {std::size_t{0}, std::size_t{10}, std::size_t{500}, std::size_t{4000}}) {
    const TokenSampler::Filter filter = [&](std::span<Candidate> list) {
      for (auto& c : list) if (c.token != order[allowed].token) c.logit = minus_infinity;
    };
    EXPECT_EQ(sampler.choose(logits, &filter), order[allowed].token);
  }
  const TokenSampler::Filter none = [](std::span<Candidate> list) { for (auto& c : list) c.logit = minus_infinity; };
  EXPECT_EQ(sampler.choose(logits, &none), -1);
}

TEST(TokenSampler, DrawsWithTheModelsProbabilities) {
  const std::vector<float> logits = {std::log(0.5f), std::log(0.3f), std::log(0.2f)};
  Sampling sampling;
  sampling.temperature = 1;
  sampling.top_k = 0;
  sampling.top_p = 1;
  sampling.seed = 11;
  TokenSampler sampler(sampling);
  std::map<int, int> counts;
  for (int i = 0; i < 20000; ++i) ++counts[sampler.choose(logits)];
  EXPECT_NEAR(counts[0], 10000, 400);
  EXPECT_NEAR(counts[1], 6000, 400);
  EXPECT_NEAR(counts[2], 4000, 400);
}

TEST(TokenSampler, TopKTopPAndMinPCutTheTail) {
  const std::vector<float> logits = {std::log(0.5f), std::log(0.3f), std::log(0.15f), std::log(0.05f)};
  const auto seen = [&](auto change) {
    Sampling sampling;
    sampling.temperature = 1;
    sampling.top_k = 0;
    sampling.top_p = 1;
    change(sampling);
    TokenSampler sampler(sampling);
    std::map<int, int> counts;
    for (int i = 0; i < 2000; ++i) ++counts[sampler.choose(logits)];
    return counts.size();
  };
  EXPECT_EQ(seen([](Sampling&) {}), 4u);
  EXPECT_EQ(seen([](Sampling& s) { s.top_k = 2; }), 2u);
  EXPECT_EQ(seen([](Sampling& s) { s.top_p = 0.75; }), 2u);
  EXPECT_EQ(seen([](Sampling& s) { s.top_p = 0.01; }), 1u);
  EXPECT_EQ(seen([](Sampling& s) { s.min_p = 0.2; }), 3u);
}

TEST(TokenSampler, SeedsDecide) {
  const auto logits = random_logits(1000, 5);
  const auto run = [&](std::uint64_t seed) {
    Sampling sampling;
    sampling.temperature = 2;
    sampling.seed = seed;
    TokenSampler sampler(sampling);
    std::vector<int> tokens;
    for (int i = 0; i < 20; ++i) tokens.push_back(sampler.choose(logits));
    return tokens;
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
}

TEST(TokenSampler, BiasAndPenaltiesChangeTheChoice) {
  const std::vector<float> logits = {1, 2, 3};
  Sampling biased;
  biased.logit_bias = {{2, -100}, {0, 5}, {99999, 1}, {-4, 1}};
  TokenSampler bias(biased);
  EXPECT_EQ(bias.choose(logits), 0);
  Sampling penalised;
  penalised.presence_penalty = 1.5;
  TokenSampler presence(penalised);
  EXPECT_EQ(presence.choose(logits), 2);
  presence.accept(2, true);
  EXPECT_EQ(presence.choose(logits), 1);
  Sampling repeated;
  repeated.repeat_penalty = 2;
  TokenSampler repeat(repeated);
  repeat.accept(2, false);  // in the prompt
  EXPECT_EQ(repeat.choose(logits), 1);
}

}  // namespace
}  // namespace heng::infer
