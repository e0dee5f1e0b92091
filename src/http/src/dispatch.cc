#include <exception>
#include <string>

#include "core.h"
#include "heng/base/log.h"

namespace heng::http {
namespace {

Response overloaded(Core& core, const RequestId& id, const char* what) {
  ++core.overloaded;
  return error_response(Error(ErrorCode::overloaded, std::string(what) + " is full; try again in a few seconds"), id);
}

/// Exceptions end here: a handler that throws costs its request a 500, never the server.
template <class Body>
void guarded(const std::shared_ptr<Exchange>& exchange, Body body) {
  std::string reason;
  try {
    body();
    return;
  } catch (const std::exception& error) {
    reason = error.what();
  } catch (...) {
    reason = "unknown exception";
  }
  log::error("http_handler_threw",
             {{"request_id", exchange->request.id.value}, {"route", exchange->request.route}, {"reason", reason}});
  exchange->finish(error_response(Error(ErrorCode::internal, "the request met an internal error; its id is in the log"),
                                  exchange->request.id));
}

void run_work(const std::shared_ptr<Exchange>& exchange, Work& work) {
  guarded(exchange, [&] { exchange->finish(work.run(*exchange, exchange->stop.get_token())); });
}

void run_step(Core& core, const std::shared_ptr<Exchange>& exchange, const Route& route) {
  guarded(exchange, [&] {
    Step step = route.handler(exchange->request);
    if (!step.work) return exchange->finish(std::move(step.response));
    if (step.work->stream_head) exchange->announce(*step.work->stream_head);
    auto work = std::make_shared<Work>(std::move(*step.work));
    Pool::Task task{[exchange, work] {
                      if (!exchange->abandoned()) run_work(exchange, *work);
                    },
                    [exchange] { return exchange->abandoned(); }};
    if (!core.work.submit(std::move(task)))
      exchange->finish(overloaded(core, exchange->request.id, "the queue for work"));
  });
}

}  // namespace

void dispatch(Core& core, const std::shared_ptr<Exchange>& exchange, const Route& route) {
  Pool::Task task{[&core, exchange, &route] {
                    if (!exchange->abandoned()) run_step(core, exchange, route);
                  },
                  [exchange] { return exchange->abandoned(); }};
  if (!core.quick.submit(std::move(task)))
    exchange->finish(overloaded(core, exchange->request.id, "the server's queue"));
}

void check_before_body(Core& core, const std::shared_ptr<Exchange>& exchange) {
  Pool::Task task{[&core, exchange] {
                    guarded(exchange, [&] {
                      auto refusal = core.hooks.before_body(exchange->request);
                      exchange->finish(refusal ? std::move(*refusal) : Response::empty(100));
                    });
                  },
                  [exchange] { return exchange->abandoned(); }};
  if (!core.quick.submit(std::move(task)))
    exchange->finish(overloaded(core, exchange->request.id, "the server's queue"));
}

}  // namespace heng::http
