// Fault `channel-held`: somebody outside the tree holds the task's end of a channel, as a daemon does that it was handed to
// (a log shipper, a terminal multiplexer). So the channel does not end with the task, nor with anything of its tree.
//
// Established: the descriptors are here, taken from the task by the kernel (pidfd_getfd) before it goes on from its
// readiness.
//
// With all of them held, the task's end makes no channel readable: only a notice of the end itself wakes the supervisor.
// Whether it was woken is looked at when the task has ended. A process that sleeps through three looks, and has not been
// switched to since before the end, was not.
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "harness/core/error.h"
#include "harness/core/fd.h"
#include "harness/core/probe.h"
#include "harness/core/proc_root.h"
#include "harness/faults/fault.h"
#include "harness/faults/look.h"

namespace forkproof::faults {
namespace {

constexpr Setting channel_held_settings[] = {
    {.key = "channel", .is_number = false, .required = false,
     .about = "which of the task's: stdin, stdout, or all that it was given", .words = "stdin stdout all"},
    {.key = "for_ms", .is_number = true, .required = false, .about = "let go so long after the task's end; else held until the run is over",
     .least = 0, .most = 60'000},
};

constexpr int most_channels = 5;  // stdin, stdout, stderr, requests, logs
constexpr int enough_looks = 3;

struct Taken {
  std::vector<Fd> descriptors;
  std::string refusal;  ///< why not all that are open; empty: they are
};

/// Its descriptors 0, 1 ... as ours. PTRACE_MODE_ATTACH is wanted, which PID 1 of an arena has (`man 2 pidfd_getfd`).
Taken take_descriptors(Pid pid, int first, int last) {
  const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process) return {{}, error_text("pidfd_open")};
  Taken taken;
  for (int number = first; number <= last; ++number) {
    Fd copy(static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), number, 0)));
    if (copy) taken.descriptors.push_back(std::move(copy));
    else if (errno != EBADF) return {{}, error_text(fmt::format("pidfd_getfd of its descriptor {}", number))};  // EBADF: it is not open
  }
  return taken;
}

/// How often a process has gone to sleep so far; empty when it is not asleep in a system call now.
std::optional<long> sleeps_since_birth(Pid pid) {
  ProcText status("/proc/" + std::to_string(pid) + "/status");
  bool asleep = false;
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("State:")) asleep = line.find("S (sleeping)") != std::string::npos;
    if (line.starts_with("voluntary_ctxt_switches:")) {
      return asleep ? std::optional(std::strtol(line.c_str() + line.find(':') + 1, nullptr, 10)) : std::nullopt;
    }
  }
  return std::nullopt;
}

class ChannelHeld final : public Fault {
 public:
  explicit ChannelHeld(const FaultSpec& spec)
      : channel_(spec.word("channel", "all")), for_(std::chrono::milliseconds(spec.number("for_ms", -1))) {}

  void set_stage(Stage&) override {}

  void see(const Event& event, Strike& strike) override {
    if (const auto* spawned = event.as<Spawned>()) take_note(*spawned);
    if (const auto* opened = event.as<SelectorOpened>(); opened != nullptr && opened->by == supervisor_) selector_ = opened->fd;
    if (const auto* ready = event.as<Ready>(); ready != nullptr && ready->node == 0 && ready->pid == task_) hold(ready->pid, strike);
    if (const auto* reaped = event.as<Reaped>(); reaped != nullptr && reaped->by == supervisor_ && reaped->pid == task_) {
      noticed(strike);
    }
    const auto* exited = event.as<Exited>();
    if (exited != nullptr && exited->pid == task_) task_ended_ = true, ended_at_ = monotonic_now();
    if (exited != nullptr && exited->pid == supervisor_) was_woken_ = true;
  }

  void tick(Strike& strike) override {
    if (task_ended_ && for_ >= Nanos{} && monotonic_now() - ended_at_ >= for_) held_.clear();
    if (!watches() || told_ || was_woken_) return;
    // One that waits at a sync point, or for the answer of our server, is asleep as well, and for that it is not to blame.
    if (!is_in_its_loop()) return;
    const std::optional<long> sleeps = sleeps_since_birth(supervisor_);
    if (!task_ended_) {
      before_ = sleeps;
      return;
    }
    const bool slept_on = sleeps && before_ && *sleeps == *before_;
    // With a sidecar it is the sidecar that is woken first, and passes it on: before it sleeps again nobody slept through it.
    if (slept_on && sidecar_ != 0 && !sleeps_since_birth(sidecar_)) return;
    was_woken_ = !slept_on;  // for this or for something else: from now on its own word counts
    if (was_woken_ || ++looks_ < enough_looks) return;
    told_ = true;
    strike.probed(end_probe, fmt::format("the supervisor slept on, {} looks long, and was not woken", enough_looks), false);
  }

  void heal() noexcept override { held_.clear(); }

 private:
  /// Asleep in the wait on its selector: "281 0x3 ..." of /proc/PID/syscall.
  [[nodiscard]] bool is_in_its_loop() const {
    const std::string place = resting_place(supervisor_);
    char* rest = nullptr;
    const long call = std::strtol(place.c_str(), &rest, 10);
    const bool waits = call == SYS_epoll_pwait2 || call == SYS_epoll_pwait;
    return waits && std::strtol(rest, nullptr, 16) == selector_;
  }
  [[nodiscard]] bool watches() const { return channel_ == "all" && !held_.empty(); }

  void take_note(const Spawned& spawned) {
    if (spawned.node < 0 && supervisor_ != 0 && spawned.parent == supervisor_) sidecar_ = spawned.pid;
    if (spawned.node < 0 && supervisor_ == 0) supervisor_ = spawned.pid;
    if (spawned.node == 0 && task_ == 0) task_ = spawned.pid;
  }

  void hold(Pid task, Strike& strike) {
    const int first = channel_ == "stdout" ? 1 : 0;
    const int last = channel_ == "all" ? most_channels - 1 : first;
    Taken taken = take_descriptors(task, first, last);
    if (taken.refusal.empty() && taken.descriptors.empty()) taken.refusal = "it has none of them open";
    if (!taken.refusal.empty()) return strike.give_up("the task's channels cannot be held: " + taken.refusal);
    held_ = std::move(taken.descriptors);
    strike.established(fmt::format("{} of the task's descriptors are held outside its tree ({})", held_.size(), channel_));
    strike.fired("the task goes on, and its end will not end them");
  }

  void noticed(Strike& strike) {
    if (watches() && !std::exchange(told_, true)) strike.probed(end_probe, "the supervisor has reaped it", true);
  }

  std::string channel_;
  Nanos for_, ended_at_{};
  std::vector<Fd> held_;
  Pid supervisor_ = 0, sidecar_ = 0, task_ = 0;
  int selector_ = -1;
  bool task_ended_ = false, was_woken_ = false, told_ = false;
  std::optional<long> before_;  // sleeps, by the last look before the end
  int looks_ = 0;
};

}  // namespace

std::span<const Setting> settings_of_channel_held() { return channel_held_settings; }
std::string check_channel_held(const FaultSpec&) { return {}; }
std::unique_ptr<Fault> make_channel_held(const FaultSpec& spec) { return std::make_unique<ChannelHeld>(spec); }

}  // namespace forkproof::faults
