#include "figures/lexicon.h"
#include "figures/scan.h"

namespace heng::guard {

namespace {

std::size_t digit_run(const FoldedText& text, std::size_t i) {
  std::size_t n = 0;
  while (n < 24 && is_ascii_digit(text.at(i + n))) ++n;
  return n;
}

/// End of "18.5.1(a)(ii)", "4A", "12-13" at `i`, or `i`.
std::size_t reference_number(const FoldedText& text, std::size_t i) {
  std::size_t at = i;
  while (at - i < 40) {
    const char32_t c = text.at(at);
    const bool joint = (c == U'.' || c == U'-') && is_ascii_word(text.at(at + 1));
    if (is_ascii_digit(c) || joint) {
      ++at;
    } else if (c == U'(' && (is_ascii_word(text.at(at + 1)))) {
      std::size_t close = at + 1;
      while (is_ascii_word(text.at(close)) && close - at < 6) ++close;
      if (text.at(close) != U')') break;
      at = close + 1;
    } else if (is_ascii_letter(c) && at > i && !is_ascii_letter(text.at(at + 1)) && is_ascii_digit(text.at(at - 1))) {
      ++at;
    } else {
      break;
    }
  }
  return at;
}

/// "Rule 18.5.1", "Sections 4 and 5", "Note 12", "Tier 1": the whole of it.
std::size_t english_reference(const FoldedText& text, std::size_t i) {
  constexpr std::u32string_view words[] = {
      U"rules",     U"rule",     U"sections", U"section", U"sec.",     U"articles", U"article", U"art.",   U"chapters",
      U"chapter",   U"clauses",  U"clause",   U"paragraphs", U"paragraph", U"para", U"appendix", U"annex", U"schedule",
      U"note",      U"notes",    U"table",    U"figure",  U"page",     U"pages",    U"items",   U"item",   U"part",
      U"exhibit",   U"form",     U"version",  U"level",   U"tier",     U"step",     U"number",  U"no.",    U"nos.",
      U"asu",       U"asc",      U"ifrs",     U"ias",     U"regulation", U"directive", U"topic", U"category", U"class",
      U"pillar",    U"phase",    U"stage",    U"option",  U"question", U"example",  U"s&p",     U"russell", U"basel",
      U"footnote",  U"passage",  U"source",   U"document", U"volume",  U"line",     U"cfr",     U"scope",   U"series",  U"grade",   U"type",    U"plan",    U"zone",  U"#"};
  if (i > 0 && is_ascii_word(text.at(i - 1))) return i;
  for (const auto word : words) {
    if (!word_at(text, i, word)) continue;
    std::size_t at = skip_blanks(text, i + word.size(), 1);
    std::size_t end = reference_number(text, at);
    if (end == at) continue;
    // "and 18.5.2", ", 7": further ones need a point or a bracket, so that "Note 5 and 30 days" stays two things
    for (int more = 0; more < 20; ++more) {
      at = end;
      if (text.at(at) == U',') ++at;
      at = skip_blanks(text, at, 1);
      for (const auto joint : {U"and ", U"or ", U"to "})
        if (std::u32string_view(text.folded).substr(at, std::u32string_view(joint).size()) == joint)
          at += std::u32string_view(joint).size();
      const std::size_t next = reference_number(text, at);
      if (next == at || next == at + digit_run(text, at) || next <= end) break;
      end = next;
    }
    return end;
  }
  return i;
}

/// 第三条, 第12页; but 第三季度 is a date.
std::size_t chinese_reference(const FoldedText& text, std::size_t i) {
  if (text.at(i) != U'第') return i;
  std::size_t at = skip_blanks(text, i + 1, 1);
  if (const auto digits = digits_at(text, at)) {
    at = digits->end;
  } else if (const auto number = chinese_number_at(text, at)) {
    at = number->end;
  } else {
    return i;
  }
  if (word_at(text, at, U"季度")) return i;
  constexpr std::u32string_view heads = U"条章节款项号编期页部届次步批类目点名位代大层级阶版例届年天个种张轮";
  at = skip_blanks(text, at, 1);
  return heads.find(text.at(at)) != std::u32string_view::npos ? at + 1 : at;
}

std::size_t web_address(const FoldedText& text, std::size_t i) {
  for (const auto word : {U"http://", U"https://", U"www."}) {
    const std::u32string_view name(word);
    if (std::u32string_view(text.folded).substr(i, name.size()) != name) continue;
    std::size_t at = i;
    while (at < text.size() && text.at(at) > U' ' && text.at(at) < 0x80) ++at;
    return at;
  }
  return i;
}

/// "1. ", "1) ", "(1) ", "1、", "一、", "（一）" at the start of a line.
std::size_t list_number(const FoldedText& text, std::size_t i) {
  std::size_t at = i;
  const bool bracket = text.at(at) == U'(';
  if (bracket) ++at;
  std::size_t end = at + digit_run(text, at);
  if (end == at) {
    const auto number = chinese_number_at(text, at);
    if (!number || number->end - at > 3) return i;
    end = number->end;
  } else if (end - at > 2) {
    return i;
  }
  const char32_t stop = text.at(end), after = text.at(end + 1);
  // "(1)" in running text counts too where a word follows: "(1) proof of income"
  if (bracket) {
    if (stop != U')') return i;
    const std::size_t next = skip_blanks(text, end + 1, 1);
    if (unit_at(text, next) || currency_after(text, next) || text.at(next) == U'|' || text.at(next) == U'%') return i;
    return is_line_start(text, i) || text.at(next) > U'9' ? end + 1 : i;
  }
  if (!is_line_start(text, i)) return i;
  if (stop == U'、') return end + 1;
  if ((stop == U'.' || stop == U')') && !is_ascii_digit(after)) return end + 1;
  return i;
}

/// "[1]", "[1, 3]", "[1][2]" is taken piece by piece.
std::size_t citation_mark(const FoldedText& text, std::size_t i) {
  if (text.at(i) != U'[' && text.at(i) != U'【') return i;
  std::size_t at = i + 1;
  bool any = false;
  while (at - i < 24 && (is_ascii_digit(text.at(at)) || text.at(at) == U',' || text.at(at) == U' ' || text.at(at) == U'-' ||
                         text.at(at) == U'、')) {
    any = any || is_ascii_digit(text.at(at));
    ++at;
  }
  return any && (text.at(at) == U']' || text.at(at) == U'】') ? at + 1 : i;
}

/// 10-K, 401(k), 18.5.1, 600201.SH, 【2026】9号, 3M-like codes.
std::size_t code_at(const FoldedText& text, std::size_t i) {
  const std::size_t n = digit_run(text, i);
  if (n == 0) return i;
  std::size_t at = i + n;
  // two points or more make a section number, unless it is a date (tried before)
  int points = 0;
  while (text.at(at) == U'.' && is_ascii_digit(text.at(at + 1))) {
    ++points;
    at += 1 + digit_run(text, at + 1);
  }
  if (points >= 2) return reference_number(text, i);
  if (points == 0 && text.at(at) == U'-' && is_ascii_letter(text.at(at + 1)) && !is_ascii_letter(text.at(at + 2))) return at + 2;
  if (points == 0 && text.at(at) == U'(' && is_ascii_letter(text.at(at + 1)) && text.at(at + 2) == U')') return at + 3;
  if (n == 6 && text.at(at) == U'.' && (word_at(text, at + 1, U"sh") || word_at(text, at + 1, U"sz") || word_at(text, at + 1, U"bj")))
    return at + 3;
  if (text.at(at) == U'号' && n <= 4 && !is_ascii_digit(text.at(at + 1))) return at + 1;
  return i;
}

/// Words whose digits are names: "COVID-19", "T+1", "A4", 沪深300, 股票代码600519.
bool digits_belong_to_word(const FoldedText& text, std::size_t i) {
  if (i == 0) return false;
  const char32_t before = text.at(i - 1);
  if (is_ascii_letter(before) || before == U'_') return true;
  if ((before == U'-' || before == U'+' || before == U'/') && i > 1 && is_ascii_letter(text.at(i - 2))) return true;
  for (const auto word : {U"沪深", U"中证", U"上证", U"代码", U"代码:", U"代码为", U"科创", U"创业板", U"编号", U"编号:", U"编号为"}) {
    const std::u32string_view name(word);
    if (i >= name.size() && std::u32string_view(text.folded).substr(i - name.size(), name.size()) == name) return true;
  }
  return false;
}

bool hotline_word_before(const FoldedText& text, std::size_t i) {
  const std::size_t begin = i > 16 ? i - 16 : 0;
  const auto window = std::u32string_view(text.folded).substr(begin, i - begin);
  for (const auto word : {U"热线", U"电话", U"客服", U"拨打", U"致电", U"hotline", U"call", U"tel", U"phone", U"dial"})
    if (window.find(word) != std::u32string_view::npos) return true;
  return false;
}

}  // namespace

bool is_line_start(const FoldedText& text, std::size_t i) {
  while (i > 0 && (is_blank(text.at(i - 1)) || text.at(i - 1) == U'*' || text.at(i - 1) == U'-')) --i;
  return i == 0 || is_line_end(text.at(i - 1));
}

std::size_t skip_reference(const FoldedText& text, std::size_t i) {
  for (const auto finder : {web_address, citation_mark, chinese_reference, english_reference, list_number, code_at})
    if (const std::size_t end = finder(text, i); end > i) return end;
  if (is_ascii_digit(text.at(i)) && digits_belong_to_word(text, i)) {
    std::size_t at = i;
    while (is_ascii_word(text.at(at))) ++at;
    return at;
  }
  return i;
}

PhoneMatch phone_at(const FoldedText& text, std::size_t i) {
  if (i > 0 && (is_ascii_word(text.at(i - 1)) || text.at(i - 1) == U'.' || text.at(i - 1) == U'$' || text.at(i - 1) == U'¥')) return {};
  std::string digits;
  std::size_t at = i, end = i, joints = 0, last_run = 0;
  if (text.at(at) == U'+' || text.at(at) == U'(') ++at;
  if (!is_ascii_digit(text.at(at))) return {};
  while (digits.size() < 16) {
    const char32_t c = text.at(at);
    if (is_ascii_digit(c)) {
      digits += static_cast<char>(c);
      end = ++at;
      ++last_run;
    } else if ((c == U'-' || c == U' ' || c == U')') && last_run >= 1 && last_run <= 5 &&
               (is_ascii_digit(text.at(at + 1)) || (c == U')' && text.at(at + 1) == U' ' && is_ascii_digit(text.at(at + 2))))) {
      at += c == U')' && text.at(at + 1) == U' ' ? 2 : 1;
      ++joints;
      last_run = 0;
    } else {
      break;
    }
  }
  const char32_t after = text.at(end);
  if (after == U'.' && is_ascii_digit(text.at(end + 1))) return {};
  if (after == U',' || after == U'%' || is_ascii_letter(after)) return {};
  if (scale_at(text, end) || unit_at(text, skip_blanks(text, end, 1)) || currency_after(text, end)) return {};
  const bool mobile = digits.size() == 11 && digits[0] == '1' && digits[1] >= '3' && (joints == 0 || joints == 2);
  const bool free_call = digits.size() == 10 && (digits.starts_with("400") || digits.starts_with("800")) && joints != 1;
  const bool area = digits.size() >= 10 && digits.size() <= 12 && digits[0] == '0' && joints == 1 && last_run >= 7;
  const bool international = text.at(i) == U'+' && digits.size() >= 9;
  const bool american = (digits.size() == 10 || (digits.size() == 11 && digits[0] == '1')) && joints >= 2 && last_run == 4;
  const bool hotline = digits.size() >= 3 && digits.size() <= 13 && joints <= 3 && hotline_word_before(text, i) &&
                       (digits.size() >= 5 || digits.size() == 3);
  if (!mobile && !free_call && !area && !international && !american && !hotline) return {};
  return {digits, end};
}

}  // namespace heng::guard
