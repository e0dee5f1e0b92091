#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "exchange.h"
#include "heng/http/server.h"
#include "pool.h"
#include "router.h"

namespace heng::http {

class Session;

/// What all connections of a server share. Outlives them: the server stops its threads first.
struct Core {
  Core(ServerSettings s, std::vector<Route> routes, ServerHooks h)
      : settings(std::move(s)),
        router(std::move(routes)),
        hooks(std::move(h)),
        quick("http-quick", settings.limits.quick_threads, settings.limits.quick_queue),
        work("http-work", settings.limits.work_threads, settings.limits.work_queue) {}

  const ServerSettings settings;
  const Router router;
  const ServerHooks hooks;

  std::atomic<bool> draining{false};
  std::atomic<int> streams{0}, active{0};
  std::atomic<std::int64_t> body_memory{0};
  std::atomic<std::int64_t> accepted{0}, refused{0}, timeouts{0}, cancelled{0}, overloaded{0}, malformed{0};

  mutable std::mutex sessions_mutex;
  std::map<Session*, std::weak_ptr<Session>> sessions;
  std::unordered_map<std::string, int> per_address;

  Pool quick, work;  // last: closed first, while everything they use is alive
};

/// Runs the first step of a request, and its work if there is any, on the pools.
void dispatch(Core& core, const std::shared_ptr<Exchange>& exchange, const Route& route);
/// Puts the check before a large body on the quick pool; the exchange finishes with status 100 where reading may go on.
void check_before_body(Core& core, const std::shared_ptr<Exchange>& exchange);

}  // namespace heng::http
