// repro fuzz: cases that nobody wrote, played until one breaks a promise.
#include <map>
#include <set>
#include <thread>

#include <fmt/format.h>

#include "harness/core/error.h"
#include "harness/core/history.h"
#include "harness/fuzz/campaign.h"
#include "harness/fuzz/invent.h"
#include "harness/oracles/oracle.h"
#include "harness/run/shard.h"
#include "reports/layout.h"
#include "reports/names.h"
#include "repro/common.h"
#include "repro/finds.h"
#include "repro/options.h"
#include "repro/progress.h"
#include "repro/values.h"

namespace forkproof {
namespace {

constexpr char fuzz_about[] =
    "Invents cases: trees and what each process does, spawn backends, captures,\n"
    "faults and where they strike, holds. Plays each in an arena of its own and\n"
    "judges it. A profile with every policy right (exemplary) must hold against all.\n";

constexpr char fuzz_more[] =
    "\nExamples:\n"
    "  repro fuzz --for 60s\n"
    "  repro fuzz --profile airflow-3.2.0 --cases 1000 --seed 7\n"
    "  repro fuzz --cases 100000 --shard 2/8 --format json --output part-2.json\n"
    "  repro fuzz --seed 7 --replay 1234\n"
    "  parallel repro fuzz --cases 100000 --shard {}/4 --format json \\\n"
    "    --output {}.json ::: 1 2 3 4; repro merge [1-4].json\n"
    "\nThe same seed invents the same cases on every machine. What breaks is saved at\n"
    "once below --found, a file a case, the first few of each promise.\n"
    "\nExit status: 0 nothing broke, 1 something did, 2 something could not be told or\n"
    "it was interrupted, 64 usage or bad input, 70 the harness failed.\n";

constexpr std::size_t most_breaks_told = 20;         // breaks, in the summary
constexpr std::uint64_t cases_if_not_said = 1'000;
constexpr Nanos longest = std::chrono::hours(30 * 24);

struct FuzzOptions {
  std::string profile = "exemplary";
  std::vector<std::string> backends;
  bool hazards = false;
  fuzz::CampaignOptions campaign;
  std::string shard, format = "text", output, found = "found";
  std::optional<std::uint64_t> cases, replay;
  Nanos shrink_time = std::chrono::seconds(30);
  bool no_shrink = false;
};

/// Which cases, not how many verdicts: one that broke two promises is one case.
class Standing {
 public:
  void add(const std::vector<fuzz::Break>& broken) {
    ++broken_;
    for (const fuzz::Break& each : broken) ++by_promise_[each.oracle];
  }
  [[nodiscard]] std::string line(const fuzz::CampaignResult& so_far) const {
    std::set<std::uint64_t> unknown;
    for (const fuzz::Unknown& each : so_far.unknowns) unknown.insert(each.index);
    std::string line = fmt::format("{} cases, {:.0f} a second, {:.0f}% of the words, {} unknown, {} broken", so_far.cases,
                                   static_cast<double>(so_far.cases) / in_seconds(so_far.wall), so_far.coverage_percent, unknown.size(), broken_);
    std::string which;
    for (const auto& [oracle, count] : by_promise_) which += fmt::format("{}{} {}", which.empty() ? ": " : ", ", oracle, count);
    return line + which;
  }

 private:
  std::uint64_t broken_ = 0;
  std::map<std::string, std::uint64_t> by_promise_;
};

/// Each reason once, without the numbers in it: in how many cases, and for which promises.
std::string text_of_unknowns(const std::vector<fuzz::Unknown>& unknowns) {
  struct Reason {
    std::set<std::uint64_t> cases;
    std::set<std::string> oracles;
    std::string because;
  };
  std::map<std::string, Reason> reasons;
  for (const fuzz::Unknown& each : unknowns) {
    Reason& reason = reasons[each.because.substr(0, each.because.find_first_of("0123456789"))];
    reason.cases.insert(each.index);
    reason.oracles.insert(each.oracle);
    if (reason.because.empty()) reason.because = each.because;
  }
  std::string text;
  for (const auto& [prefix, reason] : reasons) {
    const std::string which = reason.oracles.size() == oracles::oracles().size() ? "every promise" : fmt::format("{}", fmt::join(reason.oracles, ", "));
    const std::string cases = reports::counted(reason.cases.size(), "case", "cases");
    text += reports::wrapped("  ", fmt::format("unknown in {}, the first {}: {}", cases, *reason.cases.begin(), which), 4);
    text += reports::wrapped("    ", reports::printable(reason.because));
  }
  return text;
}

AskedSpace asked_space(const FuzzOptions& options) {
  return {options.profile, options.backends, options.hazards, options.campaign.seed};
}

/// Lines for people, in 80 columns where the words allow it.
std::string text_of(const FuzzOptions& options, const fuzz::CampaignResult& result, const std::string& notes) {
  std::string text = fmt::format("fuzz: {}, {}, seed {}{}\n", result.profile,
                                 reports::counted(result.backends.size(), "backend", "backends"), result.seed,
                                 result.shards > 1 ? fmt::format(", shard {}/{}", result.shard, result.shards) : "");
  text += fmt::format("  {} cases in {}, {:.0f} a second; {:.0f}% of the vocabulary\n", result.cases, forkproof::text(result.wall),
                      static_cast<double>(result.cases) / std::max(in_seconds(result.wall), 1e-3), result.coverage_percent);
  for (const auto& [note, count] : result.skipped) text += reports::wrapped("  ", fmt::format("{} cases {}", count, note), 4);
  std::vector<std::string> unused;
  for (const auto& [word, count] : result.coverage) {
    if (count == 0) unused.push_back(word);
  }
  const std::size_t named = std::min<std::size_t>(unused.size(), 3);
  if (!unused.empty()) {
    text += reports::wrapped("  not drawn: ", fmt::format("{}{}", fmt::join(unused.begin(), unused.begin() + static_cast<std::ptrdiff_t>(named), ", "),
                             unused.size() > named ? fmt::format(" and {} more", unused.size() - named) : ""), 4);
  }
  if (result.interrupted) text += "  interrupted: this is what was found so far\n";
  if (!result.failure.empty()) text += reports::wrapped("  ", "the harness failed: " + result.failure + "; this is what was found so far", 4);
  text += text_of_unknowns(result.unknowns);
  std::map<std::string, std::uint64_t> broken;
  for (const fuzz::Break& each : result.breaks) ++broken[each.oracle];
  if (broken.empty()) return text + "  nothing broke\n";
  for (const auto& [oracle, count] : broken) text += fmt::format("  {} broken in {}\n", oracle, reports::counted(count, "case", "cases"));
  for (std::size_t i = 0; i < std::min(result.breaks.size(), most_breaks_told); ++i) {
    const fuzz::Break& each = result.breaks[i];
    text += fmt::format("    case {}: {} ({})\n", each.index, each.oracle, each.one.backend_name());
    text += reports::wrapped("      ", reports::printable(each.verdict.because));
  }
  if (result.breaks.size() > most_breaks_told) text += fmt::format("    ... and {} more\n", result.breaks.size() - most_breaks_told);
  text += notes;
  return text + "\n  See one again:\n" + reports::wrapped_command(4, asked_space(options).words(result.breaks.front().index));
}

int status_of(const fuzz::CampaignResult& result) {
  if (!result.failure.empty()) return harness_failed;
  if (!result.breaks.empty()) return not_as_expected;
  return !result.unknowns.empty() || result.interrupted || result.cases == 0 ? could_not_tell : as_expected;
}

int replay(const FuzzOptions& options, const fuzz::Space& space) {
  Options one;
  one.reporting.format = options.format, one.reporting.output = options.output, one.shard = "1/1";
  one.run.jobs = 1;
  run::Cell cell;
  cell.one = fuzz::invent(space, options.campaign.seed, *options.replay);
  cell.asked = fmt::format("{}", fmt::join(asked_space(options).words(*options.replay), " "));
  return run_and_report(one, {cell}, false);
}

fuzz::CampaignResult run_campaign(const FuzzOptions& options, const fuzz::Space& space, const arena::Provision& provision, Finds& finds) {
  ProgressLine progress;
  Standing standing;
  fuzz::Watcher watcher;
  watcher.progress = [&](const fuzz::CampaignResult& so_far) {
    if (progress.due()) progress.say(standing.line(so_far));
  };
  watcher.found = [&](const std::vector<fuzz::Break>& broken, const History&) {
    standing.add(broken);
    finds.save(broken);
  };
  fuzz::CampaignResult result = fuzz::campaign(space, options.campaign, provision, watcher);
  progress.clear();
  return result;
}

int act(FuzzOptions& options) {
  const Shard shard = run::read_shard(options.shard, run::own_environment());
  options.campaign.shard = shard.index, options.campaign.shards = shard.count;
  announce(shard);
  options.campaign.cases = options.cases;
  if (!options.cases && !options.campaign.time) options.campaign.cases = cases_if_not_said;
  if (options.format != "text" && options.format != "json") throw BadInput("--format " + options.format + ": one of: text, json");
  const fuzz::Space space = fuzz::space_over(options.profile, options.backends, options.hazards);
  if (options.replay) return replay(options, space);
  if (options.campaign.jobs == 0) options.campaign.jobs = std::max(1U, std::thread::hardware_concurrency());
  Output output(options.output);
  Finds finds(options.found, asked_space(options), space);
  const arena::Provision provision = arena::provide(std::nullopt);
  fuzz::CampaignResult result = run_campaign(options, space, provision, finds);
  const auto document = [&] { return options.format == "json" ? fuzz::to_document(result) : text_of(options, result, finds.text()); };
  const bool shrinks = !options.no_shrink && !result.interrupted && result.failure.empty() && !result.breaks.empty();
  // What is known is written before what takes longer: whoever kills the shrinking loses nothing else.
  if (shrinks && !options.output.empty()) output.write(document());
  if (shrinks) finds.shrink(result.breaks, provision, options.campaign.jobs, options.shrink_time);
  result.shrunk = finds.shrunk(), result.saved = finds.saved();
  output.write(document());
  if (!result.failure.empty()) complain("the harness failed: " + result.failure);
  return status_of(result);
}

}  // namespace

int fuzz_verb(int argc, char** argv) {
  FuzzOptions options;
  options.campaign.jobs = 0;
  CLI::App app(fuzz_about, "repro fuzz");
  app.footer(fuzz_more);
  app.get_formatter()->column_width(28);
  app.add_option("--profile", options.profile, "the supervisor profile (exemplary)")->type_name("P");
  app.add_option("--backend", options.backends, "only these spawn backends")->type_name("A,B")->expected(1)->take_all()->allow_extra_args(false);
  const auto take_time = [&options](const std::string& text) { options.campaign.time = duration("--for", text, std::chrono::milliseconds(1), longest); };
  app.add_option_function<std::string>("--for", take_time, "this long: 60s, 10m, 2h")->type_name("TIME");
  add_whole(app, "--cases", options.cases, 1, most_seed, "cases 0 to N - 1, of all shards together (1000)")->type_name("N");
  add_whole(app, "--seed", options.campaign.seed, 0, most_seed, "what is invented (1)")->type_name("S");
  add_whole(app, "--jobs", options.campaign.jobs, 1, most_jobs, "arenas open at once (one a processor)")->type_name("N");
  app.add_option("--shard", options.shard, "only case I of each N, from 1 (else from the\nenvironment, as for repro matrix)")->type_name("I/N")->check(not_empty());
  app.add_flag("--hazards", options.hazards, "also what no policy can survive: a bare fork with\nthe lock held, a task that ignores SIGINT");
  app.add_option("--found", options.found, "the folder for what breaks (found)")->type_name("DIR")->check(not_empty());
  const auto take_shrink_time = [&options](const std::string& text) { options.shrink_time = duration("--shrink-for", text, std::chrono::milliseconds(1), longest); };
  app.add_option_function<std::string>("--shrink-for", take_shrink_time, "at most so long for making what broke smaller, in\nall (30s); --for is the time before that")->type_name("TIME");
  app.add_flag("--no-shrink", options.no_shrink, "leave what broke as it was found");
  add_whole(app, "--replay", options.replay, 0, most_seed, "plays that one case and tells it")->type_name("CASE");
  app.add_option("--format", options.format, "text, json (text)")->type_name("F");
  app.add_option("--output", options.output, "a file instead of standard output")->type_name("FILE")->check(not_empty());
  return run_verb_with(app, argc, argv, [&] {
    options.backends = split_names("--backend", options.backends);
    if (options.replay) {
      refuse_without_effect(app, {"--cases", "--for", "--jobs", "--shard", "--found", "--shrink-for", "--no-shrink"}, "--replay");
    }
    if (options.no_shrink) refuse_without_effect(app, {"--shrink-for"}, "--no-shrink");
    return act(options);
  });
}

}  // namespace forkproof
