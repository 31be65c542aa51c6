#include "harness/guard/gtest/birth_log.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <set>
#include <utility>
#include <vector>

namespace forkproof::gtest {
namespace {

constexpr std::uint32_t most_births = 1U << 16;  // the oldest are overwritten
constexpr int queue_bytes = 8 * 1024 * 1024;     // the machine's births and ends wait here until they are taken
constexpr int look_period_ms = 1;
constexpr long catch_up_ms = 2'000;

struct Note {
  std::atomic<std::int32_t> pid;  ///< 0 while it is being written
  std::int32_t starter;
  bool certain;
  std::int64_t at;                ///< CLOCK_BOOTTIME
  char starter_name[16];
};

std::int64_t nanos_since_boot() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

/// By the kernel's ticks, rounded down (`man 5 proc`, starttime); 0 when it is gone.
std::int64_t started_at(pid_t pid) {
  char path[32], text[1024];
  std::snprintf(path, sizeof path, "/proc/%d/stat", pid);
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  const ssize_t got = file >= 0 ? ::read(file, text, sizeof text - 1) : -1;
  if (file >= 0) ::close(file);
  text[got > 0 ? got : 0] = '\0';
  const char* close = std::strrchr(text, ')');
  unsigned long long ticks = 0;
  if (close == nullptr || std::sscanf(close + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &ticks) != 1) return 0;
  return static_cast<std::int64_t>(ticks) * (1'000'000'000LL / ::sysconf(_SC_CLK_TCK));
}

void read_name(pid_t pid, char* into) {
  char path[32];
  std::snprintf(path, sizeof path, "/proc/%d/comm", pid);
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  const ssize_t got = file >= 0 ? ::read(file, into, 15) : 0;
  if (file >= 0) ::close(file);
  into[got > 0 ? got - 1 : 0] = '\0';
}

std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> children;
  char path[300];
  std::snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR* folder = ::opendir(path);
  if (folder == nullptr) return children;
  while (const dirent* entry = ::readdir(folder)) {
    std::snprintf(path, sizeof path, "/proc/%d/task/%s/children", pid, entry->d_name);
    std::FILE* file = entry->d_name[0] == '.' ? nullptr : std::fopen(path, "re");
    if (file == nullptr) continue;
    for (int child = 0; std::fscanf(file, "%d", &child) == 1;) children.push_back(child);
    std::fclose(file);
  }
  ::closedir(folder);
  return children;
}

/// A socket that hears every fork of the machine, or -1: `linux/cn_proc.h`; in the first namespaces alone.
int listen_to_connector() {
  const int socket = ::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK, address.nl_groups = CN_IDX_PROC;
  alignas(nlmsghdr) char wish[NLMSG_LENGTH(sizeof(cn_msg) + sizeof(proc_cn_mcast_op))] = {};
  auto* header = reinterpret_cast<nlmsghdr*>(wish);
  header->nlmsg_len = sizeof wish, header->nlmsg_type = NLMSG_DONE;
  auto* connector = static_cast<cn_msg*>(NLMSG_DATA(header));
  connector->id.idx = CN_IDX_PROC, connector->id.val = CN_VAL_PROC;
  const proc_cn_mcast_op operation = PROC_CN_MCAST_LISTEN;
  connector->len = sizeof operation;
  std::memcpy(connector->data, &operation, sizeof operation);
  pollfd word{socket, POLLIN, 0};
  const bool heard = socket >= 0 && ::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
                     ::send(socket, wish, sizeof wish, 0) == static_cast<ssize_t>(sizeof wish) &&
                     ::poll(&word, 1, 0) == 1 && (word.revents & POLLIN) != 0;  // silence is a refusal
  if (heard && ::setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &queue_bytes, sizeof queue_bytes) != 0) {
    ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &queue_bytes, sizeof queue_bytes);
  }
  if (heard) return socket;
  if (socket >= 0) ::close(socket);
  return -1;
}

}  // namespace

/// Written by the noting process, and by each child of fork() about itself.
struct BirthLog::Shared {
  std::atomic<std::uint32_t> births;
  std::atomic<std::uint32_t> asked, answered;  ///< to catch up
  std::atomic<std::uint32_t> overruns;
  Note notes[most_births];

  Note& begin_note(pid_t starter, bool certain) {
    Note& note = notes[births.fetch_add(1) % most_births];
    note.pid = 0;
    note.starter = starter, note.certain = certain, note.at = nanos_since_boot();
    return note;
  }
};

namespace {

// What libc's fork() runs on both of its sides (`man 3 pthread_atfork`) gets no argument. A child knows for certain who
// forked it, whatever can be listened to; getppid() would not do, since its parent may have ended meanwhile.
std::atomic<BirthLog::Shared*> log_of_forks{nullptr};
thread_local pid_t forking = 0;

void before_fork() { forking = ::getpid(); }

void in_forked_child() {
  BirthLog::Shared* shared = log_of_forks;
  if (shared == nullptr) return;
  Note& note = shared->begin_note(forking, true);
  ::prctl(PR_GET_NAME, note.starter_name);  // it has its parent's yet
  note.pid = ::getpid();
}

/// The noting process's work.
class Noter {
 public:
  Noter(BirthLog::Shared* shared, pid_t about) : shared_(*shared), about_(about) {
    socket_ = listen_to_connector();
    ours_.insert(about);
    look();
  }
  [[nodiscard]] int socket() const { return socket_; }

  void take_all() {
    if (socket_ < 0) return look();
    alignas(nlmsghdr) char text[1024];
    bool overrun = false;
    for (;;) {
      const ssize_t got = ::recv(socket_, text, sizeof text, MSG_DONTWAIT);
      if (got < 0 && errno == ENOBUFS) overrun = true;  // said once, before what stands in the queue
      else if (got <= 0) break;
      else read(text, static_cast<std::size_t>(got));
    }
    if (!overrun) return;
    shared_.overruns.fetch_add(1);
    look();
  }

 private:
  void read(const char* text, std::size_t size) {
    if (size < NLMSG_LENGTH(sizeof(cn_msg) + sizeof(proc_event))) return;
    proc_event event;
    std::memcpy(&event, text + NLMSG_LENGTH(sizeof(cn_msg)), sizeof event);
    const auto& fork = event.event_data.fork;
    const auto& exit = event.event_data.exit;
    if (static_cast<unsigned>(event.what) == 0x1 && fork.child_pid == fork.child_tgid && ours_.contains(fork.parent_tgid)) {
      note(fork.child_pid, fork.parent_tgid, true);
    }
    if (static_cast<unsigned>(event.what) == 0x80000000 && exit.process_pid == exit.process_tgid && exit.process_pid != about_) {
      ours_.erase(exit.process_pid);
    }
  }

  /// Whoever is first seen as the test program's child may have been somebody else's, who has ended.
  void look() {
    std::vector<pid_t> open{about_};
    std::set<pid_t> now{about_};
    for (std::size_t i = 0; i < open.size(); ++i) {
      const pid_t parent = open[i];
      for (const pid_t child : children_of(parent)) {
        if (!now.insert(child).second) continue;
        if (!ours_.contains(child)) note(child, parent, parent != about_);
        open.push_back(child);
      }
    }
    ours_ = std::move(now);
  }

  void note(pid_t pid, pid_t starter, bool certain) {
    ours_.insert(pid);
    Note& note = shared_.begin_note(starter, certain);
    read_name(starter, note.starter_name);
    note.pid = pid;
  }

  BirthLog::Shared& shared_;
  pid_t about_;
  int socket_ = -1;
  std::set<pid_t> ours_;
};

}  // namespace

void BirthLog::note(Shared* shared, pid_t about) {
  ::prctl(PR_SET_NAME, "forkproof-births");
  sigset_t all;
  sigfillset(&all), ::sigprocmask(SIG_BLOCK, &all, nullptr);
  ::syscall(SYS_close_range, 0U, ~0U, 0U);  // it keeps nothing open that a test could wait for
  (void)!::chdir("/");
  const int owner = static_cast<int>(::syscall(SYS_pidfd_open, about, 0));
  Noter noter(shared, about);
  for (;;) {
    pollfd watched[2] = {{owner, POLLIN, 0}, {noter.socket(), POLLIN, 0}};
    ::poll(watched, noter.socket() < 0 ? 1 : 2, look_period_ms);
    if (owner < 0 || watched[0].revents != 0) ::_exit(0);
    const std::uint32_t asked = shared->asked;
    noter.take_all();
    shared->answered = asked;
  }
}

BirthLog::BirthLog() {
  void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  shared_ = static_cast<Shared*>(memory);
  const pid_t about = ::getpid();
  const pid_t between = ::fork();
  if (between == 0) {
    ::setsid();
    if (::fork() == 0) note(shared_, about);
    ::_exit(0);
  }
  if (between > 0) ::waitpid(between, nullptr, 0);
  catch_up();
  log_of_forks = shared_;
  ::pthread_atfork(before_fork, nullptr, in_forked_child);
}

BirthLog::~BirthLog() {
  log_of_forks = nullptr;
  if (shared_ != nullptr) ::munmap(shared_, sizeof(Shared));
}

std::uint32_t BirthLog::times_lost() const { return times_silent_ + (shared_ != nullptr ? shared_->overruns.load() : 0); }

void BirthLog::catch_up() {
  const std::uint32_t wanted = shared_->asked.fetch_add(1) + 1;
  for (long waited_ms = 0; shared_->answered != wanted && waited_ms < catch_up_ms; ++waited_ms) {
    const timespec a_while{0, 1'000'000};
    ::nanosleep(&a_while, nullptr);
  }
  if (shared_->answered != wanted) ++times_silent_;
}

/// A note older than the process is about another one that had its number.
BirthLog::Birth BirthLog::birth_of(pid_t pid) {
  if (shared_ == nullptr) return {};
  catch_up();
  const std::int64_t born = started_at(pid);
  Birth birth;
  const std::uint32_t births = shared_->births;
  for (std::uint32_t i = 0; i < births && i < most_births && !birth.certain; ++i) {
    const Note& note = shared_->notes[(births - 1 - i) % most_births];
    if (note.pid == pid && note.at >= born && (note.certain || birth.starter == 0)) birth = {note.starter, note.starter_name, note.certain};
  }
  return birth;
}

}  // namespace forkproof::gtest
