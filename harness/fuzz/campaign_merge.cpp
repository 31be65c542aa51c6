#include "harness/fuzz/campaign_merge.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "harness/core/error.h"
#include "harness/core/json_place.h"
#include "harness/run/shard.h"

namespace forkproof::fuzz {
namespace {

using Json = nlohmann::json;
using Index = std::uint64_t;

/// A bit a case is kept while merging. A year of one machine is less.
constexpr Index most_cases = 1'000'000'000;

/// One part of a campaign: a shard as one run of `repro fuzz` has left it. Borrows its document.
struct Part {
  const Json* document;
  std::uint64_t shard = 1, shards = 1;
  std::uint64_t begun = 0;            ///< of its cases in their order
  std::set<Index> skipped, unfinished;
  bool cut_off = false;

  [[nodiscard]] Index last_index() const { return shard - 1 + (begun - 1) * shards; }
  [[nodiscard]] bool is_mine(Index index) const { return index % shards == shard - 1; }
  [[nodiscard]] bool has_begun(Index index) const { return is_mine(index) && index / shards < begun; }
  [[nodiscard]] bool has_run(Index index) const { return has_begun(index) && !skipped.contains(index) && !unfinished.contains(index); }
};

/// All parts of one campaign: they share one list of cases.
using Parts = std::vector<Part>;

std::string text_in(const Json& object, const char* key) {
  return object.at(key).get<std::string>();
}

std::uint64_t count_in(const Json& object, const char* key) { return object.at(key).get<std::uint64_t>(); }

/// What decides which case has which number. Neither how many were asked for nor how they were shared out is of it.
std::string identity(const JsonPlace& part) {
  for (const char* key : {"profile", "version", "plan"}) (void)part.at(key).text();
  (void)part.at("backends").texts(), (void)part.at("hazards").flag(), (void)part.at("seed").count();
  const Json& json = part.json();
  return Json({json.at("profile"), json.at("backends"), json.at("hazards"), json.at("seed"), json.at("version"), json.at("plan")}).dump();
}

/// The numbers of a list, each once.
void add_indices(const JsonPlace& list, std::set<Index>* indices) {
  for (const JsonPlace& each : list.items()) {
    if (!indices->insert(each.count()).second) each.refuse(fmt::format("case {} is there twice", each.count()));
  }
}

void check_finds(const JsonPlace& finds, const Part& read) {
  for (const JsonPlace& each : finds.items()) {
    const Index index = each.at("case").count();
    if (!read.has_run(index)) each.refuse(fmt::format("case {} was not run", index));
    (void)each.at("oracle").text(), (void)each.at("because").text();
  }
}

/// Throws for what is no campaign's document: all that is read later is here, and of its type.
Part part_in(const JsonPlace& document) {
  Part part{&document.json()};
  part.shard = document.at("shard").count(), part.shards = document.at("shards").count();
  if (part.shards > run::most_shards) document.at("shards").refuse(fmt::format("{}: more than {}", part.shards, run::most_shards));
  if (part.shard < 1 || part.shard > part.shards) document.at("shard").refuse(fmt::format("no shard is {} of {}", part.shard, part.shards));
  if (const JsonPlace asked = document.at("cases_asked"); !asked.json().is_null()) (void)asked.count();
  for (const auto& [reason, list] : document.at("skipped_cases").members()) add_indices(list, &part.skipped);
  add_indices(document.at("unfinished"), &part.unfinished);
  const std::uint64_t cases = document.at("cases").count();
  part.begun = std::min(cases, most_cases) + part.skipped.size() + part.unfinished.size();
  if (part.begun > 0 && part.last_index() >= most_cases) document.at("cases").refuse(fmt::format("{}: more than can be", cases));
  for (const std::set<Index>* indices : {&part.skipped, &part.unfinished}) {
    for (const Index each : *indices) {
      if (!part.has_begun(each)) document.refuse(fmt::format("case {} is not of its shard, or not begun", each));
    }
  }
  for (const Index each : part.skipped) {
    if (part.unfinished.contains(each)) document.refuse(fmt::format("case {} is skipped, and unfinished as well", each));
  }
  part.cut_off = document.at("interrupted").flag() || document.json().contains("failure");
  for (const auto& [word, count] : document.at("coverage").members()) (void)count.count();
  (void)identity(document), (void)document.at("wall_ms").count();
  check_finds(document.at("breaks"), part), check_finds(document.at("unknowns"), part);
  return part;
}

/// Each once, in an order that is its own.
std::map<std::string, Json> documents_in(const std::vector<std::string>& texts) {
  std::map<std::string, Json> parts;
  for (const std::string& text : texts) {
    try {
      const Json document = parse_json(text);
      const JsonPlace place(document);
      const auto merged = place.find("parts");
      for (const JsonPlace& part : merged ? merged->items() : std::vector{place}) {
        (void)part_in(part);
        parts.emplace(part.json().dump(), part.json());
      }
    } catch (const BadInput& error) {
      throw BadInput(std::string("is no result of `repro fuzz --format json`: ") + error.what());
    }
  }
  return parts;
}

/// Which cases of a campaign were run by anybody, and which at least looked at (skipped: no machine had what they need).
struct Covered {
  std::vector<bool> run, looked_at;

  [[nodiscard]] std::uint64_t count_run() const { return static_cast<std::uint64_t>(std::count(run.begin(), run.end(), true)); }
  [[nodiscard]] std::uint64_t missing_of(std::uint64_t asked) const {
    const auto end = looked_at.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(asked, looked_at.size()));
    return asked - static_cast<std::uint64_t>(std::count(looked_at.begin(), end, true));
  }
};

Covered covered_by(const Parts& parts) {
  Index end = 0;
  for (const Part& part : parts) end = std::max(end, part.begun == 0 ? 0 : part.last_index() + 1);
  Covered covered{std::vector<bool>(end), std::vector<bool>(end)};
  for (const Part& part : parts) {
    auto unfinished = part.unfinished.begin(), skipped = part.skipped.begin();  // in the order of the cases, as they are here
    for (Index index = part.shard - 1, i = 0; i < part.begun; ++i, index += part.shards) {
      const bool is_unfinished = unfinished != part.unfinished.end() && *unfinished == index;
      const bool is_skipped = skipped != part.skipped.end() && *skipped == index;
      if (is_unfinished) ++unfinished;
      if (is_skipped) ++skipped;
      if (is_unfinished) continue;
      covered.looked_at[index] = true;
      if (!is_skipped) covered.run[index] = true;
    }
  }
  return covered;
}

/// The cases of shard I of N are all some part's: of that shard, or of one that holds it. `whole`: only parts that were
/// not cut off count.
bool is_there(const Parts& parts, std::uint64_t shard, std::uint64_t shards, bool whole) {
  return std::any_of(parts.begin(), parts.end(), [&](const Part& part) {
    return shards % part.shards == 0 && part.is_mine(shard - 1) && !(whole && part.cut_off);
  });
}

std::vector<std::uint64_t> absent_of(const Parts& parts, std::uint64_t shards) {
  std::vector<std::uint64_t> absent;
  for (std::uint64_t shard = 1; shard <= shards; ++shard) {
    if (!is_there(parts, shard, shards, false)) absent.push_back(shard);
  }
  return absent;
}

std::string listed(const std::vector<std::uint64_t>& numbers) {
  constexpr std::size_t most = 10;
  const std::vector<std::uint64_t> first(numbers.begin(), numbers.begin() + static_cast<std::ptrdiff_t>(std::min(most, numbers.size())));
  return fmt::format("{}{}", fmt::join(first, ", "), numbers.size() > most ? ", ..." : "");
}

/// The way of sharing out of which least is missing: whoever has all of 1/2 and 2/2 is not asked for 2/3.
std::pair<std::uint64_t, std::vector<std::uint64_t>> least_absent(const Parts& parts) {
  std::set<std::uint64_t> counts;
  for (const Part& part : parts) counts.insert(part.shards);
  std::pair<std::uint64_t, std::vector<std::uint64_t>> least;
  for (const std::uint64_t shards : counts) {
    std::vector<std::uint64_t> absent = absent_of(parts, shards);
    if (least.first == 0 || absent.size() * least.first < least.second.size() * shards) least = {shards, std::move(absent)};
  }
  return least;
}

std::string name_of(const Parts& campaign) {
  const Json& some = *campaign.front().document;
  return fmt::format("profile {}, seed {}, plan {}", text_in(some, "profile"), count_in(some, "seed"), text_in(some, "plan"));
}

/// What nobody has run of what was asked for: an empty text when nothing is missing, or only what an interrupted part of
/// it was about to run.
struct Missing {
  std::string gap;
  bool cut_off = false;
};

std::string shards_missing(std::uint64_t shards, const std::vector<std::uint64_t>& absent) {
  return fmt::format("shard{} {} of {} {} missing", absent.size() == 1 ? "" : "s", listed(absent), shards, absent.size() == 1 ? "is" : "are");
}

/// Where the time decided how many cases there are: by the shards.
Missing missing_by_time(const Parts& timed) {
  Missing missing;
  for (const Part& part : timed) missing.cut_off |= part.cut_off && !is_there(timed, part.shard, part.shards, true);
  const auto [shards, absent] = least_absent(timed);
  if (!absent.empty()) missing.gap = shards_missing(shards, absent);
  return missing;
}

/// Where so many were asked for: by the cases.
Missing missing_by_number(const Parts& parts, const Covered& covered, std::uint64_t asked) {
  Missing missing;
  const std::uint64_t cases = covered.missing_of(asked);
  if (cases == 0) return missing;
  missing.cut_off = std::any_of(parts.begin(), parts.end(), [](const Part& part) { return part.cut_off; });
  const auto [shards, absent] = least_absent(parts);
  if (missing.cut_off && absent.empty()) return missing;
  missing.gap = fmt::format("{}{} of {} cases were run by nobody", absent.empty() ? "" : shards_missing(shards, absent) + ": ", cases, asked);
  return missing;
}

Missing missing_of(const Parts& parts, const Covered& covered) {
  Parts timed;
  std::uint64_t asked = 0;
  for (const Part& part : parts) {
    const Json& said = part.document->at("cases_asked");
    if (said.is_null()) timed.push_back(part);
    else asked = std::max(asked, said.get<std::uint64_t>());
  }
  const Missing by_number = missing_by_number(parts, covered, asked), by_time = missing_by_time(timed);
  return {by_number.gap.empty() ? by_time.gap : by_number.gap, by_number.cut_off || by_time.cut_off};
}

using Find = std::pair<Index, std::string>;  // case, promise
std::set<Find> finds_of(const Part& part, const char* key) {
  std::set<Find> finds;
  for (const Json& each : part.document->at(key)) finds.emplace(each.at("case"), each.at("oracle"));
  return finds;
}

/// Cases that several have run, and only some saw broken. Empty when there are none.
std::string conflict_in(const Parts& parts) {
  std::map<Find, std::uint64_t> broken;
  for (const Part& part : parts) {
    for (const Find& find : finds_of(part, "breaks")) ++broken[find];
  }
  std::string first;
  std::set<Index> differ;
  for (const auto& [find, times] : broken) {
    const auto runs = static_cast<std::uint64_t>(
        std::count_if(parts.begin(), parts.end(), [&find](const Part& part) { return part.has_run(find.first); }));
    if (runs == times) continue;
    differ.insert(find.first);
    if (first.empty()) first = fmt::format("case {} was run {} times, and broke {} in {} of them", find.first, runs, find.second, times);
  }
  if (differ.empty()) return "";
  return fmt::format("conflict: {}{}", first, differ.size() == 1 ? "" : fmt::format(" ({} such cases)", differ.size()));
}

/// Each find once, whoever told it; how many cases they are.
std::uint64_t add_finds(const Parts& parts, const char* key, Json* whole) {
  std::set<Find> seen;
  std::set<Index> cases;
  for (const Part& part : parts) {
    for (Json each : part.document->at(key)) {
      if (!seen.emplace(each.at("case"), each.at("oracle")).second) continue;
      cases.insert(each.at("case").get<Index>());
      each["profile"] = part.document->at("profile"), each["seed"] = part.document->at("seed");
      (*whole)[key].push_back(std::move(each));
    }
  }
  return cases.size();
}

/// Of what nobody has run, each case once.
void add_skipped(const Parts& parts, const Covered& covered, Json* whole) {
  std::set<Index> told;
  for (const Part& part : parts) {
    for (const auto& [reason, list] : part.document->at("skipped_cases").items()) {
      for (const Json& each : list) {
        const Index index = each.get<Index>();
        if (covered.run[index] || !told.insert(index).second) continue;
        (*whole)["skipped"][reason] = (*whole)["skipped"].value(reason, std::uint64_t{0}) + 1;
      }
    }
  }
}

/// How many cases had a word. Exact where all parts are shared out alike; else what the fullest way of sharing out had,
/// since which cases had it is not told.
void add_coverage(const Parts& parts, Json* whole) {
  using Words = std::map<std::string, std::uint64_t>;
  std::map<std::pair<std::uint64_t, std::uint64_t>, Words> shards;
  for (const Part& part : parts) {
    Words& words = shards[{part.shards, part.shard}];
    for (const auto& [word, count] : part.document->at("coverage").items()) words[word] = std::max(words[word], count.get<std::uint64_t>());
  }
  std::map<std::uint64_t, Words> ways;
  for (const auto& [shard, words] : shards) {
    for (const auto& [word, count] : words) ways[shard.first][word] += count;
  }
  Words most;
  for (const auto& [shards_of_it, words] : ways) {
    for (const auto& [word, count] : words) most[word] = std::max(most[word], count);
  }
  for (const auto& [word, count] : most) (*whole)["coverage"][word] = (*whole)["coverage"].value(word, std::uint64_t{0}) + count;
}

void sort_finds(Json* finds) {
  std::sort(finds->begin(), finds->end(), [](const Json& left, const Json& right) {
    const auto key = [](const Json& find) {
      return std::tuple(find.at("profile").get<std::string>(), find.at("seed").get<std::uint64_t>(), find.at("case").get<std::uint64_t>(), find.dump());
    };
    return key(left) < key(right);
  });
}

std::string text_of(const Json& whole, std::size_t parts, const MergedCampaigns& merged) {
  std::string text = fmt::format("fuzz: {} cases in {} part{}, {:.1f} s of running\n", whole.at("cases").get<std::uint64_t>(), parts,
                                 parts == 1 ? "" : "s", whole.at("wall_ms").get<double>() / 1000);
  for (const auto& [reason, count] : whole.at("skipped").items()) text += fmt::format("  {} cases {}\n", count.dump(), reason);
  if (whole.at("interrupted").get<bool>()) text += "  interrupted: this is what was found so far\n";
  for (const std::string& gap : merged.gaps) text += "  could not tell: " + gap + "\n";
  if (merged.unknowns > 0) text += fmt::format("  unknown in {} case{}\n", merged.unknowns, merged.unknowns == 1 ? "" : "s");
  if (whole.at("breaks").empty()) return text + "  nothing broke\n";
  constexpr std::size_t most_told = 20;
  for (std::size_t i = 0; i < std::min(most_told, whole.at("breaks").size()); ++i) {
    const Json& each = whole.at("breaks")[i];
    text += fmt::format("    {}, seed {}, case {}: {}\n      {}\n", each.at("profile").get<std::string>(), each.at("seed").dump(),
                        each.at("case").dump(), each.at("oracle").get<std::string>(), each.at("because").get<std::string>());
  }
  if (whole.at("breaks").size() > most_told) text += fmt::format("    ... and {} more\n", whole.at("breaks").size() - most_told);
  return text;
}

}  // namespace

bool is_campaign(const std::string& document) {
  const Json read = Json::parse(document, nullptr, false);
  return read.is_object() && read.value("kind", Json()) == "fuzz";
}

MergedCampaigns merge_campaigns(const std::vector<std::string>& documents) {
  const std::map<std::string, Json> parts = documents_in(documents);
  std::map<std::string, Parts> campaigns;
  for (const auto& [text, part] : parts) campaigns[identity(JsonPlace(part))].push_back(part_in(JsonPlace(part)));
  Json whole{{"kind", "fuzz"}, {"skipped", Json::object()}, {"coverage", Json::object()}, {"breaks", Json::array()},
             {"unknowns", Json::array()}, {"shard", 1}, {"shards", 1}};
  MergedCampaigns merged;
  std::uint64_t wall_ms = 0;
  for (const auto& [name, campaign] : campaigns) {
    // What all campaigns share stays what one run would have said; what they do not is a list.
    for (const char* key : {"profile", "backends", "hazards", "seed", "version", "plan"}) {
      const Json& said = campaign.front().document->at(key);
      if (!whole.contains(key)) whole[key] = said;
      else if (whole[key] != said) whole[key] = nullptr;
    }
    for (const Part& part : campaign) wall_ms += count_in(*part.document, "wall_ms");
    const Covered covered = covered_by(campaign);
    merged.cases += covered.count_run();
    (void)add_finds(campaign, "breaks", &whole);
    merged.unknowns += add_finds(campaign, "unknowns", &whole);
    add_skipped(campaign, covered, &whole), add_coverage(campaign, &whole);
    const Missing missing = missing_of(campaign, covered);
    merged.interrupted |= missing.cut_off;
    for (const std::string& gap : {missing.gap, conflict_in(campaign)}) {
      if (!gap.empty()) merged.gaps.push_back(fmt::format("{} ({})", gap, name_of(campaign)));
    }
  }
  whole["cases"] = merged.cases, whole["wall_ms"] = wall_ms, whole["interrupted"] = merged.interrupted;
  sort_finds(&whole["breaks"]), sort_finds(&whole["unknowns"]);
  merged.breaks = whole["breaks"].size();
  merged.text = text_of(whole, parts.size(), merged);
  whole["gaps"] = merged.gaps;
  whole["parts"] = Json::array();
  for (const auto& [text, part] : parts) whole["parts"].push_back(part);
  merged.document = whole.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  return merged;
}

}  // namespace forkproof::fuzz
