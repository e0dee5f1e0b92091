#include "linear/evidence.h"

#include <algorithm>
#include <cmath>

#include "heng/base/text.h"

namespace heng::insight {

std::vector<Piece> pieces(std::string_view s) {
  const CodeClasses& classes = CodeClasses::get();
  std::vector<Piece> out;
  bool word_before = false;
  std::size_t position = 0;
  for (std::size_t i = 0; i < s.size(); ++position) {
    const auto c = static_cast<std::uint32_t>(text::next(s, i));
    const bool word = classes.in_word(c), space = text::is_space(c);
    const bool join = !out.empty() && (space || (word && word_before));
    if (join) out.back().end = position + 1;
    else out.push_back({position, position + 1});
    word_before = word;
  }
  return out;
}

std::vector<Evidence> join_pieces(const std::vector<Piece>& pieces, const std::vector<double>& weights) {
  std::vector<Evidence> out;
  double last_density = 0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (weights[i] == 0) continue;
    const double density = weights[i] / static_cast<double>(pieces[i].end - pieces[i].begin);
    const bool near = !out.empty() && out.back().end == pieces[i].begin && density * last_density > 0 && std::abs(density) < 3 * std::abs(last_density) && std::abs(last_density) < 3 * std::abs(density);
    if (near) {
      out.back().end = pieces[i].end;
      out.back().weight += weights[i];
    } else {
      out.push_back({pieces[i].begin, pieces[i].end, weights[i]});
    }
    last_density = density;
  }
  return out;
}

std::vector<Evidence> linear_evidence(const LinearHead& head, const Calibration& calibration, std::string_view text, int label, int rival) {
  LinearScratch scratch;
  std::vector<float> per_code_point, bias;
  head.contributions(text, scratch, per_code_point, bias);
  const auto k = static_cast<std::size_t>(head.classes());
  const auto parts = pieces(text);
  std::vector<double> weights(parts.size(), 0.0);
  for (std::size_t p = 0; p < parts.size(); ++p)
    for (std::size_t i = parts[p].begin; i < parts[p].end && (i + 1) * k <= per_code_point.size(); ++i)
      weights[p] += calibration.inverse_temperature * (per_code_point[i * k + static_cast<std::size_t>(label)] - per_code_point[i * k + static_cast<std::size_t>(rival)]);
  return join_pieces(parts, weights);
}

}  // namespace heng::insight
