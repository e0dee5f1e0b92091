#pragma once

#include <cstddef>
#include <string_view>

/// Marks that structure a text: list bullets, clause numbers, articles of laws, page numbers.
namespace heng::knowledge::marks {

/// Length in bytes of "第十二条" (or 章, 节) at the start, 0 where there is none.
std::size_t article(std::string_view line);
std::size_t chapter(std::string_view line);  ///< "第一章", "第二节", "第一编".

/// Length of a rule number such as "18.8.2", "1.1.1.(1)", "80)", "12." at the start, 0 where there is none.
std::size_t rule_number(std::string_view line);

/// A bullet, "(a)", "（一）", "一、", "1.", an article or a rule number.
bool starts_with_mark(std::string_view line);

/// "12", "- 12 -", "Page 3 of 10", "第3页", "F-12", "iv".
bool is_page_number(std::string_view line);

/// "Item 1. Business ........ 4".
bool is_contents_line(std::string_view line);

/// "(In millions, except per share amounts)", "单位：万元 币种：人民币".
bool states_units(std::string_view line);

}  // namespace heng::knowledge::marks
