#pragma once

#include <string>
#include <string_view>

#include "heng/base/result.h"

namespace heng::users {

/// 12 to 256 characters, not the name, not one of the usual ones, not one character or run again and again. After NIST SP
/// 800-63B section 5.1.1.2: length and lists, no rules of composition. Errors: invalid_argument (says which).
Result<void> check_password(std::string_view password, std::string_view user);

/// Argon2id (RFC 9106) as libsodium's string; 64 MiB and 2 passes. Errors: overloaded (no memory).
Result<std::string> hash_password(std::string_view password);
/// In time that does not depend on where they differ.
bool verify_password(const std::string& hash, std::string_view password);
/// True where the hash was made with weaker parameters than today's.
bool needs_rehash(const std::string& hash);

}  // namespace heng::users
