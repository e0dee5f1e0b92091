#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "heng/base/result.h"
#include "heng/store/pool.h"

namespace heng::batches {

/// A line of an input file. Blank lines are passed over but counted.
struct InputLine {
  std::int64_t number = 0;            ///< From 1.
  std::string text;                   ///< Without its end; empty where it is too long.
  bool too_long = false;
  int tries = 0;                      ///< How often it was asked so far.
};

/// Where pieces of a file come from: number (from 0) → bytes; empty behind the last.
class PieceSource {
 public:
  virtual ~PieceSource() = default;
  virtual Result<std::string> piece(std::int64_t number) = 0;
};

/// The pieces of a stored file. Lifetime: the pool outlives it.
class StoredPieces final : public PieceSource {
 public:
  StoredPieces(store::Pool& pool, std::int64_t file) : pool_(pool), file_(file) {}
  Result<std::string> piece(std::int64_t number) override;

 private:
  store::Pool& pool_;
  std::int64_t file_;
};

/// Reads a file line by line; holds one piece and one line. Used by one thread at a time.
class LineReader {
 public:
  LineReader(PieceSource& source, std::size_t longest) : source_(source), longest_(longest) {}
  /// False: there is none left.
  Result<bool> next(InputLine& out);

 private:
  Result<bool> next_physical(InputLine& out);

  PieceSource& source_;
  const std::size_t longest_;
  std::string piece_;
  std::size_t at_ = 0;
  std::int64_t pieces_ = 0, number_ = 0;
  bool ended_ = false;
};

/// What a line asks for, or why it cannot be read.
struct BatchLine {
  std::string custom_id;              ///< Also of a bad line, where it has one.
  std::string body;                   ///< A JSON object.
  std::optional<Error> error;
};

/// {"custom_id","method":"POST","url","body"}. `longest`: for the message of a line that is too long.
BatchLine parse_line(const InputLine& line, std::string_view endpoint, std::size_t longest);

/// The line of the output for an answer (its body is JSON) and for a line without one; with the line's end.
std::string answered_line(const std::string& id, const std::string& custom_id, int status, const std::string& request_id, const std::string& body);
std::string failed_line(const std::string& id, const std::string& custom_id, std::string_view code, const std::string& message, const std::string& param, std::int64_t line);

/// Why a file cannot be a batch's input, by its name and first bytes. Errors: invalid_argument, malformed_input (empty).
Result<void> check_kind(std::string_view name, std::string_view bytes);

}  // namespace heng::batches
