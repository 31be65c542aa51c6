#include "harness/scenario/target_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "harness/core/error.h"
#include "harness/scenario/library.h"

namespace forkproof::scenario {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class TargetFile : public testing::Test {
 protected:
  TargetFile() {
    char name[] = "/tmp/forkproof-target-XXXXXX";
    EXPECT_NE(::mkdtemp(name), nullptr);
    root_ = name, folder_ = root_ + "/targets";
    std::filesystem::create_directory(folder_);
    write_question("term-supervisor", {"tree", "ignored"});
    write_question("kill-node", {"task", "helper"});
    write_question("undrained-stdout", {"full"});
    write_question("kill-supervisor", {});
    words_.oracles = {"no-orphans", "teardown-bounded"};
  }
  ~TargetFile() override { std::filesystem::remove_all(root_); }

  /// A scenario of the library that the targets are in: of it, only its variants count here.
  void write_question(const std::string& name, const std::vector<std::string>& variants) const {
    std::ofstream file(root_ + "/" + name + ".toml");
    file << "question = \"Why?\"\n";
    for (const std::string& variant : variants) file << "[[variant]]\nname = \"" << variant << "\"\n";
  }

  Target read(const std::string& text) {
    std::ofstream(folder_ + "/some.toml") << text;
    return read_target(folder_, "some", words_);
  }
  std::string refusal(const std::string& text) {
    try {
      (void)read(text);
    } catch (const BadInput& wrong) {
      return wrong.what();
    }
    return "";
  }

  std::string root_, folder_;
  Vocabulary words_;
};

constexpr char whole[] = R"(
about   = "about"
package = "some-package"
needs   = ["sh", "no-such-program-anywhere"]
start   = ["sh", "{dir}/run", "{task}"]
passes_exit_status = true
[environment]
KEY = "{dir}"
[[file]]
path = "{dir}/run"
text = "exec {task}"
executable = true
[[expect]]
scenario = ["term-supervisor", "kill-node/helper"]
breaks = ["no-orphans"]
because = "so it is"
)";

TEST_F(TargetFile, IsReadWhole) {
  const Target target = read(whole);
  EXPECT_EQ(target.install, "apt-get install some-package");
  EXPECT_EQ(target.command.target, "some");
  EXPECT_THAT(target.command.argv, ElementsAre("sh", "{dir}/run", "{task}"));
  EXPECT_EQ(target.command.environment.at("KEY"), "{dir}");
  EXPECT_THAT(target.command.files, ElementsAre(CommandFile{"{dir}/run", "exec {task}", true}));
  EXPECT_TRUE(target.command.passes_exit_status);
}

TEST_F(TargetFile, WhatIsNotInstalledIsNamedWithTheLineThatInstallsIt) {
  EXPECT_EQ(missing_for(read(whole)), "no-such-program-anywhere is not installed here: apt-get install some-package");
  EXPECT_EQ(missing_for(read("about = \"a\"\npackage = \"p\"\nstart = [\"sh\"]\n")), "");
}

TEST_F(TargetFile, ATruthFitsAScenarioWithAllItsVariantsOrOne) {
  const Target target = read(whole);
  EXPECT_THAT(known_breaks(target, "term-supervisor/tree"), ElementsAre("no-orphans"));
  EXPECT_THAT(known_breaks(target, "kill-node/helper"), ElementsAre("no-orphans"));
  EXPECT_THAT(known_breaks(target, "kill-node/task"), ElementsAre());
}

TEST_F(TargetFile, WhatIsNotUnderstoodIsRefused) {
  EXPECT_THAT(refusal("about = \"a\"\npackage = \"p\"\n"), HasSubstr("'start' is missing"));
  EXPECT_THAT(refusal("about = \"a\"\npackage = \"p\"\nstart = [\"sh\"]\nstrat = 1\n"), HasSubstr("strat"));
  const std::string file = "about = \"a\"\npackage = \"p\"\nstart = [\"sh\"]\n[[file]]\ntext = \"\"\npath = ";
  EXPECT_THAT(refusal(file + "\"/etc/passwd\"\n"), HasSubstr("not below {dir}"));
  EXPECT_THAT(refusal(file + "\"{dir}/../x\"\n"), HasSubstr("not below {dir}"));
  EXPECT_THAT(refusal(file + "\"{dir}/\"\n"), AllOf(HasSubstr("some.toml:6:"), HasSubstr("names a folder")));
  EXPECT_THAT(refusal(file + "\"{dir}/x/.\"\n"), HasSubstr("names a folder"));
  const std::string second = "\"{dir}/a/b\"\n[[file]]\ntext = \"\"\npath = ";
  EXPECT_EQ(refusal(file + second + "\"{dir}/a/c\"\n"), "");
  EXPECT_THAT(refusal(file + second + "\"{dir}/a//b\"\n"), AllOf(HasSubstr("some.toml:9:"), HasSubstr("is there twice")));
  EXPECT_THAT(refusal(file + second + "\"{dir}/a/b/c\"\n"), HasSubstr("'{dir}/a/b' is a file: nothing can lie below it"));
  EXPECT_THAT(refusal(file + second + "\"{dir}/a\"\n"), HasSubstr("'{dir}/a' is a file"));
  EXPECT_THAT(refusal("about = \"a\"\npackage = \"p\"\nstart = [\"sh\"]\n[[expect]]\nscenario = \"kill-node\"\nbreaks = [\"no-orphan\"]\nbecause = \"b\"\n"),
              HasSubstr("did you mean 'no-orphans'?"));
}

TEST_F(TargetFile, ATruthThatCanNeverApplyIsRefusedAtItsLine) {
  const std::string start = "about = \"a\"\npackage = \"p\"\nstart = [\"sh\"]\n[[expect]]\nbreaks = [\"no-orphans\"]\nbecause = \"b\"\n";
  EXPECT_EQ(refusal(start + "scenario = [\"kill-supervisor\", \"term-supervisor/tree\"]\n"), "");
  EXPECT_THAT(refusal(start + "scenario = [\"kill-supervisr\"]\n"), AllOf(HasSubstr("some.toml:7:"), HasSubstr("did you mean 'kill-supervisor'?")));
  EXPECT_THAT(refusal(start + "scenario = \"kill-node/hepler\"\n"), AllOf(HasSubstr("some.toml:7:"), HasSubstr("did you mean 'kill-node/helper'?")));
  EXPECT_THAT(refusal(start + "scenario = \"kill-supervisor/x\"\n"), AllOf(HasSubstr("some.toml:7:"), HasSubstr("there is none")));
  EXPECT_THAT(refusal(start + "scenario = []\n"), AllOf(HasSubstr("some.toml:7:"), HasSubstr("names none")));
  EXPECT_THAT(refusal(start), AllOf(HasSubstr("some.toml:4:"), HasSubstr("names none")));
}

TEST_F(TargetFile, AnUnknownNameIsRefusedWithTheNearest) {
  (void)read(whole);
  try {
    (void)read_target(folder_, "sone", words_);
    ADD_FAILURE();
  } catch (const BadInput& wrong) {
    EXPECT_THAT(wrong.what(), HasSubstr("did you mean 'some'?"));
  }
}

TEST_F(TargetFile, AQuestionThatMakesNoSenseIsNotAskedAndSaysWhy) {
  const Target target = read(std::string("about = 'a'\npackage = 'p'\nstart = ['sh', '{task}']\n") +
                             "[[expect]]\nscenario = ['undrained-stdout']\nnot_asked = true\nbecause = 'it reads all'\n");
  EXPECT_EQ(why_not_asked(target, "undrained-stdout/full"), "it reads all");
  EXPECT_EQ(why_not_asked(target, "term-supervisor/tree"), "");
  EXPECT_TRUE(known_breaks(target, "undrained-stdout/full").empty());
}

}  // namespace
}  // namespace forkproof::scenario
