#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "heng/store/database.h"

struct sqlite3;
struct sqlite3_stmt;

namespace heng::store {

struct Statement::Cached {
  sqlite3_stmt* handle = nullptr;
  Database::Impl* owner = nullptr;
  bool in_use = false;
  int bind_error = 0;  ///< First failure of a bind since the last reset, reported by step().
};

struct Database::Impl {
  static constexpr std::size_t cached_statements = 256;

  ~Impl();
  Error error(int code, std::string_view what) const;
  Result<void> execute(const char* sql);
  Result<void> configure();
  void drop_statements();  ///< Finalises those not in use.

  sqlite3* handle = nullptr;
  DatabaseSettings settings;
  // several of the same text, where one is stepped inside another's loop
  std::unordered_multimap<std::string, std::unique_ptr<Statement::Cached>> statements;
};

}  // namespace heng::store
