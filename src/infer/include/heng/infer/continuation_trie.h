#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace heng::infer {

/// Candidate continuations as a trie of tokens, so that shared beginnings are decoded once.
///
/// A node is decoded only if some candidate goes on behind it: its logits give the log-probabilities of its children.
/// Each path to a deepest decoded node is one sequence (a "branch"); node 0 is the position before the candidates and
/// belongs to all branches.
///
/// Of closed fields only the choices count: logits are needed where two candidates of one field part, nodes behind the last
/// choice are not decoded, and a step's probability is taken among its rivals.
class ContinuationTrie {
 public:
  explicit ContinuationTrie(std::span<const std::vector<std::int32_t>> candidates);
  /// Closed fields: field[i] is the field of candidate i. No candidate may be the beginning of another of its field.
  ContinuationTrie(std::span<const std::vector<std::int32_t>> candidates, std::span<const int> field);

  struct Node {
    std::int32_t token = -1;
    int parent = -1;
    int depth = 0;
    std::vector<int> branches;          ///< Sequences that hold it (decoded nodes only).
    bool decoded = false;
    bool output = false;                ///< Its logits are needed.
  };
  const std::vector<Node>& nodes() const { return nodes_; }         ///< Parents before children.
  int branches() const { return branches_; }                        ///< At least 1.
  int decoded_nodes() const { return decoded_; }                    ///< Without node 0.
  int outputs() const { return outputs_; }                          ///< Nodes whose logits are needed, node 0 included.

  struct Step {
    int node = 0;                       ///< Whose logits…
    std::int32_t token = 0;             ///< …give this token's log-probability,
    std::vector<std::int32_t> rivals;   ///< among these (itself included); empty: among the whole vocabulary.
  };
  const std::vector<Step>& steps(std::size_t candidate) const { return steps_[candidate]; }
  std::size_t candidates() const { return steps_.size(); }

 private:
  int insert(const std::vector<std::int32_t>& candidate, std::vector<int>& path);
  void close();

  std::vector<Node> nodes_;
  std::vector<std::vector<Step>> steps_;
  int branches_ = 1;
  int decoded_ = 0;
  int outputs_ = 0;
};

}  // namespace heng::infer
