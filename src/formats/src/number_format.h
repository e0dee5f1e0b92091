#pragma once

#include <string>
#include <string_view>

namespace heng::formats {

/// What a spreadsheet shows for a number under a format code of ECMA-376 part 1, 18.8.31 ("#,##0.00", "0.0%",
/// "yyyy\-mm\-dd", "[Red](0)"). Dates count days from 1899-12-30, or from 1904-01-01 with `date_1904`.
std::string format_number(double value, std::string_view code, bool date_1904);

/// Format code of a built-in id, or "General".
std::string_view built_in_format(int id);

}  // namespace heng::formats
