#include "chat_call.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include <cmath>

#include "heng/base/text.h"

namespace heng::infer {
namespace {

// no tokenizer averages more; so many bytes cannot fit and need not be tokenised to know it
constexpr std::size_t bytes_per_token_limit = 20;
constexpr std::size_t stop_limit = 16, stop_limit_bytes = 1024;

Result<void> check_text(const std::string& text, const char* param) {
  const auto bad = text::first_invalid_utf8(text);
  if (bad == std::string::npos) return {};
  return Error(ErrorCode::malformed_input, fmt::format("{} is not valid UTF-8 (byte {})", param, bad), param);
}

Result<void> check_request(const ChatRequest& request, int sequence_limit) {
  std::size_t bytes = request.raw_prompt.size() + request.assistant_prefix.size();
  for (const auto& turn : request.messages) bytes += turn.content.size() + turn.reasoning.size();
  for (const auto& tool : request.tools) bytes += tool.parameters_json.size() + tool.description.size();
  if (bytes > bytes_per_token_limit * static_cast<std::size_t>(sequence_limit)) {
    return Error(ErrorCode::too_large, fmt::format("the prompt has {} bytes, more than {} tokens of context can hold", bytes, sequence_limit), "messages");
  }
  if (request.messages.empty() && request.raw_prompt.empty()) return Error(ErrorCode::invalid_argument, "there are no messages", "messages");
  for (const auto& turn : request.messages) {
    HENG_TRY(check_text(turn.content, "messages"));
    HENG_TRY(check_text(turn.reasoning, "messages"));
    if (turn.role != "system" && turn.role != "user" && turn.role != "assistant" && turn.role != "tool" && turn.role != "developer") {
      return Error(ErrorCode::invalid_argument, "a message's role must be system, developer, user, assistant or tool", "messages");
    }
  }
  HENG_TRY(check_text(request.raw_prompt, "prompt"));
  HENG_TRY(check_text(request.assistant_prefix, "assistant_prefix"));
  HENG_TRY(check_text(request.json_schema, "json_schema"));
  HENG_TRY(check_text(request.grammar, "grammar"));
  for (const auto& tool : request.tools) {
    HENG_TRY(check_text(tool.parameters_json, "tools"));
    HENG_TRY(check_text(tool.description, "tools"));
    const auto bad = tool.name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.");
    if (tool.name.empty() || tool.name.size() > 64 || bad != std::string::npos) {
      return Error(ErrorCode::invalid_argument, "a tool's name must be 1 to 64 letters, digits, '_', '-' or '.'", "tools");
    }
  }
  if (!request.json_schema.empty() && !request.grammar.empty()) return Error(ErrorCode::invalid_argument, "json_schema and grammar cannot be used together", "grammar");
  if (request.grammar.size() > 256u << 10) return Error(ErrorCode::too_large, fmt::format("the grammar has {} bytes, the limit is {}", request.grammar.size(), 256u << 10), "grammar");
  if (request.max_tokens < 1) return Error(ErrorCode::invalid_argument, fmt::format("max_tokens is {}, it must be at least 1", request.max_tokens), "max_tokens");
  if (request.top_logprobs < -1 || request.top_logprobs > 20) return Error(ErrorCode::invalid_argument, fmt::format("top_logprobs is {}, it must be 0 to 20", request.top_logprobs), "top_logprobs");
  if (request.stop.size() > stop_limit) return Error(ErrorCode::invalid_argument, fmt::format("there are {} stop strings, the limit is {}", request.stop.size(), stop_limit), "stop");
  for (const auto& stop : request.stop) {
    HENG_TRY(check_text(stop, "stop"));
    if (stop.size() > stop_limit_bytes) return Error(ErrorCode::too_large, fmt::format("a stop string has {} bytes, the limit is {}", stop.size(), stop_limit_bytes), "stop");
  }
  const auto& s = request.sampling;
  for (double value : {s.temperature, s.top_p, s.min_p, s.repeat_penalty, s.frequency_penalty, s.presence_penalty})
    if (!std::isfinite(value)) return Error(ErrorCode::invalid_argument, "a sampling parameter is not a finite number", "sampling");
  if (s.temperature < 0 || s.temperature > 100) return Error(ErrorCode::invalid_argument, fmt::format("temperature is {}, it must be 0 to 100", s.temperature), "temperature");
  if (s.top_p <= 0 || s.top_p > 1) return Error(ErrorCode::invalid_argument, fmt::format("top_p is {}, it must be above 0 and at most 1", s.top_p), "top_p");
  if (s.min_p < 0 || s.min_p > 1) return Error(ErrorCode::invalid_argument, fmt::format("min_p is {}, it must be 0 to 1", s.min_p), "min_p");
  if (s.repeat_penalty <= 0) return Error(ErrorCode::invalid_argument, fmt::format("repeat_penalty is {}, it must be above 0", s.repeat_penalty), "repeat_penalty");
  return {};
}

/// Sets the flag that makes the decode thread let go of the job whichever way the caller leaves.
struct Abandon {
  Job& job;
  ~Abandon() { job.abandoned = true; }
};

Result<void> wait_for_end(Job& job) {
  std::unique_lock lock(job.mutex);
  job.changed.wait(lock, [&] { return job.ended; });
  if (job.error) return *job.error;
  return {};
}

double milliseconds(SteadyTime from, SteadyTime to) {
  if (from == SteadyTime{} || to == SteadyTime{}) return 0;
  return std::chrono::duration<double, std::milli>(to - from).count();
}

Timings timings_of(const Job& job) {
  Timings timings;
  timings.queue_ms = milliseconds(job.submitted, job.admitted);
  timings.prompt_ms = milliseconds(job.admitted, job.prompt_done);
  timings.first_token_ms = milliseconds(job.submitted, job.first_token);
  timings.generation_ms = milliseconds(job.first_token, job.done);
  return timings;
}

bool is_empty(const ChatDelta& delta) { return delta.content.empty() && delta.reasoning.empty() && delta.tool_calls.empty() && delta.tokens.empty(); }

}  // namespace

Result<const Adapter*> ChatCall::find_adapter(const std::string& name) const {
  if (name.empty()) return static_cast<const Adapter*>(nullptr);
  if (const auto* adapter = model.adapter(name)) return adapter;
  return Error(ErrorCode::not_found, fmt::format("there is no adapter named '{}'", name), "lora");
}

Result<JobPtr> ChatCall::chat_job(const ChatRequest& request, FormattedChat& formatted, std::stop_token stop) const {
  auto job = std::make_shared<Job>();
  job->adapter = HENG_TRY(find_adapter(request.lora));
  job->key = {request.tenant, request.lora};
  job->priority = request.priority;
  job->deadline = request.deadline;
  job->stop = std::move(stop);
  job->top_logprobs = request.top_logprobs;
  job->tokens = model.tokenize(formatted.prompt, true, true);
  job->prompt_tokens = static_cast<int>(job->tokens.size());
  const int limit = decoder.sequence_limit();
  const auto prefix = model.tokenize(request.assistant_prefix, false, false);
  if (job->prompt_tokens == 0) return Error(ErrorCode::invalid_argument, "the prompt is empty", "messages");
  if (job->prompt_tokens + static_cast<int>(prefix.size()) >= limit) {
    return Error(ErrorCode::too_large, fmt::format("the prompt has {} tokens, the context holds {}; shorten it", job->tokens.size() + prefix.size(), limit), "messages");
  }
  job->output_limit = std::min(std::max(request.max_tokens, static_cast<int>(prefix.size())), limit - job->prompt_tokens);
  job->sampler = std::make_unique<TokenSampler>(request.sampling);
  for (Token token : job->tokens) job->sampler->accept(token, false);
  if (!formatted.grammar.text.empty()) job->grammar = HENG_TRY(Grammar::create(model, formatted.grammar));
  for (Token token : prefix) {
    if (job->grammar && !job->grammar->accept(token)) return Error(ErrorCode::invalid_argument, "the grammar does not allow the answer to begin with assistant_prefix", "assistant_prefix");
    job->give(token);
  }
  if (job->grammar && !formatted.grammar.lazy && decoder.forces_fixed_parts()) {  // what must come first is read together with the prompt
    auto forced = job->grammar->force(job->output_limit - static_cast<int>(job->outputs.size()));
    for (Token token : forced.tokens) job->give(token);
    job->end_after_outputs = forced.complete;
  }
  auto stops = request.stop;
  stops.insert(stops.end(), formatted.stops.begin(), formatted.stops.end());
  job->text = TextStream(std::move(stops));
  job->shown_specials.insert(formatted.shown_specials.begin(), formatted.shown_specials.end());
  return job;
}

Result<ChatResult> ChatCall::chat(const ChatRequest& request, const ChatSink& sink, std::stop_token stop) const {
  HENG_TRY(check_request(request, decoder.sequence_limit()));
  FormattedChat formatted = HENG_TRY(format.format(request));
  const JobPtr job = HENG_TRY(chat_job(request, formatted, std::move(stop)));
  ChatResult result;
  result.prompt_tokens.assign(job->tokens.begin(), job->tokens.begin() + job->prompt_tokens);
  const Abandon abandon{*job};
  HENG_TRY(decoder.submit(job));
  bool ended = false, refused = false;
  while (!ended) {
    std::string text;
    std::vector<TokenInfo> tokens;
    {
      std::unique_lock lock(job->mutex);
      job->changed.wait(lock, [&] { return job->ended || !job->new_tokens.empty(); });
      text.swap(job->new_text);
      tokens.swap(job->new_tokens);
      ended = job->ended;
    }
    ChatDelta delta = formatted.reader->push(text);
    if (request.top_logprobs >= 0) delta.tokens = tokens;
    result.tokens.insert(result.tokens.end(), std::make_move_iterator(tokens.begin()), std::make_move_iterator(tokens.end()));
    if (!refused && sink && !is_empty(delta) && !sink(delta)) {
      refused = true;
      job->abandoned = true;
    }
  }
  if (job->error) return *job->error;
  const ChatDelta rest = formatted.reader->finish(result.message);
  if (!refused && sink && !is_empty(rest)) sink(rest);
  result.finish = refused ? FinishReason::cancelled : job->finish;
  if (result.finish == FinishReason::stop && !result.message.tool_calls.empty()) result.finish = FinishReason::tool_calls;
  result.usage = {job->prompt_tokens, job->reused, static_cast<int>(result.tokens.size())};
  result.timings = timings_of(*job);
  if (job->adapter) result.lora_sha256 = job->adapter->sha256;
  return result;
}

namespace {

bool begins(const std::vector<Token>& text, const std::vector<Token>& part) {
  return part.size() <= text.size() && std::equal(part.begin(), part.end(), text.begin());
}

/// The candidates' tokens as a trie: open candidates, or closed fields.
Result<ContinuationTrie> trie_of(const Model& model, const ScoreRequest& request) {
  if (request.candidates.empty() == request.fields.empty())
    return Error(ErrorCode::invalid_argument, request.fields.empty() ? "there are no candidates" : "give 'candidates' or 'fields', not both", "candidates");
  std::vector<std::vector<Token>> tokens;
  std::vector<int> field;
  const auto add = [&](const std::string& lead, const std::string& candidate, int of_field) -> Result<void> {
    HENG_TRY(check_text(candidate, "candidates"));
    if (candidate.empty()) return Error(ErrorCode::invalid_argument, "a candidate is empty", "candidates");
    tokens.push_back(model.tokenize(lead + candidate, false, request.parse_special));
    field.push_back(of_field);
    return {};
  };
  for (const auto& candidate : request.candidates) HENG_TRY(add("", candidate, 0));
  if (request.fields.empty()) return ContinuationTrie(tokens);
  for (std::size_t f = 0; f < request.fields.size(); ++f) {
    HENG_TRY(check_text(request.fields[f].lead, "fields"));
    if (request.fields[f].candidates.empty()) return Error(ErrorCode::invalid_argument, fmt::format("field {} has no candidates", f), "fields");
    for (const auto& candidate : request.fields[f].candidates) HENG_TRY(add(request.fields[f].lead, candidate, static_cast<int>(f)));
  }
  for (std::size_t a = 0; a < tokens.size(); ++a)
    for (std::size_t b = 0; b < tokens.size(); ++b)
      if (a != b && field[a] == field[b] && begins(tokens[b], tokens[a]))
        return Error(ErrorCode::invalid_argument, fmt::format("a candidate of field {} is the beginning of another or equal to it: end each with a delimiter", field[a]), "fields");
  return ContinuationTrie(tokens, field);
}

/// Sorts the items and drops equal ones; returns each one's place in what is left.
std::vector<std::size_t> sort_items(ScoreWork& work) {
  std::vector<std::size_t> order(work.items.size()), places(work.items.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return work.items[a] < work.items[b]; });
  std::vector<std::vector<Token>> kept;
  for (const auto at : order) {
    if (kept.empty() || kept.back() != work.items[at]) {
      const auto common = kept.empty() ? 0 : std::mismatch(kept.back().begin(), kept.back().end(), work.items[at].begin(), work.items[at].end()).first - kept.back().begin();
      work.shared.push_back(static_cast<int>(common));
      kept.push_back(std::move(work.items[at]));
    }
    places[at] = kept.size() - 1;
  }
  work.items = std::move(kept);
  return places;
}

}  // namespace

Result<ScoreResult> ChatCall::score(const ScoreRequest& request, std::stop_token stop) const {
  if (request.prefix.size() > bytes_per_token_limit * static_cast<std::size_t>(decoder.sequence_limit())) {
    return Error(ErrorCode::too_large, fmt::format("the prefix has {} bytes, more than {} tokens of context can hold", request.prefix.size(), decoder.sequence_limit()), "prefix");
  }
  HENG_TRY(check_text(request.prefix, "prefix"));
  auto trie = HENG_TRY(trie_of(model, request));
  auto job = std::make_shared<Job>();
  job->kind = Job::Kind::score;
  job->key = {request.tenant, ""};
  job->priority = request.priority;
  job->deadline = request.deadline;
  job->stop = std::move(stop);
  job->tokens = model.tokenize(request.prefix, true, request.parse_special);
  job->score = std::make_unique<ScoreWork>(std::move(trie));
  auto& work = *job->score;
  bool some_empty = false;
  for (const auto& item : request.items) {
    HENG_TRY(check_text(item, "items"));
    if (item.size() > bytes_per_token_limit * static_cast<std::size_t>(decoder.batch_limit())) return Error(ErrorCode::too_large, fmt::format("an item has {} bytes, more than {} tokens can hold", item.size(), decoder.batch_limit()), "items");
    work.items.push_back(model.tokenize(item, false, request.parse_special));
    some_empty |= work.items.back().empty();
  }
  if (some_empty) {  // logits come from a token that is decoded with the item: take the prefix's last one
    if (job->tokens.empty()) return Error(ErrorCode::invalid_argument, "prefix and item are both empty", "items");
    for (auto& item : work.items) item.insert(item.begin(), job->tokens.back());
    job->tokens.pop_back();
  }
  job->prompt_tokens = static_cast<int>(job->tokens.size());
  const auto places = sort_items(work);
  const int answer = work.trie.decoded_nodes();
  for (std::size_t i = 0; i < work.items.size(); ++i) {
    work.largest_item = std::max(work.largest_item, static_cast<int>(work.items[i].size()));
    const int size = static_cast<int>(work.items[i].size()) + answer;
    if (size > decoder.batch_limit() || job->prompt_tokens + size > decoder.sequence_limit()) {
      return Error(ErrorCode::too_large, fmt::format("prefix and item {} have {} tokens; an item may have {}, with its prefix {}", std::find(places.begin(), places.end(), i) - places.begin(), job->prompt_tokens + size, decoder.batch_limit() - answer, decoder.sequence_limit()), "items");
    }
  }
  if (work.trie.branches() >= decoder.sequences() || work.trie.outputs() > decoder.sequences()) {
    return Error(ErrorCode::too_large, fmt::format("the candidates fan out into {} sequences, the model has {}", work.trie.branches(), decoder.sequences()), "candidates");
  }
  ScoreResult result;
  if (work.items.empty()) return result;
  work.logprobs.resize(work.items.size());
  const Abandon abandon{*job};
  HENG_TRY(decoder.submit(job));
  HENG_TRY(wait_for_end(*job));
  for (const auto place : places) result.logprobs.push_back(work.logprobs[place]);
  result.decoded_tokens = work.decoded_tokens + job->prompt_tokens - job->reused;
  return result;
}

Result<ReplayResult> ChatCall::replay(const ReplayRequest& request, std::stop_token stop) const {
  const int limit = decoder.sequence_limit();
  const auto size = request.prompt_tokens.size() + request.output_tokens.size();
  if (request.prompt_tokens.empty()) return Error(ErrorCode::invalid_argument, "there are no prompt tokens", "prompt_tokens");
  if (size > static_cast<std::size_t>(limit)) return Error(ErrorCode::too_large, fmt::format("prompt and output have {} tokens, the context holds {}", size, limit), "prompt_tokens");
  auto job = std::make_shared<Job>();
  job->kind = Job::Kind::replay;
  job->adapter = HENG_TRY(find_adapter(request.lora));
  job->key = {TenantId("\x01replay"), request.lora};
  job->priority = Priority::batch;
  job->stop = std::move(stop);
  job->tokens = request.prompt_tokens;
  job->prompt_tokens = static_cast<int>(job->tokens.size());
  job->tokens.insert(job->tokens.end(), request.output_tokens.begin(), request.output_tokens.end());
  for (Token token : job->tokens) {
    if (token < 0 || token >= model.vocabulary()) return Error(ErrorCode::invalid_argument, fmt::format("token {} is not in the model's vocabulary of {}", token, model.vocabulary()), "output_tokens");
  }
  for (Token token : request.output_tokens) {
    TokenInfo info;
    info.token = token;
    info.forced = true;
    job->outputs.push_back(std::move(info));
  }
  ReplayResult result;
  if (request.output_tokens.empty()) return result;
  // the last output token itself need not be decoded
  job->tokens.pop_back();
  const Abandon abandon{*job};
  HENG_TRY(decoder.submit(job));
  HENG_TRY(wait_for_end(*job));
  for (const auto& info : job->new_tokens) result.logprobs.push_back(info.logprob);
  return result;
}

}  // namespace heng::infer
