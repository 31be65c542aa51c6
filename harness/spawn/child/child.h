#pragma once
// What runs in a child after fork and before exec. Nothing of the project's is included here, nothing allocates,
// nothing throws: only async-signal-safe calls (`man 7 signal-safety`). A test compares the object file's undefined
// symbols with a short list.
#include <signal.h>

extern "C" {

enum ForkproofGroup {
  FORKPROOF_GROUP_INHERIT = 0,
  FORKPROOF_GROUP_OWN = 1,    // setpgid(0, 0)
  FORKPROOF_GROUP_SESSION = 2 // setsid()
};

// Plain data, made by the parent before the fork and only read by the child.
struct ForkproofChildPlan {
  const int* fds;           // fds[i] becomes descriptor i
  int fd_count;             // at most 16
  const int* close_fds;     // closed in the child: the parent's ends, which close-on-exec does not cover in a bare fork
  int close_count;
  int scrub;                // nonzero: also closes every descriptor above those given, as /proc/self/fd lists them
  enum ForkproofGroup group;
  int keep_signals;         // nonzero: handlers, ignored signals and the mask stay as they are
  sigset_t mask;            // else the child's signal mask, and every signal has its default action
  void (*hook)(void* argument, const char* point);  // announces a sync point; may be null
  // Either a program ...
  const char* path;
  char* const* argv;
  char* const* envp;
  int* exec_error;          // where a child that shares memory (vfork) leaves errno; may be null
  // ... or, where path is null, a function in the same image.
  int (*entry)(void* argument);
  void* argument;           // the hook's as well
};

// Runs the plan. Never returns: exec, or _exit with what the entry returned; 124 when exec or a step before it
// failed (the code that airflow#64874 gives to it).
[[noreturn]] void forkproof_run_child(const struct ForkproofChildPlan* plan);
}
