#include "harness/core/case.h"

#include <algorithm>
#include <array>

namespace forkproof {
namespace {
constexpr std::array<std::string_view, 6> answers{"default", "ignore", "return", "exit", "fork", "inherit"};
}

std::string_view word(Answer answer) { return answers[static_cast<std::size_t>(answer)]; }

std::optional<Answer> answer_from(std::string_view word) {
  const auto found = std::find(answers.begin(), answers.end(), word);
  if (found == answers.end()) return std::nullopt;
  return static_cast<Answer>(found - answers.begin());
}

std::span<const SigintRow> sigint_setups() {
  static constexpr SigintRow rows[] = {
#define FORKPROOF_SIGINT(enumerator, word, about) {SigintSetup::enumerator, word, about},
#include "harness/core/sigint_setups.def"
#undef FORKPROOF_SIGINT
  };
  return rows;
}

std::string_view word(SigintSetup setup) {
  for (const SigintRow& row : sigint_setups()) {
    if (row.setup == setup) return row.word;
  }
  return "";
}

std::size_t count_nodes(const TaskNode& root) {
  std::size_t count = 1;
  for (const TaskNode& child : root.children) count += count_nodes(child);
  return count;
}

std::size_t count_levels(const TaskNode& root) {
  std::size_t below = 0;
  for (const TaskNode& child : root.children) below = std::max(below, count_levels(child));
  return below + 1;
}

std::int64_t FaultSpec::number(const std::string& key, std::int64_t otherwise) const {
  const auto found = settings.find(key);
  return found == settings.end() ? otherwise : std::get<std::int64_t>(found->second);
}

std::string FaultSpec::word(const std::string& key, const std::string& otherwise) const {
  const auto found = settings.find(key);
  return found == settings.end() ? otherwise : std::get<std::string>(found->second);
}

std::string Case::profile_name() const {
  const auto* model = std::get_if<ModelSupervisor>(&subject);
  return model ? model->profile.name : "";
}

std::string Case::backend_name() const {
  const auto* model = std::get_if<ModelSupervisor>(&subject);
  return model ? model->backend : "";
}

double Case::time_scale() const {
  const auto* model = std::get_if<ModelSupervisor>(&subject);
  return model ? model->profile.time_scale : 1.0;
}

}  // namespace forkproof
