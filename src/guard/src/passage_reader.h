#pragma once

#include <string>
#include <vector>

#include "grounding/words.h"
#include "heng/contracts/knowledge.h"
#include "heng/guard/figures.h"

namespace heng::guard {

/// One statement of a passage: a sentence, or a table row with the headers that hold for it.
struct Unit {
  std::string text;                   ///< Verbatim: the sentence, or the row's label.
  bool row = false;
  struct Cell {
    std::string value, column;        ///< Verbatim.
  };
  std::vector<Cell> cells;            ///< Of a row.
  std::string section;                ///< Row above that heads this one.
  std::string judged;                 ///< All the words that hold: text, cells, columns, section.
  std::vector<Word> words;            ///< Of `judged`.
  WordSet set;
  std::string topic;                  ///< First content word of a sentence: what it speaks of.
};

/// First content word that is not generic; empty where there is none.
std::string topic_of(const std::vector<Word>& words);

/// A figure of a passage, in base units after the table's scale, with what binds it.
struct Fact {
  ExtractedFigure figure;
  std::size_t unit = 0;               ///< Index of its unit.
  std::vector<std::string> dates;     ///< Periods that hold for it; empty: unknown.
  WordSet label;                      ///< Words that say what it measures.
  WordSet inherited;                  ///< Words before it in its sentence that may still hold.
  int bound = 0;                      ///< 1 at least, -1 at most.
  Decimal optional_scale = Decimal(1);///< A bare number in running text of a passage that says "in millions".
  bool cell = false;
  int sign = 0;                       ///< -1, 1: known direction; 0: none.
};

/// A passage taken apart for judging.
struct ReadPassage {
  std::vector<Unit> units;
  std::vector<Fact> facts;
  WordSet context;                    ///< Words of title, heading, caption.
  std::vector<std::string> context_dates;
  std::string currency;               ///< Stated for the table, or empty.
  std::vector<Decimal> scales;        ///< Stated or written anywhere in it.
};

ReadPassage read_passage(const Passage& passage, std::size_t longest_bytes);

/// "In millions", 单位：万元, "(RMB million)", 占比(%): what a header says of its numbers.
struct ScaleStatement {
  bool found = false;
  Decimal scale = Decimal(1);
  std::string currency;
  bool percent = false, basis_point = false;
};
ScaleStatement scale_statement(std::string_view header);

/// Direction words around a place: 1 up, -1 down, 0 none or both.
int direction_of(std::u32string_view folded);

/// Which way a figure of a sentence goes: by its own sign or the words next to it.
int sign_near(const FoldedText& text, const ExtractedFigure& figure);
/// 1 where the words next to a figure make it a lower limit, -1 an upper one.
int bound_near(const FoldedText& text, const ExtractedFigure& figure);
/// For each figure, the words of the sentence before its own stretch; names only where its stretch has none of its own.
std::vector<WordSet> inherited_words(const std::vector<ExtractedFigure>& figures, const std::vector<Word>& words, const std::vector<WordSet>& labels);
/// A figure as a label word of another: "#12month".
std::string figure_word(const ExtractedFigure& figure);

/// For each figure of a sentence, the dates that bind it (by "respectively", closeness, clause).
std::vector<std::vector<std::string>> bind_dates(const FoldedText& text, const std::vector<ExtractedFigure>& figures);
/// For each figure of a sentence, the words of its stretch: between the like figures before and after it.
std::vector<WordSet> bind_words(const FoldedText& text, const std::vector<ExtractedFigure>& figures, const std::vector<Word>& words);

}  // namespace heng::guard
