// Fault `stdout-unread`: the subject's stdout is a pipe, and whoever should read it does not (a pager, a log
// collector that hangs), or is gone for good.
//
// Established: the tree is up, poll finds no room in this very pipe, and output for it is pending. poll alone does not tell:
// to it a pipe is full when its last page is taken, though short writes still find room there. FIONREAD does not tell either:
// lines fill pages partly, so a full pipe of 65,536 bytes may hold 45,000. Output is pending where, in this order,
//   1. a thread of any process is blocked in a write to the pipe, or waits for room in it;
//   2. the pipe holds the same at many looks, and a task is blocked in a write: its output goes on through somebody;
//   3. the pipe holds the same at many looks, and more than all its pages but one.
// The proof says which of them it was. So the tree has to write more than a pipe holds (output_bytes).
// `then = "closed"` closes the reading end: whoever writes gets SIGPIPE or EPIPE.
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "harness/core/proc_root.h"
#include "harness/faults/fault.h"
#include "harness/faults/pipe_writers.h"

namespace forkproof::faults {
namespace {

constexpr Nanos relay_patience = std::chrono::seconds(1);  // for who passes on what the task wrote

constexpr int most_looks_unchanged = 200;

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

ino_t inode_of(int fd) {
  struct stat about {};
  return ::fstat(fd, &about) == 0 ? about.st_ino : 0;
}

class StdoutUnread final : public Fault {
 public:
  explicit StdoutUnread(const FaultSpec& spec) : closes_(spec.word("then", "nothing") == "closed") {}

  void set_stage(Stage& stage) override { stage.own_stdout = true; }

  void see(const Event& event, Strike&) override {
    due_ |= event.as<TreeReady>() != nullptr;
    if (const auto* spawned = event.as<Spawned>(); spawned != nullptr && spawned->node >= 0) tasks_.push_back(spawned->pid);
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
    const int bytes = bytes_in(strike.stdout_reader());
    const std::string pending = proof_that_output_is_pending(strike.stdout_reader(), bytes);
    if (pending.empty()) return;
    strike.established(fmt::format("the subject's stdout, a pipe that nobody reads, is full with {} bytes; {}", bytes, pending));
    fired_ = true;
    if (!closes_) return strike.fired("it stays full");
    strike.close_stdout();
    strike.fired("its reading end is closed");
    strike.asks_teardown("the reader of its stdout is gone", cause::not_asked);
  }

 private:
  [[nodiscard]] std::string proof_that_output_is_pending(int reader, int bytes) {
    looks_unchanged_ = bytes == std::exchange(bytes_, bytes) ? looks_unchanged_ + 1 : 0;
    std::string proof = proof_of_pending_output(inode_of(reader));
    if (!proof.empty() || looks_unchanged_ < most_looks_unchanged) return proof;
    const std::string unchanged = fmt::format("that for {} looks", most_looks_unchanged);
    const auto task = std::find_if(tasks_.begin(), tasks_.end(), is_blocked_in_a_write);
    if (task != tasks_.end()) return fmt::format("{}, and the task, pid {}, is blocked in a write", unchanged, *task);
    const bool no_room = bytes > ::fcntl(reader, F_GETPIPE_SZ) - static_cast<int>(::sysconf(_SC_PAGESIZE));
    return no_room ? fmt::format("{}; nobody was seen blocked in a write to it", unchanged) : "";
  }

  bool closes_;
  bool due_ = false, fired_ = false;
  int looks_unchanged_ = 0, bytes_ = -1;
  std::vector<Pid> tasks_;
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
