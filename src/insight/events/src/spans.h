#pragma once

#include <vector>

#include "bert.h"

namespace heng::insight_events {

/// A span of tokens [begin, last] that carries a label (an event type or a role).
struct SpanLabel {
  int label = 0, begin = 0, last = 0;
};
struct ScoredSpan {
  int label = 0, begin = 0, last = 0;
  float score = 0;               ///< Log-odds before calibration: above 0 is more likely right than wrong.
};

/// Scores of all spans of one sequence: score(c, i, j) = q_i·k_j / √d + starts(c, i) + ends(c, j) + lengths(c, j − i):
/// start and end pointers for each label, joined by a shared match of the two ends (Su et al. 2022, Global Pointer).
/// Only tokens `first` … `last` take part, and spans of at most lengths.cols() tokens.
struct SpanScores {
  Matrix q, k;                   ///< n × d, positions already rotated in.
  Matrix starts, ends;           ///< labels × n.
  Matrix lengths;                ///< labels × longest span.
  int first = 0, last = 0;
};

/// Rotary positions (Su et al. 2021) for rows 0, 1, 2 …; `inverse` undoes it, for gradients.
void rotate(Matrix& rows, bool inverse);

/// Σ over labels of log(1 + Σ_wrong e^s) + log(1 + Σ_right e^−s), times `weight`; the gradients are written to `gradient`
/// (same shapes). Right spans outside the scored range are left out.
double span_loss(const SpanScores& scores, const std::vector<SpanLabel>& right, float weight, SpanScores& gradient);

/// Spans scoring above `threshold`, best first.
std::vector<ScoredSpan> spans_above(const SpanScores& scores, float threshold);

/// Best first, drops what overlaps a better span of the same label.
std::vector<ScoredSpan> without_overlaps(std::vector<ScoredSpan> spans);

/// Supervised contrastive loss (Khosla et al. 2020) over the rows of `x`, which are scaled to length 1 first; rows are
/// positives of each other where their label masks share a bit. Returns weight × loss; `dx` gets the gradient.
double contrastive_loss(const Matrix& x, const std::vector<unsigned>& labels, float temperature, float weight, Matrix& dx);

}  // namespace heng::insight_events
