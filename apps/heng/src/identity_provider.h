#pragma once

#include <memory>

#include "config.h"
#include "heng/base/result.h"
#include "heng/contracts/sign_in.h"

namespace heng::app {

/// Signing in at the provider that heng.toml names; null where it names none. Asks nobody yet. Errors: invalid_argument (names the setting),
/// not_found, permission_denied (the secret's file is readable by others: says the chmod to run).
Result<std::unique_ptr<SignIn>> make_sign_in(const Config& config, Users& users);

}  // namespace heng::app
