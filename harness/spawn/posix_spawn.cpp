// Backend `posix-spawn`: libc's own. Its child steps are libc's, so the after-fork promise does not cover them.
#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <cerrno>

#include "harness/spawn/plan.h"

namespace forkproof::spawn {
namespace {

struct FileActions {
  posix_spawn_file_actions_t actions;
  FileActions() { ::posix_spawn_file_actions_init(&actions); }
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions); }
};
struct Attributes {
  posix_spawnattr_t attributes;
  Attributes() { ::posix_spawnattr_init(&attributes); }
  ~Attributes() { ::posix_spawnattr_destroy(&attributes); }
};

void ask_for_group(posix_spawnattr_t* attributes, ForkproofGroup group) {
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  ::posix_spawnattr_setsigdefault(attributes, &all);
  ::posix_spawnattr_setsigmask(attributes, &none);
  int flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
  if (group == FORKPROOF_GROUP_OWN) flags |= POSIX_SPAWN_SETPGROUP;
  if (group == FORKPROOF_GROUP_SESSION) flags |= POSIX_SPAWN_SETSID;
  ::posix_spawnattr_setflags(attributes, static_cast<short>(flags));
}

class PosixSpawn final : public Backend {
 public:
  boost::system::result<Child, SpawnFailure> spawn(const SpawnSpec& spec) override {
    // File actions run in order, so sources first move above the targets, here in the parent.
    std::vector<Fd> moved;
    FileActions actions;
    if (const int error = move_above_targets(spec, &moved)) return SpawnFailure{"fcntl(F_DUPFD_CLOEXEC)", error};
    for (std::size_t i = 0; i < moved.size(); ++i) {
      ::posix_spawn_file_actions_adddup2(&actions.actions, moved[i].get(), static_cast<int>(i));
    }
    Attributes attributes;
    ask_for_group(&attributes.attributes, spec.group);
    std::vector<char*> argv;
    for (const std::string& word : spec.argv) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    pid_t pid = -1;
    const int error =
        ::posix_spawn(&pid, spec.path.c_str(), &actions.actions, &attributes.attributes, argv.data(), environ);
    if (error != 0) return SpawnFailure{"posix_spawn", error};
    return adopt(pid);
  }
};

}  // namespace

std::unique_ptr<Backend> make_posix_spawn() { return std::make_unique<PosixSpawn>(); }

}  // namespace forkproof::spawn
