// repro merge FILE...: many results as one.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <sstream>

#include "harness/core/error.h"
#include "harness/core/fd.h"
#include "harness/fuzz/campaign_merge.h"
#include "harness/run/merge.h"
#include "reports/json_reading.h"
#include "reports/layout.h"
#include "repro/common.h"
#include "repro/reporting.h"

namespace forkproof {
namespace {

constexpr char merge_about[] =
    "Folds results of `--format json` (the shards of one command line, from any\n"
    "number of machines) into one, and reports it as one run would have been. The\n"
    "order counts for nothing, and the same run twice counts once; what was merged\n"
    "can be merged again.\n";

constexpr char merge_more[] =
    "\nExamples:\n"
    "  repro matrix --shard 1/2 --format json --output 1.json  # on one machine\n"
    "  repro matrix --shard 2/2 --format json --output 2.json  # on another\n"
    "  repro merge 1.json 2.json --also junit=matrix.xml\n"
    "  repro merge fuzz-*.json                                 # of fuzz likewise\n"
    "\nExit status: as the one run's would have been; 2 as well when a shard is\n"
    "missing, came out differently when it was run again, or left an empty file; 64\n"
    "for a file that is no such result.\n";

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
  return text;
}

/// The files that have anything in them. `--output` is opened before any work is done, so a shard that was killed leaves an
/// empty one: it is a missing shard, and no bad input.
struct Files {
  std::vector<std::string> paths, texts;
  bool any_empty = false;
};
Files read_all(const std::vector<std::string>& paths) {
  Files files;
  std::vector<std::string> empty;
  for (const std::string& path : paths) {
    std::string text = text_of(path);
    if (text.empty()) empty.push_back(path);
    else files.paths.push_back(path), files.texts.push_back(std::move(text));
  }
  if (files.paths.empty()) throw BadInput(empty.front() + ": is empty, a shard that was cut off, and there is nothing else to merge");
  for (const std::string& path : empty) complain(path + ": is empty, a shard that was cut off; it counts as missing");
  files.any_empty = !empty.empty();
  return files;
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

int merge_runs(const Files& files, const Reporting& reporting) {
  std::vector<RunSummary> results;
  for (std::size_t i = 0; i < files.paths.size(); ++i) results.push_back(naming(files.paths[i], [&] { return reports::read_json(files.texts[i]); }));
  const RunSummary whole = run::merged(results);
  Documents(reporting).write(whole);
  return exit_status_of(whole);
}

/// A place for a merged campaign, and as what it stands there.
struct Place {
  std::unique_ptr<Output> output;
  bool is_json = false;
};

/// All words are understood before any file is touched.
std::vector<Place> places_for(const Reporting& reporting) {
  if (reporting.format != "text" && reporting.format != "json") throw BadInput("--format " + reporting.format + ": of fuzzing one of: text, json");
  for (const std::string& each : reporting.also) {
    const bool is_known = each.starts_with("json=") || each.starts_with("text=");
    if (!is_known || each.size() == 5) throw BadInput("--also " + each + ": of fuzzing one of: text=FILE, json=FILE");
  }
  std::vector<Place> places;
  places.push_back({std::make_unique<Output>(reporting.output), reporting.format == "json"});
  for (const std::string& each : reporting.also) {
    places.push_back({std::make_unique<Output>(each.substr(5), "--also"), each.starts_with("json=")});
  }
  return places;
}

/// In 80 columns: each line as deep as it is, and what follows of it deeper.
std::string in_columns(const std::string& text) {
  std::string all, line;
  for (std::istringstream lines(text); std::getline(lines, line);) {
    const std::size_t depth = std::min(line.find_first_not_of(' '), line.size());
    all += reports::wrapped(line.substr(0, depth), reports::printable(line.substr(depth)), depth + 2);
  }
  return all;
}

int merge_fuzzing(const Files& files, const Reporting& reporting) {
  // Each by itself first, so that a bad one is named.
  for (std::size_t i = 0; i < files.paths.size(); ++i) (void)naming(files.paths[i], [&] { return fuzz::merge_campaigns({files.texts[i]}); });
  const fuzz::MergedCampaigns whole = fuzz::merge_campaigns(files.texts);
  for (const Place& place : places_for(reporting)) place.output->write(place.is_json ? whole.document : in_columns(whole.text));
  if (whole.breaks > 0) return not_as_expected;
  return whole.unknowns > 0 || whole.interrupted || !whole.gaps.empty() || whole.cases == 0 ? could_not_tell : as_expected;
}

int act(const std::vector<std::string>& paths, const Reporting& reporting) {
  const Files files = read_all(paths);
  const auto fuzzing = static_cast<std::size_t>(std::count_if(files.texts.begin(), files.texts.end(), fuzz::is_campaign));
  if (fuzzing != 0 && fuzzing != files.paths.size()) throw BadInput("some of these are results of repro fuzz, and some are not: merge them apart");
  const int status = fuzzing == 0 ? merge_runs(files, reporting) : merge_fuzzing(files, reporting);
  return status == as_expected && files.any_empty ? could_not_tell : status;
}

}  // namespace

int merge_verb(int argc, char** argv) {
  std::vector<std::string> paths;
  Reporting reporting;
  CLI::App app(merge_about, "repro merge");
  app.footer(merge_more);
  app.get_formatter()->column_width(28);
  app.add_option("FILE", paths, "results of --format json")->type_name("...")->required();
  describe(app, reporting);
  return run_verb_with(app, argc, argv, [&] { return act(paths, reporting); });
}

}  // namespace forkproof
