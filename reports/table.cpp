#include "reports/table.h"

#include <algorithm>

#include <fmt/format.h>

#include "reports/layout.h"

namespace forkproof::reports {
namespace {

std::string backend_name(const CellSummary& cell) { return cell.one.backend_name(); }

/// "O S R", with the number of runs where it was not all of them; "holds"; "?" for what cannot be told; "!" marks a
/// cell that is not as expected.
std::string cell_text(const CellSummary& cell, const RunSummary& summary, const Letters& letters) {
  if (cell.runs == 0) return cell.outcome == CellOutcome::skipped ? "skipped" : "not run";
  std::string text;
  bool any_unknown = false, any_held = false;
  for (const std::string& oracle : summary.oracles) {
    const auto found = cell.oracles.find(oracle);
    if (found == cell.oracles.end()) continue;
    any_held |= found->second.worst.outcome == Outcome::held;
    any_unknown |= found->second.unknown_runs > 0;
    if (found->second.broken_runs == 0) continue;
    text += (text.empty() ? "" : " ") + std::string(1, letters.at(oracle));
    if (found->second.broken_runs != cell.runs) text += fmt::format(":{}", found->second.broken_runs);
  }
  if (any_unknown) text += text.empty() ? "?" : " ?";
  if (text.empty()) text = any_held ? "holds" : "not judged";
  return text + (cell.outcome == CellOutcome::not_as_expected ? " !" : "");
}

/// Profiles by backends, side by side.
class Grid {
 public:
  Grid(const RunSummary& summary, const Letters& letters) {
    const Cells cells = pointers_to(summary.cells);
    rows_ = distinct(cells, row_name), backends_ = distinct(cells, backend_name);
    for (const std::string& row : rows_) first_width_ = std::max(first_width_, row.size() + 2);
    for (const CellSummary* cell : cells) texts_[{row_name(*cell), backend_name(*cell)}] = cell_text(*cell, summary, letters);
    for (const std::string& backend : backends_) {
      std::size_t width = backend.size();
      for (const std::string& row : rows_) width = std::max(width, texts_[{row, backend}].size());
      widths_.push_back(width + 2);
    }
  }

  /// In one block of 80 columns.
  [[nodiscard]] bool fits() const {
    std::size_t width = 2 + first_width_;
    for (const std::size_t each : widths_) width += each;
    return width - 2 <= columns;
  }

  void write(std::ostream& out) {
    if (backends_ != std::vector<std::string>{""}) write_line("", backends_, out);  // a command has none
    for (const std::string& row : rows_) {
      std::vector<std::string> texts;
      for (const std::string& backend : backends_) texts.push_back(texts_[{row, backend}]);
      write_line(row, texts, out);
    }
  }

 private:
  void write_line(const std::string& first, const std::vector<std::string>& texts, std::ostream& out) const {
    std::string line = fmt::format("  {:<{}}", first, first_width_);
    for (std::size_t i = 0; i < texts.size(); ++i) line += fmt::format("{:<{}}", texts[i], widths_[i]);
    while (!line.empty() && line.back() == ' ') line.pop_back();
    out << line << "\n";
  }

  std::vector<std::string> rows_, backends_;
  std::map<std::pair<std::string, std::string>, std::string> texts_;
  std::vector<std::size_t> widths_;
  std::size_t first_width_ = 0;
};

/// Backends (or profiles) of a row with the same result.
struct Alike {
  std::string text;
  std::vector<std::string> names;
};

/// "holds" where all are alike; else "P: fork, raw-fork; others hold". What is shared by "others" is not the exception:
/// holding, else what most have.
std::string row_text(const Cells& row, const RunSummary& summary, const Letters& letters,
                     std::string (*item_name)(const CellSummary&)) {
  std::vector<Alike> groups;
  for (const CellSummary* cell : row) {
    const std::string text = cell_text(*cell, summary, letters);
    auto group = std::find_if(groups.begin(), groups.end(), [&](const Alike& each) { return each.text == text; });
    if (group == groups.end()) group = groups.insert(groups.end(), {text, {}});
    group->names.push_back(item_name(*cell));
  }
  if (groups.size() == 1) return groups.front().text;
  const auto common = std::max_element(groups.begin(), groups.end(), [](const Alike& left, const Alike& right) {
    const auto worth = [](const Alike& each) {
      const std::size_t size = each.names.size();
      return std::pair(each.text == "holds" && size > 1, size);
    };
    return worth(left) < worth(right);
  });
  std::string all;
  for (auto group = groups.begin(); group != groups.end(); ++group) {
    if (group == common && group->names.size() > 1) continue;
    all += fmt::format("{}{}: {}", all.empty() ? "" : "; ", group->text, fmt::join(group->names, ", "));
  }
  if (common->names.size() > 1) all += "; others " + (common->text == "holds" ? "hold" : common->text);
  return all;
}

std::string named_or_counted(const std::vector<std::string>& names, const char* many) {
  if (names.size() <= 3) return fmt::format("{}", fmt::join(names, ", "));
  return fmt::format("{} {}", names.size(), many);
}

/// One line a row. What all rows of a scenario share (one profile, the backends) stands in its heading.
class Rows {
 public:
  Rows(const RunSummary& summary, const Letters& letters) : summary_(summary), letters_(letters) {
    for (const auto& [scenario, cells] : grouped_by(pointers_to(summary.cells), scenario_name)) {
      const bool has_variants = !variant_name(*cells.front()).empty();
      Group& group = groups_.emplace_back();
      group.heading = heading(scenario, cells, has_variants);
      for (const auto& [name, part] : grouped_by(cells, has_variants ? variant_name : subject_name)) add(part, &group);
      for (const auto& [name, text] : group.rows) {
        if (name.size() <= widest) group.first_width = std::max(group.first_width, name.size());
      }
    }
  }

  void write(std::ostream& out) const {
    for (const Group& group : groups_) {
      out << wrapped("  ", group.heading, 4);
      for (const auto& [name, text] : group.rows) {
        const std::size_t indent = 4 + group.first_width + 2;
        const std::string head = fmt::format("    {:<{}}  ", name, group.first_width);
        if (name.size() <= group.first_width) out << wrapped(head, text, indent);
        else out << "    " << name << "\n" << wrapped(std::string(indent, ' '), text);
      }
    }
  }

 private:
  static constexpr std::size_t widest = 40;  // a longer name has a line of its own
  struct Group {
    std::string heading;
    std::vector<std::pair<std::string, std::string>> rows;
    std::size_t first_width = 0;
  };

  /// A profile without variants, or one variant: one line, told by what the backends have in common; of several profiles
  /// whose backends are alike, by what the profiles have in common; else a line for each profile.
  void add(const Cells& cells, Group* group) const {
    const std::string variant = variant_name(*cells.front());
    Cells first_of_each;
    bool backends_alike = true;
    for (const auto& [subject, row] : grouped_by(cells, subject_name)) {
      first_of_each.push_back(row.front());
      for (const CellSummary* cell : row) {
        backends_alike &= cell_text(*cell, summary_, letters_) == cell_text(*row.front(), summary_, letters_);
      }
    }
    if (first_of_each.size() == 1) {
      group->rows.emplace_back(variant.empty() ? subject_name(*cells.front()) : variant,
                               row_text(cells, summary_, letters_, backend_name));
    } else if (backends_alike) {
      group->rows.emplace_back(variant, row_text(first_of_each, summary_, letters_, subject_name));
    } else {
      for (const auto& [name, row] : grouped_by(cells, row_name)) {
        group->rows.emplace_back(name, row_text(row, summary_, letters_, backend_name));
      }
    }
  }

  static std::string heading(const std::string& scenario, const Cells& cells, bool has_variants) {
    std::string heading = scenario + " (";
    if (has_variants) heading += named_or_counted(distinct(cells, subject_name), "profiles") + "; ";
    return heading + named_or_counted(distinct(cells, backend_name), "backends") + ")";
  }

  const RunSummary& summary_;
  const Letters& letters_;
  std::vector<Group> groups_;
};

}  // namespace

void write_table(const RunSummary& summary, const Letters& letters, std::ostream& out) {
  Grid grid(summary, letters);
  const bool one_scenario = distinct(pointers_to(summary.cells), scenario_name).size() == 1;
  if (one_scenario && grid.fits()) grid.write(out);
  else Rows(summary, letters).write(out);
  out << "\n";
}

void write_legend(const RunSummary& summary, const Letters& letters, std::ostream& out) {
  std::vector<std::string> legend;
  bool any_unknown = false, any_partial = false, any_different = false;
  for (const std::string& oracle : summary.oracles) {
    bool used = false;
    for (const CellSummary& cell : summary.cells) {
      any_different |= cell.outcome == CellOutcome::not_as_expected;
      const auto found = cell.oracles.find(oracle);
      if (found == cell.oracles.end()) continue;
      used |= found->second.broken_runs > 0;
      any_partial |= found->second.broken_runs > 0 && found->second.broken_runs < cell.runs;
      any_unknown |= found->second.unknown_runs > 0;
    }
    if (!used) continue;
    if (!legend.empty()) legend.back() += ",";
    legend.push_back(fmt::format("{} {}", letters.at(oracle), oracle));
  }
  if (!legend.empty()) out << wrapped("  broken: ", legend, 10);
  if (any_partial) out << "  O:3 = broken in 3 of the runs\n";
  if (any_unknown) out << "  ? = could not be told\n";
  if (any_different) out << "  ! = not as expected\n";
}

}  // namespace forkproof::reports
