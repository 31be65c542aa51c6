// repro doctor: what this machine gives to an arena, and what that costs in certainty.
#include <signal.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "harness/arena/tier.h"
#include "harness/core/error.h"
#include "harness/observe/outlook.h"
#include "harness/observe/proc.h"
#include "harness/run/run_pool.h"
#include "reports/layout.h"
#include "repro/common.h"

namespace forkproof {
namespace {

std::string row(std::string_view what, const std::string& state) {
  return reports::wrapped(fmt::format("  {:<22} ", what), reports::printable(state));
}

/// Tries it on a child of our own: killed, seen, reaped.
std::string exit_status_source() {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(7);
  const Fd pidfd = observe::open_pidfd(pid);
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (pidfd && observe::exit_status(pid, pidfd.get())) return "from the kernel, also after somebody else reaped it";
  return "only while the dead are zombies (older than Linux 6.15): some verdicts may be unknown";
}

/// Each way on a child of our own that waits to be seen.
std::string page_of_ways() {
  std::string page = "\nhow a command's processes can be seen (the first that works is taken)\n";
  const observe::OutlookHeld outlook;
  const pid_t pid = ::fork();
  if (pid < 0) fail("fork");
  if (pid == 0) {
    for (;;) ::pause();
  }
  {
    arena::Warden warden;
    for (const observe::Way& way : observe::ways()) {
      const auto observer = way.make({warden, outlook.outlook(), false, [](Happening) {}});
      std::string refusal = observer->prepare();
      if (refusal.empty()) refusal = observer->attach(pid);
      page += row(way.key, refusal.empty() ? "works" : "refused: " + refusal);
    }
  }
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, __WALL);
  return page;
}

int act() {
  utsname kernel{};
  ::uname(&kernel);
  std::string page = "this machine\n";
  page += row("kernel", std::string(kernel.sysname) + " " + kernel.release);
  page += row("user", ::geteuid() == 0 ? "root" : fmt::format("uid {}", ::geteuid()));
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  page += row("open files", fmt::format("{} (a tree may have about {} nodes)", limit.rlim_max,
                                limit.rlim_max > 128 ? limit.rlim_max - 128 : 0));
  page += row("exit status", exit_status_source());
  page += row("task program", run::task_program());

  const arena::Provision best = arena::provide();
  page += fmt::format("\narena: {}\n", arena::name(best.tier));
  page += row("cgroup", best.cgroup_parent.empty() ? "none: an arena is swept by its PID namespace alone"
                                           : "one for each case below " + best.cgroup_parent);
  for (const arena::Tier tier : {arena::Tier::sealed, arena::Tier::user_namespace, arena::Tier::subreaper}) {
    const arena::Provision tried = arena::provide(tier);
    page += row(arena::name(tier), tried.tier == tier ? "works" : "refused");
  }
  for (const std::string& refusal : best.refusals) page += reports::wrapped("  refused: ", reports::printable(refusal), 4);  // a path is one long word
  if (!arena::cost(best.tier).empty()) page += "\n" + reports::wrapped("what that costs: ", arena::cost(best.tier), 2);
  Output("").write(page + page_of_ways());
  return as_expected;
}

}  // namespace

int doctor_verb(int argc, char** argv) {
  CLI::App app("Says what this machine gives to an arena, and what that costs in certainty.", "repro doctor");
  return run_verb_with(app, argc, argv, [] { return act(); });
}

}  // namespace forkproof
