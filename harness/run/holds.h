#pragma once
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "harness/arena/control_socket.h"
#include "harness/core/case.h"

namespace forkproof::run {

/// Keeps processes at their sync points for as long as the case's rules say. Passive: the player tells it what
/// happened, and lets go whom it is told to.
class Holds {
 public:
  /// Lets a process go on that was held, or sees to it that it will, and says why.
  using Released = std::function<void(arena::Message, const std::string& because)>;
  Holds(std::vector<HoldRule> rules, Released released)
      : rules_(std::move(rules)), released_(std::move(released)) {}

  /// A process of `role` has announced `point`. Returns how often that was announced, from 1.
  std::int64_t count(const std::string& role, const std::string& point) { return ++reached_[{role, point}]; }
  /// What `count` would return, for who only asks.
  [[nodiscard]] std::int64_t next(const std::string& role, const std::string& point) const;
  /// Whether a rule keeps it now; what the rule waits for may have happened already.
  [[nodiscard]] const HoldRule* rule_for(const std::string& role, const std::string& point,
                                         std::int64_t number) const;
  void hold(arena::Message message, const HoldRule* rule) { held_.push_back({std::move(message), rule}); }

  /// As many of the tree are up as ever will be.
  void tree_is_settled(const std::string& because);
  /// After `count`: lets go whoever waited for this point of this role.
  void point_reached(const std::string& role, const std::string& point);
  /// "task is held at before-exec until supervisor heartbeat"; empty when nobody is.
  [[nodiscard]] std::string who_is_held() const;
  /// Nobody of this role is left: what waits for it would wait for ever.
  void role_is_gone(const std::string& role);

 private:
  struct Held {
    arena::Message message;
    const HoldRule* rule;
  };
  [[nodiscard]] bool fulfilled(const HoldRule& rule) const;
  void release_where(const std::function<bool(const HoldRule&)>& matches, const std::string& because);

  std::vector<HoldRule> rules_;
  Released released_;
  std::vector<Held> held_;
  std::map<std::pair<std::string, std::string>, std::int64_t> reached_;
  std::set<std::string> gone_;
  bool tree_settled_ = false;
};

}  // namespace forkproof::run
