#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "heng/base/ids.h"
#include "heng/contracts/principal.h"

namespace heng {

/// Who may share decoded prompts with whom: people of one tenant with the same desk, clearance and roles. Across them, a count of cached
/// tokens would tell one desk what another has asked. For ChatRequest::tenant.
inline TenantId sharing_domain(const Principal& principal) {
  std::vector<std::string> roles = principal.roles;
  std::sort(roles.begin(), roles.end());
  std::string out = principal.tenant.value + "\n" + principal.desk + "\n" + std::to_string(static_cast<int>(principal.clearance));
  for (const auto& role : roles) out += "\n" + role;
  return TenantId(std::move(out));
}

}  // namespace heng
