// Fault `signal-node`: a process of the task tree is killed or stopped behind its supervisor's back.
//
// Established: the whole tree is up, and the node is asleep. SIGSTOP has struck when /proc shows the node stopped; SIGKILL
// when it is gone. Healed: a stopped node goes on (SIGCONT).
#include <sys/types.h>

#include <csignal>
#include <map>

#include "harness/faults/fault.h"
#include "harness/faults/look.h"

namespace forkproof::faults {
namespace {

class SignalNode final : public Fault {
 public:
  explicit SignalNode(const FaultSpec& spec)
      : name_(spec.word("signal", "")), role_(spec.word("node", "")), signal_(name_ == "SIGKILL" ? SIGKILL : SIGSTOP) {}

  void set_stage(Stage&) override {}

  void see(const Event& event, Strike& strike) override {
    if (const auto* ready = event.as<Ready>(); ready != nullptr && !due_) nodes_[ready->pid] = ready->node;
    if (const auto* spawned = event.as<Spawned>(); spawned != nullptr && spawned->node >= 0) roles_[spawned->pid] = spawned->role;
    due_ |= event.as<TreeReady>() != nullptr;
    const auto* exited = event.as<Exited>();
    if (exited != nullptr && sent_ && !struck_ && exited->pid == node_) strike_is_seen(strike, "it is gone");
  }

  void tick(Strike& strike) override {
    if (!due_ || struck_) return;
    if (sent_) {
      if (signal_ == SIGSTOP && is_stopped()) strike_is_seen(strike, "it is stopped");
      return;
    }
    if (node_ == 0) node_ = find();
    if (node_ == 0) return strike.give_up("no process of the tree has the role '" + role_ + "'");
    if (state_of(node_) != 'S') return;
    strike.established("the tree is up, and its " + roles_[node_] + " is asleep");
    sent_ = true;
    strike.signal(node_, signal_);
  }

  [[nodiscard]] HealingSignal heals_by() const override {
    return sent_ && signal_ == SIGSTOP ? HealingSignal{node_, SIGCONT} : HealingSignal{};
  }
  void heal() noexcept override {
    if (const HealingSignal by = heals_by(); by.signal != 0) ::kill(by.pid, by.signal);
  }

 private:
  /// One that is observed by ptrace shows its tracer's stop, as it does for a moment at other times: twice in a row it stays.
  bool is_stopped() {
    const char state = state_of(node_);
    traced_stops_ = state == 't' ? traced_stops_ + 1 : 0;
    return state == 'T' || traced_stops_ == 2;
  }

  /// The first of that role by its place in the tree; the root where no role is named.
  [[nodiscard]] Pid find() const {
    Pid found = 0;
    std::int32_t place = -1;
    for (const auto& [pid, node] : nodes_) {
      const auto role = roles_.find(pid);
      const bool meant = role_.empty() ? node == 0 : role != roles_.end() && role->second == role_;
      if (meant && (found == 0 || node < place)) found = pid, place = node;
    }
    return found;
  }

  void strike_is_seen(Strike& strike, const std::string& how) {
    struck_ = true;
    strike.fired("the " + roles_[node_] + " was sent " + name_ + ", and " + how);
  }

  std::string name_, role_;
  int signal_;
  std::map<Pid, std::int32_t> nodes_;
  std::map<Pid, std::string> roles_;
  Pid node_ = 0;
  int traced_stops_ = 0;
  bool due_ = false, sent_ = false, struck_ = false;
};

}  // namespace

std::span<const Setting> settings_of_signal_node() {
  static constexpr Setting settings[] = {
      {"signal", false, true, "SIGKILL, or SIGSTOP: it goes on again when the run is over", 0, 0, "SIGKILL SIGSTOP"},
      {"node", false, false, "the role of the process that is meant; where nothing is said, the tree's root"},
  };
  return settings;
}
std::string check_signal_node(const FaultSpec&) { return {}; }
std::unique_ptr<Fault> make_signal_node(const FaultSpec& spec) { return std::make_unique<SignalNode>(spec); }

}  // namespace forkproof::faults
