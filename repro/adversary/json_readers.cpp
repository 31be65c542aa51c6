// Histories and results: files that the rig writes, and that something damages on the way.
#include <algorithm>
#include <sstream>

#include "harness/core/error.h"
#include "harness/core/history.h"
#include "harness/fuzz/campaign_merge.h"
#include "harness/oracles/oracle.h"
#include "harness/run/ending.h"
#include "harness/run/merge.h"
#include "repro/adversary/mutation.h"
#include "repro/adversary/reader.h"
#include "reports/json_reading.h"
#include "reports/report.h"

namespace forkproof::adversary {
namespace {

/// A history as a file: any damage must make every promise unknown. Two of three inputs are that. The third is one that
/// was sealed again after it was damaged, as a buggy writer would: it may be judged, and must be the same when it is
/// written and read again.
class HistoryReader final : public Reader {
 public:
  explicit HistoryReader(const std::string& corpus) : texts_(texts_below(corpus, ".jsonl")), words_(words_of_all(texts_)) {
    for (const std::string& text : texts_) {
      if (!read_history(text).damage.empty()) throw BadInput("a history of the corpus is damaged: " + read_history(text).damage);
    }
  }
  std::string input(Chance& chance) override {
    const std::string& text = chance.of(texts_);
    if (!chance.one_in(3)) return mutated(text, Syntax::json_lines, words_, chance);
    return resealed(mutated(unsealed(text), Syntax::json_lines, words_, chance));
  }
  Came came_of(const std::string& input) override {
    Came came;
    const History history = read_history(input);
    const auto verdicts = oracles::judge(history);
    (void)run::ending_of(history);
    for (const auto& [oracle, verdict] : verdicts) {
      if (verdict.because.find("std::") != std::string::npos || verdict.because.find("json.exception") != std::string::npos) {
        came.complaint = oracle + ": a word of a C++ runtime: " + verdict.because;
      }
    }
    came.was_read = history.damage.empty();
    if (!came.was_read) came.refusal = history.damage;
    const bool all_unknown = std::all_of(verdicts.begin(), verdicts.end(), [](const auto& each) { return each.second.outcome == Outcome::unknown; });
    if (!came.was_read && !all_unknown) came.complaint = "damaged (" + history.damage + "), and judged all the same";
    if (came.was_read && came.complaint.empty()) came.complaint = wrong_when_read(input, history);
    return came;
  }

 private:
  std::string wrong_when_read(const std::string& input, const History& history) const {
    const bool as_it_was = std::find(texts_.begin(), texts_.end(), input) != texts_.end();
    // Cut off between two lines, it says that itself.
    if (!as_it_was && input != resealed(unsealed(input))) return "damage went unnoticed";
    const std::string written = to_sealed_lines(history.events());
    const History again = read_history(written);
    if (!again.damage.empty() || to_sealed_lines(again.events()) != written) return "written and read back it is another history";
    return {};
  }

  /// The lines without their sums.
  static std::string unsealed(const std::string& text) {
    std::string bare;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      const std::size_t sum = line.rfind(",\"sum\":\"");
      bare += (LineChain::has_sum(line) && sum != std::string::npos ? line.substr(0, sum) + "}" : line) + "\n";
    }
    return bare;
  }
  static std::string resealed(const std::string& text) {
    LineChain chain;
    std::string whole;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) whole += line.ends_with('}') ? chain.sealed(line + "\n") : line + "\n";
    return whole;
  }

  std::vector<std::string> texts_, words_;
};

/// A result of `--format json`, of runs or of fuzzing: merged and reported in every format. Written again and read again
/// it is the same document.
class ResultReader final : public Reader {
 public:
  explicit ResultReader(const std::string& corpus) : texts_(texts_below(corpus, ".json")), words_(words_of_all(texts_)) {}
  std::string input(Chance& chance) override { return mutated(chance.of(texts_), Syntax::json, words_, chance); }
  Came came_of(const std::string& input) override {
    Came came;
    try {
      came.complaint = fuzz::is_campaign(input) ? merge_campaign(input) : merge_run(input);
      came.was_read = true;
    } catch (const BadInput& error) {
      came.refusal = std::string("result.json ") + error.what();  // as merge says it
      came.complaint = wrong_with(came.refusal);
      const bool placed = came.refusal.find(": /") != std::string::npos || came.refusal.find("at line ") != std::string::npos;
      if (came.complaint.empty() && !placed) came.complaint = "a refusal without a place";
    }
    return came;
  }

 private:
  static std::string merge_run(const std::string& text) {
    const RunSummary read = reports::read_json(text), whole = run::merged({read, read});
    for (const auto& row : reports::reports()) {
      std::ostringstream page;
      row.write(whole, page), row.write(read.parts.empty() ? read : read.parts.front(), page);
    }
    const std::string written = document_of(whole), again = document_of(run::merged({reports::read_json(written)}));
    return written == again ? "" : "written and read back it is another result";
  }
  static std::string merge_campaign(const std::string& text) {
    const std::string written = fuzz::merge_campaigns({text, text}).document;
    return fuzz::merge_campaigns({written}).document == written ? "" : "written and read back it is another campaign";
  }
  static std::string document_of(const RunSummary& summary) {
    std::ostringstream page;
    reports::find_report("json")->write(summary, page);
    return page.str();
  }

  std::vector<std::string> texts_, words_;
};

/// Does what no reader may do, so that it is seen that it would be noticed.
class CanaryReader final : public Reader {
 public:
  std::string input(Chance& chance) override { return std::to_string(chance.below(50)); }
  Came came_of(const std::string& input) override {
    Came came;
    if (input == "7") ::abort();
    if (input == "13") {
      for (volatile bool for_ever = true; for_ever;) {
      }
    }
    if (input == "19") came.refusal = "a std::exception";
    if (input == "23") came.refusal = std::string(2'000, 'x');
    if (!came.refusal.empty()) came.complaint = wrong_with(came.refusal);
    if (input == "29") came.complaint = "damage went unnoticed";
    came.was_read = came.refusal.empty();
    return came;
  }
};

}  // namespace

std::unique_ptr<Reader> make_history(const std::string& corpus) { return std::make_unique<HistoryReader>(corpus); }
std::unique_ptr<Reader> make_result(const std::string& corpus) { return std::make_unique<ResultReader>(corpus); }
std::unique_ptr<Reader> make_canary(const std::string&) { return std::make_unique<CanaryReader>(); }

}  // namespace forkproof::adversary
