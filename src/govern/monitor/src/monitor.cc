#include "heng/monitor/monitor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "heng/base/clock.h"
#include "heng/base/text.h"
#include "heng/monitor/drift.h"

namespace heng::monitor {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

constexpr int topic_buckets = 16;

/// What drift is measured on, of one window.
struct Sample {
  std::vector<double> lengths, support;
  std::map<std::string, int> resources, topics, languages;
};

std::string text_of(const Json& object, const char* name) {
  const auto at = object.is_object() ? object.find(name) : object.end();
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

bool is_request(const std::string& action) { return action == "ask" || action == "chat" || action == "search" || action == "embeddings"; }

/// The topic of a question without reading it: its pairs of characters, hashed; the fullest bucket names it.
std::string topic_of(const std::string& question) {
  const std::u32string wide = text::to_utf32(text::lower(question));
  std::map<int, int> votes;
  for (std::size_t i = 0; i + 1 < wide.size(); ++i) {
    if (text::is_space(wide[i]) || text::is_space(wide[i + 1])) continue;
    std::uint32_t hash = 2166136261u;
    for (const char32_t c : {wide[i], wide[i + 1]}) hash = (hash ^ static_cast<std::uint32_t>(c)) * 16777619u;
    ++votes[static_cast<int>((hash >> 8) % topic_buckets)];
  }
  int best = 0, most = -1;
  for (const auto& [bucket, count] : votes)
    if (count > most) best = bucket, most = count;
  return std::to_string(best);
}

double best_support(const Json& closed) {
  double best = 0;
  for (const auto& verdict : closed.value("verdicts", Json::array())) {
    const std::string detail = text_of(verdict, "detail");
    if (text_of(verdict, "rule") == "grounding" && detail.starts_with("support ")) best = std::max(best, std::strtod(detail.c_str() + 8, nullptr));
  }
  return best;
}

void add_to_sample(Sample& sample, const Json& opened, const Json& closed) {
  const std::string question = text_of(opened, "subject");
  sample.lengths.push_back(static_cast<double>(text::code_points(question)));
  ++sample.resources[text_of(opened, "resource")];
  ++sample.topics[topic_of(question)];
  ++sample.languages[text::language_of(question) == text::Language::chinese ? "zh" : "other"];
  if (text_of(opened, "action") == "ask") sample.support.push_back(best_support(closed));
}

double quantile(std::vector<double>& values, double q) {
  if (values.empty()) return 0;
  const auto at = static_cast<std::ptrdiff_t>(std::min<double>(static_cast<double>(values.size()) - 1, std::ceil(q * static_cast<double>(values.size())) - 1));
  std::nth_element(values.begin(), values.begin() + std::max<std::ptrdiff_t>(0, at), values.end());
  return values[static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, at))];
}

class Summer {
 public:
  Summer(const MonitorSettings& settings, Report& out) : settings_(settings), out_(out) {}

  void add(const Json& record) {
    const Json opened = record.value("opened", Json::object()), closed = record.value("closed", Json::object());
    const std::string action = text_of(opened, "action"), outcome = closed.empty() ? "not closed" : text_of(closed, "outcome");
    ++out_.records;
    ++out_.actions[action.empty() ? "erased" : action];
    if (action == "feedback" && text_of(opened, "resource").starts_with("record:")) {
      out_.good += outcome == "good";
      out_.bad += outcome == "bad";
    }
    if (action == "refused") ++out_.outcomes["refused at the door"];
    if (!is_request(action)) return;
    ++out_.requests;
    out_.answers += action == "ask" && (outcome == "ok" || outcome == "abstained");
    ++out_.outcomes[outcome];
    for (const auto& verdict : closed.value("verdicts", Json::array())) ++out_.verdicts[text_of(verdict, "rule") + " " + text_of(verdict, "verdict")];
    if (closed.contains("total_ms") && closed["total_ms"].is_number()) times_.push_back(closed["total_ms"].get<double>());
    count_tokens(record, closed);
    add_to_sample(sample, opened, closed);
  }
  void finish() {
    out_.p50_ms = quantile(times_, 0.50);
    out_.p95_ms = quantile(times_, 0.95);
  }
  Sample sample;

 private:
  void count_tokens(const Json& record, const Json& closed) {
    const Json usage = closed.value("usage", Json::object());
    const std::int64_t prompt = usage.value("prompt_tokens", 0), completion = usage.value("completion_tokens", 0);
    const double cost = (static_cast<double>(prompt) * settings_.prompt_price + static_cast<double>(completion) * settings_.completion_price) / 1e6;
    const auto add_to = [&](Tally& tally) {
      ++tally.requests;
      tally.prompt_tokens += prompt;
      tally.completion_tokens += completion;
      tally.cost += cost;
    };
    add_to(out_.tenants[text_of(record, "tenant")]);
    if (const auto model = text_of(closed, "model"); !model.empty()) add_to(out_.models[model]);
  }

  const MonitorSettings& settings_;
  Report& out_;
  std::vector<double> times_;
};

void add_drift(Report& out, const Sample& before, const Sample& now) {
  out.drift.push_back({"question_length", psi(before.lengths, now.lengths), ks_distance(before.lengths, now.lengths)});
  out.drift.push_back({"support", psi(before.support, now.support), ks_distance(before.support, now.support)});
  out.drift.push_back({"resource", psi(before.resources, now.resources), {}});
  out.drift.push_back({"topic", psi(before.topics, now.topics), {}});
  out.drift.push_back({"language", psi(before.languages, now.languages), {}});
}

int count_of(const std::map<std::string, int>& counts, const std::string& name) {
  const auto at = counts.find(name);
  return at == counts.end() ? 0 : at->second;
}

void add_alerts(const MonitorSettings& s, Report& out) {
  const auto share = [&](const char* name, double part, double all, double limit) {
    if (all >= s.least_for_share && part / all > limit) out.alerts.push_back({name, part / all, limit});
  };
  const auto requests = static_cast<double>(out.requests);
  share("refused_share", count_of(out.outcomes, "refused"), requests, s.most_refused_share);
  share("abstained_share", count_of(out.outcomes, "abstained"), static_cast<double>(out.answers), s.most_abstained_share);
  share("bad_rating_share", out.bad, out.good + out.bad, s.most_bad_share);
  double errors = 0;
  for (const auto& [outcome, count] : out.outcomes) errors += outcome.starts_with("error:") || outcome == "not closed" ? count : 0;
  share("error_share", errors, requests, s.most_error_share);
  for (const auto& drift : out.drift)
    if (drift.psi && *drift.psi > s.most_psi) out.alerts.push_back({"psi." + drift.what, *drift.psi, s.most_psi});
  if (!out.reviews) return;
  if (out.reviews->overdue > s.most_overdue) out.alerts.push_back({"reviews_overdue", static_cast<double>(out.reviews->overdue), static_cast<double>(s.most_overdue)});
  int planted = 0, caught = 0;
  for (const auto& person : out.reviews->reviewers) {
    planted += person.planted;
    caught += person.caught;
  }
  if (planted >= s.least_for_share && static_cast<double>(caught) / planted < s.least_catch_rate)
    out.alerts.push_back({"catch_rate", static_cast<double>(caught) / planted, s.least_catch_rate});
}

}  // namespace

Result<Report> report(const MonitorSettings& settings, const RecordSource& source, Window window, std::optional<ReviewQuality> reviews) {
  if (window.to_ms <= window.from_ms) return Error(ErrorCode::invalid_argument, "the window ends before it begins", "hours");
  Report out, earlier;
  out.window = window;
  out.before = {window.from_ms - (window.to_ms - window.from_ms), window.from_ms};
  out.reviews = std::move(reviews);
  Summer now(settings, out), before(settings, earlier);
  const auto read = [&](const Window& which, Summer& summer) {
    return source(which, [&](const std::string& line) {
      const Json record = Json::parse(line, nullptr, false);
      if (record.is_object()) summer.add(record);
      return true;
    });
  };
  HENG_TRY(read(out.before, before));
  HENG_TRY(read(out.window, now));
  now.finish();
  add_drift(out, before.sample, now.sample);
  add_alerts(settings, out);
  return out;
}

std::string to_json(const Report& r, const MonitorSettings& settings, const std::vector<std::string>& warnings) {
  const auto tallies = [&](const std::map<std::string, Tally>& all) {
    OrderedJson out = OrderedJson::object();
    for (const auto& [name, t] : all) {
      out[name] = {{"requests", t.requests}, {"prompt_tokens", t.prompt_tokens}, {"completion_tokens", t.completion_tokens}};
      out[name]["cost"] = settings.prompt_price > 0 || settings.completion_price > 0 ? OrderedJson(t.cost) : OrderedJson(nullptr);
    }
    return out;
  };
  OrderedJson drift = OrderedJson::object(), alerts = OrderedJson::array();
  for (const auto& d : r.drift) drift[d.what] = {{"psi", d.psi ? OrderedJson(*d.psi) : OrderedJson(nullptr)}, {"ks", d.ks ? OrderedJson(*d.ks) : OrderedJson(nullptr)}};
  for (const auto& a : r.alerts) alerts.push_back({{"alert", a.what}, {"value", a.value}, {"limit", a.limit}});
  OrderedJson out = {{"from", iso8601(r.window.from_ms)}, {"to", iso8601(r.window.to_ms)}, {"records", r.records}, {"requests", r.requests}, {"answers", r.answers},
                     {"actions", r.actions}, {"outcomes", r.outcomes}, {"verdicts", r.verdicts}, {"latency_ms", {{"p50", r.p50_ms}, {"p95", r.p95_ms}}},
                     {"ratings", {{"good", r.good}, {"bad", r.bad}}}, {"currency", settings.currency}, {"tenants", tallies(r.tenants)}, {"models", tallies(r.models)},
                     {"drift", std::move(drift)}, {"alerts", std::move(alerts)}, {"warnings", warnings}};
  if (r.reviews)
    out["reviews"] = {{"waiting", r.reviews->waiting}, {"overdue", r.reviews->overdue}, {"approved", r.reviews->approved}, {"rejected", r.reviews->rejected},
                      {"expired", r.reviews->expired}, {"kappa", r.reviews->kappa ? OrderedJson(*r.reviews->kappa) : OrderedJson(nullptr)}};
  return out.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace heng::monitor
