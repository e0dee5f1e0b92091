// Files: kept, listed, read, deleted.
#include <fmt/format.h>

#include "heng/base/hash.h"
#include "heng/base/text.h"
#include "lines.h"
#include "parts.h"

namespace heng::batches {
namespace {

constexpr std::size_t piece_bytes = 256 * 1024;
constexpr std::int64_t least_keep_s = 3600, most_keep_s = 30 * 86'400;
constexpr std::size_t longest_name = 256;
constexpr std::string_view visible = "tenant = ?1 AND (user = ?2 OR ?3)";

Result<void> check_file(const BatchSettings& settings, const NewFile& wanted) {
  if (wanted.purpose != "batch")
    return Error(ErrorCode::invalid_argument, fmt::format("'purpose' is \"{}\"; this server keeps files for \"batch\" only", text::replace_invalid_utf8(wanted.purpose.substr(0, 80))), "purpose");
  const bool named = !wanted.name.empty() && text::is_valid_utf8(wanted.name) && text::code_points(wanted.name) <= longest_name &&
                     std::none_of(wanted.name.begin(), wanted.name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (!named) return Error(ErrorCode::invalid_argument, fmt::format("the file needs a name of 1 to {} characters", longest_name), "file");
  if (wanted.bytes.size() > settings.file_bytes)
    return Error(ErrorCode::too_large, fmt::format("the file has {} bytes, the limit is {}; cut it into several", wanted.bytes.size(), settings.file_bytes), "file");
  if (wanted.keep_s != 0 && (wanted.keep_s < least_keep_s || wanted.keep_s > most_keep_s))
    return Error(ErrorCode::invalid_argument, fmt::format("'expires_after[seconds]' must be {} to {}", least_keep_s, most_keep_s), "expires_after");
  return check_kind(wanted.name, wanted.bytes);
}

}  // namespace

std::string new_id(const char* prefix, Random& random) { return prefix + random_hex(random, 12); }

Result<FileRow> find_file(store::Database& db, const Principal& who, const std::string& id) {
  auto row = HENG_TRY(db.prepare(fmt::format("SELECT {} FROM file WHERE {} AND id = ?4", file_columns, visible)));
  row.bind_all(who.tenant.value, who.user.value, who.is_admin() ? 1 : 0, id);
  if (!HENG_TRY(row.step())) return Error(ErrorCode::not_found, fmt::format("there is no file '{}'", text::replace_invalid_utf8(id.substr(0, 80))), "file_id");
  return read_file(row);
}

Result<StoredFile> BatchEngine::add_file(const Principal& who, const NewFile& wanted) {
  const auto& settings = parts_->settings;
  HENG_TRY(check_file(settings, wanted));
  StoredFile file{new_id("file-", parts_->random), wanted.name, wanted.purpose, sha256_hex(wanted.bytes), static_cast<std::int64_t>(wanted.bytes.size()), parts_->clock.unix_ms(), 0};
  file.expires_ms = file.created_ms + (wanted.keep_s ? wanted.keep_s : settings.keep_s) * 1000;
  auto writer = HENG_TRY(parts_->pool.writer());
  auto transaction = HENG_TRY(store::Transaction::begin(*writer));
  const auto count = HENG_TRY(writer->query_integer("SELECT COUNT(*) FROM file WHERE tenant = ?", who.tenant.value));
  const auto held = HENG_TRY(writer->query_integer("SELECT COALESCE(SUM(bytes), 0) FROM file WHERE tenant = ?", who.tenant.value));
  if (count >= settings.tenant_files) return Error(ErrorCode::rate_limited, fmt::format("the tenant has {} files, the limit is {}; delete some", count, settings.tenant_files), "file");
  if (held + file.bytes > settings.tenant_bytes)
    return Error(ErrorCode::rate_limited, fmt::format("the tenant's files take {} bytes, with this one {}; the limit is {}; delete some", held, held + file.bytes, settings.tenant_bytes), "file");
  HENG_TRY(writer->run("INSERT INTO file (id, tenant, user, subject, name, purpose, sha256, bytes, created_ms, expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", file.id, who.tenant.value,
                       who.user.value, who.data_subject, file.name, file.purpose, file.sha256, file.bytes, file.created_ms, file.expires_ms));
  const auto number = writer->last_insert_id();
  auto insert = HENG_TRY(writer->prepare("INSERT INTO part (file, number, bytes) VALUES (?, ?, ?)"));
  for (std::size_t at = 0, part = 0; at < wanted.bytes.size(); at += piece_bytes, ++part) {
    insert.bind(1, number).bind(2, part).bind_blob(3, wanted.bytes.substr(at, piece_bytes));
    HENG_TRY(insert.run());
    insert.reset();
  }
  HENG_TRY(transaction.commit());
  return file;
}

Result<Page<StoredFile>> BatchEngine::files(const Principal& who, const FileQuery& query) {
  auto reader = HENG_TRY(parts_->pool.reader());
  std::int64_t after = query.oldest_first ? 0 : INT64_MAX;
  if (!query.after.empty()) after = HENG_TRY(find_file(*reader, who, query.after)).number;
  auto row = HENG_TRY(reader->prepare(fmt::format("SELECT {} FROM file WHERE {} AND (?4 = '' OR purpose = ?4) AND number {} ?5 ORDER BY number {} LIMIT ?6", file_columns, visible, query.oldest_first ? ">" : "<",
                                                  query.oldest_first ? "" : "DESC")));
  row.bind_all(who.tenant.value, who.user.value, who.is_admin() ? 1 : 0, query.purpose, after, query.limit + 1);
  Page<StoredFile> out;
  while (HENG_TRY(row.step())) out.items.push_back(read_file(row).file);
  out.more = static_cast<int>(out.items.size()) > query.limit;
  if (out.more) out.items.pop_back();
  return out;
}

Result<StoredFile> BatchEngine::file(const Principal& who, const std::string& id) {
  auto reader = HENG_TRY(parts_->pool.reader());
  return HENG_TRY(find_file(*reader, who, id)).file;
}

Result<void> BatchEngine::content(const Principal& who, const std::string& id, const std::function<bool(std::string_view)>& sink) {
  FileRow found;
  {
    auto reader = HENG_TRY(parts_->pool.reader());
    found = HENG_TRY(find_file(*reader, who, id));
  }
  if (found.batch == 0) {
    StoredPieces pieces(parts_->pool, found.number);
    for (std::int64_t number = 0;; ++number) {
      const auto piece = HENG_TRY(pieces.piece(number));
      if (piece.empty() || !sink(piece)) return {};
    }
  }
  // page by page, so that a slow reader holds no connection to the database
  for (std::int64_t after = 0;;) {
    std::string page;
    {
      auto reader = HENG_TRY(parts_->pool.reader());
      auto row = HENG_TRY(reader->prepare("SELECT number, output FROM line WHERE batch = ? AND failed = ? AND number > ? ORDER BY number"));
      row.bind_all(found.batch, found.failed, after);
      while (page.size() < piece_bytes && HENG_TRY(row.step())) {
        after = row.integer(0);
        page += row.text(1);
      }
    }
    if (page.empty() || !sink(page)) return {};
  }
}

Result<void> BatchEngine::remove_file(const Principal& who, const std::string& id) {
  auto writer = HENG_TRY(parts_->pool.writer());
  auto transaction = HENG_TRY(store::Transaction::begin(*writer));
  const auto found = HENG_TRY(find_file(*writer, who, id));
  auto used = HENG_TRY(writer->prepare("SELECT id FROM batch WHERE input = ? AND status IN (0, 1, 2, 6)"));
  used.bind_all(found.number);
  if (HENG_TRY(used.step())) return Error(ErrorCode::conflict, fmt::format("batch {} reads this file; cancel it or wait for its end", used.string(0)), "file_id");
  used.reset();
  HENG_TRY(writer->run("DELETE FROM part WHERE file = ?", found.number));
  if (found.batch != 0) HENG_TRY(writer->run("DELETE FROM line WHERE batch = ? AND failed = ?", found.batch, found.failed));
  HENG_TRY(writer->run("DELETE FROM file WHERE number = ?", found.number));
  return transaction.commit();
}

}  // namespace heng::batches
