#include <fmt/format.h>

#include <utility>

#include "chat_request.h"
#include "chat_shape.h"
#include "context.h"
#include "heng/base/clock.h"
#include "heng/contracts/sharing.h"

namespace heng::api {
namespace {

/// Runs one chat and answers it whole.
http::Response chat_whole(Api& api, const http::Request& request, const ChatTurn& turn, const ChatShape& shape,
                          std::stop_token stop) {
  auto reply = api.services.chatter.chat(turn, [&](const ChatDelta&) { return !stop.stop_requested(); }, stop);
  if (!reply) return api.fail(request, reply.error());
  api.services.identity.spend_tokens(turn.principal, reply->result.usage.prompt_tokens + reply->result.usage.completion_tokens);
  api.metrics.tokens(reply->result.model, reply->result.usage);
  api.metrics.first_token(reply->result.model, reply->result.timings.first_token_ms);
  if (reply->result.finish == FinishReason::cancelled)
    return api.fail(request, Error(ErrorCode::cancelled, "the request was stopped before it was done"));
  return json_response(200, shape.whole(*reply), reply->audit_index);
}

/// Runs one chat and streams it as it is written.
http::Response chat_streamed(Api& api, const http::Request& request, const ChatTurn& turn, const ChatShape& shape,
                             http::Stream& stream, std::stop_token stop) {
  bool begun = false;
  const auto begin = [&] {
    if (!begun) stream.write(event_line(shape.first()));
    begun = true;
  };
  auto reply = api.services.chatter.chat(
      turn,
      [&](const ChatDelta& delta) {
        begin();
        for (const auto& chunk : shape.deltas(delta))
          if (!stream.write(event_line(chunk))) return false;
        return !stop.stop_requested();
      },
      stop);
  if (!reply) return api.fail(request, reply.error());
  const auto& result = reply->result;
  api.services.identity.spend_tokens(turn.principal, result.usage.prompt_tokens + result.usage.completion_tokens);
  api.metrics.tokens(result.model, result.usage);
  api.metrics.first_token(result.model, result.timings.first_token_ms);
  if (result.finish == FinishReason::cancelled)
    return api.fail(request, Error(ErrorCode::cancelled, "the request was stopped before it was done"));
  begin();
  for (const auto& chunk : shape.last(*reply)) stream.write(event_line(chunk));
  stream.write("data: [DONE]\n\n");
  return http::Response::empty(200);
}

http::Step start_chat(Api& api, http::Request& request, const Principal& principal, ParsedChat parsed, ChatForm form) {
  if (auto known = find_model(api, parsed.chat.model, ModelInfo::Kind::chat); !known) return api.fail(request, known.error());
  if (auto sound = check_combinations(parsed); !sound) return api.fail(request, sound.error());
  ChatTurn turn;
  turn.principal = principal;
  turn.chat = std::move(parsed.chat);
  turn.chat.tenant = sharing_domain(principal);
  turn.chat.deadline = std::chrono::steady_clock::now() + api.settings.request_time;
  ChatShape shape(form, request.id, turn.chat.model, system_clock().unix_ms() / 1000, turn.chat.top_logprobs, parsed.include_usage);
  http::Work work;
  if (parsed.stream) work.stream_head = event_stream_head();
  work.run = [&api, &request, turn = std::move(turn), shape, streams = parsed.stream](http::Stream& stream, std::stop_token stop) {
    return streams ? chat_streamed(api, request, turn, shape, stream, stop) : chat_whole(api, request, turn, shape, stop);
  };
  return work;
}

}  // namespace

http::Step answer_chat(Api& api, http::Request& request, const Principal& principal, Priority priority) {
  auto parsed = parse_chat_request(request.body, {api.settings.max_tokens});
  if (!parsed) return api.fail(request, parsed.error());
  if (priority == Priority::batch) parsed->chat.priority = priority;
  if (!parsed->kb.empty()) return chat_with_kb(api, request, principal, std::move(*parsed));
  return start_chat(api, request, principal, std::move(*parsed), ChatForm::chat);
}

void add_chat_routes(Routes& routes, Api& api) {
  const ChatRequestLimits limits{api.settings.max_tokens};
  add(routes, api, "POST", "/v1/chat/completions", access::Action::chat, Counts::yes,
      [](Api& a, http::Request& request, const Principal& principal) { return answer_chat(a, request, principal, Priority::interactive); });
  add(routes, api, "POST", "/v1/completions", access::Action::chat, Counts::yes,
      [limits](Api& a, http::Request& request, const Principal& principal) -> http::Step {
        auto parsed = parse_completion_request(request.body, limits);
        if (!parsed) return a.fail(request, parsed.error());
        return start_chat(a, request, principal, std::move(*parsed), ChatForm::completion);
      });
}

}  // namespace heng::api
