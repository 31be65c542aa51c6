// repro judge DIR: today's oracles on yesterday's histories.
#include <fcntl.h>

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "harness/core/error.h"
#include "harness/core/fd.h"
#include "harness/oracles/oracle.h"
#include "reports/layout.h"
#include "repro/common.h"

namespace forkproof {
namespace {

namespace fs = std::filesystem;

/// A folder that cannot be read is no folder without histories.
std::vector<std::string> histories_below(const std::string& place) {
  std::error_code error;
  const fs::file_status status = fs::status(place, error);
  if (status.type() == fs::file_type::not_found) throw BadInput(place + ": no such file or folder");
  if (error) throw BadInput(place + ": " + error.message());
  if (fs::is_regular_file(status)) return {place};
  if (!fs::is_directory(status)) throw BadInput(place + ": is neither a file nor a folder");
  std::vector<std::string> paths;
  std::string at = place;
  fs::recursive_directory_iterator entry(place, error);
  while (!error && entry != fs::recursive_directory_iterator()) {
    at = entry->path().string();
    if (entry->path().extension() == ".jsonl" && fs::is_regular_file(entry->path(), error)) paths.push_back(at);
    if (!error) entry.increment(error);
  }
  if (error) throw BadInput(at + ": " + error.message());
  std::sort(paths.begin(), paths.end());
  if (paths.empty()) throw BadInput(place + ": no history (*.jsonl) below it; `repro ... --keep DIR` keeps some");
  return paths;
}

Outcome judge_one(const std::string& path, std::string* page) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) throw BadInput(error_text(path));
  *page += path + "\n";
  std::size_t width = 0;
  for (const auto& row : oracles::oracles()) width = std::max(width, row.key.size());
  Outcome worst = Outcome::held;
  bool any_judged = false;
  const auto verdicts = oracles::judge(read_history(file));
  for (const auto& row : oracles::oracles()) {
    const Verdict& verdict = verdicts.at(std::string(row.key));
    *page += reports::wrapped(fmt::format("  {:<{}}  {:<7}  ", row.key, width, name(verdict.outcome)), verdict.because);
    worst = std::max(worst, verdict.outcome);
    any_judged |= verdict.outcome != Outcome::skipped;
  }
  return any_judged ? worst : Outcome::unknown;
}

int act(const std::string& place) {
  Outcome worst = Outcome::held;
  std::string page;
  for (const std::string& path : histories_below(place)) worst = std::max(worst, judge_one(path, &page));
  Output("").write(reports::printable(page));  // a history may be anybody's
  if (worst == Outcome::broken) return not_as_expected;
  return worst == Outcome::unknown ? could_not_tell : as_expected;
}

}  // namespace

int judge_verb(int argc, char** argv) {
  std::string place;
  CLI::App app("Judges kept histories again: a .jsonl file, or all below a folder. Exits 0 when\n"
               "every promise held, 1 when one is broken, 2 when one cannot be told.",
               "repro judge");
  app.add_option("DIR", place, "a folder of --keep, or one history.jsonl")->required()->type_name("");
  return run_verb_with(app, argc, argv, [&place] { return act(place); });
}

}  // namespace forkproof
