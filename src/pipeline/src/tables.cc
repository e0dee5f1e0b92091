#include "tables.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "words.h"

namespace heng::pipeline {
namespace {

std::vector<std::string> cells_of(std::string_view line) {
  std::vector<std::string> out;
  std::string_view inner = text::trim(line);
  if (inner.starts_with("|")) inner.remove_prefix(1);
  if (inner.ends_with("|")) inner.remove_suffix(1);
  for (auto cell : text::split(inner, '|')) out.emplace_back(text::trim(cell));
  return out;
}

bool is_separator(const std::vector<std::string>& cells) {
  return !cells.empty() && std::all_of(cells.begin(), cells.end(), [](const std::string& c) {
    return c.find_first_not_of("-: ") == std::string::npos && !c.empty();
  });
}

struct Table {
  std::vector<std::string> columns;               ///< Header of each column.
  std::vector<std::pair<std::string, std::vector<std::string>>> rows;  ///< Line and cells.
};

/// The tables of a passage. Rows before the separator are headers; without one, rows without figures behind the label are.
std::vector<Table> tables_of(const std::string& text) {
  std::vector<Table> out;
  bool inside = false, head = false;
  for (auto line : text::split(text, '\n')) {
    if (!text::trim(line).starts_with("|")) {
      inside = false;
      continue;
    }
    auto cells = cells_of(line);
    if (!inside) {
      out.emplace_back();
      inside = head = true;
    }
    Table& table = out.back();
    if (is_separator(cells)) {
      head = false;
      continue;
    }
    if (head) {
      table.columns.resize(std::max(table.columns.size(), cells.size()));
      for (std::size_t i = 0; i < cells.size(); ++i)
        if (!contains(table.columns[i], cells[i])) table.columns[i] += (table.columns[i].empty() ? "" : " ") + cells[i];
      continue;
    }
    table.rows.emplace_back(std::string(text::trim(line)), std::move(cells));
  }
  return out;
}

/// 1: the label is exactly what is asked, less where it says more or less than the metric.
double label_match(const std::string& label, const std::string& metric) {
  if (label.empty()) return 0;
  const auto of_label = key_term_set(label);
  const auto of_metric = key_term_set(metric + " " + glossary_translation(metric));
  if (of_label.empty()) return 0;
  const double said = coverage(of_label, of_metric);
  const double asked = coverage(key_term_set(metric), of_label);
  return said < 0.75 ? 0 : said * 0.6 + asked * 0.4;
}

bool names_period(const std::string& column, const std::string& period) {
  const std::string folded = text::nfkc(column);
  if (contains(text::lower(folded), text::lower(period))) return true;
  return false;
}

double document_match(const Passage& p, const std::string& question) {
  const auto names = key_term_set(replace_all(p.document_title + " " + p.document_path, "_", " "));
  const auto asked = key_term_set(question + " " + glossary_translation(question));
  double held = 0;
  for (const auto& name : names)
    for (const auto& term : asked)
      if (std::isdigit(static_cast<unsigned char>(name[0])) == 0 && term.size() >= 3 && (name == term || contains(name, term) || (contains(term, name) && name.size() >= 3))) held = 1;
  return held;
}

}  // namespace

std::string plain_number(std::string_view cell) {
  std::string folded = text::nfkc(cell);
  const bool negative = contains(folded, "(") || text::trim(folded).starts_with("-") || text::trim(folded).starts_with("−");
  std::string out;
  for (std::size_t i = 0; i < folded.size(); ++i) {
    const char c = folded[i];
    if (std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '.') out += c;
    else if (c == '%' || std::isalpha(static_cast<unsigned char>(c)) != 0) return {};
  }
  if (out.empty() || out == "." || std::count(out.begin(), out.end(), '.') > 1 || out.front() == '.' || out.back() == '.') return {};
  return (negative ? "-" : "") + out;
}

std::string table_scale(const Passage& p) {
  const std::string all = text::lower(p.context + " " + p.heading + " " + p.text.substr(0, 400));
  static constexpr std::array scales = {"in millions", "in thousands", "in billions"};
  for (const char* scale : scales)
    if (contains(all, scale)) return std::string(scale + 3, std::string_view(scale).size() - 4);
  for (const char* scale : {"百万元", "亿元", "万元", "千元"})
    if (contains(all, std::string("单位：") + scale) || contains(all, std::string("单位:") + scale) || contains(all, std::string("单位: ") + scale)) return scale;
  if (contains(all, "单位：元") || contains(all, "单位:元") || contains(all, "单位: 元")) return "元";
  return {};
}

std::vector<Cell> find_cells(const std::vector<Passage>& passages, const std::string& metric, const std::string& period,
                             const std::string& question) {
  std::vector<Cell> out;
  for (std::size_t p = 0; p < passages.size(); ++p) {
    const double of_document = document_match(passages[p], question);
    for (const Table& table : tables_of(passages[p].text))
      for (const auto& [line, cells] : table.rows) {
        const double match = cells.empty() ? 0 : label_match(cells[0], metric);
        if (match == 0) continue;
        for (std::size_t i = 1; i < cells.size() && i < table.columns.size(); ++i) {
          const std::string number = plain_number(cells[i]);
          if (number.empty() || !names_period(table.columns[i], period)) continue;
          out.push_back({static_cast<int>(p) + 1, cells[0], table.columns[i], cells[i], number, line, match + of_document});
        }
      }
  }
  std::stable_sort(out.begin(), out.end(), [](const Cell& a, const Cell& b) { return a.match > b.match; });
  return out;
}

namespace {

/// Terms of `asked` that neither row, column, heading nor title names.
double left_unnamed(const std::set<std::string>& asked, const std::set<std::string>& named) { return 1 - coverage(asked, named); }

bool all_named(const std::string& label, const std::string& question, const std::set<std::string>& asked) {
  const std::string compact = replace_all(text::nfkc(label), " ", "");
  if (text::language_of(compact) == text::Language::chinese)
    return text::code_points(compact) >= 2 && contains(replace_all(text::nfkc(question), " ", ""), compact);
  const auto of_label = key_term_set(label);
  return !of_label.empty() && coverage(of_label, asked) == 1;
}

}  // namespace

std::optional<Cell> named_cell(const std::vector<Passage>& passages, const std::string& question) {
  const std::string words = keywords(question);
  const auto asked = key_term_set(words);
  const auto wanted_periods = periods(question);
  constexpr double most_unnamed = 0.4;
  std::vector<Cell> fits;
  for (std::size_t p = 0; p < passages.size(); ++p)
    for (const Table& table : tables_of(passages[p].text))
      for (const auto& [line, cells] : table.rows) {
        if (cells.empty() || !all_named(cells[0], question, asked)) continue;
        for (std::size_t i = 1; i < cells.size() && i < table.columns.size(); ++i) {
          const double column = coverage(key_term_set(table.columns[i]), asked);
          const bool period_fits = std::all_of(wanted_periods.begin(), wanted_periods.end(),
                                               [&](const std::string& period) { return names_period(table.columns[i], period); });
          if (column == 0 || !period_fits || cells[i].find_first_of("0123456789") == std::string::npos) continue;
          const auto named = key_term_set(cells[0] + " " + table.columns[i] + " " + passages[p].heading + " " +
                                          replace_all(passages[p].document_title + " " + passages[p].document_path, "_", " "));
          const double rest = left_unnamed(asked, named);
          if (rest > most_unnamed) continue;
          fits.push_back({static_cast<int>(p) + 1, cells[0], table.columns[i], cells[i], plain_number(cells[i]), line, 1 - rest + 0.2 * column});
        }
      }
  std::stable_sort(fits.begin(), fits.end(), [](const Cell& a, const Cell& b) { return a.match > b.match; });
  if (fits.empty()) return std::nullopt;
  for (const auto& other : fits)
    if (other.match > fits[0].match - 0.1 && other.text != fits[0].text) return std::nullopt;
  return fits[0];
}

}  // namespace heng::pipeline
