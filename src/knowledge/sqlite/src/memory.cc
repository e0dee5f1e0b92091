#include "memory.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "heng/access/access.h"

namespace heng::knowledge_sqlite {

using knowledge::Posting;

Result<WordCache::Postings> WordCache::postings(store::Database& db, std::int64_t kb_id, const std::string& token,
                                                const std::vector<std::int64_t>& ids) {
  if (ids.empty()) return Postings(std::make_shared<std::vector<Posting>>());
  Postings known;
  std::int64_t up_to = 0;
  {
    const std::lock_guard guard(mutex_);
    if (const auto at = entries_.find(token); at != entries_.end()) {
      uses_.splice(uses_.begin(), uses_, at->second.use);
      known = at->second.postings;
      up_to = at->second.up_to;
    }
  }
  if (known && up_to == ids.back()) return known;

  const auto table = words_table(kb_id);
  auto rows = HENG_TRY(db.prepare(fmt::format("SELECT rowid, heng_tf({0}) FROM {0} WHERE {0} MATCH ?1 AND rowid > ?2", table)));
  rows.bind_all("\"\x01" + token + "\"", up_to);
  auto list = known ? std::make_shared<std::vector<Posting>>(*known) : std::make_shared<std::vector<Posting>>();
  auto place = std::upper_bound(ids.begin(), ids.end(), up_to);
  while (HENG_TRY(rows.step())) {
    const std::int64_t id = rows.integer(0);
    place = std::lower_bound(place, ids.end(), id);
    if (place == ids.end()) break;
    if (*place != id) continue;
    const auto packed = static_cast<std::uint64_t>(rows.integer(1));
    list->push_back({static_cast<std::uint32_t>(place - ids.begin()), static_cast<std::uint16_t>(packed & 0xFFFFU),
                     static_cast<std::uint8_t>((packed >> 16) & 0xFFU), static_cast<std::uint8_t>((packed >> 24) & 0xFFU)});
  }
  const std::lock_guard guard(mutex_);
  auto [at, fresh] = entries_.try_emplace(token);
  if (fresh) {
    uses_.push_front(token);
    at->second.use = uses_.begin();
    bytes_ += token.size() * 2 + 160;
  } else if (at->second.postings) {
    bytes_ -= at->second.postings->capacity() * sizeof(Posting);
  }
  bytes_ += list->capacity() * sizeof(Posting);
  at->second.postings = list;
  at->second.up_to = ids.back();
  shrink();
  return Postings(list);
}

void WordCache::shrink() {
  while (bytes_ > most_bytes_ && !uses_.empty()) {
    const auto at = entries_.find(uses_.back());
    bytes_ -= at->second.postings->capacity() * sizeof(Posting) + at->first.size() * 2 + 160;
    entries_.erase(at);
    uses_.pop_back();
  }
}

void WordCache::clear() {
  const std::lock_guard guard(mutex_);
  entries_.clear();
  uses_.clear();
  bytes_ = 0;
}

std::size_t WordCache::memory_bytes() const {
  const std::lock_guard guard(mutex_);
  return bytes_;
}

void KbMemory::reset() {
  generation_ = 0;
  epoch_ = 0;
  documents_generation_ = last_vector_ = 0;
  ids_.clear();
  document_of_.clear();
  lengths_.clear();
  fingerprints_.clear();
  pages_.clear();
  document_ordinals_.clear();
  readers_of_.clear();
  vectors_.reset();
  words.clear();
}

Result<void> KbMemory::refresh(store::Database& db, const KbRow& kb) {
  if (kb.epoch != epoch_) reset();
  if (kb.documents_generation != documents_generation_) {
    HENG_TRY(load_documents(db, kb));
    const auto gone = std::count_if(document_of_.begin(), document_of_.end(), [&](auto d) { return readers_of_[d] < 0; });
    if (gone > 1000 && static_cast<std::size_t>(gone) * 2 > ids_.size()) {
      reset();
      HENG_TRY(load_documents(db, kb));
    }
    HENG_TRY(load_chunks(db, kb));
  }
  HENG_TRY(load_vectors(db, kb));
  generation_ = kb.generation;
  documents_generation_ = kb.documents_generation;
  epoch_ = kb.epoch;
  return {};
}

std::uint32_t KbMemory::document_ordinal(std::int64_t id) {
  const auto [at, fresh] = document_ordinals_.try_emplace(id, static_cast<std::uint32_t>(readers_of_.size()));
  if (fresh) readers_of_.push_back(-1);
  return at->second;
}

Result<void> KbMemory::load_documents(store::Database& db, const KbRow& kb) {
  std::fill(readers_of_.begin(), readers_of_.end(), -1);
  auto rows = HENG_TRY(db.prepare("SELECT id, readers FROM document WHERE kb_id = ?1 AND status <> 'failed'"));
  rows.bind(1, kb.id);
  while (HENG_TRY(rows.step())) {
    const auto ordinal = document_ordinal(rows.integer(0));
    const auto [at, fresh] = reader_set_ids_.try_emplace(rows.string(1), static_cast<std::int32_t>(reader_sets_.size()));
    if (fresh) reader_sets_.push_back(roles_from_json(rows.text(1)));
    readers_of_[ordinal] = at->second;
  }
  if (vectors_)
    for (std::uint32_t i = 0; i < ids_.size(); ++i)
      if (readers_of_[document_of_[i]] < 0) vectors_->remove(i);
  return {};
}

Result<void> KbMemory::load_chunks(store::Database& db, const KbRow& kb) {
  auto rows = HENG_TRY(db.prepare("SELECT id, document_id, words, simhash, page FROM chunk WHERE kb_id = ?1 AND id > ?2 ORDER BY id"));
  rows.bind_all(kb.id, ids_.empty() ? std::int64_t{0} : ids_.back());
  while (HENG_TRY(rows.step())) {
    ids_.push_back(rows.integer(0));
    document_of_.push_back(document_ordinal(rows.integer(1)));
    lengths_.push_back(static_cast<std::uint16_t>(std::min<std::int64_t>(rows.integer(2), std::numeric_limits<std::uint16_t>::max())));
    fingerprints_.push_back(static_cast<std::uint64_t>(rows.integer(3)));
    pages_.push_back(static_cast<std::int32_t>(rows.integer(4)));
  }
  return {};
}

Result<void> KbMemory::load_vectors(store::Database& db, const KbRow& kb) {
  if (kb.dimensions == 0) return {};
  if (!vectors_) vectors_ = std::make_unique<knowledge::VectorIndex>(static_cast<std::size_t>(kb.dimensions), settings_);
  auto rows = HENG_TRY(db.prepare("SELECT id, chunk_id, halves FROM chunk_vector WHERE kb_id = ?1 AND id > ?2 ORDER BY id"));
  rows.bind_all(kb.id, last_vector_);
  while (HENG_TRY(rows.step())) {
    last_vector_ = rows.integer(0);
    const auto at = std::lower_bound(ids_.begin(), ids_.end(), rows.integer(1));
    if (at == ids_.end() || *at != rows.integer(1)) continue;
    const auto vector = unpack_halves(rows.blob(2));
    if (vector.size() != vectors_->dimensions())
      return Error(ErrorCode::corrupt, fmt::format("a stored vector has {} dimensions, not {}", vector.size(), vectors_->dimensions()));
    HENG_TRY(vectors_->set(static_cast<std::uint32_t>(at - ids_.begin()), vector));
  }
  return {};
}

KbMemory::View KbMemory::view(const Principal& principal) const {
  std::vector<std::uint8_t> set_allowed(reader_sets_.size());
  for (std::size_t s = 0; s < reader_sets_.size(); ++s) set_allowed[s] = access::may_read(principal, reader_sets_[s]);
  std::vector<std::uint8_t> document_allowed(readers_of_.size());
  for (std::size_t d = 0; d < readers_of_.size(); ++d)
    document_allowed[d] = readers_of_[d] >= 0 ? set_allowed[static_cast<std::size_t>(readers_of_[d])] : 0;
  View view;
  view.allowed.resize(ids_.size());
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < ids_.size(); ++i) {
    const auto allowed = document_allowed[document_of_[i]];
    view.allowed[i] = allowed;
    view.count += allowed;
    total += allowed ? lengths_[i] : 0;
  }
  if (view.count > 0) view.average_length = static_cast<double>(total) / view.count;
  return view;
}

std::size_t KbMemory::memory_bytes() const {
  return ids_.capacity() * (8 + 4 + 2 + 8 + 4) + words.memory_bytes() + (vectors_ ? vectors_->memory_bytes() : 0);
}

}  // namespace heng::knowledge_sqlite
