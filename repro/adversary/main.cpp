// adversary: damaged input for the readers of the rig, in one process a worker. No part of what is installed.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "harness/core/error.h"
#include "repro/adversary/pool.h"

namespace forkproof::adversary {
namespace {

constexpr ReaderRow readers[] = {
    {"scenario", "scenario files, crossed and written back", make_scenario},
    {"profile", "profile files", make_profile},
    {"target", "target files", make_target},
    {"history", "histories, as judge reads them", make_history},
    {"result", "results, as merge reads them", make_result},
    {"command-line", "the words of a command line, up to where an arena would be opened", make_command_line},
    {"canary", "no reader: does all that none may do, and must be caught", make_canary},
};

const ReaderRow& reader_named(const std::string& key) {
  std::string known;
  for (const ReaderRow& row : readers) {
    if (key == row.key) return row;
    known += std::string(known.empty() ? "" : ", ") + row.key;
  }
  throw BadInput("no reader '" + clipped(key) + "'; one of: " + known);
}

/// One input again, or one that was kept, in this process: for a debugger, and to see what is said.
int show(const Orders& orders, const std::string& file) {
  const std::unique_ptr<Reader> reader = orders.reader->make(orders.corpus);
  Chance chance(orders.seed, orders.from);
  const Came came = reader->came_of(file.empty() ? reader->input(chance) : text_of_file(file));
  const std::string page = fmt::format("{}\n{}\n{}\n", came.was_read ? "read" : "refused", came.refusal, came.complaint);
  // Standard output and standard error may be the reader's own.
  if (FILE* terminal = std::fopen("/dev/tty", "w"); terminal != nullptr) std::fputs(page.c_str(), terminal), std::fclose(terminal);
  else std::fputs(page.c_str(), stdout);
  return came.complaint.empty() ? 0 : 1;
}

int all(const Orders& orders) {
  const Tally tally = run(orders);
  std::string failures;
  for (const auto& [kind, count] : tally.failures) failures += fmt::format(", {} {}", count, kind);
  const double microseconds = std::chrono::duration<double, std::micro>(tally.took).count() / static_cast<double>(tally.inputs);
  fmt::print("{}: {} inputs, {} read, {} refused; longest refusal {} bytes; {:.0f} us an input{}\n", orders.reader->key, tally.inputs,
             tally.read, tally.refused, tally.longest_refusal, microseconds, failures.empty() ? "; nothing failed" : "; FAILED" + failures);
  if (!failures.empty()) fmt::print("  kept: {}/{}-{}-*\n", orders.keep, orders.reader->key, orders.seed);
  return failures.empty() ? 0 : 1;
}

int act(int argc, char** argv) {
  Orders orders;
  orders.jobs = std::max(1U, std::thread::hardware_concurrency());
  orders.keep = "adversary-found";
  std::string reader, file;
  bool one = false;
  long hang_seconds = orders.hang_after.count();
  CLI::App app("Damaged input for one reader: none may crash, hang, or say what helps nobody.", "adversary");
  app.add_option("READER", reader, "scenario, profile, target, history, result, command-line, canary")->required();
  app.add_option("--corpus", orders.corpus, "histories (*.jsonl) and results (*.json) of real runs");
  app.add_option("--keep", orders.keep, "the folder for what failed");
  app.add_option("--seed", orders.seed, "which inputs");
  app.add_option("--from", orders.from, "the first one's number");
  app.add_option("--count", orders.count, "how many");
  app.add_option("--jobs", orders.jobs, "workers")->check(CLI::Range(1, 64));
  app.add_option("--hang-after", hang_seconds, "seconds for one input");
  app.add_flag("--show", one, "input --from alone, in this process");
  app.add_option("--input", file, "a kept input, in this process");
  CLI11_PARSE(app, argc, argv);
  orders.reader = &reader_named(reader), orders.hang_after = std::chrono::seconds(hang_seconds);
  return one || !file.empty() ? show(orders, file) : all(orders);
}

}  // namespace
}  // namespace forkproof::adversary

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return forkproof::adversary::act(argc, argv);
  } catch (const std::exception& error) {
    forkproof::complain(error.what());
    return 70;
  }
}
