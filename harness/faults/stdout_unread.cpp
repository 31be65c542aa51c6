// Fault `stdout-unread`: the subject's stdout is a pipe, and whoever should read it does not (a pager, a log
// collector that hangs), or is gone for good.
//
// Established: the tree is up, and somebody of it is blocked in a write to this very pipe. poll alone does not tell: to it a
// pipe is full when its last page is taken, though short writes still find room there. Where nobody is seen blocked (a
// writer that nobody introduced, or one that does not block), it must hold more than all its pages but one, and no more of it
// at every look. So the tree has to write more than a pipe holds (output_bytes).
// `then = "closed"` closes the reading end: whoever writes gets SIGPIPE or EPIPE.
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "harness/core/proc_root.h"
#include "harness/faults/fault.h"
#include "harness/faults/look.h"

namespace forkproof::faults {
namespace {

constexpr Nanos relay_patience = std::chrono::seconds(1);  // for who passes on what the task wrote

constexpr int most_looks_without_writer = 200;

/// Whether poll finds no room in the pipe behind this reading end.
bool is_full(int reader) {
  const std::string path = "/proc/self/fd/" + std::to_string(reader);
  const Fd writer = open_proc(path, O_WRONLY | O_NONBLOCK);
  pollfd asked{writer.get(), POLLOUT, 0};
  return writer && ::poll(&asked, 1, 0) == 0;
}

int bytes_in(int reader) {
  int bytes = 0;
  ::ioctl(reader, FIONREAD, &bytes);
  return bytes;
}

/// Whether its main thread sleeps in a write to this pipe.
bool is_blocked_in(Pid pid, ino_t pipe) {
  const std::string call = resting_place(pid);  // number and arguments
  char* end = nullptr;
  const long number = std::strtol(call.c_str(), &end, 10);
  if (call.empty() || end == call.c_str() || (number != SYS_write && number != SYS_writev)) return false;
  const std::string path = fmt::format("/proc/{}/fd/{}", pid, std::strtol(end, nullptr, 16));
  struct stat about {};
  return stat_proc(path, &about) == 0 && S_ISFIFO(about.st_mode) && about.st_ino == pipe;
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
    const int reader = strike.stdout_reader();
    struct stat about {};
    ::fstat(reader, &about);
    const auto writer = std::find_if(processes_.begin(), processes_.end(), [&](Pid pid) { return is_blocked_in(pid, about.st_ino); });
    const bool has_writer = writer != processes_.end();
    const int bytes = bytes_in(reader);
    if (!has_writer && !stays_at(bytes, reader)) return;
    strike.established(fmt::format("the subject's stdout, a pipe that nobody reads, is full with {} bytes; {}", bytes,
                                   has_writer ? fmt::format("pid {} is blocked in a write to it", *writer)
                                              : fmt::format("{} looks long; nobody was seen blocked in a write to it", most_looks_without_writer)));
    fired_ = true;
    if (!closes_) return strike.fired("it stays full");
    strike.close_stdout();
    strike.fired("its reading end is closed");
    strike.asks_teardown("the reader of its stdout is gone");
  }

 private:
  /// Its writer may not have come to rest in it yet; one that nobody introduced is not waited for.
  [[nodiscard]] bool stays_at(int bytes, int reader) {
    looks_without_writer_ = bytes == std::exchange(bytes_, bytes) ? looks_without_writer_ + 1 : 0;
    const bool no_room = bytes > ::fcntl(reader, F_GETPIPE_SZ) - static_cast<int>(::sysconf(_SC_PAGESIZE));
    return no_room && looks_without_writer_ >= most_looks_without_writer;
  }

  bool closes_;
  bool due_ = false, fired_ = false;
  int looks_without_writer_ = 0, bytes_ = -1;
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
