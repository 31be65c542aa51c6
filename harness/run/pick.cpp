#include "harness/run/pick.h"

#include <algorithm>
#include <tuple>

#include "harness/core/profile.h"

namespace forkproof::run {
namespace {

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): the `index`-th number of a seed's stream.
std::uint64_t mixed(std::uint64_t seed, std::uint64_t index) {
  std::uint64_t z = seed + (index + 1) * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

constexpr std::uint64_t change_stream = 1'000'000;  // beyond the letters

}  // namespace

std::uint64_t steps_expected(const Case& one) {
  constexpr std::uint64_t of_supervisor = 8, of_root = 2, of_node = 3;
  const auto* model = std::get_if<ModelSupervisor>(&one.subject);
  const bool prefork = model != nullptr && model->profile.model == Model::prefork_master;
  const std::uint64_t trees = prefork ? static_cast<std::uint64_t>(std::max(model->profile.workers, 1)) : 1;
  return of_supervisor + trees * (of_root + of_node * count_nodes(one.tree));
}

std::uint64_t first_priority(std::uint64_t seed, char letter) {
  return mixed(mixed(seed, 0), static_cast<unsigned char>(letter));
}

std::set<std::uint64_t> change_steps(std::uint64_t seed, std::uint64_t changes, std::uint64_t steps) {
  std::set<std::uint64_t> chosen;
  for (std::uint64_t i = 0; chosen.size() < std::min(changes, steps); ++i) {
    chosen.insert(1 + mixed(mixed(seed, 0), change_stream + i) % steps);
  }
  return chosen;
}

Pick::Pick(const Schedule& schedule, std::uint64_t steps) : schedule_(schedule) {
  if (const auto* pct = std::get_if<PctOrder>(&schedule_)) changes_ = change_steps(pct->seed, pct->changes, steps);
}

char Pick::highest(std::string_view waiting) const {
  const auto seed = std::get<PctOrder>(schedule_).seed;
  const auto rank = [&](char letter) {
    const auto dropped = dropped_.find(letter);
    return dropped == dropped_.end() ? std::tuple(std::int64_t{0}, first_priority(seed, letter))
                                     : std::tuple(-dropped->second, std::uint64_t{0});
  };
  return *std::max_element(waiting.begin(), waiting.end(), [&](char left, char right) { return rank(left) < rank(right); });
}

char Pick::by_priority(std::string_view waiting) {
  if (changes_.contains(static_cast<std::uint64_t>(step_))) dropped_[highest(waiting)] = step_;
  return highest(waiting);
}

char Pick::next(std::string_view waiting) {
  ++step_;
  if (waiting.size() > 1) ++decision_;
  if (std::holds_alternative<PctOrder>(schedule_)) return by_priority(waiting);  // a change counts also where one waits
  if (waiting.size() == 1) return waiting.front();
  if (const auto* random = std::get_if<RandomOrder>(&schedule_)) {
    return waiting[mixed(random->seed, static_cast<std::uint64_t>(decision_)) % waiting.size()];
  }
  const auto* written = std::get_if<ExplicitOrder>(&schedule_);
  const auto place = static_cast<std::size_t>(decision_ - 1);
  const bool told = written != nullptr && place < written->letters.size();
  const bool waits = told && waiting.find(written->letters[place]) != std::string_view::npos;
  return waits ? written->letters[place] : waiting.front();
}

}  // namespace forkproof::run
