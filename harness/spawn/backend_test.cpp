// What every backend promises, whichever way it makes its child.
#include "harness/core/child_for_test.h"
#include "harness/spawn/backend.h"

#include <dirent.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
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

#include "harness/core/error.h"
#include "harness/core/wait_status.h"

namespace forkproof::spawn {
namespace {

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

/// Blocks until the backend has told the end.
WaitStatus wait_for(Backend& backend, const Child& child) {
  pollfd notice{backend.exit_notice(child), POLLIN, 0};
  EXPECT_GE(notice.fd, 0);
  for (;;) {
    if (const auto ended = backend.try_wait(child)) {
      EXPECT_FALSE(ended->vanished);
      return ended->status;
    }
    ::poll(&notice, 1, -1);
  }
}

/// For a backend that does not exec: the script's shell takes the child's place.
int become_shell(void* script) {
  ::execl("/bin/sh", "sh", "-c", static_cast<const char*>(script), nullptr);
  return 127;
}

/// What a hook says, where a child of whichever image can write it: the mapping is older than any sidecar.
struct Told {
  char text[64];
};

class AnyBackend : public testing::TestWithParam<BackendRow> {
 protected:
  AnyBackend()
      : told_(static_cast<Told*>(::mmap(nullptr, sizeof(Told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))),
        nothing_(::open("/dev/null", O_RDWR | O_CLOEXEC)), backend_(GetParam().make()) {
    // What the tests themselves were started with is no backend's doing.
    ::syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */);
  }
  ~AnyBackend() override { ::munmap(told_, sizeof *told_); }

  WaitStatus wait_for(const Child& child) { return spawn::wait_for(*backend_, child); }

  /// A spec that runs a shell script, its standard output in the pipe.
  SpawnSpec script(const std::string& text, const Pipe& out) {
    script_ = text;
    SpawnSpec spec;
    spec.path = "/bin/sh";
    spec.argv = {"sh", "-c", text};
    spec.fds = {nothing_.get(), out.writer.get(), nothing_.get()};
    spec.entry = become_shell, spec.argument = script_.data(), spec.argument_size = script_.size() + 1;
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

  Told* told_;
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
  if (!GetParam().resets_signals) GTEST_SKIP() << "it says so: signals reach the child as they are";
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
  spec.argument = nullptr, spec.argument_size = 0, spec.entry = [](void*) { return 124; };
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
  if (GetParam().sidecar_is_parent) {
    EXPECT_EQ(wait_for(*child).text(), "exit 0") << "the sidecar reaps by itself";
  } else {
    EXPECT_EQ(::waitpid(-1, nullptr, 0), -1);  // blocks until it is gone
    EXPECT_TRUE(backend_->try_wait(*child).value().vanished);
  }
  ::signal(SIGCHLD, SIG_DFL);
}

TEST_P(AnyBackend, AnnouncesItsSyncPointsUnlessTheParentStandsStill) {
  Pipe out;
  SpawnSpec spec = script(":", out);
  spec.argument = &told_, spec.argument_size = sizeof told_;
  spec.hook = [](void* argument, const char* point) {
    Told* where = *static_cast<Told**>(argument);
    std::strcat(where->text, point);
    std::strcat(where->text, " ");
  };
  spec.entry = [](void*) { return 0; };
  said_by(spec, out);
  EXPECT_STREQ(told_->text, GetParam().waits_for_exec ? "" : "forked before-exec ");
}

TEST_P(AnyBackend, TheExitStatusIsFaithful) {
  for (const auto& [text, end] : {std::pair{"exit 42", "exit 42"}, std::pair{"kill -TERM $$", "SIGTERM"},
                                  std::pair{"exit 0", "exit 0"}}) {
    Pipe out;
    const SpawnSpec spec = script(text, out);
    const auto child = backend_->spawn(spec);
    ASSERT_TRUE(child);
    EXPECT_EQ(wait_for(*child).text(), end);
  }
}

TEST_P(AnyBackend, AChildThatLivesHasNotEnded) {
  Pipe out, hold;
  SpawnSpec spec = script("read -r line", out);
  spec.fds[0] = hold.reader.get();
  const auto child = backend_->spawn(spec);
  ASSERT_TRUE(child);
  EXPECT_FALSE(backend_->try_wait(*child));
  EXPECT_FALSE(backend_->try_wait(*child, Reap::leave));
  (void)!::write(hold.writer.get(), "\n", 1);
  EXPECT_EQ(wait_for(*child).text(), "exit 0");
}

TEST_P(AnyBackend, TheParentIsWhoTheRowSays) {
  int parent = 0;
  std::sscanf(said_by("echo $PPID").c_str(), "%d", &parent);
  EXPECT_EQ(parent != ::getpid(), GetParam().sidecar_is_parent);
}

TEST_P(AnyBackend, LeavesNobodyBehindWhenItIsDropped) {
  said_by(":");
  backend_.reset();
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
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
  const auto backend = find_backend("fork")->make();
  const auto child = backend->spawn(spec);
  ::signal(SIGUSR2, SIG_DFL);
  ASSERT_TRUE(child);
  EXPECT_EQ(wait_for(*backend, *child).text(), "exit 0");
  EXPECT_NE(::fcntl(parent_end, F_GETFD), -1) << "the parent's own end is the parent's";
}

TEST(ForkBackend, TheEntrysResultIsTheExitCode) {
  SpawnSpec spec;
  int code = 42;
  spec.entry = [](void* argument) { return *static_cast<int*>(argument); };
  spec.argument = &code;
  const auto backend = find_backend("fork")->make();
  const auto child = backend->spawn(spec);
  ASSERT_TRUE(child);
  EXPECT_EQ(wait_for(*backend, *child).text(), "exit 42");
}

TEST(ForkServer, ItsChildrenHaveTheMemoryOfWhenItWasStarted) {
  static int memory;
  memory = 1;
  const auto backend = find_backend("forkserver")->make();
  memory = 2;
  SpawnSpec spec;
  spec.entry = [](void*) { return memory; };
  const auto child = backend->spawn(spec);
  ASSERT_TRUE(child);
  EXPECT_EQ(wait_for(*backend, *child).text(), "exit 1");
}

TEST(ForkServer, AChildWhoseSidecarIsGoneHasNoStatusAnyMore) {
  const auto backend = find_backend("forkserver")->make();
  Pipe go;
  SpawnSpec spec;
  spec.fds = {go.reader.get()};
  spec.entry = [](void*) {
    char byte = 0;
    (void)!::read(0, &byte, 1);
    ::kill(::getppid(), SIGKILL);
    ::pause();
    return 0;
  };
  const auto child = backend->spawn(spec);
  ASSERT_TRUE(child);
  EXPECT_FALSE(backend->try_wait(*child));
  EXPECT_EQ(::write(go.writer.get(), "x", 1), 1);  // only now: the sidecar has told the pid
  pollfd notice{backend->exit_notice(*child), POLLIN, 0};
  ::poll(&notice, 1, -1);
  EXPECT_TRUE(backend->try_wait(*child).value().vanished);
  ::syscall(SYS_pidfd_send_signal, child->pidfd.get(), SIGKILL, nullptr, 0);
}

// A master that asks for one worker after another would sleep for ever: whoever asks for one child reads the words of all.
TEST(ForkServer, AnEndThatWasReadForAnotherIsStillNoticed) {
  const auto backend = find_backend("forkserver")->make();
  SpawnSpec spec;
  spec.entry = [](void*) {
    for (;;) ::pause();
    return 0;
  };
  const auto living = backend->spawn(spec), dying = backend->spawn(spec);
  ASSERT_TRUE(living && dying);
  ::syscall(SYS_pidfd_send_signal, dying->pidfd.get(), SIGKILL, nullptr, 0);
  pollfd notice{backend->exit_notice(*dying), POLLIN, 0};
  ASSERT_EQ(::poll(&notice, 1, -1), 1);
  EXPECT_FALSE(backend->try_wait(*living));
  EXPECT_EQ(::poll(&notice, 1, 0), 1) << "the word of the other's end has gone by";
  EXPECT_EQ(backend->try_wait(*dying).value().status, WaitStatus::killed_by(SIGKILL));
  EXPECT_EQ(::poll(&notice, 1, 0), 0) << "there is nothing more to tell";
  ::syscall(SYS_pidfd_send_signal, living->pidfd.get(), SIGKILL, nullptr, 0);
}

// In a process of its own: without that, the backend's end would wait for ever.
TEST(ForkServer, ASidecarThatCannotBeHeldIsNotLeftBehind) {
  const pid_t other = ::fork();
  if (other == 0) {
    ::alarm(20);
    const Fd top(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const rlimit two_more{static_cast<rlim_t>(top.get()) + 3, static_cast<rlim_t>(top.get()) + 3};  // its socket
    ::setrlimit(RLIMIT_NOFILE, &two_more);
    try {
      find_backend("forkserver")->make();
      ::_exit(1);
    } catch (const HarnessFailure&) {
      ::_exit(::waitpid(-1, nullptr, WNOHANG) == -1 ? 0 : 2);
    }
  }
  int status = -1;
  EXPECT_EQ(::waitpid(other, &status, 0), other);
  EXPECT_EQ(status, 0);
}

TEST(ForkBackend, AChildThatSomebodyElseHasReapedLivesForNeitherLook) {
  const auto backend = find_backend("fork")->make();
  SpawnSpec spec;
  spec.entry = [](void*) { return 3; };
  const auto child = backend->spawn(spec);
  ASSERT_TRUE(child);
  EXPECT_EQ(::waitpid(child->pid, nullptr, 0), child->pid);
  for (const Reap reap : {Reap::leave, Reap::take}) {
    const auto ended = backend->try_wait(*child, reap);
    ASSERT_TRUE(ended);
    EXPECT_TRUE(ended->vanished);
  }
}

TEST(WorkerThreadFork, KeepsHandlersIgnoredSignalsAndTheMask) {
  const CarelessSignals careless;
  SpawnSpec spec;
  spec.entry = [](void*) {
    struct sigaction action {};
    ::sigaction(SIGUSR2, nullptr, &action);
    if (action.sa_handler == SIG_DFL) return 1;
    ::sigaction(SIGPIPE, nullptr, &action);
    if (action.sa_handler != SIG_IGN) return 2;
    sigset_t mask;
    ::sigprocmask(SIG_BLOCK, nullptr, &mask);
    return sigismember(&mask, SIGTERM) == 1 ? 0 : 3;
  };
  const auto backend = find_backend("worker-thread-fork")->make();
  const auto child = backend->spawn(spec);
  ASSERT_TRUE(child);
  EXPECT_EQ(wait_for(*backend, *child).text(), "exit 0");
}

TEST(Reserved, KeysNameWhatWorksInstead) {
  for (const ReservedRow& row : reserved_backends()) {
    EXPECT_EQ(find_backend(row.key), nullptr) << row.key;
    EXPECT_NE(find_backend(row.instead), nullptr) << row.instead;
    EXPECT_THAT(reserved_backend(row.key), testing::HasSubstr(std::string(row.instead)));
  }
  EXPECT_EQ(reserved_backend("fork"), "");
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
