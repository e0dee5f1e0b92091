#include "docx_styles.h"

#include <algorithm>
#include <array>

#include "heng/base/text.h"

namespace heng::formats::docx {
namespace {

using namespace ooxml;
using pugi::xml_node;

constexpr int max_levels = 9;

std::string roman(int value) {
  constexpr std::array<std::pair<int, const char*>, 13> signs = {{{1000, "m"}, {900, "cm"}, {500, "d"}, {400, "cd"}, {100, "c"}, {90, "xc"}, {50, "l"},
                                                                 {40, "xl"}, {10, "x"}, {9, "ix"}, {5, "v"}, {4, "iv"}, {1, "i"}}};
  std::string out;
  for (auto [size, sign] : signs) {
    for (; value >= size && out.size() < 20; value -= size) out += sign;
  }
  return out;
}

std::string chinese(int value) {
  constexpr std::array digits = {"零", "一", "二", "三", "四", "五", "六", "七", "八", "九"};
  if (value < 0 || value > 999) return std::to_string(value);
  std::size_t hundreds = static_cast<std::size_t>(value / 100), tens = static_cast<std::size_t>(value / 10 % 10), ones = static_cast<std::size_t>(value % 10);
  std::string out;
  if (hundreds > 0) out = std::string(digits[hundreds]) + "百";
  if (tens > 0) out += (tens == 1 && hundreds == 0 ? "" : std::string(digits[tens])) + "十";
  else if (hundreds > 0 && ones > 0) out += "零";
  if (ones > 0 || value == 0) out += digits[ones];
  return out;
}

}  // namespace

std::string format_number(int value, const std::string& format) {
  if (format == "lowerLetter" || format == "upperLetter") {
    char letter = static_cast<char>((format[0] == 'l' ? 'a' : 'A') + (std::max(value, 1) - 1) % 26);
    return std::string(static_cast<std::size_t>(std::clamp((value - 1) / 26 + 1, 1, 5)), letter);
  }
  if (format == "lowerRoman") return roman(value);
  if (format == "upperRoman") {
    std::string out = roman(value);
    for (char& c : out) c = static_cast<char>(c - 'a' + 'A');
    return out;
  }
  if (format.starts_with("chinese") || format.starts_with("japaneseCounting") || format.starts_with("taiwanese") || format == "ideographDigital") return chinese(value);
  if (format == "decimalZero" && value < 10) return "0" + std::to_string(value);
  if (format == "none") return "";
  return std::to_string(value);
}

void Styles::load(Package& package, const Relationships& relationships) {
  pugi::xml_document document;
  std::string part = target_of(relationships, "styles");
  if (!part.empty() && package.load(part, document)) {
    for (xml_node node : document.document_element().children()) {
      if (local(node) != "style") continue;
      Style style;
      style.name = text::lower(text::replace_invalid_utf8(attribute(child(node, "name"), "val")));
      style.based_on = attribute(child(node, "basedOn"), "val");
      xml_node properties = child(node, "pPr");
      style.outline_level = integer(attribute(child(properties, "outlineLvl"), "val"), -1);
      xml_node numbering = child(properties, "numPr");
      style.list = integer(attribute(child(numbering, "numId"), "val"), -1);
      style.list_level = std::clamp(integer(attribute(child(numbering, "ilvl"), "val"), 0), 0, max_levels - 1);
      styles_.emplace(attribute(node, "styleId"), std::move(style));
    }
  }
  pugi::xml_document numbering;
  part = target_of(relationships, "numbering");
  if (!part.empty() && package.load(part, numbering)) load_numbering(numbering.document_element());
}

void Styles::load_numbering(const xml_node& root) {
  for (xml_node node : root.children()) {
    if (local(node) == "num") {
      abstract_of_[integer(attribute(node, "numId"), 0)] = integer(attribute(child(node, "abstractNumId"), "val"), 0);
    } else if (local(node) == "abstractNum") {
      auto& levels = levels_[integer(attribute(node, "abstractNumId"), 0)];
      for (xml_node level : node.children()) {
        if (local(level) != "lvl") continue;
        int index = integer(attribute(level, "ilvl"), 0);
        if (index < 0 || index >= max_levels) continue;
        levels[index] = {attribute(child(level, "numFmt"), "val"), attribute(child(level, "lvlText"), "val"),
                         std::clamp(integer(attribute(child(level, "start"), "val"), 1), 0, 1'000'000)};
      }
    }
  }
}

ParagraphStyle Styles::of(const xml_node& paragraph) const {
  ParagraphStyle result;
  xml_node properties = child(paragraph, "pPr");
  std::string id = attribute(child(properties, "pStyle"), "val");
  int list = -1, outline = -1;
  // styles may be based on each other in a circle
  for (int step = 0; step < 20 && !id.empty(); ++step) {
    auto found = styles_.find(id);
    const std::string name = found == styles_.end() ? text::lower(text::replace_invalid_utf8(id)) : found->second.name;
    bool heading = name.starts_with("heading ") || name.starts_with("标题 ") || (name.starts_with("heading") && name.size() == 8);
    if (heading && result.heading_level == 0 && name.back() >= '1' && name.back() <= '9') result.heading_level = name.back() - '0';
    result.is_title |= name == "title" || name == "标题";
    result.is_caption |= name == "caption" || name == "题注";
    result.is_code |= name.find("code") != std::string::npos || name == "html preformatted";
    if (name.starts_with("list ") && name != "list paragraph") result.is_list = true;
    if (found == styles_.end()) break;
    if (list < 0 && found->second.list >= 0) list = found->second.list, result.list_level = found->second.list_level;
    if (outline < 0) outline = found->second.outline_level;
    id = found->second.based_on;
  }
  int own_outline = integer(attribute(child(properties, "outlineLvl"), "val"), -1);
  if (own_outline >= 0) outline = own_outline;
  if (result.heading_level == 0 && outline >= 0 && outline < max_levels) result.heading_level = outline + 1;
  if (xml_node numbering = child(properties, "numPr")) {
    list = integer(attribute(child(numbering, "numId"), "val"), list);
    result.list_level = std::clamp(integer(attribute(child(numbering, "ilvl"), "val"), result.list_level), 0, max_levels - 1);
  }
  result.list = std::max(list, 0);
  if (result.list > 0 && result.heading_level == 0) result.is_list = true;
  return result;
}

std::string Styles::number(const ParagraphStyle& style) {
  auto abstract = abstract_of_.find(style.list);
  if (style.list == 0 || abstract == abstract_of_.end()) return "";
  const auto& levels = levels_[abstract->second];
  auto level = levels.find(style.list_level);
  if (level == levels.end()) return "";
  if (level->second.format == "bullet") return style.heading_level > 0 ? "" : "•";
  auto& counters = counters_[abstract->second];
  std::size_t index = static_cast<std::size_t>(style.list_level);
  while (counters.size() <= index) {
    auto found = levels.find(static_cast<int>(counters.size()));
    counters.push_back(found == levels.end() ? 0 : found->second.start - 1);
  }
  counters.resize(index + 1);
  ++counters[index];
  std::string out;
  const std::string& text = level->second.text;
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool place = text[i] == '%' && i + 1 < text.size() && text[i + 1] >= '1' && text[i + 1] <= '9';
    if (!place) {
      out += text[i];
      continue;
    }
    std::size_t which = static_cast<std::size_t>(text[++i] - '1');
    auto format = levels.find(static_cast<int>(which));
    if (which < counters.size()) out += format_number(counters[which], format == levels.end() ? "" : format->second.format);
  }
  return text::replace_invalid_utf8(out);
}

}  // namespace heng::formats::docx
