#include "decode.h"

#include <algorithm>

namespace heng::insight_events {
namespace {

constexpr std::size_t most_triggers = 48;    // of one chunk; a sentence of the training data has at most 24
constexpr int most_rows = 1600;              // tokens in a batch

/// The triggers that count, as places in reading.triggers.
std::vector<std::size_t> counting(const Reading& reading, const Decisions& d) {
  std::vector<std::size_t> out;
  for (std::size_t type = 0; type < reading.types.size(); ++type) {
    bool any = false;
    for (std::size_t t = 0; t < reading.triggers.size(); ++t) {  // best first
      const ScoredSpan& trigger = reading.triggers[t];
      if (trigger.label != static_cast<int>(type)) continue;
      if (trigger.score + d.type_share * reading.types[type] <= d.trigger && (any || reading.types[type] <= d.rescue)) break;
      any = true;
      out.push_back(t);
    }
  }
  return out;
}

void read_batch(const Network& network, const Pass& pass, const std::vector<const std::vector<std::int32_t>*>& chunks, std::size_t from, std::size_t to,
                const Decisions* decisions, std::vector<Reading>& out) {
  Segments segments;
  std::vector<std::int32_t> ids;
  for (std::size_t i = from; i < to; ++i) {
    segments.add(static_cast<int>(chunks[i]->size()));
    ids.insert(ids.end(), chunks[i]->begin(), chunks[i]->end());
  }
  Matrix x, pooled, odds, pointers, bounds;
  network.lower_states(pass, segments, ids, x);
  Network::States states;
  network.encode(pass, segments, std::move(x), states);
  std::vector<int> where;
  network.types(pass, states, pooled, where, odds);
  network.trigger_features(pass, states, pointers, bounds);
  std::vector<EventQuery> queries;
  std::vector<std::pair<std::size_t, std::size_t>> owner;
  SpanScores scores;
  for (int s = 0; s < segments.count(); ++s) {
    Reading& reading = out[from + static_cast<std::size_t>(s)];
    reading.types.assign(odds.row(s).data(), odds.row(s).data() + odds.cols());
    network.trigger_scores(pass, states, pointers, bounds, s, scores);
    reading.triggers = without_overlaps(spans_above(scores, trigger_floor));
    if (reading.triggers.size() > most_triggers) reading.triggers.resize(most_triggers);
    if (decisions) {
      std::vector<ScoredSpan> kept;
      for (const std::size_t t : counting(reading, *decisions)) kept.push_back(reading.triggers[t]);
      reading.triggers = std::move(kept);
    }
    reading.arguments.resize(reading.triggers.size());
    for (std::size_t t = 0; t < reading.triggers.size(); ++t) {
      const ScoredSpan& trigger = reading.triggers[t];
      queries.push_back({s, trigger.label, trigger.begin, trigger.last});
      owner.emplace_back(from + static_cast<std::size_t>(s), t);
    }
  }
  if (queries.empty()) return;
  Network::Arguments arguments;
  network.arguments(pass, states, std::move(queries), arguments);
  for (int e = 0; e < arguments.segments.count(); ++e) {
    network.argument_scores(pass, arguments, e, scores);
    const auto [chunk, trigger] = owner[static_cast<std::size_t>(e)];
    out[chunk].arguments[trigger] = without_overlaps(spans_above(scores, argument_floor));
  }
}

}  // namespace

std::vector<Reading> read(const Network& network, const Pass& pass, const std::vector<const std::vector<std::int32_t>*>& chunks, const Decisions* decisions) {
  std::vector<Reading> out(chunks.size());
  std::size_t from = 0;
  while (from < chunks.size()) {
    std::size_t to = from;
    int rows = 0;
    while (to < chunks.size() && (to == from || rows + static_cast<int>(chunks[to]->size()) <= most_rows)) rows += static_cast<int>(chunks[to++]->size());
    read_batch(network, pass, chunks, from, to, decisions, out);
    from = to;
  }
  return out;
}

std::vector<DecodedEvent> decide(const Reading& reading, const Decisions& d) {
  std::vector<DecodedEvent> out;
  for (const std::size_t t : counting(reading, d)) {
    const ScoredSpan& trigger = reading.triggers[t];
    DecodedEvent event{trigger.label, trigger.begin, trigger.last, trigger.score + d.type_share * reading.types[static_cast<std::size_t>(trigger.label)], {}};
    for (const ScoredSpan& argument : reading.arguments[t]) {
      if (argument.score > d.argument) event.arguments.push_back(argument);
    }
    out.push_back(std::move(event));
  }
  std::stable_sort(out.begin(), out.end(), [](const DecodedEvent& a, const DecodedEvent& b) { return a.begin < b.begin; });
  return out;
}

}  // namespace heng::insight_events
