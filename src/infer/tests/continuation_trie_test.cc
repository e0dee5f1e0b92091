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

}  // namespace
}  // namespace heng::infer
