#include "harness/scenario/scenario.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "harness/core/error.h"
#include "harness/scenario/library.h"

namespace forkproof::scenario {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::string check_reply(const FaultSpec& fault) {
  return fault.word("after", "start") == "start" ? "" : "after is not \"start\"";
}

constexpr Setting reply_settings[] = {
    {.key = "status", .is_number = true, .required = true, .about = "", .least = 200, .most = 599},
    {.key = "after", .is_number = false, .required = false, .about = ""},
};

Vocabulary small_vocabulary() {
  Vocabulary words;
  words.backends = {"fork", "fork-exec"};
  words.oracles = {"no-orphans", "no-zombies"};
  words.sync_points = {{"forked", Announcer::root}, {"spawned", Announcer::supervisor}, {"leaving", Announcer::node}};
  words.faults = {{"heartbeat-reply", {std::begin(reply_settings), std::end(reply_settings)}, check_reply}};
  for (const char* inside : {"fork-after-thread", "runtime-in-child"}) {
    auto& fault = words.faults.emplace_back();
    fault.key = inside, fault.in_subject = true;
  }
  return words;
}

Scenario read(const std::string& text) { return read_scenario_text(text, "dir/x.toml", small_vocabulary()); }

/// What is said of a bad text; empty when nothing is.
std::string complaint(const std::string& text) {
  try {
    read(text);
  } catch (const BadInput& error) {
    return error.what();
  }
  return {};
}

// The smallest good file: line 1 the question, 2 [tree], 3 [across], 4 its profiles. Insertions go at a line's end.
std::string file(const std::string& in_tree = "", const std::string& at_end = "") {
  return "question = \"Why?\"\n[tree]\n" + in_tree + "[across]\nprofiles = [\"good\", \"bad\"]\n" + at_end;
}

TEST(ReadScenario, TheSmallestFileHasUsefulDefaults) {
  const Scenario scenario = read(file());
  EXPECT_EQ(scenario.name, "x");
  EXPECT_EQ(scenario.path, "dir/x.toml");
  EXPECT_EQ(scenario.question, "Why?");
  EXPECT_EQ(scenario.tree.role, "task");
  EXPECT_EQ(count_nodes(scenario.tree), 1U);
  EXPECT_THAT(scenario.profiles, ElementsAre("good", "bad"));
  EXPECT_THAT(scenario.backends, ElementsAre("fork", "fork-exec")) << "none named: all";
  EXPECT_THAT(scenario.expectations, IsEmpty());
}

constexpr char for_a_command[] = "question = \"Why?\"\nsubject = \"command\"\n[tree]\n";

TEST(ReadScenario, ACommandsTaskThatAsksForNothingInheritsItsSignals) {
  const TaskNode node = read(std::string(for_a_command) + "[[tree.children]]\non_term = \"default\"\n").tree;
  EXPECT_EQ(node.on_term, Answer::inherits);
  EXPECT_EQ(node.on_int, Answer::inherits);
  EXPECT_EQ(node.children.at(0).on_term, Answer::dies) << "SIG_DFL was asked for";
  EXPECT_EQ(node.children.at(0).on_int, Answer::inherits);
}

TEST(ReadScenario, AModelsTaskThatAsksForNothingSetsSigDfl) {
  const Scenario scenario = read(file());
  EXPECT_EQ(scenario.tree.on_term, Answer::dies);
  EXPECT_EQ(scenario.tree.on_int, Answer::dies);
  EXPECT_EQ(scenario.command_tree.on_int, Answer::inherits) << "the same question, asked of a command";
}

TEST(ReadScenario, TakesEverythingThatAFileMaySay) {
  const Scenario scenario = read(R"(
question = "Why?"
source = "a#1"
patience_s = 1.5
[tree]
role = "runner"
on_term = "return"
on_int = "ignore"
ends_with_children = true
exit_code = 3
[[tree.children]]
role = "helper"
keeps = ["stdin", "stderr"]
own_session = true
copies = 2
[[tree.children.children]]
keeps = "all"
double_fork = true
output_bytes = 4096
exits_after_s = 2
[[fault]]
fault = "heartbeat-reply"
status = 409
after = "start"
[[hold]]
who = "supervisor"
at = "spawned"
number = 2
until = "runner forked"
[[hold]]
who = "supervisor"
at = "spawned"
until = "tree ready"
[across]
profiles = "good"
backends = ["fork-exec"]
[[expect]]
profile = "good"
breaks = ["no-orphans"]
)");
  EXPECT_EQ(scenario.source, "a#1");
  EXPECT_EQ(scenario.patience, 1500ms);
  const TaskNode& root = scenario.tree;
  EXPECT_EQ(root.role, "runner");
  EXPECT_EQ(root.on_term, Answer::goes_on);
  EXPECT_EQ(root.on_int, Answer::ignores);
  EXPECT_TRUE(root.ends_with_children);
  EXPECT_EQ(root.exit_code, 3);
  EXPECT_EQ(count_nodes(root), 5U);
  ASSERT_EQ(root.children.size(), 2U);
  EXPECT_EQ(root.children[0], root.children[1]);
  EXPECT_EQ(root.children[0].keeps, keeps_stdin | keeps_stderr);
  EXPECT_TRUE(root.children[0].own_session);
  const TaskNode& leaf = root.children[0].children.at(0);
  EXPECT_EQ(leaf.role, "helper");
  EXPECT_EQ(leaf.keeps, keeps_all);
  EXPECT_TRUE(leaf.double_fork);
  EXPECT_EQ(leaf.output_bytes, 4096U);
  EXPECT_EQ(leaf.exits_after, Nanos(2s));
  EXPECT_THAT(scenario.faults, ElementsAre(FaultSpec{
                                   "heartbeat-reply", {{"status", std::int64_t{409}}, {"after", std::string("start")}}}));
  EXPECT_THAT(scenario.holds, ElementsAre(HoldRule{"supervisor", "spawned", 2, "runner", "forked"},
                                          HoldRule{"supervisor", "spawned", 1, "", "ready"}));
  EXPECT_THAT(scenario.profiles, ElementsAre("good"));
  EXPECT_THAT(scenario.backends, ElementsAre("fork-exec"));
}

struct Bad {
  const char* name;
  std::string text;
  std::string place;  ///< "line:column"
  std::string says;
};
void PrintTo(const Bad& bad, std::ostream* out) { *out << bad.name; }
class BadScenario : public testing::TestWithParam<Bad> {};

TEST_P(BadScenario, IsRefusedWithItsPlaceAndAReason) {
  const Bad& bad = GetParam();
  EXPECT_THAT(complaint(bad.text), AllOf(StartsWith("dir/x.toml:" + bad.place + ": "), HasSubstr(bad.says)));
}

const std::string fault = "[[fault]]\nfault = \"heartbeat-reply\"\n";
const std::string hold = "[[hold]]\nwho = \"supervisor\"\nat = \"spawned\"\n";

INSTANTIATE_TEST_SUITE_P(
    Structure, BadScenario,
    testing::Values(
        Bad{"BrokenToml", "question = \"Why?\n", "1:17", "string"},
        Bad{"NoQuestion", "[tree]\n[across]\nprofiles = [\"good\"]\n", "1:1", "'question' is missing"},
        Bad{"NoTree", "question = \"Why?\"\n[across]\nprofiles = [\"good\"]\n", "1:1", "'[tree]' is missing"},
        Bad{"NoAcross", "question = \"Why?\"\n[tree]\n", "1:1", "'[across]' is missing"},
        Bad{"NoProfiles", "question = \"Why?\"\n[tree]\n[across]\n", "3:1", "'profiles' is missing"},
        Bad{"UnknownKey", file("rol = \"x\"\n"), "3:1", "unknown key 'rol' (did you mean 'role'?)"},
        Bad{"UnknownKeyAtTheTop", "qestion = \"Why?\"\n" + file(), "1:1", "unknown key 'qestion' (did you mean 'question'?)"},
        Bad{"UnknownKeyWithNothingNear", file("zzzzzzzzzzzzzzzz = 1\n"), "3:1", "unknown key 'zzzzzzzzzzzzzzzz'"},
        Bad{"TreeIsNoTable", "question = \"Why?\"\ntree = 3\n", "2:8", "wants a table, not integer"},
        Bad{"ChildrenAreNoTables", file("children = [1]\n"), "3:12", "wants tables in its list, not integer"}),
    [](const auto& each) { return each.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Values, BadScenario,
    testing::Values(
        Bad{"QuestionIsANumber", "question = 3\n[tree]\n[across]\nprofiles = [\"good\"]\n", "1:12", "wants a string, not integer"},
        Bad{"FlagIsAWord", file("own_session = \"yes\"\n"), "3:15", "wants true or false, not string"},
        Bad{"NumberIsAFraction", file("exit_code = 1.5\n"), "3:13", "wants a whole number, not floating-point"},
        Bad{"NumberIsNegative", file("output_bytes = -1\n"), "3:16", "-1 is not from 0 to"},
        Bad{"NumberIsAbsurd", file("exit_code = 256\n"), "3:13", "256 is not from 0 to 255"},
        Bad{"DurationIsNegative", file("exits_after_s = -0.5\n"), "3:17", "-0.5 is not from 0 to"},
        Bad{"DurationIsAbsurd", file("exits_after_s = 1e9\n"), "3:17", "is not from 0 to"},
        Bad{"DurationIsNoNumber", file("exits_after_s = nan\n"), "3:17", "is not from 0 to"},
        Bad{"Inherit", file("on_int = \"inherit\"\n"), "3:10", "'inherit' is for subject = \"command\""},
        Bad{"Answer", file("on_term = \"retrun\"\n"), "3:11", "unknown word 'retrun' (did you mean 'return'?)"},
        Bad{"Keeps", file("keeps = [\"stdn\"]\n"), "3:9", "unknown word 'stdn' (did you mean 'stdin'?)"},
        Bad{"ReservedRole", file("role = \"warden\"\n"), "3:8", "a name of the rig's own"},
        Bad{"RoleOfTheSecondTask", file("role = \"second-task\"\n"), "3:8", "a name of the rig's own"},
        Bad{"RoleWithABlank", file("role = \"a b\"\n"), "3:8", "\"a b\" is no name: letters, digits"},
        Bad{"RoleWithEscape", file("role = \"a\\u001B\"\n"), "3:8", "\"a\\x1b\" is no name"},
        Bad{"RoleWithNul", file("role = \"a\\u0000\"\n"), "3:8", "holds a NUL"},
        Bad{"VariantThatIsAPath", file("", "[[variant]]\nname = \"../../x\"\n"), "6:8", "\"../../x\" is no name"},
        Bad{"VariantThatIsAFolder", file("", "[[variant]]\nname = \"..\"\n"), "6:8", "\"..\" is no name"},
        Bad{"VariantWithoutAName", file("", "[[variant]]\nname = \"\"\n"), "6:8", "\"\" is no name"},
        Bad{"LongRole", file("role = \"sixteen-letters-\"\n"), "3:8", "not from 1 to 15 bytes"},
        Bad{"EmptyRole", file("role = \"\"\n"), "3:8", "not from 1 to 15 bytes"},
        Bad{"CopiesOfTheRoot", file("copies = 2\n"), "2:1", "no copies, no double_fork"},
        Bad{"DoubleForkOfTheRoot", file("double_fork = true\n"), "2:1", "no copies, no double_fork"},
        Bad{"TooManyNodes", file("[[tree.children]]\ncopies = 10000\n"), "3:1", "more than 10000 nodes"},
        Bad{"TooManyNodesByNesting",
            file("[[tree.children]]\ncopies = 1000000000\n[[tree.children.children]]\ncopies = 9998\n"), "3:1",
            "more than 10000 nodes"}),
    [](const auto& each) { return each.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Words, BadScenario,
    testing::Values(
        Bad{"Backend", file("", "backends = [\"fork-exce\"]\n"), "5:12", "unknown word 'fork-exce' (did you mean 'fork-exec'?)"},
        Bad{"FaultWithoutName", file("", "[[fault]]\nstatus = 409\n"), "5:1", "'fault' is missing"},
        Bad{"Fault", file("", "[[fault]]\nfault = \"heartbeat-replies\"\n"), "6:9", "did you mean 'heartbeat-reply'?"},
        Bad{"FaultSettingMissing", file("", fault), "5:1", "'status' is missing"},
        Bad{"FaultSettingOutOfRange", file("", fault + "status = 1\n"), "7:10", "1 is not from 200 to 599"},
        Bad{"FaultSettingOfAnotherType", file("", fault + "status = \"409\"\n"), "7:10", "wants a whole number"},
        Bad{"FaultSettingUnknown", file("", fault + "status = 409\naftr = \"start\"\n"), "8:1", "did you mean 'after'?"},
        Bad{"FaultSettingsTogether", file("", fault + "status = 409\nafter = \"x\"\n"), "5:1", "after is not \"start\""},
        Bad{"SyncPoint", file("", "[[hold]]\nwho = \"supervisor\"\nat = \"spawnd\"\nuntil = \"tree ready\"\n"), "7:6",
            "did you mean 'spawned'?"},
        Bad{"UntilWithoutAPoint", file("", hold + "until = \"ready\"\n"), "8:9", "wants \"tree ready\" or \"ROLE SYNC-POINT\""},
        Bad{"UntilWithAnUnknownPoint", file("", hold + "until = \"task forkd\"\n"), "8:9", "did you mean 'forked'?"},
        Bad{"HoldOfAnother", file("", "[[hold]]\nwho = \"task\"\nat = \"spawned\"\nuntil = \"tree ready\"\n"), "7:6",
            "task never comes to 'spawned' (it comes to: forked, leaving)"},
        Bad{"HoldAtTheRootsPoint", file("[[tree.children]]\n", "[[hold]]\nwho = \"helper\"\nat = \"forked\"\nuntil = \"tree ready\"\n"), "8:6",
            "helper never comes to 'forked' (it comes to: leaving)"},
        Bad{"UntilWithAnothersPoint", file("", hold + "until = \"supervisor leaving\"\n"), "8:9", "supervisor never comes to 'leaving'"},
        Bad{"HoldNeverReached", file("", hold + "number = 0\nuntil = \"tree ready\"\n"), "8:10", "0 is not from 1"},
        Bad{"ExpectedProfile", file("", "[[expect]]\nprofile = \"goood\"\n"), "6:11", "did you mean 'good'?"},
        Bad{"ExpectedBackend", file("", "[[expect]]\nbackend = \"frok\"\n"), "6:11", "did you mean 'fork'?"},
        Bad{"ExpectedOracle", file("", "[[expect]]\nbreaks = [\"no-orphan\"]\n"), "6:10", "did you mean 'no-orphans'?"}),
    [](const auto& each) { return each.param.name; });

TEST(ReadScenario, NamesAllWordsWhenNoneIsNear) {
  EXPECT_THAT(complaint(file("on_term = \"xxxxxxxxxxxxxxxx\"\n")), HasSubstr("(one of: default, ignore, return, exit, fork, inherit)"));
}

std::string tree_of_levels(int levels) {
  std::string text, table = "tree";
  for (int level = 2; level <= levels; ++level) text += "[[" + (table += ".children") + "]]\n";
  return text;
}

TEST(ReadScenario, TakesTheLargestTreeAndNoLarger) {
  EXPECT_EQ(count_nodes(read(file("[[tree.children]]\ncopies = 9999\n")).tree), max_nodes);
  EXPECT_EQ(count_levels(read(file(tree_of_levels(64))).tree), max_levels);
  EXPECT_THAT(complaint(file(tree_of_levels(65))), HasSubstr("deeper than 64 levels"));
}

TEST(ReadScenario, TheLongestRoleIsTaken) {  // what the kernel keeps of a name
  EXPECT_EQ(read(file("role = \"fifteen-letters\"\n")).tree.role, "fifteen-letters");
}

TEST(ReadScenario, AFileThatIsNotThereIsBadInput) {
  EXPECT_THROW(read_scenario("/no/such.toml", small_vocabulary()), BadInput);
  EXPECT_THROW(read_scenario("/dev/null", small_vocabulary()), BadInput);  // empty
}

/// Written to a file of the test's own, since a file may hold several.
std::vector<Scenario> read_variants(const std::string& text, const std::string& only = "") {
  const std::string path = testing::TempDir() + "/forkproof-variants-" + std::to_string(::getpid()) + ".toml";
  std::ofstream(path) << text;
  const auto removed = std::shared_ptr<void>(nullptr, [&](void*) { std::filesystem::remove(path); });
  return read_scenarios(path, small_vocabulary(), only);
}

const std::string two_variants = file("role = \"runner\"\n[[tree.children]]\nrole = \"helper\"\n", R"(
[[fault]]
fault = "heartbeat-reply"
status = 409
[[variant]]
name = "plain"
[[variant]]
name = "other"
question = "And so?"
fault.heartbeat-reply.status = 404
tree.children.helper.own_session = true
[[expect]]
variant = "other"
breaks = "no-orphans"
)");

TEST(Variants, EachIsTheFileWithItsOwnTableLaidOver) {
  const auto both = read_variants(two_variants);
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[0].variant, "plain");
  EXPECT_EQ(both[0].question, "Why?");
  EXPECT_EQ(both[0].faults.at(0).number("status", 0), 409);
  EXPECT_FALSE(both[0].tree.children.at(0).own_session);
  EXPECT_EQ(both[1].variant, "other");
  EXPECT_EQ(both[1].question, "And so?");
  EXPECT_EQ(both[1].faults.at(0).number("status", 0), 404);
  EXPECT_TRUE(both[1].tree.children.at(0).own_session);
  EXPECT_EQ(both[1].name, both[0].name);
}

TEST(Variants, OneMayBePickedAndExpectedAlone) {
  const auto one = read_variants(two_variants, "other");
  ASSERT_EQ(one.size(), 1U);
  EXPECT_THAT(expected_breaks(one[0], "good", "fork"), ElementsAre("no-orphans"));
  EXPECT_THAT(expected_breaks(read_variants(two_variants, "plain").at(0), "good", "fork"), IsEmpty());
}

TEST(Variants, MistakesAreRefused) {
  const auto complaint_of = [](const std::string& text, const std::string& only) -> std::string {
    try {
      read_variants(text, only);
    } catch (const BadInput& error) {
      return error.what();
    }
    return {};
  };
  EXPECT_THAT(complaint_of(two_variants, "othr"), HasSubstr("no variant 'othr' (did you mean 'other'?)"));
  EXPECT_THAT(complaint_of(file(), "any"), HasSubstr("no variant 'any'; it has none"));
  EXPECT_THAT(complaint_of(two_variants, "zzzzzzzzzzzz"), HasSubstr("no variant 'zzzzzzzzzzzz' (one of: plain, other)"));
  EXPECT_THAT(complaint_of(file("", "[[variant]]\n"), ""), HasSubstr("'name' is missing"));
  EXPECT_THAT(complaint_of(file("", "[[variant]]\nname = \"a\"\n[[variant]]\nname = \"a\"\n"), ""), HasSubstr("is there twice"));
  EXPECT_THAT(complaint_of(file("", "[[variant]]\nname = \"a\"\nqestion = \"x\"\n"), ""), HasSubstr("did you mean 'question'?"));
  EXPECT_THAT(complaint_of(file("", "[[variant]]\nname = \"a\"\n[[expect]]\nvariant = \"b\"\n"), ""), HasSubstr("unknown word 'b'"));
}

TEST(ExpectedBreaks, AllTablesThatFitCountTogether) {
  const Scenario scenario = read(file("", R"(
[[expect]]
profile = "bad"
breaks = ["no-orphans"]
[[expect]]
backend = "fork"
breaks = ["no-zombies"]
)"));
  EXPECT_THAT(expected_breaks(scenario, "bad", "fork"), ElementsAre("no-orphans", "no-zombies"));
  EXPECT_THAT(expected_breaks(scenario, "bad", "fork-exec"), ElementsAre("no-orphans"));
  EXPECT_THAT(expected_breaks(scenario, "good", "fork"), ElementsAre("no-zombies"));
  EXPECT_THAT(expected_breaks(scenario, "good", "fork-exec"), IsEmpty());
}

TEST(ExpectedBreaks, ATableThatNamesNobodyFitsAll) {
  const Scenario scenario = read(file("", "[[expect]]\nbreaks = [\"no-orphans\"]\n"));
  EXPECT_THAT(expected_breaks(scenario, "good", "fork-exec"), ElementsAre("no-orphans"));
  EXPECT_THAT(expected_breaks(scenario, "not in the file", "fork"), ElementsAre("no-orphans"));
}

TEST(ExpectedBreaks, WhatCanNeverApplyIsRefusedAtItsLine) {
  const auto crossed = [](const std::string& expect) { return file("", "backends = [\"fork\"]\n[[expect]]\n" + expect + "breaks = [\"no-orphans\"]\n"); };
  EXPECT_EQ(complaint(crossed("backend = \"fork\"\n")), "");
  EXPECT_THAT(complaint(crossed("backend = \"fork-exec\"\n")), AllOf(StartsWith("dir/x.toml:7:"), HasSubstr("unknown word 'fork-exec'")));
  EXPECT_THAT(complaint(crossed("profile = \"nobody\"\n")), StartsWith("dir/x.toml:7:"));
  EXPECT_THAT(complaint(crossed("variant = \"x\"\n")), AllOf(StartsWith("dir/x.toml:7:"), HasSubstr("this file has no [[variant]]")));
  EXPECT_THAT(complaint("question = \"Why?\"\nsubject = \"command\"\n[tree]\n[[expect]]\nbreaks = [\"no-orphans\"]\n"),
              AllOf(StartsWith("dir/x.toml:4:"), HasSubstr("stands in its target's file")));
}

TEST(ReadScenario, AProfileThatThereIsNoneOfIsRefusedAtItsLine) {
  Vocabulary words = small_vocabulary();
  words.profiles = {"good", "worse"};
  try {
    (void)read_scenario_text(file(), "dir/x.toml", words);
    FAIL() << "there is no profile 'bad'";
  } catch (const BadInput& error) {
    EXPECT_THAT(error.what(), StartsWith("dir/x.toml:4:"));
  }
}

TEST(ReadScenario, WhatIsCrossedTwiceIsRefused) {
  EXPECT_THAT(complaint("question = \"Why?\"\n[tree]\n[across]\nprofiles = [\"good\", \"good\"]\n"),
              AllOf(StartsWith("dir/x.toml:4:"), HasSubstr("'good' is there twice")));
  EXPECT_THAT(complaint(file("", "backends = [\"fork\", \"fork\"]\n")), HasSubstr("'fork' is there twice"));
}

TEST(FindScenario, APathThatIsNoFileSaysWhatItIs) {
  const auto refusal = [](const std::string& asked) -> std::string {
    try {
      (void)find_scenario(asked);
    } catch (const BadInput& error) {
      return error.what();
    }
    return {};
  };
  EXPECT_THAT(refusal("/dev/null/x.toml"), HasSubstr("Not a directory"));
  EXPECT_THAT(refusal(std::string(300, 'x') + ".toml"), HasSubstr("File name too long"));
  EXPECT_THAT(refusal(std::string(300, 'x')), HasSubstr("File name too long"));
  EXPECT_THAT(refusal("/tmp/question"), HasSubstr("/tmp/question: is no name; and a scenario's file ends in .toml"));
  EXPECT_THAT(refusal(""), HasSubstr("a scenario's name is empty"));
}

TEST(FindScenario, NamesTheNearest) {
  EXPECT_THAT(find_scenario(FORKPROOF_SOURCE "/scenarios/heartbeat-409.toml").path, testing::EndsWith("heartbeat-409.toml"));
  EXPECT_THROW((void)find_scenario("no/such/file.toml"), BadInput);
  try {
    (void)find_scenario("heartbeat-408");
    FAIL() << "it is not there";
  } catch (const BadInput& error) {
    EXPECT_THAT(error.what(), HasSubstr("did you mean 'heartbeat-409'?"));
  }
}

TEST(ReadScenario, TwoFaultsInsideTheSubjectAreRefusedAtTheSecond) {
  const std::string first = "[[fault]]\nfault = \"fork-after-thread\"\n", second = "[[fault]]\nfault = \"runtime-in-child\"\n";
  const std::string reply = "[[fault]]\nfault = \"heartbeat-reply\"\nstatus = 409\n";
  EXPECT_EQ(complaint(file("", first + reply)), "");
  EXPECT_THAT(complaint(file("", first + second)),
              AllOf(StartsWith("dir/x.toml:8:"), HasSubstr("fork-after-thread and runtime-in-child both act inside the subject")));
  EXPECT_THAT(complaint(file("", first + reply + first)), StartsWith("dir/x.toml:11:"));
}

TEST(ReadScenario, AScheduleHasNoLetterThatNobodyHas) {
  const auto with = [](const std::string& schedule) { return complaint("schedule = \"" + schedule + "\"\n" + file()); };
  EXPECT_EQ(with("sa.a"), "");
  EXPECT_THAT(with("zzz"), AllOf(StartsWith("dir/x.toml:1:"), HasSubstr("'z' is nobody's letter: the tree has 1 process, a;")));
}

TEST(ReadScenario, ALongValueIsNotEchoedWhole) {
  for (const char* before : {"", "[", "[\"", "[tree]\nrole = \"", "schedule = \"", "x = \""}) {
    const std::string huge(70'000, 'x');
    const std::string says = complaint(before + huge + "\"\n" + file());
    EXPECT_THAT(says, StartsWith("dir/x.toml:")) << before;
    EXPECT_LT(says.size(), 500U) << before;
  }
}

// A command's faults strike when its arena is at rest, and as much later as the file says.
std::string for_commands(const std::string& in_head, const std::string& in_fault) {
  return "question = \"Why?\"\nsubject = \"command\"\n" + in_head + "[tree]\n[[fault]]\nfault = \"heartbeat-reply\"\nstatus = 409\n" +
         in_fault;
}

TEST(ReadScenario, ACommandIsGivenTimeBeforeTheStrike) {
  const Scenario given = read(for_commands("settle_s = 0.5\n", "delay_s = 2\n"));
  EXPECT_EQ(given.settle, 500ms);
  EXPECT_EQ(given.faults.at(0).delay, 2s);
  const Scenario plain = read(for_commands("", ""));
  EXPECT_EQ(plain.settle, 0s);
  EXPECT_EQ(plain.faults.at(0).delay, 0s);
}

TEST(ReadScenario, TimeBeforeTheStrikeIsNeitherNegativeNorEndless) {
  for (const char* wrong : {"-1", "nan", "inf", "3601", "1e300", "\"soon\""}) {
    const std::string settle = complaint(for_commands(std::string("settle_s = ") + wrong + "\n", ""));
    EXPECT_THAT(settle, AllOf(StartsWith("dir/x.toml:3:"), HasSubstr("settle_s"))) << wrong;
    const std::string delay = complaint(for_commands("", std::string("delay_s = ") + wrong + "\n"));
    EXPECT_THAT(delay, AllOf(StartsWith("dir/x.toml:7:"), HasSubstr("delay_s"))) << wrong;
  }
}

TEST(ReadScenario, AModelSupervisorIsStruckAtItsSyncPoints) {
  EXPECT_THAT(complaint("settle_s = 1\n" + file()), HasSubstr("settle_s: is a command's"));
  EXPECT_THAT(complaint(file("", "[[fault]]\nfault = \"heartbeat-reply\"\nstatus = 409\ndelay_s = 1\n")),
              HasSubstr("delay_s: is a command's"));
}

}  // namespace
}  // namespace forkproof::scenario
