#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "heng/base/ids.h"

namespace heng::infer {

using Token = std::int32_t;

/// Whose decoded state a sequence is. Two requests share state only if their keys are equal.
struct ShareKey {
  TenantId tenant;
  std::string adapter;
  auto operator<=>(const ShareKey&) const = default;
};

/// The model's key-value memory, as far as the store drives it.
class SequenceMemory {
 public:
  virtual ~SequenceMemory() = default;
  /// Makes `to` (empty) also own the first `length` cells of `from`. Metadata only.
  virtual void copy(int from, int to, int length) = 0;
  /// Keeps the first `length` tokens of the sequence.
  virtual void truncate(int sequence, int length) = 0;
};

/// Which tokens are decoded in which sequence of the key-value memory: the prefix tree of the running and the cached
/// prompts, partitioned by ShareKey, with an exact count of the cells in use.
///
/// A sequence is free, running (pinned) or cached (kept for its prefix, dropped least recently used first). Cells are
/// shared between sequences and counted once. The tree is kept as its leaves: with at most 256 of them a scan for the
/// longest common prefix compares memory for some microseconds, which is less than a radix tree's upkeep per token.
/// Not thread-safe: it belongs to the decode thread.
class SequenceStore {
 public:
  SequenceStore(int cells, int sequences, SequenceMemory& memory);

  struct Match {
    int sequence = -1;
    int length = 0;
  };
  /// The sequence of the same key, running or cached, with the longest prefix in common with `tokens`.
  Match longest_prefix(const ShareKey& key, std::span<const Token> tokens) const;

  /// A new running sequence. It begins with the first `share.length` tokens of `share.sequence`, which must have the same
  /// key. Drops a cached sequence if no id is free; nullopt if all are running.
  std::optional<int> start(const ShareKey& key, Match share);
  /// As start(), for a copy of a running sequence with all its tokens.
  std::optional<int> fork(int sequence);

  /// Frees cells by dropping cached sequences until `cells` are free. False if the running ones leave too few.
  bool make_room(int cells);
  /// Frees ids likewise.
  bool make_ids(int count);

  /// Records that `tokens` were decoded behind the sequence. The cells must be free (make_room).
  void append(int sequence, std::span<const Token> tokens);
  /// Records that `sequences` now all hold one new cell with `token` (a cell decoded once for several of them).
  void append_shared(std::span<const int> sequences, Token token);
  void truncate(int sequence, int length);

  /// Running → cached. A cached sequence that is a prefix of another one is dropped.
  void retire(int sequence);
  /// Running or cached → free.
  void release(int sequence);
  void release_all();

  int length(int sequence) const { return static_cast<int>(slots_[sequence].tokens.size()); }
  const std::vector<Token>& tokens(int sequence) const { return slots_[sequence].tokens; }
  const ShareKey& key(int sequence) const { return slots_[sequence].key; }

  int cells() const { return static_cast<int>(references_.size()); }
  int cells_used() const { return used_; }
  int cells_pinned() const { return pinned_; }               ///< Held by running sequences.
  int cells_unpinned(Match share) const;                     ///< Of the shared prefix, those that only cached ones hold.
  int cells_free() const { return cells() - used_; }
  int sequences_running() const;
  int sequences_cached() const;
  int sequences_available() const;                           ///< Free or cached.

 private:
  enum class State { free, running, cached };
  struct Slot {
    State state = State::free;
    ShareKey key;
    std::vector<Token> tokens;
    std::vector<std::int32_t> cells;
    std::uint64_t last_use = 0;
  };
  void hold(std::int32_t cell, bool running);
  void drop(std::int32_t cell, bool running);
  void drop_redundant(int retired);
  int oldest_cached(int except) const;
  int free_slot() const;
  std::int32_t new_cell();

  SequenceMemory& memory_;
  std::vector<Slot> slots_;
  std::vector<std::int32_t> references_, running_references_;
  std::vector<std::int32_t> free_cells_;
  int used_ = 0, pinned_ = 0;
  std::uint64_t clock_ = 0;
};

/// Number of leading elements that are equal.
int common_prefix(std::span<const Token> a, std::span<const Token> b);

}  // namespace heng::infer
