#pragma once

#include <string>
#include <string_view>

#include "heng/base/result.h"
#include "heng/guard_pii/masker.h"
#include "heng/guard_pii/scanner.h"

namespace heng::guard_pii {

struct StreamSettings {
  std::size_t hold_back_bytes = 512;       ///< At least the longest entity and the words behind it that decide about it.
  std::size_t context_bytes = 512;         ///< What has left, kept to judge what follows.
  std::size_t most_pending_bytes = 256 * 1024;
};

/// Masks a text that comes in pieces. What has been given out is final; what may still become part of an entity waits. Pieces may
/// split anywhere, inside characters too.
///
///     StreamMasker stream(scanner, masker, Channel::answer);
///     out += HENG_TRY(stream.feed(piece));  …  out += HENG_TRY(stream.finish());
///
/// Lifetime: one text. Threads: one. Outlived by scanner and masker.
class StreamMasker {
 public:
  StreamMasker(const Scanner& scanner, const Masker& masker, Channel channel, StreamSettings settings = {})
      : scanner_(scanner), masker_(masker), channel_(channel), settings_(settings) {}

  /// Masked text that is safe to give out now. Errors: malformed_input (not UTF-8), too_large (no place to cut within
  /// most_pending_bytes), policy_denied (policy refuses what was found). After an error nothing more is given out.
  Result<std::string> feed(std::string_view piece);
  Result<std::string> finish();

 private:
  Result<std::string> release(bool all);
  std::size_t place_to_cut(std::string_view text, std::size_t least, std::size_t most, const std::vector<Match>& matches) const;

  const Scanner& scanner_;
  const Masker& masker_;
  Channel channel_;
  StreamSettings settings_;
  std::string context_, pending_;
  std::size_t looked_at_ = 0;   ///< Pending bytes at the last look.
  bool failed_ = false;
};

}  // namespace heng::guard_pii
