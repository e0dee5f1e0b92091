#include "heng/infer/continuation_trie.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace heng::infer {

/// Adds the nodes of a candidate; `path` receives the node before each of its tokens. Returns its last node.
int ContinuationTrie::insert(const std::vector<std::int32_t>& candidate, std::vector<int>& path) {
  int at = 0;
  for (const auto token : candidate) {
    path.push_back(at);
    const auto child = std::find_if(nodes_.begin() + 1, nodes_.end(), [&](const Node& n) { return n.parent == at && n.token == token; });
    if (child != nodes_.end()) {
      at = static_cast<int>(child - nodes_.begin());
    } else {
      nodes_.push_back({token, at, nodes_[static_cast<std::size_t>(at)].depth + 1, {}, false, false});
      at = static_cast<int>(nodes_.size()) - 1;
    }
  }
  return at;
}

ContinuationTrie::ContinuationTrie(std::span<const std::vector<std::int32_t>> candidates) {
  nodes_.push_back({});
  for (const auto& candidate : candidates) {
    std::vector<int> path;
    insert(candidate, path);
    auto& steps = steps_.emplace_back();
    for (std::size_t i = 0; i < candidate.size(); ++i) {
      auto& node = nodes_[static_cast<std::size_t>(path[i])];
      node.decoded = node.output = true;
      steps.push_back({path[i], candidate[i], {}});
    }
  }
  nodes_[0].output = true;
  close();
}

ContinuationTrie::ContinuationTrie(std::span<const std::vector<std::int32_t>> candidates, std::span<const int> field) {
  nodes_.push_back({});
  std::vector<std::vector<int>> paths(candidates.size());
  std::map<std::pair<int, int>, std::set<std::int32_t>> children;  // (field, node) → tokens that may follow
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    insert(candidates[c], paths[c]);
    for (std::size_t i = 0; i < candidates[c].size(); ++i) children[{field[c], paths[c][i]}].insert(candidates[c][i]);
  }
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    auto& steps = steps_.emplace_back();
    for (std::size_t i = 0; i < candidates[c].size(); ++i) {
      const auto& rivals = children[{field[c], paths[c][i]}];
      if (rivals.size() < 2) continue;
      steps.push_back({paths[c][i], candidates[c][i], {rivals.begin(), rivals.end()}});
      nodes_[static_cast<std::size_t>(paths[c][i])].output = true;
      for (int n = paths[c][i]; n >= 0; n = nodes_[static_cast<std::size_t>(n)].parent) nodes_[static_cast<std::size_t>(n)].decoded = true;
    }
  }
  close();
}

/// Numbers the branches once it is known which nodes are decoded.
void ContinuationTrie::close() {
  nodes_[0].decoded = true;
  std::vector<bool> inner(nodes_.size(), false);
  for (const auto& node : nodes_)
    if (node.decoded && node.parent >= 0) inner[static_cast<std::size_t>(node.parent)] = true;
  branches_ = 0;
  for (int i = 0; i < static_cast<int>(nodes_.size()); ++i) {
    if (!nodes_[static_cast<std::size_t>(i)].decoded || inner[static_cast<std::size_t>(i)]) continue;
    for (int n = i; n >= 0; n = nodes_[static_cast<std::size_t>(n)].parent) nodes_[static_cast<std::size_t>(n)].branches.push_back(branches_);
    ++branches_;
  }
  for (const auto& node : nodes_) {
    decoded_ += node.decoded && node.parent >= 0;
    outputs_ += node.output;
  }
}

}  // namespace heng::infer
