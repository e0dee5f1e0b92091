#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "heng/base/result.h"

namespace heng::insight_entities {

/// A listed company with everything it is called.
struct Company {
  std::string code;                    ///< Main listing with its market: "600519.SH", "0700.HK", "AAPL.US".
  std::vector<std::string> also;       ///< Other listings.
  std::string name_zh, name_en;
  std::vector<std::string> aliases;    ///< Ends with "?": counts only where the text speaks of a company or its shares.
};

/// The directory of companies: from the file that is built in, then the institution's own, whose rows replace those with
/// the same code. A CSV file with the columns code, also, name_zh, name_en, aliases; lists are separated by "|".
/// Immutable once filled; thread-safe to read.
class Directory {
 public:
  /// The companies that come with the program.
  static Result<Directory> built_in();
  /// Adds rows of a CSV file. Errors: not_found; malformed_input with file, line and what is wrong.
  Result<void> add_file(const std::filesystem::path& path);
  Result<void> add_csv(std::string_view csv, const std::string& source);

  const std::vector<Company>& companies() const { return companies_; }
  /// By any listing, "600519.SH"; null where there is none.
  const Company* by_code(std::string_view code) const;

 private:
  std::vector<Company> companies_;
  std::unordered_map<std::string, std::size_t> by_code_;
};

/// One form for each code: upper case, ".SS" and ".XSHG" as ".SH", ".XSHE" as ".SZ", Hong Kong numbers with four digits at
/// least, ".O" and ".N" as ".US". "" where it is none.
std::string normal_code(std::string_view code);

}  // namespace heng::insight_entities
