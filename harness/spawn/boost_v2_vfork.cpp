// Backend `boost-v2-vfork`: boost::process::v2 with its vfork launcher. It resets no signals, and blocks none while the child
// is on the parent's memory: a handler that runs there runs on it. It closes what is above the highest descriptor that was
// asked for.
#include "harness/spawn/boost_v2_spec.h"

#include <boost/process/v2/posix/vfork_launcher.hpp>

namespace forkproof::spawn {
namespace {

class BoostV2Vfork final : public Backend {
 public:
  boost::system::result<Child, SpawnFailure> spawn(const SpawnSpec& spec) override {
    return spawn_with_boost_v2<boost::process::v2::posix::vfork_launcher>(spec, "boost::process::v2, vfork");
  }
};

}  // namespace

std::unique_ptr<Backend> make_boost_v2_vfork() { return std::make_unique<BoostV2Vfork>(); }

}  // namespace forkproof::spawn
