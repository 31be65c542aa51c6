#include "harness/run/command_words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace forkproof::run {
namespace {

using testing::ElementsAre;

const Places places{{"/opt/my rig/task", "socket-1"}, "/dev/shm/dir", "http://127.0.0.1:80"};

TEST(CommandWords, AWordOfItsOwnBecomesTheTasksWords) {
  EXPECT_THAT(filled_words({{"timeout", "5", "{task}"}}, places), ElementsAre("timeout", "5", "/opt/my rig/task", "socket-1"));
}

TEST(CommandWords, InsideALongerWordItIsAShellLine) {
  EXPECT_THAT(filled_words({{"sh", "-c", "{task} & wait"}}, places),
              ElementsAre("sh", "-c", "'/opt/my rig/task' socket-1 & wait"));
}

TEST(CommandWords, IsAppendedWhereNothingNamesIt) {
  EXPECT_THAT(filled_words({{"tini", "--"}}, places), ElementsAre("tini", "--", "/opt/my rig/task", "socket-1"));
}

TEST(CommandWords, IsNotAppendedWhereTheEnvironmentVariableOrAFileNamesIt) {
  EXPECT_THAT(filled_words({{"sh", "-c", "$REPRO_TASK"}}, places), ElementsAre("sh", "-c", "$REPRO_TASK"));
  Command command{{"supervisord", "-c", "{dir}/a.ini"}};
  command.files.push_back({"{dir}/a.ini", "command={task}\n"});
  EXPECT_THAT(filled_words(command, places), ElementsAre("supervisord", "-c", "/dev/shm/dir/a.ini"));
}

TEST(CommandWords, TheOtherPlaceholdersAreFilledEverywhere) {
  EXPECT_EQ(filled("{dir}/run --to {heartbeat} {nobody}", places), "/dev/shm/dir/run --to http://127.0.0.1:80 {nobody}");
}

}  // namespace
}  // namespace forkproof::run
