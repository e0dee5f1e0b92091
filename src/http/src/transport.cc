#include "transport.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <vector>

namespace heng::http {
namespace {

constexpr auto awaited = asio::as_tuple(asio::use_awaitable);

class PlainTransport final : public Transport {
 public:
  explicit PlainTransport(Socket socket) : socket_(std::move(socket)) {
    boost::system::error_code ignored;
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    socket_.non_blocking(true, ignored);
  }

  asio::awaitable<bool> handshake() override { co_return true; }

  asio::awaitable<std::size_t> read(std::string& into, std::size_t most) override {
    for (;;) {
      // waiting without a buffer keeps an idle connection cheap
      auto [wait_error] = co_await socket_.async_wait(Socket::wait_read, awaited);
      if (wait_error) co_return 0;
      thread_local std::vector<char> buffer(64 * 1024);
      boost::system::error_code error;
      const auto count = socket_.read_some(asio::buffer(buffer.data(), std::min(most, buffer.size())), error);
      if (!error) into.append(buffer.data(), count);
      if (error == asio::error::would_block || error == asio::error::try_again) continue;
      co_return error ? 0 : count;
    }
  }

  asio::awaitable<bool> write(std::string_view bytes) override {
    auto [error, count] = co_await asio::async_write(socket_, asio::buffer(bytes.data(), bytes.size()), awaited);
    (void)count;
    co_return !error;
  }

  void shut_send() override {
    boost::system::error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
  }

  void close() override {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

  bool secure() const override { return false; }

 private:
  Socket socket_;
};

class TlsTransport final : public Transport {
 public:
  TlsTransport(Socket socket, std::shared_ptr<asio::ssl::context> context)
      : context_(std::move(context)), stream_(std::move(socket), *context_) {
    boost::system::error_code ignored;
    stream_.next_layer().set_option(asio::ip::tcp::no_delay(true), ignored);
    SSL_set_mode(stream_.native_handle(), SSL_MODE_RELEASE_BUFFERS);
  }

  asio::awaitable<bool> handshake() override {
    auto [error] = co_await stream_.async_handshake(asio::ssl::stream_base::server, awaited);
    co_return !error;
  }

  asio::awaitable<std::size_t> read(std::string& into, std::size_t most) override {
    // a buffer of its own: `into` may be taken by the parser while the read is under way
    buffer_.resize(std::clamp<std::size_t>(most, 1, 16 * 1024));
    auto [error, count] = co_await stream_.async_read_some(asio::buffer(buffer_), awaited);
    if (error) co_return 0;
    into.append(buffer_.data(), count);
    co_return count;
  }

  asio::awaitable<bool> write(std::string_view bytes) override {
    auto [error, count] = co_await asio::async_write(stream_, asio::buffer(bytes.data(), bytes.size()), awaited);
    (void)count;
    co_return !error;
  }

  void shut_send() override {
    // the close_notify is queued by OpenSSL and goes out with the FIN; waiting for the peer's is left out on purpose
    boost::system::error_code ignored;
    stream_.next_layer().shutdown(Socket::shutdown_send, ignored);
  }

  void close() override {
    boost::system::error_code ignored;
    stream_.next_layer().close(ignored);
  }

  bool secure() const override { return true; }

 private:
  std::shared_ptr<asio::ssl::context> context_;  // shared: a reload must not take it from running connections
  asio::ssl::stream<Socket> stream_;
  std::vector<char> buffer_;
};

}  // namespace

std::unique_ptr<Transport> make_plain_transport(Socket socket) { return std::make_unique<PlainTransport>(std::move(socket)); }

std::unique_ptr<Transport> make_tls_transport(Socket socket, std::shared_ptr<asio::ssl::context> context) {
  return std::make_unique<TlsTransport>(std::move(socket), std::move(context));
}

}  // namespace heng::http
