#include "heng/http_client/http_client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

namespace heng::http_client {
namespace {

/// Takes one connection, keeps what it was sent, answers with fixed bytes.
class OneAnswer {
 public:
  explicit OneAnswer(std::string bytes) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 4), 0);
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    thread_ = std::thread([this, bytes = std::move(bytes)] {
      const int client = ::accept(listener_, nullptr, nullptr);
      if (client < 0) return;
      char piece[4096];
      while (seen.find("\r\n\r\n") == std::string::npos) {
        const auto n = ::recv(client, piece, sizeof piece, 0);
        if (n <= 0) break;
        seen.append(piece, static_cast<std::size_t>(n));
      }
      std::size_t sent = 0;
      while (sent < bytes.size()) {
        const auto n = ::send(client, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
        if (n <= 0) break;
        sent += static_cast<std::size_t>(n);
      }
      ::close(client);
    });
  }
  ~OneAnswer() {
    ::shutdown(listener_, SHUT_RDWR);
    ::close(listener_);
    thread_.join();
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port); }
  int port = 0;
  std::string seen;

 private:
  int listener_;
  std::thread thread_;
};

Result<HttpReply> get(const std::string& url, HttpCall call) {
  auto target = HENG_TRY(parse_url(url));
  auto client = HENG_TRY(HttpClient::create(std::move(target), ""));
  return client->send(call);
}

TEST(Url, IsTakenApart) {
  const auto v6 = parse_url("https://[::1]:8443/base/");
  ASSERT_TRUE(v6.ok());
  EXPECT_EQ(v6->host, "::1");
  EXPECT_EQ(v6->port, "8443");
  EXPECT_EQ(v6->path, "/base");
  for (const char* bad : {"", "ftp://x", "http://", "http://h:99x", "http://u@h", "http://h/ x", "http://[::1", "http://h/a?b", "http://h\r\nx: y"}) EXPECT_FALSE(parse_url(bad).ok()) << bad;
}

TEST(Client, SaysHostWithPortTypeAndAuthorization) {
  OneAnswer server("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi");
  HttpCall call;
  call.path = "/token?p=1";
  call.body = "a=b";
  call.content_type = "application/x-www-form-urlencoded";
  call.authorization = "Basic eDp5";
  const auto reply = get(server.url(), call);
  ASSERT_TRUE(reply.ok()) << reply.error().message;
  EXPECT_EQ(reply->body, "hi");
  EXPECT_NE(server.seen.find("POST /token?p=1 HTTP/1.1\r\n"), std::string::npos) << server.seen;
  EXPECT_NE(server.seen.find("Host: 127.0.0.1:" + std::to_string(server.port) + "\r\n"), std::string::npos) << server.seen;
  EXPECT_NE(server.seen.find("Authorization: Basic eDp5\r\n"), std::string::npos);
  EXPECT_NE(server.seen.find("Content-Type: application/x-www-form-urlencoded\r\n"), std::string::npos);
}

TEST(Client, CutsALargeAnswerShort) {
  OneAnswer server("HTTP/1.1 200 OK\r\ncontent-length: 2000000\r\n\r\n" + std::string(2'000'000, 'x'));
  HttpCall call;
  call.response_limit_bytes = 100'000;
  EXPECT_EQ(get(server.url(), call).error().code, ErrorCode::too_large);
}

TEST(Client, FollowsNoRedirect) {
  OneAnswer server("HTTP/1.1 302 Found\r\nlocation: http://elsewhere.invalid/\r\ncontent-length: 0\r\n\r\n");
  const auto reply = get(server.url(), {});
  ASSERT_TRUE(reply.ok()) << reply.error().message;
  EXPECT_EQ(reply->status, 302);
}

}  // namespace
}  // namespace heng::http_client
