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

TEST(SignalSupervisor, AnySignalOfTheKernelsCanBeSent) {
  for (const char* signal : {"SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGRTMIN+3"}) {
    EXPECT_EQ(complaint("signal-supervisor", {{"signal", std::string(signal)}}), "") << signal;
  }
  EXPECT_THAT(complaint("signal-supervisor", {{"signal", "SIGTREM"}}), HasSubstr("there is no signal 'SIGTREM'"));
}

/// Why the time of a teardown counts when the whole tree is up and rests.
class Asked final : public Strike {
 public:
  void established(const std::string&) override {}
  void fired(const std::string&) override {}
  void asks_teardown(const std::string&, const char* why) override { cause = why; }
  void signal(Pid, int) override {}
  void probed(const std::string&, const std::string&, bool) override {}
  void give_up(const std::string&) override {}
  std::string cause;
};
std::string cause_of(FaultSpec spec, const std::vector<Happening>& told) {
  const auto fault = find_fault(spec.fault)->make(spec);
  Asked strike;
  for (const Happening& what : told) fault->see({Nanos(1), what}, strike);
  for (int i = 0; i < 5000 && strike.cause.empty() && spec.fault == "signal-supervisor"; ++i) fault->tick(strike);
  return strike.cause;
}
std::string cause_of_signal(const std::string& signal, const std::string& asks = "") {
  std::map<std::string, FaultSpec::Setting> settings{{"signal", signal}};
  if (!asks.empty()) settings["asks_teardown"] = asks;
  // The supervisor is the init of this machine, or of this container: it sleeps.
  return cause_of({"signal-supervisor", settings}, {Spawned{1, 0, supervisor_node, "supervisor"}, TreeReady{1}});
}

TEST(SignalSupervisor, AReloadAsksForNoTeardownUnlessTheScenarioSaysSo) {
  for (const char* signal : {"SIGTERM", "SIGINT", "SIGQUIT"}) EXPECT_EQ(cause_of_signal(signal), cause::asked) << signal;
  for (const char* signal : {"SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH"}) EXPECT_EQ(cause_of_signal(signal), cause::not_asked) << signal;
  EXPECT_EQ(cause_of_signal("SIGUSR1", "true"), cause::asked);
  EXPECT_EQ(cause_of_signal("SIGTERM", "false"), cause::not_asked);
}

TEST(HeartbeatReply, OnlyARefusalAsksForATeardown) {
  const auto cause_of_reply = [](std::int64_t status, const std::string& after, const std::string& what, std::int64_t number) {
    return cause_of({"heartbeat-reply", {{"status", status}, {"after", after}}}, {TreeReady{1}, Reply{what, number, static_cast<int>(status), "status"}});
  };
  for (const int status : {404, 409, 410}) EXPECT_EQ(cause_of_reply(status, "heartbeat 1", "heartbeat", 2), cause::asked) << status;
  for (const int status : {500, 503, 429, 401}) EXPECT_EQ(cause_of_reply(status, "heartbeat 1", "heartbeat", 2), cause::not_asked) << status;
  EXPECT_EQ(cause_of_reply(401, "start", "run", 1), cause::asked);
  EXPECT_EQ(cause_of_reply(503, "start", "run", 1), cause::not_asked);
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
