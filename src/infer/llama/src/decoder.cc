#include "decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "heng/base/log.h"

namespace heng::infer {
namespace {

using Clock = std::chrono::steady_clock;

// a prefix being read by somebody else is worth waiting for from this many tokens on
constexpr int wait_gain_tokens = 24;
// cells kept free for the answer of a job when it starts; longer answers may preempt younger jobs
constexpr int answer_reserve_tokens = 32;
constexpr double longest_step_seconds = 4.0;

}  // namespace

Decoder::Decoder(const Model& model, LlamaSettings settings, std::shared_ptr<ComputeLane> lane)
    : model_(model), settings_(std::move(settings)), lane_(std::move(lane)) {}

Result<std::unique_ptr<Decoder>> Decoder::create(const Model& model, const LlamaSettings& settings, std::shared_ptr<ComputeLane> lane) {
  std::unique_ptr<Decoder> decoder(new Decoder(model, settings, std::move(lane)));
  auto parameters = llama_context_default_params();
  parameters.n_ctx = static_cast<std::uint32_t>(settings.context_tokens);
  parameters.n_batch = static_cast<std::uint32_t>(settings.batch_tokens);
  parameters.n_ubatch = static_cast<std::uint32_t>(settings.micro_batch_tokens);
  parameters.n_seq_max = static_cast<std::uint32_t>(settings.max_sequences);
  parameters.n_outputs_max = parameters.n_seq_max;
  decoder->threads_ = settings.threads > 0 ? settings.threads : static_cast<int>(std::thread::hardware_concurrency());
  parameters.n_threads = parameters.n_threads_batch = decoder->threads_;
  parameters.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_AUTO;
  parameters.kv_unified = true;
  parameters.swa_full = true;
  parameters.no_perf = true;
  parameters.abort_callback_data = decoder.get();
  parameters.abort_callback = [](void* self) {
    auto* d = static_cast<Decoder*>(self);
    if (d->abort_.load(std::memory_order_relaxed)) return true;
    return !d->computing_.empty() && std::all_of(d->computing_.begin(), d->computing_.end(), [](const Job* job) { return job->dead(); });
  };
  try {
    decoder->context_.reset(llama_init_from_model(model.handle(), parameters));
  } catch (const std::exception&) {
  }
  if (!decoder->context_) {
    return Error(ErrorCode::unavailable, fmt::format("there is not enough memory for a context of {} tokens; lower context_tokens", settings.context_tokens), "context_tokens");
  }
  decoder->memory_ = llama_get_memory(decoder->context_.get());
  const int cells = static_cast<int>(llama_n_ctx(decoder->context_.get()));
  decoder->sequence_limit_ = std::min({settings.context_tokens, cells, std::max(1, llama_model_n_ctx_train(model.handle()))});
  decoder->batch_capacity_ = settings.batch_tokens;
  decoder->batch_ = llama_batch_init(settings.batch_tokens, 0, settings.max_sequences);
  decoder->store_ = std::make_unique<SequenceStore>(cells, settings.max_sequences, static_cast<SequenceMemory&>(*decoder));
  decoder->stats_.kv_cells = cells;
  decoder->thread_ = std::thread([d = decoder.get()] { d->loop(); });
  return decoder;
}

Decoder::~Decoder() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    abort_ = true;
    arrived_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  if (batch_capacity_ > 0) llama_batch_free(batch_);
}

void Decoder::copy(int from, int to, int length) { llama_memory_seq_cp(memory_, from, to, 0, length); }
void Decoder::truncate(int sequence, int length) { llama_memory_seq_rm(memory_, sequence, length, -1); }

Result<void> Decoder::submit(JobPtr job) {
  job->submitted = Clock::now();
  std::lock_guard lock(mutex_);
  if (stopping_) return Error(ErrorCode::unavailable, "the model is being unloaded");
  auto& queue = waiting_[job->priority == Priority::batch];
  if (static_cast<int>(queue.size()) >= settings_.queue_limit) {
    ++stats_.overloaded;
    return Error(ErrorCode::overloaded, fmt::format("{} requests are waiting for the model, the limit; try again later", queue.size()));
  }
  ++stats_.requests;
  queue.push_back(std::move(job));
  arrived_.notify_one();
  return {};
}

InferenceStats Decoder::stats() const {
  std::lock_guard lock(mutex_);
  auto stats = stats_;
  stats.queued_interactive = static_cast<int>(waiting_[0].size());
  stats.queued_batch = static_cast<int>(waiting_[1].size());
  return stats;
}

void Decoder::loop() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      stats_.active = static_cast<int>(active_.size());
      stats_.kv_cells_used = store_->cells_used();
      arrived_.wait(lock, [&] { return stopping_ || !active_.empty() || !waiting_[0].empty() || !waiting_[1].empty(); });
      if (stopping_) break;
    }
    end_dead_jobs();
    admit();
    const bool interactive = std::any_of(active_.begin(), active_.end(), [](const JobPtr& j) { return j->priority == Priority::interactive; });
    if (interactive && !hold_) hold_.emplace(*lane_);
    if (!interactive) hold_.reset();
    step();
    remove_ended();
    score_step();
    remove_ended();
  }
  hold_.reset();
  const Error gone(ErrorCode::cancelled, "the model is being unloaded");
  for (auto& job : active_) end(*job, FinishReason::cancelled, gone);
  std::lock_guard lock(mutex_);
  for (auto& queue : waiting_)
    for (auto& job : queue) end(*job, FinishReason::cancelled, gone);
}

void Decoder::end_dead_jobs() {
  std::vector<JobPtr> over;
  {
    std::lock_guard lock(mutex_);
    for (auto& queue : waiting_) {
      for (auto& job : queue) if (job->dead()) over.push_back(job);
      std::erase_if(queue, [](const JobPtr& job) { return job->dead(); });
    }
  }
  for (auto& job : active_) if (job->dead()) over.push_back(job);
  for (auto& job : over) {
    const bool stopped = job->wants_stop();
    {
      std::lock_guard lock(mutex_);
      ++(stopped ? stats_.cancelled : stats_.deadline_exceeded);
    }
    const auto finish = stopped ? FinishReason::cancelled : FinishReason::deadline;
    if (job->kind == Job::Kind::chat && job->emitted > 0) end(*job, finish);
    else end(*job, finish, stopped ? Error(ErrorCode::cancelled, "the request was cancelled")
                                   : Error(ErrorCode::deadline_exceeded, "the model did not answer before the deadline"));
  }
  remove_ended();
}

void Decoder::admit() {
  std::lock_guard lock(mutex_);
  for (auto& queue : waiting_) {
    for (auto it = queue.begin(); it != queue.end();) {
      const auto admission = try_start(*it);
      if (admission == Admission::full) return;
      if (admission == Admission::wait_for_prefix) { ++it; continue; }
      it = queue.erase(it);
    }
  }
}

bool Decoder::prefix_is_coming(const Job& job, int have) const {
  for (const auto& other : active_) {
    if (other->key != job.key || other->kind == Job::Kind::replay) continue;
    if (other->priority == Priority::batch && job.priority == Priority::interactive) continue;  // it may be slow
    const std::span theirs(other->tokens.data(), static_cast<std::size_t>(other->prompt_tokens));
    const int shared = std::min(common_prefix(theirs, job.tokens), job.shareable());
    if (shared > other->decoded && shared >= have + wait_gain_tokens) return true;
  }
  return false;
}

int Decoder::branches_needed(const Job& job) const { return job.score ? job.score->trie.branches() : 0; }

int Decoder::outstanding_cells() const {
  int cells = 0;
  for (const auto& job : active_) {
    cells += job->pending();
    if (job->score) cells += job->score->largest_item + job->score->trie.decoded_nodes();
    if (job->kind == Job::Kind::chat) cells += std::clamp(job->output_limit - static_cast<int>(job->outputs.size()), 0, answer_reserve_tokens);
  }
  return cells;
}

Decoder::Admission Decoder::try_start(const JobPtr& job) {
  const bool share = model_.can_share() && job->kind != Job::Kind::replay;
  SequenceStore::Match match;
  if (share) {
    match = store_->longest_prefix(job->key, std::span(job->tokens).first(static_cast<std::size_t>(job->shareable())));
    if (prefix_is_coming(*job, match.length)) return Admission::wait_for_prefix;
  }
  const int answer = job->score ? job->score->largest_item + job->score->trie.decoded_nodes() : std::clamp(job->output_limit, 0, answer_reserve_tokens);
  const int need = static_cast<int>(job->tokens.size()) - match.length + store_->cells_unpinned(match) + answer;
  if (!active_.empty() && store_->cells() - store_->cells_pinned() - outstanding_cells() < need) return Admission::full;
  // ids that scoring needs for its items must not all be taken by others
  int branches = branches_needed(*job);
  for (const auto& other : active_) branches = std::max(branches, branches_needed(*other));
  if (!active_.empty() && store_->sequences_available() - 1 < branches) return Admission::full;
  const auto sequence = store_->start(job->key, match);
  if (!sequence) return Admission::full;
  job->sequence = *sequence;
  job->decoded = match.length;
  if (!job->started) {
    job->started = true;
    job->order = next_order_++;
    job->reused = std::min(match.length, job->prompt_tokens);
    job->admitted = Clock::now();
    stats_.cached_tokens += job->reused;
  }
  active_.push_back(job);
  std::stable_sort(active_.begin(), active_.end(), [](const JobPtr& a, const JobPtr& b) {
    return a->priority != b->priority ? a->priority == Priority::interactive : a->order < b->order;
  });
  return Admission::started;
}

const Adapter* Decoder::next_adapter() {
  std::vector<const Adapter*> wanted;
  for (const auto& job : active_) {
    if (job->pending() == 0) continue;
    if (std::find(wanted.begin(), wanted.end(), job->adapter) == wanted.end()) wanted.push_back(job->adapter);
  }
  if (wanted.empty()) return nullptr;
  // in turn, so that one adapter's long answers do not hold up the others
  const auto now = current_adapter_ ? std::find(wanted.begin(), wanted.end(), *current_adapter_) : wanted.end();
  return now == wanted.end() || now + 1 == wanted.end() ? wanted.front() : *(now + 1);
}

int Decoder::chunk_tokens(bool somebody_writes) const {
  const int most = std::min(settings_.micro_batch_tokens, settings_.batch_tokens);
  // even alone a step stays short enough that a newcomer does not wait long for its end
  const double seconds = somebody_writes ? settings_.step_target_ms / 1000.0 : longest_step_seconds;
  return std::clamp(static_cast<int>(tokens_per_second_ * seconds), std::min(somebody_writes ? 16 : 64, most), most);
}

void Decoder::add_part(Plan& plan, const JobPtr& job, int limit_tokens) {
  const int outputs_left = settings_.max_sequences - plan.outputs;
  int count = 0, outputs = 0;
  for (const int most = std::min(job->pending(), limit_tokens); count < most; ++count) {
    const bool output = job->kind != Job::Kind::score && job->decoded + count + 1 - job->prompt_tokens >= job->emitted;
    if (output && outputs == outputs_left) break;
    outputs += output;
  }
  if (count == 0) return;
  plan.parts.push_back({job, count, plan.tokens});
  plan.tokens += count;
  plan.outputs += outputs;
  plan.interactive |= job->priority == Priority::interactive;
}

Decoder::Plan Decoder::make_plan() {
  Plan plan;
  plan.adapter = next_adapter();
  const int most = std::min(settings_.micro_batch_tokens, settings_.batch_tokens);
  const int room = store_->cells() - store_->cells_pinned();
  bool somebody_writes = false, interactive_writes = false;
  for (const auto& job : active_) {
    if (job->adapter != plan.adapter || !job->writing() || job->pending() == 0) continue;
    somebody_writes = true;
    interactive_writes |= job->priority == Priority::interactive;
    add_part(plan, job, std::min(most, room) - plan.tokens);
  }
  int budget = chunk_tokens(somebody_writes);
  for (const auto& job : active_) {
    if (job->adapter != plan.adapter || job->writing() || job->pending() == 0) continue;
    // batch work may slow an interactive answer by a quarter of a step at most
    const int share = interactive_writes && job->priority == Priority::batch ? std::min(budget, std::max(8, chunk_tokens(true) / 4)) : budget;
    const int before = plan.tokens;
    add_part(plan, job, std::min({share, most - plan.tokens, room - plan.tokens}));
    budget -= plan.tokens - before;
    if (budget <= 0) break;
  }
  return plan;
}

bool Decoder::preempt_one() {
  if (active_.size() < 2) return false;
  const auto youngest = std::max_element(active_.begin(), active_.end(), [](const JobPtr& a, const JobPtr& b) {
    return a->priority != b->priority ? a->priority == Priority::interactive : a->order < b->order;
  });
  const JobPtr job = *youngest;
  store_->release(job->sequence);
  job->sequence = -1;
  job->decoded = 0;
  active_.erase(youngest);
  std::lock_guard lock(mutex_);
  waiting_[job->priority == Priority::batch].push_front(job);
  return true;
}

void Decoder::step() {
  if (std::none_of(active_.begin(), active_.end(), [](const JobPtr& job) { return job->pending() > 0; })) return;
  Plan plan = make_plan();
  while (plan.tokens == 0 || !store_->make_room(plan.tokens)) {
    if (!preempt_one()) {
      for (auto& job : active_) {
        if (job->emitted > 0) end(*job, FinishReason::length);
        else end(*job, FinishReason::length, Error(ErrorCode::too_large, fmt::format("the request needs more than the {} cells of the context", store_->cells())));
      }
      return;
    }
    plan = make_plan();
  }
  const auto begin = Clock::now();
  const int code = decode(plan);
  if (code == 0) {
    failures_ = 0;
    const double seconds = elapsed_ms(begin) / 1000;
    if (plan.tokens >= 64) tokens_per_second_ += 0.3 * (plan.tokens / seconds - tokens_per_second_);
    for (const auto& part : plan.parts) consume(part);
    return;
  }
  for (const auto& part : plan.parts) truncate(part.job->sequence, part.job->decoded);
  if (code == 2) return;  // aborted: everybody in it is dead
  log::warn("decode failed", {{"code", std::to_string(code)}, {"tokens", std::to_string(plan.tokens)}});
  if (code == 1 && ++failures_ < 3 && store_->make_room(store_->cells() - store_->cells_pinned())) return;
  failures_ = 0;
  for (const auto& part : plan.parts) end(*part.job, FinishReason::stop, Error(ErrorCode::internal, fmt::format("the model could not decode the batch (code {})", code)));
}

void Decoder::batch_add(Token token, int position, std::span<const int> sequences, bool output) {
  const int i = batch_.n_tokens++;
  batch_.token[i] = token;
  batch_.pos[i] = position;
  batch_.n_seq_id[i] = static_cast<std::int32_t>(sequences.size());
  for (std::size_t s = 0; s < sequences.size(); ++s) batch_.seq_id[i][s] = sequences[s];
  batch_.logits[i] = output;
}

int Decoder::run_batch(Priority priority, const Adapter* adapter) {
  int code = 0;
  lane_->run(priority, [&] {
    if (!current_adapter_ || *current_adapter_ != adapter) {
      llama_adapter_lora* handle = adapter ? adapter->handle : nullptr;
      float scale = adapter ? adapter->scale : 0;
      llama_set_adapters_lora(context_.get(), &handle, adapter ? 1 : 0, &scale);
      current_adapter_ = adapter;
    }
    code = compute(context_.get(), lane_->governor(), threads_, [&] {
      const int result = llama_decode(context_.get(), batch_);
      llama_synchronize(context_.get());
      return result;
    });
  });
  return code;
}

int Decoder::decode(const Plan& plan) {
  batch_clear();
  computing_.clear();
  for (const auto& part : plan.parts) {
    const Job& job = *part.job;
    computing_.push_back(&job);
    for (int i = 0; i < part.count; ++i) {
      const int position = job.decoded + i;
      const bool output = job.kind != Job::Kind::score && position + 1 - job.prompt_tokens >= job.emitted;
      batch_add(job.tokens[static_cast<std::size_t>(position)], position, std::span(&job.sequence, 1), output);
    }
  }
  return run_batch(plan.interactive ? Priority::interactive : Priority::batch, plan.adapter);
}

void Decoder::consume(const Part& part) {
  Job& job = *part.job;
  const int first = job.decoded;
  store_->append(job.sequence, std::span(job.tokens).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(part.count)));
  job.decoded += part.count;
  const int read = std::clamp(job.prompt_tokens - first, 0, part.count);
  if (read > 0) {
    std::lock_guard lock(mutex_);
    stats_.prompt_tokens += read;
  }
  if (job.decoded >= job.prompt_tokens && job.prompt_done == SteadyTime{}) job.prompt_done = Clock::now();
  if (job.kind == Job::Kind::score) return;
  for (int i = 0; i < part.count && !job.ended; ++i) {
    if (!batch_.logits[part.first_row + i]) continue;
    take_logits(job, first + i, llama_get_logits_ith(context_.get(), part.first_row + i));
  }
}

void Decoder::log_probability(const float* logits, Token token, TokenInfo& info, int top) const {
  const std::span view(logits, static_cast<std::size_t>(model_.vocabulary()));
  const double sum = log_sum_exp(view);
  info.logprob = logits[token] - sum;
  if (top <= 0) return;
  for (const auto& candidate : largest(view, static_cast<std::size_t>(top))) {
    info.top.push_back({candidate.token, model_.piece(candidate.token, true), candidate.logit - sum});
  }
}

void Decoder::take_logits(Job& job, int position, const float* logits) {
  const auto output = static_cast<std::size_t>(position + 1 - job.prompt_tokens);
  if (output < job.outputs.size()) {
    log_probability(logits, job.outputs[output].token, job.outputs[output], job.top_logprobs);
    emit(job);
    return;
  }
  if (job.kind == Job::Kind::replay) return;
  sample(job, logits);
}

void Decoder::sample(Job& job, const float* logits) {
  const std::span view(logits, static_cast<std::size_t>(model_.vocabulary()));
  Token token = -1;
  if (job.grammar) {
    const TokenSampler::Filter filter = [&](std::span<Candidate> candidates) { job.grammar->filter(candidates); };
    token = job.sampler->choose(view, &filter);
  } else {
    token = job.sampler->choose(view);
  }
  if (token < 0 || model_.is_end(token)) return end(job, FinishReason::stop);
  TokenInfo info;
  info.token = token;
  log_probability(logits, token, info, job.top_logprobs);
  job.sampler->accept(token, true);
  job.tokens.push_back(token);
  job.outputs.push_back(std::move(info));
  if (job.grammar) {
    if (!job.grammar->accept(token)) {
      job.end_after_outputs = true;
    } else if (settings_.force_fixed_parts) {
      const int room = std::min(job.output_limit - static_cast<int>(job.outputs.size()), sequence_limit_ - static_cast<int>(job.tokens.size()));
      const auto forced = job.grammar->force(room);
      for (Token next : forced.tokens) job.give(next);
      job.end_after_outputs = forced.complete;
    }
  }
  emit(job);
}

bool Decoder::emit(Job& job) {
  TokenInfo& info = job.outputs[static_cast<std::size_t>(job.emitted++)];
  info.text = model_.piece(info.token, true);
  if (job.first_token == SteadyTime{}) job.first_token = Clock::now();
  std::string text;
  if (job.kind == Job::Kind::chat) {
    const bool shown = !llama_vocab_is_control(model_.vocab(), info.token) || job.shown_specials.contains(info.token);
    if (shown) text = job.text.push(job.shown_specials.contains(info.token) ? info.text : model_.piece(info.token, false));
  }
  {
    std::lock_guard lock(job.mutex);
    job.new_text += text;
    job.new_tokens.push_back(info);
    job.changed.notify_one();
  }
  {
    std::lock_guard lock(mutex_);
    ++stats_.completion_tokens;
  }
  if (job.text.stopped()) {
    end(job, FinishReason::stop);
  } else if (job.emitted == static_cast<int>(job.outputs.size())) {
    if (job.kind == Job::Kind::replay || job.end_after_outputs) end(job, FinishReason::stop);
    else if (job.emitted >= job.output_limit || static_cast<int>(job.tokens.size()) >= sequence_limit_) end(job, FinishReason::length);
  }
  return !job.ended;
}

void Decoder::end(Job& job, FinishReason finish, std::optional<Error> error) {
  if (job.ended) return;
  if (job.sequence >= 0) {
    if (job.kind == Job::Kind::replay || !model_.can_share()) store_->release(job.sequence);
    else store_->retire(job.sequence);
    job.sequence = -1;
  }
  const auto rest = job.text.stopped() ? std::string() : job.text.finish();
  std::lock_guard lock(job.mutex);
  job.new_text += rest;
  job.finish = finish;
  job.error = std::move(error);
  job.done = Clock::now();
  job.ended = true;
  job.changed.notify_one();
}

void Decoder::remove_ended() {
  std::erase_if(active_, [](const JobPtr& job) { return job->ended; });
}

}  // namespace heng::infer
