#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace heng::guard_text {

/// What becomes of one code point.
struct Fold {
  enum class Kind : std::uint8_t { keep, drop, replace, tag, look_alike } kind = Kind::keep;
  std::uint8_t size = 0;
  char bytes[6] = {};
  std::string_view text() const { return {bytes, size}; }
};

/// Folds of the Basic Multilingual Plane and of the mathematical alphabets. Made once, immutable.
class FoldTable {
 public:
  static const FoldTable& instance();
  const Fold& of(char32_t c) const;

 private:
  FoldTable();
  void set(char32_t c, Fold::Kind kind, std::string_view text = {});
  std::array<std::uint16_t, 0x10000> index_{};   // 0: keep
  std::array<std::uint16_t, 0x400> math_{};      // U+1D400…
  std::vector<Fold> folds_;
};

}  // namespace heng::guard_text
