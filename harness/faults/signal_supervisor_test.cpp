// What `signal-supervisor` and `signals-at-start` refuse. What they do is in ci/command-test, with real supervisors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/faults/fault.h"

namespace forkproof::faults {
namespace {

using testing::HasSubstr;

std::string complaint(const std::string& fault, std::map<std::string, FaultSpec::Setting> settings) {
  return find_fault(fault)->check({fault, std::move(settings)});
}

TEST(SignalSupervisor, ATerminalSendsOnlyWhatAKeyboardOrAHangupCan) {
  EXPECT_EQ(complaint("signal-supervisor", {{"to", "terminal"}, {"signal", "SIGINT"}}), "");
  EXPECT_EQ(complaint("signal-supervisor", {{"to", "terminal"}, {"signal", "SIGHUP"}}), "");
  EXPECT_THAT(complaint("signal-supervisor", {{"to", "terminal"}}), HasSubstr("no terminal sends SIGTERM"));
  EXPECT_THAT(complaint("signal-supervisor", {{"to", "terminal"}, {"signal", "SIGKILL"}}), HasSubstr("SIGINT, SIGQUIT or SIGHUP"));
  EXPECT_THAT(complaint("signal-supervisor", {{"to", "terminal"}, {"signal", "SIGHUP"}, {"again", std::int64_t{1}}}),
              HasSubstr("hangs up once"));
}

TEST(SignalSupervisor, WaitsForAFaultThatThereIs) {
  EXPECT_EQ(complaint("signal-supervisor", {{"after", "signal-node"}}), "");
  EXPECT_THAT(complaint("signal-supervisor", {{"after", "signal-nodes"}}), HasSubstr("there is no fault 'signal-nodes'"));
  EXPECT_THAT(complaint("signal-supervisor", {{"after", "signal-supervisor"}}), HasSubstr("cannot wait for itself"));
}

TEST(SignalsAtStart, NamesSignalsThatCanBeIgnoredOrBlocked) {
  EXPECT_EQ(complaint("signals-at-start", {{"ignored", "SIGHUP SIGCHLD"}, {"blocked", "SIGTERM"}}), "");
  EXPECT_THAT(complaint("signals-at-start", {}), HasSubstr("names a signal"));
  EXPECT_THAT(complaint("signals-at-start", {{"blocked", "SIGTREM"}}), HasSubstr("'SIGTREM' is no signal"));
  EXPECT_THAT(complaint("signals-at-start", {{"ignored", "SIGKILL"}}), HasSubstr("neither ignored nor blocked"));
}

}  // namespace
}  // namespace forkproof::faults
