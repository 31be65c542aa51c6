#pragma once
#include <atomic>
#include <functional>
#include <string>
#include <vector>

namespace forkproof::faults {

// A race made a certainty: a thread is held inside a critical section, and it is proved that it is, before
// anybody forks (harness/faults/README.md, "Four rendezvous").

/// Blocks the calling thread for good on a futex of its own: private, no timeout, nobody ever wakes it.
[[noreturn]] void wait_for_ever();

/// First rendezvous. Runs `critical_section` on a thread of its own; it calls the function that it is given
/// from inside, which raises a flag and never returns. Returns when the flag is up; HarnessFailure when it is
/// not within two seconds.
void hold_inside(const std::function<void(const std::function<void()>& inside)>& critical_section);

/// Second rendezvous. Runs `blocking` on a thread of its own and returns when that thread is asleep in the
/// system call of this number, with the proof as text; HarnessFailure when it is not within two seconds.
std::string hold_in_system_call(const std::function<void()>& blocking, long number, const char* name);

/// The proof alone, for a thread that somebody else has started.
std::string prove_in_system_call(int tid, long number, const char* name);

/// The same for a thread that sleeps in the kernel function whose name contains `wchan` (a userfaultfd's page
/// fault).
std::string hold_in_kernel(const std::function<void()>& blocking, const char* wchan);

/// A pipe that holds as much as it can: a write to it blocks. Returns the write end; the read end stays open
/// unread.
int full_pipe();

/// A pipe to which nobody writes, though the write end stays open: a read from it blocks. Returns the read
/// end. It can also be opened by name, as /proc/self/fd/N: a FIFO that leaves nothing on any disk.
int silent_pipe();

/// The threads of this process but the calling one.
std::vector<int> other_threads();

/// Whoever first touches one of these pages blocks: a userfaultfd that nobody reads holds them back. In a
/// forked child they are ordinary empty pages. HarnessFailure where the kernel refuses.
void hold_back(void* first_page, std::size_t size);

}  // namespace forkproof::faults
