#include "companies.h"

#include <algorithm>

#include "heng/base/text.h"

namespace heng::streams {
namespace {

bool is_latin(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

}  // namespace

std::string folded(std::string_view s) { return text::lower(text::nfkc(s)); }

bool holds_word(std::string_view s, std::string_view word) {
  if (word.empty()) return false;
  for (auto at = s.find(word); at != std::string_view::npos; at = s.find(word, at + 1)) {
    const bool open = at == 0 || !is_latin(word.front()) || !is_latin(s[at - 1]);
    const auto end = at + word.size();
    const bool close = end == s.size() || !is_latin(word.back()) || !is_latin(s[end]);
    if (open && close) return true;
  }
  return false;
}

std::vector<StreamEntity> watched_in(std::string_view s, const std::vector<WatchedName>& watched) {
  std::vector<StreamEntity> out;
  if (watched.empty()) return out;
  const std::string lower = folded(s);
  for (const auto& each : watched) {
    const auto found = [&]() -> std::string {
      if (holds_word(lower, folded(each.name))) return each.name;
      for (const auto& alias : each.aliases)
        if (holds_word(lower, folded(alias))) return alias;
      const auto digits = each.code.substr(0, each.code.find('.'));
      return digits.size() >= 4 && holds_word(lower, folded(digits)) ? digits : std::string();
    }();
    if (!found.empty()) out.push_back({"company", found, each.code, each.name});
  }
  return out;
}

CompanyName company_named(const std::string& given, const std::vector<WatchedName>& watched) {
  CompanyName out;
  const std::string asked = folded(text::trim(given));
  out.label = std::string(text::trim(given));
  out.words = {asked};
  for (const auto& each : watched) {
    std::vector<std::string> words = {folded(each.name)};
    for (const auto& alias : each.aliases) words.push_back(folded(alias));
    const std::string code = folded(each.code);
    if (std::find(words.begin(), words.end(), asked) == words.end() && (code.empty() || (code != asked && code.substr(0, code.find('.')) != asked))) continue;
    out.label = each.name;
    out.code = each.code;
    if (!code.empty()) words.push_back(code.substr(0, code.find('.')));
    out.words = std::move(words);
    break;
  }
  return out;
}

bool is_about(const StreamItem& item, const CompanyName& company) {
  for (const auto& entity : item.entities) {
    if (entity.type != "company" && entity.type != "security") continue;
    if (!company.code.empty() && entity.id == company.code) return true;
    for (const auto& form : {folded(entity.name), folded(entity.word), folded(entity.id)})
      if (std::find(company.words.begin(), company.words.end(), form) != company.words.end()) return true;
  }
  const std::string lower = folded(item.text);
  return std::any_of(company.words.begin(), company.words.end(), [&](const std::string& word) { return holds_word(lower, word); });
}

}  // namespace heng::streams
