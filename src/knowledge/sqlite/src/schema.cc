#include "heng/knowledge_sqlite/knowledge_base.h"

namespace heng::knowledge_sqlite {

const std::vector<store::Migration>& migrations() {
  // The word index is one FTS5 table per knowledge base, words_<id>, made with it. `generation` grows with every change that a
  // search can see; memory follows it.
  // `epoch` grows when ids already read into memory no longer hold (vectors of another model).
  static const std::vector<store::Migration> all = {{1, "knowledge bases", R"sql(
CREATE TABLE kb (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant TEXT NOT NULL,
  name TEXT NOT NULL,
  language TEXT NOT NULL,
  embedding_model TEXT NOT NULL,
  embedding_sha256 TEXT NOT NULL DEFAULT '',
  dimensions INTEGER NOT NULL DEFAULT 0,
  generation INTEGER NOT NULL DEFAULT 1,
  documents_generation INTEGER NOT NULL DEFAULT 1,
  epoch INTEGER NOT NULL DEFAULT 1,
  created_ms INTEGER NOT NULL,
  UNIQUE (tenant, name)
);
CREATE TABLE document (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kb_id INTEGER NOT NULL REFERENCES kb(id) ON DELETE CASCADE,
  path TEXT NOT NULL,
  title TEXT NOT NULL,
  media_type TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  content_sha256 TEXT NOT NULL,
  readers TEXT NOT NULL,
  status TEXT NOT NULL,
  error_code TEXT NOT NULL DEFAULT '',
  error TEXT NOT NULL DEFAULT '',
  size_bytes INTEGER NOT NULL,
  pages INTEGER NOT NULL,
  chunks INTEGER NOT NULL,
  ingested_ms INTEGER NOT NULL,
  pipeline INTEGER NOT NULL
);
CREATE INDEX document_path ON document (kb_id, path);
CREATE INDEX document_sha256 ON document (kb_id, sha256);
CREATE INDEX document_content ON document (kb_id, content_sha256);
CREATE TABLE document_reader (
  document_id INTEGER NOT NULL REFERENCES document(id) ON DELETE CASCADE,
  role TEXT NOT NULL,
  PRIMARY KEY (document_id, role)
) WITHOUT ROWID;
CREATE TABLE document_original (
  document_id INTEGER PRIMARY KEY REFERENCES document(id) ON DELETE CASCADE,
  size_bytes INTEGER NOT NULL,
  deflated BLOB NOT NULL
);
CREATE TABLE chunk (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kb_id INTEGER NOT NULL REFERENCES kb(id) ON DELETE CASCADE,
  document_id INTEGER NOT NULL REFERENCES document(id) ON DELETE CASCADE,
  place INTEGER NOT NULL,
  page INTEGER NOT NULL,
  page_last INTEGER NOT NULL,
  heading TEXT NOT NULL,
  context TEXT NOT NULL,
  text TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  boxes BLOB NOT NULL,
  words INTEGER NOT NULL,
  simhash INTEGER NOT NULL
);
CREATE UNIQUE INDEX chunk_place ON chunk (document_id, place);
CREATE INDEX chunk_memory ON chunk (kb_id, id, document_id, words, simhash, page);
CREATE TABLE chunk_vector (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  chunk_id INTEGER NOT NULL UNIQUE REFERENCES chunk(id) ON DELETE CASCADE,
  kb_id INTEGER NOT NULL REFERENCES kb(id) ON DELETE CASCADE,
  halves BLOB NOT NULL
);
CREATE INDEX chunk_vector_kb ON chunk_vector (kb_id, id);
CREATE TABLE chunk_pending (
  chunk_id INTEGER PRIMARY KEY REFERENCES chunk(id) ON DELETE CASCADE,
  kb_id INTEGER NOT NULL REFERENCES kb(id) ON DELETE CASCADE,
  claimed_until_ms INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX chunk_pending_kb ON chunk_pending (kb_id, claimed_until_ms, chunk_id);
)sql"}};
  return all;
}

}  // namespace heng::knowledge_sqlite
