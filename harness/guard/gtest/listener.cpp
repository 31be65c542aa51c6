#include "harness/guard/gtest/gtest.h"

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "harness/guard/gtest/birth_log.h"

namespace forkproof {
namespace gtest {
namespace {

int grace_ms = 200;
bool descriptors_matter = true;

struct Process {
  pid_t pid = 0, parent = 0;
  char state = '?';
  std::string name;
};

/// Everybody below this process, once.
std::map<pid_t, Process> descendants() {
  std::map<pid_t, Process> all, found;
  DIR* folder = ::opendir("/proc");
  while (const dirent* entry = folder == nullptr ? nullptr : ::readdir(folder)) {
    Process one;
    one.pid = std::atoi(entry->d_name);
    char path[40], text[512];
    std::snprintf(path, sizeof path, "/proc/%d/stat", one.pid);
    const int file = one.pid > 0 ? ::open(path, O_RDONLY | O_CLOEXEC) : -1;
    const ssize_t got = file >= 0 ? ::read(file, text, sizeof text - 1) : -1;
    if (file >= 0) ::close(file);
    text[got > 0 ? got : 0] = '\0';
    const char* open = std::strchr(text, '(');
    const char* close = std::strrchr(text, ')');
    if (open == nullptr || close == nullptr) continue;
    one.name.assign(open + 1, close);
    std::sscanf(close + 1, " %c %d", &one.state, &one.parent);
    all[one.pid] = one;
  }
  if (folder != nullptr) ::closedir(folder);
  for (const auto& [pid, process] : all) {
    pid_t ancestor = process.parent;
    for (int level = 0; level < 1000 && ancestor != ::getpid() && all.contains(ancestor); ++level) ancestor = all[ancestor].parent;
    if (ancestor == ::getpid()) found[pid] = process;
  }
  return found;
}

/// What each open descriptor is, but for the one that this takes to look.
std::map<int, std::string> descriptors() {
  std::map<int, std::string> all;
  DIR* folder = ::opendir("/proc/self/fd");
  while (const dirent* entry = folder == nullptr ? nullptr : ::readdir(folder)) {
    char target[256];
    const int fd = entry->d_name[0] == '.' ? -1 : std::atoi(entry->d_name);
    const ssize_t size = fd < 0 || fd == ::dirfd(folder) ? -1 : ::readlinkat(::dirfd(folder), entry->d_name, target, sizeof target);
    if (size > 0) all[fd] = std::string(target, static_cast<std::size_t>(size));
  }
  if (folder != nullptr) ::closedir(folder);
  return all;
}

class LeakListener final : public testing::EmptyTestEventListener {
 public:
  void OnTestProgramStart(const testing::UnitTest&) override {
    births_ = std::make_unique<BirthLog>();
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  }
  void OnTestStart(const testing::TestInfo&) override {
    processes_ = descendants();
    descriptors_ = descriptors();
    lost_before_ = births_ != nullptr ? births_->times_lost() : 0;
  }
  void OnTestEnd(const testing::TestInfo&) override {
    if (births_ == nullptr) return;
    const std::map<pid_t, Process> left = who_is_left();
    for (const auto& [pid, process] : left) tell(process);
    for (const auto& [pid, process] : left) ::kill(pid, SIGKILL);
    for (const auto& [pid, process] : left) ::waitpid(pid, nullptr, 0);  // ECHILD for a child of a child; that one's end makes it ours
    if (!left.empty()) reap_adopted();
    tell_descriptors();
  }

 private:
  /// Whether a zombie is held against the test: this program has started it, or births were lost while the test ran and it
  /// may have. Elsewhere what may have been another's is given the benefit of the doubt.
  [[nodiscard]] bool answers_for(pid_t pid) const {
    const BirthLog::Birth birth = births_->birth_of(pid);
    return birth.certain ? birth.starter == ::getpid() : births_were_lost();
  }
  [[nodiscard]] bool births_were_lost() const { return births_->times_lost() != lost_before_; }

  /// Those that were not there when the test began. Whoever is on his way out has the grace; an orphan that has ended was
  /// nobody's to reap but init's, in whose place this program stands.
  std::map<pid_t, Process> who_is_left() {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(grace_ms);
    for (;;) {
      std::map<pid_t, Process> left = descendants();
      bool alive = false;
      for (auto one = left.begin(); one != left.end();) {
        const bool new_one = !processes_.contains(one->first);
        const bool adopted = new_one && one->second.state == 'Z' && one->second.parent == ::getpid() && !answers_for(one->first);
        if (adopted) ::waitpid(one->first, nullptr, 0);
        alive |= new_one && one->second.state != 'Z';
        one = new_one && !adopted ? std::next(one) : left.erase(one);
      }
      if (!alive || std::chrono::steady_clock::now() >= until) return left;
      const timespec a_while{0, 1'000'000};
      ::nanosleep(&a_while, nullptr);
    }
  }

  void tell(const Process& process) {
    const BirthLog::Birth birth = births_->birth_of(process.pid);
    const bool ours = birth.starter == ::getpid();
    std::string starter = "by whom nobody saw";
    if (ours && birth.certain) starter = "by this test program";
    else if (ours) starter = "by this test program, or by a child of it that has ended";
    else if (birth.starter > 0) starter = "by " + birth.starter_name + " " + std::to_string(birth.starter) + (::kill(birth.starter, 0) == 0 ? "" : ", which has ended");
    if (!birth.certain && births_were_lost()) starter += " (more was started than could be noted)";
    const std::string who = process.name + " (pid " + std::to_string(process.pid) + ")";
    if (process.state == 'Z') {
      siginfo_t about{};
      std::string end = "it has ended";
      if (::waitid(P_PID, static_cast<id_t>(process.pid), &about, WEXITED | WNOHANG | WNOWAIT) == 0 && about.si_pid == process.pid) {
        end += about.si_code == CLD_EXITED ? " with exit " : " by signal ";
        end += std::to_string(about.si_status);
      }
      ADD_FAILURE() << "forkproof: this test left a zombie behind: " << who << ": " << end << " and nobody has reaped it; it was started " << starter;
    } else {
      ADD_FAILURE() << "forkproof: this test left a process behind: " << who << ", state " << process.state << "; it was started " << starter
                    << (process.parent == ::getpid() && !ours ? "; it is an orphan" : "") << "; it is killed now";
    }
  }

  /// Children of those that were just killed.
  void reap_adopted() {
    for (const auto& [pid, process] : descendants()) {
      if (processes_.contains(pid) || process.parent != ::getpid()) continue;
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
  }

  void tell_descriptors() {
    if (!descriptors_matter) return;
    for (const auto& [fd, name] : descriptors()) {
      const auto before = descriptors_.find(fd);
      if (before != descriptors_.end() && before->second == name) continue;
      ADD_FAILURE() << "forkproof: this test left descriptor " << fd << " open: " << name
                    << (before != descriptors_.end() ? " (at its start it was " + before->second + ")" : "");
    }
  }

  std::unique_ptr<BirthLog> births_;
  std::map<pid_t, Process> processes_;
  std::map<int, std::string> descriptors_;
  std::uint32_t lost_before_ = 0;
};

}  // namespace

/// Adds the listener when the program is loaded, unless the environment says no.
extern "C" {
int forkproof_gtest_listener = [] {
  const char* wish = std::getenv("FORKPROOF_GTEST");
  if (wish != nullptr && std::strcmp(wish, "off") == 0) return 0;
  testing::UnitTest::GetInstance()->listeners().Append(new LeakListener);
  return 1;
}();
}

}  // namespace gtest

void set_leak_grace_ms(int ms) { gtest::grace_ms = ms; }
void check_descriptors(bool check) { gtest::descriptors_matter = check; }

}  // namespace forkproof
