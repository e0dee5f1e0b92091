#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heng/base/ids.h"
#include "heng/base/result.h"
#include "heng/contracts/principal.h"

namespace heng {

/// What a stop button halts.
enum class StopKind { everything, tenant, desk, model, tool };

inline std::string_view to_string(StopKind kind) {
  switch (kind) {
    case StopKind::everything: return "everything";
    case StopKind::tenant: return "tenant";
    case StopKind::desk: return "desk";
    case StopKind::model: return "model";
    case StopKind::tool: return "tool";
  }
  return "everything";
}

struct StopInfo {
  std::int64_t id = 0;
  StopKind kind = StopKind::everything;
  std::string name;                   ///< Of the tenant, desk, model or tool; empty for everything.
  TenantId tenant;                    ///< Whose desk, model or tool; empty: of every tenant.
  std::string reason;
  UserId stopped_by;
  std::int64_t stopped_ms = 0;
  UserId resume_asked_by;             ///< Who wants it lifted; a second person must agree.
  std::int64_t resume_asked_ms = 0;
  UserId resumed_by;
  std::int64_t resumed_ms = 0;        ///< 0: it halts.
};

/// What a running request uses. Empty fields are not asked for.
struct StopQuestion {
  TenantId tenant;
  std::string desk, model, tool;
};

/// The port to the stop buttons. Thread-safe. Persistent, seen by every process within a quarter of a second.
class Stops {
 public:
  virtual ~Stops() = default;
  /// policy_denied (says what halts, since when, why) where a stop covers the question; a list of stops that cannot be read
  /// halts too. Quick enough to be asked between two tokens.
  virtual Result<void> check(const StopQuestion&) const = 0;
  /// Halts at once. Everything and other tenants: an administrator of tenant "default" only; a desk, model or tool of the own
  /// tenant: roles admin, supervisor, operator. Errors: permission_denied, invalid_argument (no reason, no name).
  virtual Result<StopInfo> stop(const Principal&, StopKind kind, const std::string& name, const std::string& reason) = 0;
  /// The first person asks, a second one lifts. Errors: not_found, permission_denied, conflict (the same person again, or
  /// lifted already).
  virtual Result<StopInfo> resume(const Principal&, std::int64_t id, const std::string& reason) = 0;
  /// Those that touch the principal's tenant; with `lifted` also what was lifted, newest first.
  virtual Result<std::vector<StopInfo>> list(const Principal&, bool lifted) = 0;
};

}  // namespace heng
