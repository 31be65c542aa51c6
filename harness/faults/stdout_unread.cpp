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

#include <map>
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

  void see(const Event& event, Strike& strike) override {
    due_ |= event.as<TreeReady>() != nullptr;
    if (const auto* spawned = event.as<Spawned>()) processes_.push_back(spawned->pid);
    if (const auto* exited = event.as<Exited>(); exited != nullptr && closed_) {  // it can go faster than we look
      writers_.erase(exited->pid);
      wait_for_writers(strike);
    }
    const auto* counted = event.as<OutputCounted>();
    if (counted != nullptr && counted->end == "written" && all_written_at_ == Nanos{}) all_written_at_ = monotonic_now();
  }

  void tick(Strike& strike) override {
    if (closed_) return wait_for_writers(strike);
    if (!due_ || fired_ || strike.stdout_reader() < 0) return;
    if (!is_full(strike.stdout_reader())) {
      const bool too_late = all_written_at_ != Nanos{} && monotonic_now() - all_written_at_ > relay_patience;
      if (too_late) strike.give_up("the task has written all it had, and the subject's stdout is not full: it goes elsewhere");
      return;
    }
    // Full a moment ago, its writer may not have come to rest in it yet; one that nobody introduced is not waited for.
    writers_ = blocked_writers();
    if (writers_.empty() && ++looks_without_writer_ < most_looks_without_writer) return;
    int bytes = 0;
    ::ioctl(strike.stdout_reader(), FIONREAD, &bytes);
    strike.established("the subject's stdout, a pipe that nobody reads, is full with " + std::to_string(bytes) + " bytes");
    if (closes_) return close(strike);
    fired_ = true;
    strike.fired("it stays full");
  }

 private:
  /// Those of the tree, and the supervisor, that are asleep in write(2), and where.
  [[nodiscard]] std::map<Pid, std::string> blocked_writers() const {
    std::map<Pid, std::string> blocked;
    for (const Pid pid : processes_) {
      const std::string place = resting_place(pid);
      if (place.starts_with(std::to_string(SYS_write) + " ")) blocked[pid] = place;
    }
    return blocked;
  }

  void close(Strike& strike) {
    strike.close_stdout();
    closed_ = true;
  }

  /// It has struck when whoever was blocked in writing has felt it: is gone, or rests elsewhere.
  void wait_for_writers(Strike& strike) {
    if (fired_) return;
    for (const auto& [pid, place] : writers_) {
      const char state = state_of(pid);
      const bool felt = state == 'Z' || state == '?' || (state == 'S' && resting_place(pid) != place);
      if (!felt) return;
    }
    fired_ = true;
    strike.fired("its reading end is closed");
    strike.asks_teardown("the reader of its stdout is gone");
  }

  bool closes_;
  bool due_ = false, closed_ = false, fired_ = false;
  int looks_without_writer_ = 0;
  std::vector<Pid> processes_;
  std::map<Pid, std::string> writers_;  // and where each was blocked
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
