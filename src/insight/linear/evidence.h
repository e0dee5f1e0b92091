#pragma once

#include <string_view>
#include <vector>

#include "heng/contracts/insight.h"
#include "linear/linear.h"
#include "src/calibration.h"

namespace heng::insight {

/// The text cut into what evidence is shown for: a word of letters and digits, or one character of any other script; white
/// space goes with what stands before. Code points; the pieces cover the text.
struct Piece {
  std::size_t begin = 0, end = 0;
};
std::vector<Piece> pieces(std::string_view text);

/// Neighbouring pieces of one sign and similar strength become one span; spans without weight are left out.
std::vector<Evidence> join_pieces(const std::vector<Piece>& pieces, const std::vector<double>& weights);

/// Each span's exact share of the log-odds of `label` against `rival` (calibrated): the shares and the bias add up to them.
std::vector<Evidence> linear_evidence(const LinearHead& head, const Calibration& calibration, std::string_view text, int label, int rival);

}  // namespace heng::insight
