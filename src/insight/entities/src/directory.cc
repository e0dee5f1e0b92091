#include "heng/insight_entities/directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "companies_csv.h"
#include "heng/base/text.h"

namespace heng::insight_entities {
namespace {

constexpr std::size_t columns = 5;

bool all_digits(std::string_view s) { return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; }); }

/// One line of CSV (RFC 4180 without line breaks inside fields); false where a quote is not closed.
bool split_csv(std::string_view line, std::vector<std::string>& out) {
  out.assign(1, "");
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"') out.back() += line[i++];
    else if (c == '"') quoted = !quoted;
    else if (c == ',' && !quoted) out.emplace_back();
    else out.back() += c;
  }
  return !quoted;
}

std::vector<std::string> list_of(const std::string& field) {
  std::vector<std::string> out;
  for (const auto part : text::split(field, '|')) {
    const auto item = text::trim(part);
    if (!item.empty()) out.emplace_back(item);
  }
  return out;
}

}  // namespace

std::string normal_code(std::string_view code) {
  std::string upper;
  for (const char c : code) upper += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  const std::size_t dot = upper.rfind('.');
  if (dot == std::string::npos || dot == 0) return "";
  std::string body = upper.substr(0, dot), market = upper.substr(dot + 1);
  if (market == "SS" || market == "XSHG") market = "SH";
  if (market == "XSHE") market = "SZ";
  if (market == "O" || market == "N" || market == "OQ") market = "US";
  if (market == "SH" || market == "SZ" || market == "BJ") return all_digits(body) && body.size() == 6 ? body + "." + market : "";
  if (market == "HK") {
    if (!all_digits(body) || body.size() > 5) return "";
    body.erase(0, std::min(body.find_first_not_of('0'), body.size() - 1));
    return std::string(body.size() < 4 ? 4 - body.size() : 0, '0') + body + ".HK";
  }
  if (market.empty() || market.size() > 2) return "";
  const bool good = std::all_of(body.begin(), body.end(), [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.'; });
  return good && body.size() <= 8 ? body + "." + market : "";
}

Result<Directory> Directory::built_in() {
  Directory out;
  HENG_TRY(out.add_csv(companies_csv, "companies.csv"));
  return out;
}

Result<void> Directory::add_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error(ErrorCode::not_found, path.string() + ": cannot be opened");
  std::ostringstream content;
  content << file.rdbuf();
  return add_csv(content.str(), path.string());
}

Result<void> Directory::add_csv(std::string_view csv, const std::string& source) {
  if (csv.starts_with("\xEF\xBB\xBF")) csv.remove_prefix(3);
  std::vector<std::string> fields;
  int number = 0;
  for (std::string_view line : text::split(csv, '\n')) {
    ++number;
    line = text::trim(line);
    if (line.empty() || line.front() == '#' || line.starts_with("code,")) continue;
    auto bad = [&](const std::string& what) { return Error(ErrorCode::malformed_input, fmt::format("{}:{}: {}", source, number, what)); };
    if (!text::is_valid_utf8(line)) return bad("not UTF-8");
    if (!split_csv(line, fields)) return bad("a quote is not closed");
    if (fields.size() != columns) return bad(fmt::format("{} columns; code, also, name_zh, name_en, aliases are needed", fields.size()));
    Company company;
    company.code = normal_code(text::trim(fields[0]));
    if (company.code.empty()) return bad(fmt::format("\"{}\" is not a code such as 600519.SH, 0700.HK or AAPL.US", fields[0]));
    for (const auto& other : list_of(fields[1])) {
      company.also.push_back(normal_code(other));
      if (company.also.back().empty()) return bad(fmt::format("\"{}\" is not a code such as 600519.SH, 0700.HK or AAPL.US", other));
    }
    company.name_zh = text::trim(fields[2]);
    company.name_en = text::trim(fields[3]);
    if (company.name_zh.empty() && company.name_en.empty()) return bad("a company without a name");
    company.aliases = list_of(fields[4]);
    const auto known = by_code_.find(company.code);
    std::size_t at = companies_.size();
    if (known == by_code_.end()) companies_.push_back(company);
    else companies_[at = known->second] = company;
    by_code_[company.code] = at;
    for (const auto& other : company.also) by_code_[other] = at;
  }
  return {};
}

const Company* Directory::by_code(std::string_view code) const {
  const auto found = by_code_.find(normal_code(code));
  return found == by_code_.end() ? nullptr : &companies_[found->second];
}

}  // namespace heng::insight_entities
