#pragma once
#include <algorithm>
#include <string>

#include "harness/core/case.h"

namespace forkproof::fuzz::emit {

/// Throws BadInput: what cannot be said without the rig, by name.
[[noreturn]] void refuse(const std::string& what);

/// `failed_often`: heartbeats that are answered badly once too often, so the supervisor stops the task by itself.
enum class Trouble { revoked, failed_often, refused_once, killed, none };

/// The case, and what follows from it. A value.
struct Plan {
  const Case& one;
  const Profile& profile;
  std::string oracle;
  bool execs = false;
  Trouble trouble = Trouble::none;

  [[nodiscard]] bool captures() const { return profile.capture == Capture::socketpair || profile.capture == Capture::pipe; }
  [[nodiscard]] long milliseconds(Nanos real) const {
    return std::max<long>(1, static_cast<long>(scaled(real, profile.time_scale).count() / 1'000'000));
  }
  /// Whether the task's root holds the listener.
  [[nodiscard]] bool root_has_listener() const {
    return profile.listens == Listens::yes &&
           (execs ? profile.listener == ListenerKind::inheritable : profile.scrub == Scrub::keeps);
  }
};

/// Refuses what cannot be said. REQUIRES: check_supported has let the case pass.
Plan plan_of(const Case& one, const std::string& oracle);

}  // namespace forkproof::fuzz::emit
