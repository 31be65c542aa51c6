#include "harness/run/subject.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "harness/core/error.h"

namespace forkproof::run {
namespace {

class WriteFiles : public testing::Test {
 protected:
  WriteFiles() : folder_(testing::TempDir() + "forkproof-write-files-" + std::to_string(::getpid())) {
    std::filesystem::create_directories(folder_);
  }
  ~WriteFiles() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& path) {
    Case one;
    one.subject = Command{{"some"}, "", {{path, "in {dir}", false}}, {}};
    std::vector<std::unique_ptr<faults::Fault>> faults;
    Part part{.one = one, .task_argv = {"task"}, .directory = folder_, .faults = faults};
    write_files(part);
  }

  std::string folder_;
};

TEST_F(WriteFiles, PutsTheTextWhereItIsWanted) {
  write("{dir}/below/file");
  std::ifstream file(folder_ + "/below/file");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "in " + folder_);
}

TEST_F(WriteFiles, WhatCannotBeWrittenIsAFailure) {
  std::filesystem::create_directories(folder_ + "/taken");
  EXPECT_THROW(write("{dir}/taken"), HarnessFailure);
}

}  // namespace
}  // namespace forkproof::run
