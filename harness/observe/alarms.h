#pragma once

namespace forkproof::observe {

// An alarm(2), or setitimer(ITIMER_REAL), ends a process by SIGALRM, and no file of its own shows it. /proc/timer_list has
// all those of the machine, without saying whose they are; it is root's to read.

/// Those that run now are other programs'. REQUIRES: called before the first process of the arena is started.
void remember_alarms();

/// Whether a process of the arena may have one: there is one that was not remembered, or the list cannot be read.
bool an_alarm_may_be_set();

}  // namespace forkproof::observe
