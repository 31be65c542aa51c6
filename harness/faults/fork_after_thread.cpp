// Fault `fork-after-thread`: at the instant of the fork, another thread of the supervisor is inside a lock that the
// child will want. The child has the lock and not the thread. Which lock: harness/faults/locks/, one file each.
#include <utility>

#include <fmt/format.h>

#include "harness/core/error.h"
#include "harness/core/sync_point.h"
#include "harness/faults/fault.h"
#include "harness/faults/locks/lock.h"

namespace forkproof::faults {
namespace {

constexpr char lock_words[] =
#define FORKPROOF_LOCK(file, key, about) key " "
#include "harness/faults/locks/locks.def"
#undef FORKPROOF_LOCK
    "";

constexpr Setting fork_after_thread_settings[] = {
    {.key = "lock", .is_number = false, .required = true, .about = "which lock is held (repro list locks)", .words = lock_words},
};

class ForkAfterThread final : public Fault {
 public:
  explicit ForkAfterThread(const FaultSpec& spec) : name_(spec.word("lock", "")), lock_(find_lock(name_)->make()) {}

  void set_stage(Stage&) override {}
  std::string arm_in_subject() override { return name_ + ": " + lock_->hold(); }
  void touch_in_task() override { lock_->touch(); }

  void see(const Event& event, Strike& strike) override {
    const auto* reached = event.as<SyncPointReached>();
    if (reached == nullptr || reached->role != "supervisor" || reached->point != point::spawning) return;
    if (!std::exchange(fired_, true)) strike.fired("the supervisor spawns while " + name_ + " is held");
  }

 private:
  std::string name_;
  std::unique_ptr<Lock> lock_;
  bool fired_ = false;
};

}  // namespace

std::span<const Setting> settings_of_fork_after_thread() { return fork_after_thread_settings; }
std::string check_fork_after_thread(const FaultSpec&) { return {}; }
std::unique_ptr<Fault> make_fork_after_thread(const FaultSpec& spec) { return std::make_unique<ForkAfterThread>(spec); }

}  // namespace forkproof::faults
