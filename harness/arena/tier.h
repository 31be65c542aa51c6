#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace forkproof::arena {

/// The ladder, strongest first. What was in force is part of each verdict (harness/README.md, decision 12).
enum class Tier {
  sealed,          ///< own PID, mount, network and IPC namespaces, made as root
  user_namespace,  ///< the same, made without privileges inside a user namespace
  subreaper,       ///< no namespaces: the warden adopts orphans (`man 2 PR_SET_CHILD_SUBREAPER`) and kills what it finds
};
std::string_view name(Tier tier);
std::optional<Tier> tier_from(std::string_view name);
/// What a verdict loses in this tier, in one sentence; empty for the strongest.
std::string_view cost(Tier tier);

/// What an arena has for itself, beside its processes and a /proc that shows just these.
enum class Privacy {
  all,        ///< network, IPC and mounts as well: a run's
  processes,  ///< nothing more: the machine's network, IPC and file system are there as ever
};

/// What this machine gives to an arena. A value; found by trying, never by guessing.
struct Provision {
  Tier tier = Tier::subreaper;
  std::string cgroup_parent;          ///< where each case gets a cgroup v2 of its own; empty: none can be had
  std::vector<std::string> refusals;  ///< what was tried and refused, with the system's words
};

/// Climbs down the ladder until a rung holds. `wanted` starts lower. Also removes empty cgroups that a run of
/// ours left when both it and its keeper were killed.
Provision provide(std::optional<Tier> wanted = std::nullopt, Privacy privacy = Privacy::all);

}  // namespace forkproof::arena
