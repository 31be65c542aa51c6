#include <algorithm>
#include <csignal>

#include <fmt/format.h>

#include "harness/core/wait_status.h"
#include "harness/fuzz/emit_parts.h"

namespace forkproof::fuzz::emit {
namespace {

/// Whom a stop signal reaches.
std::string signal_code(SignalScope scope) {
  const std::string own_group = R"(  // Never the supervisor's own group.
  const bool is_ours = task == getpgrp() || getpgid(task) != task;
  kill(is_ours ? task : -task, number);
)";
  switch (scope) {
    case SignalScope::task_process: return "  kill(task, number);  // the one pid: what it started lives on\n";
    case SignalScope::looked_up_group:
      return R"(  const pid_t group = getpgid(task);  // whatever that is just then
  kill(group > 0 ? -group : task, number);
)";
    case SignalScope::task_group: return own_group;
    case SignalScope::task_tree:
      return "  const std::vector<pid_t> below = descendants_of(task);\n" + own_group +
             R"(  for (const pid_t pid : below) {
    if (getpgid(pid) != task && getpgid(pid) > 0) kill(pid, number);
  }
)";
  }
  return "";
}

/// What becomes of channels that are open long after the task's end.
std::string cleanup_code(CleanupTimeout what, SelectorReuse reuse) {
  switch (what) {
    case CleanupTimeout::forget: return "      return;  // the counter is set to nought; the descriptors stay open\n";
    case CleanupTimeout::wait_for_ever: return "      until = now_ms() + 1000000;  // nothing: it goes on waiting\n";
    case CleanupTimeout::clear_and_leave:
      return R"(      for (int& fd : channels) {
        if (fd >= 0) close(fd);
        fd = -1;
      }
      return;
)";
    case CleanupTimeout::close_selector: break;
  }
  const char* taker = "";
  if (reuse == SelectorReuse::by_socket) taker = R"(      dup2(socket(AF_UNIX, SOCK_STREAM, 0), selector);  // its number is somebody else's now
)";
  if (reuse == SelectorReuse::by_epoll) taker = R"(      dup2(epoll_create1(0), selector);  // its number is another selector's now
)";
  return std::string(R"(      for (const int fd : channels) {
        if (fd >= 0) close(fd);
      }
      close(selector);
)") + taker + R"(      // The table of channels is not cleared, so the loop goes on, on a selector that it has closed.
      ++told->closed_waits;
      epoll_event event;
      if (epoll_wait(selector, &event, 1, -1) < 0) {
        told->selector_error = errno;
        throw LoopFailed();
      }
)";
}

/// Where the task's stdout goes when no channel captures it.
const char* stdout_of(Capture capture) {
  if (capture == Capture::null) return R"(open("/dev/null", O_WRONLY | O_CLOEXEC))";
  if (capture == Capture::file) return R"(open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600))";
  return "fcntl(1, F_DUPFD_CLOEXEC, 3)";
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
  code += plan.profile.capture == Capture::pipe
              ? R"(    if (i == 1 ? pipe2(ends, O_CLOEXEC) != 0 : socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) could_not_tell("channels");
)"
              : R"(    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) could_not_tell("channels");
)";
  code += "    channels[i] = ends[0], task_ends[i] = ends[1];\n";
  if (!plan.captures()) {
    code += fmt::format(R"(    if (i == 1) {{  // stdout is not captured by a channel
      close(ends[0]), close(ends[1]);
      channels[i] = -1, task_ends[i] = {};
    }}
)", stdout_of(plan.profile.capture));
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

/// With ExitNotice::poll: looks after each wait, which is as long as the supervisor's own.
constexpr char look_for_exit_code[] = R"(static bool has_ended() {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(task), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == task;
}

)";

std::string serve_code(const Plan& plan) {
  const bool polls = plan.profile.exit_notice == ExitNotice::poll;
  const char* stdout_watched = plan.profile.drain == Drain::while_waiting ? "channels[i]" : "i == 1 ? -1 : channels[i]";
  const std::string patience = polls ? fmt::format("std::min(left, {}L)", plan.milliseconds(plan.profile.heartbeat_interval)) : "left";
  std::string code = polls ? look_for_exit_code : "";
  code += fmt::format(R"(// Serves the channels until the task has ended, the server speaks, or the time is over. True: the server has spoken.
static bool serve_for([[maybe_unused]] int task_fd, long ms) {{
  const long until = now_ms() + ms;
  for (;;) {{
    const long left = until - now_ms();
    if (left <= 0) return false;
    pollfd watched[5];
    int count = 0;
    for (int i = 0; i < 3; ++i) {{
      watched[i] = {{{}, POLLIN, 0}};
      ++count;
    }}
    watched[count++] = {{{}, POLLIN, 0}};
    watched[count++] = {{to_supervisor[0], POLLIN, 0}};
    if (poll(watched, static_cast<nfds_t>(count), static_cast<int>({})) < 0) return false;
    for (int i = 0; i < 3; ++i) {{
      if (watched[i].revents != 0) serve(i);
    }}
    if ({}) {{
      ended = true;
      return false;
    }}
    if (watched[4].revents != 0) {{
      char word;
      if (read(to_supervisor[0], &word, 1) != 1) _exit(1);
      return true;
    }}
  }}
}}

)", stdout_watched, polls ? "-1" : "task_fd", patience, polls ? "has_ended()" : "watched[3].revents != 0");
  return code;
}

std::string stop_code(const Plan& plan) {
  std::string code = "static void stop_task(int task_fd) {\n";
  for (const int number : plan.profile.stop_signals) {
    // How soon SIGKILL works is the kernel's matter, and no wait of the policy's.
    const long ms = plan.milliseconds(plan.profile.stop_delay);
    code += fmt::format(R"(  if (!ended) {{
    signal_task({});
    serve_for(task_fd, {});
  }}
)", signal_name(number), number == SIGKILL ? std::max<long>(500, ms) : ms);
  }
  return code + "}\n\n";
}

std::string wait_code(const Plan& plan) {
  const Profile& profile = plan.profile;
  std::string code = "// After the task's end: its channels, up to the policy's time.\nstatic void wait_for_channels() {\n";
  if (profile.drain == Drain::never) code += "  if (channels[1] >= 0) close(channels[1]), channels[1] = -1;  // nobody reads stdout\n";
  code += fmt::format("  long until = now_ms() + {};\n", plan.milliseconds(profile.socket_cleanup));
  return code + R"(  for (;;) {
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
}

constexpr char conclude_code[] = R"([[noreturn]] static void conclude(const char* state, int code) {
  std::strncpy(told->state, state, sizeof told->state - 1);
  // Held here until it has been looked at.
  char word = 'c';
  if (write(from_supervisor[1], &word, 1) != 1 || read(to_supervisor[0], &word, 1) != 1) _exit(70);
  _exit(code);
}

)";

constexpr char listen_code[] = R"(  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET, address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener, 16) != 0 ||
      getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) could_not_tell("listen");
  told->port = address.sin_port;
)";

/// The child's side of the task's fork.
std::string child_code(const Plan& plan, const std::string& root) {
  const Profile& profile = plan.profile;
  std::string code;
  if (profile.task_group == TaskGroup::set_by_both) code += "    setpgid(0, 0);\n";
  if (profile.task_group == TaskGroup::session_in_child) code += "    setsid();\n";
  if (profile.sigchld == ChildSignal::ignored) code += "    signal(SIGCHLD, SIG_DFL);\n";
  code += "    for (int i = 0; i < 3; ++i) dup2(task_ends[i], i);\n";
  if (!plan.root_has_listener()) return code + fmt::format("    close_all_but_standard();\n    {}();\n", root);
  const char* why = plan.execs ? "The listener is not close-on-exec: a fresh image holds it too."
                               : "The listener is not closed: close-on-exec closes nothing without an exec.";
  return code + fmt::format(R"(    for (int i = 0; i < 3; ++i) {{
      close(task_ends[i]);
      if (channels[i] >= 0) close(channels[i]);
    }}
    close(selector), close(to_supervisor[0]), close(to_supervisor[1]), close(from_supervisor[0]), close(from_supervisor[1]);
    // {}
    {}();
)", why, root);
}

/// From when the loop is over: the task's status, its channels, the final state.
std::string ending_code(const Profile& profile) {
  std::string code;
  if (profile.reaping == Reaping::leaves) {
    code += "    // The end is seen, and the status never collected: a zombie.\n    int status = 0;\n";
  } else {
    code += R"(    int status = 0;
    if (ended) {
      told->vanished = waitpid(task, &status, 0) != task;
      told->reaped = 1;
)";
    if (profile.signal_scope == SignalScope::task_tree) code += "      kill_all_below();  // orphans are adopted, and brought down\n";
    code += "    }\n";
  }
  code += R"(    wait_for_channels();
    conclude(server_decided ? "server-terminated" : !told->vanished && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? "success" : "failed", 0);
  } catch (const LoopFailed&) {
)";
  return code + (profile.state_on_failure == StateOnFailure::lost
                     ? "    conclude(\"\", 1);  // no final state: whoever called gets the exception\n"
                     : "    conclude(server_decided ? \"server-terminated\" : \"failed\", 1);\n");
}

std::string run_code(const Plan& plan, const std::string& root) {
  const Profile& profile = plan.profile;
  std::string code = conclude_code;
  code += "[[noreturn]] static void supervisor() {\n";
  if (profile.sigchld == ChildSignal::ignored) code += "  signal(SIGCHLD, SIG_IGN);  // the kernel reaps: waitpid will say ECHILD\n";
  if (profile.signal_scope == SignalScope::task_tree) code += "  prctl(PR_SET_CHILD_SUBREAPER, 1);\n";
  if (profile.listens == Listens::yes) code += listen_code;
  code += R"(  open_channels();
  task = fork();
  if (task == 0) {
)" + child_code(plan, root) + "  }\n";
  if (profile.task_group == TaskGroup::set_by_both) code += "  setpgid(task, task);  // whoever is first, the group is there\n";
  code += fmt::format(R"(  told->task = task;
  for (const int end : task_ends) close(end);
  close(all_up[1]), close(end_of_task[0]);
  const int task_fd = pidfd_of(task);
  const bool server_decided = {};
  try {{
    while (!ended) {{
      if (!serve_for(task_fd, 1000000)) continue;
)", plan.trouble == Trouble::revoked);
  code += plan.trouble == Trouble::refused_once
              ? "      throw LoopFailed();  // a 4xx that revokes nothing: an exception leaves the loop, and nobody stops the task\n"
              : "      stop_task(task_fd);\n      break;\n";
  return code + "    }\n" + ending_code(profile) + "  }\n}\n\n";
}

}  // namespace

std::string supervisor_code(const Plan& plan, const std::string& root) {
  const Profile& profile = plan.profile;
  return channels_code(plan) + R"(static pid_t task;
static bool ended;

static void signal_task(int number) {
)" + signal_code(profile.signal_scope) + "}\n\n" + serve_code(plan) + stop_code(plan) + wait_code(plan) + run_code(plan, root);
}

}  // namespace forkproof::fuzz::emit
