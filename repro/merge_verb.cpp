// repro merge FILE...: many results as one.
#include <fcntl.h>

#include <array>
#include <cerrno>

#include "harness/core/error.h"
#include "harness/core/fd.h"
#include "harness/fuzz/campaign_merge.h"
#include "harness/run/merge.h"
#include "reports/json_reading.h"
#include "repro/common.h"
#include "repro/reporting.h"

namespace forkproof {
namespace {

constexpr char about[] =
    "Folds results of `--format json` (the shards of one command line, from any\n"
    "number of machines) into one, and reports it as one run would have been. The\n"
    "order counts for nothing, and the same run twice counts once; what was merged\n"
    "can be merged again.\n";

constexpr char more[] =
    "\nExamples:\n"
    "  repro matrix --shard 1/2 --format json --output 1.json  # on one machine\n"
    "  repro matrix --shard 2/2 --format json --output 2.json  # on another\n"
    "  repro merge 1.json 2.json --also junit=matrix.xml\n"
    "  repro merge fuzz-*.json                                 # of fuzz likewise\n"
    "\nExit status: as the one run's would have been; 2 as well when a shard is\n"
    "missing, or came out differently when it was run again; 64 for a file that is no\n"
    "such result.\n";

std::string text_of(const std::string& path) {
  // Not scenario::is_file: a result may come through a pipe.
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) throw BadInput(error_text(path));
  std::string text;
  std::array<char, 64 << 10> piece;
  for (;;) {
    const ssize_t count = ::read(file.get(), piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw BadInput(error_text(path));
    if (count == 0) break;
    text.append(piece.data(), static_cast<std::size_t>(count));
  }
  if (text.empty()) throw BadInput(path + " is no result of `repro --format json`: it is empty");
  return text;
}

/// What reading says of a document, with the file's name before it.
template <class Read>
auto naming(const std::string& path, Read read) {
  try {
    return read();
  } catch (const BadInput& error) {
    throw BadInput(path + " " + error.what());
  }
}

int merge_runs(const std::vector<std::string>& paths, const std::vector<std::string>& texts, const Reporting& reporting) {
  std::vector<RunSummary> results;
  for (std::size_t i = 0; i < paths.size(); ++i) results.push_back(naming(paths[i], [&] { return reports::read_json(texts[i]); }));
  const RunSummary whole = run::merged(results);
  Documents(reporting).write(whole);
  return exit_status_of(whole);
}

int merge_fuzzing(const std::vector<std::string>& paths, const std::vector<std::string>& texts, const Reporting& reporting) {
  if (reporting.format != "text" && reporting.format != "json") throw BadInput("--format " + reporting.format + ": of fuzzing one of: text, json");
  // Each by itself first, so that a bad one is named.
  for (std::size_t i = 0; i < paths.size(); ++i) (void)naming(paths[i], [&] { return fuzz::merge_campaigns({texts[i]}); });
  const fuzz::MergedCampaigns whole = fuzz::merge_campaigns(texts);
  Output(reporting.output).write(reporting.format == "json" ? whole.document : whole.text);
  for (const std::string& each : reporting.also) {
    if (!each.starts_with("json=") && !each.starts_with("text=")) throw BadInput("--also " + each + ": of fuzzing one of: text=FILE, json=FILE");
    Output(each.substr(5), "--also").write(each.starts_with("json=") ? whole.document : whole.text);
  }
  if (whole.breaks > 0) return not_as_expected;
  return whole.unknowns > 0 || whole.interrupted || !whole.gaps.empty() || whole.cases == 0 ? could_not_tell : as_expected;
}

int act(const std::vector<std::string>& paths, const Reporting& reporting) {
  std::vector<std::string> texts;
  std::size_t fuzzing = 0;
  for (const std::string& path : paths) fuzzing += fuzz::is_campaign(texts.emplace_back(text_of(path)));
  if (fuzzing == 0) return merge_runs(paths, texts, reporting);
  if (fuzzing == paths.size()) return merge_fuzzing(paths, texts, reporting);
  throw BadInput("some of these are results of repro fuzz, and some are not: merge them apart");
}

}  // namespace

int merge_verb(int argc, char** argv) {
  std::vector<std::string> paths;
  Reporting reporting;
  CLI::App app(about, "repro merge");
  app.footer(more);
  app.get_formatter()->column_width(28);
  app.add_option("FILE", paths, "results of --format json")->type_name("...")->required();
  describe(app, reporting);
  return run_verb_with(app, argc, argv, [&] { return act(paths, reporting); });
}

}  // namespace forkproof
