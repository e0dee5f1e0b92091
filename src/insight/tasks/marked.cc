#include "tasks/marked.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <optional>

#include "heng/base/text.h"

namespace heng::insight {
namespace {

using Span = MarkedText::Span;
constexpr char32_t field_mark = 0x1E;
constexpr std::size_t around = 10, around_entity = 25, between_half = 40, mentions_most = 64, entity_mentions_most = 4;

struct Glyph {
  char32_t code;
  Span origin;
};
using Glyphs = std::vector<Glyph>;

struct Name {
  std::u32string text, mark;
  std::vector<std::size_t> at;        ///< Of its mentions in the original, by `find`; in the marked text, by `replace`.
};

/// Mentions that do not overlap with those of `taken`.
void find(const std::u32string& text, Name& name, const Name* taken) {
  for (std::size_t at = text.find(name.text); at != std::u32string::npos; at = text.find(name.text, at)) {
    const bool free = taken == nullptr || std::none_of(taken->at.begin(), taken->at.end(), [&](std::size_t t) { return at < t + taken->text.size() && t < at + name.text.size(); });
    if (free) name.at.push_back(at);
    at += free ? name.text.size() : 1;
  }
}

/// The text with marks for the names; their places become those in it.
Glyphs replace(const std::u32string& text, std::vector<Name*> names) {
  std::map<std::size_t, Name*> mentions;
  for (auto* name : names) {
    for (const auto at : name->at) mentions[at] = name;
    name->at.clear();
  }
  Glyphs out;
  for (std::size_t i = 0; i < text.size();) {
    const auto mention = mentions.find(i);
    if (mention == mentions.end()) {
      const char32_t c = text[i] == field_mark ? U' ' : text[i];
      out.push_back({c, {static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i + 1)}});
      ++i;
      continue;
    }
    Name& name = *mention->second;
    const Span origin{static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i + name.text.size())};
    name.at.push_back(out.size());
    for (const char32_t c : name.mark) out.push_back({c, origin});
    i += name.text.size();
  }
  return out;
}

void append(Glyphs& out, const Glyphs& from, std::size_t begin, std::size_t end) { out.insert(out.end(), from.begin() + static_cast<std::ptrdiff_t>(begin), from.begin() + static_cast<std::ptrdiff_t>(end)); }
void append(Glyphs& out, std::u32string_view text, Span origin) {
  for (const char32_t c : text) out.push_back({c, origin});
}
void next_field(Glyphs& out) { out.push_back({field_mark, {}}); }

/// The nearest mentions of the two, first of the text first.
std::pair<std::size_t, std::size_t> nearest(const Name& a, const Name& b) {
  std::pair<std::size_t, std::size_t> best{0, 0};
  std::size_t least = std::numeric_limits<std::size_t>::max();
  for (std::size_t i = 0; i < std::min(a.at.size(), mentions_most); ++i)
    for (std::size_t j = 0; j < std::min(b.at.size(), mentions_most); ++j) {
      const auto [first, last] = std::minmax(a.at[i], b.at[j]);
      if (last - first >= least) continue;
      least = last - first;
      best = {first, last};
    }
  return best;
}

/// "0", "1", "2", "4", "8" …: the power of two below.
std::u32string bucket(std::size_t distance) {
  std::size_t power = distance == 0 ? 0 : 1;
  while (power != 0 && power * 2 <= distance) power *= 2;
  std::u32string out;
  for (const char c : std::to_string(power)) out += static_cast<char32_t>('a' + (c - '0'));   // letters: digits are all read as one
  return out;
}

void add_pair_fields(Glyphs& out, const Glyphs& text, const Name& head, const Name& tail) {
  const auto [first, last] = nearest(head, tail);
  const std::size_t mark = head.mark.size(), gap_begin = first + mark, begin = first - std::min(first, around), end = std::min(text.size(), last + mark + around);
  const Span between{text[first].origin.begin, text[last].origin.end};
  next_field(out);
  append(out, text, begin, std::min(gap_begin + between_half, last));
  append(out, text, std::max(std::min(gap_begin + between_half, last), last - std::min(last - gap_begin, between_half)), end);
  next_field(out);
  const bool head_first = std::find(head.at.begin(), head.at.end(), first) != head.at.end();
  append(out, head_first ? U"headfirst distance" : U"tailfirst distance", between);
  append(out, bucket(last - gap_begin), between);
  for (const Name* name : {&head, &tail}) {
    next_field(out);
    append(out, name->text, text[name->at.front()].origin);
  }
}

void add_entity_fields(Glyphs& out, const Glyphs& text, const Name& entity) {
  next_field(out);
  std::size_t covered = 0;
  for (std::size_t i = 0; i < std::min(entity.at.size(), entity_mentions_most); ++i) {
    const std::size_t begin = std::max(covered, entity.at[i] - std::min(entity.at[i], around_entity)), end = std::min(text.size(), entity.at[i] + entity.mark.size() + around_entity);
    if (begin >= end) continue;
    append(out, text, begin, end);
    covered = end;
  }
  next_field(out);
  append(out, entity.text, text[entity.at.front()].origin);
}

MarkedText finish(const Glyphs& glyphs) {
  MarkedText out;
  out.origin.reserve(glyphs.size());
  for (const auto& glyph : glyphs) {
    text::append(out.text, glyph.code);
    out.origin.push_back(glyph.origin);
  }
  return out;
}

Error absent(const char* field, std::string_view name, std::string_view text) {
  const bool inside = text.find(name) != std::string_view::npos;   // of the other name
  return Error(ErrorCode::invalid_argument, fmt::format("\"{}\" is \"{}\", which {}", field, name.substr(0, text::byte_offset(name, 40)), inside ? "stands in the text only inside the other name" : "is not in the text"), field);
}

}  // namespace

Result<MarkedText> mark(TaskInput input, std::string_view text, std::string_view head, std::string_view tail) {
  const char* field = input == TaskInput::pair ? "head" : "entity";
  std::vector<std::pair<const char*, std::string_view>> names{{field, head}};
  if (input == TaskInput::pair) names.emplace_back("tail", tail);
  for (const auto& [name, value] : names) {
    if (!text::is_valid_utf8(value)) return Error(ErrorCode::malformed_input, fmt::format("\"{}\" is not valid UTF-8", name), name);
    if (text::trim(value).empty()) return Error(ErrorCode::invalid_argument, fmt::format("this task reads a text with its \"{}\", which is missing or empty", name), name);
  }
  const std::u32string whole = text::to_utf32(text);
  Name first{text::to_utf32(head), input == TaskInput::pair ? U"〖甲〗" : U"〖X〗", {}};
  if (input != TaskInput::pair) {
    find(whole, first, nullptr);
    if (first.at.empty()) return absent(field, head, text);
    const Glyphs marked = replace(whole, {&first});
    Glyphs out = marked;
    add_entity_fields(out, marked, first);
    return finish(out);
  }
  Name second{text::to_utf32(tail), U"〖乙〗", {}};
  if (first.text == second.text) return Error(ErrorCode::invalid_argument, "\"head\" and \"tail\" are the same", "tail");
  const bool head_longer = first.text.size() >= second.text.size();   // one may stand inside the other
  find(whole, head_longer ? first : second, nullptr);
  find(whole, head_longer ? second : first, head_longer ? &first : &second);
  if (first.at.empty()) return absent("head", head, text);
  if (second.at.empty()) return absent("tail", tail, text);
  const Glyphs marked = replace(whole, {&first, &second});
  Glyphs out = marked;
  add_pair_fields(out, marked, first, second);
  return finish(out);
}

std::string_view first_field(std::string_view text) { return text.substr(0, text.find(static_cast<char>(field_mark))); }

std::vector<std::string_view> first_fields(const std::vector<std::string_view>& texts) {
  std::vector<std::string_view> out;
  out.reserve(texts.size());
  for (const auto text : texts) out.push_back(first_field(text));
  return out;
}

std::vector<Evidence> to_original(const MarkedText& marked, const std::vector<Evidence>& evidence) {
  std::map<std::pair<std::size_t, std::size_t>, double> sums;
  for (const auto& e : evidence) {
    std::optional<Span> span;
    for (std::size_t i = e.begin; i < std::min(e.end, marked.origin.size()); ++i) {
      const Span& o = marked.origin[i];
      if (o.begin == o.end) continue;
      span = span ? Span{std::min(span->begin, o.begin), std::max(span->end, o.end)} : o;
    }
    if (span) sums[{span->begin, span->end}] += e.weight;
  }
  std::vector<Evidence> out;
  for (const auto& [span, weight] : sums) out.push_back({span.first, span.second, weight});
  return out;
}

}  // namespace heng::insight
