#include "grounding/support.h"

#include <algorithm>

#include "heng/base/text.h"

namespace heng::guard {

namespace {

constexpr std::size_t most_units = 3;
/// Each further unit that a sentence is put together from counts a little less.
constexpr double further_unit = 0.96;

bool acronym_of(const std::string& name, const WordSet& set, const std::string& text) {
  // AMD for "Advanced Micro Devices": the capitals of consecutive words
  std::string capitals;
  bool start = true;
  for (const char c : text) {
    if (c >= 'A' && c <= 'Z' && start) capitals += static_cast<char>(c + 32);
    else if (start && c >= 'a' && c <= 'z' && capitals.size() < 2) capitals.clear();
    start = !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'));
  }
  (void)set;
  return name.size() >= 2 && name.size() <= 6 && capitals.find(name) != std::string::npos;
}

bool known(const Word& word, const std::vector<const ReadPassage*>& passages) {
  for (const auto* passage : passages) {
    if (coverage_of(word.stem, passage->context) > 0) return true;
    for (const auto& unit : passage->units) {
      if (coverage_of(word.stem, unit.set) > 0) return true;
      if (acronym_of(word.stem, unit.set, unit.text)) return true;
    }
    // "amd" in a file name "AMD_2015_10K"
    for (const auto& other : passage->context)
      if (word.stem.size() >= 3 && other.find(word.stem) != std::string::npos) return true;
  }
  return false;
}

/// Whether a further unit speaks of something else than the sentence: it lacks what the sentence begins with, which the first
/// unit has, and begins itself with what the sentence does not name.
bool mixes(const std::vector<Word>& sentence, const Unit& first, const Unit& further) {
  const std::string topic = topic_of(sentence);
  if (topic.empty() || further.topic.empty() || further.row || first.row) return false;
  if (coverage_of(topic, first.set) == 0 || coverage_of(topic, further.set) > 0) return false;
  return coverage_of(further.topic, word_set(sentence)) == 0;
}

constexpr std::u32string_view organisations[] = {U"银行", U"公司", U"集团", U"证券", U"信托", U"交易所", U"保险", U"基金", U"支行", U"分行"};

/// The specific part before an organisation's suffix: 招商 of 招商银行; empty where generic (本行, 商业银行).
std::u32string organisation_head(const FoldedText& text, std::size_t suffix) {
  std::size_t begin = suffix;
  while (begin > 0 && suffix - begin < 4 && text::is_cjk(text.at(begin - 1))) {
    constexpr std::u32string_view stops = U"的在是和与及或由向对从为将被该本我贵某各等给于到把其他家请问";
    if (stops.find(text.at(begin - 1)) != std::u32string_view::npos) break;
    --begin;
  }
  std::u32string head(text.folded.substr(begin, suffix - begin));
  if (head.size() < 2) return {};
  for (const auto word : {U"商业", U"开户", U"发卡", U"上市", U"有限", U"责任", U"股份", U"子", U"母", U"证券", U"基金", U"保险", U"信托", U"投资", U"外资", U"人民", U"中央",
                          U"政策", U"村镇", U"民营", U"国有", U"股东", U"收款", U"付款", U"托管", U"管理", U"货币", U"公募", U"私募", U"担保", U"社会", U"养老", U"存款", U"医疗",
                          U"控股", U"分", U"所属", U"控制", U"关联", U"合作", U"持有", U"股票", U"债券"})
    if (head.ends_with(word) || head.find(word) != std::u32string::npos) return {};
  return head;
}

}  // namespace

Support support_by(const std::vector<Word>& sentence, const ReadPassage& passage, const WordWeights& weights) {
  Support out;
  if (sentence.empty()) return out;
  std::vector<double> weight(sentence.size()), covered(sentence.size(), 0);
  double total = 0;
  for (std::size_t i = 0; i < sentence.size(); ++i) {
    weight[i] = weights.weight(sentence[i]);
    total += weight[i];
    // title and headings hold for every unit, a little weaker
    covered[i] = 0.8 * coverage_of(sentence[i].stem, passage.context);
  }
  std::vector<std::vector<double>> by_unit(passage.units.size(), std::vector<double>(sentence.size()));
  for (std::size_t u = 0; u < passage.units.size(); ++u)
    for (std::size_t i = 0; i < sentence.size(); ++i) by_unit[u][i] = coverage_of(sentence[i].stem, passage.units[u].set);
  double factor = 1;
  std::size_t mixed = 0;
  for (std::size_t round = 0; round < most_units; ++round) {
    double best_gain = 0;
    std::size_t best = passage.units.size();
    for (std::size_t u = 0; u < passage.units.size(); ++u) {
      double gain = 0;
      for (std::size_t i = 0; i < sentence.size(); ++i) gain += weight[i] * std::max(0.0, by_unit[u][i] * factor - covered[i]);
      if (gain > best_gain + 1e-9) {
        best_gain = gain;
        best = u;
      }
    }
    if (best == passage.units.size() || (round > 0 && best_gain < 0.06 * total)) break;
    if (round > 0 && mixes(sentence, passage.units[out.units.front()], passage.units[best])) {
      for (std::size_t i = 0; i < sentence.size(); ++i) by_unit[best][i] *= 0.3;
      if (++mixed > most_units) break;
      --round;
      continue;
    }
    for (std::size_t i = 0; i < sentence.size(); ++i) covered[i] = std::max(covered[i], by_unit[best][i] * factor);
    out.units.push_back(best);
    factor *= further_unit;
  }
  double sum = 0;
  for (std::size_t i = 0; i < sentence.size(); ++i) sum += weight[i] * covered[i];
  out.share = std::min(1.0, sum / total);
  return out;
}

std::string unknown_name(const FoldedText& sentence, const std::vector<Word>& words, const std::vector<const ReadPassage*>& passages) {
  for (const auto& word : words)
    if (word.name && !word.generic && word.stem.size() >= 1 && !known(word, passages)) return sentence.slice(word.begin, word.end);
  const FoldedText masked = without_figures(sentence);
  for (std::size_t i = 1; i < masked.size(); ++i)
    for (const auto suffix : organisations) {
      if (!word_at(masked, i, suffix)) continue;
      const auto head = organisation_head(masked, i);
      if (head.empty()) continue;
      Word word;
      word.stem = text::from_utf32(head.substr(head.size() - 2));
      if (!known(word, passages)) return text::from_utf32(head) + text::from_utf32(suffix);
    }
  return {};
}

std::string strip_citations(std::string_view sentence, std::vector<int>& numbers) {
  std::string out;
  for (std::size_t i = 0; i < sentence.size();) {
    const bool wide = sentence.substr(i).starts_with("【");
    if (sentence[i] == '[' || wide) {
      std::size_t at = i + (wide ? 3 : 1);
      std::vector<int> found;
      int number = -1;
      bool good = true;
      for (; at < sentence.size() && sentence[at] != ']' && !sentence.substr(at).starts_with("】"); ++at) {
        if (sentence[at] >= '0' && sentence[at] <= '9') {
          number = std::min(9999, (number < 0 ? 0 : number) * 10 + (sentence[at] - '0'));
        } else if (sentence[at] == ',' || sentence[at] == ' ') {
          if (number >= 0) found.push_back(number);
          number = -1;
        } else {
          good = false;
          break;
        }
      }
      if (number >= 0) found.push_back(number);
      if (good && at < sentence.size() && !found.empty()) {
        for (const int n : found)
          if (std::find(numbers.begin(), numbers.end(), n) == numbers.end()) numbers.push_back(n);
        i = at + (sentence[at] == ']' ? 1 : 3);
        while (!out.empty() && out.back() == ' ' && (i >= sentence.size() || std::string_view(" .,;").find(sentence[i]) != std::string_view::npos)) out.pop_back();
        continue;
      }
    }
    out += sentence[i++];
  }
  return std::string(text::trim(out));
}

std::string with_citations(const std::string& plain, const std::vector<int>& numbers) {
  std::string marks;
  for (const int n : numbers) marks += "[" + std::to_string(n) + "]";
  return text::language_of(plain) == text::Language::chinese ? plain + marks : plain + " " + marks;
}

WordWeights weigh(const std::vector<ReadPassage>& passages) {
  WordWeights out;
  for (const auto& passage : passages)
    for (const auto& unit : passage.units) out.add(unit.set);
  return out;
}

}  // namespace heng::guard
