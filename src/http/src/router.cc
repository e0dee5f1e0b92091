#include "router.h"

#include <algorithm>

#include "heng/base/text.h"

namespace heng::http {
namespace {

constexpr int rest_rank = 1000;        // of a {rest...}; longer patterns come before shorter ones
constexpr int least_rest_rank = 500;

bool is_name(std::string_view s) { return s.size() > 2 && s.front() == '{' && s.back() == '}'; }
bool is_rest(std::string_view s) { return is_name(s) && s.ends_with("...}"); }

bool fits(const std::vector<std::string>& pattern, const std::vector<std::string>& segments, Pairs& params) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const auto& part = pattern[i];
    if (is_rest(part)) {
      std::vector<std::string> rest(segments.begin() + static_cast<std::ptrdiff_t>(std::min(i, segments.size())),
                                    segments.end());
      params.emplace_back(part.substr(1, part.size() - 5), text::join(rest, "/"));
      return true;
    }
    if (i >= segments.size()) return false;
    if (is_name(part)) {
      if (segments[i].empty()) return false;
      params.emplace_back(part.substr(1, part.size() - 2), segments[i]);
    } else if (part != segments[i]) {
      return false;
    }
  }
  return pattern.size() == segments.size();
}

void add_method(std::string& allowed, std::string_view method) {
  if (allowed.find(method) != std::string::npos) return;
  if (!allowed.empty()) allowed += ", ";
  allowed += method;
}

}  // namespace

Router::Router(std::vector<Route> routes) {
  for (auto& route : routes) {
    Entry entry;
    const std::string_view pattern(route.pattern);
    if (pattern.size() > 1)
      for (const auto part : text::split(pattern.substr(1), '/')) entry.segments.emplace_back(part);
    for (const auto& part : entry.segments) entry.rank += is_rest(part) ? rest_rank - static_cast<int>(entry.segments.size()) : is_name(part) ? 1 : 0;
    entry.route = std::move(route);
    entries_.push_back(std::move(entry));
  }
  std::stable_sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.rank < b.rank; });
}

Router::Match Router::match(std::string_view method, const std::vector<std::string>& segments) const {
  Match match;
  const auto wanted = method == "HEAD" ? std::string_view("GET") : method;
  int best_rank = -1;
  for (const auto& entry : entries_) {
    // the console's catch-all must not hide a 405 of a real route
    if (best_rank >= 0 && entry.rank >= least_rest_rank && entry.rank != best_rank) break;
    Pairs params;
    if (!fits(entry.segments, segments, params)) continue;
    // "/{path...}" fits every address: for other methods the address does not exist
    const bool fits_all = entry.segments.size() == 1 && entry.rank >= least_rest_rank;
    if (fits_all && best_rank < 0 && wanted != "GET" && wanted != "OPTIONS") break;
    if (best_rank < 0) best_rank = entry.rank;
    add_method(match.allowed, entry.route.method);
    if (entry.route.method == "GET") add_method(match.allowed, "HEAD");
    if (entry.route.method == wanted && match.route == nullptr) {
      match.route = &entry.route;
      match.params = std::move(params);
    }
  }
  if (!match.allowed.empty()) add_method(match.allowed, "OPTIONS");
  return match;
}

}  // namespace heng::http
