// repro guard -- CMD: any test command in an arena, which must leave nobody behind.
#include <csignal>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "harness/core/error.h"
#include "harness/core/explanation.h"
#include "harness/core/wait_status.h"
#include "harness/guard/guard.h"
#include "harness/observe/ways/way.h"
#include "reports/layout.h"
#include "repro/common.h"
#include "repro/values.h"

namespace forkproof {
namespace {

constexpr char guard_about[] =
    "repro guard [OPTIONS] -- CMD ARG...\n"
    "runs a command, such as a test suite, and sees that it leaves no process\n"
    "behind. stdin, stdout, stderr, environment, folder and exit status are the\n"
    "command's own; who is left when the grace after its end is over is named on\n"
    "stderr, with who started it and why it is still there, and killed.\n";

constexpr char guard_more[] =
    "\nWhat the command has for itself: its processes, in a PID namespace with a /proc\n"
    "of its own (pids count from 1, nobody outside can be seen or signalled); its\n"
    "mounts; a session without a controlling terminal, so /dev/tty is not there.\n"
    "What it shares as ever: network, files, IPC, user, limits. Its /tmp is the\n"
    "machine's, since test suites write their results there; with --private-tmp it\n"
    "has a /tmp, /var/tmp and /dev/shm of its own, empty but for what its words,\n"
    "environment and folder name there, and what it leaves in them is named and gone.\n"
    "\nSignals: SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGTSTP, SIGCONT\n"
    "and SIGWINCH are passed on: Ctrl-C to its process group, another's kill to the\n"
    "command itself. SIGINT, SIGTERM, SIGHUP and SIGQUIT are followed by SIGCONT (so\n"
    "that a stopped command sees them) and, if the command has not ended within\n"
    "--kill-after, by SIGKILL. A second one kills at once; so does the first one\n"
    "after the command's end: it cuts the grace. Under a shell with job control\n"
    "guard stops when its command does, and fg continues both.\n"
    "\nExamples:\n"
    "  repro guard -- pytest -q\n"
    "  repro guard --grace 5s -- ctest --output-on-failure\n"
    "  repro guard --format json --output left.json -- npm test\n"
    "\nExit status: the command's own (128 + N when signal N ended it, so 137 after\n"
    "--kill-after). 1 when that is 0 and somebody was left; 128 + N when somebody was\n"
    "left and signal N has cut the grace. 2 could not tell, 64 usage or bad input,\n"
    "70 the harness itself failed, 126 and 127 as a shell: no such program.\n";

constexpr std::size_t most_left_told = 8;  // of those left, in the text: the rest is counted

struct GuardOptions {
  std::vector<std::string> argv;
  Nanos grace = std::chrono::seconds(2), kill_after = std::chrono::seconds(10);
  std::string observe = "auto", format = "text", output;
  bool private_tmp = false;
  std::vector<std::string> shares;
};

void check(const GuardOptions& options) {
  if (options.argv.empty()) throw BadInput("which command? repro guard [options] -- CMD ARG...");
  if (options.format != "text" && options.format != "json") throw BadInput("--format " + options.format + ": unknown format; one of: text, json");
  if (options.observe == "auto" || options.observe == "none" || observe::find_way(options.observe) != nullptr) return;
  std::string known = "auto";
  for (const observe::Way& way : observe::ways()) known += ", " + std::string(way.key);
  throw BadInput("--observe " + options.observe + ": unknown; one of: " + known + ", none");
}

int own_status(WaitStatus status) { return status.exited() ? status.code() : 128 + status.signal(); }

int signal_from(const std::string& name) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    if (signal_name(signal) == name) return signal;
  }
  return 0;
}

bool anybody_left(const guard::GuardResult& result) { return !result.left.processes.empty(); }

int exit_status_of(const guard::GuardResult& result) {
  if (!result.ended_after) return result.trouble.empty() ? could_not_tell : harness_failed;
  const int own = own_status(result.status);
  if (own != 0) return own;
  if (result.grace_cut) return 128 + signal_from(result.asked_by);
  if (anybody_left(result)) return not_as_expected;
  return result.cut_off || !result.left.complete ? could_not_tell : as_expected;
}

/// Every signal of the rig's own is said.
std::string text_of_kill(const guard::GuardResult& result, const std::string& name) {
  if (!result.killed) return {};
  return reports::wrapped("repro guard: ", fmt::format("{} had not ended {} after its start, when it was killed: {} had asked for its end",
                                                       name, text(*result.ended_after), result.asked_by), 2);
}

std::string text_of(const guard::GuardResult& result, const GuardOptions& options) {
  const std::string name = options.argv.front().substr(options.argv.front().rfind('/') + 1);
  if (!result.ended_after) return fmt::format("repro guard: {} was cut off{}\n", name, result.trouble.empty() ? "" : ": " + result.trouble);
  const std::size_t count = result.left.processes.size();
  const std::string killed = text_of_kill(result, name);
  if (count == 0) {
    if (!result.cut_off && result.left.complete) return killed;
    if (!result.cut_off) return fmt::format("repro guard: who {} left could not be counted: new processes at each look, or some that /proc does not show\n", name);
    return fmt::format("repro guard: who {} left could not be seen: the arena was cut off\n", name);
  }
  const std::string left = count == 1 ? "a process" : fmt::format("{} processes", count);
  const std::string end = fmt::format("its end ({}), now killed", result.status.text());
  const Nanos lived = result.grace_cut ? result.graced : options.grace;
  const std::string story =
      result.why.proof.empty()
          ? fmt::format("{} left {} that lived on for {} after {}", name, left, text(lived), end)
          : fmt::format("{} left {} behind after {}; no grace was needed: {}", name, left, end, result.why.proof);
  std::string all = killed + reports::wrapped("repro guard: ", story, 2);
  if (result.grace_cut && result.why.proof.empty()) {
    all += reports::wrapped("  ", fmt::format("{} has cut the grace of {} short", result.asked_by, text(options.grace)), 2);
  }
  if (!result.left.complete) all += "  the count is not complete\n";
  for (std::size_t i = 0; i < std::min(result.why.processes.size(), most_left_told); ++i) {
    const Explanation& one = result.why.processes[i];
    all += fmt::format("  {} {}\n", one.name, one.pid);
    for (const std::string& sentence : sentences_of(one)) all += reports::wrapped("    ", sentence, 6);
  }
  if (count > most_left_told) all += fmt::format("  ... and {} more\n", count - most_left_told);
  const bool blind = result.observation && result.observation->way != "connector" && result.observation->way != "ptrace";
  if (blind) all += reports::wrapped("  who started whom was seen by way of ", fmt::format("{}, which misses {}", result.observation->way, result.observation->misses), 4);
  return reports::printable(all);
}

/// One line: that files are gone is not to be found out later.
std::string lost_text(const guard::GuardResult& result) {
  if (result.lost.empty()) return {};
  std::string names;
  for (std::size_t i = 0; i < std::min(result.lost.size(), most_left_told); ++i) names += (i > 0 ? ", " : "") + result.lost[i];
  if (result.lost.size() > most_left_told) names += fmt::format(" and {} more", result.lost.size() - most_left_told);
  return reports::printable(fmt::format("repro guard: gone with its private /tmp: {}; --share keeps a path\n", names));
}

std::string json_of(const guard::GuardResult& result, const GuardOptions& options) {
  nlohmann::json document{{"command", options.argv}, {"exit", result.ended_after ? nlohmann::json(own_status(result.status)) : nlohmann::json()},
                          {"ended_after_ms", result.ended_after ? nlohmann::json(in_seconds(*result.ended_after) * 1e3) : nlohmann::json()},
                          {"grace_ms", in_seconds(options.grace) * 1e3},
                          {"asked_by", result.asked_by.empty() ? nlohmann::json() : nlohmann::json(result.asked_by)},
                          {"killed", result.killed}, {"grace_cut", result.grace_cut},
                          {"complete", result.left.complete && !result.cut_off}};
  document["observation"] = result.observation ? nlohmann::json{{"way", result.observation->way}, {"misses", result.observation->misses}, {"because", result.observation->because}} : nlohmann::json();
  document["lost"] = result.lost;
  document["proof"] = result.why.proof;
  document["left"] = nlohmann::json::array();
  for (const CensusEntry& entry : result.left.processes) {
    nlohmann::json one{{"pid", entry.pid}, {"name", entry.name}, {"state", entry.state}};
    for (const Explanation& why : result.why.processes) {
      if (why.pid != entry.pid) continue;
      one["started_by"] = why.starter_name, one["starter_has_ended"] = why.starter_gone, one["child_of"] = why.parent_name;
      one["cause"] = why.cause, one["cycle"] = why.cycle, one["why"] = sentences_of(why);
    }
    document["left"].push_back(std::move(one));
  }
  return document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

int act(const GuardOptions& options) {
  check(options);
  const guard::GuardOrders orders{options.argv, options.grace, options.kill_after, options.observe,
                                  options.private_tmp, shared_paths(options.shares)};
  const std::unique_ptr<Output> output = options.output.empty() ? nullptr : std::make_unique<Output>(options.output);
  const guard::GuardResult result = guard::guard(orders, arena::provide(std::nullopt, arena::Privacy::processes));
  if (!result.not_started.empty()) complain("guard: " + result.not_started);
  const std::string document = options.format == "json" ? json_of(result, options) : text_of(result, options) + lost_text(result);
  if (output) output->write(document);
  else std::fputs(document.c_str(), stderr);  // stdout is the command's
  return exit_status_of(result);
}

}  // namespace

int guard_verb(int argc, char** argv) {
  GuardOptions options;
  // What is behind -- is the command's, however it looks.
  int own = argc;
  for (int i = 1; i < argc && own == argc; ++i) {
    if (std::string_view(argv[i]) == "--") own = i;
  }
  for (int i = own + 1; i < argc; ++i) options.argv.emplace_back(argv[i]);
  CLI::App app(guard_about, "repro guard");
  app.footer(guard_more);
  app.get_formatter()->column_width(24);
  const auto take_grace = [&options](const std::string& text) { options.grace = duration("--grace", text, Nanos{}, std::chrono::hours(24)); };
  app.add_option_function<std::string>("--grace", take_grace, "for those still there after CMD's end that could\nend by themselves (2s)")->type_name("TIME");
  const auto take_kill_after = [&options](const std::string& text) {
    options.kill_after = duration("--kill-after", text, Nanos{}, std::chrono::hours(24));
  };
  app.add_option_function<std::string>("--kill-after", take_kill_after, "from a signal that asks for CMD's end\nuntil SIGKILL; 0s: never (10s)")->type_name("TIME");
  app.add_option("--observe", options.observe, "auto, connector, ptrace, proc or none: how\nwho started whom is seen (auto)")->type_name("WAY");
  app.add_flag("--private-tmp", options.private_tmp, "a /tmp, /var/tmp and /dev/shm of its own");
  app.add_option("--share", options.shares, "with --private-tmp: a path there that is the\nmachine's (repeatable)")
      ->type_name("PATH")->expected(1)->take_all()->allow_extra_args(false);
  app.add_option("--format", options.format, "text, only if somebody was left, or json")->type_name("F");
  app.add_option("--output", options.output, "a file instead of standard error")->type_name("FILE")->check(not_empty());
  return run_verb_with(app, own, argv, [&options] { return act(options); });
}

}  // namespace forkproof
