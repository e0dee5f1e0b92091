#pragma once

#include <map>
#include <string>

namespace heng::formats::testing {

/// A ZIP file of these parts.
std::string make_zip(const std::map<std::string, std::string>& parts);

/// Office files around a body; relationships and content types are added.
std::string make_docx(const std::string& body, std::map<std::string, std::string> parts = {});
std::string make_xlsx(const std::string& sheet, const std::string& shared_strings = "", const std::string& styles = "");
std::string make_pptx(const std::string& shapes);

}  // namespace heng::formats::testing
