#include "words.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace heng::pipeline {
namespace {

const std::set<std::string, std::less<>>& stop_words() {
  static const std::set<std::string, std::less<>> words = {
      "a",    "an",   "the",  "of",   "in",    "on",    "at",   "to",   "for",   "from", "by",   "with", "and",  "or",
      "is",   "are",  "was",  "were", "be",    "been",  "did",  "do",   "does",  "has",  "have", "had",  "what", "which",
      "who",  "when", "where", "how", "why",   "much",  "many", "it",   "its",   "this", "that", "these", "those", "as",
      "than", "there", "their", "they", "can", "could", "will", "would", "should", "shall", "may", "please", "tell", "me",
      "about", "give", "i",   "you",  "we",    "our",   "your", "my",   "if",    "any",  "not",  "no",   "s"};
  return words;
}

bool is_latin(char32_t c) { return c < 0x250 && c > 0x20 && (std::isalpha(static_cast<int>(c & 0xff)) != 0 || c >= 0xc0); }
bool ascii_digit(char32_t c) { return c >= U'0' && c <= U'9'; }

void push_word(std::string word, std::vector<std::string>& out) {
  if (word.empty()) return;
  if (word.size() > 3 && word.back() == 's' && word[word.size() - 2] != 's') word.pop_back();
  if (!stop_words().contains(word)) out.push_back(std::move(word));
}

void push_han(const std::u32string& run, std::vector<std::string>& out) {
  if (run.size() == 1) out.push_back(text::from_utf32(run));
  for (std::size_t i = 0; i + 1 < run.size(); ++i) out.push_back(text::from_utf32(run.substr(i, 2)));
}

struct Pair {
  const char* zh;
  const char* en;
};

constexpr std::array kGlossary = {
    Pair{"净收入", "net revenue"},        Pair{"营业收入", "operating revenues net revenue"}, Pair{"净利润", "net income"},
    Pair{"净亏损", "net loss"},           Pair{"毛利率", "gross margin"},                   Pair{"毛利", "gross margin"},
    Pair{"每股收益", "earnings per share"}, Pair{"稀释每股", "diluted earnings per share"},   Pair{"每股稀释", "diluted earnings per share"},
    Pair{"总资产", "total assets"},       Pair{"总负债", "total liabilities"},              Pair{"研发", "research and development"},
    Pair{"股息", "dividends"},            Pair{"现金股利", "cash dividends"},               Pair{"资本支出", "capital expenditures"},
    Pair{"信贷损失准备", "provision for credit losses"}, Pair{"拨备", "provision for credit losses"},
    Pair{"账面价值", "book value"},       Pair{"每股账面", "book value per share"},         Pair{"非利息支出", "noninterest expense"},
    Pair{"净资产收益率", "return on common equity"}, Pair{"经营活动", "operating activities"}, Pair{"现金流", "cash flow"},
    Pair{"折旧", "depreciation"},         Pair{"摊销", "amortization"},                     Pair{"手续费", "fee"},
    Pair{"年费", "annual fee"},           Pair{"利率", "interest rate"},                    Pair{"存款", "deposit"},
    Pair{"贷款", "loan"},                 Pair{"信用卡", "credit card"},                    Pair{"转账", "transfer"},
    Pair{"汇款", "remittance wire transfer"}, Pair{"提前还款", "early repayment"},          Pair{"反洗钱", "anti-money laundering"},
    Pair{"风险", "risk"},                 Pair{"员工", "employees"},                        Pair{"客户", "customers"},
    Pair{"摩根大通", "JPMorgan Chase"},   Pair{"美国水务", "American Water"},               Pair{"英特尔", "Intel"},
    Pair{"微软", "Microsoft"},            Pair{"索尼", "Sony"},                             Pair{"超威", "AMD"},
    Pair{"第二季度", "second quarter 2Q"}, Pair{"普通股", "common stock"},                  Pair{"流通", "outstanding"},
    Pair{"生物股份", "Jinyu Bio-technology"}, Pair{"基本每股收益", "basic earnings per share"}, Pair{"限额", "limit"},
    Pair{"主卡", "main card"},            Pair{"附属卡", "supplementary card"},             Pair{"挂失", "report loss"}};

constexpr std::array kAskingZh = {"请问", "我想知道", "告诉我", "是什么", "什么",   "多少", "怎么办", "怎么", "如何", "哪些", "哪个", "为什么",
                                  "是否", "可不可以", "可以", "能不能", "能否", "吗",   "呢",   "多久",   "几年", "几",   "我们", "我",   "应当",
                                  "有没有", "是多少", "？",   "?",      "，",   "。",   "的",   "了",     "会不会", "要不要"};

bool is_name_word(std::string_view word) {
  return word.size() > 1 && std::isupper(static_cast<unsigned char>(word[0])) != 0;
}

std::string bare(std::string_view word) {
  std::string out(word);
  while (!out.empty() && std::ispunct(static_cast<unsigned char>(out.back())) != 0) out.pop_back();
  while (!out.empty() && std::ispunct(static_cast<unsigned char>(out.front())) != 0) out.erase(0, 1);
  for (std::string_view tail : {"'s", "’s"})
    if (out.size() > tail.size() && out.ends_with(tail)) out.resize(out.size() - tail.size());
  return out;
}

/// Words that begin with a capital for other reasons than being a name.
bool is_common_capital(std::string_view word) {
  static const std::set<std::string, std::less<>> common = {
      "what", "which", "who", "how", "when", "where", "why", "is", "are", "was", "were", "do", "does", "did", "the", "a", "an", "by",
      "in", "on", "at", "for", "of", "can", "could", "please", "may", "if", "and", "has", "have", "should", "would", "will", "tell",
      "january", "february", "march", "april", "june", "july", "august", "september", "october", "november", "december", "ceo", "cfo",
      "article", "rule", "section", "chapter", "fy", "gaap", "usd", "cny", "rmb", "eur", "us", "i", "according", "to", "regulated",
      "businesses", "chief", "holdings", "group", "inc", "corp", "ltd", "company", "bank", "card", "account", "act", "law"};
  return common.contains(text::lower(word));
}

}  // namespace

std::vector<std::string> key_terms(std::string_view s) {
  std::vector<std::string> out;
  const std::u32string folded = text::to_utf32(text::lower(text::nfkc(s)));
  std::u32string word, han, number;
  auto flush = [&] {
    push_word(text::from_utf32(word), out);
    push_han(han, out);
    if (!number.empty()) out.push_back(text::from_utf32(number));
    word.clear();
    han.clear();
    number.clear();
  };
  for (std::size_t i = 0; i < folded.size(); ++i) {
    const char32_t c = folded[i];
    const bool joins = (c == U',' || c == U'.') && !number.empty() && i + 1 < folded.size() && ascii_digit(folded[i + 1]);
    if (joins) {
      if (c == U'.') number += c;
    } else if (ascii_digit(c)) {
      if (number.empty()) flush();
      number += c;
    } else if (text::is_cjk(c)) {
      if (han.empty()) flush();
      han += c;
    } else if (is_latin(c)) {
      if (word.empty()) flush();
      word += c;
    } else {
      flush();
    }
  }
  flush();
  return out;
}

std::set<std::string> key_term_set(std::string_view s) {
  auto terms = key_terms(s);
  return {terms.begin(), terms.end()};
}

double coverage(const std::set<std::string>& part, const std::set<std::string>& whole) {
  if (part.empty()) return 0;
  const auto held = std::count_if(part.begin(), part.end(), [&](const std::string& t) { return whole.contains(t); });
  return static_cast<double>(held) / static_cast<double>(part.size());
}

std::vector<std::string> periods(std::string_view s) {
  const std::string folded = text::lower(text::nfkc(s));
  std::vector<std::string> years;
  auto push = [](std::vector<std::string>& to, std::string value) {
    if (std::find(to.begin(), to.end(), value) == to.end()) to.push_back(std::move(value));
  };
  std::vector<std::string> quarters;
  for (std::size_t i = 0; i < folded.size(); ++i) {
    if (std::isdigit(static_cast<unsigned char>(folded[i])) == 0) continue;
    std::size_t end = i;
    while (end < folded.size() && std::isdigit(static_cast<unsigned char>(folded[end])) != 0) ++end;
    const std::string run = folded.substr(i, end - i);
    const bool grouped = (i > 0 && (folded[i - 1] == ',' || folded[i - 1] == '.')) || (end + 1 < folded.size() && folded[end] == ',' && std::isdigit(static_cast<unsigned char>(folded[end + 1])) != 0);
    if (run.size() == 4 && !grouped && (run.starts_with("19") || run.starts_with("20"))) push(years, run);
    if (run.size() == 1 && run[0] >= '1' && run[0] <= '4' && end + 2 < folded.size() && folded[end] == 'q' &&
        std::isdigit(static_cast<unsigned char>(folded[end + 1])) != 0)
      push(quarters, run + "Q" + folded.substr(end + 1, 2));
    i = end;
  }
  static constexpr std::array names = {Pair{"第一季度", "first quarter"}, Pair{"第二季度", "second quarter"}, Pair{"第三季度", "third quarter"}, Pair{"第四季度", "fourth quarter"}};
  for (std::size_t q = 0; q < names.size(); ++q)
    if ((contains(folded, names[q].zh) || contains(folded, names[q].en)) && !years.empty())
      push(quarters, std::to_string(q + 1) + "Q" + years.front().substr(2));
  return quarters.empty() ? years : quarters;
}

std::vector<std::string> digit_runs(std::string_view s) {
  std::vector<std::string> out;
  for (const auto& term : key_terms(strip_marks(s)))
    if (std::isdigit(static_cast<unsigned char>(term[0])) != 0) out.push_back(term);
  return out;
}

std::string strip_marks(std::string_view s) {
  std::string folded = replace_all(replace_all(std::string(s), "【", "["), "】", "]");
  std::string out;
  for (std::size_t i = 0; i < folded.size(); ++i) {
    if (folded[i] == '[') {
      std::size_t end = i + 1;
      while (end < folded.size() && (std::isdigit(static_cast<unsigned char>(folded[end])) != 0 || folded[end] == ',' || folded[end] == ' ')) ++end;
      if (end > i + 1 && end < folded.size() && folded[end] == ']') {
        i = end;
        while (!out.empty() && out.back() == ' ') out.pop_back();
        continue;
      }
    }
    out += folded[i];
  }
  return std::string(text::trim(out));
}

std::string keywords(std::string_view question) {
  std::string out(question);
  for (const char* word : kAskingZh) out = replace_all(std::move(out), word, " ");
  std::string kept;
  for (auto word : text::split(out, ' ')) {
    const std::string plain = bare(word);
    if (plain.empty() || stop_words().contains(text::lower(plain))) continue;
    kept += (kept.empty() ? "" : " ") + plain;
  }
  return kept;
}

std::string glossary_translation(std::string_view s) {
  const bool chinese = answer_language(s) == "zh";
  const std::string folded = text::lower(s);
  std::string out;
  for (const auto& pair : kGlossary) {
    const std::string_view from = chinese ? pair.zh : pair.en;
    if (contains(folded, text::lower(from))) out += (out.empty() ? "" : " ") + std::string(chinese ? pair.en : pair.zh);
  }
  return out;
}

std::string answer_language(std::string_view question) {
  if (text::language_of(question) == text::Language::chinese) return "zh";
  // "AMD 2015年的 net revenue 是多少" is a Chinese question: what asks decides, not the share of letters
  for (const char* word : {"多少", "什么", "吗", "呢", "如何", "怎么", "哪", "几", "是否", "请"})
    if (contains(question, word)) return "zh";
  return "en";
}

std::vector<std::string> required_names(std::string_view question) {
  std::vector<std::string> out;
  const std::string q(question);
  for (std::size_t at = q.find("《"); at != std::string::npos; at = q.find("《", at + 3)) {
    const std::size_t end = q.find("》", at);
    if (end == std::string::npos) break;
    out.push_back(q.substr(at + 3, end - at - 3));
  }
  bool first = true;
  std::string name;
  for (auto word : text::split(q, ' ')) {
    const std::string plain = bare(word);
    const bool ascii = std::all_of(plain.begin(), plain.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    const bool named = ascii && is_name_word(plain) && !is_common_capital(plain) && (!first || std::isupper(static_cast<unsigned char>(plain[1])) != 0);
    if (named) out.push_back(plain);
    first = false;
  }
  // "贵州茅台2020年…": what a question begins with, right before a year, is the one it asks about
  const std::u32string wide = text::to_utf32(q);
  std::size_t han = 0;
  while (han < wide.size() && text::is_cjk(wide[han])) ++han;
  if (han >= 3 && han <= 10 && han + 4 < wide.size() && (wide[han] == U'1' || wide[han] == U'2') && text::is_digit(wide[han + 3]))
    out.push_back(text::from_utf32(wide.substr(0, han)));
  return out;
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
  return text;
}

}  // namespace heng::pipeline
