#include <cmark-gfm-core-extensions.h>
#include <cmark-gfm-extension_api.h>
#include <cmark-gfm.h>

#include <cstdlib>
#include <memory>
#include <string_view>

#include "charset.h"
#include "heng/base/text.h"
#include "readers.h"

namespace heng::formats {
namespace {

// Walks the tree by events, so that deep nesting costs no stack.
class MarkdownReader {
 public:
  explicit MarkdownReader(Builder& builder) : builder_(builder) {}

  void read(cmark_node* root) {
    std::unique_ptr<cmark_iter, decltype(&cmark_iter_free)> events(cmark_iter_new(root), &cmark_iter_free);
    cmark_event_type event;
    while (!builder_.failed() && (event = cmark_iter_next(events.get())) != CMARK_EVENT_DONE) {
      cmark_node* node = cmark_iter_get_node(events.get());
      if (event == CMARK_EVENT_ENTER) enter(node);
      else leave(node);
    }
  }

 private:
  static std::string literal(cmark_node* node) {
    const char* text = cmark_node_get_literal(node);
    return text == nullptr ? "" : text;
  }

  // Tables are an extension: their types have names only.
  static bool is(cmark_node* node, std::string_view type) { return cmark_node_get_type_string(node) == type; }

  void enter(cmark_node* node) {
    cmark_node_type type = cmark_node_get_type(node);
    if (type == CMARK_NODE_ITEM) {
      ++list_depth_;
      if (cmark_node_get_list_type(cmark_node_parent(node)) == CMARK_ORDERED_LIST) {
        int number = cmark_node_get_list_start(cmark_node_parent(node));
        // counting siblings each time would be quadratic
        if (cmark_node_previous(node) != nullptr && !numbers_.empty()) number = ++numbers_.back();
        else numbers_.push_back(number);
        marker_ = std::to_string(number) + ". ";
      }
    } else if (type == CMARK_NODE_CODE_BLOCK) {
      builder_.add(BlockKind::code, clean_code(literal(node)));
    } else if (type == CMARK_NODE_TEXT || type == CMARK_NODE_CODE) {
      text_ += literal(node);
    } else if (type == CMARK_NODE_SOFTBREAK || type == CMARK_NODE_LINEBREAK) {
      text_ += ' ';
    } else if (is(node, "table")) {
      table_ = Block();
      table_.kind = BlockKind::table;
    } else if (is(node, "table_row") || is(node, "table_header")) {
      table_.rows.emplace_back();
      if (cmark_gfm_extensions_get_table_row_is_header(node) != 0) ++table_.header_rows;
    } else if (is(node, "table_cell") || type == CMARK_NODE_PARAGRAPH || type == CMARK_NODE_HEADING) {
      text_.clear();
    }
  }

  void leave(cmark_node* node) {
    cmark_node_type type = cmark_node_get_type(node);
    if (type == CMARK_NODE_HEADING) {
      int level = cmark_node_get_heading_level(node);
      if (builder_.document().title.empty() && level == 1) builder_.document().title = text_;
      builder_.add(BlockKind::heading, clean_line(text_), level);
    } else if (type == CMARK_NODE_PARAGRAPH) {
      bool item = list_depth_ > 0;
      builder_.add(item ? BlockKind::list_item : BlockKind::paragraph, clean_line(marker_ + text_), list_depth_ > 100 ? 100 : list_depth_);
      marker_.clear();
    } else if (is(node, "table_cell")) {
      if (!table_.rows.empty()) table_.rows.back().push_back(clean_line(text_));
    } else if (is(node, "table")) {
      builder_.add(std::move(table_));
      table_ = Block();
    } else if (type == CMARK_NODE_ITEM) {
      --list_depth_;
    } else if (type == CMARK_NODE_LIST && cmark_node_get_list_type(node) == CMARK_ORDERED_LIST && !numbers_.empty()) {
      numbers_.pop_back();
    }
  }

  static std::string clean_code(std::string code) {
    while (!code.empty() && code.back() == '\n') code.pop_back();
    return text::replace_invalid_utf8(code);
  }

  Builder& builder_;
  std::string text_, marker_;
  std::vector<int> numbers_;
  Block table_;
  int list_depth_ = 0;
};

// "---\ntitle: …\n---" at the top, as static site programs write it.
std::string_view take_front_matter(std::string_view text, ParsedDocument& document) {
  if (!text.starts_with("---\n") && !text.starts_with("---\r\n")) return text;
  std::size_t end = text.find("\n---", 4);
  if (end == std::string_view::npos || end > 8192) return text;
  for (std::string_view line : text::split(text.substr(4, end - 4), '\n')) {
    if (!line.starts_with("title:")) continue;
    std::string_view title = text::trim(line.substr(6));
    if (title.size() > 1 && (title[0] == '"' || title[0] == '\'')) title = title.substr(1, title.size() - 2);
    document.title = title;
  }
  std::size_t after = text.find('\n', end + 1);
  return after == std::string_view::npos ? "" : text.substr(after + 1);
}

}  // namespace

void read_markdown(std::string_view bytes, Builder& builder) {
  std::string utf8 = to_utf8(bytes, "");
  std::string_view text = take_front_matter(utf8, builder.document());
  cmark_gfm_core_extensions_ensure_registered();
  std::unique_ptr<cmark_parser, decltype(&cmark_parser_free)> parser(cmark_parser_new(CMARK_OPT_DEFAULT), &cmark_parser_free);
  for (const char* name : {"table", "strikethrough", "autolink"}) {
    cmark_parser_attach_syntax_extension(parser.get(), cmark_find_syntax_extension(name));
  }
  cmark_parser_feed(parser.get(), text.data(), text.size());
  std::unique_ptr<cmark_node, decltype(&cmark_node_free)> root(cmark_parser_finish(parser.get()), &cmark_node_free);
  MarkdownReader(builder).read(root.get());
}

}  // namespace heng::formats
