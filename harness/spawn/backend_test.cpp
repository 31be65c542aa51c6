// What every backend promises, whichever way it makes its child.
#include "harness/spawn/backend.h"

#include <dirent.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>

#include "harness/core/wait_status.h"

namespace forkproof::spawn {
namespace {


struct Pipe {
  Fd reader, writer;
  Pipe() {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    reader.reset(ends[0]), writer.reset(ends[1]);
  }
  /// All that was written, when the last writer is gone.
  std::string rest() {
    writer.reset();
    std::string text;
    char block[4096];
    for (ssize_t got; (got = ::read(reader.get(), block, sizeof block)) > 0;) text.append(block, static_cast<std::size_t>(got));
    return text;
  }
};

std::set<int> open_descriptors() {
  std::set<int> fds;
  DIR* directory = ::opendir("/proc/self/fd");
  while (const dirent* entry = ::readdir(directory)) {
    const int fd = std::atoi(entry->d_name);
    if (entry->d_name[0] != '.' && fd != ::dirfd(directory)) fds.insert(fd);
  }
  ::closedir(directory);
  return fds;
}

WaitStatus wait_for(const Child& child) {
  int raw = 0;
  EXPECT_EQ(::waitpid(child.pid, &raw, 0), child.pid);
  return WaitStatus(raw);
}

/// For a backend that does not exec: the script's shell takes the child's place.
int become_shell(void* script) {
  ::execl("/bin/sh", "sh", "-c", static_cast<const char*>(script), nullptr);
  return 127;
}

class AnyBackend : public testing::TestWithParam<BackendRow> {
 protected:
  AnyBackend() : nothing_(::open("/dev/null", O_RDWR | O_CLOEXEC)), backend_(GetParam().make()) {
    // What the tests themselves were started with is no backend's doing.
    ::syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */);
  }

  /// A spec that runs a shell script, its standard output in the pipe.
  SpawnSpec script(const std::string& text, const Pipe& out) {
    script_ = text;
    SpawnSpec spec;
    spec.path = "/bin/sh";
    spec.argv = {"sh", "-c", text};
    spec.fds = {nothing_.get(), out.writer.get(), nothing_.get()};
    spec.entry = become_shell, spec.argument = script_.data();
    return spec;
  }
  /// What the script says; it must end well.
  std::string said_by(SpawnSpec spec, Pipe& out) {
    auto child = backend_->spawn(spec);
    EXPECT_TRUE(child.has_value());
    if (!child) return "not spawned";
    const std::string said = out.rest();
    EXPECT_EQ(wait_for(*child).text(), "exit 0");
    return said;
  }
  std::string said_by(const std::string& text, ForkproofGroup group = FORKPROOF_GROUP_INHERIT) {
    Pipe out;
    SpawnSpec spec = script(text, out);
    spec.group = group;
    return said_by(spec, out);
  }

  Fd nothing_;
  std::unique_ptr<Backend> backend_;
  std::string script_;
};

/// Those whose child is a fresh image.
class ExecBackend : public AnyBackend {};

TEST_P(AnyBackend, GivesTheDescriptorsAndNothingElse) {
  const Pipe bystander;
  // `:` so that the shell waits for ls instead of becoming it.
  EXPECT_EQ(said_by("ls /proc/$$/fd; :"), "0\n1\n2\n");
}

TEST_P(AnyBackend, GivesMoreThanThree) {
  Pipe out;
  SpawnSpec spec = script("ls /proc/$$/fd; echo four >&4", out);
  spec.fds.push_back(nothing_.get());
  spec.fds.push_back(out.writer.get());
  EXPECT_EQ(said_by(spec, out), "0\n1\n2\n3\n4\nfour\n");
}

TEST_P(AnyBackend, PlacesDescriptorsThatStandInEachOthersWay) {
  Pipe first, second;
  const Fd stdin_before(::fcntl(0, F_DUPFD_CLOEXEC, 10)), stdout_before(::fcntl(1, F_DUPFD_CLOEXEC, 10));
  ::dup2(first.writer.get(), 0);
  ::dup2(second.writer.get(), 1);
  SpawnSpec spec = script("echo nought >&0; echo one >&1", first);
  spec.fds = {1, 0, nothing_.get()};
  auto child = backend_->spawn(spec);
  ::dup2(stdin_before.get(), 0);
  ::dup2(stdout_before.get(), 1);
  ASSERT_TRUE(child);
  EXPECT_EQ(second.rest(), "nought\n");
  EXPECT_EQ(first.rest(), "one\n");
  EXPECT_EQ(wait_for(*child).text(), "exit 0");
}

TEST_P(ExecBackend, PassesItsArguments) {
  Pipe out;
  SpawnSpec spec = script("", out);
  spec.argv = {"sh", "-c", "echo \"$0|$1|$2\"", "a b", "", "$c"};
  EXPECT_EQ(said_by(spec, out), "a b||$c\n");
}

const std::string say_group_and_session = "read -r pid name state parent group session rest < /proc/$$/stat; echo $pid $group $session";

TEST_P(AnyBackend, InheritsTheGroup) {
  int pid = 0, group = 0, session = 0;
  std::sscanf(said_by(say_group_and_session).c_str(), "%d %d %d", &pid, &group, &session);
  EXPECT_EQ(group, ::getpgrp());
  EXPECT_EQ(session, ::getsid(0));
}

TEST_P(AnyBackend, MakesAGroupOfItsOwn) {
  int pid = -1, group = 0, session = 0;
  std::sscanf(said_by(say_group_and_session, FORKPROOF_GROUP_OWN).c_str(), "%d %d %d", &pid, &group, &session);
  EXPECT_EQ(group, pid);
  EXPECT_EQ(session, ::getsid(0));
}

TEST_P(AnyBackend, MakesASessionOfItsOwn) {
  int pid = -1, group = 0, session = 0;
  std::sscanf(said_by(say_group_and_session, FORKPROOF_GROUP_SESSION).c_str(), "%d %d %d", &pid, &group, &session);
  EXPECT_EQ(group, pid);
  EXPECT_EQ(session, pid);
}

TEST_P(ExecBackend, TellsOfAFailedExec) {
  Pipe out;
  SpawnSpec spec = script("", out);
  spec.path = "/no/such/program";
  auto child = backend_->spawn(spec);
  if (GetParam().waits_for_exec) {
    ASSERT_FALSE(child);
    EXPECT_EQ(child.error().error, ENOENT);
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a dead child was left behind";
    EXPECT_EQ(errno, ECHILD);
  } else {
    ASSERT_TRUE(child);
    EXPECT_EQ(wait_for(*child).text(), "exit 124");
  }
}

/// Signals as a careless parent leaves them, for as long as it lives.
class CarelessSignals {
 public:
  CarelessSignals() {
    ignored_ = ::signal(SIGPIPE, SIG_IGN);
    ::signal(SIGUSR2, [](int) {});
    sigset_t some;
    sigemptyset(&some);
    sigaddset(&some, SIGTERM);
    ::sigprocmask(SIG_SETMASK, &some, &before_);
  }
  ~CarelessSignals() {
    ::signal(SIGPIPE, ignored_);
    ::signal(SIGUSR2, SIG_DFL);
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
  }
  CarelessSignals(const CarelessSignals&) = delete;
  CarelessSignals& operator=(const CarelessSignals&) = delete;

 private:
  sigset_t before_;
  void (*ignored_)(int);
};

TEST_P(AnyBackend, TheChildHasDefaultSignalsAndNoneBlocked) {
  const CarelessSignals careless;
  unsigned long long blocked = ~0ULL, ignored = ~0ULL;
  const std::string said = said_by("exec grep -E 'SigBlk|SigIgn' /proc/self/status");
  std::sscanf(said.c_str(), "SigBlk: %llx SigIgn: %llx", &blocked, &ignored);
  EXPECT_EQ(blocked, 0U);
  // Of the first 31: glibc's posix_spawn leaves its own two, 32 and 33, ignored.
  EXPECT_EQ(ignored & 0x7fffffff, 0U);
}

TEST_P(AnyBackend, TheParentsSignalsAreAsTheyWere) {
  const CarelessSignals careless;
  said_by(":");
  sigset_t now;
  ::sigprocmask(SIG_BLOCK, nullptr, &now);
  for (int signal = 1; signal < 32; ++signal) EXPECT_EQ(sigismember(&now, signal), signal == SIGTERM) << signal;
  struct sigaction action {};
  ::sigaction(SIGPIPE, nullptr, &action);
  EXPECT_EQ(action.sa_handler, SIG_IGN);
  ::sigaction(SIGUSR2, nullptr, &action);
  EXPECT_NE(action.sa_handler, SIG_DFL);
}

TEST_P(AnyBackend, LeavesNoDescriptorBehindButTheChilds) {
  Pipe out;
  const SpawnSpec spec = script(":", out);
  const auto before = open_descriptors();
  {
    const auto child = backend_->spawn(spec);
    ASSERT_TRUE(child);
    ASSERT_TRUE(child->pidfd);
    EXPECT_EQ(::fcntl(child->pidfd.get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    auto with_child = before;
    with_child.insert(child->pidfd.get());
    EXPECT_EQ(open_descriptors(), with_child);
    wait_for(*child);
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST_P(AnyBackend, AFailureLeavesNoDescriptorBehind) {
  Pipe out;
  SpawnSpec spec = script(":", out);
  spec.path = "/no/such/program";
  spec.argument = nullptr, spec.entry = [](void*) { return 124; };
  const auto before = open_descriptors();
  if (auto child = backend_->spawn(spec)) {
    EXPECT_EQ(wait_for(*child).text(), "exit 124");
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST_P(AnyBackend, SpawnsWhereTheKernelReapsTheChild) {  // SIGCHLD ignored: the child may be gone before its pidfd
  ::signal(SIGCHLD, SIG_IGN);
  Pipe out;
  const SpawnSpec spec = script("echo here", out);
  const auto child = backend_->spawn(spec);
  EXPECT_TRUE(child.has_value());
  EXPECT_EQ(out.rest(), "here\n");
  EXPECT_EQ(::waitpid(-1, nullptr, 0), -1);  // blocks until it is gone
  ::signal(SIGCHLD, SIG_DFL);
}

TEST_P(AnyBackend, AnnouncesItsSyncPointsUnlessTheParentStandsStill) {
  Pipe out, told;
  SpawnSpec spec = script(":", out);
  int fd = told.writer.get();
  spec.hook_context = &fd;
  spec.hook = [](void* context, const char* point) {
    (void)!::write(*static_cast<int*>(context), point, std::strlen(point));
    (void)!::write(*static_cast<int*>(context), " ", 1);
  };
  said_by(spec, out);
  EXPECT_EQ(told.rest(), GetParam().waits_for_exec ? "" : "forked before-exec ");
}

std::string test_name(const testing::TestParamInfo<BackendRow>& each) {
  std::string name(each.param.key);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}
std::vector<BackendRow> those_that_exec() {
  std::vector<BackendRow> rows;
  std::copy_if(backends().begin(), backends().end(), std::back_inserter(rows), [](const auto& row) { return row.execs; });
  return rows;
}
INSTANTIATE_TEST_SUITE_P(Spawn, AnyBackend, testing::ValuesIn(backends().begin(), backends().end()), test_name);
INSTANTIATE_TEST_SUITE_P(Spawn, ExecBackend, testing::ValuesIn(those_that_exec()), test_name);

TEST(ForkBackend, ClosesTheParentsEndsAndResetsItsHandlers) {  // no exec does it for a bare fork
  Pipe out, channel;
  ::signal(SIGUSR2, [](int) {});
  static int parent_end;
  parent_end = channel.reader.get();
  SpawnSpec spec;
  spec.fds = {out.writer.get(), out.writer.get(), out.writer.get(), channel.writer.get()};
  spec.parent_ends = {parent_end, out.reader.get()};
  spec.entry = [](void*) {
    struct sigaction action {};
    ::sigaction(SIGUSR2, nullptr, &action);
    if (action.sa_handler != SIG_DFL) return 1;
    if (::fcntl(parent_end, F_GETFD) != -1) return 2;
    return ::fcntl(3, F_GETFD) == 0 ? 0 : 3;
  };
  const auto child = find_backend("fork")->make()->spawn(spec);
  ::signal(SIGUSR2, SIG_DFL);
  ASSERT_TRUE(child);
  EXPECT_EQ(wait_for(*child).text(), "exit 0");
  EXPECT_NE(::fcntl(parent_end, F_GETFD), -1) << "the parent's own end is the parent's";
}

TEST(ForkBackend, TheEntrysResultIsTheExitCode) {
  SpawnSpec spec;
  int code = 42;
  spec.entry = [](void* argument) { return *static_cast<int*>(argument); };
  spec.argument = &code;
  const auto child = find_backend("fork")->make()->spawn(spec);
  ASSERT_TRUE(child);
  EXPECT_EQ(wait_for(*child).text(), "exit 42");
}

TEST(Backends, KeysAreUniqueAndFindTheirRows) {
  std::set<std::string_view> keys;
  for (const BackendRow& row : backends()) {
    EXPECT_TRUE(keys.insert(row.key).second) << row.key;
    EXPECT_EQ(find_backend(row.key)->key, row.key);
    EXPECT_TRUE(row.execs || !row.waits_for_exec) << row.key;
  }
  EXPECT_EQ(find_backend("no-such"), nullptr);
}

TEST(ForkBackend, AChildThatCannotBeHeldIsNotLeftBehind) {
  const Fd top(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit full{static_cast<rlim_t>(top.get()) + 1, before.rlim_max};
  SpawnSpec spec;
  spec.entry = [](void*) -> int { for (;;) ::pause(); };
  ::setrlimit(RLIMIT_NOFILE, &full);
  const auto child = find_backend("fork")->make()->spawn(spec);
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_FALSE(child);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

}  // namespace
}  // namespace forkproof::spawn
