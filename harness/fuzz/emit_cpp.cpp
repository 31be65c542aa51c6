#include "harness/fuzz/emit_cpp.h"

#include <fmt/format.h>

#include "harness/fuzz/emit_parts.h"
#include "harness/fuzz/emit_plan.h"
#include "harness/fuzz/emit_supported.h"
#include "harness/fuzz/emit_text.h"
#include "harness/fuzz/emit_tree.h"
#include "harness/spawn/backend.h"

namespace forkproof::fuzz {
namespace {

/// A comment can hold no line break and must not end in a backslash.
std::string in_a_comment(const std::string& text) {
  std::string line;
  for (const char each : text) line += each == '\n' || each == '\\' || static_cast<unsigned char>(each) < 32 ? ' ' : each;
  return line;
}

std::string head_of(const Case& one, const std::string& oracle) {
  return fmt::format(R"(// {}
// From forkproof: {}, {} / {}. The promise: {}.
// c++ -std=c++17 -pthread THIS && ./a.out: exits 1 when it is broken, 0 when it is kept, 2 when it could not tell.
)", in_a_comment(one.question), in_a_comment(one.scenario), in_a_comment(one.profile_name()), one.backend_name(), oracle);
}

}  // namespace

std::string emit_cpp(const Case& one, const std::string& oracle) {
  using namespace emit;
  check_supported(one);
  const std::string head = head_of(one, oracle);
  // What ends the run when the child is stuck is no part of it.
  const bool in_lock = !one.faults.empty() && one.faults.front().fault == "fork-after-thread";
  if (in_lock) {
    const std::string lock = one.faults.front().word("lock", "");
    if (lock != "std-mutex") refuse("the lock " + lock + " takes the rig's rendezvous");
    if (oracle != "no-stuck-process") refuse("of fork-after-thread only no-stuck-process can be looked at");
    const auto* backend = spawn::find_backend(one.backend_name());
    if (backend == nullptr) refuse("no spawn backend '" + one.backend_name() + "'");
    return mutex_program(head, one.backend_name(), backend->execs);
  }
  check_look(oracle);
  const Plan plan = plan_of(one, oracle);
  const Tree tree(plan);
  const auto wanted = [&tree](const char* call, const char* code) { return tree.code().find(call) == std::string::npos ? "" : code; };
  std::string program = head + preamble + (oracle == "no-orphans" ? survivors_code : "") + task_helpers;
  program += wanted("on_signal(", handler_code);
  program += wanted("live_for(", lifetime_code);
  program += wanted("write_out(", output_code);
  return program + tree.code() + supervisor_code(plan, tree.root()) + main_code(plan);
}

}  // namespace forkproof::fuzz
