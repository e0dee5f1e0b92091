#pragma once

#include <map>
#include <pugixml.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "archive.h"
#include "builder.h"

namespace heng::formats::ooxml {

/// Name without its namespace prefix: Office files of the strict and the transitional kind differ in namespaces only.
std::string_view local(const pugi::xml_node& node);
std::string_view local(const pugi::xml_attribute& attribute);
/// First child or attribute of that local name, or null.
pugi::xml_node child(const pugi::xml_node& node, std::string_view name);
std::string attribute(const pugi::xml_node& node, std::string_view name);
bool has_attribute(const pugi::xml_node& node, std::string_view name);
int integer(const std::string& text, int otherwise);
/// "0", "false", "off" are false; an element without the attribute is true.
bool is_on(const pugi::xml_node& element);

struct Relationship {
  std::string type;    ///< Last part of its URI: "header", "worksheet" …
  std::string target;  ///< Part name in the archive.
  bool external = false;
};
using Relationships = std::map<std::string, Relationship>;  // by id

/// An Office file: its archive and its parts by relationship. Errors as Archive's.
class Package {
 public:
  static Result<Package> open(std::string_view bytes, const Limits& limits);

  /// Parses a part. pugixml expands no entities of a document type, so none can explode. Errors: as Archive::read,
  /// malformed_input.
  Result<void> load(const std::string& part, pugi::xml_document& out);
  bool has(const std::string& part) const { return archive_.has(part); }
  /// Empty where the part has none.
  Relationships relationships(const std::string& part);
  /// The part that the package is about, or `usual` where the package does not say.
  std::string main_part(const std::string& usual);
  std::string title();

 private:
  explicit Package(Archive archive) : archive_(std::move(archive)) {}
  Archive archive_;
};

/// First target of a relationship type, or empty.
std::string target_of(const Relationships& relationships, std::string_view type);

/// Text of a DrawingML paragraph (a:p), of formulas too. `depth` bounds the nesting.
std::string math_text(const pugi::xml_node& node, int depth);

}  // namespace heng::formats::ooxml
