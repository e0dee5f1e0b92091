#pragma once

#include <string>
#include <vector>

#include "heng/contracts/answer.h"
#include "passage_reader.h"

namespace heng::guard {

/// Why a figure of a sentence is not backed by the cited passages.
enum class FigureProblem { none, not_found, other_unit, other_period, other_label, other_sign, other_bound, question_only };

/// What the figures of a sentence are checked against.
struct FigureSources {
  std::vector<const ReadPassage*> passages;  ///< The cited ones.
  std::vector<int> numbers;                  ///< Their citation numbers.
  std::vector<ExtractedFigure> question;
  std::vector<Figure> computed;              ///< Whose operands are backed already.
};

struct CheckedFigure {
  Figure figure;
  FigureProblem problem = FigureProblem::none;
  std::string seen;                          ///< What the passage says instead, where known.
};

/// Checks every figure of a sentence (without its citation marks).
std::vector<CheckedFigure> check_figures(const FoldedText& sentence, const FigureSources& sources, const WordWeights& weights);

/// Whether date `a` is said by date `b` ("2024" by "2024-03-31").
bool date_covers(const std::string& a, const std::string& b);
/// Whether two periods can be the same one.
bool dates_agree(const std::string& a, const std::string& b);
/// Whether a figure as written is the other one, within its written rounding; signs and labels aside.
bool same_quantity(const ExtractedFigure& written, const ExtractedFigure& source);

/// Numbers in a calculator's formula that no passage and no question holds.
std::vector<std::string> ungrounded_operands(const std::string& formula, const std::vector<const ReadPassage*>& passages,
                                             const std::vector<ExtractedFigure>& question, const std::vector<Figure>& computed);

}  // namespace heng::guard
