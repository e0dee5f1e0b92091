#include "src/calibration.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>

namespace heng::insight {
namespace {

double dot(const std::vector<double>& a, const std::vector<double>& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

struct Pair {
  std::vector<double> step, change;
  double inverse_product = 0;
};

/// The two-loop recursion: minus the inverse Hessian times the gradient.
std::vector<double> direction(const std::deque<Pair>& pairs, const std::vector<double>& gradient) {
  std::vector<double> q = gradient, shares(pairs.size());
  for (std::size_t i = pairs.size(); i-- > 0;) {
    shares[i] = pairs[i].inverse_product * dot(pairs[i].step, q);
    for (std::size_t j = 0; j < q.size(); ++j) q[j] -= shares[i] * pairs[i].change[j];
  }
  if (!pairs.empty()) {
    const double scale = 1 / (pairs.back().inverse_product * dot(pairs.back().change, pairs.back().change));
    for (double& v : q) v *= scale;
  }
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const double share = pairs[i].inverse_product * dot(pairs[i].change, q);
    for (std::size_t j = 0; j < q.size(); ++j) q[j] += (shares[i] - share) * pairs[i].step[j];
  }
  for (double& v : q) v = -v;
  return q;
}

/// Loss and, in place of the row, the gradient of the loss by the log-odds.
template <class Real>
double softmax_loss(Real* z, std::size_t classes, int label) {
  const Real most = *std::max_element(z, z + classes);
  Real sum = 0;
  const Real own = z[label];
  for (std::size_t c = 0; c < classes; ++c) sum += z[c] = std::exp(z[c] - most);
  for (std::size_t c = 0; c < classes; ++c) z[c] /= sum;
  z[label] -= 1;
  return std::log(sum) + most - own;
}

}  // namespace

std::vector<double> minimise(std::vector<double> x, const std::function<double(const std::vector<double>&, std::vector<double>&)>& value_and_gradient, int iterations_most) {
  constexpr std::size_t memory = 10;
  std::vector<double> gradient(x.size()), next(x.size()), next_gradient(x.size());
  double value = value_and_gradient(x, gradient);
  std::deque<Pair> pairs;
  for (int iteration = 0; iteration < iterations_most; ++iteration) {
    const double norm = std::sqrt(dot(gradient, gradient));
    if (norm < 1e-7) break;
    auto d = direction(pairs, gradient);
    double slope = dot(d, gradient);
    if (!(slope < 0)) {
      pairs.clear();
      d = direction(pairs, gradient);
      slope = -norm * norm;
    }
    double step = pairs.empty() ? 1 / std::max(1.0, norm) : 1, next_value = value;
    bool found = false;
    for (int attempt = 0; attempt < 30 && !found; ++attempt, step *= 0.5) {
      for (std::size_t j = 0; j < x.size(); ++j) next[j] = x[j] + step * d[j];
      next_value = value_and_gradient(next, next_gradient);
      found = next_value <= value + 1e-4 * step * slope;
    }
    if (!found) break;
    Pair pair;
    for (std::size_t j = 0; j < x.size(); ++j) {
      pair.step.push_back(next[j] - x[j]);
      pair.change.push_back(next_gradient[j] - gradient[j]);
    }
    const double product = dot(pair.step, pair.change);
    if (product > 1e-12) {
      pair.inverse_product = 1 / product;
      pairs.push_back(std::move(pair));
      if (pairs.size() > memory) pairs.pop_front();
    }
    const double gain = value - next_value;
    x.swap(next);
    gradient.swap(next_gradient);
    value = next_value;
    if (gain < 1e-9 * std::max(1.0, std::abs(value))) break;
  }
  return x;
}

void softmax(std::span<float> row) {
  const float most = *std::max_element(row.begin(), row.end());
  float sum = 0;
  for (float& v : row) sum += v = std::exp(v - most);
  for (float& v : row) v /= sum;
}

Calibration Calibration::fit(std::span<const float> logits, std::span<const int> labels, int classes) {
  const auto k = static_cast<std::size_t>(classes);
  const std::size_t rows = labels.size();
  Calibration out;
  out.bias.assign(k, 0.0f);
  if (rows == 0) return out;
  std::vector<double> z(k);
  // with many classes a bias each would follow noise: the ridge is one row's worth per class
  const double ridge = static_cast<double>(k) / static_cast<double>(rows);
  const auto loss = [&](const std::vector<double>& x, std::vector<double>& g) {
    std::fill(g.begin(), g.end(), 0.0);
    const double t = std::exp(x[k]);
    double total = 0;
    for (std::size_t i = 0; i < rows; ++i) {
      const auto row = logits.subspan(i * k, k);
      for (std::size_t c = 0; c < k; ++c) z[c] = t * row[c] + x[c];
      total += softmax_loss(z.data(), k, labels[i]);
      for (std::size_t c = 0; c < k; ++c) {
        g[c] += z[c];
        g[k] += z[c] * row[c] * t;
      }
    }
    for (double& v : g) v /= static_cast<double>(rows);
    total /= static_cast<double>(rows);
    for (std::size_t c = 0; c < k; ++c) {
      total += 0.5 * ridge * x[c] * x[c];
      g[c] += ridge * x[c];
    }
    // rows without an error must not make the stage infinitely sure
    total += 0.5 * x[k] * x[k] / static_cast<double>(rows);
    g[k] += x[k] / static_cast<double>(rows);
    return total;
  };
  const auto x = minimise(std::vector<double>(k + 1, 0.0), loss, 60);
  out.inverse_temperature = static_cast<float>(std::exp(x[k]));
  for (std::size_t c = 0; c < k; ++c) out.bias[c] = static_cast<float>(x[c]);
  return out;
}

void Calibration::apply(std::span<const float> logits, std::span<float> probabilities) const {
  for (std::size_t c = 0; c < bias.size(); ++c) probabilities[c] = inverse_temperature * logits[c] + bias[c];
  softmax(probabilities);
}

Stacker Stacker::fit(std::span<const float> features, std::span<const int> labels, int inputs, int classes, double ridge) {
  const auto d = static_cast<std::size_t>(inputs), k = static_cast<std::size_t>(classes);
  const std::size_t rows = labels.size(), stages = d / k;
  std::vector<double> z(k);
  // x: first one weight per stage, then free weights (d × k) kept small by the ridge, then the biases
  const auto weight = [&](const std::vector<double>& x, std::size_t j, std::size_t c) { return x[stages + j * k + c] + (j % k == c ? x[j / k] : 0); };
  const bool free_weights = k <= 8;
  const auto loss = [&](const std::vector<double>& x, std::vector<double>& g) {
    std::fill(g.begin(), g.end(), 0.0);
    double total = 0;
    const std::size_t biases = stages + d * k;
    for (std::size_t i = 0; i < rows; ++i) {
      const auto row = features.subspan(i * d, d);
      for (std::size_t c = 0; c < k; ++c) z[c] = x[biases + c];
      if (free_weights) {
        for (std::size_t j = 0; j < d; ++j)
          for (std::size_t c = 0; c < k; ++c) z[c] += row[j] * weight(x, j, c);
      } else {
        for (std::size_t j = 0; j < d; ++j) z[j % k] += row[j] * x[j / k];
      }
      total += softmax_loss(z.data(), k, labels[i]);
      for (std::size_t j = 0; j < d; ++j) g[j / k] += row[j] * z[j % k];
      if (free_weights)
        for (std::size_t j = 0; j < d; ++j)
          for (std::size_t c = 0; c < k; ++c) g[stages + j * k + c] += row[j] * z[c];
      for (std::size_t c = 0; c < k; ++c) g[biases + c] += z[c];
    }
    for (double& v : g) v /= static_cast<double>(rows);
    total /= static_cast<double>(rows);
    for (std::size_t j = stages; j < x.size(); ++j) {
      const double strength = ridge * (j >= biases ? 1 : 4);
      total += 0.5 * strength * x[j] * x[j];
      g[j] += strength * x[j];
    }
    return total;
  };
  std::vector<double> start(stages + d * k + k, 0.0);
  for (std::size_t s = 0; s < stages; ++s) start[s] = 1.0 / static_cast<double>(stages);
  const auto x = minimise(std::move(start), loss, 80);
  Stacker out;
  out.inputs = inputs;
  out.classes = classes;
  out.weights.resize((d + 1) * k);
  for (std::size_t j = 0; j < d; ++j)
    for (std::size_t c = 0; c < k; ++c) out.weights[j * k + c] = static_cast<float>(weight(x, j, c));
  for (std::size_t c = 0; c < k; ++c) out.weights[d * k + c] = static_cast<float>(x[stages + d * k + c]);
  return out;
}

void Stacker::apply(std::span<const float> row, std::span<float> probabilities) const {
  const auto d = static_cast<std::size_t>(inputs), k = static_cast<std::size_t>(classes);
  for (std::size_t c = 0; c < k; ++c) probabilities[c] = weights[d * k + c];
  for (std::size_t j = 0; j < d; ++j)
    for (std::size_t c = 0; c < k; ++c) probabilities[c] += row[j] * weights[j * k + c];
  softmax(probabilities);
}

}  // namespace heng::insight
