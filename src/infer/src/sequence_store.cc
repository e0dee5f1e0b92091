#include "heng/infer/sequence_store.h"

#include <algorithm>
#include <cassert>
#include <numeric>

namespace heng::infer {

int common_prefix(std::span<const Token> a, std::span<const Token> b) {
  const auto n = std::min(a.size(), b.size());
  return static_cast<int>(std::mismatch(a.begin(), a.begin() + n, b.begin()).first - a.begin());
}

SequenceStore::SequenceStore(int cells, int sequences, SequenceMemory& memory)
    : memory_(memory), slots_(sequences), references_(cells, 0), running_references_(cells, 0), free_cells_(cells) {
  std::iota(free_cells_.rbegin(), free_cells_.rend(), 0);
}

SequenceStore::Match SequenceStore::longest_prefix(const ShareKey& key, std::span<const Token> tokens) const {
  Match best;
  for (int i = 0; i < static_cast<int>(slots_.size()); ++i) {
    const Slot& slot = slots_[i];
    if (slot.state == State::free || slot.key != key) continue;
    const int n = common_prefix(slot.tokens, tokens);
    if (n > best.length) best = {i, n};
  }
  return best;
}

std::optional<int> SequenceStore::start(const ShareKey& key, Match share) {
  int id = free_slot();
  if (id < 0) {
    const int victim = oldest_cached(share.sequence);
    if (victim >= 0) {
      release(victim);
      id = victim;
    } else if (share.sequence >= 0 && slots_[share.sequence].state == State::cached) {
      // the only cached sequence is the one to share: it becomes the new one itself
      Slot& slot = slots_[share.sequence];
      for (auto cell : slot.cells) { hold(cell, true); drop(cell, false); }
      slot.state = State::running;
      slot.last_use = ++clock_;
      truncate(share.sequence, share.length);
      return share.sequence;
    } else {
      return std::nullopt;
    }
  }
  Slot& slot = slots_[id];
  slot.state = State::running;
  slot.key = key;
  slot.last_use = ++clock_;
  if (share.length > 0) {
    Slot& source = slots_[share.sequence];
    assert(source.key == key && share.length <= static_cast<int>(source.tokens.size()));
    source.last_use = clock_;
    slot.tokens.assign(source.tokens.begin(), source.tokens.begin() + share.length);
    slot.cells.assign(source.cells.begin(), source.cells.begin() + share.length);
    for (auto cell : slot.cells) hold(cell, true);
    memory_.copy(share.sequence, id, share.length);
  }
  return id;
}

std::optional<int> SequenceStore::fork(int sequence) {
  return start(slots_[sequence].key, {sequence, length(sequence)});
}

bool SequenceStore::make_room(int cells) {
  if (this->cells() - pinned_ < cells) return false;
  while (cells_free() < cells) {
    const int victim = oldest_cached(-1);
    if (victim < 0) return false;
    release(victim);
  }
  return true;
}

bool SequenceStore::make_ids(int count) {
  if (sequences_available() < count) return false;
  const auto free_now = [&] { return std::count_if(slots_.begin(), slots_.end(), [](const Slot& s) { return s.state == State::free; }); };
  while (free_now() < count) release(oldest_cached(-1));
  return true;
}

void SequenceStore::append(int sequence, std::span<const Token> tokens) {
  for (Token token : tokens) append_shared(std::span(&sequence, 1), token);
}

void SequenceStore::append_shared(std::span<const int> sequences, Token token) {
  const auto cell = new_cell();
  for (int sequence : sequences) {
    Slot& slot = slots_[sequence];
    assert(slot.state == State::running);
    slot.tokens.push_back(token);
    slot.cells.push_back(cell);
    hold(cell, true);
  }
}

void SequenceStore::truncate(int sequence, int length) {
  Slot& slot = slots_[sequence];
  if (length >= static_cast<int>(slot.tokens.size())) return;
  for (std::size_t i = length; i < slot.cells.size(); ++i) drop(slot.cells[i], slot.state == State::running);
  slot.tokens.resize(length);
  slot.cells.resize(length);
  memory_.truncate(sequence, length);
}

void SequenceStore::retire(int sequence) {
  Slot& slot = slots_[sequence];
  assert(slot.state == State::running);
  if (slot.tokens.empty()) return release(sequence);
  for (auto cell : slot.cells) { hold(cell, false); drop(cell, true); }
  slot.state = State::cached;
  slot.last_use = ++clock_;
  drop_redundant(sequence);
}

void SequenceStore::drop_redundant(int retired) {
  for (int i = 0; i < static_cast<int>(slots_.size()); ++i) {
    const Slot& slot = slots_[i];
    if (i == retired || slot.state == State::free || slot.key != slots_[retired].key) continue;
    const int n = common_prefix(slot.tokens, slots_[retired].tokens);
    if (n == length(retired)) {
      slots_[i].last_use = clock_;
      return release(retired);
    }
    if (slot.state == State::cached && n == length(i)) release(i);
  }
}

void SequenceStore::release(int sequence) {
  Slot& slot = slots_[sequence];
  if (slot.state == State::free) return;
  for (auto cell : slot.cells) drop(cell, slot.state == State::running);
  slot = Slot{};
  memory_.truncate(sequence, 0);
}

void SequenceStore::release_all() {
  for (int i = 0; i < static_cast<int>(slots_.size()); ++i) release(i);
}

int SequenceStore::cells_unpinned(Match share) const {
  if (share.sequence < 0) return 0;
  const auto& cells = slots_[share.sequence].cells;
  return static_cast<int>(std::count_if(cells.begin(), cells.begin() + share.length, [&](auto cell) { return running_references_[cell] == 0; }));
}

int SequenceStore::sequences_running() const {
  return static_cast<int>(std::count_if(slots_.begin(), slots_.end(), [](const Slot& s) { return s.state == State::running; }));
}
int SequenceStore::sequences_cached() const {
  return static_cast<int>(std::count_if(slots_.begin(), slots_.end(), [](const Slot& s) { return s.state == State::cached; }));
}
int SequenceStore::sequences_available() const { return static_cast<int>(slots_.size()) - sequences_running(); }

void SequenceStore::hold(std::int32_t cell, bool running) {
  if (references_[cell]++ == 0) ++used_;
  if (running && running_references_[cell]++ == 0) ++pinned_;
}

void SequenceStore::drop(std::int32_t cell, bool running) {
  if (running && --running_references_[cell] == 0) --pinned_;
  if (--references_[cell] == 0) {
    --used_;
    free_cells_.push_back(cell);
  }
}

int SequenceStore::oldest_cached(int except) const {
  int oldest = -1;
  for (int i = 0; i < static_cast<int>(slots_.size()); ++i) {
    if (i == except || slots_[i].state != State::cached) continue;
    if (oldest < 0 || slots_[i].last_use < slots_[oldest].last_use) oldest = i;
  }
  return oldest;
}

int SequenceStore::free_slot() const {
  for (int i = 0; i < static_cast<int>(slots_.size()); ++i)
    if (slots_[i].state == State::free) return i;
  return -1;
}

std::int32_t SequenceStore::new_cell() {
  assert(!free_cells_.empty());
  const auto cell = free_cells_.back();
  free_cells_.pop_back();
  return cell;
}

}  // namespace heng::infer
