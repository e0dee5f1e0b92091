#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "heng/insight_entities/directory.h"
#include "scan.h"

namespace heng::insight_entities {

/// Every name of the directory at once (Aho, Corasick 1975), so that time does not grow with the directory.
class NameIndex {
 public:
  explicit NameIndex(const Directory& directory);
  /// Companies called by name in the folded text.
  void find(const Directory& directory, std::u32string_view original, std::u32string_view text, std::vector<Candidate>& out) const;

 private:
  struct Node {
    std::vector<std::pair<char32_t, std::int32_t>> next;  ///< Sorted by character.
    std::int32_t fallback = 0, output = 0;  ///< Longest proper suffix; nearest suffix that is a name (0: none).
    std::int32_t name = -1;                 ///< Of the name that ends here.
    std::int32_t depth = 0;
  };
  struct Name {
    std::size_t company = 0;
    bool needs_context = false, capital = false;
  };
  std::int32_t step(std::int32_t node, char32_t c) const;
  void insert(const std::string& name, std::size_t company, bool is_alias);
  void link();
  std::vector<Node> nodes_{1};
  std::vector<Name> names_;
};

/// Codes with or without a market, cash tags, tickers beside an exchange's name; linked where the directory knows them.
void find_codes(const Directory& directory, std::u32string_view original, std::u32string_view text, std::vector<Candidate>& out);
/// Names that end as companies' names do (有限公司, 集团, Inc., plc …) and are not in the directory.
void find_unlisted(std::u32string_view original, std::u32string_view text, std::vector<Candidate>& out);
/// Whether a word about companies or their shares stands within some characters of [begin, end).
bool speaks_of_shares(std::u32string_view text, std::size_t begin, std::size_t end);

}  // namespace heng::insight_entities
