#include <fmt/format.h>

#include "harness/fuzz/emit_parts.h"

namespace forkproof::fuzz::emit {
namespace {

/// The promises that a program without the rig can look at, and what it looks at in the end.
struct Look {
  const char* oracle;
  const char* code;  ///< of `main`, once the supervisor has ended or the bound is over: sets `broken`
};

constexpr Look looks[] = {
    {"no-orphans", R"(  // This process adopts orphans: who is its child, and not the supervisor, has lost its own parent and lives on.
  broken = survivors(pid, out_of_time ? "is an orphan, and the bound is over" : "lives on after the supervisor's end") > 0;
  if (out_of_time && !broken) could_not_tell("the supervisor has come to no end");
)"},
    {"no-zombies", R"(  // Looked at while the supervisor waited at its end.
  broken = zombies > 0;
)"},
    {"exit-status-faithful", R"(  if (!told->reaped) could_not_tell("the supervisor took no exit status");
  std::printf("the supervisor took: %s\n", told->vanished ? "nothing: ECHILD" : "an exit status");
  broken = told->vanished;
)"},
    {"state-reported", R"(  std::printf("the supervisor's final state: %s\n", told->state[0] ? told->state : "none");
  broken = std::strcmp(told->state, expected_state) != 0;
)"},
    {"selector-intact", R"(  std::printf("waits on a closed selector: %d (%s)\n", told->closed_waits, std::strerror(told->selector_error));
  broken = told->closed_waits > 0;
)"},
    {"no-stuck-process", R"(  broken = stuck;
)"},
    {"no-lost-output", R"(  std::printf("%ld bytes of %ld were read\n", told->bytes_read, output_bytes);
  broken = told->bytes_read < output_bytes;
)"},
    {"no-inherited-descriptors", R"(  // Nobody should listen any more. Nothing was ever accepted, so no TIME_WAIT is in the way.
  const int again = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET, address.sin_port = told->port, address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  broken = bind(again, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0;
  if (broken && errno != EADDRINUSE) could_not_tell("bind");
  std::printf("binding to the dead supervisor's port: %s\n", broken ? std::strerror(errno) : "ok");
)"},
    {"teardown-bounded", R"(  broken = out_of_time;
)"},
};

const Look& look_of(const std::string& oracle) {
  std::string known;
  for (const Look& look : looks) {
    if (look.oracle == oracle) return look;
    known += std::string(known.empty() ? "" : ", ") + look.oracle;
  }
  refuse("no program without the rig can look at " + oracle + "; one of: " + known);
}

/// Up to where the supervisor runs.
std::string opening_code(const Plan& plan) {
  std::string code = "int main() {\n";
  if (plan.oracle == "no-lost-output") code += fmt::format("  const long output_bytes = {};\n", plan.one.tree.output_bytes);
  if (plan.oracle == "state-reported") {
    const char* state = plan.trouble == Trouble::revoked ? "server-terminated"
                        : plan.trouble == Trouble::none && plan.one.tree.exit_code == 0 ? "success" : "failed";
    code += fmt::format("  const char* expected_state = \"{}\";\n", state);
  }
  return code + R"(  watcher = getpid();
  prctl(PR_SET_CHILD_SUBREAPER, 1);  // orphans come to this process
  signal(SIGPIPE, SIG_IGN);
  told = static_cast<Told*>(mmap(nullptr, sizeof(Told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  if (told == MAP_FAILED) could_not_tell("mmap");
  for (int* each : {all_up, end_of_task, to_supervisor, from_supervisor}) {
    if (pipe2(each, O_CLOEXEC) != 0) could_not_tell("pipe2");
  }
  std::fflush(stdout);
  const pid_t pid = fork();
  if (pid == 0) {
    setpgid(0, 0);
    supervisor();
  }
  const int supervisor_fd = pidfd_of(pid);
  [[maybe_unused]] bool out_of_time = false, stuck = false, broken = false;
  int zombies = 0;
  char word;
)";
}

std::string tree_is_up_code(const Plan& plan) {
  return fmt::format(R"(  for (int i = 0; i < {}; ++i) {{  // the tree is up
    if (!ready_within(all_up[0], 10000) || read(all_up[0], &word, 1) != 1) could_not_tell("the tree did not come up");
  }}
)", count_nodes(plan.one.tree));
}

constexpr char stuck_code[] = R"(  // Stuck: the task is in write(2), asleep, and the supervisor reads nothing until it ends. Or it ends, or has written all.
  const std::string in_write = std::to_string(SYS_write) + " ";
  const int task_fd = pidfd_of(told->task);
  for (long until = now_ms() + 1000, sightings = 0; now_ms() < until && sightings < 20; poll(nullptr, 0, 1)) {
    const bool writing = text_of("/proc/" + std::to_string(told->task) + "/syscall").rfind(in_write, 0) == 0 && state_of(told->task) == 'S';
    sightings = writing ? sightings + 1 : 0;
    stuck = sightings == 20;
    if (ready_within(task_fd, 0)) break;
  }
  if (stuck) std::printf("the task, pid %d, is in write(2) on a full channel, and nobody reads\n", told->task);
)";

std::string trouble_code(Trouble trouble) {
  switch (trouble) {
    case Trouble::revoked:
    case Trouble::failed_often:
    case Trouble::refused_once: return R"(  if (write(to_supervisor[1], "r", 1) != 1) could_not_tell("write");  // the server's word that decides
)";
    case Trouble::killed: return "  kill(pid, SIGKILL);\n";
    case Trouble::none: return R"(  if (write(end_of_task[1], "e", 1) != 1) could_not_tell("write");  // the task may end
)";
  }
  return "";
}

/// What a supervisor that comes to no end leaves to be told all the same; empty where the look itself says it.
std::string tellable_without_an_end(const std::string& oracle) {
  if (oracle == "teardown-bounded" || oracle == "no-orphans" || oracle == "no-stuck-process") return "";
  if (oracle == "no-lost-output") return "stuck";
  if (oracle == "selector-intact") return "told->closed_waits";
  return oracle == "state-reported" ? "out_of_time" : "false";
}

/// The supervisor's end, or its bound.
std::string end_code(const Plan& plan) {
  // Where the bound is no part of the question, it may be longer.
  const bool bound_counts = plan.oracle == "teardown-bounded" || plan.oracle == "no-orphans";
  const long bound = static_cast<long>(plan.one.bounds.teardown.count() / 1'000'000) + (bound_counts ? 0 : 1000);
  std::string code = fmt::format(R"(  pollfd watched[2] = {{{{from_supervisor[0], POLLIN, 0}}, {{supervisor_fd, POLLIN, 0}}}};
  out_of_time = poll(watched, 2, {}) <= 0;
)", bound);
  code += R"(  if (watched[0].revents != 0) {  // it has come to its end, and waits there
    for (const pid_t child : children_of(pid)) {
      if (state_of(child) != 'Z') continue;
      std::printf("pid %d is dead, and the supervisor has not reaped it\n", child);
      ++zombies;
    }
    if (read(from_supervisor[0], &word, 1) != 1 || write(to_supervisor[1], "e", 1) != 1) could_not_tell("the supervisor");
  }
  if (!out_of_time && !ready_within(supervisor_fd, 10000)) could_not_tell("the supervisor does not end");
  if (out_of_time) std::printf("the supervisor has come to no end\n");
  // From here on its channels and their holders are as it left them.
)";
  const std::string tellable = tellable_without_an_end(plan.oracle);
  if (tellable.empty()) return code;
  return code + "  if (out_of_time && !" + tellable + ") could_not_tell(\"the supervisor has come to no end\");\n";
}

}  // namespace

void check_look(const std::string& oracle) { (void)look_of(oracle); }

std::string main_code(const Plan& plan) {
  const bool looks_for_stuck = plan.oracle == "no-stuck-process" || plan.oracle == "no-lost-output";
  return opening_code(plan) + tree_is_up_code(plan) + (looks_for_stuck ? stuck_code : "") + trouble_code(plan.trouble) + end_code(plan) +
         look_of(plan.oracle).code + fmt::format(R"(  std::printf("{}: %s\n", broken ? "broken" : "kept");
  kill_all_below();
  return broken ? 1 : 0;
}}
)", plan.oracle);
}

}  // namespace forkproof::fuzz::emit
