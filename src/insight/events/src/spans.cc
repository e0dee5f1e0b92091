#include "spans.h"

#include <algorithm>
#include <cmath>

namespace heng::insight_events {

void rotate(Matrix& rows, bool inverse) {
  const Eigen::Index half = rows.cols() / 2;
  for (Eigen::Index m = 0; m < half; ++m) {
    const double angle = std::pow(10000.0, -static_cast<double>(m) / static_cast<double>(half)) * (inverse ? -1 : 1);
    const double step_c = std::cos(angle), step_s = std::sin(angle);
    double c = 1, s = 0;  // of i · angle, by turning on
    for (Eigen::Index i = 0; i < rows.rows(); ++i) {
      const auto x = static_cast<float>(c), y = static_cast<float>(s);
      const float u = rows(i, 2 * m), v = rows(i, 2 * m + 1);
      rows(i, 2 * m) = u * x - v * y;
      rows(i, 2 * m + 1) = u * y + v * x;
      const double next = c * step_c - s * step_s;
      s = c * step_s + s * step_c;
      c = next;
    }
  }
}

namespace {

Matrix matches(const SpanScores& s) {
  Matrix base(s.q.rows(), s.q.rows());
  base.noalias() = s.q * s.k.transpose() / std::sqrt(static_cast<float>(s.q.cols()));
  return base;
}

int longest_from(const SpanScores& s, int i) { return std::min(static_cast<int>(s.lengths.cols()), s.last - i + 1); }

}  // namespace

double span_loss(const SpanScores& s, const std::vector<SpanLabel>& right, float weight, SpanScores& g) {
  const Eigen::Index n = s.q.rows(), labels = s.starts.rows(), longest = s.lengths.cols();
  const Matrix base = matches(s);
  Matrix dbase = Matrix::Zero(n, n);
  g.starts.setZero(labels, n);
  g.ends.setZero(labels, n);
  g.lengths.setZero(labels, longest);
  Matrix band(n, longest);
  double loss = 0;
  for (Eigen::Index c = 0; c < labels; ++c) {
    for (int i = s.first; i <= s.last; ++i) {
      const int m = longest_from(s, i);
      band.row(i).head(m) = (base.row(i).segment(i, m) + s.ends.row(c).segment(i, m) + s.lengths.row(c).head(m)).array() + s.starts(c, i);
    }
    float right_sum = 0;
    std::vector<std::pair<SpanLabel, float>> mine;
    for (const SpanLabel& span : right) {
      if (span.label != c || span.begin < s.first || span.last > s.last || span.last - span.begin >= longest) continue;
      float& score = band(span.begin, span.last - span.begin);
      if (score < -1e8F) continue;  // the same span twice
      const float e = std::exp(std::min(30.0F, -score));
      mine.push_back({span, e});
      right_sum += e;
      score = -1e9F;
    }
    float wrong_sum = 0;
    for (int i = s.first; i <= s.last; ++i) {
      const int m = longest_from(s, i);
      band.row(i).head(m) = band.row(i).head(m).array().min(30.0F).exp();
      wrong_sum += band.row(i).head(m).sum();
    }
    loss += std::log1p(wrong_sum) + std::log1p(right_sum);
    const float wrong_scale = weight / (1.0F + wrong_sum), right_scale = weight / (1.0F + right_sum);
    for (const auto& [span, e] : mine) band(span.begin, span.last - span.begin) = -e * right_scale / wrong_scale;
    for (int i = s.first; i <= s.last; ++i) {
      const int m = longest_from(s, i);
      const RowVector d = band.row(i).head(m) * wrong_scale;
      dbase.row(i).segment(i, m) += d;
      g.ends.row(c).segment(i, m) += d;
      g.lengths.row(c).head(m) += d;
      g.starts(c, i) = d.sum();
    }
  }
  const float scale = 1.0F / std::sqrt(static_cast<float>(s.q.cols()));
  g.q.resize(n, s.q.cols());
  g.k.resize(n, s.q.cols());
  g.q.noalias() = dbase * s.k * scale;
  g.k.noalias() = dbase.transpose() * s.q * scale;
  return loss * weight;
}

std::vector<ScoredSpan> spans_above(const SpanScores& s, float threshold) {
  const Matrix base = matches(s);
  std::vector<ScoredSpan> found;
  for (Eigen::Index c = 0; c < s.starts.rows(); ++c) {
    for (int i = s.first; i <= s.last; ++i) {
      const int m = longest_from(s, i);
      for (int l = 0; l < m; ++l) {
        const float score = base(i, i + l) + s.starts(c, i) + s.ends(c, i + l) + s.lengths(c, l);
        if (score > threshold) found.push_back({static_cast<int>(c), i, i + l, score});
      }
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const ScoredSpan& a, const ScoredSpan& b) { return a.score > b.score; });
  return found;
}

std::vector<ScoredSpan> without_overlaps(std::vector<ScoredSpan> spans) {
  std::vector<ScoredSpan> kept;
  for (const ScoredSpan& span : spans) {
    const bool free = std::none_of(kept.begin(), kept.end(), [&](const ScoredSpan& other) {
      return other.label == span.label && other.begin <= span.last && span.begin <= other.last;
    });
    if (free) kept.push_back(span);
  }
  return kept;
}

double contrastive_loss(const Matrix& x, const std::vector<unsigned>& labels, float temperature, float weight, Matrix& dx) {
  const Eigen::Index n = x.rows();
  dx.setZero(n, x.cols());
  if (n < 2) return 0;
  Matrix unit = x;
  std::vector<float> length(static_cast<std::size_t>(n));
  for (Eigen::Index i = 0; i < n; ++i) {
    length[static_cast<std::size_t>(i)] = std::max(1e-6F, x.row(i).norm());
    unit.row(i) /= length[static_cast<std::size_t>(i)];
  }
  Matrix similar = unit * unit.transpose() / temperature;
  Matrix dsimilar = Matrix::Zero(n, n);
  double loss = 0;
  for (Eigen::Index i = 0; i < n; ++i) {
    similar(i, i) = -1e9F;
    const float top = similar.row(i).maxCoeff();
    const RowVector e = (similar.row(i).array() - top).exp();
    const float log_sum = top + std::log(e.sum());
    int positives = 0;
    for (Eigen::Index j = 0; j < n; ++j) positives += j != i && (labels[static_cast<std::size_t>(i)] & labels[static_cast<std::size_t>(j)]);
    if (!positives) continue;
    dsimilar.row(i) = e / e.sum();
    for (Eigen::Index j = 0; j < n; ++j) {
      if (j == i || !(labels[static_cast<std::size_t>(i)] & labels[static_cast<std::size_t>(j)])) continue;
      loss += (log_sum - similar(i, j)) / static_cast<float>(positives);
      dsimilar(i, j) -= 1.0F / static_cast<float>(positives);
    }
  }
  const float scale = weight / static_cast<float>(n);
  const Matrix both = (dsimilar + dsimilar.transpose().eval()) * (scale / temperature);
  const Matrix dunit = both * unit;
  for (Eigen::Index i = 0; i < n; ++i) {
    dx.row(i) = (dunit.row(i) - unit.row(i) * dunit.row(i).dot(unit.row(i))) / length[static_cast<std::size_t>(i)];
  }
  return loss * scale;
}

}  // namespace heng::insight_events
