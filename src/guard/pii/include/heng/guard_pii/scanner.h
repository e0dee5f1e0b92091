#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "heng/base/result.h"
#include "heng/guard_pii/types.h"

namespace heng::guard_pii {

struct ScannerSettings {
  bool names = true;                     ///< Run the tagger for names, addresses, organisations.
  int decode_depth = 3;                  ///< How many encodings may lie on one another (0…3).
  std::size_t longest_bytes = 16 * 1024 * 1024;
  std::string_view english_model = {}, chinese_model = {};   ///< Bytes of a tagger; empty: the built-in one.
};

/// Whether the tagger runs: without it a scan takes a tenth of the time.
enum class Names { with, without };

/// Finds personal data, identifiers and secrets in one pass: characters folded with a map back, all words of all topics at
/// once (Vectorscan), numbers by a hand-written scanner with check digits, what is encoded decoded and looked at again, names
/// by a trained tagger.
///
/// Lifetime: made once; immutable. Threads: safe. Cost: linear in the text.
class Scanner {
 public:
  /// Errors: internal (patterns), corrupt (the built-in tagger).
  static Result<std::unique_ptr<Scanner>> create(const ScannerSettings& settings = {});
  ~Scanner();

  /// Matches in rising order of begin; what lies inside a surer match is left out, what overlaps stays.
  /// Errors: malformed_input (not UTF-8: says the byte), too_large.
  Result<std::vector<Match>> scan(std::string_view text, Names names = Names::with) const;

 private:
  struct Parts;
  explicit Scanner(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace heng::guard_pii
