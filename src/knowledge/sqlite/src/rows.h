#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heng/contracts/knowledge.h"
#include "heng/store/database.h"

/// Rows of the schema as values, and the SQL that says who may read a document.
namespace heng::knowledge_sqlite {

struct KbRow {
  std::int64_t id = 0;
  std::string tenant, name, language, model, model_sha256;
  std::int64_t dimensions = 0, generation = 0, documents_generation = 0, epoch = 0, created_ms = 0;
};

/// Errors: not_found.
Result<KbRow> find_kb(store::Database& db, const TenantId& tenant, const KbName& name);
Result<KbRow> kb_by_id(store::Database& db, std::int64_t id);

/// True in SQL where document `d` may be read by the principal bound, as reader_json(), to parameter `?9`. The decision itself
/// is access::may_read; prepare_connection registers it.
inline constexpr const char* readable_sql = "heng_may_read(d.readers, ?9)";
constexpr int reader_parameter = 9;

/// What a decision needs of a principal: roles, desk, clearance.
std::string reader_json(const Principal& principal);
Principal reader_from_json(std::string_view json);
/// Registers heng_may_read(readers, principal).
Result<void> register_may_read(store::Database& database);

std::string roles_json(const std::vector<std::string>& roles);
std::vector<std::string> roles_from_json(std::string_view json);
/// Sorted, each once, as kept in document.readers.
std::vector<std::string> canonical_roles(std::vector<std::string> roles);

/// Name of the word index table.
std::string words_table(std::int64_t kb_id);

/// Columns of a passage for passage_of(), from chunk c and document d.
inline constexpr const char* passage_columns =
    "c.id, d.id, d.title, d.path, c.page, c.page_last, c.heading, c.text, c.context, c.sha256, c.boxes, d.readers";
Passage passage_of(const store::Statement& row, const KbName& kb);

/// The passage, if the principal may read it.
Result<std::optional<Passage>> readable_passage(store::Database& db, const KbRow& kb, std::int64_t chunk, const std::string& reader);

std::string pack_boxes(const std::vector<PageBox>& boxes);
std::vector<PageBox> unpack_boxes(std::string_view bytes);

std::string deflate_bytes(std::string_view bytes);
/// Errors: corrupt.
Result<std::string> inflate_bytes(std::string_view bytes, std::size_t size);

std::string pack_halves(const std::vector<float>& vector);
std::vector<float> unpack_halves(std::string_view bytes);

/// SQL of the errors a search or an ingestion meets when the file's index is damaged: says how to mend it.
Error with_advice(Error error, const std::string& kb);

}  // namespace heng::knowledge_sqlite
