#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "heng/base/clock.h"
#include "heng/contracts/document.h"
#include "heng/contracts/inference.h"
#include "heng/contracts/knowledge.h"
#include "heng/knowledge/chunk.h"
#include "heng/knowledge/ranking.h"
#include "heng/knowledge/vector_index.h"
#include "heng/store/pool.h"

namespace heng::knowledge_sqlite {

struct KnowledgeSettings {
  std::string embedding_model = "multilingual-e5-small";       ///< For knowledge bases "mixed" and "en".
  std::string chinese_embedding_model = "bge-small-zh-v1.5";   ///< For "zh", where the engine has it.
  knowledge::ChunkSettings chunks;
  knowledge::Bm25Settings words;
  knowledge::FusionSettings fusion;                            ///< "mixed", "en".
  knowledge::FusionSettings chinese_fusion{.vector_weight = 2.5, .word_weight = 1.0};
  knowledge::VectorIndexSettings vectors;
  std::size_t word_cache_bytes = std::size_t{64} << 20;        ///< Posting lists kept in memory.
  std::size_t largest_document_bytes = std::size_t{256} << 20;
  int embed_batch = 16;                                        ///< Chunks per transaction of vectors.
  int claim_seconds = 120;                                     ///< After this, another worker takes over a batch.
  int most_results = 200;
};

/// The rooms' tables. Meant for a file of its own, or for a file whose versions the caller continues.
const std::vector<store::Migration>& migrations();

/// For DatabaseSettings::on_open: registers the FTS5 tokenizer and functions on a connection. Without it the word index
/// cannot be read.
Result<void> prepare_connection(store::Database& database);

/// Knowledge bases in SQLite: documents, chunks, an FTS5 word index and vectors, with readers checked in SQL and in both
/// searches.
///
/// Lifetime: the pool, parser and engine outlive it. Threads: safe. Ownership: borrows the pool (whose settings have
/// `on_open = prepare_connection`), the parser and the engine; `parser` may be null (ingest answers `unavailable`),
/// `inference` too (search by words only, no vectors). Several processes may work on the same file: memory follows the
/// file by a generation counter.
///
///     store::PoolSettings pool_settings{.database = {.path = "knowledge.db", .key = key, .on_open = prepare_connection}};
///     auto pool = HENG_TRY(store::Pool::open(pool_settings, migrations()));
///     auto kb = HENG_TRY(KnowledgeBase::create({}, *pool, parser, inference));
class KnowledgeBase : public Knowledge {
 public:
  static Result<std::unique_ptr<KnowledgeBase>> create(KnowledgeSettings settings, store::Pool& pool, DocumentParser* parser,
                                                       Inference* inference, const Clock& clock = system_clock());
  ~KnowledgeBase() override;

  Result<std::vector<Passage>> search(const SearchQuery& query, std::stop_token stop) override;
  Result<Passage> passage(const Principal&, const KbName&, ChunkId) override;
  Result<std::vector<Passage>> neighbours(const Principal&, const KbName&, ChunkId, int before, int after) override;
  Result<KbInfo> create(const Principal&, const KbName&, const std::string& language) override;
  Result<std::vector<KbInfo>> list(const Principal&) override;
  Result<void> remove(const Principal&, const KbName&) override;
  Result<IngestReport> ingest(const Principal&, const KbName&, const IngestItem&, const std::vector<std::string>& readers,
                              std::stop_token stop) override;
  Result<void> embed_pending(const KbName&, const std::function<void(int, int)>& progress, std::stop_token stop) override;
  Result<std::vector<DocumentInfo>> documents(const Principal&, const KbName&) override;
  Result<DocumentInfo> document(const Principal&, const KbName&, DocumentId) override;
  Result<std::string> original(const Principal&, const KbName&, DocumentId) override;
  Result<std::vector<Passage>> document_passages(const Principal&, const KbName&, DocumentId) override;
  Result<void> remove_document(const Principal&, const KbName&, DocumentId) override;

  /// Checks the word index and the vectors against the chunks. Errors: corrupt (says what and that `rebuild` mends it).
  Result<void> check(const Principal&, const KbName&);
  /// Makes the word index anew from the chunks; with `vectors`, also forgets the vectors, so that `embed_pending` computes
  /// them again (needed after a change of the embedding model).
  Result<void> rebuild(const Principal&, const KbName&, bool vectors);
  /// Deletes every document of the tenant that is labelled subject=ID, whoever may read it, and rewrites the word indexes so
  /// that nothing of them stays. Returns how many.
  Result<int> erase_subject(const TenantId& tenant, const std::string& subject);
  /// The tenant's documents with a label subject=ID that were taken in before `before_ms`, except those of the subjects named: counts
  /// them or deletes them in the same way.
  Result<int> forget_uploads(const TenantId& tenant, std::int64_t before_ms, const std::vector<std::string>& except, bool remove);
  /// Bytes of posting lists and vectors in memory, for /metrics.
  std::size_t memory_bytes() const;

 private:
  struct Impl;
  explicit KnowledgeBase(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace heng::knowledge_sqlite
