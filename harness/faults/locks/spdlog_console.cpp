// spdlog has one mutex for the whole console: a thread that logs to a stdout nobody reads keeps it, and a child that
// logs to stderr waits for it.
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/core/error.h"
#include "harness/faults/locks/lock.h"
#include "harness/faults/locks/rendezvous.h"

namespace forkproof::faults {
namespace {

constexpr std::size_t more_than_a_page = 5000;  // so that no room that is left in the pipe lets it through

std::shared_ptr<spdlog::logger> errors;

/// Not in spdlog's registry, whose level would be this program's.
template <class Sink>
std::shared_ptr<spdlog::logger> logger_to(const char* name) {
  return std::make_shared<spdlog::logger>(name, std::make_shared<Sink>());
}

class SpdlogConsole final : public Lock {
 public:
  std::string hold() override {
    if (::dup2(full_pipe(), STDOUT_FILENO) < 0) fail("dup2");
    errors = logger_to<spdlog::sinks::stderr_sink_mt>("errors");
    const auto output = logger_to<spdlog::sinks::stdout_sink_mt>("output");
    return hold_in_system_call([output] { output->info(std::string(more_than_a_page, 'x')); }, SYS_write, "write") +
           " to a full stdout, inside the console sink";
  }
  void touch() override {
    if (!errors) errors = logger_to<spdlog::sinks::stderr_sink_mt>("errors");
    errors->info("the task logs to stderr");
  }
};

}  // namespace

std::unique_ptr<Lock> make_spdlog_console() { return std::make_unique<SpdlogConsole>(); }

}  // namespace forkproof::faults
