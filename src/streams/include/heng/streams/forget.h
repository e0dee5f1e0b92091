#pragma once

#include <cstdint>

#include "heng/base/ids.h"
#include "heng/base/result.h"
#include "heng/store/pool.h"

namespace heng::streams {

enum class Forget { count, remove };

/// The tenant's items that came in before `before_ms`: counts them or removes them with the alerts that quote such items. Copies
/// that come later are told apart from what is left only. Works beside a running engine. Errors: those of the store.
Result<std::int64_t> forget_before(store::Pool& pool, const TenantId& tenant, std::int64_t before_ms, Forget how);

}  // namespace heng::streams
