#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/strand.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace heng::http {

namespace asio = boost::asio;
using Executor = asio::strand<asio::io_context::executor_type>;
using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;

/// A connection's bytes, plain or TLS. Used on its strand only; at most one read and one write at a time.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual asio::awaitable<bool> handshake() = 0;
  /// Appends what came, at most `most` bytes. 0: end or error.
  virtual asio::awaitable<std::size_t> read(std::string& into, std::size_t most) = 0;
  virtual asio::awaitable<bool> write(std::string_view bytes) = 0;
  /// Tells the peer that nothing more comes.
  virtual void shut_send() = 0;
  virtual void close() = 0;
  virtual bool secure() const = 0;
};

std::unique_ptr<Transport> make_plain_transport(Socket socket);
std::unique_ptr<Transport> make_tls_transport(Socket socket, std::shared_ptr<asio::ssl::context> context);

}  // namespace heng::http
