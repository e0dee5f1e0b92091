#include "session.h"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "heng/base/text.h"
#include "parsing.h"

namespace heng::http {
namespace {

constexpr auto awaited = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t read_size = 64 * 1024;
constexpr std::size_t write_size = 64 * 1024;
constexpr std::size_t joined_size = 16 * 1024;          // a body up to this goes out in one write with its head
constexpr std::size_t linger_bytes = 4 * 1024 * 1024;
constexpr std::chrono::milliseconds linger_time{2000};

SteadyTime now() { return std::chrono::steady_clock::now(); }

/// Whether comments may stand between its pieces.
bool is_event_stream(const Response& head) {
  for (const auto& [name, value] : head.headers)
    if (name == "content-type") return value.starts_with("text/event-stream");
  return false;
}

}  // namespace

Session::Session(Core& core, std::unique_ptr<Transport> transport, Executor strand, std::string peer)
    : core_(core), transport_(std::move(transport)), strand_(std::move(strand)), peer_(std::move(peer)),
      event_(strand_), space_(strand_), watchdog_(strand_) {}

Session::~Session() {
  std::lock_guard lock(core_.sessions_mutex);
  core_.sessions.erase(this);
  const auto count = core_.per_address.find(peer_);
  if (count != core_.per_address.end() && --count->second <= 0) core_.per_address.erase(count);
}

void Session::start() {
  asio::co_spawn(strand_, [self = shared_from_this()] { return self->run(); }, asio::detached);
}

void Session::wake() {
  asio::post(strand_, [self = shared_from_this()] { self->event_.cancel(); });
}

void Session::stop_work() {
  asio::post(strand_, [self = shared_from_this()] {
    if (self->running_) self->running_->stop.request_stop();
  });
}

void Session::force_close() {
  asio::post(strand_, [self = shared_from_this()] {
    self->gone_ = self->eof_ = true;
    self->transport_->close();
    self->event_.cancel();
    self->space_.cancel();
    self->watchdog_.cancel();
  });
}

void Session::consume(std::size_t count) {
  in_.erase(0, count);
  if (in_.empty() && in_.capacity() > 1024) std::string().swap(in_);  // idle connections stay small
  space_.cancel();
}

void Session::watch(std::chrono::milliseconds time) {
  const auto number = ++watch_number_;
  watchdog_.expires_after(time);
  watchdog_.async_wait([weak = weak_from_this(), number](boost::system::error_code error) {
    const auto self = weak.lock();
    if (error || !self || self->watch_number_ != number) return;
    ++self->core_.timeouts;
    self->gone_ = true;
    self->transport_->close();
  });
}

void Session::unwatch() {
  ++watch_number_;
  watchdog_.cancel();
}

asio::awaitable<bool> Session::wait_until(SteadyTime deadline) {
  event_.expires_at(deadline);
  auto [error] = co_await event_.async_wait(awaited);
  (void)error;
  co_return now() < deadline;
}

asio::awaitable<void> Session::run() {
  watch(core_.settings.limits.header_time);
  const bool greeted = co_await transport_->handshake();
  unwatch();
  if (greeted && !gone_) {
    asio::co_spawn(strand_, [self = shared_from_this()] { return self->read_loop(); }, asio::detached);
    bool more = true;
    while (more) more = co_await serve_one();
    if (!gone_) co_await linger();
  }
  gone_ = true;
  transport_->close();
  space_.cancel();
}

/// Reads ahead all the time, so that a client that leaves is noticed while its request is being worked on.
asio::awaitable<void> Session::read_loop() {
  const std::size_t most = std::max(read_size, core_.settings.limits.header_bytes + 1);
  std::size_t discarded = 0;
  while (!gone_) {
    while (in_.size() >= most && !gone_ && !discard_) {
      space_.expires_at(SteadyTime::max());
      auto [error] = co_await space_.async_wait(awaited);
      (void)error;
    }
    if (gone_) break;
    if (discard_) {
      discarded += in_.size();
      in_.clear();
      if (discarded > linger_bytes) break;
    }
    const auto count = co_await transport_->read(in_, read_size);
    if (count == 0) break;
    if (!lingering_) event_.cancel();
  }
  eof_ = true;
  event_.cancel();
}

/// After a refusal the client may still be sending: reading on for a moment lets it see the answer instead of a reset.
asio::awaitable<void> Session::linger() {
  discard_ = lingering_ = true;
  space_.cancel();
  transport_->shut_send();
  const auto deadline = now() + linger_time;
  while (!eof_ && !gone_ && now() < deadline) co_await wait_until(deadline);
}

asio::awaitable<bool> Session::send(Current& current, std::string_view bytes) {
  while (!bytes.empty() && !gone_) {
    const auto piece = bytes.substr(0, write_size);
    watch(core_.settings.limits.write_time);
    const bool sent = co_await transport_->write(piece);
    unwatch();
    if (!sent) gone_ = true;
    current.bytes_out += piece.size();
    bytes.remove_prefix(piece.size());
  }
  co_return !gone_;
}

asio::awaitable<bool> Session::send_chunk(Current& current, std::string_view bytes) {
  if (!current.chunked) co_return co_await send(current, bytes);
  const std::string framed = fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes);
  co_return co_await send(current, framed);
}

asio::awaitable<bool> Session::send_response(Current& current, const Response& response) {
  std::string head = head_of(current, response, false);
  current.head_sent = true;
  if (current.head_only || response.body.size() <= joined_size) {
    if (!current.head_only) head += response.body;
    co_return co_await send(current, head);
  }
  const bool sent = co_await send(current, head);
  if (!sent) co_return false;
  co_return co_await send(current, response.body);
}

/// An answer to bytes that are not a request; the connection ends with it.
asio::awaitable<bool> Session::refuse(const Error& error, int status) {
  ++(status == 408 ? core_.timeouts : core_.malformed);
  Current current;
  current.exchange = std::make_shared<Exchange>(0, [] {}, core_.body_memory);
  current.exchange->request.id = new_request_id(system_clock().unix_ms(), system_random());
  current.exchange->request.peer = peer_;
  current.keep_alive = false;
  current.began = now();
  Response response = error_response(error, current.exchange->request.id);
  response.status = status;
  co_await send_response(current, response);
  finished(current, status, false);
  co_return false;
}

asio::awaitable<bool> Session::read_header(Parsing& parsing) {
  const auto& limits = core_.settings.limits;
  const auto idle_deadline = now() + limits.idle_time;
  for (;;) {
    consume(std::min(in_.find_first_not_of("\r\n"), in_.size()));  // empty lines before a request are allowed
    if (!in_.empty()) break;
    if (eof_ || gone_ || core_.draining) co_return false;
    const bool in_time = co_await wait_until(idle_deadline);
    if (!in_time && in_.empty()) co_return false;
  }
  const auto deadline = now() + limits.header_time;
  for (;;) {
    const auto state = parsing.put_header(in_, limits.header_bytes);
    consume(state.consumed);
    if (state.error) co_return co_await refuse(*state.error, state.status);
    if (state.done) co_return true;
    if (eof_ || gone_) {
      ++core_.malformed;
      co_return false;
    }
    const bool in_time = co_await wait_until(deadline);
    if (!in_time) {
      const Error late(ErrorCode::deadline_exceeded, fmt::format("the request's header did not end within {} ms",
                                                                 limits.header_time.count()));
      co_return co_await refuse(late, 408);
    }
  }
}

asio::awaitable<std::optional<Response>> Session::read_body(Parsing& parsing, Current& current) {
  const auto& limits = core_.settings.limits;
  const auto began = now();
  auto& exchange = *current.exchange;
  for (;;) {
    const auto state = parsing.put_body(in_, current.body_most);
    consume(state.consumed);
    current.bytes_in += state.consumed;
    if (state.error) {
      current.keep_alive = false;
      ++core_.malformed;
      auto response = error_response(*state.error, exchange.request.id);
      response.status = state.status;
      co_return response;
    }
    if (auto full = reserve_body(current, parsing.body_size())) co_return full;
    if (state.done) {
      exchange.request.body = parsing.take_body();
      co_return std::nullopt;
    }
    if (eof_ || gone_) {
      ++core_.malformed;
      gone_ = true;
      co_return std::nullopt;
    }
    const auto earned = std::chrono::milliseconds(parsing.body_size() * 1000 / std::max<std::size_t>(1, limits.body_bytes_per_second));
    const auto deadline = began + limits.body_time + earned;
    const bool in_time = co_await wait_until(deadline);
    if (!in_time && in_.empty()) {
      ++core_.timeouts;
      current.keep_alive = false;
      auto response = error_response(
          Error(ErrorCode::deadline_exceeded,
                fmt::format("the request's body came too slowly: {} bytes in {} ms", parsing.body_size(),
                            std::chrono::duration_cast<std::chrono::milliseconds>(now() - began).count())),
          exchange.request.id);
      response.status = 408;
      co_return response;
    }
  }
}

asio::awaitable<std::optional<Response>> Session::ask_before_body(Current& current) {
  auto check = std::make_shared<Exchange>(0, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->wake();
  }, core_.body_memory);
  check->request = current.exchange->request;
  check_before_body(core_, check);
  for (;;) {
    const auto taken = check->take();
    if (taken.done) break;
    if (eof_ || gone_) {
      check->abandon();
      gone_ = true;
      co_return std::nullopt;
    }
    co_await wait_until(SteadyTime::max());
  }
  if (check->response().status == 100) co_return std::nullopt;
  current.keep_alive = false;
  co_return std::move(check->response());
}

asio::awaitable<bool> Session::serve_one() {
  Parsing parsing;
  const bool has_header = co_await read_header(parsing);
  if (!has_header) co_return false;

  Current current;
  current.began = now();
  current.exchange = std::make_shared<Exchange>(core_.settings.limits.stream_buffer_bytes, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->wake();
  }, core_.body_memory);
  ++core_.active;
  std::optional<Response> response = open_request(parsing, current);
  if (!response && !parsing.is_done() && parsing.is_large() && core_.hooks.before_body)
    response = co_await ask_before_body(current);
  if (!response && !parsing.is_done() && current.expects_continue && !gone_)
    co_await send(current, "HTTP/1.1 100 Continue\r\n\r\n");
  if (!response && !gone_) response = co_await read_body(parsing, current);
  if (!parsing.is_done()) current.keep_alive = false;  // what follows in the connection is not a request

  bool more = false;
  if (gone_) {
    finished(current, client_closed_request, true);
  } else if (response) {
    more = co_await send_response(current, *response);
    finished(current, response->status, false);
  } else {
    more = co_await answer(current);
  }
  running_.reset();
  --core_.active;
  co_return more && current.keep_alive && !gone_;
}

asio::awaitable<bool> Session::answer(Current& current) {
  running_ = current.exchange;
  dispatch(core_, current.exchange, *current.route);
  const bool done = co_await pump(current);
  if (current.head_sent && current.exchange->take().streams) --core_.streams;
  if (!done) {
    current.exchange->abandon();
    ++core_.cancelled;
    finished(current, client_closed_request, true);
    co_return false;
  }
  auto& response = current.exchange->response();
  bool sent = false;
  if (!current.head_sent) {
    sent = co_await send_response(current, response);
    finished(current, response.status, !sent);
    co_return sent;
  }
  int status = 200;
  if (response.status >= 400) {
    status = response.status;
    if (!is_event_stream(current.exchange->head())) {   // half a file must not look whole: the connection ends without the body's end
      finished(current, status, false);
      co_return false;
    }
    const std::string event = "event: error\ndata: " + response.body + "\n\n";
    co_await send_chunk(current, event);
  }
  sent = !gone_;
  if (current.chunked && sent) sent = co_await send(current, "0\r\n\r\n");
  finished(current, status, !sent);
  co_return sent;
}

/// Sends what the work writes until it is done. False: the client is gone.
asio::awaitable<bool> Session::pump(Current& current) {
  auto last = now();
  for (;;) {
    auto taken = current.exchange->take();
    if (gone_ || (eof_ && !taken.done)) co_return false;
    if (!taken.bytes.empty()) {
      if (!current.head_sent) {
        const std::string head = head_of(current, current.exchange->head(), true);
        current.head_sent = true;
        ++core_.streams;
        co_await send(current, head);
      }
      if (!current.head_only) co_await send_chunk(current, taken.bytes);
      last = now();
      continue;
    }
    if (taken.done) co_return true;
    const bool beats = taken.streams && !current.head_only && is_event_stream(current.exchange->head());
    const auto deadline = beats ? last + core_.settings.limits.heartbeat : SteadyTime::max();
    const bool woken = co_await wait_until(deadline);
    if (!woken && beats) co_await heartbeat(current, last);
  }
}

asio::awaitable<bool> Session::heartbeat(Current& current, SteadyTime& last) {
  last = now();
  if (!current.head_sent) {
    const std::string head = head_of(current, current.exchange->head(), true);
    current.head_sent = true;
    ++core_.streams;
    co_await send(current, head);
  }
  co_return co_await send_chunk(current, ": wait\n\n");
}

}  // namespace heng::http
