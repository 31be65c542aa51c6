#include "harness/fuzz/campaign_merge.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "harness/core/error.h"

namespace forkproof::fuzz {
namespace {

using Json = nlohmann::json;

/// Documents of one shard of one campaign: mostly one.
using Copies = std::vector<const Json*>;

/// The shards of one campaign, by their number.
struct Campaign {
  std::uint64_t shards = 1;
  std::map<std::uint64_t, Copies> copies;
};

/// What all shards of a campaign share.
std::string identity(const Json& part) {
  return Json({part.at("profile"), part.at("backends"), part.at("hazards"), part.at("seed"), part.at("shards")}).dump();
}

std::uint64_t count_in(const Json& object, const char* key) {
  if (!object.at(key).is_number_unsigned()) throw BadInput(fmt::format("\"{}\" wants a number from 0 on", key));
  return object.at(key).get<std::uint64_t>();
}

void check_counts(const Json& counts, const char* key) {
  for (const auto& [word, count] : counts.at(key).items()) (void)count_in(counts.at(key), word.c_str());
}

void check_finds(const Json& part, const char* key, std::uint64_t shard, std::uint64_t shards) {
  for (const Json& each : part.at(key)) {
    if (count_in(each, "case") % shards != shard - 1) throw BadInput(fmt::format("case {} is not of its shard", each.at("case").dump()));
    (void)each.at("oracle").get<std::string>(), (void)each.at("because").get<std::string>();
  }
}

/// Throws for what is no campaign's document.
void check(const Json& part) {
  (void)identity(part), (void)count_in(part, "cases"), (void)count_in(part, "wall_ms"), (void)count_in(part, "seed");
  (void)part.at("interrupted").get<bool>();
  const std::uint64_t shard = count_in(part, "shard"), shards = count_in(part, "shards");
  if (shard < 1 || shard > shards) throw BadInput("its shard is none");
  check_counts(part, "skipped"), check_counts(part, "coverage");
  check_finds(part, "breaks", shard, shards), check_finds(part, "unknowns", shard, shards);
}

/// Each once, in an order that is its own.
std::map<std::string, Json> parts_of(const std::vector<std::string>& documents) {
  std::map<std::string, Json> parts;
  for (const std::string& text : documents) {
    try {
      const Json document = Json::parse(text);
      const Json alone = Json::array({document});
      for (const Json& part : document.contains("parts") ? document.at("parts") : alone) {
        check(part);
        parts.emplace(part.dump(), part);
      }
    } catch (const BadInput& error) {
      throw BadInput(std::string("is no result of `repro fuzz --format json`: ") + error.what());
    } catch (const std::exception&) {
      throw BadInput("is no result of `repro fuzz --format json`");
    }
  }
  return parts;
}

using Find = std::pair<std::uint64_t, std::string>;  // case, promise
std::set<Find> breaks_of(const Json& part) {
  std::set<Find> finds;
  for (const Json& each : part.at("breaks")) finds.emplace(each.at("case"), each.at("oracle"));
  return finds;
}

/// A case that both have run, and only one saw broken. A shard runs its cases in order, but for those that were open last.
void add_conflicts(const Copies& copies, const std::string& name, std::vector<std::string>* gaps) {
  for (std::size_t i = 1; i < copies.size(); ++i) {
    const Json &first = *copies.front(), &other = *copies[i];
    const std::uint64_t both = std::min(count_in(first, "cases"), count_in(other, "cases"));
    const std::uint64_t shards = count_in(first, "shards");
    const std::set<Find> left = breaks_of(first), right = breaks_of(other);
    std::vector<Find> differ;
    std::set_symmetric_difference(left.begin(), left.end(), right.begin(), right.end(), std::back_inserter(differ));
    std::erase_if(differ, [&](const Find& find) { return find.first / shards >= both; });
    if (differ.empty()) continue;
    gaps->push_back(fmt::format("conflict: shard {} was run twice, and case {} broke {} in one of the two", name, differ.front().first,
                                differ.front().second));
    return;
  }
}

/// Adds what is only in this part; the cases of copies are the same ones.
void add_finds(const Json& part, const char* key, Json* whole) {
  for (Json each : part.at(key)) {
    each["profile"] = part.at("profile"), each["seed"] = part.at("seed");
    (*whole)[key].push_back(std::move(each));
  }
}

void add_most(const Copies& copies, const char* key, Json* whole) {
  std::map<std::string, std::uint64_t> most;
  for (const Json* copy : copies) {
    for (const auto& [word, count] : copy->at(key).items()) most[word] = std::max(most[word], count.get<std::uint64_t>());
  }
  for (const auto& [word, count] : most) (*whole)[key][word] = (*whole)[key].value(word, std::uint64_t{0}) + count;
}

void add_shard(const Copies& copies, Json* whole, std::uint64_t* cases) {
  std::uint64_t most = 0;
  bool all_interrupted = true;
  std::set<std::pair<Find, bool>> seen;
  for (const Json* copy : copies) {
    most = std::max(most, count_in(*copy, "cases"));
    all_interrupted &= copy->at("interrupted").get<bool>();
    (*whole)["wall_ms"] = (*whole)["wall_ms"].get<std::uint64_t>() + count_in(*copy, "wall_ms");
    Json fresh = *copy;
    for (const char* key : {"breaks", "unknowns"}) {
      Json& finds = fresh[key];
      const bool is_break = std::string_view(key) == "breaks";
      std::erase_if(finds.get_ref<Json::array_t&>(), [&](const Json& each) { return !seen.insert({{each.at("case"), each.at("oracle")}, is_break}).second; });
      add_finds(fresh, key, whole);
    }
  }
  *cases += most;
  // A copy that was not cut off has done the shard.
  (*whole)["interrupted"] = (*whole)["interrupted"].get<bool>() || all_interrupted;
  add_most(copies, "skipped", whole), add_most(copies, "coverage", whole);
}

void sort_finds(Json* finds) {
  std::sort(finds->begin(), finds->end(), [](const Json& left, const Json& right) {
    const auto key = [](const Json& find) {
      return std::tuple(find.at("profile").get<std::string>(), find.at("seed").get<std::uint64_t>(), find.at("case").get<std::uint64_t>(), find.dump());
    };
    return key(left) < key(right);
  });
}

std::string text_of(const Json& whole, std::size_t parts, const std::vector<std::string>& gaps) {
  std::string text = fmt::format("fuzz: {} cases in {} part{}, {:.1f} s of running\n", whole.at("cases").get<std::uint64_t>(), parts,
                                 parts == 1 ? "" : "s", whole.at("wall_ms").get<double>() / 1000);
  for (const auto& [reason, count] : whole.at("skipped").items()) text += fmt::format("  {} cases {}\n", count.dump(), reason);
  if (whole.at("interrupted").get<bool>()) text += "  interrupted: this is what was found so far\n";
  for (const std::string& gap : gaps) text += "  could not tell: " + gap + "\n";
  if (!whole.at("unknowns").empty()) text += fmt::format("  unknown in {} cases\n", whole.at("unknowns").size());
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
  const std::map<std::string, Json> parts = parts_of(documents);
  std::map<std::string, Campaign> campaigns;
  for (const auto& [text, part] : parts) {
    Campaign& campaign = campaigns[identity(part)];
    campaign.shards = count_in(part, "shards");
    campaign.copies[count_in(part, "shard")].push_back(&part);
  }
  Json whole{{"kind", "fuzz"}, {"skipped", Json::object()}, {"coverage", Json::object()}, {"breaks", Json::array()},
             {"unknowns", Json::array()}, {"interrupted", false}, {"wall_ms", std::uint64_t{0}}, {"shard", 1}, {"shards", 1}};
  MergedCampaigns merged;
  for (const auto& [name, campaign] : campaigns) {
    const Json& some = *campaign.copies.begin()->second.front();
    // What all campaigns share stays what one run would have said; what they do not is a list.
    for (const char* key : {"profile", "backends", "hazards", "seed"}) {
      if (!whole.contains(key)) whole[key] = some.at(key);
      else if (whole[key] != some.at(key)) whole[key] = nullptr;
    }
    for (const auto& [shard, copies] : campaign.copies) {
      add_shard(copies, &whole, &merged.cases);
      add_conflicts(copies, fmt::format("{}/{}", shard, campaign.shards), &merged.gaps);
    }
    std::string absent;
    for (std::uint64_t i = 1; i <= campaign.shards; ++i) {
      if (!campaign.copies.contains(i)) absent += (absent.empty() ? "" : ", ") + std::to_string(i);
    }
    if (!absent.empty()) {
      merged.gaps.push_back(fmt::format("shards missing of {} (profile {}, seed {}): {}", campaign.shards,
                                        some.at("profile").dump(), some.at("seed").dump(), absent));
    }
  }
  whole["cases"] = merged.cases;
  sort_finds(&whole["breaks"]), sort_finds(&whole["unknowns"]);
  merged.breaks = whole["breaks"].size(), merged.unknowns = whole["unknowns"].size();
  merged.interrupted = whole["interrupted"];
  merged.text = text_of(whole, parts.size(), merged.gaps);
  whole["gaps"] = merged.gaps;
  whole["parts"] = Json::array();
  for (const auto& [text, part] : parts) whole["parts"].push_back(part);
  merged.document = whole.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  return merged;
}

}  // namespace forkproof::fuzz
