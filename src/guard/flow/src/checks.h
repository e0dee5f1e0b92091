#pragma once

#include <memory>
#include <vector>

#include "heng/guard_flow/gateway.h"

namespace heng::guard_flow {

/// Every check in the order in which a text meets them: size and encoding first, what masks before what withholds.
Result<std::vector<std::unique_ptr<Check>>> all_checks(GatewaySettings settings, std::shared_ptr<const guard_injection::Detector> detector);

}  // namespace heng::guard_flow
