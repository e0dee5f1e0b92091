#include "heng/knowledge/chunk.h"

#include <algorithm>

#include "chunk_table.h"
#include "folding.h"
#include "heng/base/text.h"
#include "marks.h"

namespace heng::knowledge {
namespace {

constexpr std::size_t longest_heading_bytes = 240;
constexpr std::size_t longest_caption_bytes = 300;

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

struct Heading {
  int level = 0;
  std::string text;
  bool used = false;  // some chunk stands under it
};

class Chunker {
 public:
  Chunker(const ParsedDocument& document, const ChunkSettings& settings) : document_(document), settings_(settings) {}

  std::vector<Chunk> run() {
    for (std::size_t i = 0; i < document_.blocks.size(); ++i) {
      const Block& block = document_.blocks[i];
      if (!block.rows.empty()) {
        table(block);
      } else if (block.kind == BlockKind::heading) {
        heading(block, block.level > 0 ? block.level : 1);
      } else if (marks::chapter(block.text) > 0 && block.text.size() < longest_heading_bytes && block.text.find("。") == std::string::npos) {
        heading(block, block.text.find("节") < 20 ? 4 : 3);
      } else {
        paragraphs(block);
      }
      remember(block);
    }
    flush();
    leave_headings(0);
    return std::move(chunks_);
  }

 private:
  std::string path() const {
    std::string out;
    for (const auto& h : headings_) {
      if (!out.empty()) out += " > ";
      out += h.text;
    }
    return out;
  }

  void heading(const Block& block, int level) {
    std::string text = one_line(block.text);
    if (text.size() > longest_heading_bytes) text.resize(text::complete_utf8_prefix(std::string_view(text).substr(0, longest_heading_bytes)));
    if (open_tokens_ >= settings_.fewest_tokens || (!headings_.empty() && level < headings_.back().level)) flush();
    const bool inside = open_tokens_ > 0;
    leave_headings(level);
    // the document's title is already in front of every chunk
    if (headings_.empty() && level <= 1 && text == document_.title) return;
    headings_.push_back({level, text, inside});
    if (inside) append(text, block, 0, 1, "\n");
  }

  void leave_headings(int level) {
    while (!headings_.empty() && headings_.back().level >= level) {
      const Heading last = headings_.back();
      headings_.pop_back();
      if (!last.used && open_tokens_ == 0) {
        // a heading over nothing (a slide's title) must be found too
        Chunk alone;
        alone.text = last.text;
        alone.heading = path();
        alone.page = alone.page_last = heading_page_;
        if (!alone.text.empty()) chunks_.push_back(std::move(alone));
        for (auto& h : headings_) h.used = true;
      } else if (!headings_.empty()) {
        headings_.back().used = headings_.back().used || last.used;
      }
    }
  }

  void remember(const Block& block) {
    heading_page_ = block.page;
    if (!block.rows.empty()) {
      recent_.clear();
    } else if (block.text.size() <= longest_caption_bytes) {
      recent_.push_back(&block);
      if (recent_.size() > 3) recent_.erase(recent_.begin());
    } else {
      recent_.clear();
    }
  }

  std::string caption(const Block& table) const {
    std::vector<std::string> parts;
    if (!table.sheet.empty()) parts.push_back(table.sheet);
    if (!table.text.empty() && table.text.size() <= longest_caption_bytes) parts.push_back(table.text);
    for (const Block* block : recent_) {
      if (block->page != table.page) continue;
      const bool near = block == recent_.back();
      if (block->kind == BlockKind::caption || marks::states_units(block->text) || (near && block->kind != BlockKind::heading))
        parts.push_back(one_line(block->text));
    }
    return text::join(parts, " · ");
  }

  void table(const Block& block) {
    flush();
    const std::string context = caption(block);
    for (auto& part : split_table(block, settings_)) {
      Chunk made;
      made.text = std::move(part.text);
      made.context = context;
      if (!part.section.empty()) made.context += (made.context.empty() ? "" : " · ") + part.section;
      made.heading = path();
      made.page = made.page_last = block.page;
      made.boxes = share_of_boxes(block, part.from, part.to);
      made.is_table = true;
      chunks_.push_back(std::move(made));
    }
    use_headings();
  }

  static std::vector<PageBox> share_of_boxes(const Block& block, double from, double to) {
    const auto n = block.boxes.size();
    if (n < 3) return block.boxes;
    const auto first = static_cast<std::size_t>(from * static_cast<double>(n));
    const auto last = std::min(n, static_cast<std::size_t>(to * static_cast<double>(n)) + 1);
    return {block.boxes.begin() + static_cast<std::ptrdiff_t>(std::min(first, n - 1)), block.boxes.begin() + static_cast<std::ptrdiff_t>(last)};
  }

  void paragraphs(const Block& block) {
    const auto lines = text::split(block.text, '\n');
    std::size_t at = 0;
    for (const auto line : lines) {
      const double size = std::max<double>(1, static_cast<double>(block.text.size()));
      const double from = static_cast<double>(at) / size, to = static_cast<double>(at + line.size()) / size;
      at += line.size() + 1;
      if (text::trim(line).empty()) continue;
      const auto article = marks::article(line);
      if (article > 0) {
        flush();
        open_label_ = std::string(line.substr(0, article));
        single_ = true;
      } else if (line.data() == block.text.data() && marks::rule_number(line) > 0 && block.kind != BlockKind::list_item) {
        const auto number = std::string_view(line).substr(0, marks::rule_number(line));
        // "18.8.2 text" is a rule; "12. text" an item of a list that belongs to what stands before it
        if (number.find('.') != number.size() - 1 && number.find('.') != number.npos) {
          flush();
          single_ = true;
        }
      }
      piece(line, block, from, to, block.kind == BlockKind::code || lines.size() > 1 || block.kind == BlockKind::list_item ? "\n" : "\n\n");
    }
  }

  void piece(std::string_view text, const Block& block, double from, double to, const char* separator) {
    const int tokens = estimated_tokens(text);
    if (tokens <= settings_.most_tokens) {
      if (open_tokens_ > 0 && open_tokens_ + tokens > (single_ ? settings_.most_tokens : limit())) {
        const bool was_single = single_;
        const std::string label = open_label_;
        flush();
        single_ = was_single;
        open_label_ = label;
      }
      append(text, block, from, to, separator);
      return;
    }
    // too long for one chunk: at sentence ends, and where a sentence is too long, anywhere
    bool first = true;
    for (const auto& range : text::sentences(text)) {
      std::string_view sentence = text.substr(range.begin, range.end - range.begin);
      while (!sentence.empty()) {
        std::string_view part = sentence;
        if (estimated_tokens(sentence) > settings_.most_tokens) part = cut_to_tokens(sentence, settings_.target_tokens);
        if (part.empty()) break;
        sentence.remove_prefix(part.size());
        const int cost = estimated_tokens(part);
        if (open_tokens_ > 0 && open_tokens_ + cost > limit()) {
          const bool was_single = single_;
          const std::string label = open_label_;
          flush();
          single_ = was_single;
          open_label_ = label;
        }
        append(part, block, from, to, first ? separator : " ");
        first = false;
      }
    }
  }

  int limit() const { return (settings_.target_tokens + settings_.most_tokens) / 2; }

  void append(std::string_view text, const Block& block, double from, double to, const char* separator) {
    if (open_tokens_ == 0) {
      open_ = Chunk{};
      open_.page = open_.page_last = block.page;
      open_.heading = path();
      open_.context = block.sheet;
      // the rest of a long article still says which one it is
      if (single_ && !open_label_.empty() && marks::article(text) == 0) open_.context += (open_.context.empty() ? "" : " · ") + open_label_;
    } else {
      const bool wide = *separator == ' ' && !open_.text.empty() && static_cast<unsigned char>(open_.text.back()) >= 0x80;
      if (!wide) open_.text += separator;
    }
    open_.text += text;
    open_.page_last = std::max(open_.page_last, block.page);
    for (const auto& box : share_of_boxes(block, from, to)) {
      open_.page_last = std::max(open_.page_last, box.page);
      if (open_.boxes.size() < 400) open_.boxes.push_back(box);
    }
    open_tokens_ += estimated_tokens(text);
    use_headings();
    if (!single_ && open_tokens_ >= settings_.target_tokens) flush();
  }

  void use_headings() {
    for (auto& h : headings_) h.used = true;
  }

  void flush() {
    if (open_tokens_ > 0 && !text::trim(open_.text).empty()) chunks_.push_back(std::move(open_));
    open_ = Chunk{};
    open_tokens_ = 0;
    single_ = false;
    open_label_.clear();
  }

  const ParsedDocument& document_;
  const ChunkSettings& settings_;
  std::vector<Chunk> chunks_;
  std::vector<Heading> headings_;
  std::vector<const Block*> recent_;
  Chunk open_;
  int open_tokens_ = 0;
  int heading_page_ = 0;
  bool single_ = false;        // the open chunk is one article or rule
  std::string open_label_;
};

}  // namespace

std::vector<Chunk> chunk(const ParsedDocument& document, const ChunkSettings& settings) { return Chunker(document, settings).run(); }

int estimated_tokens(std::string_view source) {
  double tokens = 0;
  bool in_word = false;
  int run = 0;
  for (std::size_t i = 0; i < source.size();) {
    const char32_t c = text::next(source, i);
    const bool latin = c < 0x250 && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0xC0);
    if (latin) {
      if (!in_word) tokens += 1.05;
      if (++run > 5) tokens += 0.18;
      in_word = true;
      continue;
    }
    in_word = false;
    run = 0;
    if (c == ' ' || c == '\n' || c == '\t') continue;
    if (c >= '0' && c <= '9') {
      tokens += 0.55;
    } else if (c < 0x80) {
      tokens += 0.8;
    } else {
      tokens += 1.0;
    }
  }
  return static_cast<int>(tokens + 0.99);
}

std::string_view cut_to_tokens(std::string_view source, int tokens) {
  if (estimated_tokens(source) <= tokens) return source;
  std::size_t low = 0, high = source.size();
  while (low < high) {
    const std::size_t middle = (low + high + 1) / 2;
    if (estimated_tokens(source.substr(0, text::complete_utf8_prefix(source.substr(0, middle)))) <= tokens) low = middle;
    else high = middle - 1;
  }
  std::size_t end = text::complete_utf8_prefix(source.substr(0, std::max<std::size_t>(low, 4)));
  if (const auto space = source.rfind(' ', end); space != source.npos && space > end / 2) end = space + 1;
  return source.substr(0, end);
}

std::string embedding_text(std::string_view title, std::string_view heading, std::string_view context, std::string_view body,
                           int most_tokens) {
  std::string out;
  const auto add = [&](std::string_view part, int most) {
    part = text::trim(cut_to_tokens(part, most));
    if (part.empty()) return;
    if (!out.empty()) out.push_back('\n');
    out += part;
  };
  add(title, 40);
  add(heading, 60);
  add(context, 60);
  const int left = most_tokens - estimated_tokens(out);
  add(body, std::max(32, left));
  return text::nfc(out);
}

}  // namespace heng::knowledge
