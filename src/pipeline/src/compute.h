#pragma once

#include <string>
#include <vector>

namespace heng::pipeline {

/// What a question wants computed, as far as its wording says.
enum class Operation { none, growth, difference, ratio, sum, interest };

struct CalculationAsked {
  Operation operation = Operation::none;
  std::string metric;                 ///< What is measured; the part of a ratio.
  std::string base;                   ///< What a ratio is taken of.
  std::vector<std::string> periods;   ///< As in words.h, oldest first.
  std::string expression;             ///< For interest: over figures of the question alone.
};

/// Recognises the common questions: growth from A to B, difference, ratio and margin, sum, interest on X at rate for N.
CalculationAsked recognise(const std::string& question);

}  // namespace heng::pipeline
