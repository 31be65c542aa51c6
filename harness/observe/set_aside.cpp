#include "harness/observe/set_aside.h"

namespace forkproof::observe {
namespace {

// One arena has one PID 1, and that is one process: so this is a fact of the process.
Pid set_aside_pid = 0, stands_for_it = 0;

}  // namespace

void set_aside(Pid launcher, Pid root) { set_aside_pid = launcher, stands_for_it = root; }

bool is_set_aside(Pid pid) { return pid > 0 && pid == set_aside_pid; }

Pid told_parent(Pid parent) { return is_set_aside(parent) ? stands_for_it : parent; }

}  // namespace forkproof::observe
