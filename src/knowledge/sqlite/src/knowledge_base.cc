#include "heng/knowledge_sqlite/knowledge_base.h"

#include <algorithm>

#include <fmt/format.h>

#include "heng/base/text.h"
#include "impl.h"

namespace heng::knowledge_sqlite {
namespace {

constexpr std::size_t longest_name_bytes = 64;
constexpr int most_neighbours = 50;

Result<void> check_name(const KbName& name) {
  const auto& s = name.value;
  const bool fits = !s.empty() && s.size() <= longest_name_bytes && text::is_valid_utf8(s) && std::none_of(s.begin(), s.end(), [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '/' || c == '\\' || c == '"' || c == 0x7F;
  });
  if (!fits)
    return Error(ErrorCode::invalid_argument,
                 fmt::format("a knowledge base's name is 1…{} bytes of UTF-8 without spaces, slashes and quotes", longest_name_bytes), "name");
  return {};
}

Error no_document(DocumentId id) { return Error(ErrorCode::not_found, fmt::format("there is no document {}", id.value), "document"); }

const std::string& document_columns() {
  static const std::string columns =
      "SELECT d.id, d.title, d.path, d.media_type, d.sha256, d.status, d.error, d.size_bytes, d.ingested_ms, d.pages, d.chunks, "
      "(SELECT count(*) FROM chunk_pending p JOIN chunk c ON c.id = p.chunk_id WHERE c.document_id = d.id), d.readers FROM document d ";
  return columns;
}

DocumentInfo document_of(const store::Statement& row, const KbName& kb) {
  DocumentInfo info;
  info.id = DocumentId(row.integer(0));
  info.kb = kb;
  info.title = row.string(1);
  info.path = row.string(2);
  info.media_type = row.string(3);
  info.sha256 = row.string(4);
  info.status = row.string(5);
  info.error = row.string(6);
  info.size_bytes = row.integer(7);
  info.ingested_ms = row.integer(8);
  info.pages = static_cast<int>(row.integer(9));
  info.chunks = static_cast<int>(row.integer(10));
  info.chunks_without_vector = static_cast<int>(row.integer(11));
  if (info.status == "parsed" && info.chunks_without_vector == 0) info.status = "ready";
  info.readers = roles_from_json(row.text(12));
  return info;
}

/// Counts what the roles may read, and nothing else.
Result<KbInfo> info_of(store::Database& db, const KbRow& kb, const std::string& reader) {
  KbInfo info;
  info.name = KbName(kb.name);
  info.language = kb.language;
  info.embedding_model = kb.model;
  info.created_ms = kb.created_ms;
  auto row = HENG_TRY(db.prepare(fmt::format("SELECT count(*), coalesce(sum(d.chunks), 0) FROM document d WHERE d.kb_id = ?1 AND {}", readable_sql)));
  row.bind(1, kb.id);
  row.bind(reader_parameter, reader);
  if (HENG_TRY(row.step())) {
    info.documents = static_cast<int>(row.integer(0));
    info.chunks = static_cast<int>(row.integer(1));
  }
  auto pending = HENG_TRY(db.prepare(fmt::format(
      "SELECT count(*) FROM chunk_pending p JOIN chunk c ON c.id = p.chunk_id JOIN document d ON d.id = c.document_id WHERE p.kb_id = ?1 AND {}",
      readable_sql)));
  pending.bind(1, kb.id);
  pending.bind(reader_parameter, reader);
  if (HENG_TRY(pending.step())) info.chunks_without_vector = static_cast<int>(pending.integer(0));
  return info;
}

}  // namespace

Result<std::unique_ptr<KnowledgeBase>> KnowledgeBase::create(KnowledgeSettings settings, store::Pool& pool, DocumentParser* parser,
                                                             Inference* inference, const Clock& clock) {
  auto lease = HENG_TRY(pool.reader());
  HENG_TRY(lease->query_integer("SELECT count(*) FROM kb"));  // the schema is there
  return std::unique_ptr<KnowledgeBase>(new KnowledgeBase(std::make_unique<Impl>(std::move(settings), pool, parser, inference, clock)));
}

KnowledgeBase::KnowledgeBase(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
KnowledgeBase::~KnowledgeBase() = default;

Result<std::vector<Passage>> KnowledgeBase::search(const SearchQuery& query, std::stop_token stop) { return impl_->search(query, stop); }

Result<IngestReport> KnowledgeBase::ingest(const Principal& principal, const KbName& name, const IngestItem& item,
                                           const std::vector<std::string>& readers, std::stop_token stop) {
  return impl_->ingest(principal, name, item, readers, stop);
}

Result<void> KnowledgeBase::embed_pending(const KbName& name, const std::function<void(int, int)>& progress, std::stop_token stop) {
  std::vector<std::int64_t> ids;
  {
    auto lease = HENG_TRY(impl_->pool.reader());
    auto rows = HENG_TRY(lease->prepare("SELECT id FROM kb WHERE name = ?1 OR ?1 = '' ORDER BY id"));
    rows.bind(1, name.value);
    while (HENG_TRY(rows.step())) ids.push_back(rows.integer(0));
  }
  if (ids.empty() && !name.empty())
    return Error(ErrorCode::not_found, fmt::format("there is no knowledge base \"{}\"", name.value), "kb");
  for (const auto id : ids) HENG_TRY(impl_->embed_pending(id, progress, stop));
  return {};
}

Result<Passage> KnowledgeBase::passage(const Principal& principal, const KbName& name, ChunkId chunk) {
  auto lease = HENG_TRY(impl_->pool.reader());
  const auto kb = HENG_TRY(find_kb(*lease, principal.tenant, name));
  auto found = HENG_TRY(readable_passage(*lease, kb, chunk.value, reader_json(principal)));
  if (!found) return Error(ErrorCode::not_found, fmt::format("there is no passage {}", chunk.value), "chunk");
  return std::move(*found);
}

Result<std::vector<Passage>> KnowledgeBase::neighbours(const Principal& principal, const KbName& name, ChunkId chunk, int before, int after) {
  if (before < 0 || after < 0 || before > most_neighbours || after > most_neighbours)
    return Error(ErrorCode::invalid_argument, fmt::format("neighbours must be 0…{} on each side", most_neighbours), "before");
  auto lease = HENG_TRY(impl_->pool.reader());
  const auto kb = HENG_TRY(find_kb(*lease, principal.tenant, name));
  auto rows = HENG_TRY(lease->prepare(fmt::format(
      "SELECT {} FROM chunk m JOIN chunk c ON c.document_id = m.document_id AND c.place BETWEEN m.place - ?3 AND m.place + ?4 JOIN document d ON "
      "d.id = c.document_id WHERE m.id = ?1 AND m.kb_id = ?2 AND {} ORDER BY c.place",
      passage_columns, readable_sql)));
  rows.bind_all(chunk.value, kb.id, before, after);
  rows.bind(reader_parameter, reader_json(principal));
  std::vector<Passage> out;
  while (HENG_TRY(rows.step())) out.push_back(passage_of(rows, name));
  if (out.empty()) return Error(ErrorCode::not_found, fmt::format("there is no passage {}", chunk.value), "chunk");
  return out;
}

Result<KbInfo> KnowledgeBase::create(const Principal& principal, const KbName& name, const std::string& language) {
  HENG_TRY(check_name(name));
  if (language != "mixed" && language != "zh" && language != "en")
    return Error(ErrorCode::invalid_argument, fmt::format("language \"{}\" is unknown; it is mixed, zh or en", language), "language");
  const auto& settings = impl_->settings;
  const bool chinese = language == "zh" && impl_->has_model(settings.chinese_embedding_model);
  auto lease = HENG_TRY(impl_->pool.writer());
  auto transaction = HENG_TRY(store::Transaction::begin(*lease));
  auto made = lease->run("INSERT INTO kb (tenant, name, language, embedding_model, created_ms) VALUES (?1, ?2, ?3, ?4, ?5)", principal.tenant.value,
                         name.value, language, chinese ? settings.chinese_embedding_model : settings.embedding_model, impl_->clock.unix_ms());
  if (!made.ok()) {
    if (made.error().code == ErrorCode::already_exists)
      return Error(ErrorCode::already_exists, fmt::format("there is already a knowledge base \"{}\"", name.value), "name");
    return made.error();
  }
  const auto id = lease->last_insert_id();
  HENG_TRY(create_words_table(*lease, id));
  const auto kb = HENG_TRY(kb_by_id(*lease, id));
  auto info = HENG_TRY(info_of(*lease, kb, reader_json(principal)));
  HENG_TRY(transaction.commit());
  return info;
}

Result<std::vector<KbInfo>> KnowledgeBase::list(const Principal& principal) {
  auto lease = HENG_TRY(impl_->pool.reader());
  auto snapshot = HENG_TRY(store::Transaction::begin(*lease, store::Transaction::Kind::read));
  std::vector<std::int64_t> ids;
  {
    auto rows = HENG_TRY(lease->prepare("SELECT id FROM kb WHERE tenant = ?1 ORDER BY name"));
    rows.bind(1, principal.tenant.value);
    while (HENG_TRY(rows.step())) ids.push_back(rows.integer(0));
  }
  std::vector<KbInfo> out;
  for (const auto id : ids) {
    const auto kb = HENG_TRY(kb_by_id(*lease, id));
    out.push_back(HENG_TRY(info_of(*lease, kb, reader_json(principal))));
  }
  return out;
}

Result<void> KnowledgeBase::remove(const Principal& principal, const KbName& name) {
  auto lease = HENG_TRY(impl_->pool.writer());
  auto transaction = HENG_TRY(store::Transaction::begin(*lease));
  const auto kb = HENG_TRY(find_kb(*lease, principal.tenant, name));
  if (!principal.is_admin()) {
    auto row = HENG_TRY(lease->prepare(fmt::format("SELECT EXISTS (SELECT 1 FROM document d WHERE d.kb_id = ?1 AND NOT {})", readable_sql)));
    row.bind(1, kb.id);
    row.bind(reader_parameter, reader_json(principal));
    if (HENG_TRY(row.step()) && row.integer(0) != 0)
      return Error(ErrorCode::permission_denied, "removing this knowledge base needs the role admin");
  }
  HENG_TRY(drop_words_table(*lease, kb.id));
  HENG_TRY(lease->run("DELETE FROM kb WHERE id = ?1", kb.id));
  HENG_TRY(transaction.commit());
  impl_->forget(kb.id);
  return {};
}

Result<std::vector<DocumentInfo>> KnowledgeBase::documents(const Principal& principal, const KbName& name) {
  auto lease = HENG_TRY(impl_->pool.reader());
  const auto kb = HENG_TRY(find_kb(*lease, principal.tenant, name));
  auto rows = HENG_TRY(lease->prepare(document_columns() + fmt::format("WHERE d.kb_id = ?1 AND {} ORDER BY d.path, d.id", readable_sql)));
  rows.bind(1, kb.id);
  rows.bind(reader_parameter, reader_json(principal));
  std::vector<DocumentInfo> out;
  while (HENG_TRY(rows.step())) out.push_back(document_of(rows, name));
  return out;
}

Result<DocumentInfo> KnowledgeBase::document(const Principal& principal, const KbName& name, DocumentId id) {
  auto lease = HENG_TRY(impl_->pool.reader());
  const auto kb = HENG_TRY(find_kb(*lease, principal.tenant, name));
  auto row = HENG_TRY(lease->prepare(document_columns() + fmt::format("WHERE d.kb_id = ?1 AND d.id = ?2 AND {}", readable_sql)));
  row.bind_all(kb.id, id.value);
  row.bind(reader_parameter, reader_json(principal));
  if (!HENG_TRY(row.step())) return no_document(id);
  return document_of(row, name);
}

Result<std::string> KnowledgeBase::original(const Principal& principal, const KbName& name, DocumentId id) {
  auto lease = HENG_TRY(impl_->pool.reader());
  const auto kb = HENG_TRY(find_kb(*lease, principal.tenant, name));
  auto row = HENG_TRY(lease->prepare(fmt::format("SELECT o.size_bytes, o.deflated FROM document_original o JOIN document d ON d.id = o.document_id "
                                                 "WHERE d.kb_id = ?1 AND d.id = ?2 AND {}",
                                                 readable_sql)));
  row.bind_all(kb.id, id.value);
  row.bind(reader_parameter, reader_json(principal));
  if (!HENG_TRY(row.step())) return no_document(id);
  return inflate_bytes(row.blob(1), static_cast<std::size_t>(row.integer(0)));
}

Result<std::vector<Passage>> KnowledgeBase::document_passages(const Principal& principal, const KbName& name, DocumentId id) {
  HENG_TRY(document(principal, name, id));
  auto lease = HENG_TRY(impl_->pool.reader());
  const auto kb = HENG_TRY(find_kb(*lease, principal.tenant, name));
  auto rows = HENG_TRY(lease->prepare(fmt::format("SELECT {} FROM chunk c JOIN document d ON d.id = c.document_id WHERE d.kb_id = ?1 AND d.id = ?2 AND {} "
                                                  "ORDER BY c.place",
                                                  passage_columns, readable_sql)));
  rows.bind_all(kb.id, id.value);
  rows.bind(reader_parameter, reader_json(principal));
  std::vector<Passage> out;
  while (HENG_TRY(rows.step())) out.push_back(passage_of(rows, name));
  return out;
}

Result<void> KnowledgeBase::remove_document(const Principal& principal, const KbName& name, DocumentId id) {
  auto lease = HENG_TRY(impl_->pool.writer());
  auto transaction = HENG_TRY(store::Transaction::begin(*lease));
  const auto kb = HENG_TRY(find_kb(*lease, principal.tenant, name));
  {
    auto row = HENG_TRY(lease->prepare(fmt::format("SELECT 1 FROM document d WHERE d.kb_id = ?1 AND d.id = ?2 AND {}", readable_sql)));
    row.bind_all(kb.id, id.value);
    row.bind(reader_parameter, reader_json(principal));
    if (!HENG_TRY(row.step())) return no_document(id);
  }
  HENG_TRY(erase_document(*lease, kb.id, id.value));
  HENG_TRY(raise_generation(*lease, kb.id, true));
  return transaction.commit();
}

namespace {

/// Documents, with their knowledge bases, in the order of these; deletes them and rewrites the word indexes.
Result<void> erase_documents(store::Database& db, const std::vector<std::pair<std::int64_t, std::int64_t>>& documents) {
  std::int64_t last = -1;
  for (const auto& [kb, document] : documents) {
    HENG_TRY(erase_document(db, kb, document));
    if (kb != last) HENG_TRY(raise_generation(db, kb, true));
    last = kb;
  }
  // a deleted row is only marked in the word index until its segments are merged
  last = -1;
  for (const auto& [kb, document] : documents) {
    if (kb != last) HENG_TRY(db.execute(fmt::format("INSERT INTO {0}({0}) VALUES('optimize')", words_table(kb))));
    last = kb;
  }
  return {};
}

}  // namespace

Result<int> KnowledgeBase::erase_subject(const TenantId& tenant, const std::string& subject) {
  auto lease = HENG_TRY(impl_->pool.writer());
  auto transaction = HENG_TRY(store::Transaction::begin(*lease));
  std::vector<std::pair<std::int64_t, std::int64_t>> documents;
  {
    auto row = HENG_TRY(lease->prepare("SELECT d.kb_id, d.id FROM document_reader r JOIN document d ON d.id = r.document_id JOIN kb k ON k.id = d.kb_id "
                                       "WHERE r.role = ?1 AND k.tenant = ?2 ORDER BY d.kb_id"));
    row.bind_all("subject=" + subject, tenant.value);
    while (HENG_TRY(row.step())) documents.emplace_back(row.integer(0), row.integer(1));
  }
  HENG_TRY(erase_documents(*lease, documents));
  HENG_TRY(transaction.commit());
  HENG_TRY(lease->checkpoint());
  return static_cast<int>(documents.size());
}

Result<int> KnowledgeBase::forget_uploads(const TenantId& tenant, std::int64_t before_ms, const std::vector<std::string>& except, bool remove) {
  auto lease = HENG_TRY(impl_->pool.writer());
  auto transaction = HENG_TRY(store::Transaction::begin(*lease));
  std::vector<std::pair<std::int64_t, std::int64_t>> documents, kept;
  const auto is_held = [&](std::string_view label) {
    return std::any_of(except.begin(), except.end(), [&](const std::string& subject) { return label == "subject=" + subject; });
  };
  {
    auto row = HENG_TRY(lease->prepare("SELECT d.kb_id, d.id, r.role FROM document_reader r JOIN document d ON d.id = r.document_id JOIN kb k ON k.id = d.kb_id "
                                       "WHERE substr(r.role, 1, 8) = 'subject=' AND k.tenant = ?1 AND d.ingested_ms < ?2 ORDER BY d.kb_id, d.id"));
    row.bind_all(tenant.value, before_ms);
    while (HENG_TRY(row.step())) {
      const std::pair<std::int64_t, std::int64_t> document(row.integer(0), row.integer(1));
      if (documents.empty() || documents.back() != document) documents.push_back(document);
      if (is_held(row.text(2))) kept.push_back(document);
    }
  }
  std::erase_if(documents, [&](const auto& document) { return std::find(kept.begin(), kept.end(), document) != kept.end(); });
  if (!remove) return static_cast<int>(documents.size());
  HENG_TRY(erase_documents(*lease, documents));
  HENG_TRY(transaction.commit());
  HENG_TRY(lease->checkpoint());
  return static_cast<int>(documents.size());
}

std::size_t KnowledgeBase::memory_bytes() const {
  const std::lock_guard guard(impl_->memories_mutex);
  std::size_t total = 0;
  for (const auto& [id, memory] : impl_->memories) {
    const std::shared_lock together(memory->lock);
    total += memory->memory_bytes();
  }
  return total;
}

}  // namespace heng::knowledge_sqlite
