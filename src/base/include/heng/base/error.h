#pragma once

#include <string>
#include <string_view>

namespace heng {

/// Why an operation failed. Protocol-neutral; `http` maps each member to a status in one place.
enum class ErrorCode {
  invalid_argument,    ///< The caller asked for something that makes no sense (bad option, bad field).
  malformed_input,     ///< Outside bytes could not be parsed (JSON, document, archive, UTF-8).
  too_large,           ///< An input is larger than a stated limit.
  not_found,           ///< No such model, knowledge base, document, record, route.
  already_exists,      ///< The name is taken.
  conflict,            ///< The state does not allow it now (locked, changed meanwhile).
  unauthenticated,     ///< No key, or a key nobody issued.
  permission_denied,   ///< The principal may not do this.
  policy_denied,       ///< A rule of the institution refuses it.
  rate_limited,        ///< A quota of the principal is used up.
  overloaded,          ///< A bounded queue is full; try again later.
  deadline_exceeded,   ///< Not done in the time allowed.
  cancelled,           ///< The client went away or asked to stop.
  unavailable,         ///< Something needed is not there now (model not loaded, remote down).
  storage_full,        ///< No space left on the disk.
  corrupt,             ///< Stored bytes fail their check.
  unsupported,         ///< A known thing that this build or model cannot do.
  internal,            ///< A bug or an error of a library that has no better name.
};

/// Stable lower-case name, as used in the HTTP error body ("rate_limited").
std::string_view to_string(ErrorCode code);

/// An error as a value. `message` names the value, the limit and what to do; it never holds secrets or prompt text.
struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;
  std::string param;  ///< The field or option at fault, or empty.
  long retry_after_ms = 0;  ///< When trying again may help (rate_limited, overloaded); 0: not known.

  Error() = default;
  Error(ErrorCode c, std::string m, std::string p = {}) : code(c), message(std::move(m)), param(std::move(p)) {}
};

}  // namespace heng
