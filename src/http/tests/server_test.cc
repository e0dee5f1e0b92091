#include "heng/http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <mutex>
#include <thread>

#include "raw_client.h"

namespace heng::http {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// A server with small limits and handlers that a test can watch.
class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    settings.limits.header_time = 400ms;
    settings.limits.body_time = 400ms;
    settings.limits.write_time = 400ms;
    settings.limits.heartbeat = 100ms;
    settings.limits.body_bytes = 100'000;
    settings.limits.body_bytes_per_second = 1'000'000;
    settings.limits.stream_buffer_bytes = 64 * 1024;
  }

  void start() {
    std::vector<Route> routes;
    routes.push_back({"GET", "/hello", [](Request&) -> Step { return Response::text(200, "hello"); }, 0});
    routes.push_back({"GET", "/echo/{name}", [](Request& r) -> Step {
                        return Response::text(200, std::string(r.param("name")) + "|" + std::string(r.query_value("q").value_or("-")));
                      }, 0});
    routes.push_back({"POST", "/size", [](Request& r) -> Step { return Response::text(200, std::to_string(r.body.size())); }, 0});
    routes.push_back({"POST", "/large", [](Request& r) -> Step { return Response::text(200, std::to_string(r.body.size())); }, 10'000'000});
    routes.push_back({"GET", "/throw", [](Request&) -> Step { throw std::runtime_error("no"); }, 0});
    routes.push_back({"GET", "/big", [](Request&) -> Step { return Response::text(200, std::string(64'000'000, 'x')); }, 0});
    routes.push_back({"GET", "/block", [this](Request&) -> Step { return blocking(false); }, 0});
    routes.push_back({"GET", "/stream", [this](Request&) -> Step { return blocking(true); }, 0});
    routes.push_back({"GET", "/flood", [this](Request&) -> Step { return flood(); }, 0});
    ServerHooks hooks;
    hooks.before_body = [](const Request& r) -> std::optional<Response> {
      if (r.header("authorization") == "no") return error_response(Error(ErrorCode::unauthenticated, "wrong key"), r.id);
      return std::nullopt;
    };
    hooks.finished = [this](const Finished& f) {
      std::lock_guard lock(mutex);
      statuses.push_back(f.status);
    };
    auto made = Server::create(settings, std::move(routes), std::move(hooks));
    ASSERT_TRUE(made.ok()) << made.error().message;
    server = std::move(*made);
    server->start();
  }

  /// Works until it is released or stopped.
  Work blocking(bool streams) {
    Work work;
    if (streams) work.stream_head = Response::empty(200).header("content-type", "text/event-stream");
    work.run = [this, streams](Stream& stream, std::stop_token stop) {
      ++running;
      while (!released && !stop.stop_requested()) std::this_thread::sleep_for(2ms);
      --running;
      if (stop.stop_requested()) {
        ++stopped;
        return error_response(Error(ErrorCode::cancelled, "stopped"), {});
      }
      if (streams) stream.write("data: done\n\n");
      return Response::text(200, "done");
    };
    return work;
  }

  Work flood() {
    Work work;
    work.stream_head = Response::empty(200);
    work.run = [this](Stream& stream, std::stop_token) {
      const std::string piece(16 * 1024, 'x');
      while (stream.write(piece)) written += piece.size();
      ++stopped;
      return Response::empty(200);
    };
    return work;
  }

  std::string ask(const std::string& bytes, int ms = 5000) {
    RawClient client(server->port());
    client.send(bytes);
    return client.response(ms);
  }

  template <class Condition>
  bool eventually(Condition condition, std::chrono::milliseconds time = 5000ms) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (!condition() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(5ms);
    return condition();
  }

  ServerSettings settings;
  std::atomic<int> running{0}, stopped{0};
  std::atomic<std::size_t> written{0};
  std::atomic<bool> released{false};
  std::mutex mutex;
  std::vector<int> statuses;
  std::unique_ptr<Server> server;
};

TEST_F(ServerTest, AnswersWithSecurityHeadersAndRequestId) {
  start();
  const auto answer = ask(get("/hello"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\n\r\nhello"));
  EXPECT_THAT(answer, HasSubstr("x-request-id: "));
  EXPECT_THAT(answer, HasSubstr("x-content-type-options: nosniff"));
  EXPECT_THAT(answer, HasSubstr("content-security-policy: default-src 'none'"));
  EXPECT_THAT(answer, Not(HasSubstr("access-control-allow-origin")));
}

TEST_F(ServerTest, KeepsPipelinedRequestsInOrder) {
  start();
  RawClient client(server->port());
  client.send(get("/echo/1") + post("/size", "abc") + get("/echo/2") + get("/hello", "Connection: close\r\n"));
  const auto all = client.receive_all();
  const auto one = all.find("1|-"), size = all.find("\r\n\r\n3"), two = all.find("2|-"), last = all.find("hello");
  ASSERT_NE(one, std::string::npos);
  ASSERT_NE(last, std::string::npos);
  EXPECT_LT(one, size);
  EXPECT_LT(size, two);
  EXPECT_LT(two, last);
  EXPECT_THAT(all.substr(last), Not(HasSubstr("HTTP/1.1")));
}

TEST_F(ServerTest, AnswersHeadOptionsAndWrongMethods) {
  start();
  const auto head = ask("HEAD /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 1000);
  EXPECT_THAT(head, HasSubstr("content-length: 5"));
  EXPECT_THAT(head, Not(HasSubstr("hello")));
  EXPECT_THAT(ask("OPTIONS /size HTTP/1.1\r\nHost: localhost\r\n\r\n"), HasSubstr("allow: POST, OPTIONS"));
  const auto wrong = ask("DELETE /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(wrong, StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(wrong, HasSubstr("allow: GET, HEAD, OPTIONS"));
  EXPECT_THAT(ask("BREW /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"), StartsWith("HTTP/1.1 405"));
  const auto missing = ask(get("/nothing"));
  EXPECT_THAT(missing, StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(missing, HasSubstr(R"("code":"not_found")"));
}

TEST_F(ServerTest, DecodesPathAndQuery) {
  start();
  EXPECT_THAT(ask(get("/echo/a%2Fb%20%E8%A1%A1?q=1%2B1+x")), HasSubstr("a/b 衡|1+1 x"));
  EXPECT_THAT(ask(get("http://localhost/echo/x?q=y")), HasSubstr("x|y"));
  EXPECT_THAT(ask(get("/echo/%zz")), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask(get("/echo/%ff")), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask(get("/echo/a%00b")), StartsWith("HTTP/1.1 400"));
}

TEST_F(ServerTest, RefusesWhatIsNotHttp) {
  start();
  EXPECT_THAT(ask("GET /hello HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 400"));               // no Host
  EXPECT_THAT(ask("\x16\x03\x01 not http\r\n\r\n"), StartsWith("HTTP/1.1 400"));             // TLS on the plain port
  EXPECT_THAT(ask("GET /hello HTTP/3.7\r\nHost: a\r\n\r\n"), StartsWith("HTTP/1.1 505"));
  EXPECT_THAT(ask("POST /size HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n"), StartsWith("HTTP/1.1 501"));
  // two lengths: the classic way to smuggle a request past a proxy
  EXPECT_THAT(ask("POST /size HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("POST /size HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask(post("/size", "x", "Content-Encoding: gzip\r\n")), StartsWith("HTTP/1.1 415"));
  EXPECT_THAT(ask(get("/hello", "X: " + std::string(20'000, 'a') + "\r\n")), StartsWith("HTTP/1.1 431"));
  EXPECT_THAT(ask(get("/hello")), StartsWith("HTTP/1.1 200"));
}

TEST_F(ServerTest, TakesChunkedBodiesAndLimitsThem) {
  start();
  const std::string head = "POST /size HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_THAT(ask(head + "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"), HasSubstr("\r\n\r\n5"));
  EXPECT_THAT(ask(head + "zz\r\nabc\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask(post("/size", std::string(100'001, 'x'))), StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(ask(head + "186a1\r\n" + std::string(100'001, 'x') + "\r\n0\r\n\r\n"), StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(ask(post("/large", std::string(1'000'000, 'x'))), HasSubstr("\r\n\r\n1000000"));
  EXPECT_THAT(ask("POST /size HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n"), StartsWith("HTTP/1.1 400"));
}

TEST_F(ServerTest, AsksBeforeALargeBody) {
  start();
  RawClient client(server->port());
  client.send("POST /large HTTP/1.1\r\nHost: a\r\nAuthorization: no\r\nExpect: 100-continue\r\nContent-Length: 9000000\r\n\r\n");
  EXPECT_THAT(client.response(), StartsWith("HTTP/1.1 401"));
  RawClient good(server->port());
  good.send("POST /large HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_THAT(good.receive_until("\r\n\r\n"), StartsWith("HTTP/1.1 100 Continue"));
  good.send("abc");
  EXPECT_THAT(good.response(), HasSubstr("\r\n\r\n3"));
}

TEST_F(ServerTest, BoundsTheMemoryOfAllBodies) {
  settings.limits.body_memory_bytes = 2'000'000;
  start();
  RawClient first(server->port());
  first.send("POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: 1500000\r\n\r\nabc");
  ASSERT_TRUE(eventually([&] { return server->stats().body_memory_bytes == 1'500'000; }));
  const auto refused = ask("POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: 1500000\r\n\r\n");
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(refused, HasSubstr("retry-after: "));
  first.close();
  EXPECT_TRUE(eventually([&] { return server->stats().body_memory_bytes == 0; }));
}

TEST_F(ServerTest, CutsOffSlowClients) {
  start();
  RawClient header(server->port());
  header.send("GET /hello HTTP/1.1\r\nHos");
  EXPECT_THAT(header.receive_all(3000), StartsWith("HTTP/1.1 408"));
  RawClient body(server->port());
  body.send("POST /size HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nab");
  EXPECT_THAT(body.receive_all(3000), StartsWith("HTTP/1.1 408"));
  RawClient half(server->port());
  half.send("POST /size HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nab");
  half.close();
  EXPECT_TRUE(eventually([&] { return server->stats().connections == 0; }));
}

TEST_F(ServerTest, CutsOffSlowReaders) {
  start();
  RawClient big(server->port(), 4096);
  big.send(get("/big"));
  EXPECT_TRUE(eventually([&] { return server->stats().timeouts >= 1; }));
  RawClient flood(server->port(), 4096);
  flood.send(get("/flood"));
  EXPECT_TRUE(eventually([&] { return stopped == 1; }));
  EXPECT_LT(written.load(), 32'000'000u);  // the handler waited for the reader
}

TEST_F(ServerTest, StopsWorkWhenTheClientLeaves) {
  start();
  for (const char* target : {"/block", "/stream"}) {
    const int before = stopped;
    RawClient client(server->port());
    client.send(get(target));
    ASSERT_TRUE(eventually([&] { return running == 1; }));
    client.close();
    EXPECT_TRUE(eventually([&] { return stopped == before + 1; })) << target;
  }
  EXPECT_EQ(server->stats().cancelled, 2);
}

TEST_F(ServerTest, KeepsQueuedStreamsAliveAndRefusesPastTheQueue) {
  settings.limits.work_threads = 1;
  settings.limits.work_queue = 1;
  start();
  RawClient busy(server->port());
  busy.send(get("/block"));
  ASSERT_TRUE(eventually([&] { return running == 1; }));
  RawClient queued(server->port());
  queued.send(get("/stream"));
  const auto waiting = queued.receive_until(": wait\n\n");
  EXPECT_THAT(waiting, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(waiting, HasSubstr("text/event-stream"));
  const auto refused = ask(get("/stream"));
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(refused, HasSubstr("retry-after: 2"));
  EXPECT_THAT(ask(get("/hello")), StartsWith("HTTP/1.1 200"));  // small answers do not wait behind work
  queued.close();
  ASSERT_TRUE(eventually([&] { return server->stats().cancelled == 1; }));
  RawClient next(server->port());
  next.send(get("/stream"));  // takes the place of the one that left
  EXPECT_THAT(next.receive_until(": wait"), StartsWith("HTTP/1.1 200"));
  released = true;
  EXPECT_THAT(next.receive_until("0\r\n\r\n"), HasSubstr("data: done"));
  EXPECT_THAT(busy.response(), HasSubstr("done"));
}

TEST_F(ServerTest, TurnsAnExceptionIntoA500) {
  start();
  EXPECT_THAT(ask(get("/throw")), StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(ask(get("/hello")), StartsWith("HTTP/1.1 200"));
}

TEST_F(ServerTest, DrainFinishesWhatRunsAndEndsStreamsWithAnError) {
  start();
  RawClient idle(server->port());
  idle.send(get("/hello"));
  EXPECT_THAT(idle.response(), HasSubstr("hello"));
  RawClient stream(server->port()), block(server->port());
  stream.send(get("/stream"));
  stream.receive_until(": wait");
  block.send(get("/block"));
  ASSERT_TRUE(eventually([&] { return running == 2; }));
  std::thread drain([&] { server->drain(300ms); });
  EXPECT_EQ(idle.receive(2000), "");  // closed
  EXPECT_THAT(stream.receive_until("0\r\n\r\n"), HasSubstr("event: error\ndata: {\"error\""));
  EXPECT_THAT(block.response(), StartsWith("HTTP/1.1 499"));
  drain.join();
  EXPECT_EQ(stopped, 2);
  EXPECT_FALSE(RawClient(server->port()).connected());
}

TEST_F(ServerTest, DrainWaitsForRunningRequests) {
  start();
  RawClient block(server->port());
  block.send(get("/block"));
  ASSERT_TRUE(eventually([&] { return running == 1; }));
  std::thread drain([&] { server->drain(5000ms); });
  std::this_thread::sleep_for(50ms);
  released = true;
  EXPECT_THAT(block.response(), HasSubstr("done"));
  drain.join();
  EXPECT_EQ(stopped, 0);
}

TEST_F(ServerTest, LimitsConnections) {
  settings.limits.connections_per_address = 3;
  start();
  std::vector<RawClient> clients;
  for (int i = 0; i < 3; ++i) clients.emplace_back(server->port());
  ASSERT_TRUE(eventually([&] { return server->stats().connections == 3; }));
  EXPECT_THAT(RawClient(server->port()).receive_all(2000), StartsWith("HTTP/1.1 503"));
  clients.clear();
  ASSERT_TRUE(eventually([&] { return server->stats().connections == 0; }));
  EXPECT_THAT(ask(get("/hello")), StartsWith("HTTP/1.1 200"));
}

TEST_F(ServerTest, AllowsTheOriginsItWasTold) {
  settings.cors_origins = {"https://bank.example"};
  start();
  EXPECT_THAT(ask(get("/hello", "Origin: https://bank.example\r\n")), HasSubstr("access-control-allow-origin: https://bank.example"));
  EXPECT_THAT(ask(get("/hello", "Origin: https://evil.example\r\n")), Not(HasSubstr("access-control-allow-origin")));
  const auto preflight = ask("OPTIONS /size HTTP/1.1\r\nHost: a\r\nOrigin: https://bank.example\r\nAccess-Control-Request-Method: POST\r\n\r\n");
  EXPECT_THAT(preflight, HasSubstr("access-control-allow-methods: POST, OPTIONS"));
}

TEST_F(ServerTest, WithoutKeysOnlyLocalNamesAreServed) {
  settings.keys_required = false;
  start();
  EXPECT_THAT(ask(get("/hello")), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(ask("GET /hello HTTP/1.1\r\nHost: rebound.example:80\r\n\r\n"), StartsWith("HTTP/1.1 421"));
  EXPECT_THAT(ask("GET /hello HTTP/1.1\r\nHost: 127.rebound.example\r\n\r\n"), StartsWith("HTTP/1.1 421"));
  EXPECT_THAT(ask(get("/hello", "Origin: https://evil.example\r\n")), StartsWith("HTTP/1.1 421"));
  EXPECT_THAT(ask(get("/hello", "Origin: http://localhost:8460\r\n")), StartsWith("HTTP/1.1 200"));
}

TEST_F(ServerTest, RefusesToListenWidelyWithoutTlsAndKeys) {
  settings.address = "0.0.0.0";
  const auto plain = Server::create(settings, {}, {});
  ASSERT_FALSE(plain.ok());
  EXPECT_THAT(plain.error().message, HasSubstr("needs TLS"));
  settings.tls = {"cert.pem", "key.pem"};
  settings.keys_required = false;
  const auto open = Server::create(settings, {}, {});
  ASSERT_FALSE(open.ok());
  EXPECT_THAT(open.error().message, HasSubstr("needs API keys"));
  settings.keys_required = true;
  EXPECT_EQ(Server::create(settings, {}, {}).error().code, ErrorCode::malformed_input);  // no such certificate
  settings.address = "somewhere";
  EXPECT_EQ(Server::create(settings, {}, {}).error().code, ErrorCode::invalid_argument);
}

TEST_F(ServerTest, SaysWhenThePortIsTaken) {
  start();
  settings.port = server->port();
  EXPECT_EQ(Server::create(settings, {}, {}).error().code, ErrorCode::conflict);
}

long resident_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return std::stol(line.substr(6));
  return 0;
}

TEST_F(ServerTest, HoldsTwoThousandIdleStreamsWhileAnswering) {
  settings.limits.work_threads = 2;
  settings.limits.work_queue = 4000;
  settings.limits.heartbeat = 1000ms;
  start();
  const long before = resident_kib();
  std::vector<RawClient> clients;
  for (int i = 0; i < 2000; ++i) {
    clients.emplace_back(server->port());
    ASSERT_TRUE(clients.back().connected()) << i << ": is the limit of open files above 4,200?";
    clients.back().send(get(i % 2 == 0 ? "/stream" : "/hello"));
  }
  ASSERT_TRUE(eventually([&] { return server->stats().streams == 1000; }, 20'000ms)) << server->stats().streams;
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) EXPECT_THAT(ask(get("/hello")), HasSubstr("hello"));
  const auto took = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
  const long used = resident_kib() - before;
  RecordProperty("kib_per_connection", std::to_string(used / 2000));
  std::printf("2,000 connections: %.1f KiB each; 100 requests beside them: %.2f ms each\n", static_cast<double>(used) / 2000, took / 100);
  EXPECT_LT(used, 40'000);
  released = true;
  EXPECT_THAT(clients[0].receive_until("data: done", 20'000), HasSubstr("data: done"));
}

}  // namespace
}  // namespace heng::http
