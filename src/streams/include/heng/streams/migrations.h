#pragma once

#include <vector>

#include "heng/store/database.h"

namespace heng::streams {

/// The tables of the database "streams".
const std::vector<store::Migration>& migrations();

}  // namespace heng::streams
