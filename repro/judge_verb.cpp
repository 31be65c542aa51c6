// repro judge DIR: today's oracles on yesterday's histories.
#include <fcntl.h>

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "harness/core/error.h"
#include "harness/core/fd.h"
#include "harness/oracles/oracle.h"
#include "repro/common.h"

namespace forkproof {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> histories_below(const std::string& place) {
  if (!fs::exists(place)) throw BadInput(place + ": no such file or folder");
  if (fs::is_regular_file(place)) return {place};
  std::vector<std::string> paths;
  for (const auto& entry : fs::recursive_directory_iterator(place)) {
    if (entry.path().extension() == ".jsonl") paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  if (paths.empty()) throw BadInput(place + ": no history (*.jsonl) below it; `repro ... --keep DIR` keeps some");
  return paths;
}

Outcome judge_one(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) throw BadInput(error_text(path));
  fmt::print("{}\n", path);
  Outcome worst = Outcome::held;
  const auto verdicts = oracles::judge(read_history(file));
  for (const auto& row : oracles::oracles()) {
    const Verdict& verdict = verdicts.at(std::string(row.key));
    fmt::print("  {:<22} {:<8} {}\n", row.key, name(verdict.outcome), verdict.because);
    worst = std::max(worst, verdict.outcome);
  }
  return worst;
}

int act(const std::string& place) {
  Outcome worst = Outcome::held;
  for (const std::string& path : histories_below(place)) worst = std::max(worst, judge_one(path));
  if (worst == Outcome::broken) return not_as_expected;
  return worst == Outcome::unknown ? could_not_tell : as_expected;
}

}  // namespace

int judge_verb(int argc, char** argv) {
  std::string place;
  CLI::App app("Judges kept histories again: a .jsonl file, or all below a folder. Exits 0 when every\n"
               "promise held, 1 when one is broken, 2 when one cannot be told.",
               "repro judge");
  app.add_option("DIR", place, "a folder of --keep, or one history.jsonl")->required();
  return run_verb_with(app, argc, argv, [&place] { return act(place); });
}

}  // namespace forkproof
