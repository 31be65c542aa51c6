#pragma once
#include <cstddef>
#include <string>

#include "harness/fuzz/emit_plan.h"

namespace forkproof::fuzz::emit {

/// One function a node, children first: "static void helper_1() { ... }". Borrows the plan.
class Tree {
 public:
  explicit Tree(const Plan& plan) : plan_(plan) { root_ = write(plan.one.tree, true); }
  [[nodiscard]] const std::string& code() const { return code_; }
  [[nodiscard]] const std::string& root() const { return root_; }

 private:
  std::string name_for(const TaskNode& node);
  [[nodiscard]] std::string life_of(const TaskNode& node, bool root) const;
  std::string write(const TaskNode& node, bool root);

  const Plan& plan_;
  std::string code_, root_;
  std::size_t count_ = 0;
};

}  // namespace forkproof::fuzz::emit
