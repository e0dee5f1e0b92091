#include "tuning.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <set>
#include <thread>

#include "heng/base/text.h"
#include "heng/insight_events/evaluation.h"
#include "rows.h"

namespace heng::insight_events {
namespace {

struct Case {
  std::u32string text;
  std::vector<Chunk> chunks;
  std::vector<Reading> readings;
};

std::vector<Event> events_of(const EventModel::Parts& parts, const Case& one, const Decisions& decisions) {
  std::vector<Event> out;
  for (std::size_t c = 0; c < one.chunks.size(); ++c) {
    for (Event& event : to_events(parts, one.text, one.chunks[c].pieces, decide(one.readings[c], decisions))) out.push_back(std::move(event));
  }
  return out;
}

/// Logistic regression of "the trigger is right" on its score, by Newton's method with a little shrinkage.
void calibrate(const EventModel::Parts& parts, const std::vector<EventRow>& rows, const std::vector<Case>& cases, Decisions& d) {
  std::vector<std::pair<double, bool>> points;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::set<std::tuple<std::string, std::size_t, std::size_t>> known;
    for (const auto& event : rows[i].events) {
      for (const auto& m : event.mentions) {
        if (m.role == trigger_role) known.emplace(event.type, m.begin, m.end);
      }
    }
    for (std::size_t c = 0; c < cases[i].chunks.size(); ++c) {
      for (const auto& event : decide(cases[i].readings[c], d)) {
        const auto& pieces = cases[i].chunks[c].pieces;
        points.emplace_back(event.score, known.contains({parts.network.schema().types[static_cast<std::size_t>(event.type)],
                                                         pieces[static_cast<std::size_t>(event.begin) - 1].begin,
                                                         pieces[static_cast<std::size_t>(event.last) - 1].end}));
      }
    }
  }
  if (points.size() < 20) return;
  double a = 1, b = 0;
  constexpr double shrink = 1;
  for (int round = 0; round < 50; ++round) {
    double ga = shrink * (a - 1), gb = 0, haa = shrink, hab = 0, hbb = 1e-6;
    for (const auto& [x, right] : points) {
      const double p = 1 / (1 + std::exp(-(a * x + b))), w = p * (1 - p), e = p - (right ? 1 : 0);
      ga += e * x, gb += e, haa += w * x * x, hab += w * x, hbb += w;
    }
    const double det = haa * hbb - hab * hab;
    if (!(std::abs(det) > 1e-12)) break;
    const double da = (hbb * ga - hab * gb) / det, db = (haa * gb - hab * ga) / det;
    a -= std::clamp(da, -1.0, 1.0), b -= std::clamp(db, -1.0, 1.0);
    if (std::abs(da) + std::abs(db) < 1e-7) break;
  }
  if (a > 0) d.slope = static_cast<float>(a), d.offset = static_cast<float>(b);
}

}  // namespace

Decisions tune(const EventModel::Parts& parts, const std::vector<EventRow>& rows, int threads) {
  std::vector<Case> cases(rows.size());
  std::atomic<std::size_t> next{0};
  auto work = [&] {
    for (std::size_t i = next++; i < rows.size(); i = next++) {
      cases[i].text = text::to_utf32(rows[i].content);
      cases[i].chunks = chunks(parts.words, cases[i].text, chunk_limit);
      std::vector<const std::vector<std::int32_t>*> ids;
      for (const auto& chunk : cases[i].chunks) ids.push_back(&chunk.ids);
      cases[i].readings = read(parts.network, parts.pass(), ids);
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (int t = 1; t < threads; ++t) helpers.emplace_back(work);
    work();
  }
  Decisions best;
  double best_score = -1;
  auto attempt = [&](const Decisions& d) {
    std::vector<std::vector<Event>> predicted;
    for (const auto& one : cases) predicted.push_back(events_of(parts, one, d));
    const Evaluation e = evaluate(rows, predicted);
    const double score = e.types.f1() + e.roles.f1();
    if (score > best_score + 1e-9) best_score = score, best = d;
  };
  for (const float type_share : {0.0F, 0.25F, 0.5F, 1.0F}) {
    for (const float trigger : {-1.0F, 0.0F, 0.5F, 1.0F, 1.5F, 2.0F, 3.0F, 4.0F}) attempt({.trigger = trigger, .type_share = type_share, .argument = 0.5F});
  }
  for (const float rescue : {0.0F, 0.5F, 1.0F, 2.0F}) {
    Decisions d = best;
    d.rescue = rescue;
    attempt(d);
  }
  const Decisions base = best;
  for (const float argument : {-1.0F, -0.5F, -0.25F, 0.0F, 0.25F, 0.75F, 1.0F, 1.5F, 2.0F, 2.5F}) {
    Decisions d = base;
    d.argument = argument;
    attempt(d);
  }
  const Decisions with_arguments = best;
  for (const float shift : {-0.75F, -0.5F, -0.25F, 0.25F, 0.5F, 0.75F}) {
    Decisions d = with_arguments;
    d.trigger += shift;
    attempt(d);
  }
  calibrate(parts, rows, cases, best);
  return best;
}

}  // namespace heng::insight_events
