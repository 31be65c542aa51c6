// Fault `stdout-unread`: the subject's stdout is a pipe, and whoever should read it does not (a pager, a log
// collector that hangs), or is gone for good.
//
// Established: the tree is up, and the pipe is full: it takes no byte more. So the tree has to write more than a pipe holds
// (output_bytes). `then = "closed"` closes the reading end: whoever writes gets SIGPIPE or EPIPE.
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "harness/faults/fault.h"
#include "harness/faults/look.h"

namespace forkproof::faults {
namespace {

constexpr Nanos relay_patience = std::chrono::seconds(1);  // for who passes on what the task wrote

constexpr int most_looks_without_writer = 200;

/// Whether the pipe behind this reading end takes nothing more.
bool is_full(int reader) {
  const std::string path = "/proc/self/fd/" + std::to_string(reader);
  const Fd writer(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  pollfd asked{writer.get(), POLLOUT, 0};
  return writer && ::poll(&asked, 1, 0) == 0;
}

class StdoutUnread final : public Fault {
 public:
  explicit StdoutUnread(const FaultSpec& spec) : closes_(spec.word("then", "nothing") == "closed") {}

  void set_stage(Stage& stage) override { stage.own_stdout = true; }

  void see(const Event& event, Strike&) override {
    due_ |= event.as<TreeReady>() != nullptr;
    if (const auto* spawned = event.as<Spawned>()) processes_.push_back(spawned->pid);
    const auto* counted = event.as<OutputCounted>();
    if (counted != nullptr && counted->end == "written" && all_written_at_ == Nanos{}) all_written_at_ = monotonic_now();
  }

  void tick(Strike& strike) override {
    if (!due_ || fired_ || strike.stdout_reader() < 0) return;
    if (!is_full(strike.stdout_reader())) {
      const bool too_late = all_written_at_ != Nanos{} && monotonic_now() - all_written_at_ > relay_patience;
      if (too_late) strike.give_up("the task has written all it had, and the subject's stdout is not full: it goes elsewhere");
      return;
    }
    // Full a moment ago, its writer may not have come to rest in it yet; one that nobody introduced is not waited for.
    if (!has_blocked_writer() && ++looks_without_writer_ < most_looks_without_writer) return;
    int bytes = 0;
    ::ioctl(strike.stdout_reader(), FIONREAD, &bytes);
    strike.established("the subject's stdout, a pipe that nobody reads, is full with " + std::to_string(bytes) + " bytes");
    fired_ = true;
    if (!closes_) return strike.fired("it stays full");
    strike.close_stdout();
    strike.fired("its reading end is closed");
    strike.asks_teardown("the reader of its stdout is gone");
  }

 private:
  /// Of the tree, and the supervisor: whether one is asleep in write(2).
  [[nodiscard]] bool has_blocked_writer() const {
    return std::any_of(processes_.begin(), processes_.end(),
                       [](Pid pid) { return resting_place(pid).starts_with(std::to_string(SYS_write) + " "); });
  }

  bool closes_;
  bool due_ = false, fired_ = false;
  int looks_without_writer_ = 0;
  std::vector<Pid> processes_;
  Nanos all_written_at_{};
};

}  // namespace

std::span<const Setting> settings_of_stdout_unread() {
  static constexpr Setting settings[] = {
      {"then", false, false, "nothing (where nothing is said): it stays full; closed: then its reading end is closed", 0, 0,
       "nothing closed"},
  };
  return settings;
}
std::string check_stdout_unread(const FaultSpec&) { return {}; }
std::unique_ptr<Fault> make_stdout_unread(const FaultSpec& spec) { return std::make_unique<StdoutUnread>(spec); }

}  // namespace forkproof::faults
