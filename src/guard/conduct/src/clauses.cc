#include "clauses.h"

#include <algorithm>
#include <array>

#include "heng/base/text.h"
#include "heng/guard_text/normalise.h"

namespace heng::guard_conduct {
namespace {

bool letter(char c) { return c >= 'a' && c <= 'z'; }

// Words that deny or forbid what follows them in the clause.
constexpr std::string_view denials_zh[] = {"不", "非", "无", "未", "没", "勿", "莫", "别", "禁", "严禁", "不得", "不能", "不会", "不可", "不应", "不予", "并非", "绝非", "切勿", "谨防", "警惕", "防范", "拒绝",
                                           "杜绝", "远离", "避免", "打破", "取消", "难以", "无法", "勿信", "不存在", "不再", "不等于", "不代表", "不意味", "而非", "不是", "谎称", "虚假", "所谓", "误导", "声称"};
// beginnings of denials that deny nothing
constexpr std::string_view affirmations_zh[] = {"不仅", "不但", "不只", "不光", "不止", "不单", "无论", "不论", "不管", "不用担心", "不必担心", "无需担心", "不用愁", "不用怕", "没错", "不愧", "不断", "不同于", "没有比", "莫过于",
                                                "无人能及", "不久", "非常", "无比", "不错", "不要错过", "别错过", "不容错过", "无与伦比", "特别", "未来", "无疑", "不到", "别犹豫", "不要犹豫", "别担心", "不怕", "别再犹豫",
                                                "别的", "区别", "级别", "分别", "个别", "非凡", "不妨", "不限", "无忧", "没问题", "不用", "无需", "无须", "不需"};
// Words behind that turn a promise into a warning.
constexpr std::string_view warnings_zh[] = {"骗局", "诈骗", "骗人", "骗子", "陷阱", "违规", "违法", "不可信", "不要相信", "切勿相信", "不要轻信", "切勿轻信", "已被禁止", "被禁止", "是错误", "的误区", "不合规", "都是假", "是假的", "不实",
                                            "举报", "不存在", "已成为历史", "不允许", "不得", "谣言", "不可能", "时代结束", "时代已经", "成为过去", "被处罚", "被罚", "的承诺不", "的说法不", "等字样", "等表述", "等用语", "一律", "均属", "处罚",
                                            "风险提示", "投诉", "报警", "需警惕", "要警惕", "要当心", "要小心", "不靠谱", "不能信", "别信", "勿信", "不作"};
constexpr std::string_view questions_zh[] = {"吗", "么?", "是否", "有没有", "是不是", "能不能", "会不会", "保不保", "请问", "为什么", "哪些", "什么是", "怎么判断", "如何"};

constexpr std::string_view denials_en[] = {"not", "no", "never", "neither", "nor", "without", "cannot", "can't", "cant", "don't", "doesn't", "didn't", "isn't", "aren't", "won't", "wasn't", "shouldn't", "wouldn't",
                                           "couldn't", "hardly", "beware", "avoid", "unlike", "prohibited", "prohibits", "prohibit", "forbidden", "forbids", "forbid", "illegal", "unlawful", "false", "misleading", "fake",
                                           "bogus", "so-called", "none", "nobody", "nothing", "refuse", "refrain", "reject", "stop", "rather", "ban", "bans", "banned", "suspicious", "wary"};
constexpr std::string_view affirmations_en[] = {"not only", "no doubt", "not just", "no need to worry", "no matter", "no wonder", "why not", "don't miss", "don't wait", "never been", "not to mention", "no one beats", "don't worry",
                                                "no question", "nothing beats", "without doubt", "without a doubt", "no strings", "no experience"};
constexpr std::string_view warnings_en[] = {"scam", "fraud", "illegal", "prohibited", "forbidden", "not allowed", "not permitted", "is a myth", "are a myth", "red flag", "does not exist", "do not exist", "doesn't exist", "don't exist",
                                            "not possible", "impossible", "misleading", "should be reported", "report it", "too good to be true", "no such thing", "be suspicious", "be wary", "may not be", "must not", "cannot be",
                                            "can never be", "are not", "is not", "isn't", "aren't", "was fined", "were fined", "violates", "breach", "is banned", "are banned", "never trust", "don't trust", "do not trust", "don't believe"};
constexpr std::string_view questions_en[] = {"is it ", "is this ", "is the ", "is there ", "are there ", "are the ", "does ", "do you ", "do your ", "can i ", "can you ", "what is ", "what are ", "how do ", "how can ", "why ", "which ", "should i ", "are your ",
                                             "are any ", "is any ", "do any ", "will the ", "will my ", "could "};

bool word_at(std::string_view s, std::size_t at, std::size_t size) {
  return (at == 0 || !letter(s[at - 1])) && (at + size >= s.size() || !letter(s[at + size]));
}

bool has_zh(std::string_view s, const auto& words) {
  return std::any_of(std::begin(words), std::end(words), [&](std::string_view w) { return s.find(w) != std::string_view::npos; });
}
bool has_en(std::string_view s, const auto& words) {
  for (const std::string_view w : words)
    for (std::size_t at = s.find(w); at != std::string_view::npos; at = s.find(w, at + 1))
      if (word_at(s, at, w.ends_with(' ') ? w.size() - 1 : w.size())) return true;
  return false;
}

/// A Chinese denial in `left` whose reach (16 characters) touches the end of it.
bool denied_zh(std::string_view left) {
  constexpr std::size_t reach = 48;
  for (const auto word : denials_zh)
    for (std::size_t at = left.find(word); at != std::string_view::npos; at = left.find(word, at + 1)) {
      if (left.size() - at > reach) continue;
      const auto from = left.substr(at);
      const bool nothing_denied = std::any_of(std::begin(affirmations_zh), std::end(affirmations_zh), [&](std::string_view a) {
        if (from.starts_with(a)) return true;
        // "特别", "区别": the sign of denial is the end of another word
        const auto inside = a.find(word);
        return inside != std::string_view::npos && inside > 0 && at >= inside && left.substr(at - inside).starts_with(a);
      });
      if (nothing_denied) continue;
      return true;
    }
  return false;
}

bool denied_en(std::string_view left) {
  for (const auto word : denials_en)
    for (std::size_t at = left.find(word); at != std::string_view::npos; at = left.find(word, at + 1)) {
      if (!word_at(left, at, word.size()) || left.size() - at > 90) continue;
      const auto from = left.substr(at);
      if (std::none_of(std::begin(affirmations_en), std::end(affirmations_en), [&](std::string_view a) { return from.starts_with(a); })) return true;
    }
  return false;
}

bool ends_clause(std::string_view s, std::size_t i, bool sentence) {
  const std::string_view rest = s.substr(i);
  for (const std::string_view mark : {"。", "\n"})
    if (rest.starts_with(mark)) return true;
  const char c = s[i];
  if (c == '!' || c == '?' || (sentence && c == ';')) return true;
  if (c == '.' && (i + 1 >= s.size() || s[i + 1] == ' ' || s[i + 1] == '\n')) return true;
  return !sentence && (c == ',' || c == ';' || (c == ':' && i + 1 < s.size() && s[i + 1] == ' '));
}

Clause around(std::string_view s, std::size_t begin, std::size_t end, bool sentence) {
  Clause out{begin, end};
  while (out.begin > 0 && !ends_clause(s, out.begin - 1, sentence) && !(out.begin >= 3 && s.substr(out.begin - 3, 3) == "。")) --out.begin;
  while (out.end < s.size() && !ends_clause(s, out.end, sentence)) ++out.end;
  return out;
}

}  // namespace

namespace {

bool any_letter(char c) { return letter(c) || (c >= 'A' && c <= 'Z'); }

/// Where letters stand one by one ("n o  r i s k", "n-o r-i-s-k"), at least six of them: which of the marks between them to drop. Two marks
/// part words.
std::vector<bool> spaced_out(std::string_view view) {
  constexpr std::size_t least_letters = 6;
  constexpr std::string_view marks = " *._-~|+#^";
  std::vector<bool> drop(view.size());
  for (std::size_t i = 0; i < view.size();) {
    const bool alone = any_letter(view[i]) && (i == 0 || !any_letter(view[i - 1])) && (i + 1 == view.size() || !any_letter(view[i + 1]));
    if (!alone) {
      ++i;
      continue;
    }
    std::size_t letters = 1, at = i;
    std::vector<std::size_t> dropped;
    for (;;) {
      std::size_t next = at + 1;
      while (next < view.size() && next - at <= 2 && marks.find(view[next]) != std::string_view::npos) ++next;
      const bool goes_on = next > at + 1 && next < view.size() && any_letter(view[next]) && (next + 1 == view.size() || !any_letter(view[next + 1]));
      if (!goes_on) break;
      // of two marks one stays as the space between words; another mark than the one that spaces out is the text's own ("risk-free")
      if (dropped.empty() || next > at + 2 || view[at + 1] == view[dropped.front()]) dropped.push_back(at + 1);
      at = next;
      ++letters;
    }
    if (letters >= least_letters)
      for (const std::size_t mark : dropped) drop[mark] = true;
    i = at + 1;
  }
  return drop;
}

}  // namespace

Folded fold(std::string_view original) {
  const guard_text::Normalised text(original);
  const std::string_view view = text.view();
  Folded out;
  const auto drop = spaced_out(view);
  bool after_han = false;
  for (std::size_t i = 0; i < view.size();) {
    const std::size_t begin = i;
    if (drop[begin]) {
      ++i;
      continue;
    }
    const char32_t c = text::next(view, i);
    // marks put between Chinese characters to hide a word
    const bool mark = c == U' ' || c == U'*' || c == U'.' || c == U'_' || c == U'-' || c == U'~' || c == U'|' || c == U'+' || c == U'#' || c == U'^';
    if (mark && after_han && i < view.size()) {
      std::size_t next = i;
      while (next < view.size() && std::string_view(" *._-~|+#^").find(view[next]) != std::string_view::npos) ++next;
      std::size_t k = next;
      if (next < view.size() && text::is_cjk(text::next(view, k))) {
        i = next;
        continue;
      }
    }
    after_han = text::is_cjk(c);
    const auto from = static_cast<std::uint32_t>(text.original_begin(begin)), until = static_cast<std::uint32_t>(text.original_end(i));
    for (std::size_t b = begin; b < i; ++b) {
      const char byte = view[b];
      out.text += byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + 32) : byte;
      out.original.push_back(from);
      out.original_end.push_back(until);
    }
  }
  return out;
}

Clause clause_at(std::string_view s, std::size_t begin, std::size_t end) { return around(s, begin, end, false); }
Clause sentence_at(std::string_view s, std::size_t begin, std::size_t end) { return around(s, begin, end, true); }

bool is_not_promised(std::string_view s, std::size_t begin, std::size_t end) {
  const Clause clause = clause_at(s, begin, end), sentence = sentence_at(s, begin, end);
  const std::string_view left = s.substr(clause.begin, begin - clause.begin), right = s.substr(end, sentence.end - end);
  const std::string_view whole_left = s.substr(sentence.begin, begin - sentence.begin);
  if (denied_zh(left) || denied_en(left)) return true;
  if (has_zh(right, warnings_zh) || has_en(right, warnings_en)) return true;
  // a lead that holds for the rest of the sentence: "严禁宣传……", "We never promise …, …"
  for (const std::string_view lead : {"严禁", "不得", "禁止", "谨防", "警惕", "切勿", "不要相信", "不要轻信", "凡是", "任何承诺", "如遇", "如果有人", "若有人", "如有人", "请勿", "被处罚", "曾宣传"})
    if (whole_left.find(lead) != std::string_view::npos) return true;
  for (const std::string_view lead : {"never ", "must not", "do not ", "beware", "it is illegal", "prohibit", "anyone who promises", "if someone ", "if anyone ", "watch out", "fined for"})
    if (whole_left.find(lead) != std::string_view::npos && !has_en(whole_left, affirmations_en)) return true;
  // a question asks, it does not promise
  const bool asked = sentence.end < s.size() && s[sentence.end] == '?';
  const std::string_view whole = s.substr(sentence.begin, sentence.end - sentence.begin);
  if (asked && (has_zh(whole, questions_zh) || has_en(whole.substr(0, 24), questions_en))) return true;
  return whole.ends_with("吗") || whole_left.find("是否") != std::string_view::npos || whole_left.find("请问") != std::string_view::npos;
}

}  // namespace heng::guard_conduct
