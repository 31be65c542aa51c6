#include "harness/fuzz/invent_tree.h"

#include <algorithm>

#include <fmt/format.h>

#include "harness/fuzz/draw.h"

namespace forkproof::fuzz {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t most_writes = 2'000;
constexpr std::int64_t half_second_ms = 500;

/// What is written and how: around the sizes at which channels are full (knobs.def, capture), or anything below.
void draw_output(TaskNode& node) {
  static const std::vector<std::int64_t> edges{1,      80,     4'096,  8'192,   8'193,   13'824,  19'712, 32'768,
                                               65'280, 65'536, 65'537, 180'224, 184'320, 262'144};
  const std::int64_t bytes = chance(50) ? one_of(edges) : between(1, 30'000);
  const auto size = weighted<std::int64_t>({{50, 4'096}, {20, 80}, {10, 1}, {10, 512}, {10, 65'536}});
  node.output_bytes = static_cast<std::uint64_t>(bytes);
  node.write_size_bytes = static_cast<std::uint64_t>(std::max(size, (bytes + most_writes - 1) / most_writes));
}

std::uint32_t draw_keeps() {
  return weighted<std::uint32_t>({{40, keeps_none}, {15, keeps_all}, {12, keeps_stdin}, {15, keeps_stdout}, {5, keeps_stderr},
                                  {5, keeps_stdin | keeps_stdout}, {4, keeps_stdout | keeps_stderr},
                                  {4, keeps_stdin | keeps_stdout | keeps_stderr}});
}

Answer draw_answer(int likely) {
  return chance(likely) ? Answer::dies : one_of<Answer>({Answer::ignores, Answer::goes_on, Answer::exits, Answer::forks});
}

TaskNode draw_node(bool root) {
  TaskNode node;
  node.on_term = draw_answer(45);
  node.on_int = draw_answer(75);
  if (!root) node.keeps = draw_keeps();
  node.own_session = chance(15);
  if (!root) node.double_fork = chance(12);
  node.ends_with_children = chance(30);
  if (chance(root ? 20 : 10)) draw_output(node);
  if (chance(30)) node.exit_code = static_cast<int>(between(1, 255));
  if (chance(15)) node.exits_after = milliseconds(half_second_ms * between(0, 40));
  return node;
}

/// Whose child the `index`-th process is. The three forms are drawn as such, since a chain or a star is rare by chance.
enum class Form { any, star, chain };
std::int64_t draw_parent(Form form, std::int64_t index) {
  if (form == Form::star) return 0;
  return form == Form::chain ? index - 1 : between(0, index - 1);
}

TaskNode assemble(const std::vector<TaskNode>& nodes, const std::vector<std::int64_t>& parents, std::int64_t index) {
  TaskNode node = nodes[static_cast<std::size_t>(index)];
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    if (parents[i] == index) node.children.push_back(assemble(nodes, parents, static_cast<std::int64_t>(i)));
  }
  return node;
}

}  // namespace

rc::Gen<TaskNode> nodes(bool root) {
  return rc::gen::exec([root] { return draw_node(root); });
}

rc::Gen<TaskNode> trees() {
  return rc::gen::exec([] {
    const auto most = weighted<std::int64_t>({{20, 1}, {45, 3}, {25, 6}, {10, 12}});
    const std::int64_t count = between(std::max<std::int64_t>(1, most / 2), most);
    const Form form = weighted<Form>({{60, Form::any}, {25, Form::star}, {15, Form::chain}});
    std::vector<TaskNode> all;
    std::vector<std::int64_t> parents;
    for (std::int64_t i = 0; i < count; ++i) {
      all.push_back(draw_node(i == 0));
      if (i > 0) all.back().role = fmt::format("helper-{}", i);
      parents.push_back(i == 0 ? -1 : draw_parent(form, i));
    }
    return assemble(all, parents, 0);
  });
}

bool ends_by_itself(const TaskNode& node) {
  if (node.sigint != SigintSetup::none) return false;
  if (node.exits_after) return true;
  if (!node.ends_with_children) return false;
  // Of one that was forked twice, what its parent waits for ends at once.
  return std::all_of(node.children.begin(), node.children.end(),
                     [](const TaskNode& child) { return child.double_fork || ends_by_itself(child); });
}

}  // namespace forkproof::fuzz
