#pragma once

#include <string>
#include <vector>

#include "folded_text.h"
#include "grounding/words.h"

namespace heng::guard {

/// What a clause asserts beside its words.
struct Marks {
  bool negated = false;
  int direction = 0;      ///< 1 up, -1 down.
  enum class Modality { none, must, may, must_not, need_not } modality = Modality::none;
  int bound = 0;          ///< 1 at least, -1 at most.
  bool before = false, after = false;
  bool conditional = false;              ///< if, unless, 除非 …
  std::vector<std::size_t> negations;    ///< Where they end, in code points of the clause.
};
Marks marks_of(const FoldedText& clause);

/// Where a sentence and the text it cites say opposite things; empty where nothing was found.
enum class Opposition { none, negation, direction, modality, bound, order, antonym };

struct Clause {
  std::string text;
  Marks marks;
  WordSet set;
  std::vector<Word> words;
  std::u32string folded;
  WordSet denied;                        ///< First content word behind each negation.
};
std::vector<Clause> clauses_of(std::string_view text);

Opposition opposition(const std::vector<Clause>& sentence, const std::vector<Clause>& source, const WordWeights& weights);

}  // namespace heng::guard
