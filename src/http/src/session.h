#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core.h"
#include "heng/base/clock.h"
#include "transport.h"

namespace heng::http {

/// One connection. Lives as long as its coroutines, which hold it. Everything but the marked calls runs on its strand.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Core& core, std::unique_ptr<Transport> transport, Executor strand, std::string peer);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void start();
  void wake();        ///< Thread-safe: look at the state again (the server drains).
  void stop_work();   ///< Thread-safe: request the stop of what runs.
  void force_close(); ///< Thread-safe.

 private:
  struct Parsing;
  struct Current {
    std::shared_ptr<Exchange> exchange;
    const Route* route = nullptr;
    std::string origin;                ///< Allowed by CORS, to be echoed.
    std::string allowed;               ///< For 405.
    std::size_t body_most = 0, bytes_in = 0, bytes_out = 0;
    bool keep_alive = true, chunked = true, head_only = false, head_sent = false, expects_continue = false;
    SteadyTime began;
  };

  asio::awaitable<void> run();
  asio::awaitable<void> read_loop();
  asio::awaitable<bool> serve_one();
  asio::awaitable<bool> read_header(Parsing& parsing);
  asio::awaitable<std::optional<Response>> read_body(Parsing& parsing, Current& current);
  asio::awaitable<std::optional<Response>> ask_before_body(Current& current);
  asio::awaitable<bool> answer(Current& current);
  asio::awaitable<bool> pump(Current& current);
  asio::awaitable<bool> heartbeat(Current& current, SteadyTime& last);
  asio::awaitable<bool> send_response(Current& current, const Response& response);
  asio::awaitable<bool> send_chunk(Current& current, std::string_view bytes);
  asio::awaitable<bool> send(Current& current, std::string_view bytes);
  asio::awaitable<bool> refuse(const Error& error, int status);
  asio::awaitable<void> linger();
  asio::awaitable<bool> wait_until(SteadyTime deadline);

  /// Fills the exchange's request; an answer means that the request ends here.
  std::optional<Response> open_request(Parsing& parsing, Current& current);
  std::optional<Response> check_head(Parsing& parsing, Current& current);
  std::optional<Response> find_route(Current& current, const std::vector<std::string>& segments);
  std::optional<Response> reserve_body(Current& current, std::size_t bytes);
  std::string head_of(const Current& current, const Response& response, bool stream) const;
  void finished(const Current& current, int status, bool cancelled);
  void consume(std::size_t count);
  void watch(std::chrono::milliseconds time);
  void unwatch();

  Core& core_;
  std::unique_ptr<Transport> transport_;
  Executor strand_;
  const std::string peer_;
  asio::steady_timer event_, space_, watchdog_;
  std::string in_;
  std::shared_ptr<Exchange> running_;
  std::uint64_t watch_number_ = 0;
  bool eof_ = false, gone_ = false, discard_ = false, lingering_ = false;
};

}  // namespace heng::http
