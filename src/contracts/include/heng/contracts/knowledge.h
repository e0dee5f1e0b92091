#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "heng/base/ids.h"
#include "heng/base/result.h"
#include "heng/contracts/labels.h"
#include "heng/contracts/principal.h"

namespace heng {

/// A rectangle on a page in points from the page's top left corner.
struct PageBox {
  int page = 0;                                 ///< From 1.
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  double page_width = 0, page_height = 0;
};

/// A piece of a document as it is found and cited.
struct Passage {
  ChunkId chunk;
  DocumentId document;
  KbName kb;
  std::string document_title;
  std::string document_path;                    ///< As given at ingestion (relative where possible).
  int page = 0;                                 ///< First page, from 1; 0 where the format has no pages.
  int page_last = 0;
  std::string heading;                          ///< "Fees > Foreign transactions".
  std::string text;                             ///< As shown and quoted. Tables: Markdown rows with their header repeated.
  std::string context;                          ///< Caption and units that hold for the text ("In millions, except per share").
  std::string sha256;                           ///< Of `text`.
  double score = 0;                             ///< Fused, for ranking only.
  double word_score = 0;                        ///< BM25, 0 where not found by words.
  double vector_score = 0;                      ///< Cosine, 0 where not found by meaning.
  std::vector<PageBox> boxes;
  Labels labels;
};

enum class SearchMode { hybrid, words, meaning };

struct SearchQuery {
  Principal principal;
  KbName kb;
  std::string text;
  int k = 8;
  SearchMode mode = SearchMode::hybrid;
};

struct KbInfo {
  KbName name;
  std::string language;                         ///< "mixed", "zh", "en".
  std::string embedding_model;
  int documents = 0;
  int chunks = 0;
  int chunks_without_vector = 0;
  std::int64_t created_ms = 0;
};

struct DocumentInfo {
  DocumentId id;
  KbName kb;
  std::string title, path, media_type, sha256, status, error;  ///< status: "parsed", "ready" (has all vectors), "failed".
  std::int64_t size_bytes = 0, ingested_ms = 0;
  int pages = 0, chunks = 0, chunks_without_vector = 0;
  std::vector<std::string> readers;
};

struct IngestItem {
  std::string path;                             ///< Name under which the document is kept and shown.
  std::string bytes;                            ///< The document itself.
};

enum class IngestOutcome { added, replaced, unchanged, duplicate, failed };

struct IngestReport {
  std::string path;
  IngestOutcome outcome = IngestOutcome::failed;
  DocumentId document;
  int pages = 0, chunks = 0;
  double parse_ms = 0, index_ms = 0;
  std::vector<std::string> warnings;            ///< E.g. "page 3 has no text (a scan?)".
  std::optional<Error> error;
};

/// The port to the knowledge base. Thread-safe. Readers are checked inside every call: what a principal may not read does
/// not exist for it (not_found, and no effect on ranking or counts).
class Knowledge {
 public:
  virtual ~Knowledge() = default;

  virtual Result<std::vector<Passage>> search(const SearchQuery& query, std::stop_token stop) = 0;
  virtual Result<Passage> passage(const Principal&, const KbName&, ChunkId) = 0;
  /// Passages next to this one in its document (`before` and `after` many), itself included, in order.
  virtual Result<std::vector<Passage>> neighbours(const Principal&, const KbName&, ChunkId, int before, int after) = 0;

  virtual Result<KbInfo> create(const Principal&, const KbName&, const std::string& language) = 0;
  virtual Result<std::vector<KbInfo>> list(const Principal&) = 0;
  virtual Result<void> remove(const Principal&, const KbName&) = 0;

  /// Parses, cleans, chunks and indexes one document by words, in one transaction; vectors follow in the background
  /// (`embed_pending`). `readers`: roles; empty: every role of the tenant.
  virtual Result<IngestReport> ingest(const Principal&, const KbName&, const IngestItem&,
                                      const std::vector<std::string>& readers, std::stop_token stop) = 0;
  /// Computes missing vectors, `progress(done, total)` after each batch. Resumable; several callers share the work.
  virtual Result<void> embed_pending(const KbName&, const std::function<void(int, int)>& progress,
                                     std::stop_token stop) = 0;
  virtual Result<std::vector<DocumentInfo>> documents(const Principal&, const KbName&) = 0;
  virtual Result<DocumentInfo> document(const Principal&, const KbName&, DocumentId) = 0;
  /// The document's original bytes.
  virtual Result<std::string> original(const Principal&, const KbName&, DocumentId) = 0;
  /// All passages of a document in order (for the console's source view of formats without pages).
  virtual Result<std::vector<Passage>> document_passages(const Principal&, const KbName&, DocumentId) = 0;
  virtual Result<void> remove_document(const Principal&, const KbName&, DocumentId) = 0;
};

}  // namespace heng
