#pragma once

#include <filesystem>
#include <vector>

#include "heng/base/result.h"
#include "heng/contracts/policies.h"

namespace heng::app {

/// The policies of the folder that are in force, each with its rules as people read them. Errors: malformed_input (file, line, reason), conflict
/// (a file changed while it was read).
Result<std::vector<PolicyInfo>> policies_in_force(const std::filesystem::path& folder);

}  // namespace heng::app
