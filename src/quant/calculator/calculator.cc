#include "heng/quant/calculator.h"

#include <fmt/core.h>

#include "functions.h"
#include "heng/base/text.h"

namespace heng::quant {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name(char c) { return (c >= 'a' && c <= 'z') || c == '_' || static_cast<unsigned char>(c) >= 0x80; }

/// Recursive descent over one expression (lower case, half width). Depth is bounded by the settings.
class Parser {
 public:
  Parser(std::string_view text, const CalculatorSettings& settings) : text_(text), settings_(settings) {}

  Result<Number> run() {
    Number out = HENG_TRY(expression());
    skip();
    if (at_ < text_.size()) return unexpected();
    return out;
  }

 private:
  Result<Number> expression();
  Result<Number> term();
  Result<Number> factor();
  Result<Number> unary();
  Result<Number> primary();
  Result<Number> number();
  Result<Number> call(std::string_view name, std::size_t position);
  Result<Number> days();
  bool groups_in_call() const;

  bool take(std::string_view word) {
    skip();
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  void skip() {
    for (;;) {
      if (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '$' || text_[at_] == '=')) ++at_;
      else if (text_.substr(at_).starts_with("¥")) at_ += std::string_view("¥").size();
      else if (text_.substr(at_).starts_with("元")) at_ += std::string_view("元").size();
      else return;
    }
  }
  Error unexpected() const {
    const std::size_t position = text::code_points(text_.substr(0, at_)) + 1;
    if (at_ >= text_.size()) return Error(ErrorCode::malformed_input, "the expression ends too early");
    std::size_t next = at_;
    text::next(text_, next);
    return Error(ErrorCode::malformed_input, fmt::format("unexpected \"{}\" at position {}", text_.substr(at_, next - at_), position));
  }

  std::string_view text_;
  const CalculatorSettings& settings_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool grouped_ = true;  ///< Whether "1,234" is one number here.
};

Result<Number> Parser::expression() {
  if (++depth_ > settings_.deepest)
    return Error(ErrorCode::malformed_input, fmt::format("more than {} nested brackets", settings_.deepest));
  Number out = HENG_TRY(term());
  for (;;) {
    if (take("+")) out = HENG_TRY(add(out, term()));
    else if (take("-") || take("−") || take("–")) out = HENG_TRY(subtract(out, term()));
    else break;
  }
  --depth_;
  return out;
}

Result<Number> Parser::term() {
  Number out = HENG_TRY(factor());
  for (;;) {
    if (!text_.substr(at_).starts_with("**") && (take("*") || take("×") || take("·"))) out = HENG_TRY(multiply(out, factor()));
    else if (take("/") || take("÷")) out = HENG_TRY(divide(out, factor()));
    else return out;
  }
}

Result<Number> Parser::factor() {
  Number out = HENG_TRY(unary());
  if (!take("^") && !take("**")) return out;
  const Number exponent = HENG_TRY(unary());
  const Decimal whole = exponent.value.round(0);
  if (!(whole == exponent.value) || whole.abs() > Decimal(1000))
    return Error(ErrorCode::invalid_argument, "the exponent is " + exponent.value.to_string() + ", it must be a whole number from -1000 to 1000");
  return power(out, static_cast<std::int64_t>(whole.normalized().to_double()));
}

Result<Number> Parser::unary() {
  int signs = 0;
  for (int n = 0; n < 8; ++n) {
    if (take("-") || take("−")) ++signs;
    else if (!take("+")) break;
  }
  Number out = HENG_TRY(primary());
  return signs % 2 != 0 ? negate(out) : out;
}

Result<Number> Parser::primary() {
  skip();
  if (take("(")) {
    const bool before = grouped_;
    grouped_ = true;
    Number out = HENG_TRY(expression());
    grouped_ = before;
    if (!take(")")) return unexpected();
    if (take("%")) return divide(out, constant(100));
    return out;
  }
  if (at_ >= text_.size()) return unexpected();
  if (is_digit(text_[at_]) || text_[at_] == '.') return number();
  if (!is_name(text_[at_])) return unexpected();
  const std::size_t begin = at_;
  while (at_ < text_.size() && (is_name(text_[at_]) || is_digit(text_[at_]))) ++at_;
  const auto name = text_.substr(begin, at_ - begin);
  if (!take("(")) {
    at_ = begin;
    return unexpected();
  }
  if (name == "days" || name == "天数" || name == "days_between") return days();
  return call(name, begin);
}

Result<Number> Parser::number() {
  std::string digits;
  const std::size_t begin = at_;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    const auto groups = [&] {
      for (std::size_t k = 1; k <= 3; ++k)
        if (at_ + k >= text_.size() || !is_digit(text_[at_ + k])) return false;
      return at_ + 4 >= text_.size() || !is_digit(text_[at_ + 4]);
    };
    if (is_digit(c) || (c == '.' && digits.find('.') == std::string::npos)) digits += c;
    else if (!(c == ',' && grouped_ && !digits.empty() && digits.find('.') == std::string::npos && groups())) break;
    ++at_;
  }
  const auto parsed = Decimal::parse(digits);
  if (!parsed.ok()) {
    at_ = begin;
    return unexpected();
  }
  Number out = constant(*parsed);
  out.formula = digits;
  struct Scale {
    std::string_view word;
    Decimal factor;
  };
  static const Scale scales[] = {{"万亿", Decimal(1'000'000'000'000)}, {"百万", Decimal(1'000'000)}, {"千万", Decimal(10'000'000)}, {"万", Decimal(10'000)},
                                 {"亿", Decimal(100'000'000)}, {"千", Decimal(1000)}, {"million", Decimal(1'000'000)}, {"billion", Decimal(1'000'000'000)},
                                 {"thousand", Decimal(1000)}, {"%", Decimal::from_parts(1, 2)}, {"‰", Decimal::from_parts(1, 3)}, {"bps", Decimal::from_parts(1, 4)},
                                 {"bp", Decimal::from_parts(1, 4)}};
  for (const auto& scale : scales) {
    std::size_t at = at_;
    while (at < text_.size() && text_[at] == ' ') ++at;
    if (!text_.substr(at).starts_with(scale.word)) continue;
    if (at + scale.word.size() < text_.size() && text_[at + scale.word.size()] == '(') break;  // the function bp(…)
    at_ = at + scale.word.size();
    out.value = HENG_TRY(Decimal::multiply(out.value, scale.factor));
    out.formula += scale.word;
    break;
  }
  return out;
}

/// Inside a call a comma separates; "growth(3,991, 5,506)" shows by its blanks that the tight ones group thousands.
bool Parser::groups_in_call() const {
  bool loose = false, tight_groups = true, any_tight = false;
  int depth = 0;
  for (std::size_t i = at_; i < text_.size(); ++i) {
    if (text_[i] == '(') ++depth;
    if (text_[i] == ')' && depth-- == 0) break;
    if (text_[i] != ',' || depth > 0) continue;
    if (i + 1 < text_.size() && text_[i + 1] == ' ') {
      loose = true;
      continue;
    }
    any_tight = true;
    for (std::size_t k = 1; k <= 3; ++k) tight_groups = tight_groups && i + k < text_.size() && is_digit(text_[i + k]);
    tight_groups = tight_groups && (i + 4 >= text_.size() || !is_digit(text_[i + 4]));
  }
  return loose && any_tight && tight_groups;
}

Result<Number> Parser::call(std::string_view name, std::size_t position) {
  const Function* function = find_function(name);
  if (function == nullptr)
    return Error(ErrorCode::invalid_argument, fmt::format("unknown function \"{}\" at position {}", name.substr(0, 40), text::code_points(text_.substr(0, position)) + 1));
  const bool before = grouped_;
  const bool grouped = groups_in_call();
  std::vector<Number> arguments;
  if (!take(")")) {
    for (;;) {
      grouped_ = grouped;
      arguments.push_back(HENG_TRY(expression()));
      if (static_cast<int>(arguments.size()) > settings_.most_arguments)
        return Error(ErrorCode::invalid_argument, fmt::format("more than {} arguments", settings_.most_arguments));
      if (take(",") || take("、") || take(";")) continue;
      if (take(")")) break;
      return unexpected();
    }
  }
  grouped_ = before;
  if (arguments.size() < function->least || arguments.size() > function->most)
    return Error(ErrorCode::invalid_argument, fmt::format("{} was given {} arguments; write {}", function->name, arguments.size(), function->signature));
  return function->run(arguments);
}

Result<Number> Parser::days() {
  const std::size_t close = text_.find(')', at_);
  const auto inner = text_.substr(at_, close == std::string_view::npos ? 0 : close - at_);
  const auto parts = text::split(inner, ',');
  if (close == std::string_view::npos || parts.size() != 2)
    return Error(ErrorCode::malformed_input, "days needs two dates: days(2024-01-01, 2024-03-31)");
  at_ = close + 1;
  return days_between(parts[0], parts[1]);
}

}  // namespace

std::unique_ptr<DecimalCalculator> DecimalCalculator::create(CalculatorSettings settings) {
  return std::unique_ptr<DecimalCalculator>(new DecimalCalculator(settings));
}

Result<CalculatorResult> DecimalCalculator::evaluate(const std::string& expression) const {
  if (expression.size() > settings_.longest_expression)
    return Error(ErrorCode::too_large, fmt::format("the expression has {} bytes, at most {} are taken", expression.size(), settings_.longest_expression));
  if (!text::is_valid_utf8(expression)) return Error(ErrorCode::malformed_input, "the expression is not valid UTF-8");
  const std::string plain = text::lower(text::nfkc(expression));
  const Number number = HENG_TRY(Parser(plain, settings_).run());
  const Decimal shown = number.value.scale() > quotient_places ? number.value.round(quotient_places) : number.value;
  CalculatorResult out;
  out.value = shown.normalized().to_string();
  out.formula = number.formula;
  out.explanation = fmt::format("{} = {}", number.formula, shown.normalized().to_grouped_string());
  if (shown.abs() < Decimal(10) && !shown.is_zero() && shown.normalized().scale() > 2)
    if (auto percent = Decimal::multiply(shown.round(6), Decimal(100))) out.explanation += fmt::format(" ({}%)", percent->round(2).normalized().to_string());
  if (!number.exact || !(shown == number.value)) out.explanation += fmt::format("; rounded to {} decimal places", quotient_places);
  return out;
}

const std::vector<DecimalCalculator::FunctionInfo>& DecimalCalculator::functions() {
  static const auto list = [] {
    std::vector<FunctionInfo> out;
    for (const auto& f : function_table()) out.push_back({f.name, f.signature, f.meaning, f.aliases});
    out.push_back({"days", "days(from, to)", "calendar days between two dates", {"天数", "days_between"}});
    return out;
  }();
  return list;
}

}  // namespace heng::quant
