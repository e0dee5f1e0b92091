#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <list>
#include <map>
#include <set>

#include "docx_styles.h"
#include "grid.h"
#include "headings.h"
#include "heng/base/text.h"
#include "ooxml.h"
#include "readers.h"

namespace heng::formats {
namespace {

using namespace ooxml;
using pugi::xml_node;

// What a run of text gives besides its words.
struct Paragraph {
  std::string text;
  std::vector<std::string> notes;        // ids of footnotes and endnotes
  std::vector<xml_node> text_boxes;
};

class DocxReader {
 public:
  DocxReader(Package& package, Builder& builder) : package_(package), builder_(builder) {}

  void read() {
    std::string main = package_.main_part("word/document.xml");
    pugi::xml_document document;
    if (auto loaded = package_.load(main, document); !loaded) return builder_.fail(loaded.error());
    relationships_ = package_.relationships(main);
    styles_.load(package_, relationships_);
    load_notes("footnotes");
    load_notes("endnotes");
    builder_.document().title = package_.title();
    xml_node body = child(document.document_element(), "body");
    read_margins(body, "headerReference", BlockKind::header);
    read_blocks(body, 0);
    read_margins(body, "footerReference", BlockKind::footer);
  }

 private:
  void load_notes(const char* type) {
    std::string part = target_of(relationships_, type);
    if (part.empty()) return;
    pugi::xml_document& document = note_documents_.emplace_back();
    if (!package_.load(part, document)) {
      builder_.warn(fmt::format("the {} could not be read", type));
      return;
    }
    for (xml_node note : document.document_element().children()) {
      std::string kind = attribute(note, "type");
      if (kind.empty() || kind == "normal") notes_.emplace(type + attribute(note, "id"), note);
    }
  }

  // Headers and footers of all sections, each once.
  void read_margins(xml_node body, std::string_view reference, BlockKind kind) {
    std::set<std::string> seen;
    for (xml_node node : body.children()) {
      xml_node section = local(node) == "sectPr" ? node : child(child(node, "pPr"), "sectPr");
      for (xml_node entry : section.children()) {
        if (local(entry) != reference) continue;
        auto found = relationships_.find(attribute(entry, "id"));
        if (found == relationships_.end() || found->second.external || !seen.insert(found->second.target).second) continue;
        pugi::xml_document document;
        if (!package_.load(found->second.target, document)) continue;
        std::string text = flat_text(document.document_element(), 0);
        if (seen.insert("text:" + text).second) builder_.add(kind, clean_line(text));
      }
    }
  }

  void read_blocks(xml_node parent, int depth) {
    if (depth > builder_.limits().max_depth) return builder_.too_deep();
    for (xml_node node : parent.children()) {
      if (builder_.failed()) return;
      std::string_view name = local(node);
      if (name == "p") read_paragraph(node, depth);
      else if (name == "tbl") read_table(node, depth);
      else if (name == "sdt") read_blocks(child(node, "sdtContent"), depth + 1);
      else if (name == "customXml" || name == "ins" || name == "moveTo" || name == "smartTag") read_blocks(node, depth + 1);
      else if (name == "AlternateContent") read_blocks(chosen(node), depth + 1);
      else if (name == "oMathPara" || name == "oMath") builder_.add(BlockKind::paragraph, clean_line(math_text(node, 50)));
    }
  }

  static xml_node chosen(xml_node alternate) {
    xml_node choice = child(alternate, "Choice");
    return choice ? choice : child(alternate, "Fallback");
  }

  void read_paragraph(xml_node node, int depth) {
    Paragraph paragraph;
    collect(node, paragraph, 0);
    std::string text = clean_line(paragraph.text);
    docx::ParagraphStyle style = styles_.of(node);
    add_paragraph(std::move(text), style, node);
    for (xml_node box : paragraph.text_boxes) read_blocks(box, depth + 1);
    for (const std::string& id : paragraph.notes) add_note(id);
  }

  void add_paragraph(std::string text, const docx::ParagraphStyle& style, xml_node node) {
    if (text.empty()) return;
    std::string label = styles_.number(style);
    // a rule of typing: a list's own marker is not typed again
    if (!label.empty() && !text.starts_with(label)) text = label + " " + text;
    int level = style.heading_level;
    if (level == 0 && !style.is_list) level = heading_level(text, 1, 1.0, all_bold(node));
    if (style.is_title) {
      if (builder_.document().title.empty()) builder_.document().title = text;
      builder_.add(BlockKind::heading, std::move(text), 1);
    } else if (level > 0) {
      builder_.add(BlockKind::heading, std::move(text), std::min(level, 9));
    } else if (style.is_list) {
      builder_.add(BlockKind::list_item, std::move(text), style.list_level + 1);
    } else if (style.is_caption) {
      builder_.add(BlockKind::caption, std::move(text));
    } else if (style.is_code) {
      builder_.add(BlockKind::code, std::move(text));
    } else {
      builder_.add(is_list_item(text) ? BlockKind::list_item : BlockKind::paragraph, std::move(text));
    }
  }

  void add_note(const std::string& id) {
    auto found = notes_.find(id);
    if (found == notes_.end()) return;
    std::string text = clean_line(flat_text(found->second, 0));
    notes_.erase(found);  // once, however often it is referred to
    if (!text.empty()) builder_.add(BlockKind::paragraph, fmt::format("[note {}] {}", id.substr(id.find_first_of("-0123456789")), text));
  }

  static bool all_bold(xml_node paragraph) {
    bool any = false;
    for (xml_node run : paragraph.children()) {
      if (local(run) != "r" || !child(run, "t")) continue;
      if (!is_on(child(child(run, "rPr"), "b"))) return false;
      any = true;
    }
    return any;
  }

  // Words of a paragraph, in order.
  void collect(xml_node parent, Paragraph& out, int depth) {
    if (depth > builder_.limits().max_depth) return builder_.too_deep();
    for (xml_node node : parent.children()) {
      std::string_view name = local(node);
      if (name == "t") out.text += node.text().get();
      else if (name == "tab" || name == "ptab" || name == "br" || name == "cr") out.text += ' ';
      else if (name == "noBreakHyphen") out.text += '-';
      else if (name == "footnoteReference") refer(node, "footnotes", out);
      else if (name == "endnoteReference") refer(node, "endnotes", out);
      else if (name == "txbxContent") out.text_boxes.push_back(node);
      else if (name == "oMath" || name == "oMathPara") out.text += math_text(node, 50);
      else if (name == "AlternateContent") collect(chosen(node), out, depth + 1);
      else if (name == "del" || name == "moveFrom" || name == "instrText" || name == "pPr" || name == "rPr" || name == "delText") continue;
      else collect(node, out, depth + 1);
    }
  }

  static void refer(xml_node node, const char* type, Paragraph& out) {
    std::string id = attribute(node, "id");
    out.text += fmt::format(" [note {}]", id);
    out.notes.push_back(type + id);
  }

  // Everything in an element as one text: cells of nested tables, notes, headers.
  std::string flat_text(xml_node parent, int depth) {
    if (depth > builder_.limits().max_depth) {
      builder_.too_deep();
      return "";
    }
    std::string out;
    auto add = [&](const std::string& text, std::string_view separator) {
      if (text.empty()) return;
      if (!out.empty()) out += separator;
      out += text;
    };
    for (xml_node node : parent.children()) {
      std::string_view name = local(node);
      if (name == "p") {
        Paragraph paragraph;
        collect(node, paragraph, 0);
        std::string label = styles_.number(styles_.of(node));
        add(clean_line(label.empty() ? paragraph.text : label + " " + paragraph.text), " ");
        for (xml_node box : paragraph.text_boxes) add(flat_text(box, depth + 1), " ");
      } else if (name == "tr") {
        add(flat_text(node, depth + 1), "; ");
      } else if (name == "tc") {
        add(flat_text(node, depth + 1), " | ");
      } else if (name != "tcPr" && name != "tblPr" && name != "sectPr" && name != "tblGrid") {
        add(flat_text(node, depth + 1), " ");
      }
    }
    return out;
  }

  void read_table(xml_node table, int depth) {
    Grid grid(builder_.limits().max_cells);
    read_rows(table, grid, depth);
    grid.emit(builder_);
  }

  void read_rows(xml_node parent, Grid& grid, int depth) {
    if (depth > builder_.limits().max_depth) return builder_.too_deep();
    for (xml_node row : parent.children()) {
      std::string_view name = local(row);
      if (name == "sdt") read_rows(child(row, "sdtContent"), grid, depth + 1);
      if (name == "ins" || name == "customXml") read_rows(row, grid, depth + 1);
      if (name != "tr" || builder_.failed()) continue;
      grid.start_row();
      if (is_on(child(child(row, "trPr"), "tblHeader"))) grid.mark_header();
      for (int i = integer(attribute(child(child(row, "trPr"), "gridBefore"), "val"), 0); i > 0 && i < 64; --i) grid.add_cell("", 1, 1, false);
      read_cells(row, grid, depth);
    }
  }

  void read_cells(xml_node parent, Grid& grid, int depth) {
    if (depth > builder_.limits().max_depth) return builder_.too_deep();
    for (xml_node cell : parent.children()) {
      if (local(cell) == "sdt") read_cells(child(cell, "sdtContent"), grid, depth + 1);
      if (local(cell) != "tc") continue;
      xml_node properties = child(cell, "tcPr");
      int columns = std::clamp(integer(attribute(child(properties, "gridSpan"), "val"), 1), 1, 200);
      xml_node merge = child(properties, "vMerge");
      if (merge && attribute(merge, "val") != "restart") grid.continue_cell(columns);
      else grid.add_cell(clean_line(flat_text(cell, depth + 1)), columns, 1, false);
    }
  }

  Package& package_;
  Builder& builder_;
  Relationships relationships_;
  docx::Styles styles_;
  std::list<pugi::xml_document> note_documents_;  // nodes point into them
  std::map<std::string, xml_node> notes_;
};

}  // namespace

void read_docx(std::string_view bytes, Builder& builder) {
  auto package = Package::open(bytes, builder.limits());
  if (!package) return builder.fail(package.error());
  DocxReader(*package, builder).read();
}

}  // namespace heng::formats
