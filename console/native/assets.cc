#include "heng/console/assets.h"

#include <algorithm>

#include "table.h"

namespace heng::console {

const Asset* find(std::string_view path) {
  if (path == "/index.html") path = "/";
  const auto assets = table();
  const auto at = std::lower_bound(assets.begin(), assets.end(), path,
                                   [](const Asset& asset, std::string_view wanted) { return asset.path < wanted; });
  return at != assets.end() && at->path == path ? &*at : nullptr;
}

std::string_view content_security_policy() { return kPolicy; }

}  // namespace heng::console
