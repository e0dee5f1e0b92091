#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace heng::http {

/// A client that sends exactly the bytes it is told to, for tests of odd clients.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port, int receive_buffer = 0) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer > 0) ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = socket_ >= 0 && ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~RawClient() { close(); }
  RawClient(RawClient&& other) noexcept : socket_(other.socket_), connected_(other.connected_) { other.socket_ = -1; }
  RawClient(const RawClient&) = delete;

  bool connected() const { return connected_; }
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  /// What comes within `ms`; empty at the end of the connection or when the time is up.
  std::string receive(int ms = 5000) {
    pollfd wait{socket_, POLLIN, 0};
    if (::poll(&wait, 1, ms) <= 0) return {};
    char buffer[16384];
    const auto count = ::recv(socket_, buffer, sizeof buffer, 0);
    return count > 0 ? std::string(buffer, static_cast<std::size_t>(count)) : std::string();
  }
  std::string receive_until(std::string_view mark, int ms = 5000) {
    std::string all;
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
    while (all.find(mark) == std::string::npos && std::chrono::steady_clock::now() < end) {
      const auto more = receive(ms);
      if (more.empty()) break;
      all += more;
    }
    return all;
  }
  std::string receive_all(int ms = 5000) { return receive_until("\x01 never \x01", ms); }
  /// One response with a content-length; head and body together.
  std::string response(int ms = 5000) {
    std::string all;
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
    while (std::chrono::steady_clock::now() < end) {
      const auto head = all.find("\r\n\r\n");
      if (head != std::string::npos) {
        const auto at = all.find("content-length: ");
        const auto length = at < head ? std::stoul(all.substr(at + 16)) : 0;
        if (all.size() >= head + 4 + length) return all;
      }
      const auto more = receive(ms);
      if (more.empty()) return all;
      all += more;
    }
    return all;
  }
  void close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }

 private:
  int socket_;
  bool connected_ = false;
};

inline std::string get(std::string_view target, std::string_view more = "") {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(more) + "\r\n";
}
inline std::string post(std::string_view target, std::string_view body, std::string_view more = "") {
  return "POST " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(more) + "\r\n" + std::string(body);
}

}  // namespace heng::http
