#include <fmt/format.h>

#include <algorithm>

#include "grid.h"
#include "heng/base/text.h"
#include "ooxml.h"
#include "readers.h"

namespace heng::formats {
namespace {

using namespace ooxml;
using pugi::xml_node;

class PptxReader {
 public:
  PptxReader(Package& package, Builder& builder) : package_(package), builder_(builder) {}

  void read() {
    std::string main = package_.main_part("ppt/presentation.xml");
    pugi::xml_document document;
    if (auto loaded = package_.load(main, document); !loaded) return builder_.fail(loaded.error());
    Relationships relationships = package_.relationships(main);
    builder_.document().title = package_.title();
    int number = 0;
    for (xml_node id : child(document.document_element(), "sldIdLst").children()) {
      if (builder_.failed()) return;
      // the presentation's own id comes first; the relationship's has a namespace prefix
      std::string relationship;
      for (pugi::xml_attribute attribute : id.attributes()) {
        if (local(attribute) == "id" && std::string_view(attribute.name()) != "id") relationship = attribute.value();
      }
      auto found = relationships.find(relationship);
      if (found == relationships.end()) continue;
      read_slide(found->second.target, ++number);
    }
    builder_.document().pages = number;
  }

 private:
  void read_slide(const std::string& part, int number) {
    pugi::xml_document document;
    if (auto loaded = package_.load(part, document); !loaded) {
      builder_.warn(fmt::format("slide {}: {}", number, loaded.error().message));
      return;
    }
    xml_node tree = child(child(document.document_element(), "cSld"), "spTree");
    title_ = title_of(tree);
    std::size_t before = builder_.document().blocks.size();
    builder_.place(number, title_);
    read_shapes(tree, 0);
    read_notes(part);
    if (builder_.document().blocks.size() == before) builder_.warn(fmt::format("slide {} has no text", number));
  }

  static std::string placeholder(xml_node shape) {
    xml_node properties = child(shape, "nvSpPr");
    return attribute(child(child(properties, "nvPr"), "ph"), "type");
  }

  static bool is_title(xml_node shape) {
    std::string type = placeholder(shape);
    return type == "title" || type == "ctrTitle";
  }

  std::string title_of(xml_node tree) {
    for (xml_node shape : tree.children()) {
      if (local(shape) != "sp" || !is_title(shape)) continue;
      std::string text;
      for (xml_node paragraph : child(shape, "txBody").children()) text += paragraph_text(paragraph, 0) + " ";
      return clean_line(text);
    }
    return "";
  }

  void read_shapes(xml_node tree, int depth) {
    if (depth > builder_.limits().max_depth) return builder_.too_deep();
    for (xml_node shape : tree.children()) {
      if (builder_.failed()) return;
      std::string_view name = local(shape);
      if (name == "sp") read_shape(shape);
      else if (name == "grpSp") read_shapes(shape, depth + 1);
      else if (name == "graphicFrame") read_frame(shape);
      else if (name == "AlternateContent") read_shapes(child(shape, "Choice") ? child(shape, "Choice") : child(shape, "Fallback"), depth + 1);
    }
  }

  void read_shape(xml_node shape) {
    std::string type = placeholder(shape);
    if (is_title(shape)) {
      builder_.add(BlockKind::heading, title_, 1);
      return;
    }
    bool margin = type == "ftr" || type == "dt" || type == "sldNum" || type == "hdr";
    bool body = type == "body" || type == "obj" || (type.empty() && child(child(child(shape, "nvSpPr"), "nvPr"), "ph"));
    for (xml_node paragraph : child(shape, "txBody").children()) {
      if (local(paragraph) != "p") continue;
      std::string text = clean_line(paragraph_text(paragraph, 0));
      xml_node properties = child(paragraph, "pPr");
      int level = std::clamp(integer(attribute(properties, "lvl"), 0), 0, 8) + 1;
      bool bullet = (child(properties, "buChar") || child(properties, "buAutoNum") || body) && !child(properties, "buNone");
      if (margin) builder_.add(BlockKind::footer, std::move(text));
      else if (type == "subTitle") builder_.add(BlockKind::heading, std::move(text), 2);
      else if (bullet) builder_.add(BlockKind::list_item, std::move(text), level);
      else builder_.add(BlockKind::paragraph, std::move(text));
    }
  }

  std::string paragraph_text(xml_node parent, int depth) {
    if (depth > builder_.limits().max_depth) return "";
    std::string out;
    for (xml_node node : parent.children()) {
      std::string_view name = local(node);
      if (name == "t") out += node.text().get();
      else if (name == "br" || name == "tab") out += ' ';
      else if (name == "oMath" || name == "oMathPara") out += math_text(node, 50);
      else if (name != "pPr" && name != "rPr" && name != "endParaRPr") out += paragraph_text(node, depth + 1);
    }
    return out;
  }

  void read_frame(xml_node frame) {
    xml_node table = child(child(child(frame, "graphic"), "graphicData"), "tbl");
    if (!table) return;
    Grid grid(builder_.limits().max_cells);
    bool first_row = attribute(child(table, "tblPr"), "firstRow") == "1";
    for (xml_node row : table.children()) {
      if (local(row) != "tr") continue;
      grid.start_row();
      if (first_row) grid.mark_header();
      first_row = false;
      for (xml_node cell : row.children()) {
        // merged cells stand in the grid as empty ones marked as such
        if (local(cell) != "tc" || attribute(cell, "hMerge") == "1" || attribute(cell, "vMerge") == "1") continue;
        std::string text;
        for (xml_node paragraph : child(cell, "txBody").children()) text += paragraph_text(paragraph, 0) + " ";
        grid.add_cell(clean_line(text), std::clamp(integer(attribute(cell, "gridSpan"), 1), 1, 200),
                      std::clamp(integer(attribute(cell, "rowSpan"), 1), 1, 1000), false);
      }
    }
    grid.emit(builder_);
  }

  void read_notes(const std::string& slide) {
    std::string part = target_of(package_.relationships(slide), "notesSlide");
    pugi::xml_document document;
    if (part.empty() || !package_.load(part, document)) return;
    for (xml_node shape : child(child(document.document_element(), "cSld"), "spTree").children()) {
      if (local(shape) != "sp" || placeholder(shape) != "body") continue;
      std::string text;
      for (xml_node paragraph : child(shape, "txBody").children()) text += paragraph_text(paragraph, 0) + " ";
      text = clean_line(text);
      if (!text.empty()) builder_.add(BlockKind::paragraph, "[speaker's notes] " + text);
    }
  }

  Package& package_;
  Builder& builder_;
  std::string title_;
};

}  // namespace

void read_pptx(std::string_view bytes, Builder& builder) {
  auto package = Package::open(bytes, builder.limits());
  if (!package) return builder.fail(package.error());
  PptxReader(*package, builder).read();
}

}  // namespace heng::formats
