#pragma once

#include <string_view>

#include "heng/base/error.h"

struct sqlite3;

namespace heng::store {

/// Maps an SQLite result code to an Error; `what` says what was being done, `path` which file it concerns.
Error sqlite_error(sqlite3* db, int code, std::string_view what, std::string_view path);

}  // namespace heng::store
