#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "heng/http/server.h"
#include "heng/http/target.h"

namespace heng::http {

/// Finds the route of a method and a path. Immutable after construction; thread-safe.
class Router {
 public:
  explicit Router(std::vector<Route> routes);

  struct Match {
    const Route* route = nullptr;   ///< Nothing: 404, or 405 where `allowed` is not empty.
    Pairs params;
    std::string allowed;            ///< "GET, HEAD, OPTIONS" of the path.
  };
  /// Literal segments win over {names}, names over {rest...}.
  Match match(std::string_view method, const std::vector<std::string>& segments) const;

 private:
  struct Entry {
    Route route;
    std::vector<std::string> segments;
    int rank = 0;
  };
  std::vector<Entry> entries_;
};

}  // namespace heng::http
