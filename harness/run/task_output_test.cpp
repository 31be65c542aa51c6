// The task's output is found in a command's, whatever is made of it on the way.
#include "harness/run/task_output.h"

#include <gtest/gtest.h>

#include "harness/core/task_letters.h"

namespace forkproof::run {
namespace {

std::uint64_t counted(const std::string& output, std::size_t at_a_time) {
  TaskOutputMeter meter;
  for (std::size_t i = 0; i < output.size(); i += at_a_time) meter.read(std::string_view(output).substr(i, at_a_time));
  return meter.bytes();
}

std::string written(std::uint64_t bytes, std::uint64_t size) {
  std::string line(size - 1, task_letter), all;
  line += '\n';
  while (all.size() < bytes) all += line.substr(0, bytes - all.size());
  return all;
}

TEST(TaskOutput, AllOfItIsCounted) {
  for (const std::uint64_t size : {20U, 4096U, 65'536U}) {
    for (const std::uint64_t bytes : {std::uint64_t{0}, std::uint64_t{300}, std::uint64_t{4096}, std::uint64_t{100'003}}) {
      TaskNode node;
      node.output_bytes = bytes, node.write_size_bytes = size;
      for (const std::size_t at_a_time : {1U, 13U, 4096U, 1'000'000U}) {
        EXPECT_EQ(counted(written(bytes, size), at_a_time), letters_of(node)) << bytes << " in lines of " << size;
      }
    }
  }
}

TEST(TaskOutput, PrefixesAndOtherOutputAreNot) {
  const std::string line(100, task_letter);
  EXPECT_EQ(counted("max exits xxx\n12:00 task.1 | " + line + "\r\nbox\n" + line + "\n", 7), 200);
}

TEST(TaskOutput, LinesThatAreTooShortCannotBeTold) {
  TaskNode node;
  node.output_bytes = 1000, node.write_size_bytes = 10;
  EXPECT_EQ(letters_of(node), 0);
  EXPECT_EQ(counted(written(1000, 10), 64), 0);
}

}  // namespace
}  // namespace forkproof::run
