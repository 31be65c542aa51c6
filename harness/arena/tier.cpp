#include "harness/arena/tier.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "harness/arena/cgroup.h"
#include "harness/arena/namespaces.h"
#include "harness/core/error.h"

namespace forkproof::arena {
namespace {

constexpr std::array<std::string_view, 3> names{"sealed", "user-namespace", "subreaper"};

/// Opens and drops one arena of this tier, with nobody in it. Empty when it worked, else the step that was refused.
std::string trial(Tier tier, Privacy privacy) {
  int report[2];
  if (::pipe(report) != 0) return error_text("pipe");
  const Fd read_end(report[0]);
  Fd write_end(report[1]);
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  const auto tell = [&write_end](const std::exception& error) {
    const std::string text = error.what();
    return static_cast<int>(::write(write_end.get(), text.data(), text.size()) < 0 ? 2 : 1);
  };
  try {
    const Clone keeper = clone_process(keeper_flags(tier, privacy), -1, [&] {
      try {
        if (tier == Tier::user_namespace) become_root_of_user_namespace(uid, gid);
        if (privacy == Privacy::all) raise_loopback();
        const Clone warden = clone_process(warden_flags(tier), -1, [&] {
          try {
            mount_private_proc();
            return 0;
          } catch (const std::exception& error) {
            return tell(error);
          }
        });
        int status = 0;
        ::waitpid(warden.pid, &status, 0);
        return status == 0 ? 0 : 1;
      } catch (const std::exception& error) {
        return tell(error);
      }
    });
    int status = 0;
    ::waitpid(keeper.pid, &status, 0);
    if (status == 0) return {};
  } catch (const std::exception& error) {
    return error.what();
  }
  write_end.reset();  // so that a trial that was killed reads as the end of file, and not as a wait for ever
  char text[256];
  const ssize_t got = ::read(read_end.get(), text, sizeof text);
  return got > 0 ? std::string(text, static_cast<std::size_t>(got)) : "the trial ended without a word";
}

}  // namespace

std::string_view name(Tier tier) { return names[static_cast<std::size_t>(tier)]; }

std::optional<Tier> tier_from(std::string_view wanted) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == wanted) return static_cast<Tier>(i);
  }
  return std::nullopt;
}

std::string_view cost(Tier tier) {
  if (tier != Tier::subreaper) return "";
  return "no namespaces: the subject sees the machine's processes and network, and what forks faster than it is "
         "swept can outlive a run";
}

Provision provide(std::optional<Tier> wanted, Privacy privacy) {
  Provision provision;
  std::string refusal;
  provision.cgroup_parent = writable_cgroup_parent(&refusal);
  if (provision.cgroup_parent.empty()) provision.refusals.push_back("cgroup: " + refusal);
  else sweep_stale_cgroups(provision.cgroup_parent);
  for (const Tier tier : {Tier::sealed, Tier::user_namespace}) {
    if (wanted && *wanted > tier) continue;
    refusal = trial(tier, privacy);
    if (refusal.empty()) {
      provision.tier = tier;
      return provision;
    }
    provision.refusals.push_back(std::string(name(tier)) + ": " + refusal);
  }
  return provision;
}

}  // namespace forkproof::arena
