#pragma once

#include <span>
#include <string_view>

namespace heng::knowledge {

/// What a question calls a thing, and the words under which statements, filings and laws file it. Both folded: lower case.
struct ThesaurusEntry {
  std::string_view phrase;
  std::string_view filed_under;
};

std::span<const ThesaurusEntry> thesaurus();

}  // namespace heng::knowledge
