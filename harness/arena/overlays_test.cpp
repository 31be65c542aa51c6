// What a subject sees of the machine's files is this arena's; the machine's own are as they were.
#include "harness/arena/overlays.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "harness/arena/arena.h"
#include "harness/core/error.h"

namespace forkproof::arena {
namespace {

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

/// A file of the machine's, in a folder that goes with it.
class MachineFile {
 public:
  MachineFile() {
    char folder[] = "/tmp/forkproof-overlay-XXXXXX";
    EXPECT_NE(::mkdtemp(folder), nullptr);
    folder_ = folder;
    std::ofstream(path()) << "the machine's";
  }
  ~MachineFile() { std::filesystem::remove_all(folder_); }
  MachineFile(const MachineFile&) = delete;
  MachineFile& operator=(const MachineFile&) = delete;
  [[nodiscard]] std::string path() const { return folder_ + "/file"; }

 private:
  std::string folder_;
};

class SealedTier : public testing::TestWithParam<Tier> {
 protected:
  void SetUp() override {
    provision_ = provide(GetParam());
    if (provision_.tier != GetParam()) GTEST_SKIP() << "this machine does not give this tier";
  }
  int run(std::function<int()> inside) {
    Contents contents;
    contents.inside = std::move(inside);
    return Arena(provision_, contents).finish();
  }
  Provision provision_;
  MachineFile file_;
};

TEST_P(SealedTier, AFileIsTheArenasInsideAndTheMachinesOutside) {
  const int code = run([this] {
    const Overlay overlays[] = {{file_.path(), "the arena's"}};
    mount_overlays(overlays);
    return text_of(file_.path()) == "the arena's" ? 0 : 1;
  });
  EXPECT_EQ(code, 0);
  EXPECT_EQ(text_of(file_.path()), "the machine's");
}

TEST_P(SealedTier, TheLastOfSeveralIsSeenAndLiesOnTheOthers) {
  const int code = run([this] {
    const Overlay overlays[] = {{file_.path(), "plain"}, {file_.path(), "", true}};
    mount_overlays(overlays);
    struct stat about {};
    if (::stat(file_.path().c_str(), &about) != 0 || !S_ISFIFO(about.st_mode)) return 1;
    if (::umount2(file_.path().c_str(), MNT_DETACH) != 0) return 2;
    return text_of(file_.path()) == "plain" ? 0 : 3;
  });
  EXPECT_EQ(code, 0);
}

TEST_P(SealedTier, WhateverTheUmaskIsEverybodyMayReadIt) {
  const int code = run([this] {
    ::umask(0777);
    const Overlay overlays[] = {{file_.path(), "the arena's"}};
    mount_overlays(overlays);
    struct stat about {};
    return ::stat(file_.path().c_str(), &about) == 0 && (about.st_mode & 0777) == 0644 ? 0 : 1;
  });
  EXPECT_EQ(code, 0);
}

TEST_P(SealedTier, ProcIsProcAgainAfterwards) {
  const int code = run([this] {
    const Overlay overlays[] = {{file_.path(), "the arena's"}};
    mount_overlays(overlays);
    return text_of("/proc/self/comm").empty() ? 1 : 0;
  });
  EXPECT_EQ(code, 0);
}

TEST_P(SealedTier, AFileThatIsNotThereIsToldByItsName) {
  const int code = run([] {
    const Overlay overlays[] = {{"/no/such/file", ""}};
    try {
      mount_overlays(overlays);
    } catch (const HarnessFailure& failure) {
      return std::string(failure.what()).starts_with("mount over /no/such/file") ? 0 : 1;
    }
    return 2;
  });
  EXPECT_EQ(code, 0);
}

INSTANTIATE_TEST_SUITE_P(Overlays, SealedTier, testing::Values(Tier::sealed, Tier::user_namespace),
                         [](const auto& each) { return each.param == Tier::sealed ? "sealed" : "user_namespace"; });

}  // namespace
}  // namespace forkproof::arena
