#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "heng/knowledge/ranking.h"
#include "heng/knowledge/vector_index.h"
#include "heng/store/database.h"
#include "rows.h"

namespace heng::knowledge_sqlite {

/// Posting lists by token, read from FTS5 when first needed and continued as chunks are added; the least used go first when
/// they outgrow their share of memory. Thread-safe.
class WordCache {
 public:
  // shared: a search goes on with a list that another has meanwhile continued or let go
  using Postings = std::shared_ptr<const std::vector<knowledge::Posting>>;

  explicit WordCache(std::size_t most_bytes) : most_bytes_(most_bytes) {}
  /// `ids`: chunk ids in memory, ascending; the place of an id is its ordinal.
  Result<Postings> postings(store::Database& db, std::int64_t kb_id, const std::string& token, const std::vector<std::int64_t>& ids);
  void clear();
  std::size_t memory_bytes() const;

 private:
  struct Entry {
    Postings postings;
    std::int64_t up_to = 0;  // chunk id
    std::list<std::string>::iterator use;
  };
  void shrink();

  mutable std::mutex mutex_;
  std::size_t most_bytes_, bytes_ = 0;
  std::unordered_map<std::string, Entry> entries_;
  std::list<std::string> uses_;  // most recent first
};

/// What searching a knowledge base needs of its chunks, in memory. Guarded by `lock`: held shared while searching, alone while
/// refreshing.
class KbMemory {
 public:
  KbMemory(knowledge::VectorIndexSettings vectors, std::size_t word_cache_bytes) : words(word_cache_bytes), settings_(vectors) {}

  std::shared_mutex lock;
  WordCache words;

  /// Brings everything to the state the connection's read transaction sees. Call with `lock` held alone.
  Result<void> refresh(store::Database& db, const KbRow& kb);

  /// Flags of the chunks that the roles may read, their number and average length.
  struct View {
    std::vector<std::uint8_t> allowed;
    std::uint32_t count = 0;
    double average_length = 1;
  };
  View view(const Principal& principal) const;

  std::int64_t generation() const { return generation_; }
  std::int64_t epoch() const { return epoch_; }
  const std::vector<std::int64_t>& ids() const { return ids_; }
  const std::vector<std::uint16_t>& lengths() const { return lengths_; }
  std::uint64_t fingerprint(std::uint32_t ordinal) const { return fingerprints_[ordinal]; }
  std::int64_t page_key(std::uint32_t ordinal) const { return (std::int64_t{document_of_[ordinal]} << 24) | pages_[ordinal]; }
  std::uint32_t document_of(std::uint32_t ordinal) const { return document_of_[ordinal]; }
  const knowledge::VectorIndex* vectors() const { return vectors_.get(); }
  knowledge::VectorIndex* vectors() { return vectors_.get(); }
  std::size_t memory_bytes() const;

 private:
  void reset();
  Result<void> load_documents(store::Database& db, const KbRow& kb);
  Result<void> load_chunks(store::Database& db, const KbRow& kb);
  Result<void> load_vectors(store::Database& db, const KbRow& kb);
  std::uint32_t document_ordinal(std::int64_t id);

  knowledge::VectorIndexSettings settings_;
  std::atomic<std::int64_t> generation_ = 0, epoch_ = 0;  // also read without the lock, to see whether a refresh is due
  std::int64_t documents_generation_ = 0, last_vector_ = 0;
  std::vector<std::int64_t> ids_;
  std::vector<std::uint32_t> document_of_;
  std::vector<std::uint16_t> lengths_;
  std::vector<std::uint64_t> fingerprints_;
  std::vector<std::int32_t> pages_;
  std::unordered_map<std::int64_t, std::uint32_t> document_ordinals_;
  std::vector<std::int32_t> readers_of_;               // per document: index of reader_sets_, -1: gone
  std::vector<std::vector<std::string>> reader_sets_;
  std::unordered_map<std::string, std::int32_t> reader_set_ids_;
  std::unique_ptr<knowledge::VectorIndex> vectors_;
};

}  // namespace heng::knowledge_sqlite
