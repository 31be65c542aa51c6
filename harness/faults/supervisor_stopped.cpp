// Fault `supervisor-stopped`: the model supervisor is told to stop, as by `docker stop`, systemd or Ctrl-C: SIGTERM or SIGINT
// to its process. A command has `signal-supervisor`, which waits until the command rests.
//
// Established: the whole tree is up, or the supervisor stands at a point of its start. The signal is sent while it waits
// there for the rig, so it has come before the supervisor goes on.
#include <csignal>
#include <utility>

#include "harness/core/sync_point.h"
#include "harness/faults/fault.h"
#include "harness/faults/look.h"

namespace forkproof::faults {
namespace {

constexpr char when_tree_ready[] = "tree-ready";

constexpr Setting supervisor_stopped_settings[] = {
    {.key = "signal", .is_number = false, .required = false, .about = "SIGTERM (where nothing is said) or SIGINT", .words = "SIGTERM SIGINT"},
    {.key = "when", .is_number = false, .required = false,
     .about = "tree-ready (where nothing is said: all are up), spawning (nothing is started yet), or spawned (the server is "
              "not asked yet)",
     .words = "tree-ready spawning spawned"},
    {.key = "again", .is_number = true, .required = false, .about = "how many times more, each when the one before was taken",
     .least = 0, .most = 10},
};

class SupervisorStopped final : public Fault {
 public:
  explicit SupervisorStopped(const FaultSpec& spec)
      : name_(spec.word("signal", "SIGTERM")),
        when_(spec.word("when", when_tree_ready)),
        signal_(signal_from(name_)),
        left_(spec.number("again", 0)) {}

  void set_stage(Stage&) override {}

  void see(const Event& event, Strike& strike) override {
    const auto* spawned = event.as<Spawned>();
    if (spawned != nullptr && spawned->node == supervisor_node && supervisor_ == 0) supervisor_ = spawned->pid;
    if (const auto* exited = event.as<Exited>(); exited != nullptr && exited->pid == supervisor_) left_ = 0;
    const auto* tree = event.as<TreeReady>();
    if (tree != nullptr && when_ == when_tree_ready) fire("the tree's " + std::to_string(tree->nodes) + " processes are up", strike);
    const auto* reached = event.as<SyncPointReached>();
    if (reached != nullptr && reached->role == "supervisor" && reached->point == when_) fire("the supervisor is at " + when_, strike);
  }

  void tick(Strike& strike) override {
    if (!fired_ || left_ == 0 || is_pending(supervisor_, signal_)) return;
    --left_;
    strike.signal(supervisor_, signal_);
  }

 private:
  void fire(const std::string& proof, Strike& strike) {
    if (std::exchange(fired_, true)) return;
    const std::string what = "the supervisor is sent " + name_;
    strike.established(proof);
    strike.fired(what);
    strike.asks_teardown(what);
    strike.signal(supervisor_, signal_);
  }

  std::string name_, when_;
  int signal_;
  std::int64_t left_;
  Pid supervisor_ = 0;
  bool fired_ = false;
};

}  // namespace

std::span<const Setting> settings_of_supervisor_stopped() { return supervisor_stopped_settings; }
std::string check_supervisor_stopped(const FaultSpec&) { return {}; }
std::unique_ptr<Fault> make_supervisor_stopped(const FaultSpec& spec) { return std::make_unique<SupervisorStopped>(spec); }

}  // namespace forkproof::faults
