#include "heng/knowledge/ranking.h"

#include <cmath>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "heng/knowledge/vector_index.h"

namespace heng::knowledge {
namespace {

std::vector<float> random_unit(std::mt19937& random, std::size_t size) {
  std::normal_distribution<float> normal;
  std::vector<float> v(size);
  float sum = 0;
  for (auto& x : v) {
    x = normal(random);
    sum += x * x;
  }
  for (auto& x : v) x /= std::sqrt(sum);
  return v;
}

TEST(Bm25, MatchesTheFormulaByHand) {
  // two chunks of length 4 and 8; the token stands once in the first
  const std::vector<std::uint8_t> allowed = {1, 1};
  const std::vector<std::uint16_t> lengths = {4, 8};
  const std::vector<Posting> postings = {{0, 1, 0, 0}};
  const Bm25Settings settings{.k1 = 1.2, .b = 0.75};
  const auto found = bm25({{1.0, postings}}, {allowed, lengths, 2, 6.0}, settings, 10);
  ASSERT_EQ(found.size(), 1U);
  const double idf = std::log(1 + (2 - 1 + 0.5) / (1 + 0.5));
  EXPECT_NEAR(found[0].score, idf * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 4 / 6.0)), 1e-5);
}

TEST(Bm25, WhatIsHiddenChangesNothing) {
  const std::vector<std::uint16_t> lengths = {5, 7, 100, 9};
  const std::vector<Posting> a = {{0, 2, 0, 0}, {2, 9, 1, 1}, {3, 1, 0, 0}}, b = {{2, 4, 0, 0}};
  const std::vector<std::uint8_t> hidden = {1, 1, 0, 1};
  const auto with = bm25({{1.0, a}, {1.0, b}}, {hidden, lengths, 3, 7.0}, {}, 10);
  const std::vector<Posting> a_without = {{0, 2, 0, 0}, {3, 1, 0, 0}};
  const auto without = bm25({{1.0, a_without}}, {hidden, lengths, 3, 7.0}, {}, 10);
  ASSERT_EQ(with.size(), without.size());
  for (std::size_t i = 0; i < with.size(); ++i) {
    EXPECT_EQ(with[i].ordinal, without[i].ordinal);
    EXPECT_DOUBLE_EQ(with[i].score, without[i].score);
  }
}

TEST(Fuse, WhatBothFindComesFirst) {
  const std::vector<Scored> words = {{1, 9}, {2, 8}, {3, 7}}, vectors = {{4, 0.9}, {2, 0.89}, {5, 0.8}};
  EXPECT_EQ(fuse(words, vectors, {}).front().ordinal, 2U);
  EXPECT_EQ(fuse(words, vectors, {.vector_weight = 100}).front().ordinal, 4U);
  EXPECT_TRUE(fuse({}, {}, {}).empty());
}

TEST(Half, RoundTripsWithinHalfPrecision) {
  for (const float x : {0.0F, 1.0F, -1.0F, 0.1F, -0.003F, 1e-5F, 6e-8F, 65504.0F}) EXPECT_NEAR(from_half(to_half(x)), x, std::fabs(x) * 0.0005 + 6e-8);
  EXPECT_EQ(from_half(to_half(0.5F)), 0.5F);
  EXPECT_TRUE(std::isinf(from_half(to_half(1e6F))));
}

TEST(Dot, FastAndPlainAgree) {
  std::mt19937 random(1);
  for (const std::size_t size : {1, 15, 16, 31, 384, 512, 513}) {
    std::vector<std::int8_t> a(size), b(size);
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < size; ++i) {
      a[i] = static_cast<std::int8_t>(static_cast<int>(random() % 255) - 127);
      b[i] = static_cast<std::int8_t>(static_cast<int>(random() % 255) - 127);
      sum += a[i] * b[i];
    }
    EXPECT_EQ(dot(a.data(), b.data(), size), sum);
  }
}

TEST(VectorIndex, ScanAndGraphAgreeWithTheExactSearchAmongTheAllowed) {
  std::mt19937 random(2);
  constexpr std::size_t dimensions = 64, count = 2000;
  VectorIndex scan(dimensions), graph(dimensions, {.graph_from = 100, .scan_below = 0});
  std::vector<std::vector<float>> vectors;
  std::vector<std::uint8_t> allowed(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    vectors.push_back(random_unit(random, dimensions));
    ASSERT_TRUE(scan.set(i, vectors[i]).ok());
    ASSERT_TRUE(graph.set(i, vectors[i]).ok());
    allowed[i] = random() % 3 == 0;
  }
  ASSERT_TRUE(graph.wants_graph());
  ASSERT_TRUE(graph.build_graph().ok());
  scan.remove(5);
  graph.remove(5);
  int scan_hits = 0, graph_hits = 0, total = 0;
  for (int q = 0; q < 40; ++q) {
    const auto query = random_unit(random, dimensions);
    std::vector<std::pair<double, std::uint32_t>> exact;
    for (std::uint32_t i = 0; i < count; ++i) {
      if (!allowed[i] || i == 5) continue;
      double sum = 0;
      for (std::size_t d = 0; d < dimensions; ++d) sum += static_cast<double>(vectors[i][d]) * query[d];
      exact.emplace_back(-sum, i);
    }
    std::sort(exact.begin(), exact.end());
    std::set<std::uint32_t> best;
    for (int i = 0; i < 10; ++i) best.insert(exact[static_cast<std::size_t>(i)].second);
    const auto by_scan = scan.search(query, 10, allowed, count).value();
    const auto by_graph = graph.search(query, 10, allowed, count).value();
    for (const auto& hit : by_scan) {
      ASSERT_TRUE(allowed[hit.ordinal]);
      scan_hits += best.contains(hit.ordinal);
    }
    for (const auto& hit : by_graph) {
      ASSERT_TRUE(allowed[hit.ordinal]);
      ASSERT_NE(hit.ordinal, 5U);
      graph_hits += best.contains(hit.ordinal);
    }
    total += 10;
  }
  EXPECT_GE(scan_hits, total * 95 / 100);
  EXPECT_GE(graph_hits, total * 93 / 100);
}

TEST(VectorIndex, RefusesOtherDimensionsAndLivesWithOddVectors) {
  VectorIndex index(4);
  EXPECT_EQ(index.set(0, std::vector<float>{1, 0}).error().code, ErrorCode::invalid_argument);
  ASSERT_TRUE(index.set(0, std::vector<float>{0, 0, 0, 0}).ok());
  ASSERT_TRUE(index.set(1, std::vector<float>{NAN, 1, INFINITY, 0}).ok());
  EXPECT_EQ(index.size(), 1U);
  const std::vector<std::uint8_t> allowed = {1};  // ordinal 1 is past the end: forbidden
  EXPECT_TRUE(index.search(std::vector<float>{0, 1, 0, 0}, 5, allowed, 1).value().empty());
  EXPECT_EQ(index.search(std::vector<float>{0, 1}, 5, allowed, 1).error().code, ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace heng::knowledge
