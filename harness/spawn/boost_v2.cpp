// Backend `boost-v2`: boost::process::v2 with its default launcher, fork and execve. It resets no signals. It means to close
// every descriptor that was not asked for, and in 1.81 does so only above the pipe by which it learns of a failed exec
// (close_handles.ipp compares an entry of the list with itself): what is below it and not close-on-exec goes along.
#include "harness/spawn/boost_v2_spec.h"

namespace forkproof::spawn {
namespace {

class BoostV2 final : public Backend {
 public:
  boost::system::result<Child, SpawnFailure> spawn(const SpawnSpec& spec) override {
    return spawn_with_boost_v2<boost::process::v2::posix::default_launcher>(spec, "boost::process::v2");
  }
};

}  // namespace

std::unique_ptr<Backend> make_boost_v2() { return std::make_unique<BoostV2>(); }

}  // namespace forkproof::spawn
