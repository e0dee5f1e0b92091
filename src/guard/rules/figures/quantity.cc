#include <algorithm>

#include "figures/match.h"
#include "heng/base/text.h"

namespace heng::guard {

namespace {

using K = FigureKind;

std::string year_of(const std::string& date) { return date.size() >= 4 && date[0] != '-' ? date.substr(0, 4) : ""; }
std::string part_of(const std::string& date) { return date[0] == '-' ? date : date.size() > 4 ? date.substr(4) : ""; }

int quarter_of_month(const std::string& part) {
  if (part.size() < 3 || part[1] < '0' || part[1] > '1') return 0;
  return (std::stoi(part.substr(1, 2)) + 2) / 3;
}

bool is_ratio(K kind) { return kind == K::percent || kind == K::percentage_point || kind == K::basis_point; }

bool is_bare(const ExtractedFigure& f) { return f.kind == K::number && (f.unit.empty() || f.unit == "个"); }

/// Durations in seconds-free common units: months for months and longer, hours below; workdays stay apart.
bool same_duration(const ExtractedFigure& a, const ExtractedFigure& b) {
  const auto common = [](const ExtractedFigure& f, std::string& unit) -> Decimal {
    static constexpr std::pair<const char*, std::pair<const char*, int>> table[] = {
        {"year", {"month", 12}}, {"quarter", {"month", 3}}, {"month", {"month", 1}}, {"week", {"hour", 168}},
        {"day", {"hour", 24}},   {"hour", {"hour", 1}}};
    for (const auto& [name, to] : table)
      if (f.unit == name) {
        unit = to.first;
        if (auto value = Decimal::multiply(f.value, Decimal(to.second))) return *value;
      }
    if (unit.empty()) unit = f.unit;
    return f.value;
  };
  std::string unit_a, unit_b;
  const Decimal value_a = common(a, unit_a), value_b = common(b, unit_b);
  if (unit_a == unit_b) return value_a == value_b;
  // 60 minutes is one hour
  const auto seconds = [](const std::string& unit) { return unit == "hour" ? 3600 : unit == "minute" ? 60 : unit == "second" ? 1 : 0; };
  if (seconds(unit_a) == 0 || seconds(unit_b) == 0) return false;
  auto total_a = Decimal::multiply(value_a, Decimal(seconds(unit_a))), total_b = Decimal::multiply(value_b, Decimal(seconds(unit_b)));
  return total_a && total_b && *total_a == *total_b;
}

bool units_compatible(const ExtractedFigure& a, const ExtractedFigure& b) {
  if (is_ratio(a.kind) && is_ratio(b.kind)) {
    // half a percentage point is not half a percent; basis points say either
    return a.kind == b.kind || a.kind == K::basis_point || b.kind == K::basis_point;
  }
  if (a.kind == K::amount && b.kind == K::amount) return a.unit == b.unit;
  if (a.kind == K::amount && is_bare(b)) return true;
  if (b.kind == K::amount && is_bare(a)) return true;
  if (a.kind == K::number && b.kind == K::number)
    return a.unit.empty() || b.unit.empty() || a.unit == b.unit || a.unit == "个" || b.unit == "个" || (a.spelled && b.spelled);
  // "85 percent" of a cell that holds the ratio 0.85; "1.5 times" of a bare 1.5
  if (is_ratio(a.kind) && is_bare(b)) return b.value.abs() < Decimal(1) && b.value.scale() > 0;
  if (a.kind == K::multiple && is_bare(b)) return true;
  if (b.kind == K::multiple && is_bare(a)) return true;
  return a.kind == b.kind;
}

}  // namespace

bool date_covers(const std::string& a, const std::string& b) {
  if (a == b) return true;
  if (a.empty() || b.empty()) return false;
  if (a[0] == '-') return b.ends_with(a);
  if (b[0] == '-') return false;
  return b.size() > a.size() && b.starts_with(a) && b[a.size()] == '-';
}

bool dates_agree(const std::string& a, const std::string& b) {
  if (a.empty() || b.empty()) return true;
  const std::string year_a = year_of(a), year_b = year_of(b);
  if (!year_a.empty() && !year_b.empty() && year_a != year_b) return false;
  const std::string part_a = part_of(a), part_b = part_of(b);
  if (part_a.empty() || part_b.empty() || part_a == part_b) return true;
  if (part_a.starts_with(part_b) || part_b.starts_with(part_a)) return true;
  // a quarter agrees with the months in it
  if (part_a[1] == 'Q' && quarter_of_month(part_b) != 0) return part_a[2] - '0' == quarter_of_month(part_b);
  if (part_b[1] == 'Q' && quarter_of_month(part_a) != 0) return part_b[2] - '0' == quarter_of_month(part_a);
  if ((part_a[1] == 'H' || part_a[1] == '9') && quarter_of_month(part_b) != 0) return true;
  if ((part_b[1] == 'H' || part_b[1] == '9') && quarter_of_month(part_a) != 0) return true;
  return false;
}

bool same_quantity(const ExtractedFigure& written, const ExtractedFigure& source) {
  if (written.kind == K::date) return source.kind == K::date && date_covers(written.date, source.date);
  if (written.kind == K::clock) return source.kind == K::clock && written.date == source.date;
  if (written.kind == K::phone || source.kind == K::phone) {
    const std::string& a = written.digits;
    if (written.kind == K::phone && source.kind == K::phone)
      return a == source.digits || (std::min(a.size(), source.digits.size()) >= 8 && (a.ends_with(source.digits) || source.digits.ends_with(a)));
    const auto& plain = written.kind == K::phone ? source : written;
    return is_bare(plain) && plain.value.to_string() == (written.kind == K::phone ? a : source.digits);
  }
  // a bare year in a cell may be a count
  if (source.kind == K::date)
    return written.kind == K::number && written.unit.empty() && source.date == written.value.to_string();
  if (written.kind == K::duration || source.kind == K::duration)
    return written.kind == source.kind && same_duration(written, source);
  if (!units_compatible(written, source)) return false;
  const Decimal a = written.value.abs(), b = source.value.abs();
  if (a == b) return true;
  if (a.is_zero() || b.is_zero() || written.step.is_zero()) return false;
  Decimal step = written.step;
  auto mantissa = Decimal::divide(a, step, 0);
  if (!mantissa) return false;
  // 约 300 million: trailing zeros are not meant exactly
  if (written.approximate)
    while (*mantissa > Decimal(10)) {
      auto tenth = Decimal::divide(*mantissa, Decimal(10), 1);
      if (!tenth || !(tenth->round(0) == *tenth)) break;
      mantissa = *tenth;
      auto larger = Decimal::multiply(step, Decimal(10));
      if (!larger) break;
      step = *larger;
    }
  // one digit alone rounds only where the sentence says "about"
  if (*mantissa < Decimal(10) && !written.approximate) return false;
  auto difference = Decimal::subtract(a, b);
  if (!difference) return false;
  auto doubled = Decimal::multiply(difference->abs(), Decimal(2));
  return doubled && *doubled <= step;
}

namespace {

/// Whether a plain number of a formula is this figure, as written or in its base unit.
bool operand_is(const Decimal& operand, const ExtractedFigure& figure, const Decimal& optional_scale) {
  const Decimal value = operand.abs();
  if (figure.kind == K::date) return figure.date == operand.to_string() || figure.date.starts_with(operand.to_string());
  if (value == figure.value.abs()) return true;
  if (!(figure.scale == Decimal(1)) && !figure.scale.is_zero()) {
    auto scaled = Decimal::multiply(value, figure.scale);
    if (scaled && *scaled == figure.value.abs()) return true;
  }
  if (!(optional_scale == Decimal(1))) {
    auto scaled = Decimal::multiply(figure.value.abs(), optional_scale);
    if (scaled && *scaled == value) return true;
  }
  return false;
}

bool is_constant(const Decimal& value) {
  for (const int constant : {0, 1, 2, 4, 10, 12, 30, 52, 100, 360, 365, 1000, 10'000, 1'000'000})
    if (value == Decimal(constant)) return true;
  return false;
}

}  // namespace

std::vector<std::string> ungrounded_operands(const std::string& formula, const std::vector<const ReadPassage*>& passages,
                                             const std::vector<ExtractedFigure>& question, const std::vector<Figure>& computed) {
  std::vector<std::string> missing;
  const FoldedText folded = fold(formula);
  for (std::size_t i = 0; i < folded.size();) {
    if (!is_ascii_digit(folded.at(i))) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (is_ascii_digit(folded.at(end)) || (folded.at(end) == U'.' && is_ascii_digit(folded.at(end + 1)))) ++end;
    auto operand = Decimal::parse(folded.slice(i, end));
    i = end;
    if (!operand || is_constant(*operand)) continue;
    bool found = false;
    for (const auto* passage : passages)
      for (const auto& fact : passage->facts) found = found || operand_is(*operand, fact.figure, fact.optional_scale);
    for (const auto& figure : question) found = found || operand_is(*operand, figure, Decimal(1));
    for (const auto& figure : computed)
      if (auto value = Decimal::parse(figure.value)) found = found || value->abs() == operand->abs();
    if (!found) missing.push_back(operand->to_string());
  }
  return missing;
}

}  // namespace heng::guard
