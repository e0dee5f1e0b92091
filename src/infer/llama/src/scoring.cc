#include <algorithm>
#include <map>

#include "decoder.h"

namespace heng::infer {

// One fill: the prefix's sequence is shared (metadata only) with one sequence per item and branch of the candidates' trie;
// an item's tokens are decoded once for all its branches, and logits are asked for only where a candidate's token follows.

bool Decoder::score_step() {
  const auto ready = std::find_if(active_.begin(), active_.end(), [](const JobPtr& job) { return job->kind == Job::Kind::score && !job->ended && job->pending() == 0; });
  if (ready == active_.end()) return false;
  const JobPtr job = *ready;
  if (job->dead()) return false;
  const bool others = std::any_of(active_.begin(), active_.end(), [](const JobPtr& j) { return j->priority == Priority::interactive && j->kind == Job::Kind::chat; });
  // beside an interactive answer a fill is short, and comes every second step
  if (others && (score_turn_ = !score_turn_)) return false;
  const int count = plan_fill(*job, chunk_tokens(others && job->priority == Priority::batch));
  const bool ok = count > 0 && run_fill(*job, count);
  if (!ok) {
    // running answers hold what it needs; they will let go
    if (active_.size() > 1 || !store_->make_room(store_->cells() - store_->cells_pinned())) return false;
    if (++failures_ < 3) return false;
    failures_ = 0;
    end(*job, FinishReason::stop, Error(ErrorCode::internal, "the model could not decode the items"));
    return false;
  }
  failures_ = 0;
  if (job->score->next_item == job->score->items.size()) end(*job, FinishReason::stop);
  return true;
}

int Decoder::plan_fill(const Job& job, int budget_tokens) const {
  const auto& work = *job.score;
  const int cells = std::min(budget_tokens, store_->cells() - store_->cells_pinned());
  const int ids = store_->sequences_available();
  const int outputs_each = 1 + work.trie.decoded_nodes();
  int tokens = 0, count = 0;
  for (std::size_t i = work.next_item; i < work.items.size(); ++i, ++count) {
    const int size = static_cast<int>(work.items[i].size()) + work.trie.decoded_nodes();
    const bool first = count == 0 && size <= std::min(settings_.batch_tokens, store_->cells() - store_->cells_pinned());
    if (!first && tokens + size > cells) break;
    if ((count + 1) * work.trie.branches() > ids || (count + 1) * outputs_each > settings_.max_sequences) break;
    tokens += size;
  }
  return count;
}

bool Decoder::run_fill(Job& job, int count) {
  auto& work = *job.score;
  const auto& nodes = work.trie.nodes();
  const int branches = work.trie.branches();
  int tokens = 0;
  for (int k = 0; k < count; ++k) tokens += static_cast<int>(work.items[work.next_item + static_cast<std::size_t>(k)].size()) + work.trie.decoded_nodes();
  if (!store_->make_ids(count * branches) || !store_->make_room(tokens)) return false;

  std::vector<int> sequences;
  for (int i = 0; i < count * branches; ++i) {
    const auto sequence = store_->fork(job.sequence);
    if (!sequence) break;
    sequences.push_back(*sequence);
  }
  const auto release = [&] { for (int sequence : sequences) store_->release(sequence); };
  if (static_cast<int>(sequences.size()) < count * branches) {
    release();
    return false;
  }
  batch_clear();
  std::vector<std::map<int, int>> rows(static_cast<std::size_t>(count));  // node → row of its logits
  for (int k = 0; k < count; ++k) {
    const auto& item = work.items[work.next_item + static_cast<std::size_t>(k)];
    const std::span own(sequences.data() + k * branches, static_cast<std::size_t>(branches));
    int position = job.decoded;
    for (std::size_t t = 0; t < item.size(); ++t) batch_add(item[t], position++, own, t + 1 == item.size());
    rows[static_cast<std::size_t>(k)][0] = batch_.n_tokens - 1;
    for (std::size_t n = 1; n < nodes.size(); ++n) {
      if (!nodes[n].decoded) continue;
      std::vector<int> holders;
      for (int branch : nodes[n].branches) holders.push_back(own[static_cast<std::size_t>(branch)]);
      rows[static_cast<std::size_t>(k)][static_cast<int>(n)] = batch_.n_tokens;
      batch_add(nodes[n].token, position + nodes[n].depth - 1, holders, true);
    }
  }
  computing_ = {&job};
  const int code = run_batch(job.priority, job.adapter);
  if (code == 0) {
    for (int k = 0; k < count; ++k) {
      auto& result = work.logprobs[work.next_item + static_cast<std::size_t>(k)];
      std::map<int, double> sums;
      for (std::size_t c = 0; c < work.trie.candidates(); ++c) {
        double total = 0;
        for (const auto& step : work.trie.steps(c)) {
          const float* logits = llama_get_logits_ith(context_.get(), rows[static_cast<std::size_t>(k)].at(step.node));
          if (!sums.contains(step.node)) sums[step.node] = log_sum_exp({logits, static_cast<std::size_t>(model_.vocabulary())});
          total += logits[step.token] - sums[step.node];
        }
        result.push_back(total);
      }
    }
    work.next_item += static_cast<std::size_t>(count);
    work.decoded_tokens += batch_.n_tokens;
  }
  release();
  // the copies' own cells are unknown to the store (it never recorded them): releasing removed them from the memory
  return code == 0;
}

}  // namespace heng::infer
