#pragma once

#include <map>
#include <string>
#include <vector>

#include "ooxml.h"

namespace heng::formats::docx {

struct ParagraphStyle {
  int heading_level = 0;  ///< 0: no heading.
  bool is_title = false, is_caption = false, is_code = false, is_list = false;
  int list = 0;           ///< numId.
  int list_level = 0;
};

/// Paragraph styles and automatic numbers of a Word document.
class Styles {
 public:
  void load(ooxml::Package& package, const ooxml::Relationships& relationships);
  ParagraphStyle of(const pugi::xml_node& paragraph) const;
  /// The number or bullet that Word shows before the next paragraph of this style; counts. Empty where there is none.
  std::string number(const ParagraphStyle& style);

 private:
  struct Style {
    std::string name, based_on;
    int outline_level = -1, list = -1, list_level = 0;
  };
  struct Level {
    std::string format, text;
    int start = 1;
  };
  void load_numbering(const pugi::xml_node& root);

  std::map<std::string, Style> styles_;
  std::map<int, int> abstract_of_;                  // list → its definition
  std::map<int, std::map<int, Level>> levels_;      // definition → levels
  std::map<int, std::vector<int>> counters_;        // definition → last number per level
};

/// 3 as "3", "iii", "C", "三" … by Word's name of the format.
std::string format_number(int value, const std::string& format);

}  // namespace heng::formats::docx
