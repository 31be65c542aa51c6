#include "harness/fuzz/emit_tree.h"

#include <cctype>

#include <fmt/format.h>

namespace forkproof::fuzz::emit {
namespace {

std::string answer(const char* signal, Answer answer, int code) {
  switch (answer) {
    case Answer::dies: return fmt::format("  signal({}, SIG_DFL);\n", signal);
    case Answer::ignores: return fmt::format("  signal({}, SIG_IGN);\n", signal);
    case Answer::goes_on: return fmt::format("  on_signal({}, [](int) {{}});  // the handler returns, and the task goes on\n", signal);
    case Answer::inherits: return "";
    case Answer::forks: break;  // refused
    case Answer::exits: return fmt::format("  on_signal({}, [](int) {{ _exit({}); }});\n", signal, code);
  }
  return "";
}

}  // namespace

std::string Tree::name_for(const TaskNode& node) {
  std::string name;
  for (const char each : node.role) name += std::isalnum(static_cast<unsigned char>(each)) ? each : '_';
  if (std::isdigit(static_cast<unsigned char>(name.empty() ? '0' : name[0]))) name = "task_" + name;
  return fmt::format("{}_{}", name, count_++);
}

/// From when it is up to its end.
std::string Tree::life_of(const TaskNode& node, bool root) const {
  std::string life;
  if (node.output_bytes > 0) life += fmt::format("  write_out({}, {});\n", node.output_bytes, node.write_size_bytes);
  if (root && node.exits_after) {
    life += fmt::format(R"(  char word;
  if (read(end_of_task[0], &word, 1) == 1) _exit({});  // when all are up
)", node.exit_code);
  }
  if (!root && node.exits_after) return life + fmt::format("  live_for({}, {});\n", plan_.milliseconds(*node.exits_after), node.exit_code);
  if (!node.ends_with_children) return life + "  for (;;) pause();\n";
  return life + fmt::format(R"(  while (wait(nullptr) > 0 || errno == EINTR) {{
  }}
  _exit({});
)", node.exit_code);
}

std::string Tree::write(const TaskNode& node, bool root) {
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
  body += "  say_up();\n" + life_of(node, root);
  code_ += fmt::format("[[noreturn]] static void {}() {{\n{}}}\n\n", name, body);
  return name;
}

}  // namespace forkproof::fuzz::emit
