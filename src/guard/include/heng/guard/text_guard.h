#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "heng/base/result.h"
#include "heng/contracts/guard.h"

namespace heng::guard {

struct TextGuardSettings {
  std::size_t longest_input_bytes = 1024 * 1024;
  std::size_t longest_output_bytes = 1024 * 1024;
  std::vector<std::string> canaries;  ///< Secret marks of the system prompt: never in an output. Each at least 8 bytes.
};

/// The first guard: size, encoding and control characters of what comes in; secrets of Heng in what goes out (API keys,
/// the system prompt's canaries, private keys). Immutable after create(): thread-safe, owned by the assembly.
class TextGuard final : public Guard {
 public:
  /// Errors: invalid_argument (a canary shorter than 8 bytes, a limit of zero).
  static Result<std::unique_ptr<TextGuard>> create(TextGuardSettings settings = {});
  ~TextGuard() override;

  Result<GuardVerdict> check_input(const Principal& principal, const std::string& text) const override;
  Result<GuardVerdict> check_output(const Principal& principal, const std::string& text) const override;

 private:
  explicit TextGuard(TextGuardSettings settings);
  TextGuardSettings settings_;
};

}  // namespace heng::guard
