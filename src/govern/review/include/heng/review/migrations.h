#pragma once

#include <vector>

#include "heng/store/database.h"

namespace heng::review {

/// The tables of reviews and stops: version 1 of the database "govern".
const std::vector<store::Migration>& migrations();

}  // namespace heng::review
