#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "heng/base/text.h"

namespace heng::pipeline {

/// Terms that carry meaning, NFKC and lower case: English words without stop words and plural s, numbers without thousands
/// separators, pairs of Han characters (a single one where it stands alone).
std::vector<std::string> key_terms(std::string_view s);
std::set<std::string> key_term_set(std::string_view s);

/// Share of the terms of `part` that `whole` holds, 0…1; 0 where `part` has none.
double coverage(const std::set<std::string>& part, const std::set<std::string>& whole);

/// Years ("2015") and quarters ("2Q23") that a text names, in order, without repeats. Knows 二季度, second quarter of 2023.
std::vector<std::string> periods(std::string_view s);

/// Figures as digit strings without separators: "3,991" → "3991". Citation marks left out.
std::vector<std::string> digit_runs(std::string_view s);

/// Without "[1]", "[1, 2]" and "【1】".
std::string strip_marks(std::string_view s);

/// The question without words that only ask ("请问", "多少", "what is the"), for a second search.
std::string keywords(std::string_view question);

/// Finance terms and firm names of the text in the other language, from a small glossary; "" where none is known.
std::string glossary_translation(std::string_view s);

/// "zh" or "en": the language to answer in.
std::string answer_language(std::string_view question);

/// Names that evidence must mention: 《laws》, English proper names, Han names before a year. As written.
std::vector<std::string> required_names(std::string_view question);

bool contains(std::string_view text, std::string_view part);
std::string replace_all(std::string text, std::string_view from, std::string_view to);

}  // namespace heng::pipeline
