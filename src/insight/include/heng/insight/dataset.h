#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "heng/base/result.h"
#include "heng/contracts/insight.h"

namespace heng::insight {

constexpr std::size_t longest_text_code_points = 100'000;

/// Why a text cannot be read, or nothing: empty (white space only), longer than longest_text_code_points, not UTF-8.
Result<void> check_text(std::string_view text);

/// A line that could not be used.
struct BadRow {
  std::int64_t line = 0;              ///< From 1.
  std::string reason;
};

/// Labelled texts of one task, read from JSON Lines {"text","label"} (also "id"; "content" for "text"). About an entity of the text:
/// {"text","entity","label"}; about a pair: {"text","head","tail","label"}. The first usable row says which; names stand in the text.
struct LabelledData {
  TaskInput input = TaskInput::text;
  std::vector<std::string> texts;     ///< With an entity or a pair: marked, with its fields (tasks/marked.h).
  std::vector<int> groups;            ///< Rows of one sentence have one number, so that folds do not share a sentence; empty: each row its own.
  std::vector<int> labels;            ///< Index into `names`.
  std::vector<std::string> names;     ///< Labels in byte order.
  std::string sha256;                 ///< Of the file.
  std::vector<BadRow> bad;            ///< The first hundred.
  std::int64_t bad_rows = 0;
  std::int64_t contradictory_texts = 0;  ///< Texts that stand there with two labels or more.
  std::vector<std::string> contradictions;  ///< The first ten, with their labels.
  std::int64_t repeated_rows = 0;     ///< Rows whose text and label stood there before.
  std::vector<std::string> rare;      ///< Labels of a single row: they cannot be checked on held-out rows.
};

/// Errors: not_found; invalid_argument (fewer than two labels, or than eight usable rows; says what was wrong with the others).
Result<LabelledData> read_labelled(const std::filesystem::path& file);
/// As above; labels must be among `names`, and rows with another label are bad.
Result<LabelledData> read_labelled(const std::filesystem::path& file, const std::vector<std::string>& names);

/// Whether most of the texts (of a sample of 500) are Chinese.
bool mostly_chinese(const LabelledData& data);

}  // namespace heng::insight
