#include "harness/run/watch.h"

#include <algorithm>

namespace forkproof::run {
namespace {

constexpr std::size_t most_looks = 64;  // at processes, each period

}  // namespace

void Watch::look() {
  look_for_stuck();
  if (auto stays = signals_.look()) told_.stays(std::move(*stays));
  told_.faults_turn();
}

void Watch::look_for_stuck() {
  std::vector<Pid> turn;
  for (auto& [pid, process] : processes_) {
    if (process.alive) turn.push_back(pid);
  }
  std::sort(turn.begin(), turn.end());
  std::rotate(turn.begin(), std::upper_bound(turn.begin(), turn.end(), looked_at_last_), turn.end());
  if (turn.size() > most_looks) turn.resize(most_looks);
  for (const Pid pid : turn) {
    looked_at_last_ = pid;
    auto finding = stuck_.look(pid);
    if (!finding) finding = full_channels_.look(pid);
    Process* process = processes_.find(pid);
    if (finding && process != nullptr && process->alive) told_.is_stuck(*process, *finding);
  }
}

}  // namespace forkproof::run
