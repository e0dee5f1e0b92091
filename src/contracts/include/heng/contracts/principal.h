#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "heng/base/ids.h"

namespace heng {

/// Who is asking: what `admit` makes of a key. Everything downstream trusts only this.
struct Principal {
  TenantId tenant;
  UserId user;
  KeyId key;
  std::vector<std::string> roles;  ///< "admin", "analyst", "auditor" … A document is readable by the roles it names.
  std::string purpose;             ///< Why the data are used, e.g. "customer_service"; recorded.

  bool has_role(std::string_view role) const { return std::find(roles.begin(), roles.end(), role) != roles.end(); }
  bool is_admin() const { return has_role("admin"); }
};

}  // namespace heng
