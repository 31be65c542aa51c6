// The asynchronous logger's worker waits on a condition variable when there is nothing to log. The child has the
// variable with a waiter in it, and no worker: taking it down (pthread_cond_destroy) waits for that waiter to leave.
#include <spdlog/async.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>
#include <sys/syscall.h>

#include "harness/core/error.h"
#include "harness/faults/locks/lock.h"
#include "harness/faults/locks/rendezvous.h"

namespace forkproof::faults {
namespace {

void start_logging() {
  constexpr std::size_t queue_length = 8;
  spdlog::init_thread_pool(queue_length, 1);
  spdlog::create_async<spdlog::sinks::null_sink_mt>("asynchronous")->info("a first line");
}

class SpdlogAsync final : public Lock {
 public:
  std::string hold() override {
    start_logging();
    const std::vector<int> workers = other_threads();
    if (workers.size() != 1) throw HarnessFailure("the logger's one worker is not the only other thread");
    return prove_in_system_call(workers.front(), SYS_futex, "futex") + ": the logger's worker waits for a line to log";
  }
  void touch() override {
    if (!spdlog::thread_pool()) start_logging();
    spdlog::shutdown();
  }
};

}  // namespace

std::unique_ptr<Lock> make_spdlog_async() { return std::make_unique<SpdlogAsync>(); }

}  // namespace forkproof::faults
