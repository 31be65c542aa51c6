#pragma once

// A GoogleTest listener that fails each test which leaves a process, a zombie or a descriptor behind, names it, and says who
// started it. Linking forkproof::gtest is all: it adds itself, also beside gtest_main.
//
//   find_package(forkproof REQUIRED)
//   target_link_libraries(my_tests PRIVATE forkproof::gtest GTest::gtest_main)
//
// For it the test program is made a subreaper (`man 2 PR_SET_CHILD_SUBREAPER`), so that an orphan becomes its child and not
// init's, and a small process beside it, which is no child of it, notes who starts whom. What a test leaves is killed and
// reaped when it has been told, so that the next test is not blamed for it. FORKPROOF_GTEST=off in the environment turns
// all of it off.
//
// Births are told by the process connector: to root, in the first PID and network namespaces. Elsewhere, so in every
// container, that process looks at /proc each millisecond, and an orphan whose parent was there for less is first seen as a
// child of the test program. A zombie that may be one is not held against the test there: only what libc's fork() started
// is known to be the test program's own, and not what posix_spawn, system or vfork did. Who lives on is told in any case.

namespace forkproof {

/// How long, after a test's end, those that it has told to end may take for it. Milliseconds; 200 at first.
void set_leak_grace_ms(int grace_ms);

/// Descriptors that a test has opened and not closed are not held against it from now on (true at first), for libraries
/// that keep some for good.
void check_descriptors(bool check);

}  // namespace forkproof
