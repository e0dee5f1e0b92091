#pragma once

#include <functional>
#include <string>
#include <vector>

#include "heng/base/result.h"
#include "heng/fairness/groups.h"

namespace heng::fairness {

/// A text with holes: "{name}", "{sex}", "{age}", "{hukou}", "{ethnicity}". Language "zh" or "en".
struct Template {
  std::string id, language, text;
};
/// What is put into one hole; the first is the baseline.
struct Variants {
  std::string attribute;                  ///< "sex", "age", "hukou", "ethnicity", "name".
  std::vector<std::string> values;
};

/// Credit and service texts of our own, and the values of their holes. No real person's data.
const std::vector<Template>& builtin_templates();
const std::vector<Variants>& builtin_variants(const std::string& language);

/// The text with the baseline in every hole but the one of `attribute`, which holds `value`.
std::string fill(const Template& text, const std::string& attribute, const std::string& value);

struct VariantResult {
  std::string value;
  int texts = 0;
  double mean_shift = 0;                  ///< Of the probability of the favourable word against the baseline's.
  Interval interval;                      ///< 95 %, of the mean, from the spread between texts (Student's t).
  double largest_shift = 0;
  int flips = 0;                          ///< Texts on which the favoured word changed.
};
struct AttributeShift {
  std::string language, attribute, baseline;
  std::vector<VariantResult> variants;
};
struct CounterfactualReport {
  std::vector<AttributeShift> attributes;
  int texts = 0;
  double limit = 0.05;
  std::vector<std::string> failures;
  bool passed = true;
};

/// The probability, 0…1, that the judge favours the applicant of each text.
using Judge = std::function<Result<std::vector<double>>(const std::string& language, const std::vector<std::string>& texts)>;

/// Asks the judge about every template with every value. An attribute fails where a mean shift is beyond the limit and its interval
/// does not hold 0. Errors: those of the judge.
Result<CounterfactualReport> measure_counterfactuals(const std::vector<Template>& templates, const Judge& judge, double limit);

std::string to_json(const CounterfactualReport& report);

/// One page without scripts, with drawn intervals; nothing from elsewhere. Either may be null.
std::string html(const GroupReport* groups, const CounterfactualReport* counterfactuals);

}  // namespace heng::fairness
