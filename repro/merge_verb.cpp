// repro merge FILE...: many results as one.
#include <fstream>
#include <sstream>

#include "harness/core/error.h"
#include "harness/run/merge.h"
#include "reports/json_reading.h"
#include "repro/common.h"
#include "repro/reporting.h"

namespace forkproof {
namespace {

constexpr char about[] =
    "Folds results of `--format json` (the shards of one command line, from any number\n"
    "of machines) into one, and reports it as one run would have been. The order counts\n"
    "for nothing, and the same run twice counts once; what was merged can be merged again.\n";

constexpr char more[] =
    "\nExamples:\n"
    "  repro matrix --shard 1/2 --format json --output 1.json    # on one machine\n"
    "  repro matrix --shard 2/2 --format json --output 2.json    # on another\n"
    "  repro merge 1.json 2.json --also junit=matrix.xml\n"
    "\nExit status: as the one run's would have been; 2 as well when a shard is missing, or\n"
    "came out differently when it was run again; 64 for a file that is no such result.\n";

RunSummary read_result(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  // A folder opens and cannot be read.
  if (!file || !(text << file.rdbuf())) throw BadInput(error_text(path, errno == 0 ? EINVAL : errno));
  try {
    return reports::read_json(text.str());
  } catch (const BadInput& error) {
    throw BadInput(path + " " + error.what());
  }
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
  return run_verb_with(app, argc, argv, [&] {
    std::vector<RunSummary> results;
    for (const std::string& path : paths) results.push_back(read_result(path));
    const RunSummary whole = run::merged(results);
    Documents(reporting).write(whole);
    return exit_status_of(whole);
  });
}

}  // namespace forkproof
