// The argument head: what fills the roles of an event whose trigger is known.
#include <algorithm>

#include "network.h"

namespace heng::insight_events {
namespace {

/// 0: inside the trigger; 1–12 before it; 13–24 behind it.
int distance_bucket(int i, const EventQuery& query) {
  static constexpr int edges[] = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48};
  if (i >= query.begin && i <= query.last) return 0;
  const int distance = i < query.begin ? query.begin - i : i - query.last;
  const auto bucket = static_cast<int>(std::lower_bound(std::begin(edges), std::end(edges), distance) - std::begin(edges));
  return (i < query.begin ? 1 : 13) + bucket;
}

}  // namespace

void Network::arguments(const Pass& pass, const States& states, std::vector<EventQuery> queries, Arguments& out) const {
  const int w = shape_.width;
  out.queries = std::move(queries);
  out.segments = {};
  const int count = static_cast<int>(out.queries.size());
  out.condition.resize(count, w + shape_.type_width);
  for (int e = 0; e < count; ++e) {
    const EventQuery& query = out.queries[static_cast<std::size_t>(e)];
    const int first = states.segments.first(query.segment);
    out.segments.add(states.segments.size(query.segment));
    out.condition.row(e).head(w) = 0.5F * (states.s.row(first + query.begin) + states.s.row(first + query.last));
    out.condition.row(e).tail(shape_.type_width) = row(pass.values, type_embedding_, query.type);
  }
  forward(pass, condition_, out.condition, out.scales);
  normalise(states.s, 1e-5F, out.norm);
  Matrix z(out.segments.rows(), w);
  for (int e = 0; e < count; ++e) {
    const EventQuery& query = out.queries[static_cast<std::size_t>(e)];
    const int from = states.segments.first(query.segment), to = out.segments.first(e);
    for (int i = 0; i < out.segments.size(e); ++i) {
      z.row(to + i) = out.norm.normal.row(from + i).array() * (1.0F + out.scales.row(e).head(w).array());
      z.row(to + i) += out.scales.row(e).tail(w) + row(pass.values, distance_embedding_, distance_bucket(i, query));
    }
  }
  out.mask.resize(0, 0);
  dropout(pass, z, out.mask);
  out.blocks.resize(argument_blocks_.size());
  for (std::size_t b = 0; b < argument_blocks_.size(); ++b) forward(pass, argument_blocks_[b], out.segments, z, out.blocks[b]);
  forward(pass, argument_norm_, z, out.out_norm, out.a);
  forward(pass, argument_pointers_, out.a, out.pointers);
  forward(pass, shared_bounds_, out.a, out.shared_bounds);
  out.own_bounds.resize(static_cast<std::size_t>(count));
  for (int e = 0; e < count; ++e) {
    const int type = out.queries[static_cast<std::size_t>(e)].type;
    const int slot = 2 * schema_.first_slot(type), slots = 2 * static_cast<int>(schema_.type_roles[static_cast<std::size_t>(type)].size());
    Matrix& own = out.own_bounds[static_cast<std::size_t>(e)];
    own.resize(out.segments.size(e), slots);
    own.noalias() = out.a.middleRows(out.segments.first(e), out.segments.size(e)) *
                    weights(pass.values, own_bounds_.weight).middleRows(slot, slots).transpose();
    own.rowwise() += row(pass.values, own_bounds_.bias).segment(slot, slots);
  }
}

void Network::argument_scores(const Pass& pass, const Arguments& in, int e, SpanScores& out) const {
  const int first = in.segments.first(e), n = in.segments.size(e), p = shape_.pointer, roles = static_cast<int>(schema_.roles.size());
  const auto& roles_of = schema_.type_roles[static_cast<std::size_t>(in.queries[static_cast<std::size_t>(e)].type)];
  const Matrix& own = in.own_bounds[static_cast<std::size_t>(e)];
  const int labels = static_cast<int>(roles_of.size());
  out.q = in.pointers.block(first, 0, n, p);
  out.k = in.pointers.block(first, p, n, p);
  rotate(out.q, false);
  rotate(out.k, false);
  out.starts.resize(labels, n);
  out.ends.resize(labels, n);
  out.lengths.resize(labels, shape_.longest_argument);
  for (int c = 0; c < labels; ++c) {
    const int role = roles_of[static_cast<std::size_t>(c)];
    out.starts.row(c) = (in.shared_bounds.col(role).segment(first, n) + own.col(c)).transpose();
    out.ends.row(c) = (in.shared_bounds.col(roles + role).segment(first, n) + own.col(labels + c)).transpose();
    out.lengths.row(c) = row(pass.values, argument_lengths_, role);
  }
  out.first = 1;
  out.last = n - 2;
}

double Network::learn_arguments(const Pass& pass, const States& states, const std::vector<const Example*>& examples, float scale, Matrix& ds) const {
  std::vector<EventQuery> queries;
  std::vector<const Example::Event*> events;
  for (std::size_t s = 0; s < examples.size(); ++s) {
    for (const auto& event : examples[s]->events) {
      queries.push_back({static_cast<int>(s), event.type, event.begin, event.last});
      events.push_back(&event);
    }
  }
  if (queries.empty()) return 0;
  Arguments in;
  arguments(pass, states, std::move(queries), in);
  const int p = shape_.pointer, roles = static_cast<int>(schema_.roles.size());
  Matrix dpointers(in.pointers.rows(), in.pointers.cols()), dshared = Matrix::Zero(in.shared_bounds.rows(), in.shared_bounds.cols());
  Matrix da = Matrix::Zero(in.a.rows(), in.a.cols()), dx;
  double loss = 0;
  SpanScores scores, gradient;
  for (int e = 0; e < in.segments.count(); ++e) {
    argument_scores(pass, in, e, scores);
    loss += span_loss(scores, events[static_cast<std::size_t>(e)]->arguments, scale, gradient);
    rotate(gradient.q, true);
    rotate(gradient.k, true);
    const int first = in.segments.first(e), n = in.segments.size(e), type = in.queries[static_cast<std::size_t>(e)].type;
    dpointers.block(first, 0, n, p) = gradient.q;
    dpointers.block(first, p, n, p) = gradient.k;
    const auto& roles_of = schema_.type_roles[static_cast<std::size_t>(type)];
    const int labels = static_cast<int>(roles_of.size()), slot = 2 * schema_.first_slot(type);
    Matrix down(n, 2 * labels);
    for (int c = 0; c < labels; ++c) {
      const int role = roles_of[static_cast<std::size_t>(c)];
      dshared.col(role).segment(first, n) += gradient.starts.row(c).transpose();
      dshared.col(roles + role).segment(first, n) += gradient.ends.row(c).transpose();
      down.col(c) = gradient.starts.row(c).transpose();
      down.col(labels + c) = gradient.ends.row(c).transpose();
      row(pass.grads, argument_lengths_, role) += gradient.lengths.row(c);
    }
    weights(pass.grads, own_bounds_.weight).middleRows(slot, 2 * labels).noalias() += down.transpose() * in.a.middleRows(first, n);
    row(pass.grads, own_bounds_.bias).segment(slot, 2 * labels) += down.colwise().sum();
    da.middleRows(first, n).noalias() += down * weights(pass.values, own_bounds_.weight).middleRows(slot, 2 * labels);
  }
  backward(pass, argument_pointers_, in.a, dpointers, &dx);
  da += dx;
  backward(pass, shared_bounds_, in.a, dshared, &dx);
  da += dx;
  arguments_backward(pass, states, in, std::move(da), ds);
  return loss;
}

void Network::arguments_backward(const Pass& pass, const States& states, Arguments& in, Matrix da, Matrix& ds) const {
  const int w = shape_.width;
  Matrix dz;
  backward(pass, argument_norm_, in.out_norm, da, dz);
  for (std::size_t b = argument_blocks_.size(); b-- > 0;) backward(pass, argument_blocks_[b], in.segments, in.blocks[b], dz);
  dropout_backward(in.mask, dz);
  Matrix dnormal = Matrix::Zero(states.s.rows(), w), dscales = Matrix::Zero(in.scales.rows(), 2 * w);
  for (int e = 0; e < in.segments.count(); ++e) {
    const EventQuery& query = in.queries[static_cast<std::size_t>(e)];
    const int from = states.segments.first(query.segment), to = in.segments.first(e);
    for (int i = 0; i < in.segments.size(e); ++i) {
      dscales.row(e).head(w).array() += dz.row(to + i).array() * in.norm.normal.row(from + i).array();
      dscales.row(e).tail(w) += dz.row(to + i);
      dnormal.row(from + i).array() += dz.row(to + i).array() * (1.0F + in.scales.row(e).head(w).array());
      row(pass.grads, distance_embedding_, distance_bucket(i, query)) += dz.row(to + i);
    }
  }
  Matrix dcondition, dx;
  backward(pass, condition_, in.condition, dscales, &dcondition);
  for (int e = 0; e < in.segments.count(); ++e) {
    const EventQuery& query = in.queries[static_cast<std::size_t>(e)];
    const int first = states.segments.first(query.segment);
    ds.row(first + query.begin) += 0.5F * dcondition.row(e).head(w);
    ds.row(first + query.last) += 0.5F * dcondition.row(e).head(w);
    row(pass.grads, type_embedding_, query.type) += dcondition.row(e).tail(shape_.type_width);
  }
  normalise_backward(in.norm, dnormal, dx);
  ds += dx;
}

double Network::learn_contrast(const Pass& pass, const States& states, const std::vector<const Example*>& examples, float scale, Matrix& ds) const {
  // one row per distinct trigger span, then one per event with arguments; label: set of types of the span
  struct Pool {
    std::vector<int> rows;
    unsigned label = 0;
  };
  std::vector<Pool> triggers, arguments_of;
  for (int s = 0; s < states.segments.count(); ++s) {
    const Example& example = *examples[static_cast<std::size_t>(s)];
    const int first = states.segments.first(s);
    for (std::size_t e = 0; e < example.events.size(); ++e) {
      const auto& event = example.events[e];
      unsigned label = 0;
      bool seen = false;
      for (std::size_t o = 0; o < example.events.size(); ++o) {
        const auto& other = example.events[o];
        if (other.begin != event.begin || other.last != event.last) continue;
        label |= 1U << (other.type % 32);
        seen = seen || o < e;
      }
      Pool trigger, argument;
      trigger.label = argument.label = label;
      for (int i = event.begin; i <= event.last; ++i) trigger.rows.push_back(first + i);
      for (const auto& span : event.arguments) {
        for (int i = span.begin; i <= span.last; ++i) argument.rows.push_back(first + i);
      }
      if (!seen) triggers.push_back(std::move(trigger));
      if (!argument.rows.empty()) arguments_of.push_back(std::move(argument));
    }
  }
  if (triggers.empty() || arguments_of.empty()) return 0;
  auto mean = [&](const std::vector<Pool>& pools) {
    Matrix m = Matrix::Zero(static_cast<Eigen::Index>(pools.size()), shape_.width);
    for (std::size_t i = 0; i < pools.size(); ++i) {
      for (const int r : pools[i].rows) m.row(static_cast<Eigen::Index>(i)) += states.s.row(r) / static_cast<float>(pools[i].rows.size());
    }
    return m;
  };
  const Matrix trigger_mean = mean(triggers), argument_mean = mean(arguments_of);
  Matrix a, b, dx;
  forward(pass, contrast_trigger_, trigger_mean, a);
  forward(pass, contrast_argument_, argument_mean, b);
  Matrix all(a.rows() + b.rows(), a.cols());
  all << a, b;
  std::vector<unsigned> labels;
  for (const auto& pool : triggers) labels.push_back(pool.label);
  for (const auto& pool : arguments_of) labels.push_back(pool.label);
  Matrix dall, dmean;
  const double loss = contrastive_loss(all, labels, 0.1F, scale, dall);
  auto spread = [&](const std::vector<Pool>& pools) {
    for (std::size_t i = 0; i < pools.size(); ++i) {
      for (const int r : pools[i].rows) ds.row(r) += dmean.row(static_cast<Eigen::Index>(i)) / static_cast<float>(pools[i].rows.size());
    }
  };
  backward(pass, contrast_trigger_, trigger_mean, dall.topRows(a.rows()), &dmean);
  spread(triggers);
  backward(pass, contrast_argument_, argument_mean, dall.bottomRows(b.rows()), &dmean);
  spread(arguments_of);
  return loss;
}

}  // namespace heng::insight_events
