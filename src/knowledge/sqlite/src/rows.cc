#include "rows.h"

#include <sqlite3.h>

#include <memory>

#include <zlib.h>

#include <algorithm>
#include <cstring>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "heng/knowledge/vector_index.h"

#include "heng/access/access.h"

namespace heng::knowledge_sqlite {
namespace {

constexpr const char* kb_columns =
    "SELECT id, tenant, name, language, embedding_model, embedding_sha256, dimensions, generation, documents_generation, epoch, "
    "created_ms FROM kb WHERE ";

KbRow kb_of(const store::Statement& row) {
  KbRow kb;
  kb.id = row.integer(0);
  kb.tenant = row.string(1);
  kb.name = row.string(2);
  kb.language = row.string(3);
  kb.model = row.string(4);
  kb.model_sha256 = row.string(5);
  kb.dimensions = row.integer(6);
  kb.generation = row.integer(7);
  kb.documents_generation = row.integer(8);
  kb.epoch = row.integer(9);
  kb.created_ms = row.integer(10);
  return kb;
}

struct PackedBox {
  std::int32_t page;
  float values[6];
};

}  // namespace

Result<KbRow> find_kb(store::Database& db, const TenantId& tenant, const KbName& name) {
  auto row = HENG_TRY(db.prepare(std::string(kb_columns) + "tenant = ?1 AND name = ?2"));
  row.bind_all(tenant.value, name.value);
  if (!HENG_TRY(row.step()))
    return Error(ErrorCode::not_found, fmt::format("there is no knowledge base \"{}\"; make it first", name.value), "kb");
  return kb_of(row);
}

Result<KbRow> kb_by_id(store::Database& db, std::int64_t id) {
  auto row = HENG_TRY(db.prepare(std::string(kb_columns) + "id = ?1"));
  row.bind(1, id);
  if (!HENG_TRY(row.step())) return Error(ErrorCode::not_found, "the knowledge base was removed meanwhile", "kb");
  return kb_of(row);
}

std::string roles_json(const std::vector<std::string>& roles) {
  return nlohmann::json(roles).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::vector<std::string> roles_from_json(std::string_view json) {
  const auto parsed = nlohmann::json::parse(json, nullptr, false);
  std::vector<std::string> out;
  if (!parsed.is_array()) return {"nobody"};  // unreadable readers must not mean everyone
  for (const auto& role : parsed)
    if (role.is_string()) out.push_back(role.get<std::string>());
  return out;
}

std::string reader_json(const Principal& principal) {
  return nlohmann::json{{"roles", principal.roles}, {"desk", principal.desk}, {"clearance", static_cast<int>(principal.clearance)}}.dump(
      -1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Principal reader_from_json(std::string_view json) {
  Principal out;
  const auto parsed = nlohmann::json::parse(json, nullptr, false);
  if (!parsed.is_object()) return out;
  for (const auto& role : parsed.value("roles", nlohmann::json::array()))
    if (role.is_string()) out.roles.push_back(role.get<std::string>());
  out.desk = parsed.value("desk", "");
  out.clearance = static_cast<DataClass>(std::clamp(parsed.value("clearance", 0), 0, 2));
  return out;
}

namespace {

void may_read_function(sqlite3_context* context, int, sqlite3_value** values) {
  const auto text_of = [](sqlite3_value* value) {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_value_text(value));
    return std::string_view(bytes ? bytes : "", bytes ? static_cast<std::size_t>(sqlite3_value_bytes(value)) : 0);
  };
  // the principal is the same for every row of a statement
  auto* who = static_cast<Principal*>(sqlite3_get_auxdata(context, 1));
  std::unique_ptr<Principal> made;
  if (who == nullptr) {
    // anything but a principal reads nothing, not even what everyone may read
    const auto json = text_of(values[1]);
    if (!json.starts_with("{")) return sqlite3_result_int(context, 0);
    made = std::make_unique<Principal>(reader_from_json(json));
    who = made.get();
  }
  const bool allowed = access::may_read(*who, roles_from_json(text_of(values[0])));
  if (made) sqlite3_set_auxdata(context, 1, made.release(), [](void* p) { delete static_cast<Principal*>(p); });
  sqlite3_result_int(context, allowed);
}

}  // namespace

Result<void> register_may_read(store::Database& database) {
  if (sqlite3_create_function_v2(static_cast<sqlite3*>(database.native_handle()), "heng_may_read", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, nullptr,
                                 may_read_function, nullptr, nullptr, nullptr) != SQLITE_OK)
    return Error(ErrorCode::internal, "the check of readers could not be registered");
  return {};
}

std::vector<std::string> canonical_roles(std::vector<std::string> roles) {
  std::erase(roles, "");
  std::sort(roles.begin(), roles.end());
  roles.erase(std::unique(roles.begin(), roles.end()), roles.end());
  return roles;
}

std::string words_table(std::int64_t kb_id) { return fmt::format("words_{}", kb_id); }

Passage passage_of(const store::Statement& row, const KbName& kb) {
  Passage p;
  p.chunk = ChunkId(row.integer(0));
  p.document = DocumentId(row.integer(1));
  p.kb = kb;
  p.document_title = row.string(2);
  p.document_path = row.string(3);
  p.page = static_cast<int>(row.integer(4));
  p.page_last = static_cast<int>(row.integer(5));
  p.heading = row.string(6);
  p.text = row.string(7);
  p.context = row.string(8);
  p.sha256 = row.string(9);
  p.boxes = unpack_boxes(row.blob(10));
  p.labels.source = fmt::format("document:{}", p.document.value);
  p.labels.readers = roles_from_json(row.text(11));
  p.labels.data_class = access::class_of(p.labels.readers);
  return p;
}

Result<std::optional<Passage>> readable_passage(store::Database& db, const KbRow& kb, std::int64_t chunk, const std::string& reader) {
  auto row = HENG_TRY(db.prepare(fmt::format(
      "SELECT {} FROM chunk c JOIN document d ON d.id = c.document_id WHERE c.id = ?1 AND c.kb_id = ?2 AND {}", passage_columns,
      readable_sql)));
  row.bind_all(chunk, kb.id);
  row.bind(reader_parameter, reader);
  if (!HENG_TRY(row.step())) return std::optional<Passage>{};
  return std::optional<Passage>(passage_of(row, KbName(kb.name)));
}

std::string pack_boxes(const std::vector<PageBox>& boxes) {
  std::string out(boxes.size() * sizeof(PackedBox), '\0');
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const auto& b = boxes[i];
    const PackedBox packed{b.page,
                           {static_cast<float>(b.x0), static_cast<float>(b.y0), static_cast<float>(b.x1), static_cast<float>(b.y1),
                            static_cast<float>(b.page_width), static_cast<float>(b.page_height)}};
    std::memcpy(out.data() + i * sizeof(PackedBox), &packed, sizeof(PackedBox));
  }
  return out;
}

std::vector<PageBox> unpack_boxes(std::string_view bytes) {
  std::vector<PageBox> out;
  for (std::size_t i = 0; i + sizeof(PackedBox) <= bytes.size(); i += sizeof(PackedBox)) {
    PackedBox packed;
    std::memcpy(&packed, bytes.data() + i, sizeof(PackedBox));
    const auto* v = packed.values;
    out.push_back({packed.page, v[0], v[1], v[2], v[3], v[4], v[5]});
  }
  return out;
}

std::string deflate_bytes(std::string_view bytes) {
  uLongf size = compressBound(static_cast<uLong>(bytes.size()));
  std::string out(size, '\0');
  // level 1: office files and PDF are compressed already
  if (compress2(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(bytes.data()),
                static_cast<uLong>(bytes.size()), 1) != Z_OK)
    return {};
  out.resize(size);
  return out;
}

Result<std::string> inflate_bytes(std::string_view bytes, std::size_t size) {
  std::string out(size, '\0');
  auto length = static_cast<uLongf>(size);
  const int code = uncompress(reinterpret_cast<Bytef*>(out.data()), &length, reinterpret_cast<const Bytef*>(bytes.data()),
                              static_cast<uLong>(bytes.size()));
  if (size > 0 && (code != Z_OK || length != size))
    return Error(ErrorCode::corrupt, "the stored original does not unpack; ingest the document again");
  return out;
}

std::string pack_halves(const std::vector<float>& vector) {
  std::string out(vector.size() * 2, '\0');
  for (std::size_t i = 0; i < vector.size(); ++i) {
    const auto half = knowledge::to_half(vector[i]);
    std::memcpy(out.data() + i * 2, &half, 2);
  }
  return out;
}

std::vector<float> unpack_halves(std::string_view bytes) {
  std::vector<float> out(bytes.size() / 2);
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::uint16_t half;
    std::memcpy(&half, bytes.data() + i * 2, 2);
    out[i] = knowledge::from_half(half);
  }
  return out;
}

Error with_advice(Error error, const std::string& kb) {
  if (error.code == ErrorCode::corrupt)
    error.message += fmt::format("; the index of knowledge base \"{}\" can be made anew from its chunks: rebuild it", kb);
  return error;
}

}  // namespace heng::knowledge_sqlite
