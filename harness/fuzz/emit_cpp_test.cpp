// Programs without the rig: each is compiled and run, and says of the case what the oracle says. A break and its right twin.
#include "harness/fuzz/emit_cpp.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "harness/core/children.h"
#include "harness/core/error.h"
#include "harness/fuzz/emit_supported.h"
#include "harness/run/plan.h"
#include "harness/scenario/library.h"
#include "harness/scenario/scenario.h"

namespace forkproof::fuzz {
namespace {

namespace fs = std::filesystem;

Case library_case(const std::string& scenario, const std::string& profile, const std::string& backend) {
  const scenario::Named named = scenario::find_scenario(scenario);
  run::Choice choice;
  choice.profiles = {profile}, choice.backends = {backend};
  return run::cross(scenario::read_scenarios(named.path, run::vocabulary(), named.variant).front(), choice).front().one;
}

/// The exit status of the program, compiled without a warning; -1 when it was not.
int comes_to(const std::string& program) {
  std::string folder = (fs::temp_directory_path() / "emit-test.XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return -1;
  std::ofstream(folder + "/case.cpp") << program;
  int status = -1;
  if (std::system(("c++ -std=c++17 -Wall -Wextra -Werror -pthread -o " + folder + "/case " + folder + "/case.cpp").c_str()) == 0) {
    const int raw = std::system(("timeout 60 " + folder + "/case >" + folder + "/out 2>&1").c_str());
    status = WIFEXITED(raw) ? WEXITSTATUS(raw) : -1;
  }
  fs::remove_all(folder);
  return status;
}

struct Row {
  const char* scenario;
  const char* profile;
  const char* backend;
  const char* promise;
  bool breaks;
};

constexpr Row rows[] = {
    {"heartbeat-409", "airflow-3.2.0", "fork", "no-orphans", true},
    {"heartbeat-409", "airflow-51180", "posix-spawn", "no-orphans", true},
    {"heartbeat-409", "airflow-65738", "fork", "no-orphans", false},
    {"heartbeat-409", "exemplary", "fork", "no-orphans", false},
    {"heartbeat-409", "airflow-3.2.0", "fork", "selector-intact", true},
    {"heartbeat-409", "airflow-51180", "fork", "selector-intact", false},
    {"heartbeat-409", "airflow-3.2.0", "fork", "state-reported", true},
    {"heartbeat-409", "exemplary", "fork", "state-reported", false},
    {"closed-selector-shapes", "airflow-3.2.0-number-taken-by-epoll", "fork", "selector-intact", true},
    {"task-succeeds", "exemplary-leaves-zombies", "fork", "no-zombies", true},
    {"task-succeeds", "exemplary", "fork", "no-zombies", false},
    {"task-succeeds", "exemplary-sigchld-ignored", "fork", "exit-status-faithful", true},
    {"task-succeeds", "exemplary", "fork", "exit-status-faithful", false},
    {"capture-pipe-fill/pipe-65537", "exemplary-drains-after-exit", "fork", "no-stuck-process", true},
    {"capture-pipe-fill/pipe-65536", "exemplary-drains-after-exit", "fork", "no-stuck-process", false},
    {"capture-pipe-fill/pipe-65537", "exemplary-never-drains", "fork", "no-lost-output", true},
    {"capture-pipe-fill/pipe-65537", "exemplary", "fork", "no-lost-output", false},
    {"inherited-listener", "exemplary-without-scrub", "fork", "no-inherited-descriptors", true},
    {"inherited-listener", "exemplary", "fork", "no-inherited-descriptors", false},
    {"inherited-listener", "exemplary-inheritable-listener", "posix-spawn", "no-inherited-descriptors", true},
    {"heartbeat-409-holds-stdout", "airflow-before-51180", "fork", "teardown-bounded", true},
    {"heartbeat-409-holds-stdout", "airflow-before-51180", "fork", "no-orphans", true},
    {"heartbeat-409-holds-stdout", "airflow-51180", "fork", "teardown-bounded", false},
    {"heartbeat-replies/422", "airflow-3.2.0", "fork", "no-orphans", true},
    {"heartbeat-replies/422", "exemplary", "fork", "no-orphans", false},
    {"fork-after-thread/std-mutex", "exemplary", "fork", "no-stuck-process", true},
    {"fork-after-thread/std-mutex", "exemplary", "posix-spawn", "no-stuck-process", false},
};

class EmittedProgram : public testing::TestWithParam<Row> {};

TEST_P(EmittedProgram, SaysWhatTheOracleSays) {
  if (std::system("command -v c++ >/dev/null") != 0) GTEST_SKIP() << "no c++ here";
  const Row& row = GetParam();
  const Case one = library_case(row.scenario, row.profile, row.backend);
  EXPECT_EQ(comes_to(emit_cpp(one, row.promise)), row.breaks ? 1 : 0);
}

INSTANTIATE_TEST_SUITE_P(OfTheLibrary, EmittedProgram, testing::ValuesIn(rows), [](const auto& each) {
  std::string name = std::string(each.param.scenario) + "_" + each.param.profile + "_" + each.param.backend + "_" + each.param.promise;
  for (char& letter : name) letter = std::isalnum(static_cast<unsigned char>(letter)) ? letter : '_';
  return name;
});

/// Why a case cannot be said so; empty when it can.
std::string refusal(const Case& one, const std::string& promise) {
  try {
    (void)emit_cpp(one, promise);
    return "";
  } catch (const BadInput& error) {
    return error.what();
  }
}

TEST(EmitCpp, RefusesByNameWhatNeedsTheRig) {
  const Case good = library_case("heartbeat-409", "exemplary", "fork");
  EXPECT_EQ(refusal(good, "no-orphans"), "");
  EXPECT_THAT(refusal(good, "orphan-ends"), testing::HasSubstr("can look at orphan-ends"));
  EXPECT_THAT(refusal(library_case("heartbeat-409", "exemplary", "forkserver"), "no-orphans"), testing::HasSubstr("backend forkserver"));
  EXPECT_THAT(refusal(library_case("orphan-sigint/default", "exemplary", "fork"), "no-orphans"), testing::HasSubstr("SIGINT"));
  EXPECT_THAT(refusal(library_case("fork-after-thread/tzset", "exemplary", "fork"), "no-stuck-process"), testing::HasSubstr("lock tzset"));
  Case other = good;
  other.subject = Command{{"true"}};
  EXPECT_THAT(refusal(other, "no-orphans"), testing::HasSubstr("a program already"));
  other = good;
  other.schedule = "AB";
  EXPECT_THAT(refusal(other, "no-orphans"), testing::HasSubstr("order"));
  other = good;
  other.tree.on_term = Answer::forks;
  EXPECT_THAT(refusal(other, "no-orphans"), testing::HasSubstr("on_term = \"fork\" of 'task-runner'"));
  other = good;
  other.tree.children.front().on_int = Answer::forks;
  EXPECT_THAT(refusal(other, "no-orphans"), testing::HasSubstr("on_int = \"fork\" of 'helper'"));
  other = good;
  other.faults.front().settings["delay_s"] = std::int64_t{1};
  EXPECT_THAT(refusal(other, "no-orphans"), testing::HasSubstr("delay_s of the fault heartbeat-reply"));
}

/// A new value of a knob is refused until emitted programs do what it says.
TEST(EmitCpp, EachValueOfEachKnobIsEitherSupportedOrRefusedByName) {
  const Case good = library_case("heartbeat-409", "exemplary", "fork");
  std::set<std::string> refused;
  for (const Knob& knob : knobs()) {
    for (std::size_t i = 0; i < knob.values.size(); ++i) {
      const std::string word(knob.values[i].word), said = fmt::format("{} = \"{}\" is not supported; of {}: ", knob.key, word, knob.key);
      Case one = good;
      knob.set(std::get<ModelSupervisor>(one.subject).profile, i);
      const std::string because = refusal(one, "no-orphans");
      if (emit::supports(knob.key, word)) {
        EXPECT_THAT(because, testing::Not(testing::HasSubstr("is not supported"))) << said;
      } else {
        EXPECT_THAT(because, testing::HasSubstr(said));
        refused.insert(fmt::format("{}={}", knob.key, word));
      }
    }
  }
  EXPECT_THAT(refused, testing::ElementsAre("capture=pipe-over-quota", "capture=pty", "capture_pipe=later", "channels=lost",
                                            "model=prefork-master", "sibling=second-task"));
  EXPECT_FALSE(emit::supports("no-such-knob", "none"));
  EXPECT_FALSE(emit::supports("on_stop", "for")) << "a word, not its beginning";
}

// A name or a question is somebody else's text.
TEST(EmitCpp, NoTextGetsOutOfItsCommentOrIntoAnIdentifier) {
  Case one = library_case("heartbeat-409", "airflow-3.2.0", "fork");
  one.question = "one\n#error two \\\nthree */";
  one.tree.role = "7-up; \"\\", one.tree.children.front().role = "int";
  EXPECT_EQ(comes_to(emit_cpp(one, "no-orphans")), 1);
}

/// Whoever is orphaned in its life becomes our child.
class Adopting {
 public:
  Adopting() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }
  ~Adopting() {
    for (const int pid : left()) ::kill(pid, SIGKILL), ::waitpid(pid, nullptr, 0);
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
  }
  Adopting(const Adopting&) = delete;
  Adopting& operator=(const Adopting&) = delete;
  [[nodiscard]] static std::vector<int> left() { return descendants_of(::getpid()); }
};

TEST(EmitCpp, AProgramThatCannotTellLeavesNobody) {
  for (const char* promise : {"no-orphans", "selector-intact", "exit-status-faithful"}) {
    const Adopting adopting;
    Case one = library_case("heartbeat-409", "exemplary", "fork");
    one.bounds.teardown = std::chrono::milliseconds(1);  // over before the supervisor has stopped a task that stays
    one.tree.on_term = Answer::goes_on, one.tree.ends_with_children = false;
    auto& profile = std::get<ModelSupervisor>(one.subject).profile;
    profile.stop_signals = {SIGTERM}, profile.stop_delay = std::chrono::hours(1);
    EXPECT_EQ(comes_to(emit_cpp(one, promise)), 2) << promise;
    EXPECT_THAT(Adopting::left(), testing::IsEmpty()) << promise;
  }
}

}  // namespace
}  // namespace forkproof::fuzz
