// Fault `bad-request`: the task's end of the requests channel says something that is no request: a frame of 4 GiB. The
// supervisor's loop cannot go on with that channel; does it come to an end in order?
//
// Established: the whole tree is up, and the descriptor that may be the requests channel is here (pidfd_getfd), so that
// it is sent as whoever else has inherited the channel would.
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

#include <fmt/format.h>

#include "harness/core/fd.h"
#include "harness/faults/fault.h"

namespace forkproof::faults {
namespace {

/// Where the task has its requests channel: on descriptor 3, or on its stdin (knob requests_channel). What is no requests
/// channel is read by the supervisor as plain bytes, and harmless.
constexpr int may_be_requests[] = {0, 3};
constexpr unsigned char no_request[] = {0xff, 0xff, 0xff, 0xff};

class BadRequest final : public Fault {
 public:
  void set_stage(Stage&) override {}

  void see(const Event& event, Strike& strike) override {
    if (const auto* spawned = event.as<Spawned>(); spawned != nullptr && spawned->node == 0 && task_ == 0) task_ = spawned->pid;
    if (event.as<TreeReady>() == nullptr || std::exchange(fired_, true)) return;
    const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, task_, 0)));
    int sent = 0;
    for (const int number : may_be_requests) {
      const Fd channel(process ? static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), number, 0)) : -1);
      const bool whole = channel && ::send(channel.get(), no_request, sizeof no_request, MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof no_request;
      sent += whole ? 1 : 0;
    }
    if (sent == 0) return;
    strike.established(fmt::format("the tree is up, and {} of its channels to the supervisor are open", sent));
    strike.fired("a frame of 4 GiB is announced on the requests channel");
    strike.asks_teardown("a request cannot be read");
  }

 private:
  Pid task_ = 0;
  bool fired_ = false;
};

}  // namespace

std::span<const Setting> settings_of_bad_request() { return {}; }
std::string check_bad_request(const FaultSpec&) { return {}; }
std::unique_ptr<Fault> make_bad_request(const FaultSpec&) { return std::make_unique<BadRequest>(); }

}  // namespace forkproof::faults
