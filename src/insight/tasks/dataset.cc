#include "heng/insight/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>

#include "heng/base/hash.h"
#include "heng/base/text.h"
#include "tasks/marked.h"

namespace heng::insight {

using nlohmann::json;

Result<void> check_text(std::string_view s) {
  if (const auto at = text::first_invalid_utf8(s); at != std::string_view::npos)
    return Error(ErrorCode::malformed_input, fmt::format("the text is not valid UTF-8 (byte {})", at), "text");
  if (text::trim(s).empty()) return Error(ErrorCode::invalid_argument, "the text is empty", "text");
  if (s.size() > longest_text_code_points) {
    if (const std::size_t length = text::code_points(s); length > longest_text_code_points)
      return Error(ErrorCode::too_large, fmt::format("the text has {} characters, the limit is {}: split it", length, longest_text_code_points), "text");
  }
  return {};
}

namespace {

struct Row {
  std::string text, label, head, tail;
  TaskInput input = TaskInput::text;
};

std::string text_field(const json& j, const char* name, std::string& reason) {
  const auto it = j.find(name);
  if (it == j.end()) return {};
  if (!it->is_string()) {
    reason = fmt::format("\"{}\" is not a string", name);
    return {};
  }
  return it->get<std::string>();
}

Result<Row> parse_row(const std::string& line) {
  if (const auto at = text::first_invalid_utf8(line); at != std::string::npos) return Error(ErrorCode::malformed_input, fmt::format("not valid UTF-8 (byte {} of the line)", at));
  const json j = json::parse(line, nullptr, false);
  if (!j.is_object()) return Error(ErrorCode::malformed_input, j.is_discarded() ? "not JSON" : "not a JSON object");
  std::string reason;
  Row row;
  row.text = text_field(j, j.contains("text") ? "text" : "content", reason);
  if (reason.empty() && !j.contains("text") && !j.contains("content")) reason = "no field \"text\"";
  if (reason.empty() && !j.contains("label")) reason = "no field \"label\"";
  if (reason.empty()) {
    const auto& label = j.at("label");
    row.label = label.is_string() ? label.get<std::string>() : label.is_number_integer() ? label.dump() : std::string();
    if (row.label.empty()) reason = "\"label\" is not a string that says something";
  }
  if (reason.empty()) row.head = text_field(j, j.contains("head") ? "head" : "entity", reason);
  if (reason.empty()) row.tail = text_field(j, "tail", reason);
  if (!reason.empty()) return Error(ErrorCode::malformed_input, reason);
  row.input = j.contains("head") || j.contains("tail") ? TaskInput::pair : j.contains("entity") ? TaskInput::entity : TaskInput::text;
  HENG_TRY(check_text(row.text));
  return row;
}

void report_contradictions(LabelledData& data) {
  std::unordered_map<std::string_view, std::set<int>> seen;
  for (std::size_t i = 0; i < data.texts.size(); ++i)
    if (!seen[data.texts[i]].insert(data.labels[i]).second) ++data.repeated_rows;
  for (std::size_t i = 0; i < data.texts.size(); ++i) {
    auto& labels = seen[data.texts[i]];
    if (labels.size() < 2) continue;
    ++data.contradictory_texts;
    if (data.contradictions.size() < 10) {
      std::string line = data.texts[i].substr(0, text::byte_offset(data.texts[i], 60)) + ":";
      for (const int label : labels) line += " " + data.names[static_cast<std::size_t>(label)];
      data.contradictions.push_back(std::move(line));
    }
    labels.clear();  // once
  }
}

Result<LabelledData> read(const std::filesystem::path& file, const std::vector<std::string>* names) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return Error(ErrorCode::not_found, "cannot read " + file.string(), "in");
  LabelledData data;
  data.sha256 = HENG_TRY(sha256_file(file));
  std::vector<std::string> labels;
  std::string line;
  std::map<std::string, std::int64_t> counts;
  std::unordered_map<std::string, int> sentences;
  const auto bad = [&](std::int64_t number, std::string reason) {
    ++data.bad_rows;
    if (data.bad.size() < 100) data.bad.push_back({number, std::move(reason)});
  };
  for (std::int64_t number = 1; std::getline(in, line); ++number) {
    if (text::trim(line).empty()) continue;
    auto row = parse_row(line);
    if (row.ok() && names && !std::binary_search(names->begin(), names->end(), row->label)) row = Error(ErrorCode::malformed_input, fmt::format("label \"{}\" is not one of the task's", row->label));
    if (row.ok() && !data.texts.empty() && row->input != data.input)
      row = Error(ErrorCode::malformed_input, fmt::format("this row is about {}, the first about {}", task_input_name(row->input), task_input_name(data.input)));
    if (row.ok() && row->input != TaskInput::text) {
      auto marked = mark(row->input, row->text, row->head, row->tail);
      if (marked.ok()) {
        data.groups.push_back(sentences.emplace(std::move(row->text), static_cast<int>(sentences.size())).first->second);
        row->text = std::move(marked->text);
      } else {
        row = marked.error();
      }
    }
    if (!row.ok()) {
      bad(number, row.error().message);
      continue;
    }
    data.input = row->input;
    ++counts[row->label];
    data.texts.push_back(std::move(row->text));
    labels.push_back(std::move(row->label));
  }
  if (names) data.names = *names;
  else for (const auto& [label, count] : counts) data.names.push_back(label);
  for (const auto& [label, count] : counts)
    if (count == 1) data.rare.push_back(label);
  for (const auto& label : labels) data.labels.push_back(static_cast<int>(std::lower_bound(data.names.begin(), data.names.end(), label) - data.names.begin()));
  const std::string first_bad = data.bad.empty() ? "" : fmt::format("; {} rows cannot be used, the first is line {}: {}", data.bad_rows, data.bad[0].line, data.bad[0].reason);
  if (!names && data.names.size() < 2) return Error(ErrorCode::invalid_argument, fmt::format("{} has {} label(s), a task needs two at least{}", file.string(), data.names.size(), first_bad), "in");
  if (!names && data.texts.size() < 8) return Error(ErrorCode::invalid_argument, fmt::format("{} has {} usable rows, a task needs eight at least{}", file.string(), data.texts.size(), first_bad), "in");
  if (data.texts.empty()) return Error(ErrorCode::invalid_argument, fmt::format("{} has no usable row{}", file.string(), first_bad), "in");
  report_contradictions(data);
  return data;
}

}  // namespace

Result<LabelledData> read_labelled(const std::filesystem::path& file) { return read(file, nullptr); }
Result<LabelledData> read_labelled(const std::filesystem::path& file, const std::vector<std::string>& names) { return read(file, &names); }

}  // namespace heng::insight
