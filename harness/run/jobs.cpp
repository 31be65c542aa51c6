#include "harness/run/jobs.h"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>

#include "harness/core/error.h"
#include "harness/spawn/backend.h"

namespace forkproof::run {
namespace {

const Knob* find_knob(const std::string& key) {
  const auto found = std::find_if(knobs().begin(), knobs().end(), [&](const Knob& knob) { return knob.key == key; });
  return found == knobs().end() ? nullptr : &*found;
}

/// The subject's value of a knob; empty for a command, and for a knob that does not exist.
std::string knob_word(const Cell& cell, const std::string& key) {
  const auto* model = std::get_if<ModelSupervisor>(&cell.one.subject);
  const Knob* knob = find_knob(key);
  return model == nullptr || knob == nullptr ? "" : std::string(knob->values[knob->get(model->profile)].word);
}

[[noreturn]] void refuse(const std::string& written, const std::string& what, const std::string& word,
                         const std::vector<std::string>& known) {
  const std::string near = nearest(word, known);
  throw BadInput(fmt::format("--knob {}: no {} '{}' ({})", written, what, word,
                             near.empty() ? "`repro list knobs` shows them" : "did you mean '" + near + "'?"));
}

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

void add_once(std::vector<std::string>& words, const std::string& word) {
  if (!contains(words, word)) words.push_back(word);
}

using CellsByWord = std::map<std::string, std::vector<const Cell*>>;

bool is_bare_fork(const Cell& cell) {
  const spawn::BackendRow* row = spawn::find_backend(cell.one.backend_name());
  return row != nullptr && !row->execs;
}

/// The jobs of one set of cells that need no further filter than these captures.
void add_shards(const std::string& name, const std::vector<std::string>& captures, const std::vector<const Cell*>& cells,
                std::vector<Job>* jobs) {
  if (cells.empty()) return;
  Job job;
  job.captures = captures;
  for (const Cell* cell : cells) {
    add_once(job.scenarios, cell->asked);
    add_once(job.backends, cell->one.backend_name());
  }
  job.shards = (cells.size() + most_cells - 1) / most_cells;
  for (job.shard = 1; job.shard <= job.shards; ++job.shard) {
    job.cells = (cells.size() + job.shards - job.shard) / job.shards;
    job.name = name;
    if (!captures.empty()) job.name += fmt::format(", stdout {}", fmt::join(captures, " "));
    if (job.shards > 1) job.name += fmt::format(", {}/{}", job.shard, job.shards);
    jobs->push_back(job);
  }
}

}  // namespace

void add_knob(const std::string& written, KnobFilter* filter) {
  const std::size_t equals = written.find('=');
  if (equals == std::string::npos) throw BadInput("--knob " + written + ": wants KNOB=VALUE[,VALUE ...]");
  const std::string key = written.substr(0, equals);
  const Knob* knob = find_knob(key);
  std::vector<std::string> known;
  if (knob == nullptr) {
    for (const Knob& each : knobs()) known.emplace_back(each.key);
    refuse(written, "knob", key, known);
  }
  for (const KnobValue& value : knob->values) known.emplace_back(value.word);
  std::istringstream words(written.substr(equals + 1));
  std::vector<std::string>& wanted = (*filter)[key];
  for (std::string word; std::getline(words, word, ',');) {
    if (!contains(known, word)) refuse(written, "value", word, known);
    wanted.push_back(word);
  }
  if (wanted.empty()) throw BadInput("--knob " + written + ": wants KNOB=VALUE[,VALUE ...]");
}

bool has_knobs(const Cell& cell, const KnobFilter& filter) {
  return std::all_of(filter.begin(), filter.end(),
                     [&](const auto& each) { return contains(each.second, knob_word(cell, each.first)); });
}

std::vector<Job> jobs_for(const std::vector<Cell>& cells) {
  std::vector<Job> jobs;
  for (const bool bare_fork : {true, false}) {
    CellsByWord by_capture;
    for (const Cell& cell : cells) {
      if (is_bare_fork(cell) == bare_fork) by_capture[knob_word(cell, "capture")].push_back(&cell);
    }
    const std::string name = bare_fork ? "bare fork" : "fresh image";
    // A single capture is no axis; the empty word is that of cells without the knob, which no filter can pick.
    if (by_capture.size() <= 1 || by_capture.contains("")) {
      std::vector<const Cell*> all;
      for (const Cell& cell : cells) {
        if (is_bare_fork(cell) == bare_fork) all.push_back(&cell);
      }
      add_shards(name, {}, all, &jobs);
      continue;
    }
    std::vector<std::string> rare;
    std::vector<const Cell*> rare_cells;
    for (const auto& [capture, its_cells] : by_capture) {
      if (its_cells.size() >= few_cells) {
        add_shards(name, {capture}, its_cells, &jobs);
      } else {
        rare.push_back(capture);
        rare_cells.insert(rare_cells.end(), its_cells.begin(), its_cells.end());
      }
    }
    add_shards(name, rare, rare_cells, &jobs);
  }
  return jobs;
}

}  // namespace forkproof::run
