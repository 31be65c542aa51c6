#include "harness/run/strike_times.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace forkproof::run {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

/// A fault that does nothing: what it is shown is what counts.
struct Silent final : faults::Fault {
  explicit Silent(bool at_rest) : at_rest_(at_rest) {}
  void set_stage(faults::Stage&) override {}
  void see(const Event&, faults::Strike&) override {}
  [[nodiscard]] bool strikes_at_rest() const override { return at_rest_; }
  bool at_rest_;
};

/// A case whose second fault waits for its first, in an arena where no process is.
class Stage {
 public:
  explicit Stage(Subject subject, bool at_rest = true) {
    one.subject = std::move(subject);
    one.faults = {{"signal-node", {}}, {"signal-supervisor", {{"after", std::string("signal-node")}}}};
    for (int i = 0; i < 2; ++i) faults.push_back(std::make_unique<Silent>(at_rest));
  }
  StrikeTimes times() {
    return {one, faults, observe::ArenaRest(false, ::getpid(), [](Pid) { return false; }),
            {[this](const ArenaRested& event) { rested.push_back(event); },
             [this](std::size_t fault, const Event& event) { shown.emplace_back(fault, kind_of(event.what)); },
             [this] { ++none_left; }}};
  }
  Case one;
  std::vector<std::unique_ptr<faults::Fault>> faults;
  std::vector<ArenaRested> rested;
  std::vector<std::pair<std::size_t, std::string_view>> shown;
  int none_left = 0;
};

Command command() { return Command{{"sh"}}; }
void tick_until_rested(StrikeTimes& times, const Stage& stage, std::size_t times_rested = 1) {
  const Nanos give_up = monotonic_now() + 60s;
  while (stage.rested.size() < times_rested && monotonic_now() < give_up) times.tick();
}

TEST(StrikeTimes, TheTreeIsUpForAFaultOnceTheArenaRests) {
  Stage stage(command());
  StrikeTimes times = stage.times();
  const Event up{1ms, TreeReady{1}};
  EXPECT_TRUE(times.keeps_back(0, up));
  EXPECT_TRUE(times.keeps_back(1, up));
  EXPECT_TRUE(times.keeps_any());
  EXPECT_EQ(times.told_of(0), "");
  tick_until_rested(times, stage);
  EXPECT_THAT(stage.shown, ElementsAre(std::pair(0, "tree-ready"), std::pair(1, "tree-ready")));
  EXPECT_EQ(stage.none_left, 1);
  EXPECT_TRUE(stage.rested.at(0).rested);
  EXPECT_EQ(times.told_of(0), ", and the arena is at rest");
}

TEST(StrikeTimes, OtherEventsAreShownAtOnce) {
  Stage stage(command());
  StrikeTimes times = stage.times();
  EXPECT_FALSE(times.keeps_back(0, {1ms, Exited{3, "task", {}, true}}));
  EXPECT_FALSE(times.keeps_back(0, {1ms, FaultFired{"signal-node", ""}})) << "it waits for none";
  EXPECT_TRUE(times.keeps_back(1, {1ms, FaultFired{"signal-node", ""}}));
}

TEST(StrikeTimes, NothingIsKeptFromTheFaultsOfAModel) {
  Stage stage{ModelSupervisor{}};
  EXPECT_FALSE(stage.times().keeps_back(0, {1ms, TreeReady{1}}));
}

TEST(StrikeTimes, NorFromAFaultThatGoesByItsOwnEvent) {
  Stage stage(command(), false);
  EXPECT_FALSE(stage.times().keeps_back(0, {1ms, TreeReady{1}}));
}

TEST(StrikeTimes, ADelayIsWaitedForAfterTheRest) {
  Stage stage(command());
  stage.one.faults[0].delay = 200ms;
  StrikeTimes times = stage.times();
  times.keeps_back(0, {1ms, TreeReady{1}});
  tick_until_rested(times, stage);
  const Nanos rested = monotonic_now();
  EXPECT_THAT(stage.shown, IsEmpty());
  while (stage.shown.empty() && monotonic_now() - rested < 60s) times.tick();
  EXPECT_GE(monotonic_now() - rested, 190ms);
  EXPECT_EQ(times.told_of(0), ", and the arena is at rest; 200 ms more were waited (delay_s)");
}

TEST(StrikeTimes, ADelayOfAFaultThatWaitsForAnotherBeginsWithThatOne) {
  Stage stage(command());
  stage.one.faults[1].delay = 1h;
  StrikeTimes times = stage.times();
  times.keeps_back(1, {1ms, TreeReady{1}});
  tick_until_rested(times, stage);
  EXPECT_THAT(stage.shown, ElementsAre(std::pair(1, "tree-ready")));
  times.keeps_back(1, {2ms, FaultFired{"signal-node", ""}});
  tick_until_rested(times, stage, 2);
  EXPECT_EQ(stage.shown.size(), 1U);
  EXPECT_TRUE(times.keeps_any());
}

TEST(StrikeTimes, WhenTheSupervisorEndsAFaultSeesThatTheOneBeforeHasStruck) {
  Stage stage(command());
  StrikeTimes times = stage.times();
  times.keeps_back(0, {1ms, TreeReady{1}});
  times.keeps_back(1, {2ms, FaultFired{"signal-node", ""}});
  times.supervisor_ends();
  EXPECT_THAT(stage.shown, ElementsAre(std::pair(1, "fault-fired")));
  EXPECT_FALSE(times.keeps_any());
}

}  // namespace
}  // namespace forkproof::run
