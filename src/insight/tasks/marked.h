#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "heng/base/result.h"
#include "heng/contracts/insight.h"

namespace heng::insight {

/// What the heads read of a text about one entity or a pair of them. The names in the text become marks, 〖X〗, or 〖甲〗 for the head and
/// 〖乙〗 for the tail, so that what is learned holds for any name. Behind it, each after a field mark (U+001E), stand parts that the
/// linear head counts apart from the text itself:
///   entity: what stands around the mentions; the name.
///   pair: the text between the two nearest mentions with a little around them; their order and distance; the head's name; the tail's.
/// Encoders and the chat model read the first field only.
struct MarkedText {
  struct Span {
    std::uint32_t begin = 0, end = 0;
  };
  std::string text;
  std::vector<Span> origin;           ///< For each code point of `text`: where in the original it comes from, code points.
};

/// Errors: invalid_argument (a name is empty, is not in the text, or both are the same; says which).
Result<MarkedText> mark(TaskInput input, std::string_view text, std::string_view head, std::string_view tail);

/// The text up to the first field mark.
std::string_view first_field(std::string_view text);
std::vector<std::string_view> first_fields(const std::vector<std::string_view>& texts);

/// Evidence on the marked text → on the original: sorted, equal spans added up.
std::vector<Evidence> to_original(const MarkedText& marked, const std::vector<Evidence>& evidence);

}  // namespace heng::insight
