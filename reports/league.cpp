// Format `league`: one block a question, a line for each subject with what is left of the tree, how long it took, and the
// subject's own end; then all of it in one table, who keeps most on top. A figure that differs from run to run is given
// as a range.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "reports/layout.h"
#include "reports/names.h"
#include "reports/report.h"
#include "reports/story.h"

namespace forkproof::reports {
namespace {

constexpr std::size_t widest_subject = 30;
constexpr std::size_t columns_of_letters = 20;  // more questions than this go into another table

bool has_run(const CellSummary& cell) { return cell.runs > 0 && !cell.endings.empty(); }

bool could_be_told(const CellSummary& cell) {
  return has_run(cell) && std::none_of(cell.oracles.begin(), cell.oracles.end(),
                                       [](const auto& each) { return each.second.worst.outcome == Outcome::unknown; });
}

bool is_broken(const CellSummary& cell) {
  return std::any_of(cell.oracles.begin(), cell.oracles.end(), [](const auto& each) { return each.second.broken_runs > 0; });
}

bool ended_each_time(const CellSummary& cell) {
  return std::all_of(cell.endings.begin(), cell.endings.end(), [](const Ending& each) { return each.took.has_value(); });
}

std::uint64_t most_left(const CellSummary& cell) {
  std::uint64_t most = 0;
  for (const Ending& each : cell.endings) most = std::max(most, each.left.value_or(0));
  return most;
}

std::string left_text(const CellSummary& cell) {
  std::set<std::string> counts;
  for (const Ending& each : cell.endings) counts.insert(each.left ? std::to_string(*each.left) : "?");
  return fmt::format("{}", fmt::join(counts, "/"));
}

/// The median: the middle one of those that ended, in order.
std::string took_text(const CellSummary& cell) {
  if (!ended_each_time(cell)) return "never";
  std::vector<Nanos> times;
  for (const Ending& each : cell.endings) times.push_back(*each.took);
  std::sort(times.begin(), times.end());
  return text(times[times.size() / 2]);
}

std::string status_text(const CellSummary& cell) {
  std::set<std::string> ends;
  for (const Ending& each : cell.endings) ends.insert(each.status ? each.status->text() : "-");
  return fmt::format("{}", fmt::join(ends, "/"));
}

std::string breaks_text(const CellSummary& cell) {
  std::vector<std::string> words;
  for (const auto& [oracle, tally] : cell.oracles) {
    if (tally.worst.outcome == Outcome::unknown) words.push_back(oracle + " ?");
    else if (tally.broken_runs > 0) words.push_back(oracle + (cell.expected.contains(oracle) ? "" : " (news)"));
    else if (cell.expected.contains(oracle)) words.push_back(oracle + " kept (news)");
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

/// The columns of fixed width, and behind them what is broken.
std::string figures(const std::string& subject, std::size_t width, const CellSummary& cell) {
  return fmt::format("  {:<{}}  {:>4}  {:>8}  {:<8}  ", subject, width, left_text(cell), took_text(cell), status_text(cell));
}

std::string subject_of(const CellSummary& cell) { return clipped(subject_name(cell), widest_subject); }

std::string trimmed(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

/// A long list of promises goes on under its own column.
std::string row(const std::string& subject, std::size_t width, const CellSummary& cell) {
  if (!has_run(cell)) return wrapped(fmt::format("  {:<{}}  ", subject, width), printable(cell.note));
  const std::string head = figures(subject, width, cell), breaks = breaks_text(cell);
  return breaks.empty() ? trimmed(head) + "\n" : wrapped(head, breaks);
}

void write_question(const std::string& question, const Cells& cells, std::size_t width, std::ostream& out) {
  out << question << "\n" << wrapped("  ", cells.front()->one.question);
  out << trimmed(fmt::format("  {:<{}}  left      took  its end   breaks", "", width)) << "\n";
  for (const CellSummary* cell : cells) {
    out << row(subject_of(*cell), width, *cell);
  }
  out << "\n";
}

/// One character a cell: nothing broken, how many are left, or why there is no number.
char mark(const CellSummary& cell) {
  if (!has_run(cell)) return '-';
  if (!could_be_told(cell)) return '?';
  if (!ended_each_time(cell)) return '!';
  const std::uint64_t left = most_left(cell);
  if (left > 0) return left > 9 ? '+' : static_cast<char>('0' + left);
  return is_broken(cell) ? 'x' : '.';
}

struct Standing {
  std::string subject;
  std::vector<char> marks;  // in the order of the questions
  std::size_t kept = 0, asked = 0;
};

std::vector<Standing> standings(const RunSummary& summary, const std::vector<std::string>& questions) {
  std::vector<Standing> all;
  for (const auto& [subject, cells] : grouped_by(pointers_to(summary.cells), subject_of)) {
    Standing standing{subject, std::vector<char>(questions.size(), '-')};
    for (const CellSummary* cell : cells) {
      const auto place = std::find(questions.begin(), questions.end(), full_scenario_name(*cell)) - questions.begin();
      standing.marks[static_cast<std::size_t>(place)] = mark(*cell);
    }
    for (const char each : standing.marks) {
      if (each == '-') continue;
      ++standing.asked;
      if (each == '.') ++standing.kept;
    }
    all.push_back(std::move(standing));
  }
  std::stable_sort(all.begin(), all.end(), [](const Standing& a, const Standing& b) {
    return a.kept * std::max<std::size_t>(b.asked, 1) > b.kept * std::max<std::size_t>(a.asked, 1);
  });
  return all;
}

void write_league(const RunSummary& summary, const std::vector<std::string>& questions, std::size_t width, std::ostream& out) {
  out << wrapped("League  ", "how many processes are left behind, by question. \".\" none, and no other promise broken; "
                             "\"x\" none, but another promise is; \"!\" the supervisor did not end in time; \"?\" could "
                             "not be told; \"-\" not asked.");
  const auto all = standings(summary, questions);
  for (std::size_t from = 0; from < questions.size(); from += columns_of_letters) {
    const std::size_t count = std::min(columns_of_letters, questions.size() - from);
    out << "\n";
    for (std::size_t i = 0; i < count; ++i) out << fmt::format("    {}  {}\n", static_cast<char>('a' + i), questions[from + i]);
    std::string letters;
    for (std::size_t i = 0; i < count; ++i) letters += fmt::format(" {}", static_cast<char>('a' + i));
    out << fmt::format("  {:<{}} {}   kept\n", "", width, letters);
    for (const Standing& each : all) {
      std::string marks;
      for (std::size_t i = 0; i < count; ++i) marks += fmt::format(" {}", each.marks[from + i]);
      const std::string kept = each.asked == 0 ? "-" : fmt::format("{} of {}", each.kept, each.asked);
      out << fmt::format("  {:<{}} {}   {}\n", printable(each.subject), width, marks, kept);
    }
  }
}

}  // namespace

void report_league(const RunSummary& summary, std::ostream& out) {
  const Cells cells = pointers_to(summary.cells);
  std::size_t width = 0;
  for (const std::string& subject : distinct(cells, subject_of)) width = std::max(width, subject.size());
  const auto questions = distinct(cells, full_scenario_name);
  for (const auto& [question, asked] : grouped_by(cells, full_scenario_name)) write_question(question, asked, width, out);
  write_league(summary, questions, width, out);
  out << fmt::format("\n{} in {}{} ({} arena)\n", counted_outcomes(summary), text(summary.wall),
                     summary.interrupted ? ", interrupted" : "", summary.arena);
}

}  // namespace forkproof::reports
