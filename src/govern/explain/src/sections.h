#pragma once

#include <string>
#include <utility>
#include <vector>

#include "heng/explain/explain.h"

namespace heng::explain {

/// An explanation as headed lists of named values: what plain text and HTML share.
struct Row {
  std::string name, value, detail;
};
struct Section {
  std::string title;
  std::vector<Row> rows;
};
struct Page {
  std::string title, label, label_metadata;
  std::vector<Section> sections;
};
Page page_of(const std::string& explanation, Wording wording);

}  // namespace heng::explain
