#include "network.h"

#include <cmath>
#include <numeric>

namespace heng::insight_events {

int Schema::slots() const {
  return std::accumulate(type_roles.begin(), type_roles.end(), 0, [](int sum, const auto& roles_of) { return sum + static_cast<int>(roles_of.size()); });
}

int Schema::first_slot(int type) const {
  int slot = 0;
  for (int t = 0; t < type; ++t) slot += static_cast<int>(type_roles[static_cast<std::size_t>(t)].size());
  return slot;
}

namespace {
constexpr int distance_buckets = 25;
}

Network::Network(const NetworkShape& shape, const Schema& schema) : shape_(shape), schema_(schema) {
  const int w = shape.width, types = static_cast<int>(schema.types.size()), roles = static_cast<int>(schema.roles.size());
  encoder_ = add_encoder(layout_, shape.encoder);
  mix_top_ = add_linear(layout_, "mix.top", shape.encoder.width, w, Group::head);
  mix_base_ = add_linear(layout_, "mix.base", shape.encoder.width, w, Group::head);
  mix_norm_ = add_norm(layout_, "mix.norm", w, 1e-5F, Group::head);
  for (std::size_t i = 0; i < shape.dilations.size(); ++i) {
    blocks_.push_back(add_conv_block(layout_, "block." + std::to_string(i), w, shape.dilations[i]));
  }
  out_norm_ = add_norm(layout_, "out.norm", w, 1e-5F, Group::head);
  type_head_ = add_linear(layout_, "type", 2 * w, types, Group::head);
  trigger_pointers_ = add_linear(layout_, "trigger.pointers", w, 2 * shape.pointer, Group::head);
  trigger_bounds_ = add_linear(layout_, "trigger.bounds", w, 2 * types, Group::head);
  trigger_lengths_ = layout_.add("trigger.lengths", types, shape.longest_trigger, Group::head, false);
  type_embedding_ = layout_.add("argument.type", types, shape.type_width, Group::head, false);
  distance_embedding_ = layout_.add("argument.distance", distance_buckets, w, Group::head, false);
  condition_ = add_linear(layout_, "argument.condition", w + shape.type_width, 2 * w, Group::head);
  for (std::size_t i = 0; i < shape.argument_dilations.size(); ++i) {
    argument_blocks_.push_back(add_conv_block(layout_, "argument.block." + std::to_string(i), w, shape.argument_dilations[i]));
  }
  argument_norm_ = add_norm(layout_, "argument.norm", w, 1e-5F, Group::head);
  argument_pointers_ = add_linear(layout_, "argument.pointers", w, 2 * shape.pointer, Group::head);
  shared_bounds_ = add_linear(layout_, "argument.bounds", w, 2 * roles, Group::head);
  own_bounds_ = add_linear(layout_, "argument.own_bounds", w, 2 * schema.slots(), Group::head);
  argument_lengths_ = layout_.add("argument.lengths", roles, shape.longest_argument, Group::head, false);
  contrast_trigger_ = add_linear(layout_, "contrast.trigger", w, shape.contrast_width, Group::head);
  contrast_argument_ = add_linear(layout_, "contrast.argument", w, shape.contrast_width, Group::head);
}

void Network::initialise(float* values, Random& random) const {
  for (const auto& entry : layout_.entries()) {
    if (entry.group != Group::head) continue;
    float* p = values + entry.tensor.offset;
    const bool weight = entry.tensor.rows > 1;
    const bool gain = entry.name.ends_with("norm.weight");
    // uniform with variance 1/in: keeps the size of what passes through
    float range = weight ? std::sqrt(3.0F / static_cast<float>(entry.tensor.cols)) : 0;
    if (entry.name.ends_with("lengths") || entry.name == "argument.distance" || entry.name == "argument.condition.weight") range = 0.02F;
    if (entry.name == "argument.own_bounds.weight") range *= 0.3F;  // begins near what the types share
    for (std::size_t i = 0; i < entry.tensor.size(); ++i) p[i] = gain ? 1.0F : range * (2 * random.uniform() - 1);
  }
  // nearly every span is wrong: begin there
  row(values, trigger_bounds_.bias).setConstant(-3);
  row(values, shared_bounds_.bias).setConstant(-3);
}

void Network::lower_states(const Pass& pass, const Segments& segments, const std::vector<std::int32_t>& ids, Matrix& x) const {
  Pass reading = pass;
  reading.grads = nullptr;
  embed(reading, encoder_, segments, ids, x);
  LayerCache cache;
  for (int i = 0; i < shape_.encoder.frozen; ++i) forward(reading, encoder_, encoder_.layers[static_cast<std::size_t>(i)], segments, x, cache);
}

void Network::upper_states(const Pass& pass, const Segments& segments, Matrix& x) const {
  Pass reading = pass;
  reading.grads = nullptr;
  LayerCache cache;
  for (int i = shape_.encoder.frozen; i < shape_.encoder.layers; ++i) forward(reading, encoder_, encoder_.layers[static_cast<std::size_t>(i)], segments, x, cache);
}

void Network::encode(const Pass& pass, const Segments& segments, Matrix x, States& states, const Matrix* top) const {
  states.segments = segments;
  states.lower = x;
  if (top) x = *top;
  states.layers.resize(top ? 0 : encoder_.layers.size());
  for (std::size_t i = static_cast<std::size_t>(shape_.encoder.frozen); i < states.layers.size(); ++i) {
    forward(pass, encoder_, encoder_.layers[i], segments, x, states.layers[i]);
  }
  states.top_in = std::move(x);
  Matrix sum;
  forward(pass, mix_top_, states.top_in, states.mixed_top);
  forward(pass, mix_base_, states.lower, states.mixed_base);
  sum = states.mixed_top + states.mixed_base;
  Matrix u;
  forward(pass, mix_norm_, sum, states.mix_norm, u);
  states.mask.resize(0, 0);
  dropout(pass, u, states.mask);
  states.blocks.resize(blocks_.size());
  for (std::size_t i = 0; i < blocks_.size(); ++i) forward(pass, blocks_[i], segments, u, states.blocks[i]);
  forward(pass, out_norm_, u, states.out_norm, states.s);
}

void Network::encode_backward(const Pass& pass, States& states, Matrix ds) const {
  Matrix du;
  backward(pass, out_norm_, states.out_norm, ds, du);
  for (std::size_t i = blocks_.size(); i-- > 0;) backward(pass, blocks_[i], states.segments, states.blocks[i], du);
  dropout_backward(states.mask, du);
  Matrix dsum, dx;
  backward(pass, mix_norm_, states.mix_norm, du, dsum);
  backward(pass, mix_base_, states.lower, dsum, nullptr);
  const bool deeper = static_cast<std::size_t>(shape_.encoder.frozen) < states.layers.size();
  backward(pass, mix_top_, states.top_in, dsum, deeper ? &dx : nullptr);
  for (int i = static_cast<int>(states.layers.size()) - 1; i >= shape_.encoder.frozen; --i) {
    const auto at = static_cast<std::size_t>(i);
    backward(pass, encoder_, encoder_.layers[at], states.segments, states.layers[at], dx);
  }
}

void Network::types(const Pass& pass, const States& states, Matrix& pooled, std::vector<int>& where, Matrix& odds) const {
  const int w = shape_.width;
  pooled.resize(states.segments.count(), 2 * w);
  where.resize(static_cast<std::size_t>(states.segments.count() * w));
  for (int s = 0; s < states.segments.count(); ++s) {
    const int first = states.segments.first(s);
    for (int c = 0; c < w; ++c) {
      int at = 0;
      pooled(s, c) = states.s.col(c).segment(first, states.segments.size(s)).maxCoeff(&at);
      where[static_cast<std::size_t>(s * w + c)] = first + at;
    }
    pooled.row(s).tail(w) = states.s.row(first);
  }
  forward(pass, type_head_, pooled, odds);
}

void Network::trigger_features(const Pass& pass, const States& states, Matrix& pointers, Matrix& bounds) const {
  forward(pass, trigger_pointers_, states.s, pointers);
  forward(pass, trigger_bounds_, states.s, bounds);
}

void Network::trigger_scores(const Pass& pass, const States& states, const Matrix& pointers, const Matrix& bounds, int segment, SpanScores& out) const {
  const int first = states.segments.first(segment), n = states.segments.size(segment), types = static_cast<int>(schema_.types.size());
  out.q = pointers.block(first, 0, n, shape_.pointer);
  out.k = pointers.block(first, shape_.pointer, n, shape_.pointer);
  rotate(out.q, false);
  rotate(out.k, false);
  out.starts = bounds.block(first, 0, n, types).transpose();
  out.ends = bounds.block(first, types, n, types).transpose();
  out.lengths = weights(pass.values, trigger_lengths_);
  out.first = 1;
  out.last = n - 2;
}

Network::Loss Network::learn(const Pass& pass, const std::vector<const Example*>& examples, const Weights& weights_of, float scale) const {
  Segments segments;
  for (const Example* example : examples) segments.add(static_cast<int>(example->ids.size()));
  Matrix x(segments.rows(), shape_.encoder.width);
  for (int s = 0; s < segments.count(); ++s) x.middleRows(segments.first(s), segments.size(s)) = examples[static_cast<std::size_t>(s)]->lower;
  Matrix top;
  const bool given = examples[0]->top.size() > 0;
  if (given) {
    top.resize(segments.rows(), shape_.encoder.width);
    for (int s = 0; s < segments.count(); ++s) top.middleRows(segments.first(s), segments.size(s)) = examples[static_cast<std::size_t>(s)]->top;
  }
  States states;
  encode(pass, segments, std::move(x), states, given ? &top : nullptr);
  Matrix ds = Matrix::Zero(states.s.rows(), states.s.cols());
  Loss loss;
  loss.type = learn_types(pass, states, examples, scale * weights_of.type, ds);
  loss.trigger = learn_triggers(pass, states, examples, scale * weights_of.trigger, ds);
  loss.argument = learn_arguments(pass, states, examples, scale * weights_of.argument, ds);
  if (weights_of.contrast > 0) {
    loss.contrast = learn_contrast(pass, states, examples, scale * weights_of.contrast * static_cast<float>(examples.size()), ds);
  }
  encode_backward(pass, states, std::move(ds));
  return loss;
}

double Network::learn_types(const Pass& pass, const States& states, const std::vector<const Example*>& examples, float scale, Matrix& ds) const {
  Matrix pooled, odds, dpooled;
  std::vector<int> where;
  types(pass, states, pooled, where, odds);
  double loss = 0;
  Matrix dodds(odds.rows(), odds.cols());
  for (Eigen::Index s = 0; s < odds.rows(); ++s) {
    RowVector target = RowVector::Zero(odds.cols());
    for (const auto& trigger : examples[static_cast<std::size_t>(s)]->triggers) target(trigger.label) = 1;
    for (Eigen::Index t = 0; t < odds.cols(); ++t) {
      const float p = 1.0F / (1.0F + std::exp(-odds(s, t)));
      loss -= static_cast<double>(scale) * std::log(std::max(1e-7F, target(t) > 0 ? p : 1 - p));
      dodds(s, t) = (p - target(t)) * scale;
    }
  }
  backward(pass, type_head_, pooled, dodds, &dpooled);
  const int w = shape_.width;
  for (int s = 0; s < states.segments.count(); ++s) {
    for (int c = 0; c < w; ++c) ds(where[static_cast<std::size_t>(s * w + c)], c) += dpooled(s, c);
    ds.row(states.segments.first(s)) += dpooled.row(s).tail(w);
  }
  return loss;
}

double Network::learn_triggers(const Pass& pass, const States& states, const std::vector<const Example*>& examples, float scale, Matrix& ds) const {
  const int p = shape_.pointer, types_count = static_cast<int>(schema_.types.size());
  Matrix pointers, bounds;
  trigger_features(pass, states, pointers, bounds);
  Matrix dpointers(pointers.rows(), pointers.cols()), dbounds(bounds.rows(), bounds.cols());
  double loss = 0;
  SpanScores scores, gradient;
  for (int s = 0; s < states.segments.count(); ++s) {
    trigger_scores(pass, states, pointers, bounds, s, scores);
    loss += span_loss(scores, examples[static_cast<std::size_t>(s)]->triggers, scale, gradient);
    rotate(gradient.q, true);
    rotate(gradient.k, true);
    const int first = states.segments.first(s), n = states.segments.size(s);
    dpointers.block(first, 0, n, p) = gradient.q;
    dpointers.block(first, p, n, p) = gradient.k;
    dbounds.block(first, 0, n, types_count) = gradient.starts.transpose();
    dbounds.block(first, types_count, n, types_count) = gradient.ends.transpose();
    weights(pass.grads, trigger_lengths_) += gradient.lengths;
  }
  Matrix dx;
  backward(pass, trigger_pointers_, states.s, dpointers, &dx);
  ds += dx;
  backward(pass, trigger_bounds_, states.s, dbounds, &dx);
  ds += dx;
  return loss;
}

}  // namespace heng::insight_events
