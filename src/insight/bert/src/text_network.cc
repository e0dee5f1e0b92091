#include "text_network.h"

#include <cmath>
#include <utility>

namespace heng::insight_bert {

TextNetwork::TextNetwork(const EncoderShape& shape, int classes) : classes_(classes) {
  encoder_ = add_encoder(layout_, shape);
  attention_ = add_linear(layout_, "pool.attention", shape.width, 1, Group::head);
  head_ = add_linear(layout_, "classes", shape.width, classes, Group::head);
}

void TextNetwork::initialise(float* values, Random& random) const {
  auto w = weights(values, head_.weight);
  const float bound = std::sqrt(3.0F / static_cast<float>(w.cols()));
  for (Eigen::Index r = 0; r < w.rows(); ++r)
    for (Eigen::Index c = 0; c < w.cols(); ++c) w(r, c) = 0.3F * bound * (2 * random.uniform() - 1);
  row(values, head_.bias).setZero();
  weights(values, attention_.weight).setZero();
  row(values, attention_.bias).setZero();
}

void TextNetwork::decay_rates(float share) {
  float rate = 1;
  for (int i = encoder_.shape.layers; i-- > 0; rate *= share) layout_.set_rate("blk." + std::to_string(i) + ".", rate);
}

void TextNetwork::lower_states(const Pass& pass, const Segments& segments, const std::vector<std::int32_t>& ids, Matrix& x) const {
  embed(pass, encoder_, segments, ids, x);
  const Pass plain{.values = pass.values, .shorts = pass.shorts};
  LayerCache cache;
  for (int i = 0; i < encoder_.shape.frozen; ++i) insight_bert::forward(plain, encoder_, encoder_.layers[static_cast<std::size_t>(i)], segments, x, cache);
}

void TextNetwork::forward(const Pass& pass, const Segments& segments, Matrix x, States& states, Matrix& odds) const {
  const bool keep = pass.grads != nullptr;
  states.layers.resize(keep ? encoder_.layers.size() : 1);
  for (std::size_t i = static_cast<std::size_t>(encoder_.shape.frozen); i < encoder_.layers.size(); ++i)
    insight_bert::forward(pass, encoder_, encoder_.layers[i], segments, x, states.layers[keep ? i : 0]);
  states.top = std::move(x);
  Matrix scores;
  insight_bert::forward(pass, attention_, states.top, scores);
  states.attention.resize(static_cast<std::size_t>(states.top.rows()));
  states.pooled.setZero(segments.count(), states.top.cols());
  for (int s = 0; s < segments.count(); ++s) {
    const int first = segments.first(s), n = segments.size(s);
    const float most = scores.col(0).segment(first, n).maxCoeff();
    float sum = 0;
    for (int i = first; i < first + n; ++i) sum += states.attention[static_cast<std::size_t>(i)] = std::exp(scores(i, 0) - most);
    for (int i = first; i < first + n; ++i) {
      states.attention[static_cast<std::size_t>(i)] /= sum;
      states.pooled.row(s) += states.attention[static_cast<std::size_t>(i)] * states.top.row(i);
    }
  }
  states.mask.resize(0, 0);
  dropout(pass, states.pooled, states.mask);
  insight_bert::forward(pass, head_, states.pooled, odds);
}

double TextNetwork::learn(const Pass& pass, const Segments& segments, Matrix x, const std::vector<int>& labels, float smoothing, float scale) const {
  States states;
  Matrix odds;
  forward(pass, segments, std::move(x), states, odds);
  double loss = 0;
  const float rest = smoothing / static_cast<float>(classes_);
  for (Eigen::Index s = 0; s < odds.rows(); ++s) {
    const float most = odds.row(s).maxCoeff();
    const float log_sum = most + std::log((odds.row(s).array() - most).exp().sum());
    const auto truth = static_cast<Eigen::Index>(labels[static_cast<std::size_t>(s)]);
    loss += static_cast<double>(scale) * static_cast<double>((1 - smoothing) * (log_sum - odds(s, truth)) + rest * (static_cast<float>(classes_) * log_sum - odds.row(s).sum()));
    odds.row(s) = (odds.row(s).array() - log_sum).exp() - rest;
    odds(s, truth) -= 1 - smoothing;
    odds.row(s) *= scale;
  }
  Matrix dpooled;
  backward(pass, head_, states.pooled, odds, &dpooled);
  dropout_backward(states.mask, dpooled);
  Matrix dtop(states.top.rows(), states.top.cols()), dscores(states.top.rows(), 1);
  for (int s = 0; s < segments.count(); ++s) {
    const int first = segments.first(s), n = segments.size(s);
    float along = 0;
    for (int i = first; i < first + n; ++i) {
      const float a = states.attention[static_cast<std::size_t>(i)];
      dscores(i, 0) = states.top.row(i).dot(dpooled.row(s));
      along += a * dscores(i, 0);
      dtop.row(i) = a * dpooled.row(s);
    }
    for (int i = first; i < first + n; ++i) dscores(i, 0) = states.attention[static_cast<std::size_t>(i)] * (dscores(i, 0) - along);
  }
  Matrix dthrough;
  backward(pass, attention_, states.top, dscores, &dthrough);
  dtop += dthrough;
  for (std::size_t i = encoder_.layers.size(); i-- > static_cast<std::size_t>(encoder_.shape.frozen);) backward(pass, encoder_, encoder_.layers[i], segments, states.layers[i], dtop);
  return loss;
}

}  // namespace heng::insight_bert
