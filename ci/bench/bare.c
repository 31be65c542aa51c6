// bare NODE CGROUP CASES JOBS: what the least rig that there can be costs a case, as a measure for ours. One case is
//   1. a fresh cgroup v2 below CGROUP, and a process cloned into it with PID, mount, network and IPC namespaces;
//   2. inside: private mounts, its own /proc, loopback up;
//   3. three processes of the static program NODE, each awaited until it has said that it is up;
//   4. PID 1 exits, which kills them; it is waited for, and the cgroup removed.
// No history, no orders, no oracle, nobody outside who cleans up after a crash.
//
// JOBS workers share the CASES. Prints one line: mean, median and 90th percentile in ms, and cases a second.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { nodes = 3 };

static void die(const char* what) {
  perror(what);
  _exit(1);
}

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void seal(void) {
  if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) die("make mounts private");
  if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0) die("mount /proc");
  const int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
  if (ioctl(control, SIOCSIFFLAGS, &loopback) != 0) die("raise loopback");
  close(control);
}

// PID 1 of a case. Its exit is the end of the nodes.
static void play(char* node) {
  seal();
  int up[2];
  if (pipe2(up, O_CLOEXEC) != 0) die("pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, up[1], STDOUT_FILENO);
  char* argv[] = {node, NULL};
  char* envp[] = {NULL};
  for (int i = 0; i < nodes; ++i) {
    pid_t pid;
    if ((errno = posix_spawn(&pid, node, &actions, NULL, argv, envp)) != 0) die(node);
  }
  char word;
  for (int i = 0; i < nodes; ++i) {
    if (read(up[0], &word, 1) != 1) die("a node's word");
  }
  _exit(0);
}

static void run_case(char* node, const char* cgroup) {
  if (mkdir(cgroup, 0755) != 0) die(cgroup);
  const int group = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (group < 0) die(cgroup);
  struct clone_args arguments = {
      .flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_INTO_CGROUP,
      .exit_signal = SIGCHLD,
      .cgroup = (uint64_t)group,
  };
  const long pid = syscall(SYS_clone3, &arguments, sizeof arguments);
  if (pid < 0) die("clone3");
  if (pid == 0) play(node);
  close(group);
  int status;
  if (waitpid((pid_t)pid, &status, 0) != pid || status != 0) die("PID 1");
  // PID 1 is reaped after all of its namespace, but the group may count them for a moment more. Bounded: a second.
  for (int tries = 0; rmdir(cgroup) != 0; ++tries) {
    if (errno != EBUSY || tries == 10000) die("rmdir");
    usleep(100);
  }
}

static int by_value(const void* a, const void* b) {
  const double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

int main(int argc, char** argv) {
  const int cases = argc == 5 ? atoi(argv[3]) : 0, jobs = argc == 5 ? atoi(argv[4]) : 0;
  if (cases < 1 || jobs < 1) {
    fprintf(stderr, "usage: bare NODE CGROUP CASES JOBS\n");
    return 64;
  }
  double* took_ms = mmap(NULL, sizeof(double) * (size_t)cases, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (took_ms == MAP_FAILED) die("mmap");
  const double began = now_ms();
  for (int job = 0; job < jobs; ++job) {
    const pid_t worker = fork();
    if (worker < 0) die("fork");
    if (worker != 0) continue;
    char cgroup[512];
    snprintf(cgroup, sizeof cgroup, "%s/bare-%d", argv[2], (int)getpid());
    for (int i = job; i < cases; i += jobs) {
      const double start = now_ms();
      run_case(argv[1], cgroup);
      took_ms[i] = now_ms() - start;
    }
    _exit(0);
  }
  int failed = 0, status;
  while (wait(&status) > 0) failed += status != 0;
  const double wall_ms = now_ms() - began;
  if (failed != 0) return 1;
  double sum = 0;
  for (int i = 0; i < cases; ++i) sum += took_ms[i];
  qsort(took_ms, (size_t)cases, sizeof *took_ms, by_value);
  printf("mean_ms %.3f median_ms %.3f p90_ms %.3f cases_per_s %.1f\n", sum / cases, took_ms[cases / 2],
         took_ms[cases * 9 / 10], cases / wall_ms * 1e3);
  return 0;
}
