#include "sqlite_error.h"

#include <fmt/format.h>
#include <sqlite3.h>

namespace heng::store {

Error sqlite_error(sqlite3* db, int code, std::string_view what, std::string_view path) {
  const std::string detail = db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code);
  const int extended = db != nullptr && (sqlite3_extended_errcode(db) & 0xff) == (code & 0xff) ? sqlite3_extended_errcode(db) : code;
  // SQLite's texts name tables, columns and files, never bound values, so they may be shown
  const auto make = [&](ErrorCode to, std::string_view advice) {
    return Error(to, fmt::format("{}: {} ({}{}{})", path, what, detail, advice.empty() ? "" : "; ", advice));
  };
  if (extended == SQLITE_IOERR_WRITE || extended == SQLITE_IOERR_FSYNC || extended == SQLITE_IOERR_DIR_FSYNC ||
      extended == SQLITE_IOERR_TRUNCATE || extended == SQLITE_IOERR_SHMSIZE) {
    return make(ErrorCode::storage_full, "the disk is full or refuses writes: free some space and try again");
  }
  if (extended == SQLITE_IOERR_CORRUPTFS || extended == SQLITE_IOERR_SHORT_READ || extended == SQLITE_IOERR_DATA) {
    return make(ErrorCode::corrupt, "restore the file from a backup");
  }
  switch (extended & 0xff) {
    case SQLITE_FULL:
      return make(ErrorCode::storage_full, "free some space and try again");
    case SQLITE_NOTADB:
      return Error(ErrorCode::permission_denied,
                   fmt::format("{}: wrong key or not a Heng database; check the master key in use", path));
    case SQLITE_CORRUPT:
      return make(ErrorCode::corrupt, "restore the file from a backup");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return make(ErrorCode::conflict, "another process is writing; try again");
    case SQLITE_CONSTRAINT:
      if (extended == SQLITE_CONSTRAINT_UNIQUE || extended == SQLITE_CONSTRAINT_PRIMARYKEY || extended == SQLITE_CONSTRAINT_ROWID) {
        return make(ErrorCode::already_exists, "");
      }
      return make(ErrorCode::conflict, "");
    case SQLITE_INTERRUPT:
      return make(ErrorCode::cancelled, "");
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return make(ErrorCode::permission_denied, "check the rights of the file and its folder");
    case SQLITE_CANTOPEN:
      return make(ErrorCode::unavailable, "check that the folder exists and may be written");
    case SQLITE_TOOBIG:
      return make(ErrorCode::too_large, "a row holds at most 1,000,000,000 bytes");
    default:
      return make(ErrorCode::internal, "");
  }
}

}  // namespace heng::store
