#pragma once
#include <sys/types.h>

#include "harness/arena/tier.h"
#include "harness/core/fd.h"

namespace forkproof::arena {

/// A process that removes this process's cgroups once it has ended, in whatever way, and every keeper and PID
/// 1 with it. A keeper removes its own group; this one removes those of keepers that were killed. Whoever
/// opens arenas keeps one for as long: the remover is a child of init in a session of its own, and sleeps. Where it
/// cannot be had, the next run's sweep is left.
class CgroupRemover {
 public:
  explicit CgroupRemover(const Provision& provision);
  ~CgroupRemover();
  CgroupRemover(const CgroupRemover&) = delete;
  CgroupRemover& operator=(const CgroupRemover&) = delete;

 private:
  Fd alive_;  ///< the writing end of a pipe, inherited by keepers and PID 1s: the end of file is the end of all of them
  Fd remover_;  ///< its pidfd
};

}  // namespace forkproof::arena
