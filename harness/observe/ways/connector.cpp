// The process connector tells of every fork, exec and exit of the machine, by the pids of the first PID namespace, in the
// very call that does it: a birth stands in our queue before the newborn runs. Ours are those whose line of forks begins
// with the warden. What they are called inside the arena is in the outside's /proc (NSpid), as long as they are there.
#include <fcntl.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "harness/core/fd.h"
#include "harness/observe/ways/names.h"
#include "harness/observe/ways/signal_trace.h"
#include "harness/observe/ways/way.h"

namespace forkproof::observe {
namespace {

constexpr int most_at_once = 256;  // datagrams, before the warden's other work has its turn

class Connector final : public Observer {
 public:
  explicit Connector(const Post& post) : post_(post) {}
  ~Connector() override {
    if (watched_) post_.warden.unwatch(post_.outlook.connector);
    if (signals_) for (const Fd& processor : post_.outlook.signals->processors()) post_.warden.unwatch(processor.get());
  }

  std::string prepare() override {
    if (post_.outlook.connector < 0) return post_.outlook.refusal;
    char self[16];
    const ssize_t size = ::readlinkat(post_.outlook.proc, "self", self, sizeof self - 1);
    if (size <= 0) return "the outside's /proc does not show us";
    self[size] = '\0';
    const int outside = std::atoi(self);
    depth_ = depth_of(outside);
    if (depth_ < 0) return "the outside's /proc does not tell our pid in here";
    ours_[outside] = {::getpid(), 1, "PID 1"};
    post_.warden.watch(post_.outlook.connector, [this] { take_turn(); });
    watched_ = true;
    listen_to_signals();
    return {};
  }

  std::string misses_here() const override { return no_signals_.empty() ? "" : "signals (" + no_signals_ + ")"; }

  std::string missed() const override {
    std::string text;
    const std::uint64_t nameless = nameless_ + pending_.size();
    if (nameless > 0) text = fmt::format("{} had ended before their names were looked up", nameless);
    if (overrun_) text += fmt::format("{}the queue ran over, so births and ends are missing", text.empty() ? "" : "; ");
    std::uint64_t signals = lost_signals_ + (signals_ ? signals_->lost() : 0);
    for (const Pending& one : pending_) signals += one.signals.size();
    for (const SignalRecord& one : unplaced_) signals += has_own_sender(one) ? 1U : 0U;
    if (signals > 0) text += fmt::format("{}{} signals", text.empty() ? "" : "; ", signals);
    return text;
  }

 private:
  struct One {
    Pid pid = 0;      ///< in the arena; 0: it had ended before it could be looked up
    int threads = 1;  ///< that have not ended
    std::string name;
  };
  /// A birth that could not be looked up. `outside`: 0 for a thread's.
  struct Pending {
    int outside = 0, parent = 0;
    std::optional<WaitStatus> end;
    std::string name;  ///< with its end
    std::vector<SignalSeen> signals;
  };

  /// Its pids from the outermost PID namespace to its own, of which the number `index` is wanted; -1 for the count of them
  /// less one.
  [[nodiscard]] int namespaced(int outside, int index) const {
    const std::string status = status_of(outside);  // whole: before NSpid come all its groups
    const char* at = std::strstr(status.c_str(), "\nNSpid:");
    if (at == nullptr) return -1;
    at += std::strlen("\nNSpid:");
    int value = -1, place = -1;
    for (char* end = nullptr; *at == '\t'; at = end) {
      value = static_cast<int>(std::strtol(at, &end, 10));
      if (end == at) break;
      if (++place == index) return value;
    }
    return index < 0 ? place : -1;
  }
  [[nodiscard]] std::string status_of(int outside) const {
    char path[32], block[4096];
    std::snprintf(path, sizeof path, "%d/status", outside);
    const Fd file(::openat(post_.outlook.proc, path, O_RDONLY | O_CLOEXEC));
    std::string text;
    for (ssize_t got; file && (got = ::read(file.get(), block, sizeof block)) > 0;) text.append(block, static_cast<std::size_t>(got));
    return text;
  }
  [[nodiscard]] int depth_of(int outside) const { return namespaced(outside, -1); }

  void listen_to_signals() {
    const SignalTrace* trace = post_.outlook.signals;
    no_signals_ = trace == nullptr ? "not asked for" : trace->refusal();
    if (!no_signals_.empty()) return;
    auto reader = std::make_unique<SignalReader>(*trace);
    if (no_signals_ = reader->refusal(); !no_signals_.empty()) return;
    signals_ = std::move(reader);
    for (const Fd& processor : trace->processors()) {
      post_.warden.watch(processor.get(), [this] { take_turn(); });
    }
  }

  /// A signal is read before the births are: those of its sender and of who gets it stand in the queue by then.
  void take_turn() {
    read_signals();
    const bool drained = take();
    place_signals();
    if (drained) give_up_signals();
  }

  [[nodiscard]] Pid known_pid(int outside) const {
    const auto one = ours_.find(outside);
    return one != ours_.end() ? one->second.pid : 0;
  }

  [[nodiscard]] int process_of(int thread) const {
    const auto found = process_of_.find(thread);
    return found != process_of_.end() ? found->second : thread;
  }
  [[nodiscard]] bool has_own_sender(const SignalRecord& record) const { return has_sender(record.code) && ours_.contains(record.sender); }

  void signalled(const SignalRecord& record) {
    const int outside = process_of(record.target);
    const Pid target = known_pid(outside), sender = has_sender(record.code) ? known_pid(record.sender) : 0;
    if (target == ::getpid()) return;
    if (target > 0) return post_.tell(SignalSeen{target, record.signal, sender, how_sent(record.code)});
    // Until its name is known.
    const auto one = std::find_if(pending_.begin(), pending_.end(), [outside](const Pending& each) { return each.outside == outside; });
    if (one != pending_.end()) one->signals.push_back({0, record.signal, sender, how_sent(record.code)});
    else ++lost_signals_;
  }

  void read_signals() {
    if (signals_) signals_->take([this](const SignalRecord& record) { unplaced_.push_back(record); });
  }

  /// Of those that were read: whose sender and target are known by now. `ending`: whose end is about to be told.
  void place_signals(int ending = 0) {
    std::erase_if(unplaced_, [&](const SignalRecord& record) {
      const int target = process_of(record.target);
      const bool sender_known = !has_sender(record.code) || ours_.contains(record.sender) || target == ending;
      if (!sender_known || !ours_.contains(target)) return false;
      return signalled(record), true;
    });
  }

  /// Nothing stands in the queue: who is not known now is none of ours, or cannot be told any more.
  void give_up_signals() {
    for (const SignalRecord& record : std::exchange(unplaced_, {})) {
      if (ours_.contains(process_of(record.target))) signalled(record);
      else if (has_own_sender(record)) ++lost_signals_;
    }
  }

  /// Whether the queue is empty.
  bool take() {
    alignas(nlmsghdr) char text[1024];
    for (int i = 0; i < most_at_once; ++i) {
      const ssize_t got = ::recv(post_.outlook.connector, text, sizeof text, MSG_DONTWAIT);
      if (got < 0 && errno == ENOBUFS) overrun_ = true;
      else if (got <= 0) return true;
      else read(text, static_cast<unsigned>(got));
    }
    return false;
  }

  void read(const char* text, unsigned length) {
    if (length < NLMSG_LENGTH(sizeof(cn_msg) + sizeof(proc_event))) return;
    proc_event event;
    std::memcpy(&event, text + NLMSG_LENGTH(sizeof(cn_msg)), sizeof event);
    switch (static_cast<unsigned>(event.what)) {
      case 0x1: return forked(event.event_data.fork);
      case 0x2: return execed(event.event_data.exec.process_tgid);
      case 0x80000000: return exited(event.event_data.exit);
      default: return;
    }
  }

  void forked(const decltype(proc_event::event_data.fork)& fork) {
    const auto parent = ours_.find(fork.parent_tgid);
    if (parent == ours_.end()) return;
    const int pid = depth_ == 0 ? fork.child_pid : namespaced(fork.child_pid, depth_);
    const bool is_thread = fork.child_pid != fork.child_tgid;
    if (pid > 0) name_those_before(pid);
    else pending_.push_back({is_thread ? 0 : fork.child_pid, fork.parent_tgid, {}, {}, {}});
    if (is_thread) {
      const auto process = ours_.find(fork.child_tgid);
      if (process != ours_.end()) ++process->second.threads, process_of_[fork.child_pid] = fork.child_tgid;
      return;
    }
    // A newborn is called as its parent is.
    const std::string name = pid > 0 ? process_name(pid) : "";
    const One child{std::max(pid, 0), 1, name.empty() ? parent->second.name : name};
    if (pid > 0) post_.tell(Spawned{pid, parent->second.pid, stranger_node, child.name});
    ours_[fork.child_pid] = child;
  }

  /// A PID namespace counts up with each birth, threads' too. So where just as many numbers are missing as births could not
  /// be looked up, since those processes had ended by then, they are these, in their order.
  void name_those_before(int pid) {
    const bool fits = pid - last_pid_ - 1 == static_cast<int>(pending_.size()) && last_pid_ > 0;
    for (const Pending& one : std::exchange(pending_, {})) {
      ++last_pid_;
      if (one.outside == 0) continue;  // a thread
      if (!fits) {
        ++nameless_, lost_signals_ += one.signals.size();
        continue;
      }
      const auto parent = ours_.find(one.parent), child = ours_.find(one.outside);
      const Pid parent_pid = parent != ours_.end() ? parent->second.pid : 0;
      if (child != ours_.end()) child->second.pid = last_pid_;
      post_.tell(Spawned{last_pid_, parent_pid, stranger_node, child != ours_.end() ? child->second.name : one.name});
      for (const SignalSeen& signal : one.signals) post_.tell(SignalSeen{last_pid_, signal.signal, signal.by, signal.how});
      if (one.end) post_.tell(Exited{last_pid_, "", *one.end, true});
    }
    last_pid_ = pid;
  }

  void execed(int outside) {
    const auto found = ours_.find(outside);
    if (found == ours_.end()) return;
    std::erase_if(process_of_, [outside](const auto& thread) { return thread.second == outside; });  // its other threads are gone
    const std::string program = found->second.pid > 0 ? program_of(found->second.pid) : "";
    found->second.name = program.substr(program.rfind('/') + 1);  // empty: it had ended before it could be looked up
    if (!program.empty()) post_.tell(Execed{found->second.pid, program});
  }

  /// One thread's. A process ends with its last.
  void exited(const decltype(proc_event::event_data.exit)& exit) {
    const auto found = ours_.find(exit.process_tgid);
    if (found == ours_.end()) return;
    read_signals(), place_signals(exit.process_tgid);  // one of them may be what it died of
    process_of_.erase(exit.process_pid);
    if (--found->second.threads > 0) return;
    const One one = found->second;
    const WaitStatus status(static_cast<int>(exit.exit_code));
    ours_.erase(found);
    if (one.pid > 0) return post_.tell(Exited{one.pid, "", status, true});
    for (Pending& each : pending_) {
      if (each.outside == exit.process_tgid) each.end = status, each.name = one.name;
    }
  }

  Post post_;
  std::unordered_map<int, One> ours_;        // by the outside's pid
  std::unordered_map<int, int> process_of_;  // of each thread that is not its process's first; by the outside's numbers
  int depth_ = -1;                     // which of a process's pids is the arena's
  std::vector<Pending> pending_;       ///< since the last birth that could be looked up ...
  int last_pid_ = 0;                   ///< ... which had this number
  std::uint64_t nameless_ = 0;
  bool overrun_ = false;
  bool watched_ = false;
  std::unique_ptr<SignalReader> signals_;
  std::string no_signals_;              // why there is none
  std::vector<SignalRecord> unplaced_;  // of or for somebody whose birth stands in the queue yet, or a stranger to all this
  std::uint64_t lost_signals_ = 0;
};

}  // namespace

std::unique_ptr<Observer> make_connector_observer(const Post& post) { return std::make_unique<Connector>(post); }

}  // namespace forkproof::observe
