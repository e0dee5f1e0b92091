#include "heng/infer/sequence_store.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace heng::infer {
namespace {

/// What llama.cpp's unified memory does, written down another way: a set of owners per cell.
class Cells final : public SequenceMemory {
 public:
  struct Cell {
    std::set<int> owners;
    int position;
    Token token;
    std::string tenant;
  };
  void copy(int from, int to, int length) override {
    for (auto& cell : cells)
      if (cell.owners.contains(from) && cell.position < length) cell.owners.insert(to);
  }
  void truncate(int sequence, int length) override {
    for (auto& cell : cells)
      if (cell.position >= length) cell.owners.erase(sequence);
    std::erase_if(cells, [](const Cell& cell) { return cell.owners.empty(); });
  }
  std::vector<Token> of(int sequence) const {
    std::map<int, Token> found;
    for (const auto& cell : cells)
      if (cell.owners.contains(sequence)) found[cell.position] = cell.token;
    std::vector<Token> tokens;
    for (auto [position, token] : found) tokens.push_back(token);
    return tokens;
  }
  std::vector<Cell> cells;
};

ShareKey key(const std::string& tenant, const std::string& adapter = "") { return {TenantId(tenant), adapter}; }

struct Fixture {
  Cells memory;
  SequenceStore store;
  Fixture(int cells, int sequences) : store(cells, sequences, memory) {}
  void decode(int sequence, const std::vector<Token>& tokens) {
    for (Token token : tokens) {
      memory.cells.push_back({{sequence}, store.length(sequence), token, store.key(sequence).tenant.value});
      store.append(sequence, std::span(&token, 1));
    }
  }
  int run(const ShareKey& k, const std::vector<Token>& tokens) {
    const auto match = store.longest_prefix(k, tokens);
    const int sequence = store.start(k, match).value();
    decode(sequence, {tokens.begin() + match.length, tokens.end()});
    return sequence;
  }
};

TEST(SequenceStore, SharesTheLongestPrefixOfRunningAndCachedSequences) {
  Fixture f(100, 8);
  const int first = f.run(key("a"), {1, 2, 3, 4});
  const int second = f.run(key("a"), {1, 2, 3, 5, 6});
  EXPECT_EQ(f.store.cells_used(), 6);
  f.store.retire(second);
  EXPECT_EQ(f.store.cells_pinned(), 4);
  const std::vector<Token> next = {1, 2, 3, 5, 6, 7};
  EXPECT_EQ(f.store.longest_prefix(key("a"), next).length, 5);
  EXPECT_EQ(f.store.longest_prefix(key("a"), next).sequence, second);
  EXPECT_EQ(f.memory.of(first), (std::vector<Token>{1, 2, 3, 4}));
}

TEST(SequenceStore, NeverAcrossTenantsOrAdapters) {
  Fixture f(100, 8);
  f.store.retire(f.run(key("a"), {1, 2, 3}));
  EXPECT_EQ(f.store.longest_prefix(key("b"), std::vector<Token>{1, 2, 3}).length, 0);
  EXPECT_EQ(f.store.longest_prefix(key("a", "adapter"), std::vector<Token>{1, 2, 3}).length, 0);
  EXPECT_EQ(f.store.longest_prefix(key(""), std::vector<Token>{1, 2, 3}).length, 0);
  EXPECT_EQ(f.store.longest_prefix(key("a"), std::vector<Token>{1, 2, 3}).length, 3);
}

TEST(SequenceStore, DropsTheLeastRecentlyUsed) {
  Fixture f(10, 8);
  f.store.retire(f.run(key("a"), {1, 2, 3, 4}));
  f.store.retire(f.run(key("a"), {5, 6, 7, 8}));
  f.store.retire(f.run(key("a"), {1, 2, 3, 4}));  // used again
  EXPECT_TRUE(f.store.make_room(5));
  EXPECT_EQ(f.store.longest_prefix(key("a"), std::vector<Token>{5, 6}).length, 0);
  EXPECT_EQ(f.store.longest_prefix(key("a"), std::vector<Token>{1, 2}).length, 2);
  EXPECT_TRUE(f.store.make_room(10));
  EXPECT_EQ(f.store.cells_used(), 0);
}

TEST(SequenceStore, RunningSequencesAreNotDropped) {
  Fixture f(10, 2);
  const int a = f.run(key("a"), {1, 2, 3, 4, 5, 6});
  f.run(key("b"), {1});
  EXPECT_FALSE(f.store.make_room(4));
  EXPECT_FALSE(f.store.start(key("c"), {}).has_value());
  f.store.retire(a);
  EXPECT_TRUE(f.store.start(key("c"), {}).has_value());
  EXPECT_EQ(f.store.cells_used(), 1);
}

TEST(SequenceStore, TheLastIdIsReusedForItsOwnPrefix) {
  Fixture f(10, 1);
  f.store.retire(f.run(key("a"), {1, 2, 3}));
  const auto again = f.store.start(key("a"), {0, 2});
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(f.store.length(*again), 2);
  EXPECT_EQ(f.store.cells_pinned(), 2);
  EXPECT_EQ(f.memory.of(*again), (std::vector<Token>{1, 2}));
}

// Random work of several tenants, checked after each step against the second memory.
TEST(SequenceStore, PropertyOfRandomWork) {
  std::mt19937 random(7);
  const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  for (int round = 0; round < 30; ++round) {
    Fixture f(60 + pick(60), 2 + pick(8));
    std::vector<int> running;
    for (int step = 0; step < 300; ++step) {
      const int what = pick(10);
      if (what < 4) {
        const auto k = key(std::string(1, static_cast<char>('a' + pick(3))), pick(4) == 0 ? "x" : "");
        std::vector<Token> tokens;
        for (int i = 1 + pick(12); i > 0; --i) tokens.push_back(pick(3));
        auto match = f.store.longest_prefix(k, std::span(tokens).first(tokens.size() - 1));
        if (match.sequence >= 0) {
          ASSERT_EQ(f.store.key(match.sequence), k);
          const auto source = f.memory.of(match.sequence);
          ASSERT_TRUE(std::equal(tokens.begin(), tokens.begin() + match.length, source.begin()));
        }
        const auto sequence = f.store.start(k, match);
        if (!sequence) {
          ASSERT_EQ(f.store.sequences_available(), 0);
          continue;
        }
        running.push_back(*sequence);
        const std::vector<Token> rest(tokens.begin() + match.length, tokens.end());
        if (f.store.make_room(static_cast<int>(rest.size()))) f.decode(*sequence, rest);
      } else if (!running.empty()) {
        const auto at = static_cast<std::size_t>(pick(static_cast<int>(running.size())));
        const int sequence = running[at];
        if (what < 7) {
          if (f.store.make_room(1)) f.decode(sequence, {pick(3)});
        } else if (what == 7) {
          f.store.truncate(sequence, pick(f.store.length(sequence) + 1));
        } else {
          what == 8 ? f.store.retire(sequence) : f.store.release(sequence);
          running.erase(running.begin() + static_cast<std::ptrdiff_t>(at));
        }
      }
      ASSERT_EQ(f.store.cells_used(), static_cast<int>(f.memory.cells.size()));
      std::size_t pinned = 0;
      for (const auto& cell : f.memory.cells) {
        bool held = false;
        for (int owner : cell.owners) {
          ASSERT_EQ(f.store.key(owner).tenant.value, cell.tenant);  // a cell never belongs to two tenants
          held |= std::find(running.begin(), running.end(), owner) != running.end();
        }
        pinned += held;
      }
      ASSERT_EQ(f.store.cells_pinned(), static_cast<int>(pinned));
      for (int sequence : running) ASSERT_EQ(f.memory.of(sequence), f.store.tokens(sequence));
    }
  }
}

}  // namespace
}  // namespace heng::infer
