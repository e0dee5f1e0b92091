#include "passage_reader.h"

#include <algorithm>

#include "heng/base/text.h"

namespace heng::guard {

namespace {

std::vector<std::string> split_row(std::string_view line) {
  std::vector<std::string> cells;
  std::string cell;
  line = text::trim(line);
  if (line.starts_with('|')) line.remove_prefix(1);
  if (line.ends_with('|')) line.remove_suffix(1);
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && i + 1 < line.size() && line[i + 1] == '|') {
      cell += '|';
      ++i;
    } else if (line[i] == '|') {
      cells.emplace_back(text::trim(cell));
      cell.clear();
    } else {
      cell += line[i];
    }
  }
  cells.emplace_back(text::trim(cell));
  return cells;
}

bool is_separator(const std::vector<std::string>& cells) {
  bool dash = false;
  for (const auto& cell : cells)
    for (const char c : cell) {
      if (c != '-' && c != ':' && c != ' ') return false;
      dash = dash || c == '-';
    }
  return dash;
}

/// Whether the cell holds a figure that is not a date: then its row is data, not a header.
bool holds_number(const std::string& cell) {
  for (const auto& figure : extract_figures(cell))
    if (figure.kind != FigureKind::date && figure.kind != FigureKind::duration) return true;
  return false;
}

void add_dates(std::string_view text, std::vector<std::string>& out) {
  for (const auto& figure : extract_figures(text))
    if (figure.kind == FigureKind::date) out.push_back(figure.date);
}

/// Reads a passage's lines into units and facts.
class Reader {
 public:
  Reader(const Passage& passage, std::size_t longest) : passage_(passage) {
    body_ = std::string_view(passage.text).substr(0, longest);
    body_ = body_.substr(0, text::complete_utf8_prefix(body_));
  }
  ReadPassage run();

 private:
  void prose(std::string_view line);
  void table(const std::vector<std::vector<std::string>>& rows);
  void data_row(const std::vector<std::string>& row, const std::vector<std::string>& columns, const std::string& section);
  void add_cell_facts(const Unit& unit, std::size_t index, const std::string& value, const std::string& column);
  void add_sentence(std::string_view sentence);
  void apply_scale(Fact& fact, const ScaleStatement& near, const std::string& label) const;

  const Passage& passage_;
  std::string_view body_;
  ReadPassage out_;
  ScaleStatement table_scale_;
  std::string last_prose_;
  WordSet carried_;  ///< Words of the statement before a semicolon, which hold on.
};

ReadPassage Reader::run() {
  const std::string context = passage_.document_title + "\n" + passage_.document_path + "\n" + passage_.heading + "\n" + passage_.context;
  if (text::is_valid_utf8(context)) {
    std::string spaced = context;
    std::replace(spaced.begin(), spaced.end(), '_', ' ');
    std::replace(spaced.begin(), spaced.end(), '/', ' ');
    out_.context = word_set(source_words(spaced));
    add_dates(spaced, out_.context_dates);
  }
  if (!text::is_valid_utf8(body_)) return std::move(out_);
  table_scale_ = scale_statement(passage_.context);
  if (!table_scale_.found) table_scale_ = scale_statement(passage_.heading);
  std::vector<std::vector<std::string>> rows;
  const auto flush = [&] {
    if (!rows.empty()) table(rows);
    rows.clear();
  };
  for (const auto line : text::split(body_, '\n')) {
    const auto trimmed = text::trim(line);
    if (trimmed.starts_with('|') && trimmed.size() > 1) {
      rows.push_back(split_row(trimmed));
    } else {
      flush();
      if (!trimmed.empty()) prose(trimmed);
    }
  }
  flush();
  if (table_scale_.found) out_.scales.push_back(table_scale_.scale);
  out_.currency = table_scale_.currency;
  for (const auto& fact : out_.facts)
    if (std::find(out_.scales.begin(), out_.scales.end(), fact.figure.scale) == out_.scales.end())
      out_.scales.push_back(fact.figure.scale);
  return std::move(out_);
}

void Reader::prose(std::string_view line) {
  if (const auto stated = scale_statement(line); stated.found && line.size() < 240) table_scale_ = stated;
  last_prose_ = std::string(line);
  for (const auto& range : text::sentences(line)) {
    auto sentence = line.substr(range.begin, range.end - range.begin);
    // a semicolon parts two statements as a full stop does
    for (auto at = sentence.find("; "); at != std::string_view::npos; at = sentence.find("; ")) {
      if (at <= 12) break;
      add_sentence(sentence.substr(0, at + 1));
      carried_.clear();
      for (const auto& word : out_.units.back().words)
        if (!word.subject) carried_.insert(word.stem);
      sentence.remove_prefix(at + 2);
    }
    if (!sentence.empty()) add_sentence(sentence);
    carried_.clear();
  }
}

void Reader::add_sentence(std::string_view sentence) {
  Unit unit;
  unit.text = std::string(sentence);
  unit.judged = unit.text;
  const FoldedText folded = fold(sentence);
  unit.words = source_words(folded);
  unit.set = word_set(unit.words);
  unit.topic = topic_of(content_words(folded));
  const auto figures = extract_figures(sentence);
  const auto dates = bind_dates(folded, figures);
  const auto labels = bind_words(folded, figures, unit.words);
  const auto inherited = inherited_words(figures, unit.words, labels);
  for (std::size_t i = 0; i < figures.size(); ++i) {
    Fact fact;
    fact.figure = figures[i];
    fact.unit = out_.units.size();
    fact.dates = dates[i];
    fact.label = labels[i];
    const bool bare = figures[i].scale == Decimal(1) && (figures[i].kind == FigureKind::amount ||
                                                         (figures[i].kind == FigureKind::number && figures[i].unit.empty()));
    if (bare && table_scale_.found) fact.optional_scale = table_scale_.scale;
    fact.sign = sign_near(folded, figures[i]);
    fact.inherited = inherited[i];
    fact.inherited.insert(carried_.begin(), carried_.end());
    fact.bound = bound_near(folded, figures[i]);
    out_.facts.push_back(std::move(fact));
  }
  out_.units.push_back(std::move(unit));
}

void Reader::table(const std::vector<std::vector<std::string>>& rows) {
  if (const auto stated = scale_statement(last_prose_); stated.found && last_prose_.size() < 400) table_scale_ = stated;
  std::size_t body = 0;
  for (std::size_t r = 0; r < rows.size() && r < 6; ++r)
    if (is_separator(rows[r])) {
      body = r + 1;
      break;
    }
  const auto is_header = [&](const std::vector<std::string>& row) {
    bool any = false;
    for (std::size_t c = 1; c < row.size(); ++c) {
      if (holds_number(row[c])) return false;
      any = any || !row[c].empty();
    }
    return any && (row[0].empty() || !extract_figures(row.back()).empty() || scale_statement(row[0]).found);
  };
  if (body == 0) body = 1;
  // header lines that came through as data: dates and words only
  while (body < rows.size() && is_header(rows[body])) ++body;
  std::size_t width = 0;
  for (const auto& row : rows) width = std::max(width, row.size());
  std::vector<std::string> columns(width);
  for (std::size_t r = 0; r < std::min(body, rows.size()); ++r) {
    if (is_separator(rows[r])) continue;
    if (const auto stated = scale_statement(rows[r][0]); stated.found) table_scale_ = stated;
    auto cells = rows[r];
    // a date over several columns stands in the first of them only
    for (std::size_t c = 2; c < cells.size(); ++c) {
      std::vector<std::string> before;
      add_dates(cells[c - 1], before);
      if (cells[c].empty() && !before.empty()) cells[c] = cells[c - 1];
    }
    for (std::size_t c = 0; c < cells.size(); ++c)
      if (!cells[c].empty() && columns[c].find(cells[c]) == std::string::npos) columns[c] += (columns[c].empty() ? "" : " ") + cells[c];
  }
  std::string section;
  for (std::size_t r = body; r < rows.size(); ++r) {
    if (is_separator(rows[r])) continue;
    const bool heads = std::all_of(rows[r].begin() + 1, rows[r].end(), [](const std::string& c) { return c.empty(); });
    if (heads && rows[r].size() > 1) {
      section = rows[r][0];
      if (const auto stated = scale_statement(section); stated.found) table_scale_ = stated;
    } else {
      data_row(rows[r], columns, section);
    }
  }
}

void Reader::data_row(const std::vector<std::string>& row, const std::vector<std::string>& columns, const std::string& section) {
  Unit unit;
  unit.row = true;
  unit.text = row[0];
  unit.section = section;
  unit.judged = section + " | " + (columns.empty() ? "" : columns[0]) + " | " + row[0];
  std::string pending;  // a currency sign in a cell of its own belongs to the next
  for (std::size_t c = 1; c < row.size(); ++c) {
    const std::string column = c < columns.size() ? columns[c] : "";
    if (row[c] == "$" || row[c] == "¥" || row[c] == "￥" || row[c] == "€" || row[c] == "£") {
      pending = row[c];
      continue;
    }
    if (!row[c].empty()) unit.cells.push_back({pending + row[c], column});
    if (!row[c].empty()) unit.judged += " | " + row[c] + " | " + column;
    pending.clear();
  }
  unit.words = source_words(unit.judged);
  unit.set = word_set(unit.words);
  const std::size_t index = out_.units.size();
  add_cell_facts(unit, index, row[0], "");
  for (const auto& cell : unit.cells) add_cell_facts(unit, index, cell.value, cell.column);
  out_.units.push_back(std::move(unit));
}

void Reader::add_cell_facts(const Unit& unit, std::size_t index, const std::string& value, const std::string& column) {
  const std::string headers = unit.text + " | " + unit.section + " | " + column;
  WordSet label = word_set(source_words(headers + " | " + value));
  for (const auto& figure : extract_figures(headers)) label.insert(figure_word(figure));
  std::vector<std::string> dates;
  add_dates(column, dates);
  add_dates(unit.text, dates);
  if (dates.empty()) add_dates(unit.section, dates);
  auto near = scale_statement(column);
  const auto by_label = scale_statement(unit.text + " " + unit.section);
  if (by_label.found && (by_label.percent || !near.found)) near = by_label;
  for (const auto& figure : extract_figures(value)) {
    Fact fact;
    fact.figure = figure;
    fact.unit = index;
    fact.dates = dates;
    fact.label = label;
    fact.cell = true;
    if (figure.kind == FigureKind::date) fact.dates = {figure.date};
    apply_scale(fact, near, unit.text + " " + column);
    // under "change" a positive number goes up; elsewhere it has no direction
    const std::string lower = text::lower(unit.text + " " + column);
    const bool change = lower.find("change") != std::string::npos || lower.find("growth") != std::string::npos ||
                        lower.find("增减") != std::string::npos || lower.find("变动") != std::string::npos || lower.find("增幅") != std::string::npos;
    fact.sign = fact.figure.value.is_negative() ? -1 : change ? 1 : 0;
    out_.facts.push_back(std::move(fact));
  }
}

/// Multiplies a cell by what its header says, unless the cell has a unit of its own or counts something else.
void Reader::apply_scale(Fact& fact, const ScaleStatement& near, const std::string& label) const {
  auto& figure = fact.figure;
  const bool bare = figure.kind == FigureKind::number && figure.unit.empty() && figure.scale == Decimal(1);
  const bool money = figure.kind == FigureKind::amount && figure.scale == Decimal(1);
  if (!bare && !money) return;
  const std::string lower = text::lower(label);
  for (const char* word : {"per share", "每股", "per unit", "每份", "number of", "人数", "户数", "headcount", "employees", "倍数"})
    if (lower.find(word) != std::string::npos) return;
  const ScaleStatement& stated = near.found ? near : table_scale_;
  if (!stated.found) return;
  auto value = Decimal::multiply(figure.value, stated.scale), step = Decimal::multiply(figure.step, stated.scale);
  if (!value || !step) return;
  figure.value = value->normalized();
  figure.step = *step;
  figure.scale = stated.scale;
  if (stated.percent || stated.basis_point) {
    figure.kind = stated.percent ? FigureKind::percent : FigureKind::basis_point;
    figure.unit = stated.percent ? "percent" : "bp";
  } else if (!stated.currency.empty() && bare) {
    figure.kind = FigureKind::amount;
    figure.unit = stated.currency;
  }
}

}  // namespace

std::string topic_of(const std::vector<Word>& words) {
  for (const auto& word : words)
    if (!word.generic) return word.stem;
  return {};
}

ReadPassage read_passage(const Passage& passage, std::size_t longest_bytes) { return Reader(passage, longest_bytes).run(); }

ScaleStatement scale_statement(std::string_view header) {
  ScaleStatement out;
  if (header.empty() || !text::is_valid_utf8(header)) return out;
  const FoldedText folded = fold(header);
  const std::u32string_view text(folded.folded);
  struct Phrase {
    std::u32string_view word;
    std::int64_t scale;
    const char* currency;
  };
  constexpr std::int64_t million = 1'000'000;
  // a scale counts when it is stated, not when it follows a number: "in millions", "(万元)", 单位:万元
  constexpr Phrase phrases[] = {
      {U"in millions", million, ""}, {U"in thousands", 1000, ""}, {U"in billions", 1000 * million, ""}, {U"$ millions", million, "USD"},
      {U"$ thousands", 1000, "USD"}, {U"$millions", million, "USD"}, {U"$ million", million, "USD"}, {U"$m)", million, "USD"},
      {U"$000", 1000, "USD"}, {U"'000", 1000, ""}, {U"(millions", million, ""}, {U"(thousands", 1000, ""}, {U"(billions", 1000 * million, ""},
      {U"millions of", million, ""}, {U"thousands of", 1000, ""}, {U"(million", million, ""}, {U"(thousand", 1000, ""},
      {U"rmb million", million, "CNY"}, {U"rmb thousand", 1000, "CNY"}, {U"rmb billion", 1000 * million, "CNY"}, {U"rmb mn", million, "CNY"},
      {U"cny million", million, "CNY"}, {U"usd million", million, "USD"}, {U"usd thousand", 1000, "USD"}, {U"hk$ million", million, "HKD"},
      {U"million yuan", million, "CNY"}, {U"万亿元", million * million, "CNY"}, {U"百万美元", million, "USD"}, {U"万美元", 10'000, "USD"},
      {U"亿美元", 100 * million, "USD"}, {U"亿港元", 100 * million, "HKD"}, {U"百万元", million, "CNY"}, {U"万元", 10'000, "CNY"},
      {U"亿元", 100 * million, "CNY"}, {U"千元", 1000, "CNY"}, {U"百万股", million, ""}, {U"万股", 10'000, ""}, {U"亿股", 100 * million, ""},
      {U"万户", 10'000, ""}, {U"万人", 10'000, ""}, {U"万笔", 10'000, ""}, {U"(元", 1, "CNY"}, {U":元", 1, "CNY"}, {U": 元", 1, "CNY"},
      {U"单位元", 1, "CNY"}, {U"(rmb)", 1, "CNY"}, {U"(usd)", 1, "USD"}, {U"(cny)", 1, "CNY"}, {U"(yuan)", 1, "CNY"}, {U"(美元", 1, "USD"}};
  for (const auto& phrase : phrases) {
    const auto at = text.find(phrase.word);
    if (at == std::u32string_view::npos) continue;
    std::size_t before = at;
    while (before > 0 && is_blank(folded.at(before - 1))) --before;
    const bool number = before > 0 && (is_ascii_digit(folded.at(before - 1)) || std::u32string_view(U"一二三四五六七八九十百千两").find(folded.at(before - 1)) != std::u32string_view::npos);
    if (number && phrase.word != U"'000") continue;
    // 万元 in running text ("以万元为单位" aside) is a statement only in brackets, behind a colon, or in a short header
    const bool chinese = phrase.word[0] > 0x2E80;
    const bool marked = at > 0 && (folded.at(at - 1) == U'(' || folded.at(at - 1) == U':' || folded.at(at - 1) == U'/' || folded.at(at - 1) == U'币' || folded.at(at - 1) == U' ' || folded.at(at - 1) == U'为');
    if (chinese && !marked && folded.size() > 14 && at != 0) continue;
    out.found = true;
    out.scale = Decimal(phrase.scale);
    out.currency = phrase.currency;
    break;
  }
  if (out.found) {
    if (out.currency.empty()) {
      if (text.find(U"rmb") != std::u32string_view::npos || text.find(U"人民币") != std::u32string_view::npos) out.currency = "CNY";
      else if (text.find(U"$") != std::u32string_view::npos || text.find(U"dollars") != std::u32string_view::npos) out.currency = "USD";
    }
    return out;
  }
  const bool short_header = folded.size() <= 40;
  const auto ends_percent = text.find(U"(%)") != std::u32string_view::npos || (short_header && text.find(U"%") != std::u32string_view::npos && extract_figures(header).empty()) ||
                            text.find(U"in percent") != std::u32string_view::npos || text.find(U"(percent") != std::u32string_view::npos;
  if (ends_percent) {
    out.found = out.percent = true;
    out.scale = Decimal::from_parts(1, 2);
  } else if (text.find(U"(bp") != std::u32string_view::npos || text.find(U"(基点") != std::u32string_view::npos) {
    out.found = out.basis_point = true;
    out.scale = Decimal::from_parts(1, 4);
  }
  return out;
}

}  // namespace heng::guard
