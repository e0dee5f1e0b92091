#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "heng/base/result.h"
#include "heng/guard_text/literals.h"

namespace heng::guard_pii {

/// What a word beside a number says it is. Bits, so that one word can say several things.
enum Topic : std::uint32_t {
  t_card = 1u << 0, t_account = 1u << 1, t_id = 1u << 2, t_phone = 1u << 3, t_passport = 1u << 4, t_permit = 1u << 5, t_ssn = 1u << 6,
  t_aba = 1u << 7, t_birth = 1u << 8, t_password = 1u << 9, t_cvv = 1u << 10, t_expiry = 1u << 11, t_otp = 1u << 12, t_driver = 1u << 13,
  t_cusip = 1u << 14, t_isin = 1u << 15, t_lei = 1u << 16, t_uscc = 1u << 17, t_postal = 1u << 18, t_plate = 1u << 19, t_iban = 1u << 20,
  t_secret = 1u << 21, t_pin = 1u << 22, t_hkid = 1u << 23,
  t_secret_prefix = 1u << 27,  ///< "AKIA", "eyJ": the token that begins here is looked at.
  t_pem = 1u << 28,            ///< "-----BEGIN".
  t_link = 1u << 29,           ///< "://", "www.".
  t_not_personal = 1u << 30,   ///< Order, ticker, amount, version: a number beside it is not personal data.
};

struct TopicHit {
  std::uint32_t begin = 0, end = 0, topics = 0;
};

/// All words of all topics, found in one pass (Vectorscan literals). Immutable, thread-safe.
class TopicScanner {
 public:
  /// Errors: internal (the patterns do not compile).
  static Result<std::unique_ptr<TopicScanner>> create();
  /// Hits in rising order of their ends. `text` is normalised.
  Result<void> scan(std::string_view text, std::vector<TopicHit>& out) const;

 private:
  explicit TopicScanner(std::unique_ptr<guard_text::Literals> literals) : literals_(std::move(literals)) {}
  std::unique_ptr<guard_text::Literals> literals_;
};

/// The hits around one place.
class Surroundings {
 public:
  Surroundings(std::string_view text, const std::vector<TopicHit>& hits) : text_(text), hits_(hits) {}
  /// Bytes between [begin, end) and the nearest word of one of `topics` within `before` code points before it and `after` code
  /// points behind it; a word behind counts as twice as far. -1: none.
  int distance(std::uint32_t topics, std::size_t begin, std::size_t end, int before = 40, int after = 12) const;
  /// A word of `topics` nearer than any that says "not personal".
  bool speaks_for(std::uint32_t topics, std::size_t begin, std::size_t end, int before = 40, int after = 12) const;
  /// A word that says "not personal" nearer than any of `topics`.
  bool speaks_against(std::uint32_t topics, std::size_t begin, std::size_t end) const;
  /// A word of `topics` ends exactly at `at`.
  bool ends_at(std::uint32_t topics, std::size_t at) const;

 private:
  std::string_view text_;
  const std::vector<TopicHit>& hits_;
};

}  // namespace heng::guard_pii
