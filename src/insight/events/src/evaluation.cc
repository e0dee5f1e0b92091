#include "heng/insight_events/evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <tuple>

#include "heng/base/text.h"

namespace heng::insight_events {
namespace {

using Key = std::tuple<std::string, std::string, std::size_t, std::size_t>;  // type, role, span

template <class T>
void count(const std::set<T>& known, const std::set<T>& predicted, const auto& into) {
  for (const T& item : known) into(item, predicted.contains(item) ? &Counts::right : &Counts::missed);
  for (const T& item : predicted) {
    if (!known.contains(item)) into(item, &Counts::wrong);
  }
}

std::set<Key> keys(const std::vector<Event>& events) {
  std::set<Key> out;
  for (const auto& event : events) {
    for (const auto& mention : event.mentions) out.emplace(event.type, mention.role, mention.begin, mention.end);
  }
  return out;
}

/// Mentions that both events have, each used once.
std::int64_t shared(const Event& a, const Event& b) {
  std::multiset<std::tuple<std::string, std::size_t, std::size_t>> rest;
  for (const auto& m : b.mentions) rest.emplace(m.role, m.begin, m.end);
  std::int64_t n = 0;
  for (const auto& m : a.mentions) {
    const auto at = rest.find({m.role, m.begin, m.end});
    if (at == rest.end()) continue;
    rest.erase(at);
    ++n;
  }
  return n;
}

void match_events(const std::vector<Event>& known, const std::vector<Event>& predicted, Counts& counts) {
  std::vector<bool> used(predicted.size());
  std::int64_t right = 0, all_known = 0, all_predicted = 0;
  for (const auto& event : predicted) all_predicted += static_cast<std::int64_t>(event.mentions.size());
  std::vector<const Event*> order;
  for (const auto& event : known) order.push_back(&event);
  std::stable_sort(order.begin(), order.end(), [](const Event* a, const Event* b) { return a->mentions.size() > b->mentions.size(); });
  for (const Event* event : order) {
    all_known += static_cast<std::int64_t>(event->mentions.size());
    std::int64_t best = 0;
    std::size_t best_at = predicted.size();
    for (std::size_t i = 0; i < predicted.size(); ++i) {
      if (used[i] || predicted[i].type != event->type) continue;
      const std::int64_t n = shared(*event, predicted[i]);
      if (n > best) best = n, best_at = i;
    }
    if (best_at == predicted.size()) continue;
    used[best_at] = true;
    right += best;
  }
  counts.right += right;
  counts.missed += all_known - right;
  counts.wrong += all_predicted - right;
}

struct Reliability {
  std::array<double, 10> sure{}, right{}, count{};
  void add(double confidence, bool is_right) {
    const auto bin = static_cast<std::size_t>(std::clamp(confidence * 10, 0.0, 9.0));
    sure[bin] += confidence;
    right[bin] += is_right;
    count[bin] += 1;
  }
  double error() const {
    double all = 0, sum = 0;
    for (std::size_t b = 0; b < count.size(); ++b) all += count[b], sum += std::abs(sure[b] - right[b]);
    return all > 0 ? sum / all : 0;
  }
};

std::string line(const std::string& name, const Counts& c) {
  const std::size_t width = text::display_width(name);
  return fmt::format("  {}{}  {:.4f}  {:.4f}  {:.4f}  {:6} {:6} {:6}\n", name, std::string(width < 24 ? 24 - width : 0, ' '), c.f1(), c.precision(), c.recall(),
                     c.right, c.wrong, c.missed);
}

}  // namespace

Evaluation evaluate(const std::vector<EventRow>& known, const std::vector<std::vector<Event>>& predicted) {
  Evaluation out;
  Reliability reliability;
  out.sentences = static_cast<std::int64_t>(known.size());
  for (std::size_t i = 0; i < known.size(); ++i) {
    std::set<std::string> known_types, predicted_types;
    for (const auto& event : known[i].events) known_types.insert(event.type);
    for (const auto& event : predicted[i]) predicted_types.insert(event.type);
    count(known_types, predicted_types, [&](const std::string& type, auto field) {
      ++(out.types.*field);
      ++(out.by_type[type].*field);
    });
    const auto known_keys = keys(known[i].events);
    count(known_keys, keys(predicted[i]), [&](const Key& key, auto field) {
      ++(out.roles.*field);
      ++(out.by_role[std::get<1>(key)].*field);
      Counts& part = std::get<1>(key) == trigger_role ? out.triggers : out.arguments;
      ++(part.*field);
    });
    match_events(known[i].events, predicted[i], out.mentions);
    for (const auto& event : predicted[i]) {
      for (const auto& m : event.mentions) {
        if (m.role == trigger_role) reliability.add(event.confidence, known_keys.contains({event.type, m.role, m.begin, m.end}));
      }
    }
  }
  out.calibration_error = reliability.error();
  return out;
}

std::string to_text(const Evaluation& e) {
  std::string out = fmt::format("  {:24}  {:6}  {:6}  {:6}  {:>6} {:>6} {:>6}\n", fmt::format("{} sentences", e.sentences), "F1", "prec.", "recall", "right", "wrong", "missed");
  out += line("event types", e.types) + line("roles (with trigger)", e.roles) + line("· triggers", e.triggers) + line("· arguments", e.arguments) +
         line("mentions, by event", e.mentions);
  out += "  by event type\n";
  for (const auto& [name, counts] : e.by_type) out += line(name, counts);
  out += "  by role\n";
  for (const auto& [name, counts] : e.by_role) out += line(name, counts);
  out += fmt::format("  calibration error of events {:.4f}\n", e.calibration_error);
  return out;
}

}  // namespace heng::insight_events
