#pragma once

#include "assembly.h"

namespace heng::app {

/// Who runs a verb that needs a certain person: the owner of the API key in HENG_KEY, else whoever runs the command on this
/// machine (local_principal). Errors: unauthenticated.
Result<Principal> caller(Assembly& assembly);

}  // namespace heng::app
