#include <algorithm>
#include <cmath>
#include <map>

#include "decoder.h"

namespace heng::infer {

// One fill: the prefix's sequence is shared (metadata only) with one sequence per item and branch of the candidates' trie;
// an item's tokens are decoded once for all its branches, what it begins with like its neighbour once for both, and logits
// are asked for only where a candidate's token follows.

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
  const int outputs_each = std::max(1, work.trie.outputs());
  int tokens = 0, count = 0;
  for (std::size_t i = work.next_item; i < work.items.size(); ++i, ++count) {
    const int whole = static_cast<int>(work.items[i].size()) + work.trie.decoded_nodes();
    const int size = count == 0 ? whole : whole - work.shared[i];
    const bool first = count == 0 && size <= std::min(settings_.batch_tokens, store_->cells() - store_->cells_pinned());
    if (!first && tokens + size > cells) break;
    if ((count + 1) * work.trie.branches() > ids || (count + 1) * outputs_each > settings_.max_sequences) break;
    tokens += size;
  }
  return count;
}

namespace {

/// A token of a fill: whose sequences hold it, and whether its logits are needed.
struct FillRow {
  Token token = 0;
  int position = 0;
  std::vector<int> holders;
  bool output = false;
};

/// The rows of a fill. rows_of[k][node]: the row whose logits stand for the trie's node behind item k.
struct Fill {
  std::vector<FillRow> rows;
  std::vector<std::map<int, int>> rows_of;
};

Fill lay_out(const ScoreWork& work, int count, int begin, std::span<const int> sequences) {
  Fill fill;
  fill.rows_of.resize(static_cast<std::size_t>(count));
  const auto& nodes = work.trie.nodes();
  const auto branches = static_cast<std::size_t>(work.trie.branches());
  std::vector<int> path;  // rows of the item before, token by token
  for (std::size_t k = 0; k < static_cast<std::size_t>(count); ++k) {
    const auto& item = work.items[work.next_item + k];
    const auto own = sequences.subspan(k * branches, branches);
    path.resize(k == 0 ? 0 : static_cast<std::size_t>(work.shared[work.next_item + k]));
    for (int row : path) fill.rows[static_cast<std::size_t>(row)].holders.insert(fill.rows[static_cast<std::size_t>(row)].holders.end(), own.begin(), own.end());
    for (std::size_t t = path.size(); t < item.size(); ++t) {
      path.push_back(static_cast<int>(fill.rows.size()));
      fill.rows.push_back({item[t], begin + static_cast<int>(t), {own.begin(), own.end()}, false});
    }
    auto& own_rows = fill.rows_of[k];
    own_rows[0] = path.back();
    fill.rows[static_cast<std::size_t>(path.back())].output |= nodes[0].output;
    for (std::size_t n = 1; n < nodes.size(); ++n) {
      if (!nodes[n].decoded) continue;
      std::vector<int> holders;
      for (int branch : nodes[n].branches) holders.push_back(own[static_cast<std::size_t>(branch)]);
      own_rows[static_cast<int>(n)] = static_cast<int>(fill.rows.size());
      fill.rows.push_back({nodes[n].token, begin + static_cast<int>(item.size()) + nodes[n].depth - 1, std::move(holders), nodes[n].output});
    }
  }
  return fill;
}

double log_sum_exp_of(const float* logits, const std::vector<Token>& tokens) {
  double top = logits[tokens[0]], sum = 0;
  for (Token token : tokens) top = std::max(top, static_cast<double>(logits[token]));
  for (Token token : tokens) sum += std::exp(logits[token] - top);
  return top + std::log(sum);
}

}  // namespace

bool Decoder::run_fill(Job& job, int count) {
  auto& work = *job.score;
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
  const Fill fill = lay_out(work, count, job.decoded, sequences);
  for (const auto& row : fill.rows) batch_add(row.token, row.position, row.holders, row.output);
  computing_ = {&job};
  const int code = run_batch(job.priority, job.adapter);
  if (code == 0) {
    for (std::size_t k = 0; k < static_cast<std::size_t>(count); ++k) read_fill(work, fill.rows_of[k], work.logprobs[work.next_item + k]);
    work.next_item += static_cast<std::size_t>(count);
    work.decoded_tokens += batch_.n_tokens;
  }
  release();
  // the copies' own cells are unknown to the store (it never recorded them): releasing removed them from the memory
  return code == 0;
}

void Decoder::read_fill(const ScoreWork& work, const std::map<int, int>& rows, std::vector<double>& result) const {
  std::map<int, double> sums;
  for (std::size_t c = 0; c < work.trie.candidates(); ++c) {
    double total = 0;
    for (const auto& step : work.trie.steps(c)) {
      const float* logits = llama_get_logits_ith(context_.get(), rows.at(step.node));
      if (!step.rivals.empty()) {
        total += logits[step.token] - log_sum_exp_of(logits, step.rivals);
        continue;
      }
      if (!sums.contains(step.node)) sums[step.node] = log_sum_exp({logits, static_cast<std::size_t>(model_.vocabulary())});
      total += logits[step.token] - sums[step.node];
    }
    result.push_back(total);
  }
}

}  // namespace heng::infer
