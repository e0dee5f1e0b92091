#pragma once

#include <string>

#include "flow.h"

namespace heng::pipeline {

/// Gives the sentence (citing passage numbers) its citation numbers and marks, passes it through the outgoing guard, and
/// sends it. A sentence the guard does not release becomes withheld. `new_line`: it begins a paragraph or list item.
void release(Flow& flow, VerifiedSentence sentence, bool new_line);

/// What the user reads instead of an answer that a person must see first.
std::string review_notice(const std::string& id, bool chinese, bool some_left);

/// A sentence that the verifier withheld, as it may be shown among the withheld: masked, or without its text where a guard withholds it too.
void show_withheld(Flow& flow, VerifiedSentence sentence);

/// The text as the verdict lets it pass. Positions of the original hold in it only where no tokens stand in it.
std::string masked(const std::string& s, const GuardVerdict& verdict);

/// The sentence or table row of the passage that fits best, verbatim.
std::string best_quote(const std::string& sentence, const Passage& passage);

}  // namespace heng::pipeline
