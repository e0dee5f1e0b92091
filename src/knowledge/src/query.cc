#include <algorithm>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "folding.h"
#include "heng/base/text.h"
#include "heng/knowledge/words.h"
#include "thesaurus.h"

namespace heng::knowledge {
namespace {

constexpr double expansion_weight = 0.35;
constexpr double instruction_weight = 0.3;
constexpr double code_weight = 1.3;   // numbers and codes are what a figure is sought by
constexpr std::size_t longest_question_bytes = 8192;

const std::unordered_set<std::string_view>& stop_words() {
  // Stems, as the splitter gives them.
  static const std::unordered_set<std::string_view> words = {
      "a",     "an",    "the",   "of",    "to",   "in",    "on",    "at",    "by",    "for",   "from",  "with",  "as",   "is",
      "are",   "was",   "were",  "be",    "been", "being", "it",    "its",   "this",  "that",  "these", "those", "and",  "or",
      "if",    "then",  "than",  "so",    "do",   "doe",   "did",   "done",  "has",   "have",  "had",   "can",   "could", "will",
      "would", "shall", "should", "may",  "might", "must",  "what",  "which", "who",   "whom",  "whose", "when",  "where", "whi",
      "how",   "there", "their", "they",  "them", "he",    "she",   "his",   "her",   "we",    "our",   "you",   "your", "i",
      "my",    "me",    "us",    "not",   "no",   "ani",   "all",   "each",  "such",  "into",  "about", "between", "also", "pleas",
      "tell",  "explain", "describ", "give", "question", "answer", "follow",
      "的", "了", "是", "在", "和", "与", "及", "或", "吗", "呢", "吧", "啊", "么", "我", "你", "他", "它", "们", "有", "就", "都",
      "什么", "怎么", "如何", "哪些", "哪个", "多少", "是否", "可以", "请问", "的是", "是什", "么是", "我的", "了吗", "有哪", "是多", "为什",
      "会怎", "怎样", "么办", "能不", "不能", "吗我", "我们", "你们", "他们", "这个", "那个", "一个", "应当", "应该"};
  return words;
}

bool has_digit(std::string_view token) {
  return std::any_of(token.begin(), token.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Folded text with single spaces around words, so that a phrase is found as whole words.
std::string folded_text(std::string_view question) {
  std::vector<FoldedChar> chars;
  fold(question, chars);
  std::string out = " ";
  for (const auto& c : chars) {
    if (c.kind == CharClass::other && c.c != '&') {
      if (out.back() != ' ') out.push_back(' ');
    } else {
      text::append(out, c.c);
    }
  }
  out.push_back(' ');
  return out;
}

bool contains_phrase(const std::string& folded, std::string_view phrase) {
  const bool latin = static_cast<unsigned char>(phrase.front()) < 0x80;
  for (auto at = folded.find(phrase); at != std::string::npos; at = folded.find(phrase, at + 1)) {
    if (!latin) return true;
    const char after = folded[at + phrase.size()];
    const bool plural = after == 's' && folded[at + phrase.size() + 1] == ' ';
    if (folded[at - 1] == ' ' && (after == ' ' || plural)) return true;
  }
  return false;
}

struct TermBag {
  std::vector<QueryTerm> terms;
  std::unordered_map<std::string, std::size_t> places;
  void add(const std::string& token, double weight) {
    const auto [at, fresh] = places.try_emplace(token, terms.size());
    if (fresh) {
      terms.push_back({token, weight});
    } else {
      terms[at->second].weight = std::max(terms[at->second].weight, weight);
    }
  }
};

struct Sentence {
  std::string_view text;
  bool asks = false;
};

std::vector<Sentence> question_sentences(std::string_view question) {
  std::vector<Sentence> out;
  for (const auto& range : text::sentences(question)) {
    const auto sentence = question.substr(range.begin, range.end - range.begin);
    const bool asks = sentence.find('?') != sentence.npos || sentence.find("？") != sentence.npos;
    out.push_back({sentence, asks});
  }
  return out;
}

/// "Answer the following question as if …": says how to answer, not what is sought.
bool instructs(std::string_view sentence) {
  for (const std::string_view start : {"Answer the", "Please answer", "You are", "If ", "Give a response", "Assume", "Respond",
                                       "We need", "When responding", "Calculate ", "Your answer", "请回答", "请用", "假设你", "你是"})
    if (text::starts_with_ci(sentence, start)) return true;
  return false;
}

}  // namespace

std::string essential_question(std::string_view question) {
  const auto sentences = question_sentences(question);
  const bool any_asks = std::any_of(sentences.begin(), sentences.end(), [](const auto& s) { return s.asks; });
  if (!any_asks || sentences.size() < 2) return std::string(question);
  std::string out;
  for (const auto& sentence : sentences) {
    if (!sentence.asks && instructs(sentence.text)) continue;
    if (!out.empty()) out.push_back(' ');
    out += sentence.text;
  }
  return out.empty() ? std::string(question) : out;
}

std::vector<QueryTerm> query_terms(WordSplitter& splitter, std::string_view question, std::size_t most) {
  if (question.size() > longest_question_bytes) question = question.substr(0, text::complete_utf8_prefix(question.substr(0, longest_question_bytes)));
  TermBag bag, stopped;
  const auto sentences = question_sentences(question);
  const bool any_asks = std::any_of(sentences.begin(), sentences.end(), [](const auto& s) { return s.asks; });
  for (const auto& sentence : sentences) {
    const double weight = any_asks && !sentence.asks && instructs(sentence.text) ? instruction_weight : 1.0;
    splitter.split(sentence.text, WordsFor::query, [&](const Word& word) {
      const double token_weight = has_digit(word.text) ? weight * code_weight : weight;
      (stop_words().contains(word.text) ? stopped : bag).add(word.text, token_weight);
      return true;
    });
  }
  if (bag.terms.empty()) bag = std::move(stopped);
  const std::string folded = folded_text(question);
  for (const auto& entry : thesaurus()) {
    if (!contains_phrase(folded, entry.phrase)) continue;
    splitter.split(entry.filed_under, WordsFor::query, [&](const Word& word) {
      if (!stop_words().contains(word.text)) bag.add(word.text, expansion_weight);
      return true;
    });
  }
  std::stable_sort(bag.terms.begin(), bag.terms.end(), [](const auto& a, const auto& b) { return a.weight > b.weight; });
  if (bag.terms.size() > most) bag.terms.resize(most);
  return std::move(bag.terms);
}

}  // namespace heng::knowledge
