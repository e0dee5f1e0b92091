#include "figures/lexicon.h"

#include <array>

#include "heng/base/text.h"

namespace heng::guard {

namespace {

struct CurrencyName {
  std::u32string_view word;
  const char* code;
  bool before, after;
};

// longer ones first where one begins another
constexpr CurrencyName currencies[] = {
    {U"人民币", "CNY", true, true}, {U"rmb", "CNY", true, true},   {U"cny", "CNY", true, true},
    {U"cn¥", "CNY", true, false},   {U"us$", "USD", true, false},  {U"u.s.$", "USD", true, false},
    {U"hk$", "HKD", true, false},   {U"nt$", "TWD", true, false},  {U"s$", "SGD", true, false},
    {U"a$", "AUD", true, false},    {U"au$", "AUD", true, false},  {U"c$", "CAD", true, false},
    {U"jp¥", "JPY", true, false},   {U"usd", "USD", true, true},   {U"hkd", "HKD", true, true},
    {U"eur", "EUR", true, true},    {U"gbp", "GBP", true, true},   {U"jpy", "JPY", true, true},
    {U"aed", "AED", true, true},    {U"sgd", "SGD", true, true},   {U"aud", "AUD", true, true},
    {U"cad", "CAD", true, true},    {U"chf", "CHF", true, true},   {U"inr", "INR", true, true},
    {U"krw", "KRW", true, true},    {U"twd", "TWD", true, true},   {U"mop", "MOP", true, true},
    {U"$", "USD", true, false},     {U"¥", "CNY", true, false},    {U"€", "EUR", true, true},
    {U"£", "GBP", true, true},      {U"₩", "KRW", true, false},    {U"₹", "INR", true, false},
    {U"美元", "USD", true, true},   {U"美金", "USD", true, true},  {U"港元", "HKD", true, true},
    {U"港币", "HKD", true, true},   {U"欧元", "EUR", true, true},  {U"日元", "JPY", true, true},
    {U"英镑", "GBP", true, true},   {U"新加坡元", "SGD", true, true}, {U"澳元", "AUD", true, true},
    {U"澳大利亚元", "AUD", true, true}, {U"加元", "CAD", true, true}, {U"瑞士法郎", "CHF", true, true},
    {U"韩元", "KRW", true, true},   {U"新台币", "TWD", true, true}, {U"澳门元", "MOP", true, true},
    {U"迪拉姆", "AED", true, true}, {U"元人民币", "CNY", false, true}, {U"元", "CNY", false, true},
    {U"圆", "CNY", false, true},    {U"块钱", "CNY", false, true}, {U"块", "CNY", false, true},
    {U"us dollars", "USD", false, true}, {U"u.s. dollars", "USD", false, true}, {U"hong kong dollars", "HKD", false, true},
    {U"dollars", "USD", false, true}, {U"dollar", "USD", false, true}, {U"yuan", "CNY", false, true},
    {U"renminbi", "CNY", true, true}, {U"euros", "EUR", false, true}, {U"euro", "EUR", false, true},
    {U"pounds", "GBP", false, true}, {U"yen", "JPY", false, true}, {U"dirhams", "AED", false, true},
};

struct ScaleName {
  std::u32string_view word;
  std::int64_t scale;
  bool needs_money;
};
constexpr std::int64_t ten_thousand = 10'000, hundred_million = 100'000'000, million = 1'000'000,
                       billion = 1'000'000'000, trillion = 1'000'000'000'000;
constexpr ScaleName scales[] = {
    {U"万亿", trillion, false},      {U"千亿", 100 * billion, false}, {U"百亿", 10 * billion, false},
    {U"十亿", billion, false},       {U"千万", 10 * million, false},  {U"百万", million, false},
    {U"十万", 100'000, false},       {U"亿", hundred_million, false}, {U"万", ten_thousand, false},
    {U"千", 1000, false},            {U"百", 100, false},             {U"trillion", trillion, false},
    {U"billion", billion, false},    {U"million", million, false},    {U"thousand", 1000, false},
    {U"hundred", 100, false},        {U"mln", million, false},        {U"bln", billion, false},
    {U"mn", million, false},         {U"mm", million, true},          {U"bn", billion, false},
    {U"tn", trillion, false},        {U"trn", trillion, false},       {U"m", million, true},
    {U"b", billion, true},           {U"k", 1000, true},
};

struct UnitName {
  std::u32string_view word;
  FigureKind kind;
  const char* unit;
  int places;  ///< Factor 10^-places.
};
using K = FigureKind;
constexpr UnitName units[] = {
    {U"个百分点", K::percentage_point, "percentage point", 2}, {U"百分点", K::percentage_point, "percentage point", 2},
    {U"percentage points", K::percentage_point, "percentage point", 2},
    {U"percentage point", K::percentage_point, "percentage point", 2},
    {U"percentage-point", K::percentage_point, "percentage point", 2},
    {U"ppts", K::percentage_point, "percentage point", 2}, {U"ppt", K::percentage_point, "percentage point", 2},
    {U"pps", K::percentage_point, "percentage point", 2}, {U"pp", K::percentage_point, "percentage point", 2},
    {U"% points", K::percentage_point, "percentage point", 2},
    {U"%", K::percent, "percent", 2}, {U"percent", K::percent, "percent", 2}, {U"per cent", K::percent, "percent", 2},
    {U"pct", K::percent, "percent", 2}, {U"‰", K::percent, "percent", 3}, {U"成", K::percent, "percent", 1},
    {U"个基点", K::basis_point, "bp", 4}, {U"基点", K::basis_point, "bp", 4}, {U"basis points", K::basis_point, "bp", 4},
    {U"basis point", K::basis_point, "bp", 4}, {U"basis-point", K::basis_point, "bp", 4}, {U"bps", K::basis_point, "bp", 4},
    {U"bp", K::basis_point, "bp", 4}, {U"个bp", K::basis_point, "bp", 4},
    {U"倍", K::multiple, "times", 0}, {U"times", K::multiple, "times", 0}, {U"-fold", K::multiple, "times", 0},
    {U"fold", K::multiple, "times", 0}, {U"x", K::multiple, "times", 0}, {U"×", K::multiple, "times", 0},
    {U"折", K::discount, "", 1},
    {U"个工作日", K::duration, "workday", 0}, {U"工作日", K::duration, "workday", 0},
    {U"个交易日", K::duration, "workday", 0}, {U"交易日", K::duration, "workday", 0}, {U"个营业日", K::duration, "workday", 0},
    {U"business days", K::duration, "workday", 0}, {U"business day", K::duration, "workday", 0},
    {U"working days", K::duration, "workday", 0}, {U"working day", K::duration, "workday", 0},
    {U"trading days", K::duration, "workday", 0}, {U"trading day", K::duration, "workday", 0},
    {U"business-day", K::duration, "workday", 0},
    {U"个自然日", K::duration, "day", 0}, {U"自然日", K::duration, "day", 0}, {U"个日历日", K::duration, "day", 0},
    {U"calendar days", K::duration, "day", 0}, {U"calendar day", K::duration, "day", 0}, {U"days", K::duration, "day", 0},
    {U"day", K::duration, "day", 0}, {U"天", K::duration, "day", 0}, {U"日", K::duration, "day", 0},
    {U"个月", K::duration, "month", 0}, {U"months", K::duration, "month", 0}, {U"month", K::duration, "month", 0},
    {U"个季度", K::duration, "quarter", 0}, {U"quarters", K::duration, "quarter", 0},
    {U"个年度", K::duration, "year", 0}, {U"周年", K::duration, "year", 0}, {U"年", K::duration, "year", 0},
    {U"years", K::duration, "year", 0}, {U"year", K::duration, "year", 0}, {U"yrs", K::duration, "year", 0},
    {U"个星期", K::duration, "week", 0}, {U"星期", K::duration, "week", 0}, {U"周", K::duration, "week", 0},
    {U"weeks", K::duration, "week", 0}, {U"week", K::duration, "week", 0},
    {U"个小时", K::duration, "hour", 0}, {U"小时", K::duration, "hour", 0}, {U"hours", K::duration, "hour", 0},
    {U"hour", K::duration, "hour", 0}, {U"分钟", K::duration, "minute", 0}, {U"minutes", K::duration, "minute", 0},
    {U"minute", K::duration, "minute", 0}, {U"秒", K::duration, "second", 0}, {U"seconds", K::duration, "second", 0},
    {U"second", K::duration, "second", 0},
    {U"周岁", K::number, "岁", 0}, {U"岁", K::number, "岁", 0},
    {U"个人", K::number, "人", 0}, {U"人次", K::number, "人次", 0}, {U"人", K::number, "人", 0}, {U"名", K::number, "人", 0},
    {U"位", K::number, "人", 0}, {U"员", K::number, "人", 0}, {U"家", K::number, "家", 0}, {U"户", K::number, "户", 0},
    {U"笔", K::number, "笔", 0}, {U"次", K::number, "次", 0}, {U"项", K::number, "项", 0}, {U"种", K::number, "种", 0},
    {U"类", K::number, "种", 0}, {U"条", K::number, "条", 0}, {U"张", K::number, "张", 0}, {U"份", K::number, "份", 0},
    {U"股", K::number, "股", 0}, {U"只", K::number, "只", 0}, {U"支", K::number, "只", 0}, {U"台", K::number, "台", 0},
    {U"套", K::number, "套", 0}, {U"件", K::number, "件", 0}, {U"辆", K::number, "辆", 0}, {U"平方米", K::number, "平方米", 0},
    {U"公里", K::number, "公里", 0}, {U"吨", K::number, "吨", 0}, {U"亩", K::number, "亩", 0}, {U"级", K::number, "级", 0},
    {U"期", K::number, "期", 0}, {U"手", K::number, "手", 0}, {U"步", K::number, "步", 0}, {U"处", K::number, "处", 0},
    {U"个", K::number, "个", 0},
    {U"shares", K::number, "股", 0}, {U"employees", K::number, "人", 0}, {U"people", K::number, "人", 0},
    {U"persons", K::number, "人", 0}, {U"customers", K::number, "customers", 0}, {U"branches", K::number, "branches", 0},
    {U"countries", K::number, "countries", 0}, {U"states", K::number, "states", 0},
};

constexpr std::u32string_view month_names[] = {U"january", U"february", U"march",     U"april",   U"may",      U"june",
                                               U"july",    U"august",   U"september", U"october", U"november", U"december"};

}  // namespace

std::optional<CurrencyWord> currency_before(const FoldedText& text, std::size_t i) {
  for (const auto& c : currencies)
    if (c.before && std::u32string_view(text.folded).substr(i, c.word.size()) == c.word)
      return CurrencyWord{c.code, c.word.size()};
  return std::nullopt;
}

std::optional<CurrencyWord> currency_after(const FoldedText& text, std::size_t i) {
  for (const auto& c : currencies)
    if (c.after && word_at(text, i, c.word)) return CurrencyWord{c.code, c.word.size()};
  return std::nullopt;
}

std::optional<ScaleWord> scale_at(const FoldedText& text, std::size_t i) {
  for (const auto& s : scales)
    if (word_at(text, i, s.word)) return ScaleWord{Decimal(s.scale), s.word.size(), s.needs_money};
  return std::nullopt;
}

std::optional<UnitWord> unit_at(const FoldedText& text, std::size_t i) {
  for (const auto& u : units) {
    if (!word_at(text, i, u.word)) continue;
    const char32_t next = text.at(i + u.word.size());
    // 成立, 次日, 位于, 人民币, 个人 and the like are other words
    if (u.word == U"成" && (next == U'立' || next == U'为' || next == U'功' || next == U'员' || next == U'本')) continue;
    if (u.word == U"人" && next == U'民') continue;
    if (u.word == U"位" && (next == U'于' || next == U'数')) continue;
    if (u.word == U"名" && (next == U'义' || next == U'称')) continue;
    if (u.word == U"周" && next == U'岁') continue;
    if (u.word == U"日" && next == U'元') continue;
    if (u.word == U"级" && next == U'别') continue;
    if (u.word == U"期" && next == U'货') continue;
    return UnitWord{u.kind, u.unit, u.places == 0 ? Decimal(1) : Decimal::from_parts(1, u.places), u.word.size()};
  }
  return std::nullopt;
}

MonthWord month_at(const FoldedText& text, std::size_t i) {
  for (int m = 0; m < 12; ++m) {
    const auto name = month_names[m];
    if (word_at(text, i, name)) return {m + 1, name.size()};
    const std::size_t abbreviated = word_at(text, i, U"sept") ? 4 : 3;
    if (word_at(text, i, name.substr(0, abbreviated)) && name != U"may")
      return {m + 1, abbreviated + (text.at(i + abbreviated) == U'.' ? 1 : 0)};
  }
  return {};
}

int chinese_digit(char32_t c) {
  constexpr std::u32string_view plain = U"〇一二三四五六七八九", formal = U"零壹贰叁肆伍陆柒捌玖";
  if (const auto at = plain.find(c); at != std::u32string_view::npos) return static_cast<int>(at);
  if (const auto at = formal.find(c); at != std::u32string_view::npos) return static_cast<int>(at);
  return c == U'两' ? 2 : -1;
}

std::int64_t chinese_unit(char32_t c) {
  switch (c) {
    case U'十': case U'拾': return 10;
    case U'百': case U'佰': return 100;
    case U'千': case U'仟': return 1000;
    case U'万': case U'萬': return ten_thousand;
    case U'亿': case U'億': return hundred_million;
    default: return 0;
  }
}

bool is_vague_classifier(std::string_view unit) {
  return unit == "个" || unit == "人" || unit == "家" || unit == "户" || unit == "笔" || unit == "次" || unit == "项" ||
         unit == "种" || unit == "条" || unit == "张" || unit == "份" || unit == "只" || unit == "台" || unit == "套" ||
         unit == "件" || unit == "级" || unit == "期" || unit == "手" || unit == "步" || unit == "处";
}

}  // namespace heng::guard
