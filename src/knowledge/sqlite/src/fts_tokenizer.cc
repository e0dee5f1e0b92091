#include <cstring>
#include <memory>
#include <new>

#include <sqlite3.h>

#include "heng/knowledge/words.h"
#include "heng/knowledge_sqlite/knowledge_base.h"

#include "rows.h"

namespace heng::knowledge_sqlite {
namespace {

using knowledge::Word;
using knowledge::WordSplitter;

// A query token is already folded and stemmed; stemming it again could change it. It is marked by this byte.
constexpr char literal_mark = '\x01';

int create_tokenizer(void*, const char**, int, Fts5Tokenizer** out) {
  auto* splitter = new (std::nothrow) WordSplitter;
  *out = reinterpret_cast<Fts5Tokenizer*>(splitter);
  return splitter == nullptr ? SQLITE_NOMEM : SQLITE_OK;
}

void delete_tokenizer(Fts5Tokenizer* tokenizer) { delete reinterpret_cast<WordSplitter*>(tokenizer); }

int tokenize(Fts5Tokenizer* tokenizer, void* context, int flags, const char* text, int size,
             int (*token)(void*, int, const char*, int, int, int)) {
  if (text == nullptr || size <= 0) return SQLITE_OK;
  if (size > 1 && text[0] == literal_mark) return token(context, 0, text + 1, size - 1, 0, size);
  int code = SQLITE_OK;
  const auto purpose = (flags & FTS5_TOKENIZE_QUERY) != 0 ? knowledge::WordsFor::query : knowledge::WordsFor::index;
  try {
    reinterpret_cast<WordSplitter*>(tokenizer)->split({text, static_cast<std::size_t>(size)}, purpose, [&](const Word& word) {
      code = token(context, word.same_place ? FTS5_TOKEN_COLOCATED : 0, word.text.data(), static_cast<int>(word.text.size()),
                   static_cast<int>(word.begin), static_cast<int>(word.end));
      return code == SQLITE_OK;
    });
  } catch (const std::bad_alloc&) {
    return SQLITE_NOMEM;
  }
  return code;
}

/// heng_tf(words_N): occurrences of a one-token query in body, heading and title as body | heading << 16 | title << 24.
void term_frequency(const Fts5ExtensionApi* api, Fts5Context* fts, sqlite3_context* context, int, sqlite3_value**) {
  int in_column[3] = {0, 0, 0};
  Fts5PhraseIter iterator;
  int column = 0, offset = 0;
  const int code = api->xPhraseFirst(fts, 0, &iterator, &column, &offset);
  if (code != SQLITE_OK) {
    sqlite3_result_error_code(context, code);
    return;
  }
  for (; column >= 0; api->xPhraseNext(fts, &iterator, &column, &offset))
    if (column < 3) ++in_column[column];
  const auto clamp = [](int n, int most) { return static_cast<sqlite3_int64>(n < most ? n : most); };
  sqlite3_result_int64(context, clamp(in_column[2], 0xFFFF) | (clamp(in_column[1], 0xFF) << 16) | (clamp(in_column[0], 0xFF) << 24));
}

Result<fts5_api*> fts5_of(sqlite3* db) {
  fts5_api* api = nullptr;
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &statement, nullptr) == SQLITE_OK) {
    sqlite3_bind_pointer(statement, 1, static_cast<void*>(&api), "fts5_api_ptr", nullptr);
    sqlite3_step(statement);
  }
  sqlite3_finalize(statement);
  if (api == nullptr) return Error(ErrorCode::internal, "this SQLite has no FTS5");
  return api;
}

}  // namespace

Result<void> prepare_connection(store::Database& database) {
  auto* api = HENG_TRY(fts5_of(static_cast<sqlite3*>(database.native_handle())));
  fts5_tokenizer tokenizer{create_tokenizer, delete_tokenizer, tokenize};
  if (api->xCreateTokenizer(api, "heng", nullptr, &tokenizer, nullptr) != SQLITE_OK ||
      api->xCreateFunction(api, "heng_tf", nullptr, term_frequency, nullptr) != SQLITE_OK)
    return Error(ErrorCode::internal, "the word index's tokenizer could not be registered");
  return register_may_read(database);
}

}  // namespace heng::knowledge_sqlite
