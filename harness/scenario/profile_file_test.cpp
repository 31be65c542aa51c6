#include "harness/scenario/profile_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "harness/core/error.h"

namespace forkproof::scenario {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

/// A folder of profiles of the test's own; gone with it.
class ProfileFile : public testing::Test {
 protected:
  ProfileFile() {
    char name[] = "/tmp/forkproof-profiles-XXXXXX";
    directory_ = ::mkdtemp(name);
  }
  ~ProfileFile() override { std::filesystem::remove_all(directory_); }

  void write(const std::string& name, const std::string& text) { std::ofstream(path(name)) << text; }
  [[nodiscard]] std::string path(const std::string& name) const { return directory_ + "/" + name + ".toml"; }
  [[nodiscard]] Profile read(const std::string& name) const { return read_profile(directory_, name); }
  [[nodiscard]] std::string complaint(const std::string& name) const {
    try {
      (void)read(name);
    } catch (const BadInput& error) {
      return error.what();
    }
    return {};
  }

 private:
  std::string directory_;
};

TEST_F(ProfileFile, SaysWhatTheSupervisorDoes) {
  write("one", R"(
about = "a"
source = "b"
task_group = "shared"
reaping = "leaves"
stop_signals = ["SIGINT", "SIGTERM", "SIGKILL"]
stop_delay_s = 0.5
socket_cleanup_s = 6
heartbeat_interval_s = 7
heartbeat_timeout_s = 8
max_failed_heartbeats = 9
http_attempts = 6
http_timeout_s = 7
http_retry_first_s = 0.5
http_retry_most_s = 11
revoked_statuses = [410]
time_scale = 1
)");
  const Profile profile = read("one");
  EXPECT_EQ(profile.name, "one");
  EXPECT_EQ(profile.about, "a");
  EXPECT_EQ(profile.source, "b");
  EXPECT_EQ(profile.task_group, TaskGroup::shared);
  EXPECT_EQ(profile.reaping, Reaping::leaves);
  EXPECT_EQ(profile.signal_scope, SignalScope::task_tree) << "unsaid: the right value";
  EXPECT_THAT(profile.stop_signals, ElementsAre(2, 15, 9));
  EXPECT_EQ(profile.stop_delay, Nanos(500ms));
  EXPECT_EQ(profile.socket_cleanup, Nanos(6s));
  EXPECT_EQ(profile.heartbeat_interval, Nanos(7s));
  EXPECT_EQ(profile.heartbeat_timeout, Nanos(8s));
  EXPECT_EQ(profile.max_failed_heartbeats, 9);
  EXPECT_EQ(profile.http_attempts, 6);
  EXPECT_EQ(profile.http_timeout, Nanos(7s));
  EXPECT_EQ(profile.http_retry_first, Nanos(500ms));
  EXPECT_EQ(profile.http_retry_most, Nanos(11s));
  EXPECT_THAT(profile.revoked_statuses, ElementsAre(410));
  EXPECT_EQ(profile.time_scale, 1.0);
}

TEST_F(ProfileFile, TakesEveryWordOfEveryKnob) {
  for (const Knob& knob : knobs()) {
    for (std::size_t i = 0; i < knob.values.size(); ++i) {
      write("one", std::string(knob.key) + " = \"" + std::string(knob.values[i].word) + "\"\n");
      EXPECT_EQ(knob.get(read("one")), i) << knob.key << " = " << knob.values[i].word;
    }
  }
}

TEST_F(ProfileFile, ExtendsAnotherAndChangesWhatItSays) {
  write("base", "about = \"base\"\nsource = \"s\"\ntask_group = \"shared\"\nreaping = \"leaves\"\nstop_delay_s = 3\n");
  write("mine", "extends = \"base\"\nabout = \"mine\"\nreaping = \"collects\"\n");
  const Profile profile = read("mine");
  EXPECT_EQ(profile.name, "mine");
  EXPECT_EQ(profile.about, "mine");
  EXPECT_EQ(profile.source, "s");
  EXPECT_EQ(profile.task_group, TaskGroup::shared);
  EXPECT_EQ(profile.reaping, Reaping::collects);
  EXPECT_EQ(profile.stop_delay, Nanos(3s));
}

TEST_F(ProfileFile, ACircleOfExtendsIsRefused) {
  write("a", "extends = \"b\"\n");
  write("b", "extends = \"a\"\n");
  EXPECT_THAT(complaint("a"), HasSubstr("goes round in a circle"));
  write("self", "extends = \"self\"\n");
  EXPECT_THAT(complaint("self"), HasSubstr("goes round in a circle"));
}

TEST_F(ProfileFile, RefusesWithPlaceAndHint) {
  const auto says = [this](const std::string& text) {
    write("bad", text);
    return complaint("bad");
  };
  EXPECT_EQ(says("\nreaping = \"colects\"\n"), path("bad") + ":2:11: reaping: unknown word 'colects' (did you mean 'collects'?)");
  EXPECT_EQ(says("repaing = \"leaves\"\n"), path("bad") + ":1:1: unknown key 'repaing' (did you mean 'reaping'?)");
  EXPECT_THAT(says("stop_signals = [\"SIGTER\"]\n"), HasSubstr("did you mean 'SIGTERM'?"));
  EXPECT_THAT(says("revoked_statuses = [99]\n"), HasSubstr("99 is no HTTP status"));
  EXPECT_THAT(says("time_scale = 0\n"), HasSubstr("0 is not from"));
  EXPECT_THAT(says("time_scale = \"fast\"\n"), HasSubstr("wants a number, not string"));
  EXPECT_THAT(says("stop_delay_s = -1\n"), HasSubstr("-1 is not from 0"));
  EXPECT_THAT(says("max_failed_heartbeats = 0\n"), HasSubstr("0 is not from 1"));
}

TEST_F(ProfileFile, OneThatIsNotThereNamesTheNearest) {
  write("exemplary", "about = \"x\"\n");
  EXPECT_THAT(complaint("exemplry"), HasSubstr("did you mean 'exemplary'?"));
  EXPECT_THAT(complaint("../exemplary"), HasSubstr("no profile")) << "a name, not a way out of the folder";
  write("mine", "extends = \"exemplar\"\n");
  EXPECT_THAT(complaint("mine"), HasSubstr("did you mean 'exemplary'?"));
}

}  // namespace
}  // namespace forkproof::scenario
