#include "heng/insight_entities/reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "heng/base/text.h"
#include "names.h"
#include "scan.h"

namespace heng::insight_entities {
namespace {

constexpr std::size_t longest_text = 1000000;

}  // namespace

std::u32string folded(std::u32string_view text) {
  std::u32string out(text);
  for (char32_t& c : out) {
    if (c >= 0xFF01 && c <= 0xFF5E) c -= 0xFEE0;  // full-width forms
    else if (c == 0x3000 || c == 0xA0 || c == U'\t' || c == U'\n' || c == U'\r') c = U' ';
    else if (c == U'￥') c = U'¥';
    else if (c == U'％') c = U'%';
    if (c >= U'A' && c <= U'Z') c += 32;
  }
  return out;
}

struct EntityReader::Parts {
  explicit Parts(Directory from) : directory(std::move(from)), names(directory) {}
  Directory directory;
  NameIndex names;
};

EntityReader::EntityReader(Directory directory) : parts_(std::make_unique<Parts>(std::move(directory))) {}
EntityReader::~EntityReader() = default;
EntityReader::EntityReader(EntityReader&&) noexcept = default;
const Directory& EntityReader::directory() const { return parts_->directory; }

Result<std::vector<Entity>> EntityReader::read(std::string_view utf8) const {
  if (!text::is_valid_utf8(utf8)) return Error(ErrorCode::malformed_input, fmt::format("the text is not UTF-8 from byte {} on", text::first_invalid_utf8(utf8)), "text");
  if (text::trim(utf8).empty()) return Error(ErrorCode::invalid_argument, "the text is empty", "text");
  const std::u32string original = text::to_utf32(utf8);
  if (original.size() > longest_text) return Error(ErrorCode::too_large, fmt::format("the text has {} characters; at most {} are read", original.size(), longest_text), "text");
  const std::u32string plain = folded(original);
  std::u32string wide = original;  // case kept, full-width letters made plain
  for (std::size_t i = 0; i < wide.size(); ++i) {
    if (wide[i] >= 0xFF01 && wide[i] <= 0xFF5E) wide[i] -= 0xFEE0;
  }
  std::vector<Candidate> found;
  parts_->names.find(parts_->directory, wide, plain, found);
  find_codes(parts_->directory, wide, plain, found);
  find_unlisted(wide, plain, found);
  find_dates(plain, found);
  find_quantities(plain, found);
  find_people(wide, plain, found);
  // the longer of two that overlap; of the same length the higher rank
  std::stable_sort(found.begin(), found.end(), [](const Candidate& a, const Candidate& b) {
    const auto x = a.entity.end - a.entity.begin, y = b.entity.end - b.entity.begin;
    if (x != y) return x > y;
    if (a.rank != b.rank) return a.rank > b.rank;
    return a.entity.id.size() > b.entity.id.size();
  });
  std::vector<bool> taken(original.size());
  std::vector<Entity> out;
  for (Candidate& candidate : found) {
    Entity& entity = candidate.entity;
    const auto begin = taken.begin() + static_cast<std::ptrdiff_t>(entity.begin), end = taken.begin() + static_cast<std::ptrdiff_t>(entity.end);
    if (std::find(begin, end, true) != end) continue;
    std::fill(begin, end, true);
    entity.word = text::from_utf32(std::u32string_view(original).substr(entity.begin, entity.end - entity.begin));
    out.push_back(std::move(entity));
  }
  std::sort(out.begin(), out.end(), [](const Entity& a, const Entity& b) { return a.begin < b.begin; });
  return out;
}

}  // namespace heng::insight_entities
