#include "harness/observe/memory_shared.h"

#include <linux/kcmp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "harness/core/children.h"
#include "harness/observe/proc.h"

namespace forkproof::observe {
namespace {

enum class Share { no, yes, untold };
Share shares_memory(Pid pid, Pid other) {
  if (other <= 0 || other == pid) return Share::no;
  const long order = ::syscall(SYS_kcmp, pid, other, KCMP_VM, 0UL, 0UL);
  if (order >= 0) return order == 0 ? Share::yes : Share::no;
  return errno == ESRCH ? Share::no : Share::untold;
}

}  // namespace

bool shares_memory_with_anyone(Pid pid) {
  if (shares_memory(pid, parent_of(pid)) != Share::no) return true;
  const std::vector<int> children = children_of(pid);
  if (std::any_of(children.begin(), children.end(), [pid](int other) { return shares_memory(pid, other) != Share::no; })) {
    return true;
  }
  const std::vector<Pid> all = everybody(true, pid);
  return std::any_of(all.begin(), all.end(), [pid](Pid other) { return shares_memory(pid, other) == Share::yes; });
}

}  // namespace forkproof::observe
