#pragma once

#include <string>

#include "flow.h"

namespace heng::pipeline {

/// Gives the sentence (citing passage numbers) its citation numbers and marks, passes it through the outgoing guard, and
/// sends it. A sentence the guard does not release becomes withheld. `new_line`: it begins a paragraph or list item.
void release(Flow& flow, VerifiedSentence sentence, bool new_line);

/// What the user reads instead of an answer that a person must see first.
std::string review_notice(const std::string& id, bool chinese, bool some_left);

/// The text as the verdict lets it pass: of the same number of code points, so positions stay.
std::string masked(const std::string& s, const GuardVerdict& verdict);

/// The sentence or table row of the passage that fits best, verbatim.
std::string best_quote(const std::string& sentence, const Passage& passage);

}  // namespace heng::pipeline
