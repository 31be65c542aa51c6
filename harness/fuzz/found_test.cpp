#include "harness/fuzz/found.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sys/resource.h>

#include "harness/core/error.h"

namespace forkproof::fuzz {
namespace {

namespace fs = std::filesystem;

class SaveFound : public testing::Test {
 protected:
  SaveFound() : folder_(fs::temp_directory_path() / ("forkproof-found-" + std::to_string(::getpid()))) {}
  ~SaveFound() override { fs::remove_all(folder_); }
  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator{}));
  }
  static std::string content(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  const fs::path folder_;
};

TEST_F(SaveFound, MakesTheFolderAndReplacesWhatIsThereAsAWhole) {
  const std::string path = save_found(folder_ / "deeper", "a", "long enough\n");
  EXPECT_EQ(path, (folder_ / "deeper/a.toml").string());
  EXPECT_EQ(content(path), "long enough\n");
  EXPECT_EQ(save_found(folder_ / "deeper", "a", "short\n"), path);
  EXPECT_EQ(content(path), "short\n");
}

TEST_F(SaveFound, SaysWhereItCannotBeWritten) {
  fs::create_directory(folder_);
  std::ofstream(folder_ / "file") << "x";
  EXPECT_THROW(save_found(folder_ / "file", "a", "text"), BadInput);
}

// As a full disk does: the write fails half way, and what was there before is still whole.
TEST_F(SaveFound, LeavesNothingHalfWritten) {
  const std::string path = save_found(folder_, "a", "before\n");
  const auto inherited = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit little{16, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &little);
  EXPECT_THROW(save_found(folder_, "a", std::string(4096, 'x')), HarnessFailure);
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, inherited);
  EXPECT_EQ(content(path), "before\n");
  EXPECT_EQ(files(), 1U);
}

}  // namespace
}  // namespace forkproof::fuzz
