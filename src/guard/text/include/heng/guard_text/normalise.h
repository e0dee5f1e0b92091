#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace heng::guard_text {

/// What was odd about the characters of a text.
struct Oddities {
  std::size_t hidden = 0;      ///< Zero-width, bidi controls, soft hyphens, variation selectors: dropped.
  std::size_t tags = 0;        ///< Unicode tag characters (U+E0020…): turned into the ASCII they hide.
  std::size_t look_alikes = 0; ///< Cyrillic or Greek letters inside Latin words: turned into Latin.
};

/// A text folded for rules, with the way back. Full-width and other compatibility forms become plain (NFKC, character by
/// character), hidden characters go, dashes, spaces, quotes and middle dots are of one kind. Chinese characters stay.
/// Lifetime: the original must outlive it where nothing changed (then view() is the original).
class Normalised {
 public:
  /// `original` must be valid UTF-8.
  explicit Normalised(std::string_view original);

  std::string_view view() const { return changed_ ? std::string_view(text_) : original_; }
  std::string_view original() const { return original_; }
  bool changed() const { return changed_; }
  const Oddities& oddities() const { return oddities_; }

  /// First byte of the original character that byte `at` of view() comes from.
  std::size_t original_begin(std::size_t at) const;
  /// One past the last byte of the original character that byte `end - 1` of view() comes from. `end` must be > 0.
  std::size_t original_end(std::size_t end) const;

 private:
  struct Step {
    std::uint32_t at, original, length;  ///< length 0: from here on byte for byte; else one original character.
  };
  const Step* step_of(std::size_t at) const;
  void keep(std::size_t begin, std::size_t end);
  void replace(std::size_t begin, std::size_t end, std::string_view by);

  std::string_view original_;
  std::string text_;
  std::vector<Step> steps_;
  bool changed_ = false;
  Oddities oddities_;
};

/// Turns byte positions of one text, asked for in rising order, into code points. Linear in the whole text.
class CodePointCounter {
 public:
  explicit CodePointCounter(std::string_view text) : text_(text) {}
  std::size_t at(std::size_t byte);

 private:
  std::string_view text_;
  std::size_t byte_ = 0, points_ = 0;
};

}  // namespace heng::guard_text
