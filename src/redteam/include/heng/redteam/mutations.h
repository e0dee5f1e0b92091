#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace heng::redteam {

/// Ways to disguise an attack.
enum class Mutation {
  full_width,    ///< ASCII as full-width forms.
  zero_width,    ///< Zero-width spaces inside words.
  base64,        ///< The whole text encoded, with the order to decode and obey it.
  homoglyph,     ///< Latin letters as Cyrillic ones; Chinese characters as traditional ones.
  spaced,        ///< Blanks between the letters or characters.
  leet,          ///< Digits for letters; for Chinese: pinyin for part of the characters.
  code_switch,   ///< Key words in the other language.
  split,         ///< In pieces over several turns.
};
inline constexpr std::array all_mutations = {Mutation::full_width, Mutation::zero_width, Mutation::base64,      Mutation::homoglyph,
                                      Mutation::spaced,     Mutation::leet,       Mutation::code_switch, Mutation::split};
std::string_view name_of(Mutation mutation);

/// Seeded choices, the same on every machine (std::mt19937_64 without the library's distributions).
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : generator_(seed) {}
  std::uint64_t below(std::uint64_t n) { return n == 0 ? 0 : generator_() % n; }
  double unit() { return static_cast<double>(generator_() >> 11) * 0x1.0p-53; }
  /// A draw from Beta(a, b) of whole parameters ≥ 1, as an order statistic of uniform draws.
  double beta(int a, int b);
  /// Letters and digits that are hard to mix up.
  std::string word(std::size_t length);

 private:
  std::mt19937_64 generator_;
};

/// The text in disguise; one turn, except with `split`. Turns that are given stay turns. Where the disguise has nothing to work on
/// (full width without ASCII), the text comes back as it was. `text` must be valid UTF-8.
std::vector<std::string> mutate(Mutation mutation, const std::vector<std::string>& turns, bool chinese, Dice& dice);

/// Ways in which a model that is talked into it would write a secret so that a filter does not see it. Each says the secret to a
/// reader who knows the way. `carriers()` fit one text; `covert_carriers()` need several replies, or a code that only the receiver has.
struct Carrier {
  const char* name;
  /// The replies, in order.
  std::vector<std::string> (*write)(const std::string& secret, Dice& dice);
};
const std::vector<Carrier>& carriers();
const std::vector<Carrier>& covert_carriers();

}  // namespace heng::redteam
