#include "heng/infer/remote/remote.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "circuit_breaker.h"
#include "event_stream.h"
#include "wire.h"

namespace heng::infer {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A server of a few lines: each connection gets the next answer of the script (the last one again and again).
class Server {
 public:
  struct Answer {
    std::string bytes;
    int delay_ms = 0;
    int hold_ms = 0;  ///< Kept open in silence afterwards.
  };
  explicit Server(std::vector<Answer> script) : script_(std::move(script)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 16), 0);
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Server() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    ::close(listener_);
    thread_.join();
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/v1"; }
  int calls() const { return calls_; }
  std::string last_request() {
    std::lock_guard lock(mutex_);
    return last_;
  }

 private:
  void serve() {
    for (;;) {
      const int client = ::accept(listener_, nullptr, nullptr);
      if (client < 0) return;
      const auto answer = script_[std::min(script_.size() - 1, static_cast<std::size_t>(calls_++))];
      std::string request;
      char buffer[4096];
      std::size_t need = std::string::npos;
      while (request.size() < need) {
        const auto n = ::recv(client, buffer, sizeof buffer, 0);
        if (n <= 0) break;
        request.append(buffer, static_cast<std::size_t>(n));
        const auto head = request.find("\r\n\r\n"), length = request.find("Content-Length: ");
        if (head != std::string::npos && length != std::string::npos) need = head + 4 + std::stoul(request.substr(length + 16));
      }
      {
        std::lock_guard lock(mutex_);
        last_ = request;
      }
      wait(answer.delay_ms);
      (void)!::send(client, answer.bytes.data(), answer.bytes.size(), MSG_NOSIGNAL);
      wait(answer.hold_ms);
      ::close(client);
    }
  }
  void wait(int ms) {
    for (int i = 0; i < ms && !stopping_; i += 5) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  std::vector<Answer> script_;
  int listener_ = -1, port_ = 0;
  std::atomic<int> calls_ = 0;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::string last_;
  std::thread thread_;
};

std::string http(int status, const std::string& body, const std::string& more = "") {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: application/json\r\n" + more + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string stream(const std::string& events) { return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" + events; }

const char* const hello =
    "data: {\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}\n\n"
    "data: {\"choices\":[{\"delta\":{\"content\":\"lo 你好\"}}]}\n\n"
    "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2,\"prompt_tokens_details\":{\"cached_tokens\":3}}}\n\n"
    "data: [DONE]\n\n";

std::unique_ptr<RemoteInference> remote(const std::string& url) {
  RemoteSettings settings;
  settings.url = url;
  settings.api_key = "key-1";
  settings.models = {{"chat", "gpt", ModelInfo::Kind::chat, 1000, 0, "", ""}, {"vec", "", ModelInfo::Kind::embedding, 0, 2, "query: ", ""}};
  settings.backoff_ms = 10;
  settings.read_timeout_ms = 300;
  settings.breaker_failures = 4;
  settings.breaker_open_ms = 200;
  auto created = RemoteInference::create(settings);
  EXPECT_TRUE(created.ok()) << (created.ok() ? "" : created.error().message);
  return std::move(created).value();
}

ChatRequest question() {
  ChatRequest request;
  request.messages.push_back({"user", "Hello?", {}, {}, {}, {}});
  return request;
}

TEST(Remote, StreamsAnAnswer) {
  Server server({{stream(hello)}});
  auto inference = remote(server.url());
  std::vector<std::string> pieces;
  const auto result = inference->chat(question(), [&](const ChatDelta& d) { pieces.push_back(d.content); return true; }, {});
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_THAT(pieces, ElementsAre("Hel", "lo 你好"));
  EXPECT_EQ(result->message.content, "Hello 你好");
  EXPECT_EQ(result->usage.cached_tokens, 3);
  EXPECT_EQ(result->model, "chat");
  EXPECT_THAT(server.last_request(), HasSubstr("POST /v1/chat/completions"));
  EXPECT_THAT(server.last_request(), HasSubstr("Bearer key-1"));
  EXPECT_THAT(server.last_request(), HasSubstr("\"model\":\"gpt\""));
}

TEST(Remote, TriesAgainAfterFailuresButNotAfterText) {
  Server server({{http(503, "{}")}, {""}, {stream(hello)}});
  EXPECT_TRUE(remote(server.url())->chat(question(), nullptr, {}).ok());
  EXPECT_EQ(server.calls(), 3);
  Server broken({{stream("data: {\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}\n\n")}});
  const auto cut = remote(broken.url())->chat(question(), nullptr, {});
  ASSERT_FALSE(cut.ok());
  EXPECT_EQ(cut.error().code, ErrorCode::unavailable);
  EXPECT_EQ(broken.calls(), 1);
}

TEST(Remote, ErrorsOfTheCallerAreNotTriedAgain) {
  Server server({{http(400, R"({"error":{"message":"bad thing"}})")}});
  const auto result = remote(server.url())->chat(question(), nullptr, {});
  EXPECT_EQ(result.error().code, ErrorCode::invalid_argument);
  EXPECT_THAT(result.error().message, HasSubstr("bad thing"));
  EXPECT_EQ(server.calls(), 1);
}

TEST(Remote, TheCircuitOpensAndClosesAgain) {
  Server server({{http(500, "")}, {http(500, "")}, {http(500, "")}, {http(500, "")}, {stream(hello)}});
  auto inference = remote(server.url());
  EXPECT_FALSE(inference->chat(question(), nullptr, {}).ok());
  EXPECT_FALSE(inference->chat(question(), nullptr, {}).ok());
  EXPECT_EQ(server.calls(), 4);
  const auto held = inference->chat(question(), nullptr, {});
  EXPECT_EQ(held.error().code, ErrorCode::unavailable);
  EXPECT_EQ(server.calls(), 4);
  EXPECT_FALSE(inference->models()[0].loaded);
  std::this_thread::sleep_for(std::chrono::milliseconds(250));
  EXPECT_TRUE(inference->chat(question(), nullptr, {}).ok());
  EXPECT_TRUE(inference->models()[0].loaded);
}

TEST(Remote, SilenceDeadlineAndStopEndACall) {
  Server silent({{stream(""), 0, 3000}});
  auto inference = remote(silent.url());
  auto begin = std::chrono::steady_clock::now();
  auto late = question();
  late.deadline = begin + std::chrono::milliseconds(80);
  EXPECT_EQ(inference->chat(late, nullptr, {}).error().code, ErrorCode::deadline_exceeded);
  EXPECT_LT(elapsed_ms(begin), 1500);
  Server waiting({{"", 3000}});
  std::stop_source stop;
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(80));
    stop.request_stop();
  });
  begin = std::chrono::steady_clock::now();
  EXPECT_EQ(remote(waiting.url())->chat(question(), nullptr, stop.get_token()).error().code, ErrorCode::cancelled);
  EXPECT_LT(elapsed_ms(begin), 1500);
  canceller.join();
  Server slow({{"", 3000}});
  RemoteSettings settings;
  settings.url = slow.url();
  settings.models = {{"chat"}};
  settings.read_timeout_ms = 100;
  settings.attempts = 1;
  auto once = RemoteInference::create(settings);
  ASSERT_TRUE(once.ok());
  const auto timeout = (*once)->chat(question(), nullptr, {});
  EXPECT_EQ(timeout.error().code, ErrorCode::unavailable);
  EXPECT_THAT(timeout.error().message, HasSubstr("100 ms"));
}

TEST(Remote, ToolCallsAndLogprobs) {
  Server server({{stream("data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"c1\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\"\"}}]}}]}\n\n"
                         "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\":1}\"}}]},\"logprobs\":{\"content\":[{\"token\":\"x\",\"logprob\":-0.5,\"top_logprobs\":[]}]},\"finish_reason\":\"tool_calls\"}]}\n\n"
                         "data: [DONE]\n\n")}});
  auto request = question();
  request.tools = {{"f", "does f", R"({"type":"object"})"}};
  request.top_logprobs = 0;
  const auto result = remote(server.url())->chat(request, nullptr, {});
  ASSERT_TRUE(result.ok()) << result.error().message;
  ASSERT_EQ(result->message.tool_calls.size(), 1u);
  EXPECT_EQ(result->message.tool_calls[0].arguments_json, R"({"a":1})");
  EXPECT_EQ(result->finish, FinishReason::tool_calls);
  EXPECT_EQ(result->tokens.at(0).logprob, -0.5);
}

TEST(Remote, EmbedsInOrderAndNormalises) {
  Server server({{http(200, R"({"data":[{"index":1,"embedding":[0,2]},{"index":0,"embedding":[3,4]}],"usage":{"prompt_tokens":4}})")}});
  EmbedRequest request;
  request.texts = {"a", "b"};
  request.kind = EmbedKind::query;
  const auto result = remote(server.url())->embed(request, {});
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_NEAR(result->vectors[0][0], 0.6, 1e-6);
  EXPECT_NEAR(result->vectors[1][1], 1, 1e-6);
  EXPECT_THAT(server.last_request(), HasSubstr("query: a"));
  Server wrong({{http(200, R"({"data":[{"index":0,"embedding":[]}]})")}});
  EXPECT_EQ(remote(wrong.url())->embed(request, {}).error().code, ErrorCode::malformed_input);
}

TEST(Remote, RefusesWhatItCannotDo) {
  auto inference = remote("http://127.0.0.1:9");
  EXPECT_EQ(inference->score({}, {}).error().code, ErrorCode::unsupported);
  EXPECT_EQ(inference->replay({}, {}).error().code, ErrorCode::unsupported);
  auto unknown = question();
  unknown.model = "nobody";
  EXPECT_EQ(inference->chat(unknown, nullptr, {}).error().code, ErrorCode::not_found);
  EXPECT_EQ(inference->chat(question(), nullptr, {}).error().code, ErrorCode::unavailable);  // nobody listens
  for (const char* url : {"", "ftp://x", "http://", "http://h:99x", "http://u@h", "http://h/ x", "http://[::1"}) {
    RemoteSettings settings;
    settings.url = url;
    settings.models = {{"m"}};
    EXPECT_FALSE(RemoteInference::create(settings).ok()) << url;
  }
}

TEST(EventStream, FollowsTheStandard) {
  EventStream events;
  EXPECT_THAT(events.push(":comment\ndata: a\ndata:b\n\nevent: x\n\ndata: c\r\n\r\ndata: d\r\rdata"), ElementsAre("a\nb", "c", "d"));
  EXPECT_THAT(events.push(": e\n"), ElementsAre());
  EXPECT_THAT(events.push("\n"), ElementsAre("e"));
  EventStream small(10);
  small.push("data: 0123456789012345");
  EXPECT_TRUE(small.overflowed());
}

}  // namespace
}  // namespace heng::infer
