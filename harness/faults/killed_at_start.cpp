// Fault `killed-at-start`: every process that is started as the tree's root is SIGKILLed before it is up, as the OOM killer
// does to a worker whose start needs too much. Who replaces it at once starts it for ever.
//
// Established: it was seen, and it has not said that it is up.
#include <csignal>
#include <set>

#include "harness/faults/fault.h"

namespace forkproof::faults {
namespace {

class KilledAtStart final : public Fault {
 public:
  void set_stage(Stage&) override {}

  void see(const Event& event, Strike& strike) override {
    if (const auto* spawned = event.as<Spawned>(); spawned != nullptr && spawned->node == 0) kill(spawned->pid, strike);
    if (const auto* again = event.as<Restarted>(); again != nullptr && again->node == 0) kill(again->pid, strike);
  }

 private:
  void kill(Pid pid, Strike& strike) {
    if (!killed_.insert(pid).second) return;
    if (killed_.size() == 1) {
      strike.established("it is here, and not up yet");
      strike.fired("whoever is started so is sent SIGKILL");
    }
    strike.signal(pid, SIGKILL);
  }

  std::set<Pid> killed_;
};

}  // namespace

std::span<const Setting> settings_of_killed_at_start() { return {}; }
std::string check_killed_at_start(const FaultSpec&) { return {}; }
std::unique_ptr<Fault> make_killed_at_start(const FaultSpec&) { return std::make_unique<KilledAtStart>(); }

}  // namespace forkproof::faults
