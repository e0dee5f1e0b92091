#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "heng/guard_pii/types.h"
#include "topics.h"

namespace heng::guard_pii {

/// One pass over one normalised text. Positions are bytes of that text.
struct Scan {
  explicit Scan(std::string_view t) : text(t), around(t, hits) {}
  Scan(const Scan&) = delete;
  Scan& operator=(const Scan&) = delete;

  std::string_view text;
  std::vector<TopicHit> hits;
  Surroundings around;
  std::vector<Match> found;

  char at(std::size_t i) const { return i < text.size() ? text[i] : '\0'; }
  char before(std::size_t i) const { return i > 0 ? text[i - 1] : '\0'; }
  void add(std::size_t begin, std::size_t end, Type type, int score, const char* rule) { found.push_back({begin, end, type, score, rule}); }
};

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
inline bool is_alnum(char c) { return is_digit(c) || is_letter(c); }
inline char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

/// Value of the digit at `i` (ASCII, or a Chinese numeral 〇一…九, 壹…玖, 幺) and its bytes; -1 where there is none.
int digit_at(std::string_view text, std::size_t i, std::size_t& bytes);
/// Whether a province's short name stands at `i` (as on number plates).
bool plate_province_at(std::string_view text, std::size_t i);

// Each looks at one place and adds what it finds.
/// The run of digits at `i`, with whatever separates them; returns where it ends (> i).
std::size_t scan_digits(Scan& scan, std::size_t i);
/// The token of letters and digits around `i`; returns its end.
std::size_t scan_token(Scan& scan, std::size_t i);
/// Letters and digits from `begin` on across single spaces or dashes.
void scan_spaced(Scan& scan, std::size_t begin);
void scan_mail(Scan& scan, std::size_t at_sign);
void scan_plate(Scan& scan, std::size_t i);
void scan_ipv6(Scan& scan, std::size_t i);
/// Words that announce what follows: passwords, codes, dates of birth, keys, links.
void scan_announced(Scan& scan);
/// A Chinese address that holds the number ending at `number_end`.
void scan_address_zh(Scan& scan, std::size_t number_begin, std::size_t number_end);

}  // namespace heng::guard_pii
