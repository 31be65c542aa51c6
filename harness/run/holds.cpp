#include "harness/run/holds.h"

#include <algorithm>

namespace forkproof::run {

const HoldRule* Holds::rule_for(const std::string& role, const std::string& point, std::int64_t number) const {
  for (const HoldRule& rule : rules_) {
    if (rule.who == role && rule.at == point && rule.number == number && !fulfilled(rule)) return &rule;
  }
  return nullptr;
}

std::int64_t Holds::next(const std::string& role, const std::string& point) const {
  const auto found = reached_.find({role, point});
  return found == reached_.end() ? 1 : found->second + 1;
}

bool Holds::fulfilled(const HoldRule& rule) const {
  if (rule.until_who.empty()) return tree_settled_;
  return gone_.contains(rule.until_who) || reached_.contains({rule.until_who, rule.until_at});
}

void Holds::release_where(const std::function<bool(const HoldRule&)>& matches, const std::string& because) {
  std::vector<Held> free;
  const auto kept = std::stable_partition(held_.begin(), held_.end(),
                                          [&matches](const Held& held) { return !matches(*held.rule); });
  std::move(kept, held_.end(), std::back_inserter(free));
  held_.erase(kept, held_.end());
  for (Held& held : free) released_(std::move(held.message), because);
}

void Holds::tree_is_settled(const std::string& because) {
  tree_settled_ = true;
  release_where([](const HoldRule& rule) { return rule.until_who.empty(); }, because);
}

void Holds::point_reached(const std::string& role, const std::string& point) {
  release_where([&](const HoldRule& rule) { return rule.until_who == role && rule.until_at == point; },
                role + " has reached " + point);
}

std::string Holds::who_is_held() const {
  if (held_.empty()) return {};
  const HoldRule& rule = *held_.front().rule;
  const std::string until = rule.until_who.empty() ? "the tree is up" : rule.until_who + " " + rule.until_at;
  return rule.who + " is held at " + rule.at + " until " + until;
}

void Holds::role_is_gone(const std::string& role) {
  gone_.insert(role);
  release_where([&role](const HoldRule& rule) { return rule.until_who == role; }, role + " is gone");
}

}  // namespace forkproof::run
