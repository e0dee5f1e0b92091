#include "ooxml.h"

#include <fmt/format.h>

#include <charconv>

#include "heng/base/text.h"

namespace heng::formats::ooxml {
namespace {

std::string_view after_colon(std::string_view name) {
  std::size_t colon = name.rfind(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

std::string folder_of(const std::string& part) {
  std::size_t slash = part.rfind('/');
  return slash == std::string::npos ? "" : part.substr(0, slash + 1);
}

// "../media/x.png" seen from "ppt/slides/" is "ppt/media/x.png".
std::string resolve(const std::string& folder, const std::string& target) {
  std::string path = target.starts_with("/") ? target.substr(1) : folder + target;
  std::vector<std::string> kept;
  for (std::string_view step : text::split(path, '/')) {
    if (step == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (step != "." && !step.empty()) {
      kept.emplace_back(step);
    }
  }
  return text::join(kept, "/");
}

}  // namespace

std::string_view local(const pugi::xml_node& node) { return after_colon(node.name()); }
std::string_view local(const pugi::xml_attribute& attribute) { return after_colon(attribute.name()); }

pugi::xml_node child(const pugi::xml_node& node, std::string_view name) {
  for (pugi::xml_node inner : node.children()) {
    if (local(inner) == name) return inner;
  }
  return {};
}

std::string attribute(const pugi::xml_node& node, std::string_view name) {
  for (pugi::xml_attribute found : node.attributes()) {
    if (local(found) == name) return found.value();
  }
  return "";
}

bool has_attribute(const pugi::xml_node& node, std::string_view name) {
  for (pugi::xml_attribute found : node.attributes()) {
    if (local(found) == name) return true;
  }
  return false;
}

int integer(const std::string& text, int otherwise) {
  int value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end != text.data() ? value : otherwise;
}

bool is_on(const pugi::xml_node& element) {
  if (!element) return false;
  std::string value = attribute(element, "val");
  return value != "0" && value != "false" && value != "off" && value != "none";
}

Result<Package> Package::open(std::string_view bytes, const Limits& limits) {
  Package package(HENG_TRY(Archive::open(bytes, limits)));
  return package;
}

Result<void> Package::load(const std::string& part, pugi::xml_document& out) {
  std::string text = HENG_TRY(archive_.read(part));
  // spaces between runs are text; <!DOCTYPE> is skipped, its entities stay unexpanded
  pugi::xml_parse_result parsed = out.load_buffer(text.data(), text.size(), pugi::parse_default | pugi::parse_ws_pcdata_single);
  if (parsed.status == pugi::status_out_of_memory) {
    return Error(ErrorCode::too_large, fmt::format("part {} needs more memory than is allowed; split the document", part));
  }
  if (!parsed) {
    return Error(ErrorCode::malformed_input, fmt::format("part {} is damaged ({} at byte {}): save the document again from its program",
                                                         part, parsed.description(), parsed.offset));
  }
  return {};
}

Relationships Package::relationships(const std::string& part) {
  Relationships found;
  std::string folder = folder_of(part);
  std::string rels = folder + "_rels/" + part.substr(folder.size()) + ".rels";
  pugi::xml_document document;
  if (!has(rels) || !load(rels, document)) return found;
  for (pugi::xml_node node : document.document_element().children()) {
    std::string type = attribute(node, "Type");
    Relationship relationship;
    relationship.type = type.substr(type.rfind('/') + 1);
    relationship.external = attribute(node, "TargetMode") == "External";
    std::string target = attribute(node, "Target");
    relationship.target = relationship.external ? target : resolve(folder, target);
    found.emplace(attribute(node, "Id"), std::move(relationship));
  }
  return found;
}

std::string Package::main_part(const std::string& usual) {
  std::string target = target_of(relationships(""), "officeDocument");
  return has(target) ? target : usual;
}

std::string Package::title() {
  pugi::xml_document document;
  std::string part = target_of(relationships(""), "core-properties");
  if (part.empty()) part = "docProps/core.xml";
  if (!has(part) || !load(part, document)) return "";
  return child(document.document_element(), "title").text().get();
}

std::string target_of(const Relationships& relationships, std::string_view type) {
  for (const auto& [id, relationship] : relationships) {
    if (relationship.type == type && !relationship.external) return relationship.target;
  }
  return "";
}

std::string math_text(const pugi::xml_node& node, int depth) {
  if (depth <= 0) return "";
  std::string out;
  auto part = [&](const char* name) { return math_text(child(node, name), depth - 1); };
  std::string_view name = local(node);
  if (name == "t") return node.text().get();
  if (name == "f") return "(" + part("num") + ")/(" + part("den") + ")";
  if (name == "sSup") return part("e") + "^(" + part("sup") + ")";
  if (name == "sSub") return part("e") + "_(" + part("sub") + ")";
  if (name == "rad") return (part("deg").empty() ? "√" : "root " + part("deg") + " of ") + ("(" + part("e") + ")");
  for (pugi::xml_node inner : node.children()) out += math_text(inner, depth - 1);
  return out;
}

}  // namespace heng::formats::ooxml
