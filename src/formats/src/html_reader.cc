#include <libxml/HTMLparser.h>
#include <libxml/tree.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <vector>

#include "charset.h"
#include "grid.h"
#include "heng/base/text.h"
#include "readers.h"

namespace heng::formats {
namespace {

constexpr int max_span = 200;

std::string_view name_of(const xmlNode* node) {
  return node->name == nullptr ? "" : reinterpret_cast<const char*>(node->name);
}

template <std::size_t N>
bool one_of(std::string_view name, const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string attribute(xmlNode* node, const char* name) {
  xmlChar* value = xmlGetProp(node, reinterpret_cast<const xmlChar*>(name));
  std::string text = value == nullptr ? "" : reinterpret_cast<char*>(value);
  xmlFree(value);
  return text;
}

int span(xmlNode* node, const char* name) {
  std::string text = attribute(node, name);
  int value = 1;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return std::clamp(value, 1, max_span);
}

bool is_hidden(xmlNode* node) {
  std::string style = text::lower(text::replace_invalid_utf8(attribute(node, "style")));
  std::erase(style, ' ');
  return style.find("display:none") != std::string::npos || xmlHasProp(node, reinterpret_cast<const xmlChar*>("hidden")) != nullptr;
}

constexpr std::array<std::string_view, 16> skipped = {"script", "style", "nav", "noscript", "template", "svg", "iframe", "object",
                                                      "select", "button", "canvas", "audio", "video", "ix:header", "math", "form-controls"};
constexpr std::array<std::string_view, 27> blocks = {"p", "div", "section", "article", "main", "header", "footer", "aside", "blockquote", "dl", "dt",
                                                     "dd", "ul", "ol", "li", "figure", "figcaption", "address", "hr", "body", "form", "fieldset",
                                                     "center", "table", "pre", "details", "summary"};

// Walks the tree by steps, not by calls: nesting costs no stack.
class HtmlReader {
 public:
  explicit HtmlReader(Builder& builder) : builder_(builder) {}

  void read(xmlNode* root) {
    xmlNode* node = root;
    while (node != nullptr && !builder_.failed()) {
      if (enter(node) && node->children != nullptr) {
        node = node->children;
        continue;
      }
      leave(node);
      while (node != root && node->next == nullptr) {
        node = node->parent;
        leave(node);
      }
      if (node == root) break;
      node = node->next;
    }
    flush();
  }

 private:
  bool in_table() const { return !tables_.empty(); }

  // False where the children are not to be read.
  bool enter(xmlNode* node) {
    if (node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE) {
      if (node->content != nullptr) text_ += reinterpret_cast<const char*>(node->content);
      return false;
    }
    if (node->type != XML_ELEMENT_NODE && node->type != XML_HTML_DOCUMENT_NODE) return false;
    std::string_view name = name_of(node);
    if (name == "head") {
      find_title(node);
      return false;
    }
    if (one_of(name, skipped) || is_hidden(node)) return false;
    if (name == "br") text_ += pre_depth_ > 0 ? '\n' : ' ';
    if (name == "input") return false;
    if (is_heading(name) && !in_table()) flush();
    if (one_of(name, blocks)) separate();
    if (name == "footer") ++footer_depth_;
    if (name == "pre") ++pre_depth_;
    if (name == "ul" || name == "ol") lists_.push_back({name == "ol", 0});
    if (name == "li") start_item();
    if (name == "table") start_table();
    if (name == "tr" && in_table()) tables_.back().start_row();
    if ((name == "td" || name == "th") && in_table()) {
      text_.clear();
      tables_.back().start_cell(span(node, "colspan"), span(node, "rowspan"), name == "th" || in_thead_);
    }
    if (name == "thead") in_thead_ = true;
    return true;
  }

  void leave(xmlNode* node) {
    if (node->type != XML_ELEMENT_NODE) return;
    std::string_view name = name_of(node);
    if (one_of(name, skipped) || name == "head" || is_hidden(node)) return;
    if (is_heading(name) && !in_table()) {
      builder_.add(BlockKind::heading, clean_line(text_), name[1] - '0');
      text_.clear();
    } else if (name == "pre") {
      end_pre();
    } else if (name == "figcaption" || (name == "caption" && tables_.size() == 1)) {
      builder_.add(BlockKind::caption, clean_line(text_));
      text_.clear();
    } else if (name == "td" || name == "th") {
      end_cell();
    } else if (name == "table") {
      end_table();
    } else if (one_of(name, blocks)) {
      separate();
    }
    if (name == "thead") in_thead_ = false;
    if (name == "footer") --footer_depth_;
    if ((name == "ul" || name == "ol") && !lists_.empty()) lists_.pop_back();
  }

  static bool is_heading(std::string_view name) { return name.size() == 2 && name[0] == 'h' && name[1] >= '1' && name[1] <= '6'; }

  void find_title(xmlNode* head) {
    for (xmlNode* child = head->children; child != nullptr; child = child->next) {
      if (name_of(child) != "title" || child->children == nullptr || child->children->content == nullptr) continue;
      builder_.document().title = clean_line(reinterpret_cast<const char*>(child->children->content));
    }
  }

  // Between blocks: a paragraph's end outside tables, white space inside them.
  void separate() {
    if (in_table()) text_ += ' ';
    else if (pre_depth_ == 0) flush();
  }

  void flush() {
    std::string text = clean_line(text_);
    text_.clear();
    if (text.empty()) return;
    BlockKind kind = footer_depth_ > 0 ? BlockKind::footer : item_ ? BlockKind::list_item : BlockKind::paragraph;
    builder_.add(kind, marker_ + text, kind == BlockKind::list_item ? static_cast<int>(std::clamp<std::size_t>(lists_.size(), 1, 100)) : 0);
    marker_.clear();
    item_ = false;
  }

  void start_item() {
    item_ = !in_table();
    if (!lists_.empty() && lists_.back().ordered) marker_ = in_table() ? "" : std::to_string(++lists_.back().number) + ". ";
    else marker_.clear();
  }

  void end_pre() {
    --pre_depth_;
    if (in_table()) return;
    std::string code = text::replace_invalid_utf8(text_);
    text_.clear();
    while (!code.empty() && (code.back() == '\n' || code.back() == ' ' || code.back() == '\r')) code.pop_back();
    builder_.add(BlockKind::code, std::move(code));
  }

  void start_table() {
    // a table inside a cell is read as its text
    if (!in_table()) tables_.emplace_back(builder_.limits().max_cells);
    ++table_depth_;
    if (table_depth_ > 1) nested_cells_.push_back(text_);
  }

  void end_cell() {
    if (table_depth_ > 1) return;
    if (in_table()) tables_.back().end_cell(clean_line(text_));
    text_.clear();
  }

  void end_table() {
    if (table_depth_ == 0 || --table_depth_ > 0) {
      if (!nested_cells_.empty()) {
        text_ = nested_cells_.back() + " " + text_;
        nested_cells_.pop_back();
      }
      return;
    }
    Grid grid = std::move(tables_.back());
    tables_.clear();
    grid.emit(builder_);
    text_.clear();
  }

  struct List {
    bool ordered;
    int number;
  };

  Builder& builder_;
  std::string text_, marker_;
  std::vector<List> lists_;
  std::vector<Grid> tables_;
  std::vector<std::string> nested_cells_;
  int table_depth_ = 0, pre_depth_ = 0, footer_depth_ = 0;
  bool item_ = false, in_thead_ = false;
};

std::string declared_charset(std::string_view bytes) {
  std::string start = text::lower(text::replace_invalid_utf8(bytes.substr(0, 4096)));
  std::size_t at = start.find("charset=");
  if (at == std::string::npos) return "";
  at += 8;
  while (at < start.size() && (start[at] == '"' || start[at] == '\'' || start[at] == ' ')) ++at;
  std::size_t end = start.find_first_of("\"' ;/>", at);
  return end == std::string::npos ? "" : start.substr(at, end - at);
}

}  // namespace

void read_html(std::string_view bytes, Builder& builder) {
  std::string utf8 = to_utf8(bytes, declared_charset(bytes));
  std::erase(utf8, '\0');
  // without XML_PARSE_HUGE what is nested deeper than 256 levels would be dropped silently; this reader needs no stack for it
  constexpr int options = int{XML_PARSE_HUGE} | HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET | HTML_PARSE_COMPACT;
  std::unique_ptr<xmlDoc, decltype(&xmlFreeDoc)> document(
      htmlReadMemory(utf8.data(), static_cast<int>(utf8.size()), nullptr, "UTF-8", options), &xmlFreeDoc);
  xmlNode* root = document ? xmlDocGetRootElement(document.get()) : nullptr;
  if (root == nullptr) {
    builder.fail(Error(ErrorCode::malformed_input, "the HTML has no content that can be read; save the page again"));
    return;
  }
  HtmlReader(builder).read(root);
}

}  // namespace heng::formats
