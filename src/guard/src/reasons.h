#pragma once

#include <string>

#include "figures/match.h"
#include "grounding/marks.h"
#include "heng/base/text.h"

namespace heng::guard {

/// Why a sentence is withheld, in its own language.
std::string reason_for(const CheckedFigure& figure, text::Language language);
std::string reason_for(Opposition opposition, text::Language language);

enum class Withheld { unreadable, too_long, no_content, no_passages, says_nothing_found, unknown_name, too_little_support, other_language, instruction };
std::string reason_for(Withheld reason, text::Language language, const std::string& detail = {});

}  // namespace heng::guard
