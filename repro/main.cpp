// repro: the command line. The first word is a verb, or else the name of a scenario to run.
#include <unistd.h>

#include <csignal>
#include <cstring>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "harness/core/error.h"
#include "repro/common.h"

namespace {

struct Verb {
  const char* name;
  int (*act)(int, char**);
};

constexpr Verb verbs[] = {
    {"matrix", forkproof::matrix_verb},
    {"fuzz", forkproof::fuzz_verb},
    {"prove", forkproof::prove_verb},
    {"list", forkproof::list_verb},
    {"doctor", forkproof::doctor_verb},
    {"merge", forkproof::merge_verb},
    {"judge", forkproof::judge_verb},
    {"play-task", forkproof::play_task_verb},
    {"order", forkproof::order_verb},
    {"contract", forkproof::contract_verb},
    {"guard", forkproof::guard_verb},
    {"targets", forkproof::targets_verb},
    {"report-start", forkproof::report_start_verb},
};

}  // namespace

int main(int argc, char** argv) {
  // A reader that goes away is an error to report, not a death that leaves arenas to their keepers.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // ulimit -f: likewise
  spdlog::set_default_logger(spdlog::stderr_logger_st("repro"));
  spdlog::set_pattern("repro: %v");
  spdlog::set_level(spdlog::level::warn);
  for (const Verb& verb : verbs) {
    // The verb's parser sees "repro list ..." as one name.
    if (argc > 1 && std::strcmp(argv[1], verb.name) == 0) return verb.act(argc - 1, argv + 1);
  }
  return forkproof::run_verb(argc, argv);
}
