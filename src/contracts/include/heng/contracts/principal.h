#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "heng/base/ids.h"
#include "heng/contracts/labels.h"

namespace heng {

/// Who is asking: what `admit` makes of a key. Everything downstream trusts only this.
struct Principal {
  TenantId tenant;
  UserId user;
  KeyId key;
  std::vector<std::string> roles;  ///< "admin", "analyst", "auditor" … A document is readable by the roles it names.
  std::string purpose;             ///< Why the data are used, e.g. "customer_service"; recorded.
  std::string desk;                ///< The business unit the caller works for, e.g. "loans"; empty: none.
  DataClass clearance = DataClass::c1;  ///< The highest data class it may read.
  std::string data_subject;        ///< The customer whom the request is about; what is recorded of it is erased with this subject.

  bool has_role(std::string_view role) const { return std::find(roles.begin(), roles.end(), role) != roles.end(); }
  bool is_admin() const { return has_role("admin"); }
};

}  // namespace heng
