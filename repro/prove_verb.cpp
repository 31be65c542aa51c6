// repro prove: every planted defect is caught, every promise catches one, every right twin holds. That proves the rig.
#include <algorithm>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "harness/arena/tier.h"
#include "harness/core/error.h"
#include "harness/fuzz/prove.h"
#include "harness/oracles/oracle.h"
#include "reports/layout.h"
#include "reports/names.h"
#include "repro/common.h"
#include "repro/progress.h"
#include "repro/values.h"

namespace forkproof {
namespace {

using Json = nlohmann::ordered_json;
using fuzz::DefectProof;

constexpr char prove_about[] =
    "Plants every wrong value of every policy knob, alone, in an exemplary\n"
    "supervisor, and asks who catches it: which scenarios of the catalogue, and how\n"
    "many invented cases it takes from nothing. Every defect must be caught, every\n"
    "promise must catch one, and the same with the right value must hold.\n";
constexpr char prove_more[] =
    "\nExit status: 0 when the proof stands, 1 when it does not, 2 when it was\n"
    "interrupted, 64 and 70 as ever.\n";

struct ProveOptions {
  bool is_short = false;
  unsigned jobs = 0, seeds = 0;
  double seconds = 0;  ///< of one hunt; 0: as the form has it
  std::string format = "text", output;
};

fuzz::ProofOptions proof_options(const ProveOptions& options) {
  fuzz::ProofOptions proof;
  if (options.is_short) {
    proof.whole_catalogue = false;
    proof.seeds = 0;
    proof.hunt.time = std::chrono::seconds(10);
    proof.seeds_defects = false;
    proof.shrink.budget = std::chrono::seconds(5);
    proof.shrink.measured = 5;
  }
  if (options.seeds > 0) proof.seeds = options.seeds;
  if (options.seconds > 0) proof.hunt.time = from_seconds(options.seconds);
  return proof;
}

std::vector<std::string> oracle_keys() {
  std::vector<std::string> keys;
  for (const auto& row : oracles::oracles()) keys.emplace_back(row.key);
  return keys;
}

std::string letters_of(const std::set<std::string>& oracles, const reports::Letters& letters) {
  std::string text;
  for (const std::string& key : oracle_keys()) {
    if (oracles.contains(key)) text += letters.at(key);
  }
  return text;
}

/// Each scenario once, whatever its backends.
std::vector<std::pair<std::string, std::set<std::string>>> by_scenario(const std::vector<fuzz::Catch>& catches) {
  std::vector<std::pair<std::string, std::set<std::string>>> scenarios;
  for (const fuzz::Catch& each : catches) {
    const auto same = [&each](const auto& entry) { return entry.first == each.scenario; };
    auto there = std::find_if(scenarios.begin(), scenarios.end(), same);
    if (there == scenarios.end()) there = scenarios.insert(there, {each.scenario, {}});
    there->second.insert(each.oracles.begin(), each.oracles.end());
  }
  return scenarios;
}

std::string from_nothing(const fuzz::Hunts& hunts) {
  if (hunts.seeds == 0) return "-";
  const auto median = hunts.median_cases();
  return median ? fmt::format("{:g}", *median) : "none";
}

std::string row(const DefectProof& proof, const reports::Letters& letters) {
  const auto scenarios = by_scenario(proof.caught_by);
  std::string by = "nobody";
  if (!scenarios.empty()) {
    by = scenarios.front().first + ": " + letters_of(scenarios.front().second, letters);
    if (scenarios.size() > 1) by += fmt::format(" +{}", scenarios.size() - 1);
  }
  std::string left, sure;
  if (const auto& shrunk = proof.hunts.shrunk) {
    left = fmt::format("{}n {}f", count_nodes(shrunk->one.tree), shrunk->one.faults.size());
    sure = fmt::format("{}/{}", shrunk->broke, shrunk->measured);
  }
  return fmt::format("  {:<33} {:<22} {:>5}  {:<5}  {}\n", proof.defect.name(), reports::clipped(by, 22),
                     from_nothing(proof.hunts), left, sure);
}

double median(std::vector<double> numbers) {
  std::sort(numbers.begin(), numbers.end());
  const std::size_t half = numbers.size() / 2;
  return numbers.size() % 2 == 1 ? numbers[half] : (numbers[half - 1] + numbers[half]) / 2;
}

/// Shrinking's time as a multiple of finding's (the median over the seeds), the median over the defects.
std::optional<double> shrink_ratio(const fuzz::Proof& proof) {
  std::vector<double> ratios;
  for (const DefectProof& each : proof.defects) {
    const auto finding = each.hunts.median_time();
    if (finding && each.hunts.shrunk) ratios.push_back(in_seconds(each.hunts.shrunk->took) / std::max(in_seconds(*finding), 1e-3));
  }
  return ratios.empty() ? std::nullopt : std::optional(median(ratios));
}

std::string text_of(const fuzz::Proof& proof, const std::vector<std::string>& flaws, Nanos wall) {
  const reports::Letters letters = reports::letters_for(oracle_keys());
  std::string out = fmt::format("{} planted defects, {} right twins, {}\n\n", proof.defects.size(), proof.twins, text(wall));
  out += "  defect                            caught by              cases  left   sure\n";
  for (const DefectProof& each : proof.defects) out += row(each, letters);
  out += "\n  cases: how many it took from nothing (median over the seeds); left: nodes and\n  faults of the first, shrunk; sure: in how many runs that broke\n";
  std::vector<std::string> legend;
  for (const std::string& key : oracle_keys()) {
    const auto killed = proof.killed.find(key);
    const std::size_t count = killed == proof.killed.end() ? 0 : killed->second.size();
    legend.push_back(fmt::format("{} {} ({})", letters.at(key), key, count));
  }
  out += "\n" + reports::wrapped("  promises, and how many defects each caught: ", legend, 4);
  for (const std::string& key : oracle_keys()) {
    if (const std::string why = fuzz::why_it_cannot(key); !why.empty()) out += reports::wrapped("  " + key + ": ", why, 4);
  }
  if (!proof.seeds.empty()) out += "\n  reported of real supervisors             broke                     cases  after\n";
  for (const fuzz::SeedProof& each : proof.seeds) {
    out += fmt::format("  {:<39}  {:<23}  {:>6}  {}\n", each.name, each.oracle, each.found ? std::to_string(each.found->cases) : "-",
                       each.found ? text(each.found->found_after) : "not found");
  }
  if (const auto ratio = shrink_ratio(proof)) out += fmt::format("  shrinking took {:.1f} times as long as finding (median)\n", *ratio);
  out += proof.canary_failed ? "  the canary was found\n" : "";
  for (const std::string& each : proof.twins_unknown) out += "  could not be told under exemplary: " + each + "\n";
  out += flaws.empty() ? "\nThe proof stands.\n" : "\nThe proof does not stand:\n";
  for (const std::string& each : flaws) out += reports::wrapped("  - ", each, 4);
  return out;
}

Json json_of(const DefectProof& proof) {
  Json object{{"defect", proof.defect.name()}, {"caught_by", Json::array()}};
  for (const fuzz::Catch& each : proof.caught_by) {
    object["caught_by"].push_back({{"scenario", each.scenario}, {"backend", each.backend}, {"oracles", each.oracles}});
  }
  object["seeds"] = proof.hunts.seeds;
  object["found"] = Json::array();
  for (const fuzz::Quarry& each : proof.hunts.found) {
    object["found"].push_back({{"cases", each.cases}, {"oracle", each.oracle}, {"ms", in_seconds(each.found_after) * 1e3}});
  }
  if (const auto median = proof.hunts.median_cases()) object["median_cases"] = *median;
  if (const auto& shrunk = proof.hunts.shrunk) {
    object["shrunk"] = {{"nodes", count_nodes(shrunk->one.tree)}, {"faults", shrunk->one.faults.size()},
                        {"broke", shrunk->broke}, {"runs", shrunk->measured}, {"ms", in_seconds(shrunk->took) * 1e3},
                        {"ended", fuzz::word(shrunk->end)}};
    object["twin_held"] = proof.twin_flaw.empty();
  }
  return object;
}

std::string json_text(const fuzz::Proof& proof, const std::vector<std::string>& flaws, Nanos wall) {
  Json document{{"stands", flaws.empty()}, {"flaws", flaws}, {"canary_failed", proof.canary_failed},
                {"twins", proof.twins}, {"twins_broken", proof.twins_broken}, {"twins_unknown", proof.twins_unknown},
                {"wall_ms", in_seconds(wall) * 1e3}, {"defects", Json::array()}, {"seeds", Json::array()}};
  for (const DefectProof& each : proof.defects) document["defects"].push_back(json_of(each));
  for (const fuzz::SeedProof& each : proof.seeds) {
    Json entry{{"defect", each.name}, {"source", each.source}, {"oracle", each.oracle}};
    if (each.found) entry.update({{"cases", each.found->cases}, {"ms", in_seconds(each.found->found_after) * 1e3}});
    document["seeds"].push_back(entry);
  }
  for (const std::string& key : oracle_keys()) {
    const auto killed = proof.killed.find(key);
    document["oracles"][key] = killed == proof.killed.end() ? std::set<std::string>{} : killed->second;
  }
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

int act(const ProveOptions& options) {
  if (options.format != "text" && options.format != "json") throw BadInput("--format " + options.format + ": unknown format; one of: text, json");
  Output output(options.output);
  const fuzz::ProofOptions proof_of = proof_options(options);
  const arena::Provision provision = arena::provide();
  const Nanos began = monotonic_now();
  ProgressLine progress;
  fuzz::Proof proof;
  bool interrupted = false;
  {
    run::RunPool pool(provision, options.jobs > 0 ? options.jobs : std::max(1U, std::thread::hardware_concurrency()));
    proof = fuzz::prove(pool, proof_of, provision, [&progress](const std::string& what) { progress.say(what); });
    interrupted = pool.interrupted();
  }
  progress.clear();
  // What was cut off has caught less than it would have: that is no flaw of the rig, and no proof either.
  const std::vector<std::string> flaws = interrupted ? std::vector<std::string>{"it was interrupted"} : fuzz::flaws(proof);
  const Nanos wall = monotonic_now() - began;
  output.write(options.format == "json" ? json_text(proof, flaws, wall) : text_of(proof, flaws, wall));
  return interrupted ? could_not_tell : flaws.empty() ? as_expected : not_as_expected;
}

}  // namespace

int prove_verb(int argc, char** argv) {
  ProveOptions options;
  CLI::App app(prove_about, "repro prove");
  app.footer(prove_more);
  app.add_flag("--short", options.is_short, "the catalogue only, until the first scenario that\ncatches a defect: under a minute");
  add_whole(app, "--seeds", options.seeds, 1, 1000, "hunts from nothing for each defect (10)")->type_name("N");
  add_number(app, "--for", options.seconds, 0.1, 3600, "at most so long for one hunt (30)")->type_name("SECONDS");
  add_whole(app, "--jobs", options.jobs, 1, most_jobs, "arenas open at once (one a processor)")->type_name("N");
  app.add_option("--format", options.format, "text or json (text)")->type_name("F");
  app.add_option("--output", options.output, "a file instead of standard output")->type_name("FILE")->check(not_empty());
  return run_verb_with(app, argc, argv, [&options] { return act(options); });
}

}  // namespace forkproof
