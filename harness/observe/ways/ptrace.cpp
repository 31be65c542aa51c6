// The warden traces the subject (PTRACE_SEIZE) and with it everybody who is forked below, and lets each go on from each
// stop at once. The stops are
//   PTRACE_EVENT_FORK, _VFORK, _CLONE  in the parent: who was born, by whom;
//   PTRACE_EVENT_EXEC                  in the new program, whoever of its threads called it;
//   PTRACE_EVENT_STOP                  a newborn's first stop, or a group-stop (SIGSTOP and its kin): that one goes on
//                                      listening (PTRACE_LISTEN), or it would not be stopped under us;
//   any other                          a signal on its way in: who gets it, and from whom (PTRACE_GETSIGINFO).
// PTRACE_O_TRACEEXIT is not asked for: an end is seen by waiting, and each stop costs the subject a turn of the warden.
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <unordered_map>

#include <fmt/format.h>

#include "harness/observe/proc.h"
#include "harness/observe/threads.h"
#include "harness/observe/ways/names.h"
#include "harness/observe/ways/way.h"

namespace forkproof::observe {
namespace {

constexpr long options = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;

bool stops_a_group(int signal) {
  return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

class Tracer final : public Observer {
 public:
  explicit Tracer(const Post& post) : post_(post) {}

  std::string attach(Pid subject) override {
    if (::ptrace(PTRACE_SEIZE, subject, nullptr, options) != 0) return fmt::format("ptrace(SEIZE): {}", std::strerror(errno));
    process_of_[subject] = subject;
    post_.warden.on_traced([this](Pid tid, int status) { stopped(tid, status); },
                           [this](Pid tid, WaitStatus status) { ended(tid, status); });
    return {};
  }

  void reaped(Pid pid) override { process_of_.erase(pid); }

 private:
  void stopped(Pid tid, int status) {
    const int signal = WSTOPSIG(status) & 0x7f, event = status >> 16;
    switch (event) {
      case PTRACE_EVENT_FORK: case PTRACE_EVENT_VFORK: case PTRACE_EVENT_CLONE: return has_cloned(tid, event);
      case PTRACE_EVENT_EXEC: return has_execed(tid);
      case PTRACE_EVENT_STOP: return stop_seen(tid, signal);
      case 0: return signal_seen(tid, signal);
      default: return go_on(tid, 0);
    }
  }

  // ESRCH: it was killed in its stop, and its end will be told.
  static void go_on(Pid tid, int signal) { ::ptrace(PTRACE_CONT, tid, nullptr, static_cast<long>(signal)); }

  void has_cloned(Pid parent, int event) {
    unsigned long child = 0;
    if (::ptrace(PTRACE_GETEVENTMSG, parent, nullptr, &child) == 0) {
      const bool maybe_thread = event == PTRACE_EVENT_CLONE;
      born(static_cast<Pid>(child), process_of(parent), maybe_thread);
    }
    go_on(parent, 0);
  }

  /// Told by its parent's stop or its own first one, whichever comes first.
  void born(Pid child, Pid parent, bool maybe_thread) {
    if (process_of_.contains(child)) return;
    const Pid process = maybe_thread ? process_of_thread(child) : child;
    if (process == 0) return;  // killed before it took its first step; its end tells nobody anything
    process_of_[child] = process;
    if (process == child) post_.tell(Spawned{child, parent, stranger_node, process_name(child)});
  }

  /// Whichever of its threads it was has the first one's number now, and its own is free.
  void has_execed(Pid process) {
    unsigned long former = 0;
    if (::ptrace(PTRACE_GETEVENTMSG, process, nullptr, &former) == 0) process_of_.erase(static_cast<Pid>(former));
    process_of_[process] = process;
    post_.tell(Execed{process, program_of(process)});
    go_on(process, 0);
  }

  void stop_seen(Pid tid, int signal) {
    if (!process_of_.contains(tid)) born(tid, parent_of(tid), true);
    if (stops_a_group(signal)) ::ptrace(PTRACE_LISTEN, tid, nullptr, nullptr);
    else go_on(tid, 0);
  }

  void signal_seen(Pid tid, int signal) {
    siginfo_t about{};
    const bool told = ::ptrace(PTRACE_GETSIGINFO, tid, nullptr, &about) == 0;
    // That a child has ended or stopped is told by itself.
    const bool of_a_child = told && signal == SIGCHLD && about.si_code > 0 && about.si_code != SI_KERNEL;
    if (told && !of_a_child) {
      const Pid process = process_of(tid);
      const Pid sender = has_sender(about.si_code) ? sender_as_seen_here(process, about.si_pid) : 0;
      post_.tell(SignalSeen{process, signal, sender, how_sent(about.si_code)});
    }
    go_on(tid, signal);
  }

  void ended(Pid tid, WaitStatus status) {
    const auto found = process_of_.find(tid);
    const bool is_process = found == process_of_.end() || found->second == tid;
    if (found != process_of_.end()) process_of_.erase(found);
    if (is_process) post_.tell(Exited{tid, "", status, true});
  }

  [[nodiscard]] Pid process_of(Pid tid) const {
    const auto found = process_of_.find(tid);
    return found == process_of_.end() ? tid : found->second;
  }

  Post post_;
  std::unordered_map<Pid, Pid> process_of_;  // of each thread that lives
};

}  // namespace

std::unique_ptr<Observer> make_ptrace_observer(const Post& post) { return std::make_unique<Tracer>(post); }

}  // namespace forkproof::observe
