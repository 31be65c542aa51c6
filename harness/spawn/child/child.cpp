#include "harness/spawn/child/child.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

constexpr int step_failed = 124;
constexpr int most_fds = 16;

[[noreturn]] void give_up(const ForkproofChildPlan* plan) {
  if (plan->exec_error != nullptr) *plan->exec_error = errno;
  _exit(step_failed);
}

void announce(const ForkproofChildPlan* plan, const char* point) {
  if (plan->hook != nullptr) plan->hook(plan->argument, point);
}

// Handlers point into an image that exec replaces, or at state that belongs to the parent
// (fixtures/supervisor/README.md, tractor): back to the default. What is ignored stays ignored only across
// exec, so that is reset as well.
void reset_signals(const ForkproofChildPlan* plan) {
  if (plan->keep_signals) return;
  struct sigaction plain = {};
  plain.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) {
    if (signal != SIGKILL && signal != SIGSTOP) sigaction(signal, &plain, nullptr);
  }
  if (sigprocmask(SIG_SETMASK, &plan->mask, nullptr) != 0) give_up(plan);
}

void join_group(const ForkproofChildPlan* plan) {
  if (plan->group == FORKPROOF_GROUP_OWN && setpgid(0, 0) != 0) give_up(plan);
  if (plan->group == FORKPROOF_GROUP_SESSION && setsid() < 0) give_up(plan);
}

// A source may bear the number of another's target: first all move out of the way, then each into its place.
void place_descriptors(const ForkproofChildPlan* plan) {
  int moved[most_fds];
  if (plan->fd_count > most_fds) {
    errno = E2BIG;
    give_up(plan);
  }
  for (int i = 0; i < plan->fd_count; ++i) {
    moved[i] = fcntl(plan->fds[i], F_DUPFD_CLOEXEC, plan->fd_count);
    if (moved[i] < 0) give_up(plan);
  }
  for (int i = 0; i < plan->close_count; ++i) close(plan->close_fds[i]);
  // Without exec nothing else closes the sources under their old numbers.
  for (int i = 0; plan->path == nullptr && i < plan->fd_count; ++i) close(plan->fds[i]);
  for (int i = 0; i < plan->fd_count; ++i) {
    if (dup2(moved[i], i) < 0) give_up(plan);
    close(moved[i]);
  }
}

struct DirectoryEntry {  // getdents64's own layout (`man 2 getdents64`)
  unsigned long long inode;
  long long offset;
  unsigned short length;
  unsigned char type;
  char name[];
};

int number_from(const char* text) {
  int number = 0;
  for (; *text >= '0' && *text <= '9'; ++text) number = number * 10 + (*text - '0');
  return *text == '\0' ? number : -1;
}

// The listing's own descriptor is in the listing; it goes last. opendir() would allocate.
void scrub_descriptors(const ForkproofChildPlan* plan) {
  const int listing = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (listing < 0) give_up(plan);
  alignas(DirectoryEntry) char block[2048];
  long size = 0;
  while ((size = syscall(SYS_getdents64, listing, block, sizeof block)) > 0) {
    for (long at = 0; at < size;) {
      const DirectoryEntry* entry = reinterpret_cast<const DirectoryEntry*>(block + at);
      at += entry->length;
      const int fd = entry->name[0] == '.' ? -1 : number_from(entry->name);
      if (fd >= plan->fd_count && fd != listing) close(fd);
    }
  }
  close(listing);
}

}  // namespace

void forkproof_run_child(const ForkproofChildPlan* plan) {
  announce(plan, "forked");
  join_group(plan);
  reset_signals(plan);
  place_descriptors(plan);
  if (plan->scrub) scrub_descriptors(plan);
  announce(plan, "before-exec");
  if (plan->path == nullptr) _exit(plan->entry(plan->argument));
  execve(plan->path, plan->argv, plan->envp);
  give_up(plan);
}
