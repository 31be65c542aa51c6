// A supervisor that starts its task again spawns more than once; what a fault in the subject is for began with the first.
#include <gtest/gtest.h>

#include "harness/core/sync_point.h"
#include "harness/faults/fault.h"
#include "harness/faults/struck_for_test.h"

namespace forkproof::faults {
namespace {

int times_fired_in_three_spawns(const char* fault, const char* setting, const char* value) {
  const auto made = find_fault(fault)->make({fault, {{setting, value}}});
  Struck strike;
  for (int i = 1; i <= 3; ++i) made->see({.what = SyncPointReached{1, "supervisor", point::spawning, i}}, strike);
  return strike.times_fired;
}

TEST(FaultInSubject, SaysOnceThatItFired) {
  EXPECT_EQ(times_fired_in_three_spawns("fork-after-thread", "lock", "std-mutex"), 1);
  EXPECT_EQ(times_fired_in_three_spawns("dns-in-child", "lookup", "gethostbyname"), 1);
  EXPECT_EQ(times_fired_in_three_spawns("runtime-in-child", "runtime", "setproctitle"), 1);
}

}  // namespace
}  // namespace forkproof::faults
