#include "signals.h"

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

namespace heng::app {
namespace {

struct Signals {
  std::stop_source stop;
  std::atomic<bool> reload{false};

  Signals() {
    // one thread waits for the signals: a handler could hardly do anything safely
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    std::thread([this, set] {
      for (;;) {
        int signal = 0;
        if (sigwait(&set, &signal) != 0) continue;
        if (signal == SIGHUP) {
          reload = true;
        } else if (stop.stop_requested()) {
          _exit(130);
        } else {
          stop.request_stop();
        }
      }
    }).detach();
  }
};

Signals& signals() {
  static Signals* instance = new Signals;  // outlives the waiting thread
  return *instance;
}

}  // namespace

std::stop_token stop_signal() { return signals().stop.get_token(); }
bool take_reload_request() { return signals().reload.exchange(false); }

}  // namespace heng::app
