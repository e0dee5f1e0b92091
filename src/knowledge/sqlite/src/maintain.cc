#include <fmt/format.h>

#include "impl.h"

namespace heng::knowledge_sqlite {
namespace {

Error damaged(const KbRow& kb, const std::string& what) {
  return with_advice(Error(ErrorCode::corrupt, fmt::format("knowledge base \"{}\": {}", kb.name, what)), kb.name);
}

constexpr const char* chunk_words_sql = "SELECT c.id, d.title, d.path, c.heading, c.context, c.text FROM chunk c JOIN document d ON d.id = c.document_id "
                                        "WHERE c.kb_id = ?1 ORDER BY c.id";

}  // namespace

Result<void> KnowledgeBase::check(const Principal& principal, const KbName& name) {
  auto lease = HENG_TRY(impl_->pool.writer());
  const auto kb = HENG_TRY(find_kb(*lease, principal.tenant, name));
  const auto table = words_table(kb.id);
  if (auto whole = lease->execute(fmt::format("INSERT INTO {0}({0}) VALUES ('integrity-check')", table)); !whole.ok())
    return damaged(kb, "the word index is damaged (" + whole.error().message + ")");
  auto indexed = lease->query_integer(fmt::format("SELECT count(*) FROM {}_docsize", table));
  if (!indexed.ok()) return damaged(kb, "the word index cannot be read (" + indexed.error().message + ")");
  const auto chunks = HENG_TRY(lease->query_integer("SELECT count(*) FROM chunk WHERE kb_id = ?1", kb.id));
  if (*indexed != chunks) return damaged(kb, fmt::format("the word index has {} of {} chunks", *indexed, chunks));
  const auto lost = HENG_TRY(lease->query_integer(
      "SELECT count(*) FROM chunk c WHERE c.kb_id = ?1 AND NOT EXISTS (SELECT 1 FROM chunk_vector v WHERE v.chunk_id = c.id) AND NOT EXISTS "
      "(SELECT 1 FROM chunk_pending p WHERE p.chunk_id = c.id)",
      kb.id));
  const auto odd = HENG_TRY(lease->query_integer("SELECT count(*) FROM chunk_vector WHERE kb_id = ?1 AND length(halves) <> ?2", kb.id, kb.dimensions * 2));
  if (lost + odd > 0) return damaged(kb, fmt::format("{} chunks have lost their vector, {} vectors have the wrong size", lost, odd));
  return {};
}

Result<void> KnowledgeBase::rebuild(const Principal& principal, const KbName& name, bool vectors) {
  auto lease = HENG_TRY(impl_->pool.writer());
  auto transaction = HENG_TRY(store::Transaction::begin(*lease));
  const auto kb = HENG_TRY(find_kb(*lease, principal.tenant, name));
  const auto table = words_table(kb.id);
  HENG_TRY(drop_words_table(*lease, kb.id));
  HENG_TRY(create_words_table(*lease, kb.id));
  {
    auto rows = HENG_TRY(lease->prepare(chunk_words_sql));
    rows.bind(1, kb.id);
    auto word_row = HENG_TRY(lease->prepare(fmt::format("INSERT INTO {} (rowid, title, heading, body) VALUES (?1, ?2, ?3, ?4)", table)));
    while (HENG_TRY(rows.step())) {
      word_row.reset();
      word_row.bind_all(rows.integer(0), searched_title(rows.string(1), rows.string(2)), rows.text(3), searched_body(rows.text(4), rows.text(5)));
      HENG_TRY(word_row.run());
    }
  }
  if (vectors) {
    // the model may have come or gone since the knowledge base was made
    const auto& settings = impl_->settings;
    const bool chinese = kb.language == "zh" && impl_->has_model(settings.chinese_embedding_model);
    HENG_TRY(lease->run("DELETE FROM chunk_vector WHERE kb_id = ?1", kb.id));
    HENG_TRY(lease->run("UPDATE kb SET embedding_sha256 = '', dimensions = 0, embedding_model = ?2 WHERE id = ?1", kb.id,
                        chinese ? settings.chinese_embedding_model : settings.embedding_model));
  }
  HENG_TRY(lease->run("DELETE FROM chunk_vector WHERE kb_id = ?1 AND length(halves) <> ?2", kb.id, vectors ? 0 : kb.dimensions * 2));
  HENG_TRY(lease->run("INSERT OR IGNORE INTO chunk_pending (chunk_id, kb_id) SELECT id, kb_id FROM chunk c WHERE kb_id = ?1 AND NOT EXISTS (SELECT 1 "
                      "FROM chunk_vector v WHERE v.chunk_id = c.id)",
                      kb.id));
  HENG_TRY(lease->run("UPDATE kb SET epoch = epoch + 1 WHERE id = ?1", kb.id));
  HENG_TRY(raise_generation(*lease, kb.id, true));
  return transaction.commit();
}

}  // namespace heng::knowledge_sqlite
