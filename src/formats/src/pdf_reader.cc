#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "builder.h"
#include "heng/base/text.h"
#include "headings.h"
#include "pdf_columns.h"
#include "pdf_table.h"
#include "pdf_words.h"

namespace heng::formats {
namespace {

using pdf::Page;
using pdf::Row;
using pdf::Segment;
using pdf::Table;

// A paragraph, a table or a repeated line, before it becomes a block.
struct Element {
  std::optional<Table> table;
  std::vector<Segment> lines;
  double x0 = 1e9, y0 = 1e9, x1 = 0, y1 = 0;
  BlockKind kind = BlockKind::paragraph;
};

std::string without_digits(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c >= '0' && c <= '9') {
      if (out.empty() || out.back() != '#') out += '#';
    } else if (c != ' ') {
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return out;
}

bool is_page_number(std::string_view text) {
  std::string bare = without_digits(text);
  for (std::string_view form : {"#", "-#-", "–#–", "—#—", "page#", "第#页", "#/#", "page#of#", "f-#", "第#页共#页"}) {
    if (bare == form) return true;
  }
  return !text.empty() && text.size() <= 6 && text.find_first_not_of("ivxlc") == std::string_view::npos;
}

// Lines at the top and foot of pages that come again and again.
class RepeatedLines {
 public:
  explicit RepeatedLines(const std::vector<Page>& pages) : pages_(pages.size()) {
    for (const Page& page : pages) {
      std::set<std::string> seen;
      edges_.push_back(edges_of(page));
      for (const Segment& segment : page.segments) {
        if (in_margin(page, segment)) seen.insert(without_digits(segment.text));
      }
      for (const std::string& line : seen) ++counts_[line];
    }
  }

  std::optional<BlockKind> kind(const Page& page, const Segment& segment) const {
    if (!in_margin(page, segment)) return std::nullopt;
    bool top = segment.centre() < page.height / 2;
    bool marked = is_page_number(segment.text) ? is_outermost(page, segment, top) : is_repeated(segment);
    if (!marked) return std::nullopt;
    return top ? BlockKind::header : BlockKind::footer;
  }

 private:
  // Where the first line ends and the last begins: a page may be printed smaller than its paper.
  struct Edges {
    double first = 1e9, last = 0;
  };

  static Edges edges_of(const Page& page) {
    Edges edges;
    for (const Segment& segment : page.segments) {
      edges.first = std::min(edges.first, segment.centre());
      edges.last = std::max(edges.last, segment.centre());
    }
    return edges;
  }

  bool is_repeated(const Segment& segment) const {
    auto found = counts_.find(without_digits(segment.text));
    return pages_ >= 3 && found != counts_.end() && found->second >= 3 && found->second * 8 >= static_cast<int>(pages_);
  }

  // A page's number has only repeated lines beside it and towards the paper's edge; a figure of a table has neighbours.
  bool is_outermost(const Page& page, const Segment& number, bool top) const {
    double near = 0.6 * number.size;
    return std::all_of(page.segments.begin(), page.segments.end(), [&](const Segment& other) {
      bool inside = top ? other.centre() > number.centre() + near : other.centre() < number.centre() - near;
      return inside || &other == &number || is_repeated(other);
    });
  }

  bool in_margin(const Page& page, const Segment& segment) const {
    const Edges& edges = edges_[static_cast<std::size_t>(page.number - 1)];
    double near = 0.6 * segment.size;
    return segment.y1 < page.height * 0.09 || segment.y0 > page.height * 0.92 || segment.centre() < edges.first + near ||
           segment.centre() > edges.last - near;
  }

  std::vector<Edges> edges_;
  std::size_t pages_;
  std::unordered_map<std::string, int> counts_;
};

std::unordered_set<std::string> words_of(const std::vector<Page>& pages) {
  std::unordered_set<std::string> words;
  for (const Page& page : pages) {
    for (const Segment& segment : page.segments) {
      for (std::string_view word : text::split(segment.text, ' ')) {
        while (!word.empty() && !std::isalpha(static_cast<unsigned char>(word.back()))) word.remove_suffix(1);
        if (word.size() > 3) words.insert(text::lower(word));
      }
    }
  }
  return words;
}

class LineJoiner {
 public:
  explicit LineJoiner(std::unordered_set<std::string> words) : words_(std::move(words)) {}

  std::string join(const std::vector<Segment>& lines) const {
    std::string out;
    for (const Segment& line : lines) {
      if (out.empty()) {
        out = line.text;
      } else if (ends_with_hyphen(out)) {
        if (is_one_word(out, line.text)) out.pop_back();
        out += line.text;
      } else {
        if (!wide_edge(out, line.text)) out += ' ';
        out += line.text;
      }
    }
    return out;
  }

 private:
  static bool ends_with_hyphen(const std::string& text) {
    return text.size() > 2 && text.back() == '-' && std::isalpha(static_cast<unsigned char>(text[text.size() - 2]));
  }

  // "agree-" + "ment": the document writes "agreement" elsewhere, or not "agree-ment".
  bool is_one_word(const std::string& above, const std::string& below) const {
    if (!std::islower(static_cast<unsigned char>(below[0]))) return false;
    std::size_t start = above.find_last_of(' ') + 1;
    std::size_t end = 0;
    while (end < below.size() && std::isalpha(static_cast<unsigned char>(below[end]))) ++end;
    std::string joined = text::lower(above.substr(start, above.size() - 1 - start) + below.substr(0, end));
    return words_.contains(joined);
  }

  static bool wide(char32_t c) { return text::is_cjk(c) || (c >= 0x3000 && c <= 0x303F) || (c >= 0xFF00 && c <= 0xFFEF); }
  static bool wide_edge(std::string_view above, std::string_view below) {
    std::u32string tail = text::to_utf32(above.substr(above.size() > 4 ? text::complete_utf8_prefix(above.substr(0, above.size() - 4)) : 0));
    std::size_t i = 0;
    char32_t head = text::next(below, i);
    return !tail.empty() && wide(tail.back()) && wide(head);
  }

  std::unordered_set<std::string> words_;
};

// "4.1" before the title that it numbers, alone on their line.
bool is_section_number(const Row& row, const Segment& number, const Segment& title) {
  if (row.cells.size() != 2 || number.text.size() > 5 || number.text.find_first_not_of("0123456789.") != std::string::npos) return false;
  if (title.text.size() > 60 || ends_sentence(title.text)) return false;
  bool low = number.text.find('.') != std::string::npos || number.text.size() == 1;
  return low && std::isupper(static_cast<unsigned char>(title.text[0])) && std::fabs(number.size - title.size) < 0.08 * title.size &&
         title.x0 - number.x1 < 3 * title.size;
}

// Joins bullets and clause numbers with the text to their right, which poppler often puts into another block.
void join_markers(Page& page, const std::vector<Row>& rows, std::vector<bool>& used) {
  for (const Row& row : rows) {
    for (std::size_t i = 0; i + 1 < row.cells.size(); ++i) {
      Segment& marker = page.segments[static_cast<std::size_t>(row.cells[i])];
      Segment& text = page.segments[static_cast<std::size_t>(row.cells[i + 1])];
      if (!(is_list_marker(marker.text) || is_section_number(row, marker, text)) || text.x0 - marker.x1 > 8 * marker.size || is_figure(text.text)) continue;
      text.text = marker.text + " " + text.text;
      used[static_cast<std::size_t>(row.cells[i])] = true;

      break;
    }
  }
}

class PageReader {
 public:
  PageReader(Page& page, const RepeatedLines& repeated) : page_(page), repeated_(repeated), used_(page.segments.size(), false) {}

  std::vector<Element> read() {
    take_repeated();
    columns_ = pdf::find_columns(page_);
    pdf::SplitRows rows = pdf::split_rows(page_, free_rows(), columns_);
    for (const auto* part : {&rows.whole, &rows.left, &rows.right}) join_markers(page_, *part, used_);
    rows = pdf::split_rows(page_, free_rows(), columns_);
    add_tables(rows.whole, 0, page_.width);
    add_tables(rows.left, 0, columns_.gutter);
    add_tables(rows.right, columns_.gutter, page_.width);
    add_paragraphs();
    order();
    return std::move(elements_);
  }

 private:
  void take_repeated() {
    for (std::size_t i = 0; i < page_.segments.size(); ++i) {
      const Segment& segment = page_.segments[i];
      std::optional<BlockKind> kind = repeated_.kind(page_, segment);
      if (!kind) continue;
      used_[i] = true;
      Element& element = start(segment);
      element.kind = *kind;
    }
  }

  std::vector<Row> free_rows() const {
    Page free = page_;
    std::vector<int> numbers;
    free.segments.clear();
    for (std::size_t i = 0; i < page_.segments.size(); ++i) {
      if (used_[i]) continue;
      free.segments.push_back(page_.segments[i]);
      numbers.push_back(static_cast<int>(i));
    }
    std::vector<Row> rows = pdf::make_rows(free);
    for (Row& row : rows) {
      for (int& cell : row.cells) cell = numbers[static_cast<std::size_t>(cell)];
    }
    return rows;
  }

  Element& start(const Segment& segment) {
    Element& element = elements_.emplace_back();
    extend(element, segment);
    return element;
  }

  static void extend(Element& element, const Segment& segment) {
    element.lines.push_back(segment);
    element.x0 = std::min(element.x0, segment.x0);
    element.x1 = std::max(element.x1, segment.x1);
    element.y0 = std::min(element.y0, segment.y0);
    element.y1 = std::max(element.y1, segment.y1);
  }

  void add_table(Table table) {
    Element element;
    element.kind = BlockKind::table;
    element.x0 = table.x0, element.x1 = table.x1, element.y0 = table.y0, element.y1 = table.y1;
    element.table = std::move(table);
    elements_.push_back(std::move(element));
  }

  void add_paragraphs() {
    int block = -1;
    for (std::size_t i = 0; i < page_.segments.size(); ++i) {
      const Segment& segment = page_.segments[i];
      if (used_[i]) continue;
      bool joins = segment.block == block && !elements_.empty() && elements_.back().kind == BlockKind::paragraph &&
                   !elements_.back().table && continues(elements_.back(), segment);
      if (joins) extend(elements_.back(), segment);
      else start(segment);
      block = segment.block;
    }
  }

  static bool continues(const Element& element, const Segment& line) {
    const Segment& last = element.lines.back();
    bool ended = ends_sentence(last.text) || last.x1 < element.x1 - 3 * last.size;
    bool bullet = static_cast<unsigned char>(line.text[0]) >= 0x80 && line.text.find(' ') < 5;
    if (is_list_item(line.text) && (ended || bullet)) return false;
    bool same_row = std::fabs(last.centre() - line.centre()) < 0.3 * line.size;
    if (same_row) return true;
    if (line.y0 - last.y1 > 0.9 * line.size) return false;
    if (std::fabs(line.size - last.size) > 0.12 * last.size) return false;
    // a bold line over plain text is its heading
    if (last.bold && !line.bold && element.lines.size() <= 2) return false;
    // an indented line begins a paragraph, where the line above ends before the margin or at a stop
    bool indented = line.x0 > element.x0 + 1.2 * line.size && element.lines.size() > 1;
    return !indented || !ends_sentence(last.text);
  }

  void add_tables(const std::vector<Row>& rows, double x0, double x1) {
    for (Table& table : pdf::find_tables(page_, rows, x0, x1, used_)) add_table(std::move(table));
  }

  // From top to bottom; where there are columns, the left one before the right one.
  void order() {
    std::stable_sort(elements_.begin(), elements_.end(), [](const Element& a, const Element& b) { return std::tie(a.y0, a.x0) < std::tie(b.y0, b.x0); });
    if (!columns_.any()) return;
    std::vector<Element> ordered, left, right;
    auto flush = [&] {
      for (auto* side : {&left, &right}) {
        std::move(side->begin(), side->end(), std::back_inserter(ordered));
        side->clear();
      }
    };
    for (Element& element : elements_) {
      bool spans = element.x0 < columns_.gutter - 3 && element.x1 > columns_.gutter + 3;
      bool in_column = !spans && columns_.at((element.y0 + element.y1) / 2);
      // what stands between two zones ends the columns above it
      if (!in_column) flush();
      std::vector<Element>& side = !in_column ? ordered : element.x1 <= columns_.gutter + 3 ? left : right;
      side.push_back(std::move(element));
    }
    flush();
    elements_ = std::move(ordered);
  }

  Page& page_;
  const RepeatedLines& repeated_;
  std::vector<bool> used_;
  pdf::Columns columns_;
  std::vector<Element> elements_;
};

double rounded_size(double size) { return std::round(size * 2) / 2; }

// The size in which most of the text is set.
double body_size(const std::vector<Page>& pages) {
  std::map<double, std::size_t> sizes;
  for (const Page& page : pages) {
    for (const Segment& segment : page.segments) sizes[rounded_size(segment.size)] += segment.text.size();
  }
  double best = 10;
  std::size_t most = 0;
  for (auto [size, count] : sizes) {
    if (count > most) best = size, most = count;
  }
  return best;
}

class Assembler {
 public:
  Assembler(const pdf::Layout& layout, Builder& builder)
      : builder_(builder), joiner_(words_of(layout.pages)), body_size_(body_size(layout.pages)) {}

  void add(const Page& page, std::vector<Element>& elements) {
    for (Element& element : elements) {
      if (element.table) add_table(std::move(*element.table));
      else add_text(page, element);
    }
  }

 private:
  void add_table(Table table) {
    for (std::string& caption : table.captions) {
      Block block;
      block.kind = BlockKind::caption;
      block.text = std::move(caption);
      block.page = table.boxes.front().page;
      block.boxes = {table.boxes.front()};
      builder_.add(std::move(block));
    }
    Block block;
    block.kind = BlockKind::table;
    block.page = table.boxes.front().page;
    block.rows = std::move(table.rows);
    block.header_rows = table.header_rows;
    block.boxes = std::move(table.boxes);
    builder_.add(std::move(block));
  }

  void add_text(const Page& page, const Element& element) {
    Block block;
    block.text = clean_line(joiner_.join(element.lines));
    block.page = page.number;
    block.boxes = {{page.number, element.x0, element.y0, element.x1, element.y1, page.width, page.height}};
    block.kind = element.kind;
    if (element.kind == BlockKind::paragraph) classify(element, block);
    builder_.add(std::move(block));
  }

  void classify(const Element& element, Block& block) const {
    if (pdf::is_units_line(block.text)) {
      block.kind = BlockKind::caption;
      return;
    }
    double size = rounded_size(element.lines.front().size);
    bool bold = std::all_of(element.lines.begin(), element.lines.end(), [](const Segment& line) { return line.bold; });
    int level = heading_level(block.text, element.lines.size(), size / body_size_, bold);
    if (level > 0) {
      block.kind = BlockKind::heading;
      block.level = level;
    } else if (is_list_item(block.text)) {
      block.kind = BlockKind::list_item;
      block.level = 1;
    }
  }

  Builder& builder_;
  LineJoiner joiner_;
  double body_size_;
};

void warn_of_empty(Builder& builder, const std::vector<int>& pages) {
  constexpr std::size_t max_named = 20;
  for (std::size_t i = 0; i < pages.size() && i < max_named; ++i) builder.warn(fmt::format("page {} has no text (a scan?)", pages[i]));
  if (pages.size() > max_named) builder.warn(fmt::format("{} more pages have no text (scans?)", pages.size() - max_named));
}

}  // namespace

Result<Reading> read_pdf_layout(std::string_view layout_text, std::string_view fonts, const Limits& limits) {
  pdf::Layout layout = HENG_TRY(pdf::read_layout(layout_text, fonts, limits));
  Builder builder(limits);
  RepeatedLines repeated(layout.pages);
  Assembler assembler(layout, builder);
  std::vector<int> empty;
  for (Page& page : layout.pages) {
    std::vector<Element> elements = PageReader(page, repeated).read();
    if (elements.empty()) empty.push_back(page.number);
    assembler.add(page, elements);
  }
  warn_of_empty(builder, empty);
  builder.document().title = layout.title;
  builder.document().pages = static_cast<int>(layout.pages.size());
  return builder.take(Format::pdf);
}

}  // namespace heng::formats
