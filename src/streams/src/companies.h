#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "heng/contracts/streams.h"
#include "heng/streams/setup.h"

namespace heng::streams {

/// NFKC in lower case: what words are looked for in.
std::string folded(std::string_view text);
/// Whether `word` (folded) stands in `text` (folded); a word of Latin letters or digits not inside a longer one.
bool holds_word(std::string_view text, std::string_view word);

/// The watched names in a text, as entities of type "company" with `watched` word, code and name.
std::vector<StreamEntity> watched_in(std::string_view text, const std::vector<WatchedName>& watched);

/// A company as a user names it: by name, alias or code, completed from the watched names.
struct CompanyName {
  std::string label, code;
  std::vector<std::string> words;   ///< Folded names and aliases.
};
CompanyName company_named(const std::string& given, const std::vector<WatchedName>& watched);
bool is_about(const StreamItem& item, const CompanyName& company);

}  // namespace heng::streams
