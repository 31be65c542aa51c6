#include "harness/guard/gtest/birth_log.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <vector>

namespace forkproof::gtest {
namespace {

constexpr std::uint32_t most_births = 1U << 16;  // the oldest are overwritten
constexpr int look_period_ms = 1;
constexpr long catch_up_ms = 100;

struct Note {
  std::int32_t pid, starter;
  char starter_name[16];
};

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
  if (heard) return socket;
  if (socket >= 0) ::close(socket);
  return -1;
}

}  // namespace

struct BirthLog::Shared {
  std::atomic<std::uint32_t> births;
  std::atomic<std::uint32_t> asked, answered;  ///< to catch up
  std::atomic<std::int32_t> noting;
  Note notes[most_births];
};

namespace {

/// The noting process's work.
class Noter {
 public:
  Noter(std::atomic<std::uint32_t>& births, Note* notes, pid_t about) : births_(births), notes_(notes), about_(about) {
    socket_ = listen_to_connector();
    ours_.insert(about);
    look();
  }
  [[nodiscard]] int socket() const { return socket_; }

  void take_all() {
    if (socket_ < 0) return look();
    alignas(nlmsghdr) char text[1024];
    for (ssize_t got; (got = ::recv(socket_, text, sizeof text, MSG_DONTWAIT)) > 0;) {
      if (got < static_cast<ssize_t>(NLMSG_LENGTH(sizeof(cn_msg) + sizeof(proc_event)))) continue;
      proc_event event;
      std::memcpy(&event, text + NLMSG_LENGTH(sizeof(cn_msg)), sizeof event);
      const auto& fork = event.event_data.fork;
      const auto& exit = event.event_data.exit;
      if (static_cast<unsigned>(event.what) == 0x1 && fork.child_pid == fork.child_tgid && ours_.contains(fork.parent_tgid)) note(fork.child_pid, fork.parent_tgid);
      if (static_cast<unsigned>(event.what) == 0x80000000 && exit.process_pid == exit.process_tgid && exit.process_pid != about_) ours_.erase(exit.process_pid);
    }
  }

 private:
  void look() {
    std::vector<pid_t> open{about_};
    std::set<pid_t> now{about_};
    for (std::size_t i = 0; i < open.size(); ++i) {
      const pid_t parent = open[i];
      for (const pid_t child : children_of(parent)) {
        if (!now.insert(child).second) continue;
        if (!ours_.contains(child)) note(child, parent);
        open.push_back(child);
      }
    }
    if (socket_ < 0) ours_ = std::move(now);
  }

  void note(pid_t pid, pid_t starter) {
    ours_.insert(pid);
    Note& place = notes_[births_.load() % most_births];
    place.pid = pid, place.starter = starter;
    read_name(starter, place.starter_name);
    births_.fetch_add(1);
  }

  std::atomic<std::uint32_t>& births_;
  Note* notes_;
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
  Noter noter(shared->births, shared->notes, about);
  shared->noting = ::getpid();
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
}

BirthLog::~BirthLog() {
  if (shared_ != nullptr) ::munmap(shared_, sizeof(Shared));
}

pid_t BirthLog::noting() const { return shared_ != nullptr ? shared_->noting.load() : 0; }

void BirthLog::catch_up() {
  const std::uint32_t wanted = shared_->asked.fetch_add(1) + 1;
  for (long waited_ms = 0; shared_->answered != wanted && waited_ms < catch_up_ms; ++waited_ms) {
    const timespec a_while{0, 1'000'000};
    ::nanosleep(&a_while, nullptr);
  }
}

BirthLog::Birth BirthLog::birth_of(pid_t pid) {
  if (shared_ == nullptr) return {};
  catch_up();
  const std::uint32_t births = shared_->births;
  for (std::uint32_t i = 0; i < births && i < most_births; ++i) {
    const Note& note = shared_->notes[(births - 1 - i) % most_births];
    if (note.pid == pid) return {note.starter, note.starter_name};
  }
  return {};
}

}  // namespace forkproof::gtest
