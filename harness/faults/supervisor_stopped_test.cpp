// What a model does then is in scenarios/stop-supervisor.toml.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "harness/core/sync_point.h"
#include "harness/faults/fault.h"
#include "harness/faults/struck_for_test.h"

namespace forkproof::faults {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

constexpr Pid supervisor = 2;

struct Played {
  explicit Played(std::map<std::string, FaultSpec::Setting> settings)
      : fault(find_fault("supervisor-stopped")->make({"supervisor-stopped", std::move(settings)})) {
    see(Spawned{supervisor, 1, supervisor_node, "supervisor"});
  }
  void see(Happening what) { fault->see({.what = std::move(what)}, strike); }
  std::unique_ptr<Fault> fault;
  Struck strike;
};

TEST(SupervisorStopped, StrikesWhenTheTreeIsUp) {
  Played run({});
  run.see(SyncPointReached{supervisor, "supervisor", point::spawning, 1});
  EXPECT_THAT(run.strike.signals, IsEmpty());
  run.see(TreeReady{2});
  EXPECT_THAT(run.strike.signals, ElementsAre(Pair(supervisor, SIGTERM)));
  EXPECT_EQ(run.strike.proof, "the tree's 2 processes are up");
}

TEST(SupervisorStopped, StrikesOnceAtThePointThatItNames) {
  Played run({{"when", "spawned"}, {"signal", "SIGINT"}});
  run.see(SyncPointReached{supervisor, "supervisor", point::spawning, 1});
  run.see(SyncPointReached{3, "worker", point::spawned, 1});
  EXPECT_THAT(run.strike.signals, IsEmpty());
  for (int i = 1; i <= 2; ++i) run.see(SyncPointReached{supervisor, "supervisor", point::spawned, i});
  run.see(TreeReady{1});
  EXPECT_THAT(run.strike.signals, ElementsAre(Pair(supervisor, SIGINT)));
}

TEST(SupervisorStopped, ComesAgainAsOftenAsItSaysAndNotToTheDead) {
  Played run({{"again", std::int64_t{2}}});
  run.fault->tick(run.strike);
  EXPECT_THAT(run.strike.signals, IsEmpty()) << "it has not struck yet";
  run.see(TreeReady{1});
  run.fault->tick(run.strike);
  EXPECT_EQ(run.strike.signals.size(), 2U);
  run.see(Exited{supervisor, "supervisor", WaitStatus::exited_with(0), true});
  run.fault->tick(run.strike);
  EXPECT_EQ(run.strike.signals.size(), 2U);
}

}  // namespace
}  // namespace forkproof::faults
