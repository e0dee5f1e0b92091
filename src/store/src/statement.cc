#include <sqlite3.h>

#include "database_impl.h"

namespace heng::store {

Statement::Statement(Cached* cached) : cached_(cached) {}
Statement::Statement(Statement&& other) noexcept : cached_(std::exchange(other.cached_, nullptr)) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(cached_, other.cached_);
  return *this;
}

Statement::~Statement() {
  if (cached_ == nullptr) return;
  reset();
  cached_->in_use = false;
}

namespace {
void note(int& first, int code) {
  if (first == SQLITE_OK) first = code;
}
}  // namespace

Statement& Statement::bind(int index, std::int64_t value) {
  note(cached_->bind_error, sqlite3_bind_int64(cached_->handle, index, value));
  return *this;
}
Statement& Statement::bind(int index, double value) {
  note(cached_->bind_error, sqlite3_bind_double(cached_->handle, index, value));
  return *this;
}
Statement& Statement::bind(int index, std::string_view text) {
  // an empty view may hold a null pointer, which SQLite would read as NULL
  note(cached_->bind_error, sqlite3_bind_text64(cached_->handle, index, text.data() != nullptr ? text.data() : "", text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}
Statement& Statement::bind_blob(int index, std::string_view bytes) {
  note(cached_->bind_error, sqlite3_bind_blob64(cached_->handle, index, bytes.data() != nullptr ? bytes.data() : "", bytes.size(), SQLITE_TRANSIENT));
  return *this;
}
Statement& Statement::bind_null(int index) {
  note(cached_->bind_error, sqlite3_bind_null(cached_->handle, index));
  return *this;
}

Result<bool> Statement::step() {
  if (cached_->bind_error != SQLITE_OK) {
    Error error = cached_->owner->error(cached_->bind_error, "a parameter could not be bound");
    if (cached_->bind_error == SQLITE_RANGE) error.code = ErrorCode::invalid_argument;
    return error;
  }
  const int code = sqlite3_step(cached_->handle);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return cached_->owner->error(code, "statement failed");
}

Result<void> Statement::run() {
  while (HENG_TRY(step())) {
  }
  // a finished statement holds no lock, but only after its reset
  sqlite3_reset(cached_->handle);
  return {};
}

void Statement::reset() {
  sqlite3_reset(cached_->handle);
  sqlite3_clear_bindings(cached_->handle);
  cached_->bind_error = SQLITE_OK;
}

int Statement::columns() const { return sqlite3_column_count(cached_->handle); }
bool Statement::is_null(int column) const { return sqlite3_column_type(cached_->handle, column) == SQLITE_NULL; }
std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(cached_->handle, column); }
double Statement::real(int column) const { return sqlite3_column_double(cached_->handle, column); }

std::string_view Statement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(cached_->handle, column));
  if (text == nullptr) return {};
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(cached_->handle, column))};
}
std::string_view Statement::blob(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(cached_->handle, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(cached_->handle, column))};
}
std::string_view Statement::column_name(int column) const { return sqlite3_column_name(cached_->handle, column); }

}  // namespace heng::store
