#pragma once

#include <memory>
#include <string>

#include "heng/contracts/inference.h"
#include "heng/contracts/knowledge.h"
#include "heng/http/server.h"

namespace heng::api {

struct Gauges {
  http::ServerStats server;
  std::vector<InferenceStats> models;
  std::int64_t ledger_records = 0;
  std::int64_t refusals_unrecorded = 0;
};

/// What /metrics shows, in Prometheus' text format. Thread-safe.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  void request(const std::string& route, const std::string& method, int status, double ms);
  void tokens(const std::string& model, const Usage& usage);
  void first_token(const std::string& model, double ms);
  void ingested(const IngestReport& report);
  void verdict(const std::string& verdict);
  std::string text(const Gauges& gauges);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace heng::api
