#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "heng/access/access.h"
#include "heng/base/hash.h"
#include "heng/base/text.h"
#include "heng/knowledge/clean.h"
#include "heng/knowledge/fingerprint.h"
#include "heng/knowledge/words.h"
#include "impl.h"

namespace heng::knowledge_sqlite {
namespace {

constexpr std::size_t longest_path_bytes = 1024;
constexpr std::size_t longest_title_bytes = 300;
constexpr std::size_t most_readers = 256;

struct Known {
  std::int64_t id = 0;
  std::string sha256, readers, status, path;
  int pages = 0, chunks = 0, pipeline = 0;
};

/// A document the principal may read, by one of its columns. What it may not read stays unknown to it.
Result<std::optional<Known>> find_document(store::Database& db, std::int64_t kb_id, const char* column, const std::string& value,
                                           const std::string& reader) {
  auto row = HENG_TRY(db.prepare(fmt::format(
      "SELECT d.id, d.sha256, d.readers, d.status, d.path, d.pages, d.chunks, d.pipeline FROM document d WHERE d.kb_id = ?1 AND "
      "d.{} = ?2 AND {} ORDER BY d.status = 'failed', d.id LIMIT 1",
      column, readable_sql)));
  row.bind_all(kb_id, value);
  row.bind(reader_parameter, reader);
  if (!HENG_TRY(row.step())) return std::optional<Known>{};
  return std::optional<Known>(Known{row.integer(0), row.string(1), row.string(2), row.string(3), row.string(4),
                                    static_cast<int>(row.integer(5)), static_cast<int>(row.integer(6)), static_cast<int>(row.integer(7))});
}

/// All that is stored of a document, made before the write transaction begins.
struct Prepared {
  std::string title, media_type, sha256, content_sha256, deflated;
  int pages = 0;
  std::vector<knowledge::Chunk> chunks;
  std::vector<int> words;
  std::vector<std::uint64_t> fingerprints;
};

std::string title_of(const ParsedDocument& document, const std::string& path) {
  std::string title = document.title;
  if (title.empty())
    for (const auto& block : document.blocks)
      if (block.kind == BlockKind::heading && block.level <= 1 && block.text.size() <= longest_title_bytes) {
        title = block.text;
        break;
      }
  const auto slash = path.find_last_of("/\\");
  std::string stem = slash == std::string::npos ? path : path.substr(slash + 1);
  if (const auto dot = stem.find_last_of('.'); dot != std::string::npos && dot > 0) stem.resize(dot);
  if (title.empty()) {
    std::replace(stem.begin(), stem.end(), '_', ' ');
    title = stem;
  }
  title.resize(text::complete_utf8_prefix(std::string_view(title).substr(0, std::min(title.size(), longest_title_bytes))));
  return title;
}

Prepared prepare(ParsedDocument document, const IngestItem& item, const KnowledgeSettings& settings) {
  Prepared out;
  out.pages = document.pages;
  out.media_type = document.media_type;
  knowledge::clean(document);
  document.title = title_of(document, item.path);
  out.title = document.title;
  out.chunks = knowledge::chunk(document, settings.chunks);
  std::string content;
  knowledge::WordSplitter splitter;
  for (const auto& chunk : out.chunks) {
    int count = 0;
    const auto counted = [&](const knowledge::Word& word) {
      if (!word.same_place) ++count;
      return true;
    };
    splitter.split(chunk.text, knowledge::WordsFor::index, counted);
    splitter.split(chunk.context, knowledge::WordsFor::index, counted);
    out.words.push_back(count);
    out.fingerprints.push_back(knowledge::simhash(chunk.text + " " + chunk.context));
    content += knowledge::normalised_for_comparison(chunk.text);
  }
  if (!content.empty()) out.content_sha256 = sha256_hex(content);
  out.deflated = deflate_bytes(item.bytes);
  return out;
}

Result<std::int64_t> insert_document(store::Database& db, const KbRow& kb, const IngestItem& item, const Prepared& prepared,
                                     const std::vector<std::string>& readers, std::int64_t now_ms) {
  HENG_TRY(db.run("INSERT INTO document (kb_id, path, title, media_type, sha256, content_sha256, readers, status, size_bytes, pages, "
                  "chunks, ingested_ms, pipeline) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'parsed', ?8, ?9, ?10, ?11, ?12)",
                  kb.id, item.path, prepared.title, prepared.media_type, prepared.sha256, prepared.content_sha256, roles_json(readers),
                  item.bytes.size(), prepared.pages, prepared.chunks.size(), now_ms, pipeline_version));
  const std::int64_t id = db.last_insert_id();
  for (const auto& role : readers) HENG_TRY(db.run("INSERT INTO document_reader (document_id, role) VALUES (?1, ?2)", id, role));
  auto original = HENG_TRY(db.prepare("INSERT INTO document_original (document_id, size_bytes, deflated) VALUES (?1, ?2, ?3)"));
  original.bind_all(id, item.bytes.size());
  original.bind_blob(3, prepared.deflated);
  HENG_TRY(original.run());
  return id;
}

Result<void> insert_chunks(store::Database& db, const KbRow& kb, std::int64_t document, const std::string& title, const Prepared& prepared) {
  auto chunk_row = HENG_TRY(db.prepare("INSERT INTO chunk (kb_id, document_id, place, page, page_last, heading, context, text, sha256, boxes, "
                                       "words, simhash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"));
  auto word_row = HENG_TRY(db.prepare(fmt::format("INSERT INTO {} (rowid, title, heading, body) VALUES (?1, ?2, ?3, ?4)", words_table(kb.id))));
  auto pending_row = HENG_TRY(db.prepare("INSERT INTO chunk_pending (chunk_id, kb_id) VALUES (?1, ?2)"));
  for (std::size_t i = 0; i < prepared.chunks.size(); ++i) {
    const auto& chunk = prepared.chunks[i];
    chunk_row.reset();
    chunk_row.bind_all(kb.id, document, i, chunk.page, chunk.page_last, chunk.heading, chunk.context, chunk.text, sha256_hex(chunk.text));
    chunk_row.bind_blob(10, pack_boxes(chunk.boxes));
    chunk_row.bind(11, prepared.words[i]).bind(12, static_cast<std::int64_t>(prepared.fingerprints[i]));
    HENG_TRY(chunk_row.run());
    const std::int64_t id = db.last_insert_id();
    word_row.reset();
    word_row.bind_all(id, title, chunk.heading, searched_body(chunk.context, chunk.text));
    HENG_TRY(word_row.run());
    pending_row.reset();
    pending_row.bind_all(id, kb.id);
    HENG_TRY(pending_row.run());
  }
  return {};
}

/// Keeps the failure where nothing better is known of the path.
Result<void> record_failure(store::Database& db, const KbRow& kb, const IngestItem& item, const std::string& sha256,
                            const std::vector<std::string>& readers, const std::string& reader, const Error& error, std::int64_t now_ms) {
  auto transaction = HENG_TRY(store::Transaction::begin(db));
  const auto known = HENG_TRY(find_document(db, kb.id, "path", item.path, reader));
  if (known && known->status != "failed") return {};
  if (known) HENG_TRY(erase_document(db, kb.id, known->id));
  HENG_TRY(db.run("INSERT INTO document (kb_id, path, title, media_type, sha256, content_sha256, readers, status, error_code, error, "
                  "size_bytes, pages, chunks, ingested_ms, pipeline) VALUES (?1, ?2, ?2, '', ?3, '', ?4, 'failed', ?5, ?6, ?7, 0, 0, ?8, ?9)",
                  kb.id, item.path, sha256, roles_json(readers), std::string(to_string(error.code)), error.message, item.bytes.size(), now_ms,
                  pipeline_version));
  const std::int64_t id = db.last_insert_id();
  for (const auto& role : readers) HENG_TRY(db.run("INSERT INTO document_reader (document_id, role) VALUES (?1, ?2)", id, role));
  return transaction.commit();
}

Result<void> check_item(const IngestItem& item, const std::vector<std::string>& readers, const KnowledgeSettings& settings) {
  if (item.path.empty() || item.path.size() > longest_path_bytes || !text::is_valid_utf8(item.path) || item.path.find('\0') != std::string::npos)
    return Error(ErrorCode::invalid_argument, fmt::format("a document's path must be 1…{} bytes of UTF-8", longest_path_bytes), "path");
  if (readers.size() > most_readers)
    return Error(ErrorCode::invalid_argument, fmt::format("{} readers; at most {} roles can be named", readers.size(), most_readers), "readers");
  for (const auto& role : readers)
    if (!text::is_valid_utf8(role) || role.size() > 128) return Error(ErrorCode::invalid_argument, "a role must be UTF-8 of at most 128 bytes", "readers");
  HENG_TRY(access::check_readers(readers));
  if (item.bytes.size() > settings.largest_document_bytes)
    return Error(ErrorCode::too_large, fmt::format("{} has {} bytes, the limit is {}", item.path, item.bytes.size(), settings.largest_document_bytes));
  return {};
}

}  // namespace

std::string searched_title(const std::string& title, const std::string& path) {
  const auto slash = path.find_last_of("/\\");
  std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  if (const auto dot = name.find_last_of('.'); dot != std::string::npos && dot > 0) name.resize(dot);
  std::replace(name.begin(), name.end(), '_', ' ');
  return name == title ? name : title + " " + name;
}

std::string searched_body(std::string_view context, std::string_view text) {
  return context.empty() ? std::string(text) : std::string(context) + "\n" + std::string(text);
}

Result<void> raise_generation(store::Database& db, std::int64_t kb_id, bool documents) {
  return db.run("UPDATE kb SET generation = generation + 1, documents_generation = documents_generation + ?2 WHERE id = ?1", kb_id,
                documents ? 1 : 0);
}

Result<void> erase_document(store::Database& db, std::int64_t kb_id, std::int64_t document_id) {
  HENG_TRY(db.run(fmt::format("DELETE FROM {} WHERE rowid IN (SELECT id FROM chunk WHERE document_id = ?1)", words_table(kb_id)), document_id));
  return db.run("DELETE FROM document WHERE id = ?1", document_id);
}

Result<void> create_words_table(store::Database& db, std::int64_t kb_id) {
  // contentless: the text is kept once, in `chunk`; contentless_delete: a document can go without being tokenised again
  return db.execute(fmt::format("CREATE VIRTUAL TABLE {} USING fts5(title, heading, body, content='', contentless_delete=1, tokenize='heng')",
                                words_table(kb_id)));
}

Result<void> drop_words_table(store::Database& db, std::int64_t kb_id) {
  const auto table = words_table(kb_id);
  auto dropped = db.execute("DROP TABLE IF EXISTS " + table);
  if (dropped.ok()) return dropped;
  // FTS5 cannot open a damaged index to drop it: its own tables are dropped one by one, then the entry
  for (const char* part : {"data", "idx", "docsize", "config", "content"}) HENG_TRY(db.execute(fmt::format("DROP TABLE IF EXISTS {}_{}", table, part)));
  HENG_TRY(db.execute("PRAGMA writable_schema = ON"));
  auto removed = db.run("DELETE FROM sqlite_schema WHERE name = ?1", table);
  HENG_TRY(db.execute("PRAGMA writable_schema = RESET"));
  return removed;
}

Result<IngestReport> KnowledgeBase::Impl::ingest(const Principal& principal, const KbName& name, const IngestItem& item,
                                                 const std::vector<std::string>& wanted_readers, std::stop_token stop) {
  const auto readers = canonical_roles(wanted_readers);
  HENG_TRY(check_item(item, readers, settings));
  if (parser == nullptr) return Error(ErrorCode::unavailable, "no document parser is available");
  const std::string reader = reader_json(principal), readers_text = roles_json(readers);
  IngestReport report;
  report.path = item.path;
  const std::string sha256 = sha256_hex(item.bytes);
  KbRow kb;
  const auto fill = [&](const Known& known, IngestOutcome outcome) {
    report.document = DocumentId(known.id);
    report.pages = known.pages;
    report.chunks = known.chunks;
    report.outcome = outcome;
  };
  {
    auto lease = HENG_TRY(pool.reader());
    kb = HENG_TRY(find_kb(*lease, principal.tenant, name));
    const auto same_path = HENG_TRY(find_document(*lease, kb.id, "path", item.path, reader));
    if (same_path && same_path->sha256 == sha256 && same_path->readers == readers_text && same_path->status != "failed" &&
        same_path->pipeline == pipeline_version) {
      fill(*same_path, IngestOutcome::unchanged);
      return report;
    }
    const auto same_bytes = HENG_TRY(find_document(*lease, kb.id, "sha256", sha256, reader));
    if (!same_path && same_bytes && same_bytes->readers == readers_text && same_bytes->status != "failed") {
      fill(*same_bytes, IngestOutcome::duplicate);
      report.warnings.push_back(fmt::format("the same bytes are already there as {}", same_bytes->path));
      return report;
    }
  }

  const auto parse_start = clock.steady();
  auto parsed = parser->parse(item.path, item.bytes);
  report.parse_ms = std::chrono::duration<double, std::milli>(clock.steady() - parse_start).count();
  if (stop.stop_requested()) return Error(ErrorCode::cancelled, "the ingestion was cancelled");
  if (!parsed.ok()) {
    report.error = parsed.error();
    auto writer = HENG_TRY(pool.writer());
    HENG_TRY(record_failure(*writer, kb, item, sha256, readers, reader, *report.error, clock.unix_ms()));
    return report;
  }
  report.warnings = parsed->warnings;
  const auto index_start = clock.steady();
  Prepared prepared = prepare(std::move(parsed).value(), item, settings);
  prepared.sha256 = sha256;
  if (stop.stop_requested()) return Error(ErrorCode::cancelled, "the ingestion was cancelled");

  auto writer = HENG_TRY(pool.writer());
  auto transaction = HENG_TRY(store::Transaction::begin(*writer));
  kb = HENG_TRY(kb_by_id(*writer, kb.id));
  const auto before = HENG_TRY(find_document(*writer, kb.id, "path", item.path, reader));
  if (!prepared.content_sha256.empty()) {
    const auto twin = HENG_TRY(find_document(*writer, kb.id, "content_sha256", prepared.content_sha256, reader));
    if (twin && twin->path != item.path && twin->readers == readers_text) {
      if (before) {
        HENG_TRY(erase_document(*writer, kb.id, before->id));
        HENG_TRY(raise_generation(*writer, kb.id, true));
        HENG_TRY(transaction.commit());
      }
      fill(*twin, IngestOutcome::duplicate);
      report.warnings.push_back(fmt::format("the same text is already there as {}", twin->path));
      return report;
    }
  }
  if (before) HENG_TRY(erase_document(*writer, kb.id, before->id));
  const auto id = HENG_TRY(insert_document(*writer, kb, item, prepared, readers, clock.unix_ms()));
  HENG_TRY(insert_chunks(*writer, kb, id, searched_title(prepared.title, item.path), prepared));
  HENG_TRY(raise_generation(*writer, kb.id, true));
  HENG_TRY(transaction.commit());
  report.outcome = before && before->status != "failed" ? IngestOutcome::replaced : IngestOutcome::added;
  report.document = DocumentId(id);
  report.pages = prepared.pages;
  report.chunks = static_cast<int>(prepared.chunks.size());
  report.index_ms = std::chrono::duration<double, std::milli>(clock.steady() - index_start).count();
  if (prepared.chunks.empty()) report.warnings.push_back("the document has no text");
  return report;
}

}  // namespace heng::knowledge_sqlite
