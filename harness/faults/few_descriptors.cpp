// Fault `few-descriptors`: the supervisor can open nothing more (EMFILE). Either from its start, with a limit
// (RLIMIT_NOFILE) that all that it starts inherits; or, where nothing is said, once the tree is up: then its limit becomes
// the lowest number that it has free.
//
// Established: the tree is up and the arena at rest; the limit is read back from the kernel. Healed: the limit it had.
#include <sys/resource.h>

#include <cstdlib>
#include <set>

#include "harness/core/error.h"
#include "harness/core/proc_root.h"
#include "harness/faults/fault.h"
#include "harness/faults/look.h"

namespace forkproof::faults {
namespace {

/// The lowest descriptor number that a process does not have; -1 when it cannot be seen.
int lowest_free(Pid pid) {
  DIR* directory = open_proc_folder("/proc/" + std::to_string(pid) + "/fd");
  if (directory == nullptr) return -1;
  std::set<int> taken;
  while (const dirent* entry = ::readdir(directory)) {
    if (entry->d_name[0] != '.') taken.insert(std::atoi(entry->d_name));
  }
  ::closedir(directory);
  int free = 0;
  while (taken.contains(free)) ++free;
  return free;
}

class FewDescriptors final : public Fault {
 public:
  explicit FewDescriptors(const FaultSpec& spec) : from_start_(static_cast<rlim_t>(spec.number("from_start", 0))) {}

  void set_stage(Stage&) override {}

  int start_in_subject() override {
    if (from_start_ == 0) return -1;
    const rlimit limit{from_start_, from_start_};
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) fail("setrlimit(RLIMIT_NOFILE)");
    return -1;
  }

  void see(const Event& event, Strike&) override {
    if (const auto* spawned = event.as<Spawned>(); spawned != nullptr && spawned->node == -1) supervisor_ = spawned->pid;
    due_ |= event.as<TreeReady>() != nullptr;
  }

  void tick(Strike& strike) override {
    if (!due_ || fired_) return;
    if (!strike.waited_for_rest() && !rest_.look(supervisor_)) return;
    rlimit now{};
    if (from_start_ == 0) tighten();
    if (::prlimit(supervisor_, RLIMIT_NOFILE, nullptr, &now) != 0) return;
    fired_ = true;
    const int free = lowest_free(supervisor_);
    if (from_start_ == 0 && now.rlim_cur != static_cast<rlim_t>(free)) return strike.give_up("the supervisor opens and closes without rest");
    strike.established("the tree is up, and RLIMIT_NOFILE of the supervisor reads " + std::to_string(now.rlim_cur) +
                       "; its lowest free descriptor is " + std::to_string(free));
    strike.fired(from_start_ == 0 ? "it can open nothing more (EMFILE)" : "it was started with that limit");
  }

  void heal() noexcept override {
    if (tightened_) ::prlimit(supervisor_, RLIMIT_NOFILE, &before_, nullptr);
  }

 private:
  void tighten() {
    const int free = lowest_free(supervisor_);
    if (free < 0 || ::prlimit(supervisor_, RLIMIT_NOFILE, nullptr, &before_) != 0) return;
    const rlimit tight{static_cast<rlim_t>(free), before_.rlim_max};
    tightened_ = ::prlimit(supervisor_, RLIMIT_NOFILE, &tight, nullptr) == 0;
  }

  rlim_t from_start_;
  rlimit before_{};
  Pid supervisor_ = 0;
  Rest rest_;
  bool due_ = false, fired_ = false, tightened_ = false;
};

}  // namespace

std::span<const Setting> settings_of_few_descriptors() {
  static constexpr Setting settings[] = {
      {"from_start", true, false, "RLIMIT_NOFILE that the supervisor is started with, and all that it starts", 4, 1'048'576},
  };
  return settings;
}
std::string check_few_descriptors(const FaultSpec& spec) {
  const bool late = spec.delay > Nanos{} && spec.number("from_start", 0) > 0;
  return late ? "delay_s: with `from_start` it strikes at the start" : "";
}
std::unique_ptr<Fault> make_few_descriptors(const FaultSpec& spec) { return std::make_unique<FewDescriptors>(spec); }

}  // namespace forkproof::faults
