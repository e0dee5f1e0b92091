#include <fmt/format.h>

#include "chat_request.h"
#include "chat_shape.h"
#include "context.h"
#include "heng/base/clock.h"
#include "heng/base/text.h"
#include "json_parts.h"

namespace heng::api {
namespace {

constexpr std::size_t most_history = 200;

struct ParsedAsk {
  AskRequest ask;
  bool stream = false;
};

Result<ParsedAsk> read_ask(const http::Request& request, const Api& api) {
  const auto json = HENG_TRY(parse_object(request.body));
  const Fields fields(json);
  ParsedAsk out;
  out.ask.kb = KbName(HENG_TRY(fields.required_text("kb", 64)));
  out.ask.question = HENG_TRY(fields.required_text("question", 4000));
  out.ask.model = HENG_TRY(fields.text("model", 256)).value_or("");
  out.stream = HENG_TRY(fields.boolean("stream")).value_or(false);
  out.ask.passages = static_cast<int>(HENG_TRY(fields.integer("passages", 1, 50)).value_or(out.ask.passages));
  const auto tokens = HENG_TRY(fields.integer("max_tokens", 1, INT32_MAX)).value_or(out.ask.max_tokens);
  out.ask.max_tokens = static_cast<int>(std::min<std::int64_t>(tokens, api.settings.max_tokens));
  const auto* history = HENG_TRY(fields.array("history"));
  if (history == nullptr) return out;
  if (history->size() > most_history)
    return Error(ErrorCode::invalid_argument, fmt::format("'history' has {} turns, the limit is {}", history->size(), most_history), "history");
  for (std::size_t i = 0; i < history->size(); ++i) {
    const auto path = fmt::format("history[{}]", i);
    if (!(*history)[i].is_object()) return Error(ErrorCode::invalid_argument, fmt::format("'{}' must be an object", path), path);
    const Fields turn((*history)[i], path);
    Message message;
    message.role = HENG_TRY(turn.required_text("role", 64));
    if (message.role != "user" && message.role != "assistant") return turn.wrong("role", "\"user\" or \"assistant\"");
    const auto content = HENG_TRY(turn.text("content"));
    if (!content) return turn.wrong("content", "a string");
    message.content = *content;
    out.ask.history.push_back(std::move(message));
  }
  return out;
}

std::string verdict_name(const AskAnswer& answer) {
  switch (answer.verdict) {
    case AnswerVerdict::released: return "released";
    case AnswerVerdict::partial: return "partial";
    case AnswerVerdict::extractive: return "extractive";
    case AnswerVerdict::abstained: return "abstained";
    case AnswerVerdict::review: return "review";
  }
  return "abstained";
}

void account(Api& api, const Principal& principal, const AskAnswer& answer) {
  api.services.identity.spend_tokens(principal, answer.usage.prompt_tokens + answer.usage.completion_tokens);
  api.metrics.tokens(answer.model, answer.usage);
  api.metrics.verdict(verdict_name(answer));
}

http::Response ask(Api& api, const http::Request& request, const ParsedAsk& parsed, http::Stream& stream, std::stop_token stop) {
  const auto sink = [&](const AskEvent& event) {
    if (!parsed.stream) return !stop.stop_requested();
    return stream.write(named_event(event_name(event), to_json(event))) && !stop.stop_requested();
  };
  const auto answer = api.services.asker.ask(parsed.ask, sink, stop);
  if (!answer) return api.fail(request, answer.error());
  account(api, parsed.ask.principal, *answer);
  if (parsed.stream) {
    stream.write(named_event("answer", to_json(*answer)));
    return http::Response::empty(200);
  }
  return json_response(200, answer_value(*answer), answer->audit_index);
}

http::Step start_ask(Api& api, http::Request& request, const Principal& principal) {
  auto parsed = read_ask(request, api);
  if (!parsed) return api.fail(request, parsed.error());
  if (!parsed->ask.model.empty())
    if (auto known = find_model(api, parsed->ask.model, ModelInfo::Kind::chat); !known) return api.fail(request, known.error());
  parsed->ask.principal = principal;
  parsed->ask.deadline = std::chrono::steady_clock::now() + api.settings.request_time;
  http::Work work;
  if (parsed->stream) work.stream_head = event_stream_head();
  work.run = [&api, &request, parsed = std::move(*parsed)](http::Stream& stream, std::stop_token stop) {
    return ask(api, request, parsed, stream, stop);
  };
  return work;
}

/// The released sentences as running text: what has left so far, so that the rest can follow when the answer is complete.
class RunningText {
 public:
  std::string add(const std::string& sentence) {
    const auto end = text_.empty() ? U'\0' : last_character();
    // Chinese sentences follow each other without a space
    const bool spaced = end != U'\0' && !heng::text::is_space(end) && end < 0x2e80;
    std::string piece = (spaced ? " " : "") + sentence;
    text_ += piece;
    return piece;
  }
  /// What of the whole answer has not left; nothing where the answer went another way than its sentences.
  std::string rest(const std::string& whole) const {
    if (text_.empty()) return whole;
    return whole.size() > text_.size() && whole.starts_with(text_) ? whole.substr(text_.size()) : std::string();
  }

 private:
  char32_t last_character() const { return heng::text::to_utf32(text_).back(); }
  std::string text_;
};

http::Response chat_ask(Api& api, const http::Request& request, const AskRequest& question, bool streams, const ChatShape& shape,
                        http::Stream& stream, std::stop_token stop) {
  RunningText running;
  bool begun = false;
  const auto say = [&](const std::string& text) {
    if (!begun) stream.write(event_line(shape.first()));
    begun = true;
    return text.empty() || stream.write(event_line(shape.text_delta(text)));
  };
  const auto sink = [&](const AskEvent& event) {
    if (streams && event.sentence && !say(running.add(event.sentence->text))) return false;
    return !stop.stop_requested();
  };
  const auto answer = api.services.asker.ask(question, sink, stop);
  if (!answer) return api.fail(request, answer.error());
  account(api, question.principal, *answer);
  if (!streams) return json_response(200, shape.whole(*answer), answer->audit_index);
  say(running.rest(answer->answer));
  for (const auto& chunk : shape.last(*answer)) stream.write(event_line(chunk));
  stream.write("data: [DONE]\n\n");
  return http::Response::empty(200);
}

Result<void> find_kb(const Api& api, const Principal& principal, const std::string& name) {
  for (const auto& kb : HENG_TRY(api.services.knowledge.list(principal)))
    if (kb.name.value == name) return {};
  return Error(ErrorCode::not_found, fmt::format("there is no knowledge base '{}'; GET /v1/kb lists them", name), "model");
}

}  // namespace

http::Step chat_with_kb(Api& api, http::Request& request, const Principal& principal, ParsedChat parsed) {
  if (auto known = find_kb(api, principal, parsed.kb); !known) return api.fail(request, known.error());
  if (!parsed.chat.tools.empty() || !parsed.chat.json_schema.empty())
    return api.fail(request, Error(ErrorCode::unsupported, "tools and response_format do not go with a knowledge base: its answers are "
                                   "sentences with citations", parsed.chat.tools.empty() ? "response_format" : "tools"));
  if (parsed.chat.messages.back().role != "user")
    return api.fail(request, Error(ErrorCode::invalid_argument, "the last message must be the user's question", "messages"));
  AskRequest ask;
  ask.principal = principal;
  ask.kb = KbName(parsed.kb);
  ask.question = parsed.chat.messages.back().content;
  if (text::trim(ask.question).empty())
    return api.fail(request, Error(ErrorCode::invalid_argument, "the last message is empty", "messages"));
  parsed.chat.messages.pop_back();
  for (auto& message : parsed.chat.messages)
    if (message.role == "user" || message.role == "assistant") ask.history.push_back(std::move(message));
  ask.model = parsed.chat.model;
  ask.passages = parsed.passages;
  ask.max_tokens = parsed.chat.max_tokens;
  ask.priority = parsed.chat.priority;
  ask.deadline = std::chrono::steady_clock::now() + api.settings.request_time;
  if (!ask.model.empty())
    if (auto known = find_model(api, ask.model, ModelInfo::Kind::chat); !known) return api.fail(request, known.error());

  ChatShape shape(ChatForm::chat, request.id, ask.model.empty() ? "heng/kb:" + parsed.kb : ask.model, system_clock().unix_ms() / 1000,
                  -1, parsed.include_usage);
  http::Work work;
  if (parsed.stream) work.stream_head = event_stream_head();
  work.run = [&api, &request, ask = std::move(ask), shape, streams = parsed.stream](http::Stream& stream, std::stop_token stop) {
    return chat_ask(api, request, ask, streams, shape, stream, stop);
  };
  return work;
}

void add_ask_routes(Routes& routes, Api& api) { add(routes, api, "POST", "/v1/ask", access::Action::ask, Counts::yes, start_ask); }

}  // namespace heng::api
