#include "heng/infer/continuation_trie.h"

#include <algorithm>

namespace heng::infer {

ContinuationTrie::ContinuationTrie(std::span<const std::vector<std::int32_t>> candidates) {
  nodes_.push_back({});
  nodes_[0].decoded = true;
  for (const auto& candidate : candidates) {
    auto& steps = steps_.emplace_back();
    int at = 0;
    for (std::size_t i = 0; i < candidate.size(); ++i) {
      nodes_[at].decoded = true;
      steps.push_back({at, candidate[i]});
      const auto child = std::find_if(nodes_.begin() + 1, nodes_.end(),
                                      [&](const Node& n) { return n.parent == at && n.token == candidate[i]; });
      if (child != nodes_.end()) {
        at = static_cast<int>(child - nodes_.begin());
      } else {
        nodes_.push_back({candidate[i], at, nodes_[at].depth + 1, {}, false});
        at = static_cast<int>(nodes_.size()) - 1;
      }
    }
  }
  std::vector<bool> inner(nodes_.size(), false);
  for (const auto& node : nodes_)
    if (node.decoded && node.parent >= 0) inner[node.parent] = true;
  branches_ = 0;
  for (int i = 0; i < static_cast<int>(nodes_.size()); ++i) {
    if (!nodes_[i].decoded || inner[i]) continue;
    for (int n = i; n >= 0; n = nodes_[n].parent) nodes_[n].branches.push_back(branches_);
    ++branches_;
  }
  for (const auto& node : nodes_) decoded_ += node.decoded && node.parent >= 0;
}

}  // namespace heng::infer
