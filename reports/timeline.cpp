#include "reports/timeline.h"

#include <cstring>

#include <fmt/format.h>

namespace forkproof::reports {
namespace {

/// One overload an event kind. Those that a reader need not see return nothing.
struct Teller {
  const Cast& cast;
  using Told = std::optional<Line>;

  Told operator()(const CaseOpened&) const { return std::nullopt; }
  Told operator()(const ArenaOpened&) const { return std::nullopt; }
  Told operator()(const Spawned& e) const {
    // PID 1 starts nobody but the subject.
    if (e.node == stranger_node && e.parent == cast.warden()) return Line{cast.name(e.pid), "is first seen, a child of PID 1"};
    return Line{cast.name(e.pid), "is started by " + cast.name(e.parent)};
  }
  Told operator()(const Ready&) const { return std::nullopt; }
  Told operator()(const TreeReady& e) const {
    return Line{"tree", e.nodes == 1 ? "its one process is up" : fmt::format("its {} processes are up", e.nodes)};
  }
  Told operator()(const SyncPointReached& e) const {
    if (!e.held) return std::nullopt;
    return Line{cast.name(e.pid), fmt::format("waits at \"{} {}\"", e.point, e.number)};
  }
  Told operator()(const SyncPointReleased& e) const {
    return Line{cast.name(e.pid), "goes on from \"" + e.point + "\": " + e.because};
  }
  Told operator()(const Scheduled& e) const {
    if (e.decision == 0) return std::nullopt;
    std::string others;
    for (const WaitingAt& each : e.waiting) {
      if (each.pid != e.pid) others += fmt::format("{}{} waits at \"{}\"", others.empty() ? "" : ", ", cast.name(each.pid), each.point);
    }
    return Line{cast.name(e.pid), fmt::format("goes first from \"{}\" (decision {}: {}): {}", e.point, e.decision, e.letter, others)};
  }
  Told operator()(const FaultEstablished& e) const { return Line{"fault", "established: " + e.proof}; }
  Told operator()(const FaultFired&) const { return std::nullopt; }  // the reply or signal itself is there
  Told operator()(const FaultHealed&) const { return std::nullopt; }
  Told operator()(const ArenaRested& e) const {
    const std::string why = e.because.empty() ? "" : ": " + e.because;
    if (e.rested) return Line{"arena", fmt::format("is at rest after {}{}", text(e.waited), why)};
    return Line{"arena", fmt::format("was not at rest after {}{}; it is struck all the same", text(e.waited), why)};
  }
  Told operator()(const TeardownAsked& e) const {
    const bool is_asked = e.cause == cause::asked || e.cause == cause::rig;
    return Line{"teardown", (is_asked ? "is asked for: " : "is counted from here: ") + e.because};
  }
  Told operator()(const Request& e) const {
    if (e.what == "state") return Line{"server", "is told the final state: " + e.body};
    return std::nullopt;
  }
  Told operator()(const Reply& e) const {
    const std::string request = e.what == "heartbeat" ? fmt::format("heartbeat {}", e.number) : e.what;
    if (e.how == "status") return Line{"server", fmt::format("answers {}: {}", request, e.status)};
    return Line{"server", fmt::format("does not answer {} properly: {}", request, e.how)};
  }
  Told operator()(const Signalled& e) const {
    const std::string whom = e.target < 0 ? fmt::format("the group of {}", cast.name(-e.target)) : cast.name(e.target);
    const std::string who = e.by == cast.warden() ? "rig" : cast.name(e.by);  // PID 1 of the arena is the rig's
    if (e.error != 0) return Line{who, fmt::format("cannot signal {}: {}", whom, std::strerror(e.error))};
    return Line{who, fmt::format("sends {} to {}", signal_name(e.signal), whom)};
  }
  Told operator()(const SignalTaken& e) const {
    return Line{cast.name(e.pid), "takes " + signal_name(e.signal) + " in a handler"};
  }
  Told operator()(const ObservationChosen& e) const {
    const std::string misses = e.way == "none" ? e.misses + " is not seen" : "it misses " + e.misses;
    return Line{"observation", fmt::format("by {} ({}); {}", e.way, e.because, misses)};
  }
  Told operator()(const Execed& e) const { return Line{cast.name(e.pid), "runs " + e.program}; }
  Told operator()(const SignalSeen& e) const {
    if (e.by == cast.warden()) return std::nullopt;  // that it sent one is told already
    const std::string by = e.by > 0 ? "from " + cast.name(e.by) : "(" + e.how + ")";
    return Line{cast.name(e.pid), fmt::format("gets {} {}", signal_name(e.signal), by)};
  }
  Told operator()(const Explained&) const { return std::nullopt; }  // stands under the broken promise
  Told operator()(const ListenerOpened& e) const {
    return Line{cast.name(e.by), fmt::format("listens on 127.0.0.1:{}", e.port)};
  }
  Told operator()(const SignalWithoutEffect& e) const {
    return Line{cast.name(e.pid), fmt::format("does {}not end by {} ({}): {}", e.proved ? "provably " : "",
                                              signal_name(e.signal), e.how, e.because)};
  }
  Told operator()(const CaptureOpened& e) const {
    if (e.drain == "while-waiting") return std::nullopt;
    return Line{cast.name(e.by), fmt::format("captures {} by a {}, which it reads: {}", e.channel, e.capture, e.drain)};
  }
  Told operator()(const Exited& e) const {
    return Line{cast.name(e.pid), e.known ? "ends: " + e.status.text() : "ends; how could not be seen"};
  }
  Told operator()(const Stuck& e) const {
    return Line{cast.name(e.pid), fmt::format("is {}stuck ({}): {}", e.proved ? "provably " : "", e.how, e.because)};
  }
  Told operator()(const Reaped& e) const {
    if (e.by == cast.warden()) return std::nullopt;
    if (e.vanished) return Line{cast.name(e.by), cast.name(e.pid) + " has vanished (ECHILD)"};
    return Line{cast.name(e.by), "reaps " + cast.name(e.pid) + ": " + e.status.text()};
  }
  Told operator()(const Reparented& e) const {
    return Line{cast.name(e.pid), fmt::format("is re-parented from {} to {}{}", cast.name(e.from), cast.name(e.to),
                                              e.doomed ? ", already dying" : "")};
  }
  Told operator()(const OutputCounted& e) const {
    if (e.end == "came out") return Line{"output", fmt::format("of the task has come out of the command: {} letters", e.bytes)};
    return Line{cast.name(e.pid), fmt::format("has {} {} bytes of {}", e.end, e.bytes, e.channel)};
  }
  Told operator()(const DescriptorHeld& e) const {
    return Line{cast.name(e.pid), fmt::format("holds {} as descriptor {}, opened by {}", e.what, e.fd, cast.name(e.from))};
  }
  Told operator()(const ListenersSeen& e) const {
    std::string all;
    for (const ListenerEntry& each : e.listeners) {
      std::string holders;
      for (const Pid pid : each.holders) holders += (holders.empty() ? "" : ", ") + cast.name(pid);
      all += (all.empty() ? "" : "; ") + each.address + " of " + holders;
    }
    if (!e.trouble.empty()) return Line{"listeners", "cannot be looked at: " + e.trouble};
    return all.empty() ? Told() : Line{"listeners", all};
  }
  Told operator()(const CrashLineSeen& e) const { return Line{"command", "has printed: " + e.line}; }
  Told operator()(const ProbeMade& e) const { return Line{"probe", e.what + ": " + e.result}; }
  Told operator()(const WorkerStarted& e) const {
    const std::string after = e.after > Nanos{} ? ", " + text(e.after) + " after the last one died" : "";
    return Line{cast.name(e.by), fmt::format("starts worker {} as pid {}{}", e.number, e.pid, after)};
  }
  Told operator()(const Restarted& e) const {
    const std::string after = e.after > Nanos{} ? text(e.after) + " after the one before ended" : "beside the one before";
    return Line{cast.name(e.by), fmt::format("starts {} again, as pid {}, {}", cast.role(e.pid), e.pid, after)};
  }
  Told operator()(const CommandNotStarted& e) const {
    const std::string why = e.error == 0 ? "" : fmt::format(": {}", std::strerror(e.error));
    return Line{"command", "cannot be started: " + e.what + why};
  }
  Told operator()(const CommandOutput& e) const {
    if (e.bytes == 0) return std::nullopt;
    return Line{"command", fmt::format("has printed {} bytes", e.bytes)};
  }
  Told operator()(const LimitReached& e) const {
    return Line{"arena", fmt::format("holds {} {}, more than the {} that it gives", e.count, e.what, e.limit)};
  }
  Told operator()(const ChannelClosed& e) const {
    return Line{cast.name(e.by), e.how == "eof" ? "sees the end of " + e.channel : "closes " + e.channel + " by force"};
  }
  Told operator()(const SelectorOpened&) const { return std::nullopt; }
  Told operator()(const SelectorClosed& e) const {
    return Line{cast.name(e.by), fmt::format("closes its selector, descriptor {}{}", e.fd,
                                             e.inside == "loop" ? ", and the loop goes on" : "")};
  }
  Told operator()(const ClosedSelectorWait& e) const {
    return Line{cast.name(e.by), fmt::format("waits on descriptor {}, closed and now {}'s", e.fd, e.taken_by)};
  }
  Told operator()(const ClosedSelectorResult& e) const {
    return Line{cast.name(e.by), fmt::format("epoll_wait: {} ({})", strerrorname_np(e.error), std::strerror(e.error))};
  }
  Told operator()(const SubjectFailed& e) const { return Line{cast.name(e.by), "its loop fails: " + e.what}; }
  Told operator()(const StateConcluded& e) const { return Line{cast.name(e.by), "final state: " + e.state}; }
  Told operator()(const CensusTaken& e) const {
    std::string left;
    for (const CensusEntry& entry : e.processes) {
      if (left.size() > 200) continue;
      left += (left.empty() ? "" : ", ") + cast.name(entry.pid) + (entry.state == "Z" ? " (zombie)" : "");
    }
    if (left.empty()) return Line{"census", "nobody is left"};
    return Line{"census", "still there: " + left + (e.complete ? "" : "; not complete")};
  }
  Told operator()(const MachineLate& e) const { return Line{"machine", "is late by " + text(e.by)}; }
  Told operator()(const DeadlinePassed& e) const { return Line{"deadline", "of the " + e.what + " has passed"}; }
  Told operator()(const RunEnded&) const { return std::nullopt; }
  Told operator()(const Trouble& e) const { return Line{"harness", e.where + ": " + e.what}; }
};

}  // namespace

std::optional<Line> told(const Happening& what, const Cast& cast) { return std::visit(Teller{cast}, what); }

}  // namespace forkproof::reports
