#include "harness/observe/stuck.h"

#include <fmt/format.h>

#include "harness/observe/computing.h"
#include "harness/observe/proc.h"
#include "harness/observe/stuck/kind.h"
#include "harness/observe/threads.h"

namespace forkproof::observe {

struct StuckWatch::Record {
  Thread main;
  Nanos since{};
  std::uint64_t looks = 0;
  Computing computing;
  std::set<std::string_view> told;
};

StuckWatch::StuckWatch(bool sealed, Pid root) : sealed_(sealed), root_(root) {}
StuckWatch::~StuckWatch() = default;

std::optional<Finding> StuckWatch::look(Pid pid) {
  const auto found = found_.find(pid);
  if (found != found_.end() && found->second.proved) return std::nullopt;
  Thread main;
  if (!main_thread(pid, &main)) return std::nullopt;
  auto& record = records_[pid];
  if (record == nullptr) record = std::make_unique<Record>();
  const Nanos now = monotonic_now();
  if (record->looks == 0 || record->main.text != main.text) {
    record->main = main, record->since = now, record->looks = 0;
  }
  ++record->looks;
  record->computing.look(pid, main.blocked, record->looks);
  const Glance glance{pid, record->main, now, record->since, record->looks, found_, sealed_, root_};
  for (const StuckKind& kind : stuck_kinds()) {
    if (record->told.contains(kind.key)) continue;
    const auto symptom = kind.look(glance);
    if (!symptom || now - record->since < symptom->at_least) continue;
    record->told.insert(kind.key);
    found_[pid] = Finding{std::string(kind.key), symptom->proved, record->since, symptom->because};
    return found_[pid];
  }
  return std::nullopt;
}

void StuckWatch::forget(Pid pid) {
  records_.erase(pid);
  found_.erase(pid);
}

std::string StuckWatch::running(Pid pid) const {
  const auto record = records_.find(pid);
  return running_text(pid, record != records_.end() ? record->second->computing : Computing());
}

std::string StuckWatch::describe(Pid pid) const {
  const auto look = look_at(pid);
  if (!look) return "gone";
  if (std::string computes = running(pid); !computes.empty()) return computes;
  const std::vector<Thread> threads = threads_of(pid);
  std::string text = fmt::format("state {}", look->entry.state);
  for (std::size_t i = 0; i < threads.size() && i < 4; ++i) {
    const Thread& thread = threads[i];
    text += !thread.blocked ? fmt::format(", thread {} runs", thread.tid)
            : thread.number < 0 ? fmt::format(", thread {} in a page fault", thread.tid)
                                : fmt::format(", thread {} in system call {}", thread.tid, thread.number);
  }
  return text;
}

}  // namespace forkproof::observe
