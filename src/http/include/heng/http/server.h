#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "heng/base/result.h"
#include "heng/http/message.h"

namespace heng::http {

struct Limits {
  std::size_t header_bytes = 16 * 1024;
  std::size_t body_bytes = 8 * 1024 * 1024;            ///< Of routes that state no limit of their own.
  std::size_t body_memory_bytes = 512 * 1024 * 1024;   ///< Of all bodies being read or handled at once; beyond: 503.
  std::chrono::milliseconds header_time{10'000};       ///< From a request's first byte to the end of its header.
  std::chrono::milliseconds body_time{30'000};         ///< For the body, plus what it takes at `body_rate`.
  std::size_t body_bytes_per_second = 16 * 1024;       ///< A client slower than this is cut off.
  std::chrono::milliseconds write_time{30'000};        ///< For each 64 KiB written.
  std::chrono::milliseconds idle_time{120'000};        ///< Between requests, and before the first.
  std::chrono::milliseconds heartbeat{10'000};         ///< ": wait" on a silent event stream.
  std::size_t stream_buffer_bytes = 256 * 1024;        ///< Unwritten bytes of one stream before its handler waits.
  int connections = 10'000;
  int connections_per_address = 0;                     ///< 0: no limit.
  int quick_threads = 8, quick_queue = 1024;           ///< For first steps: authentication, reading JSON, small reads of the store.
  int work_threads = 64, work_queue = 512;             ///< For blocking work; started when needed.
};

struct TlsFiles {
  std::string certificate;                             ///< PEM chain; empty: no TLS.
  std::string key;
};

struct ServerSettings {
  std::string address = "127.0.0.1";                   ///< "::" and "0.0.0.0" listen everywhere.
  std::uint16_t port = 0;                              ///< 0: any free one.
  int io_threads = 1;
  TlsFiles tls;                                        ///< Needed (with keys) wherever `address` is not loopback.
  bool keys_required = true;                           ///< False only on loopback.
  std::vector<std::string> cors_origins;               ///< Exact origins, or "*"; empty: CORS is off.
  Limits limits;
};

/// Where a handler writes a stream. Blocks while the client reads more slowly than the handler writes. Used by one thread.
class Stream {
 public:
  virtual ~Stream() = default;
  /// Sends the head on the first call. False: the client is gone or the server stops; the handler should return.
  virtual bool write(std::string_view bytes) = 0;
  virtual bool started() const = 0;
};

/// What a request turns into after its first step: an answer, or work for the pool.
struct Work {
  /// Runs on a worker and returns the answer; with `stream` set, what it wrote is the answer and the return value counts
  /// only if it wrote nothing. `stop` is requested when the client leaves or the drain's deadline passes.
  std::function<Response(Stream& stream, std::stop_token stop)> run;
  /// Head of the stream; set: while the work waits and is silent, ": wait" comments keep the connection alive.
  std::optional<Response> stream_head;
};
struct Step {
  Step(Response r) : response(std::move(r)) {}  // NOLINT: implicit on purpose
  Step(Work w) : work(std::move(w)) {}          // NOLINT
  Response response;
  std::optional<Work> work;
};
/// The first step of a request, on the quick pool. The request lives until the work is done; its body may be moved from.
using Handler = std::function<Step(Request&)>;

struct Route {
  std::string method;                                  ///< "GET" serves HEAD as well.
  std::string pattern;                                 ///< "/v1/kb/{kb}"; a last segment "{name...}" takes the rest.
  Handler handler;
  std::size_t body_bytes = 0;                          ///< 0: Limits::body_bytes.
};

/// Called once per finished request, on any thread. Never sees bodies.
struct Finished {
  const Request& request;
  int status;
  std::size_t bytes_in, bytes_out;
  double ms;
  bool cancelled;                                      ///< The client left before the end.
};

struct ServerStats {
  int connections = 0, streams = 0, quick_queued = 0, work_queued = 0, work_running = 0;
  std::int64_t accepted = 0, refused_connections = 0, timeouts = 0, cancelled = 0, overloaded = 0, malformed = 0;
  std::int64_t body_memory_bytes = 0;
};

struct ServerHooks {
  /// Before a large body is read: an answer refuses it (wrong key). Runs on the quick pool.
  std::function<std::optional<Response>(const Request&)> before_body;
  std::function<void(const Finished&)> finished;
};

/// An HTTP/1.1 server. Lifetime: create → start → drain (or the destructor, which drains at once). Handlers run on its two
/// bounded pools and must be thread-safe; nothing a handler refers to may die before the server. Public calls are thread-safe.
class Server {
 public:
  /// Binds and listens. Errors: invalid_argument (address, a wide address without TLS and keys), conflict (port taken),
  /// malformed_input (certificate or key).
  static Result<std::unique_ptr<Server>> create(ServerSettings settings, std::vector<Route> routes, ServerHooks hooks);
  virtual ~Server() = default;

  virtual void start() = 0;
  /// "http://127.0.0.1:8080".
  virtual std::string address() const = 0;
  virtual std::uint16_t port() const = 0;
  /// Reads certificate and key again for new connections. Errors: malformed_input (the old ones stay).
  virtual Result<void> reload_tls() = 0;
  /// Stops accepting, lets running requests finish until `deadline`, then requests their stop, then closes. Blocks.
  virtual void drain(std::chrono::milliseconds deadline) = 0;
  virtual bool draining() const = 0;
  virtual ServerStats stats() const = 0;
};

}  // namespace heng::http
