#include <algorithm>

#include <re2/re2.h>

#include "compute.h"
#include "words.h"

namespace heng::pipeline {
namespace {

bool matches(const std::string& s, const re2::RE2& pattern) { return re2::RE2::PartialMatch(s, pattern); }

struct Patterns {
  re2::RE2 growth{"(?i)(percentage|percent|%|growth rate|growth in|year.over.year).*(grow|grew|growth|fall|fell|rise|rose|increase|decrease|change|drop|decline)"
                  "|(?i)(grow|grew|growth|fall|fell|rise|rose|increase|decrease|change|drop|decline).*(percentage|percent|%|rate)"
                  "|(增长|下降|减少|增加|上升|变动|下滑|降低|提高)了?(百分之多少|百分之几|多少个?百分|多少%|的?百分比)|增长率|增幅|降幅|同比(增长|下降)多少"};
  re2::RE2 difference{"(?i)(how much (lower|higher|more|less|larger|smaller)|by how much|difference between|how much did .*(rise|fall|increase|decrease|grow|change|drop))"
                      "|(增加|减少|下降|增长|上升|多|少|相差)了?多少|差额|相差"};
  re2::RE2 ratio{"(?i)as (a|the) (percentage|share|proportion|percent) of|ratio of .+ to |as a % of|margin"
                 "|占.+的?(比例|比重|百分之|百分比|多少)|毛利率|净利率"};
  re2::RE2 sum{"(?i)(total of|sum of|combined|altogether)|合计|之和|加起来|总共"};
  re2::RE2 ratio_en{"(?i)(?:what (?:was|is|were) )?(?:the )?(.+?) as (?:a|the) (?:percentage|share|proportion|percent|%) of (.+)"};
  re2::RE2 ratio_zh{"(.+?)占(.+?)的?(?:比例|比重|百分之|百分比|多少)"};
  re2::RE2 interest_zh{"([0-9][0-9,.]*)\\s*(万|亿)?元?.*?年?利率[^0-9]*([0-9.]+)\\s*%.*?([0-9]+)\\s*(年|个月|天)"};
  re2::RE2 interest_en{"(?i)interest on (?:[a-z$¥€£ ]*)([0-9][0-9,.]*)( million| thousand)? .*?([0-9.]+)\\s*(?:%|percent).*?([0-9]+)\\s*(year|month|day)"};
};
const Patterns& patterns() {
  static const Patterns all;
  return all;
}

std::string interest_expression(const std::string& question) {
  std::string principal, scale, rate, span, unit;
  const auto& p = patterns();
  const bool zh = re2::RE2::PartialMatch(question, p.interest_zh, &principal, &scale, &rate, &span, &unit) && contains(question, "利息");
  if (!zh && !re2::RE2::PartialMatch(question, p.interest_en, &principal, &scale, &rate, &span, &unit)) return {};
  std::string out = replace_all(principal, ",", "");
  if (scale == "万") out += " * 10000";
  if (scale == "亿") out += " * 100000000";
  if (scale == " million") out += " * 1000000";
  if (scale == " thousand") out += " * 1000";
  out += " * " + rate + " / 100 * " + span;
  if (unit == "个月" || unit == "month") out += " / 12";
  if (unit == "天" || unit == "day") out += " / 365";
  return out;
}

/// Words that name the change, not what changes.
std::string metric_of(const std::string& question) {
  static const re2::RE2 noise(
      "(?i)by what percentage|by how much|how much|percentage|percent|growth rate|growth|decline|increase|decrease|change[ds]?|did|grow|grew|fall|fell|rise|rose|drop|"
      "lower|higher|from|between|compared|per cent|million[s]?|%|margin"
      "|百分之多少|百分之几|多少|百分比|增长率|增长|下降|减少|增加|上升|降低|提高|变动|同比|比上年|相比|比|年末|年|了|元|公司|的|是");
  std::string out = question;
  re2::RE2::GlobalReplace(&out, noise, " ");
  for (const auto& period : periods(question)) out = replace_all(out, period, " ");
  return keywords(out);
}

}  // namespace

CalculationAsked recognise(const std::string& question) {
  CalculationAsked out;
  const auto& p = patterns();
  out.periods = periods(question);
  std::sort(out.periods.begin(), out.periods.end(), [](const std::string& a, const std::string& b) {
    auto key = [](const std::string& s) { return s.size() == 4 && s[1] == 'Q' ? "20" + s.substr(2) + s.substr(0, 1) : s; };
    return key(a) < key(b);
  });
  if (auto expression = interest_expression(question); !expression.empty()) {
    out.operation = Operation::interest;
    out.expression = expression;
    return out;
  }
  if (matches(question, p.ratio)) {
    out.operation = Operation::ratio;
    if (re2::RE2::PartialMatch(question, p.ratio_en, &out.metric, &out.base) || re2::RE2::PartialMatch(question, p.ratio_zh, &out.metric, &out.base)) {
      out.metric = metric_of(out.metric);
      out.base = metric_of(out.base);
    } else {
      out.operation = Operation::none;  // a margin by name is looked up, or left to the model's proposal
    }
    return out;
  }
  if (matches(question, p.growth)) out.operation = Operation::growth;
  else if (matches(question, p.difference)) out.operation = Operation::difference;
  else if (matches(question, p.sum)) out.operation = Operation::sum;
  if (out.operation != Operation::none) out.metric = metric_of(question);
  return out;
}

}  // namespace heng::pipeline
