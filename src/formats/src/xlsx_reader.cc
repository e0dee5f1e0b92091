#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <vector>

#include "heng/base/text.h"
#include "number_format.h"
#include "ooxml.h"
#include "pdf_table.h"
#include "readers.h"

namespace heng::formats {
namespace {

using namespace ooxml;
using pugi::xml_node;

constexpr int max_row = 1'048'576, max_column = 16'384;
constexpr std::size_t max_merged_cells = 200'000;

struct Reference {
  int row = 0, column = 0;  // from 1
};

Reference parse_reference(std::string_view text) {
  Reference place;
  std::size_t i = 0;
  for (; i < text.size() && text[i] >= 'A' && text[i] <= 'Z' && place.column <= max_column; ++i) place.column = place.column * 26 + (text[i] - 'A' + 1);
  for (; i < text.size() && text[i] >= '0' && text[i] <= '9' && place.row <= max_row; ++i) place.row = place.row * 10 + (text[i] - '0');
  if (i != text.size() || place.column > max_column || place.row > max_row) return {};
  return place;
}

using Row = std::map<int, std::string>;      // column → shown text
using Sheet = std::map<int, Row>;            // row → cells

class XlsxReader {
 public:
  XlsxReader(Package& package, Builder& builder) : package_(package), builder_(builder) {}

  void read() {
    std::string main = package_.main_part("xl/workbook.xml");
    pugi::xml_document workbook;
    if (auto loaded = package_.load(main, workbook); !loaded) return builder_.fail(loaded.error());
    Relationships relationships = package_.relationships(main);
    load_strings(target_of(relationships, "sharedStrings"));
    load_styles(target_of(relationships, "styles"));
    xml_node properties = child(workbook.document_element(), "workbookPr");
    std::string epoch = attribute(properties, "date1904");
    date_1904_ = epoch == "1" || epoch == "true";
    builder_.document().title = package_.title();
    int number = 0;
    for (xml_node sheet : child(workbook.document_element(), "sheets").children()) {
      if (local(sheet) != "sheet" || builder_.failed()) continue;
      ++number;
      std::string id;
      for (pugi::xml_attribute attribute : sheet.attributes()) {
        if (local(attribute) == "id") id = attribute.value();
      }
      auto found = relationships.find(id);
      if (found == relationships.end() || found->second.type != "worksheet") continue;
      read_sheet(clean_line(attribute(sheet, "name")), number, found->second.target);
    }
    builder_.document().pages = number;
  }

 private:
  static std::string rich_text(xml_node item) {
    std::string out;
    for (xml_node node : item.children()) {
      if (local(node) == "t") out += node.text().get();
      else if (local(node) == "r") out += child(node, "t").text().get();
    }
    return out;
  }

  void load_strings(const std::string& part) {
    pugi::xml_document document;
    if (part.empty() || !package_.has(part)) return;
    if (auto loaded = package_.load(part, document); !loaded) return builder_.fail(loaded.error());
    for (xml_node item : document.document_element().children()) {
      if (local(item) == "si") strings_.push_back(clean_line(rich_text(item)));
    }
  }

  void load_styles(const std::string& part) {
    pugi::xml_document document;
    if (part.empty() || !package_.has(part) || !package_.load(part, document)) return;
    std::map<int, std::string> formats;
    for (xml_node format : child(document.document_element(), "numFmts").children()) {
      formats[integer(attribute(format, "numFmtId"), 0)] = attribute(format, "formatCode");
    }
    for (xml_node style : child(document.document_element(), "cellXfs").children()) {
      int id = integer(attribute(style, "numFmtId"), 0);
      auto own = formats.find(id);
      styles_.emplace_back(own != formats.end() ? own->second : std::string(built_in_format(id)));
    }
  }

  std::string shown(xml_node cell) const {
    std::string type = attribute(cell, "t");
    if (type == "inlineStr") return clean_line(rich_text(child(cell, "is")));
    std::string value = child(cell, "v").text().get();
    if (value.empty()) return "";
    if (type == "s") {
      int index = integer(value, -1);
      bool known = index >= 0 && static_cast<std::size_t>(index) < strings_.size();
      return known ? strings_[static_cast<std::size_t>(index)] : "";
    }
    if (type == "b") return value == "1" ? "TRUE" : "FALSE";
    if (type == "str" || type == "e" || type == "d") return clean_line(value);
    char* end = nullptr;
    double number = std::strtod(value.c_str(), &end);
    if (end == value.c_str()) return clean_line(value);
    std::size_t style = static_cast<std::size_t>(std::max(integer(attribute(cell, "s"), 0), 0));
    return clean_line(format_number(number, style < styles_.size() ? styles_[style] : "General", date_1904_));
  }

  void read_sheet(const std::string& name, int number, const std::string& part) {
    pugi::xml_document document;
    if (auto loaded = package_.load(part, document); !loaded) {
      if (loaded.error().code == ErrorCode::too_large) return builder_.fail(loaded.error());
      return builder_.warn(fmt::format("sheet {}: {}", name, loaded.error().message));
    }
    builder_.place(number, name);
    Sheet sheet;
    std::size_t cells = 0;
    int row_number = 0;
    for (xml_node row : child(document.document_element(), "sheetData").children()) {
      if (local(row) != "row") continue;
      row_number = std::clamp(integer(attribute(row, "r"), row_number + 1), 1, max_row);
      int column = 0;
      for (xml_node cell : row.children()) {
        if (local(cell) != "c") continue;
        Reference place = parse_reference(attribute(cell, "r"));
        column = place.column > 0 ? place.column : column + 1;
        std::string text = shown(cell);
        if (text.empty()) continue;
        if (++cells > builder_.limits().max_cells) {
          return builder_.fail(Error(ErrorCode::too_large, fmt::format("sheet {} has more than {} cells; split it", name, builder_.limits().max_cells)));
        }
        sheet[row_number][column] = std::move(text);
      }
    }
    repeat_merged(document, sheet);
    std::size_t before = builder_.document().blocks.size();
    builder_.add(BlockKind::heading, name, 1);
    emit(sheet);
    if (builder_.document().blocks.size() == before + 1 && !builder_.failed()) builder_.document().blocks.pop_back();
  }

  // The text of merged cells stands in each of them, except where they span a whole row of the table.
  void repeat_merged(const pugi::xml_document& document, Sheet& sheet) {
    std::size_t filled = 0;
    for (xml_node merge : child(document.document_element(), "mergeCells").children()) {
      std::string range = attribute(merge, "ref");
      std::size_t colon = range.find(':');
      if (colon == std::string::npos) continue;
      Reference from = parse_reference(std::string_view(range).substr(0, colon)), to = parse_reference(std::string_view(range).substr(colon + 1));
      if (from.row == 0 || to.row == 0) continue;
      auto row = sheet.find(from.row);
      if (row == sheet.end() || !row->second.contains(from.column)) continue;
      std::string text = row->second[from.column];
      bool title = std::all_of(row->second.begin(), row->second.end(), [&](const auto& cell) { return cell.first == from.column; });
      if (title && to.row == from.row) continue;
      for (int r = from.row; r <= to.row; ++r) {
        if (r != from.row && !sheet.contains(r)) continue;
        for (int c = from.column; c <= to.column && ++filled < max_merged_cells; ++c) sheet[r].try_emplace(c, text);
      }
    }
  }

  // Rows without gaps between them are one table; rows of one cell above and below it are its title, units and notes.
  void emit(const Sheet& sheet) {
    std::vector<const Row*> group;
    int last = 0;
    for (const auto& [number, row] : sheet) {
      if (!group.empty() && number > last + 1 && (number > last + 2 || starts_new(group, row))) {
        emit_group(group);
        group.clear();
      }
      group.push_back(&row);
      last = number;
    }
    emit_group(group);
  }

  static bool starts_new(const std::vector<const Row*>& group, const Row& row) {
    std::size_t figures = 0;
    for (const auto& [column, text] : row) figures += is_figure(text) && !is_year(text);
    return figures == 0 || group.size() < 2 || group.back()->size() < 2;
  }

  void emit_group(std::vector<const Row*> group) {
    while (!group.empty() && group.front()->size() == 1) {
      const std::string& text = group.front()->begin()->second;
      bool units = pdf::is_units_line(text);
      bool title = !units && text.size() < 120 && group.size() > 1 && !is_figure(text);
      builder_.add(units ? BlockKind::caption : title ? BlockKind::heading : BlockKind::paragraph, text, title ? 2 : 0);
      group.erase(group.begin());
      // a single column is a list of its own
      if (std::all_of(group.begin(), group.end(), [](const Row* row) { return row->size() == 1; })) break;
    }
    std::vector<const Row*> notes;
    while (!group.empty() && group.back()->size() == 1 && group.back()->begin()->second.size() > 20) {
      notes.insert(notes.begin(), group.back());
      group.pop_back();
    }
    emit_table(group);
    for (const Row* note : notes) builder_.add(BlockKind::paragraph, note->begin()->second);
  }

  void emit_table(const std::vector<const Row*>& group) {
    if (group.empty()) return;
    std::map<int, std::size_t> columns;
    for (const Row* row : group) {
      for (const auto& [column, text] : *row) columns.emplace(column, 0);
    }
    std::size_t count = 0;
    for (auto& [column, index] : columns) index = count++;
    if (count * group.size() > builder_.limits().max_cells * 4) {
      return builder_.fail(Error(ErrorCode::too_large, "a table has more cells than is allowed; split it"));
    }
    Block block;
    block.kind = BlockKind::table;
    for (const Row* row : group) {
      std::vector<std::string>& cells = block.rows.emplace_back(count);
      for (const auto& [column, text] : *row) cells[columns[column]] = text;
    }
    block.header_rows = guess_header_rows(block.rows);
    builder_.add(std::move(block));
  }

  Package& package_;
  Builder& builder_;
  std::vector<std::string> strings_, styles_;
  bool date_1904_ = false;
};

}  // namespace

void read_xlsx(std::string_view bytes, Builder& builder) {
  auto package = Package::open(bytes, builder.limits());
  if (!package) return builder.fail(package.error());
  XlsxReader(*package, builder).read();
}

}  // namespace heng::formats
