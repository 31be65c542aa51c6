// Every cell of the matrix that can be emitted, for every promise: the program comes to what the rig comes to. The short form
// takes a dozen programs; FORKPROOF_EMITTED=all (ci/emitted) takes all of them, FORKPROOF_EMITTED=N so many.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <thread>

#include "harness/core/error.h"
#include "harness/fuzz/emit_cpp.h"
#include "harness/oracles/oracle.h"
#include "harness/run/plan.h"
#include "harness/run/run_pool.h"
#include "harness/scenario/library.h"
#include "harness/scenario/scenario.h"

namespace forkproof::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t short_form = 12;  // programs
constexpr int at_a_time = 2;
constexpr int most_tries = 2;           // of a program that could not tell, as on a busy machine

/// A cell and a promise.
struct Question {
  std::size_t cell;
  std::string promise;
};

/// A text without the comment that names its case, and all whose program it is.
using Programs = std::map<std::string, std::vector<Question>>;

std::string without_head(const std::string& program) { return program.substr(program.find("#include")); }

std::vector<run::Cell> matrix() {
  const std::string directory = scenario::library_directory();
  std::vector<run::Cell> cells;
  for (const std::string& name : scenario::names_in(directory)) {
    for (const auto& question : scenario::read_scenarios(directory + "/" + name + ".toml", run::vocabulary())) {
      if (!question.in_matrix || question.for_commands) continue;
      for (run::Cell& cell : run::cross(question, {})) cells.push_back(std::move(cell));
    }
  }
  return cells;
}

Programs programs_of(const std::vector<run::Cell>& cells, std::size_t* refused) {
  Programs programs;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    for (const auto& row : oracles::oracles()) {
      try {
        programs[without_head(emit_cpp(cells[i].one, std::string(row.key)))].push_back({i, std::string(row.key)});
      } catch (const BadInput&) {
        ++*refused;
      }
    }
  }
  return programs;
}

/// Spread over all of them: one half is expected to break its promise.
Programs some_of(const Programs& all, const std::vector<run::Cell>& cells, std::size_t count) {
  std::vector<Programs::const_iterator> halves[2];
  for (auto each = all.begin(); each != all.end(); ++each) {
    const Question& first = each->second.front();
    halves[cells[first.cell].expected.contains(first.promise) ? 1 : 0].push_back(each);
  }
  Programs some;
  for (const auto& half : halves) {
    for (std::size_t i = 0; i < count / 2 && i < half.size(); ++i) {
      const auto& [text, questions] = *half[i * half.size() / (count / 2)];
      some[text] = {questions.front()};
    }
  }
  return some;
}

using Verdicts = std::map<std::size_t, std::map<std::string, Verdict>>;

/// The rig's, of each cell that is asked about.
Verdicts rigs_verdicts(const std::vector<run::Cell>& cells, const Programs& programs) {
  const arena::Provision provision = arena::provide();
  Verdicts verdicts;
  for (const auto& [text, questions] : programs) {
    for (const Question& each : questions) verdicts[each.cell];
  }
  std::erase_if(verdicts, [&](const auto& entry) { return run::obstacle_to(cells[entry.first].one, provision).has_value(); });
  run::RunPool pool(provision, at_a_time);
  auto next = verdicts.begin();
  while (next != verdicts.end() || !pool.idle()) {
    while (next != verdicts.end() && !pool.full()) pool.start(cells[next->first].one, next->first), ++next;
    for (run::FinishedRun& run : pool.wait()) verdicts[run.tag] = std::move(run.verdicts);
  }
  return verdicts;
}

/// Compiles and runs programs in a folder of its own. The includes are compiled once for all programs that have the same.
class Workshop {
 public:
  Workshop() : folder_((fs::temp_directory_path() / "emit-matrix.XXXXXX").string()) {
    if (::mkdtemp(folder_.data()) == nullptr) throw HarnessFailure("mkdtemp " + folder_);
  }
  ~Workshop() { fs::remove_all(folder_); }
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;

  /// REQUIRES: called for all programs before `comes_to`, by one thread.
  void prepare(const std::string& program) {
    const std::string includes = includes_of(program);
    if (headers_.contains(includes)) return;
    const std::string header = fmt::format("{}/headers-{}.h", folder_, headers_.size());
    std::ofstream(header) << includes;
    headers_[includes] = header;
    if (std::system(fmt::format("{} -x c++-header {} -o {}.gch", compiler, header, header).c_str()) != 0) ADD_FAILURE() << header;
  }
  /// The program's exit status; -1: it was not compiled, or did not end in a minute.
  int comes_to(const std::string& program) {
    const std::string file = fmt::format("{}/{}", folder_, count_++), header = headers_.at(includes_of(program));
    std::ofstream(file + ".cpp") << program;
    if (std::system(fmt::format("{} -include {} -o {} {}.cpp", compiler, header, file, file).c_str()) != 0) return -1;
    int status = -1;
    for (int i = 0; i < most_tries && (i == 0 || status == 2); ++i) {
      const int raw = std::system(fmt::format("timeout 60 {} >{}.out 2>&1", file, file).c_str());
      status = WIFEXITED(raw) ? WEXITSTATUS(raw) : -1;
    }
    fs::remove(file);
    return status;
  }

 private:
  static constexpr const char* compiler = "c++ -std=c++17 -O0 -pthread";
  static std::string includes_of(const std::string& program) { return program.substr(0, program.find('\n', program.rfind("\n#include") + 1) + 1); }

  std::string folder_;
  std::map<std::string, std::string> headers_;
  std::atomic<int> count_ = 0;
};

std::map<std::string, int> statuses_of(const Programs& programs) {
  Workshop workshop;
  std::vector<const std::string*> texts;
  for (const auto& [text, questions] : programs) texts.push_back(&text), workshop.prepare(text);
  std::map<std::string, int> statuses;
  std::atomic<std::size_t> next = 0;
  std::mutex writing;
  std::vector<std::thread> workers;
  for (int i = 0; i < at_a_time; ++i) {
    workers.emplace_back([&] {
      for (std::size_t mine = next++; mine < texts.size(); mine = next++) {
        const int status = workshop.comes_to(*texts[mine]);
        const std::lock_guard lock(writing);
        statuses[*texts[mine]] = status;
      }
    });
  }
  for (std::thread& each : workers) each.join();
  return statuses;
}

TEST(EmittedMatrix, ComesToWhatTheRigComesTo) {
  if (std::system("command -v c++ >/dev/null") != 0) GTEST_SKIP() << "no c++ here";
  const char* form = std::getenv("FORKPROOF_EMITTED");
  const bool whole = form != nullptr && std::string(form) == "all";
  const std::size_t count = form != nullptr && !whole ? std::strtoul(form, nullptr, 10) : short_form;
  const auto began = std::chrono::steady_clock::now();
  const std::vector<run::Cell> cells = matrix();
  std::size_t refused = 0;
  const Programs all = programs_of(cells, &refused), programs = whole ? all : some_of(all, cells, count);
  ASSERT_GE(programs.size(), short_form / 2);
  const Verdicts verdicts = rigs_verdicts(cells, programs);
  const std::map<std::string, int> statuses = statuses_of(programs);
  std::size_t same = 0, broken = 0, not_judged = 0, differ = 0;
  for (const auto& [text, questions] : programs) {
    const int status = statuses.at(text);
    for (const auto& [cell, promise] : questions) {
      const auto found = verdicts.find(cell);
      if (found == verdicts.end()) continue;
      const Verdict& rig = found->second.at(promise);
      const bool judged = rig.outcome == Outcome::held || rig.outcome == Outcome::broken;
      if (!judged && status != 1) { ++not_judged; continue; }
      const bool agrees = judged && status == (rig.outcome == Outcome::broken ? 1 : 0);
      agrees ? ++same : ++differ;
      broken += agrees && status == 1 ? 1 : 0;
      const Case& one = cells[cell].one;
      EXPECT_TRUE(agrees) << one.scenario << " / " << one.profile_name() << " / " << one.backend_name() << ", " << promise
                          << ": the program exits " << status << ", the rig says " << name(rig.outcome) << ": " << rig.because;
    }
  }
  EXPECT_GT(broken, 0U);
  EXPECT_GT(same, broken);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::cout << fmt::format(
      "{} cells; {} questions cannot be emitted; {} programs of {}: {} as the rig says ({} broken), {} otherwise, {} that the "
      "rig does not judge; {:.1f} s\n",
      cells.size(), refused, programs.size(), all.size(), same, broken, differ, not_judged, took.count());
}

}  // namespace
}  // namespace forkproof::fuzz
