#pragma once

#include <string>
#include <vector>

#include "grounding/marks.h"
#include "passage_reader.h"

namespace heng::guard {

/// How far one passage carries a sentence.
struct Support {
  double share = 0;                 ///< Of the sentence's word weight, 0…1.
  std::vector<std::size_t> units;   ///< That carry it, best first.
  std::string unknown_name;         ///< A name of the sentence that is in no cited passage.
};

Support support_by(const std::vector<Word>& sentence, const ReadPassage& passage, const WordWeights& weights);

/// A name of the sentence that neither the units nor the context hold; empty where there is none.
std::string unknown_name(const FoldedText& sentence, const std::vector<Word>& words, const std::vector<const ReadPassage*>& passages);

/// Removes "[1]" marks; `numbers` receives them, in order, each once.
std::string strip_citations(std::string_view sentence, std::vector<int>& numbers);
/// Adds "[n]" marks before the final stop's end: "…。[1]".
std::string with_citations(const std::string& plain, const std::vector<int>& numbers);

WordWeights weigh(const std::vector<ReadPassage>& passages);

}  // namespace heng::guard
