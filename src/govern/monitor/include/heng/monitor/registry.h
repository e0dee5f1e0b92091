#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heng/base/clock.h"
#include "heng/contracts/audit.h"
#include "heng/contracts/principal.h"
#include "heng/store/database.h"
#include "heng/store/pool.h"

namespace heng::monitor {

enum class IncidentState { open, mitigated, closed };
struct IncidentStep {
  std::int64_t time_ms = 0;
  UserId who;
  std::string text;
};
struct Incident {
  std::int64_t id = 0;
  std::string title, severity;               ///< "low", "medium", "high".
  IncidentState state = IncidentState::open;
  std::vector<IncidentStep> timeline;
};

/// A model as the institution answers for it: one entry for one file of weights.
struct ModelEntry {
  std::string name, sha256, owner, purpose;
  std::string materiality = "unrated";       ///< "unrated", "low", "medium", "high".
  std::string approval = "proposed";         ///< "proposed", "approved", "withdrawn".
  std::string limits;                        ///< What it must not be used for; known weaknesses.
  UserId proposed_by, approved_by;
  std::int64_t changed_ms = 0;
};

/// The tables of incidents and models: version 4 of the database "govern".
const std::vector<store::Migration>& migrations();

/// Incidents and the model inventory. Every change is noted in the ledger first. Lifetime: pool, ledger and clock outlive
/// it. Threads: safe.
class Registry {
 public:
  Registry(store::Pool& pool, Audit& audit, const Clock& clock = system_clock(), Random& random = system_random())
      : pool_(pool), audit_(audit), clock_(clock), random_(random) {}

  /// Errors: invalid_argument.
  Result<Incident> open_incident(const Principal&, const std::string& title, const std::string& severity, const std::string& text);
  /// Adds a step to the timeline, and a state where it changes. Errors: not_found, conflict (closed).
  Result<Incident> add_step(const Principal&, std::int64_t id, const std::string& text, IncidentState state);
  Result<std::vector<Incident>> incidents(const Principal&, bool closed);

  /// Adds an entry, or changes what is not the approval; a change of weights, purpose or materiality makes it "proposed" again.
  Result<ModelEntry> put_model(const Principal&, ModelEntry entry);
  /// Errors: not_found, conflict (another hash than proposed), permission_denied (the proposer).
  Result<ModelEntry> approve_model(const Principal&, const std::string& name, const std::string& sha256);
  Result<ModelEntry> withdraw_model(const Principal&, const std::string& name, const std::string& reason);
  Result<std::vector<ModelEntry>> models(const Principal&);

 private:
  Result<void> note(const Principal& who, const char* action, const std::string& resource, const std::string& subject);
  Result<Incident> incident(const TenantId& tenant, std::int64_t id);
  Result<ModelEntry> model(const TenantId& tenant, const std::string& name);

  store::Pool& pool_;
  Audit& audit_;
  const Clock& clock_;
  Random& random_;
};

std::string_view to_string(IncidentState state);
std::string to_json(const Incident& incident);
std::string to_json(const ModelEntry& entry);
/// A model card in Markdown, after Mitchell et al., "Model Cards for Model Reporting" (2019); `usage`: the monitor's JSON, or empty.
std::string model_card(const ModelEntry& entry, const std::string& usage);

}  // namespace heng::monitor
