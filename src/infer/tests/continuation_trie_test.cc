#include "heng/infer/continuation_trie.h"

#include <gtest/gtest.h>

namespace heng::infer {
namespace {

using Tokens = std::vector<std::vector<std::int32_t>>;

TEST(ContinuationTrie, SingleTokensNeedNoDecoding) {
  const Tokens candidates = {{1}, {2}, {3}};
  const ContinuationTrie trie(candidates);
  EXPECT_EQ(trie.decoded_nodes(), 0);
  EXPECT_EQ(trie.branches(), 1);
  ASSERT_EQ(trie.steps(2).size(), 1u);
  EXPECT_EQ(trie.steps(2)[0].node, 0);
  EXPECT_EQ(trie.steps(2)[0].token, 3);
}

TEST(ContinuationTrie, SharedBeginningsAreOneNode) {
  const Tokens candidates = {{1, 2, 3}, {1, 2, 4}, {1, 5, 6}, {7}, {1, 2}};
  const ContinuationTrie trie(candidates);
  EXPECT_EQ(trie.decoded_nodes(), 3);  // 1, 1-2, 1-5
  EXPECT_EQ(trie.branches(), 2);
  EXPECT_EQ(trie.nodes()[0].branches.size(), 2u);
  EXPECT_EQ(trie.steps(4).size(), 2u);
  EXPECT_EQ(trie.steps(0)[2].node, trie.steps(1)[2].node);
  for (std::size_t n = 1; n < trie.nodes().size(); ++n) {
    const auto& node = trie.nodes()[n];
    EXPECT_EQ(node.depth, trie.nodes()[static_cast<std::size_t>(node.parent)].depth + 1);
    EXPECT_EQ(node.decoded, !node.branches.empty());
  }
}

TEST(ContinuationTrie, EqualCandidatesHaveEqualSteps) {
  const Tokens candidates = {{4, 4}, {4, 4}};
  const ContinuationTrie trie(candidates);
  EXPECT_EQ(trie.decoded_nodes(), 1);
  EXPECT_EQ(trie.steps(0)[1].node, trie.steps(1)[1].node);
}

TEST(ContinuationTrie, ClosedFieldsAskOnlyWhereCandidatesPart) {
  // field 0: lead 10 11, then 1 9 or 2 9; field 1: lead 10 12, then 5, 6 7 or 6 8
  const Tokens candidates = {{10, 11, 1, 9}, {10, 11, 2, 9}, {10, 12, 5}, {10, 12, 6, 7}, {10, 12, 6, 8}};
  const std::vector<int> field = {0, 0, 1, 1, 1};
  const ContinuationTrie trie(candidates, field);
  EXPECT_EQ(trie.decoded_nodes(), 4);  // 10, 10-11, 10-12, 10-12-6; nothing behind the last choice
  EXPECT_EQ(trie.outputs(), 3);        // 10-11, 10-12, 10-12-6: not where the way is forced
  EXPECT_EQ(trie.branches(), 2);
  ASSERT_EQ(trie.steps(0).size(), 1u);
  EXPECT_EQ(trie.steps(0)[0].rivals, (std::vector<std::int32_t>{1, 2}));
  ASSERT_EQ(trie.steps(4).size(), 2u);
  EXPECT_EQ(trie.steps(4)[0].rivals, (std::vector<std::int32_t>{5, 6}));
  EXPECT_EQ(trie.steps(4)[1].rivals, (std::vector<std::int32_t>{7, 8}));
}

TEST(ContinuationTrie, AFieldWithOneCandidateCostsNothing) {
  const Tokens candidates = {{3, 4, 5}};
  const std::vector<int> field = {0};
  const ContinuationTrie trie(candidates, field);
  EXPECT_EQ(trie.decoded_nodes(), 0);
  EXPECT_EQ(trie.outputs(), 0);
  EXPECT_TRUE(trie.steps(0).empty());
}

}  // namespace
}  // namespace heng::infer
