#include "harness/fuzz/emit_cpp.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include "harness/core/error.h"
#include "harness/spawn/backend.h"

namespace forkproof::fuzz {
namespace {

[[noreturn]] void refuse(const std::string& what) { throw BadInput("--emit cpp: " + what); }

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

Trouble trouble_of(const Case& one, const Profile& profile) {
  if (one.faults.size() > 1) refuse("more than one fault");
  if (one.faults.empty()) return Trouble::none;
  const FaultSpec& fault = one.faults.front();
  if (fault.fault == "supervisor-killed") return Trouble::killed;
  if (fault.fault != "heartbeat-reply") refuse("the fault " + fault.fault + " needs the rig");
  const std::int64_t status = fault.number("status", 0);
  if (fault.word("after", "") == "start") refuse("heartbeat-reply after start: a race of the first instant, which the rig holds open");
  if (status == 0) refuse("heartbeat-reply " + fault.word("reply", "") + ": a server's silence and noise are the rig's");
  const auto& revoked = profile.revoked_statuses;
  if (std::find(revoked.begin(), revoked.end(), status) != revoked.end()) return Trouble::revoked;
  if (status < 400 || status >= 500) refuse(fmt::format("heartbeat-reply {}: counted failures are the rig's", status));
  return profile.failed_heartbeat == FailedHeartbeat::raised ? Trouble::refused_once : Trouble::failed_often;
}

void check_node(const TaskNode& node) {
  if (node.sigint != SigintSetup::none) refuse("a task's ways with SIGINT need the rig");
  if (node.on_term == Answer::forks) refuse("'" + node.role + "' forks in its handler");
  for (const TaskNode& child : node.children) check_node(child);
}

Plan plan_of(const Case& one, const std::string& oracle) {
  const auto* model = std::get_if<ModelSupervisor>(&one.subject);
  if (model == nullptr) refuse("a command is a program already");
  const Profile& profile = model->profile;
  if (profile.model != Model::task_supervisor) refuse("a prefork master needs the rig");
  if (profile.channels == ChannelPassing::lost) refuse("channels that are not passed need the rig");
  // That nobody is revoked before the tree is up, this program sees to anyway.
  const auto needs_rig = [](const HoldRule& hold) { return hold.at != "heartbeat" || !hold.until_who.empty() || hold.until_at != "ready"; };
  if (std::any_of(one.holds.begin(), one.holds.end(), needs_rig) || !one.schedule.empty()) refuse("an order of events is held by the rig");
  if (profile.capture == Capture::pipe_over_quota || profile.capture == Capture::pty) refuse("capture by " + std::string(word(profile.capture)));
  const auto* backend = spawn::find_backend(model->backend);
  if (backend == nullptr) refuse("no spawn backend '" + model->backend + "'");
  if (model->backend == "forkserver" || model->backend == "worker-thread-fork") refuse("backend " + model->backend + ": its go-between is the rig's");
  check_node(one.tree);
  const Plan plan{one, profile, oracle, backend->execs, trouble_of(one, profile)};
  if (oracle == "state-reported" && plan.trouble == Trouble::failed_often) refuse("state-reported after failed heartbeats: how the task took its end decides");
  return plan;
}

/// One function a node, children first: "static void helper_1() { ... }".
class Tree {
 public:
  explicit Tree(const Plan& plan) : plan_(plan) { root_ = write(plan.one.tree, true); }
  [[nodiscard]] const std::string& code() const { return code_; }
  [[nodiscard]] const std::string& root() const { return root_; }

 private:
  std::string name_for(const TaskNode& node) {
    std::string name;
    for (const char each : node.role) name += std::isalnum(static_cast<unsigned char>(each)) ? each : '_';
    if (std::isdigit(static_cast<unsigned char>(name.empty() ? '0' : name[0]))) name = "task_" + name;
    return fmt::format("{}_{}", name, count_++);
  }

  static std::string answer(const char* signal, Answer answer, int code) {
    switch (answer) {
      case Answer::dies: return fmt::format("  signal({}, SIG_DFL);\n", signal);
      case Answer::ignores: return fmt::format("  signal({}, SIG_IGN);\n", signal);
      case Answer::goes_on: return fmt::format("  on_signal({}, [](int) {{}});  // the handler returns, and the task goes on\n", signal);
      default: return fmt::format("  on_signal({}, [](int) {{ _exit({}); }});\n", signal, code);
    }
  }

  std::string write(const TaskNode& node, bool root) {
    const std::string name = name_for(node);
    std::string body;
    if (node.own_session) body += "  setsid();\n";
    body += answer("SIGTERM", node.on_term, node.exit_code);
    if (node.on_int != Answer::dies) body += answer("SIGINT", node.on_int, node.exit_code);
    if (!root) {
      for (int fd = 0; fd < 3; ++fd) {
        if ((node.keeps & (1U << fd)) == 0) body += fmt::format("  to_null({});\n", fd);
      }
      if (node.keeps != keeps_all) body += "  close_all_but_standard();\n";
    }
    for (const TaskNode& child : node.children) {
      const std::string started = write(child, false);
      if (child.double_fork) body += fmt::format("  start([] {{ start({}); _exit(0); }});  // {} is re-parented at once\n", started, child.role);
      else body += fmt::format("  start({});\n", started);
    }
    body += "  say_up();\n";
    if (node.output_bytes > 0) body += fmt::format("  write_out({}, {});\n", node.output_bytes, node.write_size_bytes);
    if (root && node.exits_after) body += fmt::format("  char word;\n  if (read(end_of_task[0], &word, 1) == 1) _exit({});  // when all are up\n", node.exit_code);
    if (!root && node.exits_after) body += fmt::format("  live_for({}, {});\n", plan_.milliseconds(*node.exits_after), node.exit_code);
    else body += node.ends_with_children ? fmt::format("  while (wait(nullptr) > 0 || errno == EINTR) {{\n  }}\n  _exit({});\n", node.exit_code)
                                    : "  for (;;) pause();\n";
    code_ += fmt::format("[[noreturn]] static void {}() {{\n{}}}\n\n", name, body);
    return name;
  }

  const Plan& plan_;
  std::string code_, root_;
  std::size_t count_ = 0;
};

constexpr char preamble[] = R"(#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <initializer_list>
#include <sstream>
#include <string>
#include <vector>

static pid_t watcher;  // main's process: whoever is left is below it
static void kill_all_below();
[[noreturn]] static void could_not_tell(const char* what) {
  std::fprintf(stderr, "could not tell: %s\n", what);
  if (getpid() == watcher) kill_all_below();
  _exit(2);
}

// What the supervisor tells of itself, in memory that it shares with the process that watches it.
struct Told {
  char state[32];
  int reaped, vanished, closed_waits, selector_error;
  long bytes_read;
  in_port_t port;
  pid_t task;
};
static Told* told;
static int all_up[2];        // each process of the tree writes a byte here when it is up
static int end_of_task[2];   // a byte: the task may end
static int to_supervisor[2]; // 'r': the server revoked the task. 'e': the end may go on
static int from_supervisor[2];

static long now_ms() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

static std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> pids;
  std::stringstream list(text_of("/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid) + "/children"));
  for (pid_t each; list >> each;) pids.push_back(each);
  return pids;
}

static std::vector<pid_t> descendants_of(pid_t pid) {
  std::vector<pid_t> all;
  for (const pid_t child : children_of(pid)) {
    all.push_back(child);
    for (const pid_t below : descendants_of(child)) all.push_back(below);
  }
  return all;
}

// Z: dead, and nobody has collected it.
[[maybe_unused]] static char state_of(pid_t pid) {
  const std::string stat = text_of("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name_ends = stat.rfind(')');
  return name_ends == std::string::npos ? 'X' : stat[name_ends + 2];
}

static void kill_all_below() {
  for (;;) {
    for (const pid_t pid : descendants_of(getpid())) kill(pid, SIGKILL);
    if (waitpid(-1, nullptr, 0) < 0 && errno == ECHILD) return;
  }
}

static int pidfd_of(pid_t pid) {
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) could_not_tell("pidfd_open");
  return fd;
}

// Whether there is something to read, or an end, within the time (-1: any).
static bool ready_within(int fd, long ms) {
  pollfd watched{fd, POLLIN, 0};
  return poll(&watched, 1, static_cast<int>(ms)) > 0;
}

)";

constexpr char survivors_code[] = R"(// SIGKILL is on its way: as good as dead.
static bool is_doomed(pid_t pid) {
  std::stringstream status(text_of("/proc/" + std::to_string(pid) + "/status"));
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("SigPnd:", 0) != 0 && line.rfind("ShdPnd:", 0) != 0) continue;
    if ((std::strtoull(line.c_str() + 7, nullptr, 16) >> (SIGKILL - 1)) & 1) return true;
  }
  return false;
}

static int survivors(pid_t supervisor, const char* what) {
  int count = 0;
  for (const pid_t pid : children_of(getpid())) {
    if (pid == supervisor) continue;
    const char state = state_of(pid);
    if (state == 'Z' || state == 'X' || is_doomed(pid)) continue;
    std::printf("pid %d %s\n", pid, what);
    ++count;
  }
  return count;
}

)";

constexpr char task_helpers[] = R"(// The task and what it starts: plain forks.
[[maybe_unused]] static pid_t start(void (*node)()) {
  const pid_t pid = fork();
  if (pid == 0) node();
  return pid;
}
[[maybe_unused]] static void to_null(int fd) {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(null, fd);
  if (null != fd) close(null);
}
// Also what the tree's own handshake does not need.
[[maybe_unused]] static void close_all_but_standard() {
  for (int fd = 3; fd < 256; ++fd) {
    if (fd != all_up[1] && fd != end_of_task[0]) close(fd);
  }
}
static void say_up() {
  if (write(all_up[1], "u", 1) != 1) _exit(99);
}

)";

constexpr char handler_code[] = R"(static void on_signal(int number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigaction(number, &action, nullptr);
}

)";

constexpr char lifetime_code[] = R"(// A task that has so much to do.
[[noreturn]] static void live_for(long ms, int code) {
  const long until = now_ms() + ms;
  for (long left = ms; left > 0; left = until - now_ms()) poll(nullptr, 0, static_cast<int>(left));
  _exit(code);
}

)";

constexpr char output_code[] = R"(static void write_out(long bytes, long at_a_time) {
  const std::string piece(static_cast<std::size_t>(at_a_time), 'x');
  while (bytes > 0) {
    const ssize_t wrote = write(1, piece.data(), static_cast<std::size_t>(bytes < at_a_time ? bytes : at_a_time));
    if (wrote < 0 && errno != EINTR) return;
    if (wrote > 0) bytes -= wrote;
  }
}

)";

/// Whom a stop signal reaches.
std::string signal_code(SignalScope scope) {
  const std::string own_group = R"(  // Never the supervisor's own group.
  const bool is_ours = task == getpgrp() || getpgid(task) != task;
  kill(is_ours ? task : -task, number);
)";
  switch (scope) {
    case SignalScope::task_process: return "  kill(task, number);  // the one pid: what it started lives on\n";
    case SignalScope::looked_up_group: return "  const pid_t group = getpgid(task);  // whatever that is just then\n  kill(group > 0 ? -group : task, number);\n";
    case SignalScope::task_group: return own_group;
    case SignalScope::task_tree:
      return "  const std::vector<pid_t> below = descendants_of(task);\n" + own_group +
             "  for (const pid_t pid : below) {\n    if (getpgid(pid) != task && getpgid(pid) > 0) kill(pid, number);\n  }\n";
  }
  return "";
}

/// What becomes of channels that are open long after the task's end.
std::string cleanup_code(CleanupTimeout what, SelectorReuse reuse) {
  switch (what) {
    case CleanupTimeout::forget: return "      return;  // the counter is set to nought; the descriptors stay open\n";
    case CleanupTimeout::wait_for_ever: return "      until = now_ms() + 1000000;  // nothing: it goes on waiting\n";
    case CleanupTimeout::clear_and_leave: return "      for (int& fd : channels) {\n        if (fd >= 0) close(fd);\n        fd = -1;\n      }\n      return;\n";
    case CleanupTimeout::close_selector: break;
  }
  const char* taker = reuse == SelectorReuse::by_socket  ? "      dup2(socket(AF_UNIX, SOCK_STREAM, 0), selector);  // its number is somebody else's now\n"
                      : reuse == SelectorReuse::by_epoll ? "      dup2(epoll_create1(0), selector);  // its number is another selector's now\n"
                                                         : "";
  return std::string("      for (const int fd : channels) {\n        if (fd >= 0) close(fd);\n      }\n      close(selector);\n") + taker +
         R"(      // The table of channels is not cleared, so the loop goes on, on a selector that it has closed.
      ++told->closed_waits;
      epoll_event event;
      if (epoll_wait(selector, &event, 1, -1) < 0) {
        told->selector_error = errno;
        throw LoopFailed();
      }
)";
}

std::string channels_code(const Plan& plan) {
  std::string code = R"(// The supervisor's ends of the task's stdin (requests), stdout and stderr; -1: none, or closed.
static int channels[3] = {-1, -1, -1};
static int task_ends[3] = {-1, -1, -1};
static int selector = -1;
struct LoopFailed {};

static void open_channels() {
  selector = epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < 3; ++i) {
    int ends[2];
)";
  if (plan.profile.capture == Capture::pipe) {
    code += "    if (i == 1 ? pipe2(ends, O_CLOEXEC) != 0 : socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) could_not_tell(\"channels\");\n";
  } else {
    code += "    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) could_not_tell(\"channels\");\n";
  }
  code += "    channels[i] = ends[0], task_ends[i] = ends[1];\n";
  if (!plan.captures()) {
    const char* place = plan.profile.capture == Capture::null   ? "open(\"/dev/null\", O_WRONLY | O_CLOEXEC)"
                        : plan.profile.capture == Capture::file ? "open(\"/tmp\", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)"
                                                                : "fcntl(1, F_DUPFD_CLOEXEC, 3)";
    code += fmt::format("    if (i == 1) {{  // stdout is not captured by a channel\n      close(ends[0]), close(ends[1]);\n      channels[i] = -1, task_ends[i] = {};\n    }}\n", place);
  }
  if (plan.profile.requests_channel == RequestsChannel::separate) {
    code += "    if (i == 0) close(channels[0]), channels[0] = -1;  // the requests channel is another descriptor: nobody counts fd 0\n";
  }
  code += R"(    epoll_event event{EPOLLIN, {}};
    event.data.fd = i;
    if (channels[i] >= 0) epoll_ctl(selector, EPOLL_CTL_ADD, channels[i], &event);
  }
}

// Reads what is there; an end closes the channel.
static void serve(int i) {
  char bytes[65536];
  const ssize_t got = read(channels[i], bytes, sizeof bytes);
  if (got > 0 && i == 1) told->bytes_read += got;
  if (got > 0) return;
  close(channels[i]);
  channels[i] = -1;
}

)";
  return code;
}

std::string supervisor_code(const Plan& plan, const std::string& root) {
  const Profile& profile = plan.profile;
  const bool drains = profile.drain == Drain::while_waiting;
  std::string code = channels_code(plan);
  code += "static pid_t task;\nstatic bool ended;\n\nstatic void signal_task(int number) {\n" + signal_code(profile.signal_scope) + "}\n\n";
  code += R"(// Serves the channels until the task has ended, the server speaks, or the time is over. True: the server has spoken.
static bool serve_for(int task_fd, long ms) {
  const long until = now_ms() + ms;
  for (;;) {
    const long left = until - now_ms();
    if (left <= 0) return false;
    pollfd watched[5];
    int count = 0;
    for (int i = 0; i < 3; ++i) {
      watched[i] = {)";
  code += drains ? "channels[i]" : "i == 1 ? -1 : channels[i]";
  code += R"(, POLLIN, 0};
      ++count;
    }
    watched[count++] = {task_fd, POLLIN, 0};
    watched[count++] = {to_supervisor[0], POLLIN, 0};
    if (poll(watched, static_cast<nfds_t>(count), static_cast<int>(left)) <= 0) return false;
    for (int i = 0; i < 3; ++i) {
      if (watched[i].revents != 0) serve(i);
    }
    if (watched[3].revents != 0) {
      ended = true;
      return false;
    }
    if (watched[4].revents != 0) {
      char word;
      if (read(to_supervisor[0], &word, 1) != 1) _exit(1);
      return true;
    }
  }
}

static void stop_task(int task_fd) {
)";
  for (const int number : profile.stop_signals) {
    // How soon SIGKILL works is the kernel's matter, and no wait of the policy's.
    const long ms = number == SIGKILL ? std::max<long>(500, plan.milliseconds(profile.stop_delay)) : plan.milliseconds(profile.stop_delay);
    code += fmt::format("  if (!ended) {{\n    signal_task({});\n    serve_for(task_fd, {});\n  }}\n", signal_name(number), ms);
  }
  code += "}\n\n// After the task's end: its channels, up to the policy's time.\nstatic void wait_for_channels() {\n";
  if (profile.drain == Drain::never) code += "  if (channels[1] >= 0) close(channels[1]), channels[1] = -1;  // nobody reads stdout\n";
  code += fmt::format("  long until = now_ms() + {};\n", plan.milliseconds(profile.socket_cleanup)) + R"(  for (;;) {
    pollfd watched[3];
    bool any = false;
    for (int i = 0; i < 3; ++i) watched[i] = {channels[i], POLLIN, 0}, any |= channels[i] >= 0;
    if (!any) return;
    const long left = until - now_ms();
    if (left <= 0) {
)" + cleanup_code(profile.on_cleanup_timeout, profile.selector_reuse) + R"(      continue;
    }
    if (poll(watched, 3, static_cast<int>(left)) <= 0) continue;
    for (int i = 0; i < 3; ++i) {
      if (watched[i].revents != 0) serve(i);
    }
  }
}

)";
  code += "[[noreturn]] static void conclude(const char* state, int code) {\n  std::strncpy(told->state, state, sizeof told->state - 1);\n"
          "  // Held here until it has been looked at.\n  char word = 'c';\n  if (write(from_supervisor[1], &word, 1) != 1 || read(to_supervisor[0], &word, 1) != 1) _exit(70);\n  _exit(code);\n}\n\n";
  code += "[[noreturn]] static void supervisor() {\n";
  if (profile.sigchld == ChildSignal::ignored) code += "  signal(SIGCHLD, SIG_IGN);  // the kernel reaps: waitpid will say ECHILD\n";
  if (profile.signal_scope == SignalScope::task_tree) code += "  prctl(PR_SET_CHILD_SUBREAPER, 1);\n";
  if (profile.listens == Listens::yes) {
    code += "  const int listener = socket(AF_INET, SOCK_STREAM, 0);\n  sockaddr_in address{};\n  address.sin_family = AF_INET, address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);\n"
            "  socklen_t size = sizeof address;\n  if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener, 16) != 0 ||\n"
            "      getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) could_not_tell(\"listen\");\n  told->port = address.sin_port;\n";
  }
  code += "  open_channels();\n  task = fork();\n  if (task == 0) {\n";
  if (profile.task_group == TaskGroup::set_by_both) code += "    setpgid(0, 0);\n";
  if (profile.task_group == TaskGroup::session_in_child) code += "    setsid();\n";
  if (profile.sigchld == ChildSignal::ignored) code += "    signal(SIGCHLD, SIG_DFL);\n";
  code += "    for (int i = 0; i < 3; ++i) dup2(task_ends[i], i);\n";
  if (plan.root_has_listener()) {
    code += fmt::format("    for (int i = 0; i < 3; ++i) {{\n      close(task_ends[i]);\n      if (channels[i] >= 0) close(channels[i]);\n    }}\n    close(selector), close(to_supervisor[0]), close(to_supervisor[1]), close(from_supervisor[0]), close(from_supervisor[1]);\n    // {}\n",
                        plan.execs ? "The listener is not close-on-exec: a fresh image holds it too." : "The listener is not closed: close-on-exec closes nothing without an exec.");
  } else {
    code += "    close_all_but_standard();\n";
  }
  code += fmt::format("    {}();\n  }}\n", root);
  if (profile.task_group == TaskGroup::set_by_both) code += "  setpgid(task, task);  // whoever is first, the group is there\n";
  code += "  told->task = task;\n  for (const int end : task_ends) close(end);\n  close(all_up[1]), close(end_of_task[0]);\n  const int task_fd = pidfd_of(task);\n";
  code += fmt::format("  const bool server_decided = {};\n", plan.trouble == Trouble::revoked) + "  try {\n    while (!ended) {\n      if (!serve_for(task_fd, 1000000)) continue;\n";
  code += plan.trouble == Trouble::refused_once
              ? "      throw LoopFailed();  // a 4xx that revokes nothing: an exception leaves the loop, and nobody stops the task\n"
              : "      stop_task(task_fd);\n      break;\n";
  code += "    }\n";
  if (profile.reaping == Reaping::leaves) {
    code += "    // The end is seen, and the status never collected: a zombie.\n    int status = 0;\n";
  } else {
    code += "    int status = 0;\n    if (ended) {\n      told->vanished = waitpid(task, &status, 0) != task;\n      told->reaped = 1;\n";
    if (profile.signal_scope == SignalScope::task_tree) code += "      kill_all_below();  // orphans are adopted, and brought down\n";
    code += "    }\n";
  }
  code += "    wait_for_channels();\n";
  code += "    conclude(server_decided ? \"server-terminated\" : !told->vanished && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? \"success\" : \"failed\", 0);\n";
  code += "  } catch (const LoopFailed&) {\n";
  code += profile.state_on_failure == StateOnFailure::lost ? "    conclude(\"\", 1);  // no final state: whoever called gets the exception\n"
                                                           : "    conclude(server_decided ? \"server-terminated\" : \"failed\", 1);\n";
  return code + "  }\n}\n\n";
}

std::string main_code(const Plan& plan) {
  const std::size_t nodes = count_nodes(plan.one.tree);
  const bool looks_for_stuck = plan.oracle == "no-stuck-process" || plan.oracle == "no-lost-output";
  std::string code = "int main() {\n";
  if (plan.oracle == "no-lost-output") code += fmt::format("  const long output_bytes = {};\n", plan.one.tree.output_bytes);
  if (plan.oracle == "state-reported") {
    const char* state = plan.trouble == Trouble::revoked ? "server-terminated"
                        : plan.trouble == Trouble::none && plan.one.tree.exit_code == 0 ? "success" : "failed";
    code += fmt::format("  const char* expected_state = \"{}\";\n", state);
  }
  code += R"(  watcher = getpid();
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
  code += fmt::format("  for (int i = 0; i < {}; ++i) {{  // the tree is up\n    if (!ready_within(all_up[0], 10000) || read(all_up[0], &word, 1) != 1) could_not_tell(\"the tree did not come up\");\n  }}\n", nodes);
  if (looks_for_stuck) {
    code += R"(  // Stuck: the task is in write(2), asleep, and the supervisor reads nothing until it ends. Or it ends, or has written all.
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
  }
  switch (plan.trouble) {
    case Trouble::revoked:
    case Trouble::failed_often:
    case Trouble::refused_once: code += "  if (write(to_supervisor[1], \"r\", 1) != 1) could_not_tell(\"write\");  // the server's word that decides\n"; break;
    case Trouble::killed: code += "  kill(pid, SIGKILL);\n"; break;
    case Trouble::none: code += "  if (write(end_of_task[1], \"e\", 1) != 1) could_not_tell(\"write\");  // the task may end\n"; break;
  }
  // Where the bound is no part of the question, it may be longer.
  const bool bound_counts = plan.oracle == "teardown-bounded" || plan.oracle == "no-orphans";
  const long bound = static_cast<long>(plan.one.bounds.teardown.count() / 1'000'000) + (bound_counts ? 0 : 1000);
  code += fmt::format("  pollfd watched[2] = {{{{from_supervisor[0], POLLIN, 0}}, {{supervisor_fd, POLLIN, 0}}}};\n  out_of_time = poll(watched, 2, {}) <= 0;\n", bound);
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
  if (!bound_counts && plan.oracle != "no-stuck-process") {
    code += "  if (out_of_time && !" + std::string(plan.oracle == "no-lost-output" ? "stuck" : plan.oracle == "selector-intact" ? "told->closed_waits" : plan.oracle == "state-reported" ? "out_of_time" : "false") +
            ") could_not_tell(\"the supervisor has come to no end\");\n";
  }
  code += look_of(plan.oracle).code;
  return code + fmt::format("  std::printf(\"{}: %s\\n\", broken ? \"broken\" : \"kept\");\n  kill_all_below();\n  return broken ? 1 : 0;\n}}\n", plan.oracle);
}

/// Another family, short: a thread is inside a std::mutex, and the child of a fork wants it.
std::string mutex_program(const std::string& head, const std::string& backend, bool execs) {
  if (backend == "forkserver" || backend == "worker-thread-fork") refuse("backend " + backend + ": its go-between is the rig's");
  const std::string spawn = execs ? "    execl(\"/bin/true\", \"true\", static_cast<char*>(nullptr));  // a fresh image has no locks\n    _exit(127);\n"
                                  : "    lock.lock();  // held by a thread that this process does not have\n    _exit(0);\n";
  const std::string fork_call = backend == "raw-fork" ? "static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0))" : "fork()";
  return head + R"(#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdio>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>

static std::mutex lock;

int main() {
  int inside[2], leave[2];
  if (pipe(inside) != 0 || pipe(leave) != 0) return 2;
  std::thread holder([&] {
    const std::lock_guard<std::mutex> held(lock);
    char word = 'i';
    if (write(inside[1], &word, 1) != 1 || read(leave[0], &word, 1) != 1) std::perror("holder");
  });
  char word;
  if (read(inside[0], &word, 1) != 1) return 2;  // it is inside
  const pid_t child = )" + fork_call + R"(;
  if (child == 0) {
)" + spawn + R"(  }
  // Proved, not timed out: the child has one thread, and that is asleep in futex. Nobody is left in it who could wake it.
  const int child_fd = static_cast<int>(syscall(SYS_pidfd_open, child, 0));
  const std::string in_futex = std::to_string(SYS_futex) + " ";
  bool stuck = false, ended = false;
  for (int sightings = 0, looks = 0; looks < 10000 && !stuck && !ended; ++looks) {
    pollfd watched{child_fd, POLLIN, 0};
    ended = poll(&watched, 1, 1) > 0;
    std::string line;
    std::ifstream file("/proc/" + std::to_string(child) + "/syscall");
    std::getline(file, line);
    sightings = line.rfind(in_futex, 0) == 0 ? sightings + 1 : 0;
    stuck = sightings == 20;
  }
  std::printf("no-stuck-process: %s\n", stuck ? "broken: the child waits for a lock that nobody in it holds" : ended ? "kept" : "could not tell");
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  if (write(leave[1], &word, 1) != 1) return 2;
  holder.join();
  return stuck ? 1 : ended ? 0 : 2;
}
)";
}

/// A comment can hold no line break and must not end in a backslash.
std::string in_a_comment(const std::string& text) {
  std::string line;
  for (const char each : text) line += each == '\n' || each == '\\' || static_cast<unsigned char>(each) < 32 ? ' ' : each;
  return line;
}

std::string head_of(const Case& one, const std::string& oracle) {
  return fmt::format("// {}\n// From forkproof: {}, {} / {}. The promise: {}.\n// c++ -std=c++17 -pthread THIS && ./a.out: exits 1 when it is broken, 0 when it is kept, 2 when it could not tell.\n",
                     in_a_comment(one.question), in_a_comment(one.scenario), in_a_comment(one.profile_name()), one.backend_name(), oracle);
}

}  // namespace

std::string emit_cpp(const Case& one, const std::string& oracle) {
  const std::string head = head_of(one, oracle);
  // What ends the run when the child is stuck is no part of it.
  const bool in_lock = !one.faults.empty() && one.faults.front().fault == "fork-after-thread";
  if (in_lock && std::holds_alternative<ModelSupervisor>(one.subject)) {
    const std::string lock = one.faults.front().word("lock", "");
    if (lock != "std-mutex") refuse("the lock " + lock + " takes the rig's rendezvous");
    if (oracle != "no-stuck-process") refuse("of fork-after-thread only no-stuck-process can be looked at");
    const auto* backend = spawn::find_backend(one.backend_name());
    if (backend == nullptr) refuse("no spawn backend '" + one.backend_name() + "'");
    return mutex_program(head, one.backend_name(), backend->execs);
  }
  (void)look_of(oracle);
  const Plan plan = plan_of(one, oracle);
  const Tree tree(plan);
  const auto wanted = [&tree](const char* call, const char* code) { return tree.code().find(call) == std::string::npos ? "" : code; };
  return head + preamble + (oracle == "no-orphans" ? survivors_code : "") + task_helpers + wanted("on_signal(", handler_code) +
         wanted("live_for(", lifetime_code) + wanted("write_out(", output_code) + tree.code() + supervisor_code(plan, tree.root()) + main_code(plan);
}

}  // namespace forkproof::fuzz
