#include "names.h"

#include <algorithm>

#include "heng/base/text.h"

namespace heng::insight_entities {
namespace {

using View = std::u32string_view;

bool word_character(char32_t c) { return latin(c) || digit(c); }

constexpr View context_words[] = {U"股", U"公司", U"集团", U"收购", U"财报", U"业绩", U"营收", U"净利", U"市值", U"上市", U"涨", U"跌", U"董事", U"分红", U"融资", U"质押", U"投资者", U"增持", U"回购", U"评级",
                                  U"share", U"stock", U"earnings", U"revenue", U"profit", U"inc", U"corp", U"nasdaq", U"nyse", U"ceo", U"quarter", U"analyst", U"dividend", U"buyback", U"acquire", U"acquisition",
                                  U"merger", U"investor", U"price target", U"rating", U"guidance", U"billion", U"market cap"};
constexpr std::size_t context_reach = 40;

}  // namespace

bool speaks_of_shares(View text, std::size_t begin, std::size_t end) {
  const std::size_t from = begin > context_reach ? begin - context_reach : 0;
  const View before = text.substr(from, begin - from), behind = text.substr(end, context_reach);
  return std::any_of(std::begin(context_words), std::end(context_words),
                     [&](View word) { return before.find(word) != View::npos || behind.find(word) != View::npos; });
}

NameIndex::NameIndex(const Directory& directory) {
  const auto& companies = directory.companies();
  for (std::size_t i = 0; i < companies.size(); ++i) {
    insert(companies[i].name_zh, i, false);
    insert(companies[i].name_en, i, false);
    for (const auto& alias : companies[i].aliases) insert(alias, i, true);
  }
  link();
}

void NameIndex::insert(const std::string& name, std::size_t company, bool is_alias) {
  if (name.empty()) return;
  Name entry{company, is_alias && name.ends_with('?'), false};
  const std::u32string written = text::to_utf32(entry.needs_context ? name.substr(0, name.size() - 1) : name);
  if (written.empty()) return;
  entry.capital = written.front() >= U'A' && written.front() <= U'Z';
  std::int32_t at = 0;
  for (const char32_t c : folded(written)) {
    auto& next = nodes_[static_cast<std::size_t>(at)].next;
    const auto place = std::lower_bound(next.begin(), next.end(), c, [](const auto& edge, char32_t k) { return edge.first < k; });
    if (place != next.end() && place->first == c) {
      at = place->second;
      continue;
    }
    const auto fresh = static_cast<std::int32_t>(nodes_.size());
    next.insert(place, {c, fresh});
    const std::int32_t depth = nodes_[static_cast<std::size_t>(at)].depth + 1;
    nodes_.emplace_back();
    nodes_.back().depth = depth;
    at = fresh;
  }
  Node& node = nodes_[static_cast<std::size_t>(at)];
  if (node.name >= 0) return;  // the first company of a name keeps it
  node.name = static_cast<std::int32_t>(names_.size());
  names_.push_back(entry);
}

std::int32_t NameIndex::step(std::int32_t node, char32_t c) const {
  for (;;) {
    const auto& next = nodes_[static_cast<std::size_t>(node)].next;
    const auto place = std::lower_bound(next.begin(), next.end(), c, [](const auto& edge, char32_t k) { return edge.first < k; });
    if (place != next.end() && place->first == c) return place->second;
    if (node == 0) return 0;
    node = nodes_[static_cast<std::size_t>(node)].fallback;
  }
}

void NameIndex::link() {
  std::vector<std::int32_t> queue{0};
  for (std::size_t i = 0; i < queue.size(); ++i) {
    const std::int32_t at = queue[i];
    for (const auto& [c, to] : nodes_[static_cast<std::size_t>(at)].next) {
      Node& child = nodes_[static_cast<std::size_t>(to)];
      child.fallback = at == 0 ? 0 : step(nodes_[static_cast<std::size_t>(at)].fallback, c);
      const Node& back = nodes_[static_cast<std::size_t>(child.fallback)];
      child.output = back.name >= 0 ? child.fallback : back.output;
      queue.push_back(to);
    }
  }
}

void NameIndex::find(const Directory& directory, View original, View text, std::vector<Candidate>& out) const {
  std::int32_t at = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    at = step(at, text[i]);
    for (std::int32_t node = at; node; node = nodes_[static_cast<std::size_t>(node)].output) {
      const Node& here = nodes_[static_cast<std::size_t>(node)];
      if (here.name < 0) continue;
      const Name& name = names_[static_cast<std::size_t>(here.name)];
      const std::size_t end = i + 1, begin = end - static_cast<std::size_t>(here.depth);
      // a Latin name is a whole word, written with its capital
      if (latin(text[begin]) && begin > 0 && word_character(text[begin - 1])) continue;
      if (word_character(text[end - 1]) && end < text.size() && word_character(text[end])) continue;
      if (name.capital && !(original[begin] >= U'A' && original[begin] <= U'Z') && original[begin] < 0x80) continue;
      if (name.needs_context && !speaks_of_shares(text, begin, end)) continue;
      const Company& company = directory.companies()[name.company];
      Candidate found;
      found.entity.type = "company";
      found.entity.begin = begin;
      found.entity.end = end;
      found.entity.id = company.code;
      found.entity.name = company.name_zh.empty() ? company.name_en : company.name_zh;
      found.rank = 5;
      out.push_back(std::move(found));
    }
  }
}

}  // namespace heng::insight_entities
