// Backend `forkserver`: as Python's multiprocessing has it. A sidecar is forked when the backend is made, which the caller
// does before it has threads. It keeps nothing but stdio and one socket, forks on request, is the parent of what it
// forks, reaps it and tells the status. The child runs the entry in the sidecar's memory: as it was when the backend was
// made, whatever happened since.
//
// The sidecar dies with its maker (parent-death signal), when the socket closes, and when the backend is dropped. What it
// has forked lives on then and has lost its parent, as with the original.
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>

#include "harness/core/descriptor_passing.h"
#include "harness/core/error.h"
#include "harness/spawn/plan.h"

namespace forkproof::spawn {
namespace {

constexpr int status_lost = 255;  // what multiprocessing says when its forkserver has died

/// What is asked of the sidecar: one packet, the descriptors beside it. Functions are where they are in both images.
struct Request {
  ForkproofGroup group;
  void (*hook)(void*, const char*);
  int (*entry)(void*);
  void* argument;
  std::size_t argument_size;  ///< 0: the pointer itself is passed
  unsigned char bytes[most_argument_bytes];
};

/// What the sidecar says: a pid with its pidfd beside it or an error, or the end of one.
struct Word {
  enum Kind { started, ended } kind;
  pid_t pid;
  int error;   ///< of the fork
  int status;  ///< of the wait
};

bool send_packet(int socket, const void* bytes, std::size_t size, const std::vector<int>& fds) {
  return send_with_descriptors(socket, bytes, size, fds.data(), fds.size());
}

/// False at the end of the socket, or, with MSG_DONTWAIT, when there is nothing (EAGAIN).
bool receive_packet(int socket, void* bytes, std::size_t size, int flags, std::vector<Fd>* fds) {
  int passed[most_passed];
  std::size_t count = 0;
  const ssize_t got = receive_with_descriptors(socket, bytes, size, flags, passed, &count);
  if (got == 0) errno = EPIPE;
  for (std::size_t i = 0; i < count; ++i) fds->emplace_back(passed[i]);
  return got > 0;
}

// ---- the sidecar ----

void fork_one(int socket) {
  auto request = std::make_unique<Request>();
  std::vector<Fd> passed;
  if (!receive_packet(socket, request.get(), sizeof *request, 0, &passed)) ::_exit(0);
  SpawnSpec spec;
  for (const Fd& fd : passed) spec.fds.push_back(fd.get());
  spec.group = request->group;
  spec.hook = request->hook, spec.entry = request->entry;
  spec.argument = request->argument_size != 0 ? request->bytes : request->argument;
  PreparedPlan plan(spec, false, true);
  plan.scrub_descriptors();
  const pid_t pid = ::fork();
  if (pid == 0) forkproof_run_child(plan.get());
  Word word{Word::started, pid, pid < 0 ? errno : 0, 0};
  // As whoever wants a group does it on both sides: it is there before anybody is told the pid.
  if (pid > 0 && spec.group == FORKPROOF_GROUP_OWN) ::setpgid(pid, pid);
  Fd pidfd(pid > 0 ? static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)) : -1);
  if (pid > 0 && !pidfd) word.error = errno;
  if (!send_packet(socket, &word, sizeof word, pidfd ? std::vector<int>{pidfd.get()} : std::vector<int>{})) ::_exit(0);
}

void tell_ends(int socket, int signals) {
  signalfd_siginfo notice{};
  while (::read(signals, &notice, sizeof notice) > 0) {
  }
  int status = 0;
  for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    const Word word{Word::ended, pid, 0, status};
    if (!send_packet(socket, &word, sizeof word, {})) ::_exit(0);
  }
}

[[noreturn]] void be_sidecar(int socket, pid_t maker) {
  ::prctl(PR_SET_NAME, "forkserver");
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != maker) ::_exit(0);  // dead before the request for its death signal
  // Its maker may ignore SIGCHLD, which would have the kernel reap; SIGINT at the terminal is for the maker, and so is a
  // handler for SIGTERM.
  ::signal(SIGCHLD, SIG_DFL);
  ::signal(SIGINT, SIG_IGN);
  ::signal(SIGTERM, SIG_DFL);
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  ::sigprocmask(SIG_SETMASK, &child, nullptr);
  if (socket != 3) {
    ::dup2(socket, 3);
    socket = 3;
  }
  ::syscall(SYS_close_range, 4U, ~0U, 0U);
  const int signals = ::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
  for (;;) {
    pollfd watched[2] = {{socket, POLLIN, 0}, {signals, POLLIN, 0}};
    if (::poll(watched, 2, -1) < 0) continue;
    if (watched[1].revents != 0) tell_ends(socket, signals);
    if (watched[0].revents != 0) fork_one(socket);
  }
}

// ---- its maker ----

class ForkServer final : public Backend {
 public:
  ForkServer() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) fail("socketpair for the forkserver");
    socket_.reset(ends[0]);
    Fd theirs(ends[1]);
    const pid_t maker = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) fail("fork of the forkserver");
    if (pid_ == 0) be_sidecar(theirs.get(), maker);
    pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    if (pidfd_ && make_notice()) return;
    const int error = errno;
    ::kill(pid_, SIGKILL);  // nobody else knows of it yet
    reap();
    fail("descriptors of the forkserver", error);
  }

  /// Killed, not asked: it may be stopped, and it holds nothing that wants a farewell.
  ~ForkServer() override {
    ::syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
    reap();
  }
  ForkServer(const ForkServer&) = delete;
  ForkServer& operator=(const ForkServer&) = delete;

  boost::system::result<Child, SpawnFailure> spawn(const SpawnSpec& spec) override {
    if (spec.fds.size() > most_passed || spec.argument_size > most_argument_bytes) return SpawnFailure{"sendmsg", E2BIG};
    auto request = std::make_unique<Request>();
    request->group = spec.group;
    request->hook = spec.hook, request->entry = spec.entry;
    request->argument = spec.argument, request->argument_size = spec.argument_size;
    std::memset(request->bytes, 0, sizeof request->bytes);
    if (spec.argument_size != 0) std::memcpy(request->bytes, spec.argument, spec.argument_size);
    if (!send_packet(socket_.get(), request.get(), sizeof *request, spec.fds)) return SpawnFailure{"sendmsg", errno};
    Word word{};
    std::vector<Fd> passed;
    do {
      if (!receive_packet(socket_.get(), &word, sizeof word, 0, &passed)) return SpawnFailure{"recvmsg", errno};
      if (word.kind == Word::ended) remember(word);
    } while (word.kind != Word::started);
    if (word.pid < 0) return SpawnFailure{"fork", word.error};
    if (passed.empty()) return SpawnFailure{"pidfd_open", word.error};
    return Child{word.pid, std::move(passed.front())};
  }

  std::optional<WaitResult> try_wait(const Child& child, Reap) override {
    Word word{};
    std::vector<Fd> none;
    while (receive_packet(socket_.get(), &word, sizeof word, MSG_DONTWAIT, &none)) remember(word);
    const bool sidecar_gone = errno != EAGAIN;
    const auto told = ended_.find(child.pid);
    if (told == ended_.end()) {
      if (!sidecar_gone) return std::nullopt;
      return WaitResult{WaitStatus::exited_with(status_lost), true};
    }
    const WaitResult result{WaitStatus(told->second)};
    ended_.erase(told);
    std::uint64_t count = 0;
    if (ended_.empty()) (void)!::read(waiting_.get(), &count, sizeof count);
    return result;
  }

  /// The word of an end, not the pidfd: that is readable before the sidecar has told the status. Readable also while a word
  /// is known that nobody has asked for yet: whoever asked for another child has read it.
  [[nodiscard]] int exit_notice(const Child&) const override { return notice_.get(); }
  [[nodiscard]] pid_t sidecar() const override { return pid_; }

 private:
  bool make_notice() {
    waiting_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    notice_.reset(::epoll_create1(EPOLL_CLOEXEC));
    epoll_event readable{};
    readable.events = EPOLLIN;
    return waiting_ && notice_ && ::epoll_ctl(notice_.get(), EPOLL_CTL_ADD, socket_.get(), &readable) == 0 &&
           ::epoll_ctl(notice_.get(), EPOLL_CTL_ADD, waiting_.get(), &readable) == 0;
  }

  void remember(const Word& word) {
    constexpr std::uint64_t one = 1;
    if (ended_.empty()) (void)!::write(waiting_.get(), &one, sizeof one);
    ended_[word.pid] = word.status;
  }

  void reap() const {
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  Fd socket_, pidfd_;
  Fd waiting_;  // an eventfd, raised while anybody's end is known and not yet asked for
  Fd notice_;   // an epoll over both
  pid_t pid_ = -1;
  std::map<pid_t, int> ended_;
};

}  // namespace

std::unique_ptr<Backend> make_forkserver() { return std::make_unique<ForkServer>(); }

}  // namespace forkproof::spawn
