#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "heng/knowledge_sqlite/knowledge_base.h"
#include "memory.h"
#include "rows.h"

namespace heng::knowledge_sqlite {

/// Raised whenever cleaning, chunking or the word splitter change what is stored; unchanged files are then read again.
constexpr int pipeline_version = 1;

/// Vectors of the last questions, so that a repeated one costs no inference. Thread-safe.
class QuestionCache {
 public:
  bool find(const std::string& key, std::vector<float>& vector);
  void keep(const std::string& key, const std::vector<float>& vector);

 private:
  static constexpr std::size_t most = 512;
  std::mutex mutex_;
  std::list<std::pair<std::string, std::vector<float>>> recent_;
  std::unordered_map<std::string, std::list<std::pair<std::string, std::vector<float>>>::iterator> places_;
};

struct KnowledgeBase::Impl {
  Impl(KnowledgeSettings s, store::Pool& p, DocumentParser* d, Inference* i, const Clock& c)
      : settings(std::move(s)), pool(p), parser(d), inference(i), clock(c) {}

  KnowledgeSettings settings;
  store::Pool& pool;
  DocumentParser* parser;
  Inference* inference;
  const Clock& clock;
  QuestionCache questions;

  mutable std::mutex memories_mutex;
  std::map<std::int64_t, std::shared_ptr<KbMemory>> memories;  // shared: a search outlives the removal of its knowledge base

  std::shared_ptr<KbMemory> memory_of(std::int64_t kb_id);
  void forget(std::int64_t kb_id);
  bool has_model(const std::string& name) const;

  /// Searching (search.cc).
  Result<std::vector<Passage>> search(const SearchQuery& query, std::stop_token stop);
  Result<std::vector<float>> question_vector(const KbRow& kb, const std::string& question, std::stop_token stop);
  Result<std::vector<knowledge::Scored>> by_words(store::Database& db, const KbRow& kb, KbMemory& memory, const KbMemory::View& view,
                                                  const std::string& question, std::stop_token stop);
  Result<std::vector<knowledge::Scored>> by_vector(store::Database& db, const KbMemory& memory, const KbMemory::View& view,
                                                   const std::vector<float>& vector);
  Result<std::vector<Passage>> collect(store::Database& db, const KbRow& kb, const KbMemory& memory, const SearchQuery& query,
                                       const std::vector<knowledge::Scored>& ranked, const std::vector<knowledge::Scored>& words,
                                       const std::vector<knowledge::Scored>& vectors);

  /// Ingestion (ingest.cc).
  Result<IngestReport> ingest(const Principal&, const KbName&, const IngestItem&, const std::vector<std::string>& readers,
                              std::stop_token stop);

  /// Vectors (embed.cc).
  Result<void> embed_pending(std::int64_t kb_id, const std::function<void(int, int)>& progress, std::stop_token stop);
};

/// Marks a change a search can see. `documents`: documents or chunks came or went, not only vectors.
Result<void> raise_generation(store::Database& db, std::int64_t kb_id, bool documents);

/// Removes a document with its chunks, words and vectors, inside the caller's transaction.
Result<void> erase_document(store::Database& db, std::int64_t kb_id, std::int64_t document_id);

/// Makes the word index table of a knowledge base.
Result<void> create_words_table(store::Database& db, std::int64_t kb_id);

/// Drops it, a damaged one too.
Result<void> drop_words_table(store::Database& db, std::int64_t kb_id);

/// The title and, where it says something else, the file's name: "AMD_2015_10K" names company and year as few titles do.
std::string searched_title(const std::string& title, const std::string& path);
/// What the word index holds of a chunk's body.
std::string searched_body(std::string_view context, std::string_view text);

}  // namespace heng::knowledge_sqlite
