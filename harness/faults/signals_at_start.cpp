// Fault `signals-at-start`: the supervisor is started with signals ignored or blocked, as it inherits them
// from whoever starts it: nohup ignores SIGHUP, `cmd &` in a shell without job control SIGINT and SIGQUIT, a parent that
// wants no zombies SIGCHLD, and a threaded launcher may leave any of them blocked (`man 7 signal`: both survive exec).
//
// Set in the process that becomes the subject, right before, and read back there. Established when the tree is up: the
// proof says what the supervisor itself has made of it by then.
#include <csignal>
#include <iterator>
#include <sstream>
#include <vector>

#include "harness/core/error.h"
#include "harness/faults/fault.h"
#include "harness/faults/look.h"

namespace forkproof::faults {
namespace {

std::vector<std::string> words_in(const std::string& text) {
  std::istringstream words(text);
  return {std::istream_iterator<std::string>(words), {}};
}

class SignalsAtStart final : public Fault {
 public:
  explicit SignalsAtStart(const FaultSpec& spec)
      : ignored_(words_in(spec.word("ignored", ""))), blocked_(words_in(spec.word("blocked", ""))) {}

  void set_stage(Stage&) override {}

  int start_in_subject() override {
    for (const std::string& each : ignored_) {
      struct sigaction now {};
      ::signal(signal_from(each), SIG_IGN);
      ::sigaction(signal_from(each), nullptr, &now);
      if (now.sa_handler != SIG_IGN) fail(each + " cannot be ignored", EINVAL);
    }
    sigset_t mask, now;
    sigemptyset(&mask);
    for (const std::string& each : blocked_) sigaddset(&mask, signal_from(each));
    ::sigprocmask(SIG_BLOCK, &mask, nullptr);
    ::sigprocmask(SIG_BLOCK, nullptr, &now);
    for (const std::string& each : blocked_) {
      if (sigismember(&now, signal_from(each)) != 1) fail(each + " cannot be blocked", EINVAL);
    }
    return -1;
  }

  void see(const Event& event, Strike& strike) override {
    if (const auto* spawned = event.as<Spawned>(); spawned != nullptr && spawned->node == -1) supervisor_ = spawned->pid;
    if (event.as<TreeReady>() == nullptr) return;
    strike.established("it was started with " + now("SigIgn", "ignored", ignored_) + now("SigBlk", "blocked", blocked_) +
                       "; the tree is up");
    strike.fired("signals at its start");
  }

 private:
  /// "SIGINT ignored, and has it so still".
  [[nodiscard]] std::string now(const char* key, const std::string& how, const std::vector<std::string>& signals) const {
    const std::uint64_t mask = signal_mask_of(supervisor_, key);
    std::string text;
    for (const std::string& each : signals) {
      const bool still = (mask & (1ULL << (signal_from(each) - 1))) != 0;
      text += each + " " + how + (still ? " (still so), " : " (no more so), ");
    }
    return text.empty() ? text : text.substr(0, text.size() - 2);
  }

  std::vector<std::string> ignored_, blocked_;
  Pid supervisor_ = 0;
};

}  // namespace

std::span<const Setting> settings_of_signals_at_start() {
  static constexpr Setting settings[] = {
      {"ignored", false, false, "\"SIGHUP SIGCHLD\": dispositions that are SIG_IGN"},
      {"blocked", false, false, "\"SIGTERM\": what stands in its mask"},
  };
  return settings;
}
std::string check_signals_at_start(const FaultSpec& spec) {
  if (spec.delay > Nanos{}) return "delay_s: it strikes at the start";
  const std::string all = spec.word("ignored", "") + " " + spec.word("blocked", "");
  if (words_in(all).empty()) return "neither `ignored` nor `blocked` names a signal";
  for (const std::string& each : words_in(all)) {
    if (signal_from(each) == 0) return "'" + each + "' is no signal; \"SIGHUP SIGCHLD\" would be";
    if (each == "SIGKILL" || each == "SIGSTOP") return each + " can be neither ignored nor blocked";
  }
  return {};
}
std::unique_ptr<Fault> make_signals_at_start(const FaultSpec& spec) { return std::make_unique<SignalsAtStart>(spec); }

}  // namespace forkproof::faults
