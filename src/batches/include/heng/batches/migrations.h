#pragma once

#include <vector>

#include "heng/base/ids.h"
#include "heng/store/pool.h"

namespace heng::batches {

/// The tables of the database "batches".
const std::vector<store::Migration>& migrations();

/// Deletes the files and batches of a data subject; returns how many. A process that works on them drops them.
Result<int> erase_subject(store::Pool& pool, const TenantId& tenant, const std::string& subject);

}  // namespace heng::batches
