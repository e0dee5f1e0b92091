#pragma once

#include "heng/base/result.h"
#include "heng/contracts/users.h"
#include "heng/oidc/sign_in.h"
#include "json_text.h"

namespace heng::oidc {

/// Errors: invalid_argument (names the row and what is wrong with it).
Result<void> check_map(const std::vector<MapRule>& map);

/// Who the claims are, and what the rows give her. Errors: permission_denied (no row fits; rows that fit contradict each other; a claim that
/// is needed is missing or oversized: says which, never what it holds).
Result<ExternalLogin> map_claims(const Json& claims, const Settings& settings);

}  // namespace heng::oidc
