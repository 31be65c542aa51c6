// Fault `bad-request`: the task's end of the requests channel says something that is no request: the header of a frame of
// 4 GiB, or a small frame with a body that cannot be decoded. The supervisor cannot go on with that channel; does it come to
// an end in order?
//
// Established: the whole tree is up, and the descriptor that may be the requests channel is here (pidfd_getfd), so that
// it is sent as whoever else has inherited the channel would.
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "harness/core/fd.h"
#include "harness/faults/fault.h"

namespace forkproof::faults {
namespace {

/// Where the task has its requests channel: on descriptor 3, or on its stdin (knob requests_channel). What is no requests
/// channel is read by the supervisor as plain bytes, and harmless.
constexpr int may_be_requests[] = {0, 3};

struct NoRequest {
  std::string_view word, bytes, what;
};
constexpr NoRequest no_requests[] = {
    {"huge-frame", {"\xff\xff\xff\xff", 4}, "a frame of 4 GiB is announced on the requests channel"},
    {"bad-body", {"\0\0\0\4\xc1\xc1\xc1\xc1", 8}, "a frame of 4 bytes that cannot be decoded is on the requests channel"},
};
constexpr Setting bad_request_settings[] = {
    {.key = "what", .is_number = false, .required = false,
     .about = "huge-frame (where nothing is said: a header that announces 4 GiB, and nothing more), or bad-body (a whole frame "
              "that cannot be decoded)",
     .words = "huge-frame bad-body"},
};

class BadRequest final : public Fault {
 public:
  explicit BadRequest(const FaultSpec& spec)
      : kind_(*std::ranges::find(no_requests, spec.word("what", "huge-frame"), &NoRequest::word)) {}

  void set_stage(Stage&) override {}

  void see(const Event& event, Strike& strike) override {
    if (const auto* spawned = event.as<Spawned>(); spawned != nullptr && spawned->node == 0 && task_ == 0) task_ = spawned->pid;
    if (event.as<TreeReady>() == nullptr || std::exchange(fired_, true)) return;
    const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, task_, 0)));
    int sent = 0;
    for (const int number : may_be_requests) {
      const Fd channel(process ? static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), number, 0)) : -1);
      const bool whole = channel &&
          ::send(channel.get(), kind_.bytes.data(), kind_.bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) ==
              static_cast<ssize_t>(kind_.bytes.size());
      sent += whole ? 1 : 0;
    }
    if (sent == 0) return;
    strike.established(fmt::format("the tree is up, and {} of its channels to the supervisor are open", sent));
    strike.fired(std::string(kind_.what));
    strike.asks_teardown("a request cannot be read");
  }

 private:
  const NoRequest& kind_;
  Pid task_ = 0;
  bool fired_ = false;
};

}  // namespace

std::span<const Setting> settings_of_bad_request() { return bad_request_settings; }
std::string check_bad_request(const FaultSpec&) { return {}; }
std::unique_ptr<Fault> make_bad_request(const FaultSpec& spec) { return std::make_unique<BadRequest>(spec); }

}  // namespace forkproof::faults
