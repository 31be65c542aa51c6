#pragma once
#include <optional>
#include <string>

#include "harness/core/fd.h"
#include "harness/observe/ways/signal_trace.h"
#include "harness/observe/ways/way.h"

namespace forkproof::observe {

/// The socket and the folder of an Outlook, held open. Made by who is still in the first namespaces; inherited by the
/// arena's processes, and closed on exec. Passive.
class OutlookHeld {
 public:
  /// Subscribes to the process connector (`linux/cn_proc.h`): it answers in the first user, PID and network namespaces
  /// alone. The refusal, if there is one, is in the outlook.
  explicit OutlookHeld(bool with_signals = true);
  [[nodiscard]] const Outlook& outlook() const { return outlook_; }

 private:
  Fd socket_, proc_;
  std::optional<SignalTrace> signals_;
  Outlook outlook_;
};

}  // namespace forkproof::observe
