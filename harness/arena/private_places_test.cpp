// What is found in a private /tmp. Each test plays PID 1 in a forked child with a mount namespace of its own.
#include "harness/arena/private_places.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>

#include "harness/core/error.h"

namespace forkproof::arena {
namespace {

namespace fs = std::filesystem;

bool has(const std::string& path) { return fs::exists(path); }
void write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }
std::string read(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

class PrivatePlaces : public testing::Test {
 protected:
  PrivatePlaces() : top_("/tmp/forkproof-places-" + std::to_string(::getpid())) {
    fs::create_directories(top_ + "/below");
    fs::current_path("/");  // the build may lie below /tmp, and is then what a working directory is
  }
  ~PrivatePlaces() override {
    fs::current_path(before_);
    fs::remove_all(top_);
    fs::remove(top_ + ".sh");
  }
  /// Whether `body` is true in such a world.
  bool inside(const Sharing& sharing, const std::function<bool()>& body) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        ::_exit(2);
      try {
        places_ = make_places_private(sharing);
        ::_exit(body() ? 0 : 1);
      } catch (const std::exception& error) {
        complain(error.what());
        ::_exit(3);
      }
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    needs_root_ |= WEXITSTATUS(status) == 2;
    return status == 0;
  }
  void SetUp() override {
    inside({}, [] { return true; });
    if (needs_root_) GTEST_SKIP() << "needs root for a mount namespace";
  }
  const fs::path before_ = fs::current_path();
  const std::string top_;
  std::vector<std::string> places_;
  bool needs_root_ = false;
};

TEST_F(PrivatePlaces, AreEmptyWhereNothingIsNamed) {
  EXPECT_TRUE(inside({}, [this] { return !has(top_) && fs::is_empty("/tmp") && fs::is_empty("/var/tmp"); }));
}

TEST_F(PrivatePlaces, HaveTheFolderOfWhatAWordNames) {
  write(top_ + "/below/program", "x");
  for (const std::string& word : {top_ + "/below/program", "exec " + top_ + "/below/program; true",
                                  "--config=" + top_ + "/below/program", "/bin:" + top_ + "/below"}) {
    EXPECT_TRUE(inside({{}, {word}}, [this] { return read(top_ + "/below/program") == "x"; })) << word;
  }
  EXPECT_TRUE(inside({{}, {top_ + "/below"}}, [this] { return write(top_ + "/written", "kept"), true; }));
  EXPECT_EQ(read(top_ + "/written"), "kept") << "a folder that is named is the machine's";
}

TEST_F(PrivatePlaces, HaveACopyOfAFileThatLiesDirectlyInOne) {
  write(top_ + ".sh", "x");
  EXPECT_TRUE(inside({{}, {top_ + ".sh"}}, [this] {
    const bool there = read(top_ + ".sh") == "x";
    return write(top_ + ".sh", "changed"), there;
  }));
  EXPECT_EQ(read(top_ + ".sh"), "x");
}

TEST_F(PrivatePlaces, HaveWhatASymbolicLinkAndAFirstLineNameInOne) {
  write(top_ + "/below/interpreter", "x");
  const fs::path elsewhere = fs::path(FORKPROOF_BUILD) / ("link-" + std::to_string(::getpid()));
  fs::create_symlink(top_ + "/below/interpreter", elsewhere);
  EXPECT_TRUE(inside({{}, {elsewhere}}, [&] { return read(elsewhere) == "x"; }));
  fs::remove(elsewhere);
  write(elsewhere, "#!" + top_ + "/below/interpreter -x\n");
  EXPECT_TRUE(inside({{}, {elsewhere}}, [this] { return has(top_ + "/below/interpreter"); }));
  fs::remove(elsewhere);
}

TEST_F(PrivatePlaces, HaveTheWorkingDirectory) {
  fs::current_path(top_ + "/below");
  EXPECT_TRUE(inside({}, [this] { return write("result", "kept"), fs::current_path() == top_ + "/below"; }));
  fs::current_path("/");
  EXPECT_EQ(read(top_ + "/below/result"), "kept");
}

TEST_F(PrivatePlaces, AreTheMachinesWhereThatIsAskedFor) {
  EXPECT_TRUE(inside({{"/tmp"}, {}}, [this] {
    return has(top_) && std::find(places_.begin(), places_.end(), "/tmp") == places_.end();
  }));
  EXPECT_TRUE(
      inside({{top_ + "/below"}, {}}, [this] { return write(top_ + "/below/shared", "kept"), true; }));
  EXPECT_EQ(read(top_ + "/below/shared"), "kept");
}

TEST_F(PrivatePlaces, NameWhatIsGoneWithThem) {
  const Sharing sharing{{}, {top_ + "/below"}};
  EXPECT_TRUE(inside(sharing, [&] {
    write("/tmp/result.xml", "x");
    return left_in_private_places(places_, sharing) == std::vector<std::string>{"/tmp/result.xml"};
  }));
}

}  // namespace
}  // namespace forkproof::arena
