#include "metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <mutex>

#include "heng/api/json.h"

namespace heng::api {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;
using Counters = prometheus::Family<prometheus::Counter>;
using GaugeFamily = prometheus::Family<prometheus::Gauge>;
using Histograms = prometheus::Family<prometheus::Histogram>;

const prometheus::Histogram::BucketBoundaries request_seconds{0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300};
const prometheus::Histogram::BucketBoundaries first_token_seconds{0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60};
const prometheus::Histogram::BucketBoundaries ingest_seconds{0.1, 0.5, 2, 10, 30, 120};

std::string outcome_of(IngestOutcome outcome) {
  switch (outcome) {
    case IngestOutcome::added: return "added";
    case IngestOutcome::replaced: return "replaced";
    case IngestOutcome::unchanged: return "unchanged";
    case IngestOutcome::duplicate: return "duplicate";
    case IngestOutcome::failed: return "failed";
  }
  return "failed";
}

}  // namespace

struct Metrics::Impl {
  std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();

  Counters& counters(const char* name, const char* help) { return BuildCounter().Name(name).Help(help).Register(*registry); }
  GaugeFamily& gauges(const char* name, const char* help) { return BuildGauge().Name(name).Help(help).Register(*registry); }
  Histograms& histograms(const char* name, const char* help) { return BuildHistogram().Name(name).Help(help).Register(*registry); }

  Counters& requests = counters("heng_http_requests_total", "Finished requests by route, method and status.");
  Histograms& seconds = histograms("heng_http_request_seconds", "Time from header to last byte by route and status class.");
  Counters& token_count = counters("heng_tokens_total", "Tokens by model and kind: prompt, cached (of the prompt), completion.");
  Histograms& first = histograms("heng_first_token_seconds", "Time from submission to the first token by model.");
  Counters& documents = counters("heng_ingested_documents_total", "Documents by outcome.");
  Histograms& ingest = histograms("heng_ingest_seconds", "Time to parse and index one document.");
  /// Counts that another part keeps since its start: the difference is added.
  std::mutex raise_mutex;
  void raise(prometheus::Counter& counter, double to) {
    const std::lock_guard lock(raise_mutex);
    if (to > counter.Value()) counter.Increment(to - counter.Value());
  }

  Counters& verdicts = counters("heng_answers_total", "Answers from knowledge bases by verdict.");

  GaugeFamily& connections = gauges("heng_http_connections", "Open connections.");
  GaugeFamily& streams = gauges("heng_http_streams", "Open event streams.");
  GaugeFamily& queue = gauges("heng_http_queue", "Requests waiting by pool.");
  GaugeFamily& running = gauges("heng_http_work_running", "Requests being worked on.");
  GaugeFamily& bodies = gauges("heng_http_body_bytes", "Memory reserved for request bodies.");
  Counters& events = counters("heng_http_events_total", "Counts since start: accepted, refused, timeouts, cancelled, overloaded, malformed.");
  GaugeFamily& model_queue = gauges("heng_model_queue", "Sequences by model and state: interactive, batch (waiting), active.");
  Counters& model_events = counters("heng_model_events_total", "Counts since start by model: requests, overloaded, cancelled, deadline.");
  GaugeFamily& kv_cells = gauges("heng_kv_cells", "Cells of the key-value cache by model and state: used, total.");
  GaugeFamily& kv_bytes = gauges("heng_kv_bytes", "Memory of the key-value cache by model.");
  GaugeFamily& ledger = gauges("heng_ledger_records", "Records in the audit ledger.");
  Counters& unrecorded = counters("heng_refusals_unrecorded_total", "Refusals since start that were counted only, because there were too many.");
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::request(const std::string& route, const std::string& method, int status, double ms) {
  // what no route matched shares one label, or a scanner would make a time series of every address it tries
  const std::string label = route.empty() ? "none" : route;
  static const std::string known = " GET HEAD POST PUT DELETE OPTIONS PATCH ";
  const std::string verb = known.find(" " + method + " ") == std::string::npos ? "other" : method;
  impl_->requests.Add({{"route", label}, {"method", verb}, {"status", std::to_string(status)}}).Increment();
  impl_->seconds.Add({{"route", label}, {"class", std::to_string(status / 100) + "xx"}}, request_seconds).Observe(ms / 1000);
}

void Metrics::tokens(const std::string& model, const Usage& usage) {
  impl_->token_count.Add({{"model", model}, {"kind", "prompt"}}).Increment(usage.prompt_tokens);
  impl_->token_count.Add({{"model", model}, {"kind", "cached"}}).Increment(usage.cached_tokens);
  impl_->token_count.Add({{"model", model}, {"kind", "completion"}}).Increment(usage.completion_tokens);
}

void Metrics::first_token(const std::string& model, double ms) {
  impl_->first.Add({{"model", model}}, first_token_seconds).Observe(ms / 1000);
}

void Metrics::ingested(const IngestReport& report) {
  impl_->documents.Add({{"outcome", outcome_of(report.outcome)}}).Increment();
  impl_->ingest.Add({}, ingest_seconds).Observe((report.parse_ms + report.index_ms) / 1000);
}

void Metrics::verdict(const std::string& verdict) { impl_->verdicts.Add({{"verdict", verdict}}).Increment(); }

std::string Metrics::text(const Gauges& now) {
  const auto& s = now.server;
  impl_->connections.Add({}).Set(s.connections);
  impl_->streams.Add({}).Set(s.streams);
  impl_->queue.Add({{"pool", "quick"}}).Set(s.quick_queued);
  impl_->queue.Add({{"pool", "work"}}).Set(s.work_queued);
  impl_->running.Add({}).Set(s.work_running);
  impl_->bodies.Add({}).Set(static_cast<double>(s.body_memory_bytes));
  const auto event = [&](const char* kind, std::int64_t count) { impl_->raise(impl_->events.Add({{"kind", kind}}), static_cast<double>(count)); };
  event("accepted", s.accepted);
  event("refused", s.refused_connections);
  event("timeouts", s.timeouts);
  event("cancelled", s.cancelled);
  event("overloaded", s.overloaded);
  event("malformed", s.malformed);
  for (const auto& m : now.models) {
    const auto set = [&](GaugeFamily& family, const char* state, double value) { family.Add({{"model", m.model}, {"state", state}}).Set(value); };
    const auto raise = [&](const char* state, std::int64_t count) {
      impl_->raise(impl_->model_events.Add({{"model", m.model}, {"state", state}}), static_cast<double>(count));
    };
    set(impl_->model_queue, "interactive", m.queued_interactive);
    set(impl_->model_queue, "batch", m.queued_batch);
    set(impl_->model_queue, "active", m.active);
    raise("requests", m.requests);
    raise("overloaded", m.overloaded);
    raise("cancelled", m.cancelled);
    raise("deadline", m.deadline_exceeded);
    set(impl_->kv_cells, "used", m.kv_cells_used);
    set(impl_->kv_cells, "total", m.kv_cells);
    impl_->kv_bytes.Add({{"model", m.model}}).Set(static_cast<double>(m.kv_bytes));
  }
  impl_->ledger.Add({}).Set(static_cast<double>(now.ledger_records));
  impl_->raise(impl_->unrecorded.Add({}), static_cast<double>(now.refusals_unrecorded));
  return prometheus::TextSerializer().Serialize(impl_->registry->Collect());
}

}  // namespace heng::api
