#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "harness/core/duration.h"
#include "harness/core/wait_status.h"

// All that can be seen in a run. A closed set on purpose: an oracle or a report that forgets one does not compile.
// Each event lists its fields once, in `each`; the history file is written and read from that list.
// Pids are those of the arena's PID namespace; 0 is a process outside it (a server, the keeper). Roles name
// processes for people: "supervisor", "warden", "server", or the role of a task node.

namespace forkproof {

using Pid = std::int32_t;

/// The warden: PID 1 of the arena. In the subreaper tier it has another number, told in ArenaOpened.
inline constexpr Pid warden_pid = 1;

/// The name of a field. `later`: histories of before it was there are read all the same, and it keeps its default.
struct FieldName {
  const char* text;
  bool later = false;
  constexpr FieldName(const char* name) : text(name) {}
  constexpr FieldName(const char* name, bool is_later) : text(name), later(is_later) {}
};
constexpr FieldName later(const char* name) { return {name, true}; }

#define FORKPROOF_EVENT(word)                            \
  static constexpr std::string_view kind = word;         \
  template <class Self, class Field>                     \
  static void each([[maybe_unused]] Self& self, [[maybe_unused]] Field&& field)

/// The first event: the case itself, as JSON, so a history needs nothing beside it.
struct CaseOpened {
  std::string document;
  FORKPROOF_EVENT("case") { field("document", self.document); }
};

/// The world stands. `tier` as in `repro doctor`.
struct ArenaOpened {
  std::string tier;
  bool cgroup = false;
  Pid warden = warden_pid;
  std::string notes;
  FORKPROOF_EVENT("arena-opened") {
    field("tier", self.tier), field("cgroup", self.cgroup), field("warden", self.warden),
        field("notes", self.notes);
  }
};

/// In place of a node of the tree: the subject itself, and a process that is neither it nor of the tree.
inline constexpr std::int32_t supervisor_node = -1, stranger_node = -2;

/// A process was seen for the first time. `node` is its place in the tree, or one of the two above. `parent`: who started
/// it. A stranger that turns out to be of the tree is told of again, with its node.
struct Spawned {
  Pid pid = 0;
  Pid parent = 0;
  std::int32_t node = supervisor_node;
  std::string role;
  FORKPROOF_EVENT("spawned") {
    field("pid", self.pid), field("parent", self.parent), field("node", self.node), field("role", self.role);
  }
};

/// A tree node is up: handlers set, descriptors as ordered, children started.
struct Ready {
  Pid pid = 0;
  std::int32_t node = -1;
  Pid parent = 0;
  Pid group = 0;
  Pid session = 0;
  FORKPROOF_EVENT("ready") {
    field("pid", self.pid), field("node", self.node), field("parent", self.parent),
        field("group", self.group), field("session", self.session);
  }
};

/// Every node of the tree is up.
struct TreeReady {
  std::int32_t nodes = 0;
  FORKPROOF_EVENT("tree-ready") { field("nodes", self.nodes); }
};

/// A process announced a sync point; `held` when the case keeps it there.
struct SyncPointReached {
  Pid pid = 0;
  std::string role;
  std::string point;
  std::int64_t number = 1;
  bool held = false;
  FORKPROOF_EVENT("sync-point") {
    field("pid", self.pid), field("role", self.role), field("point", self.point),
        field("number", self.number), field("held", self.held);
  }
};
struct SyncPointReleased {
  Pid pid = 0;
  std::string role;
  std::string point;
  std::string because;
  FORKPROOF_EVENT("released") {
    field("pid", self.pid), field("role", self.role), field("point", self.point),
        field("because", self.because);
  }
};

/// One process that waits at a sync point, at `hello` for its orders, or at `ready`.
struct WaitingAt {
  Pid pid = 0;
  std::int32_t node = -1;  ///< -1: the supervisor
  std::string role;
  std::string point;
  FORKPROOF_EVENT("") { field("pid", self.pid), field("node", self.node), field("role", self.role), field("point", self.point); }
  friend bool operator==(const WaitingAt&, const WaitingAt&) = default;
};
/// Under a schedule: one of those who waited was let go, as the `step`-th. `decision` counts the steps at which more
/// than one waited, 0 where there was nothing to decide. `settled`: everybody else was seen to be blocked; else the
/// time for that was over, and somebody may still have been on the way.
struct Scheduled {
  std::int64_t step = 1;
  std::int64_t decision = 0;
  Pid pid = 0;
  std::string letter;  ///< as in a schedule: "s" the supervisor, "a" node 0 ...
  std::string role;
  std::string point;
  bool settled = true;
  std::vector<WaitingAt> waiting;  ///< everybody, also who was let go
  FORKPROOF_EVENT("scheduled") {
    field("step", self.step), field("decision", self.decision), field("pid", self.pid), field("letter", self.letter),
        field("role", self.role), field("point", self.point), field("settled", self.settled),
        field("waiting", self.waiting);
  }
};

/// What a fault needs is there, and how that was proved; then it struck; then it was taken away.
struct FaultEstablished {
  std::string fault;
  std::string proof;
  FORKPROOF_EVENT("fault-established") { field("fault", self.fault), field("proof", self.proof); }
};
struct FaultFired {
  std::string fault;
  std::string what;
  FORKPROOF_EVENT("fault-fired") { field("fault", self.fault), field("what", self.what); }
};
struct FaultHealed {
  std::string fault;
  FORKPROOF_EVENT("fault-healed") { field("fault", self.fault); }
};

/// Of a command: from here on its faults may strike. `rested`: its whole arena came to rest; else the time for that was
/// over, and the faults strike all the same. `waited`: since the tree was up, or since the fault before had struck.
struct ArenaRested {
  bool rested = true;
  Nanos waited{};
  std::string because;  ///< what was seen at rest, or what was still going on
  FORKPROOF_EVENT("arena-rested") {
    field("rested", self.rested), field("waited", self.waited), field("because", self.because);
  }
};

/// Why the clock of a teardown runs. A model supervisor owes its end in each case; a command owes it where somebody asked.
namespace cause {
inline constexpr char asked[] = "asked";            ///< by a signal that means the end, or by the server
inline constexpr char rig[] = "rig";                ///< by the rig's own SIGTERM, which ends a run without an end
inline constexpr char task_ended[] = "task-ended";  ///< nobody asked: it may restart its task, or have another one
inline constexpr char not_asked[] = "not-asked";    ///< nobody asked: a reload, an error that is no refusal
}  // namespace cause

/// From here on the time of a teardown is counted. `cause`: one of the above; old histories do not tell it: asked.
struct TeardownAsked {
  std::string because;
  std::string cause = cause::asked;
  FORKPROOF_EVENT("teardown-asked") { field("because", self.because), field(later("cause"), self.cause); }
};

/// The heartbeat server's side of HTTP. `number` counts the requests of one kind, from 1.
struct Request {
  std::string what;  ///< "heartbeat", "run", "state" or the target
  std::int64_t number = 1;
  std::string method;
  std::string target;
  std::string body;
  FORKPROOF_EVENT("request") {
    field("what", self.what), field("number", self.number), field("method", self.method),
        field("target", self.target), field("body", self.body);
  }
};
struct Reply {
  std::string what;
  std::int64_t number = 1;
  std::int32_t status = 0;       ///< 0: no proper reply
  std::string how = "status";    ///< as in ReplyKind: "reset", "hang" ...
  FORKPROOF_EVENT("reply") {
    field("what", self.what), field("number", self.number), field("status", self.status), field("how", self.how);
  }
};

/// The supervisor sent a signal. `target` < 0: a process group. `error`: errno, 0 when it was sent.
struct Signalled {
  Pid by = 0;
  Pid target = 0;
  std::int32_t signal = 0;
  std::int32_t error = 0;
  FORKPROOF_EVENT("signalled") {
    field("by", self.by), field("target", self.target), field("signal", self.signal),
        field("error", self.error);
  }
};

/// By what means processes are seen that announce nothing themselves (`way`: "ptrace", "connector", "proc", "none"), what
/// such a look can miss, and why the ways before it in the order of preference were not taken.
struct ObservationChosen {
  std::string way;
  std::string misses;
  std::string because;
  FORKPROOF_EVENT("observation") {
    field("way", self.way), field("misses", self.misses), field("because", self.because);
  }
};

/// A process began to run another program; `program` is the path of its image, or its name where that cannot be read.
struct Execed {
  Pid pid = 0;
  std::string program;
  FORKPROOF_EVENT("execed") { field("pid", self.pid), field("program", self.program); }
};

/// The kernel showed a signal on its way to a process. `by`: 0 when it is unknown, outside, or no process. `how`: "kill",
/// "tgkill", "queued", "kernel", "timer" ... (si_code, `man 2 sigaction`). SIGCHLD that tells of a child is not shown.
struct SignalSeen {
  Pid pid = 0;
  std::int32_t signal = 0;
  Pid by = 0;
  std::string how;
  FORKPROOF_EVENT("signal-seen") {
    field("pid", self.pid), field("signal", self.signal), field("by", self.by), field("how", self.how);
  }
};

/// A task's own handler ran and returned.
struct SignalTaken {
  Pid pid = 0;
  std::int32_t signal = 0;
  FORKPROOF_EVENT("signal-taken") { field("pid", self.pid), field("signal", self.signal); }
};

/// A process ended. `known` is false when the kernel would not tell how.
struct Exited {
  Pid pid = 0;
  std::string role;
  WaitStatus status;
  bool known = true;
  FORKPROOF_EVENT("exited") {
    field("pid", self.pid), field("role", self.role), field("status", self.status),
        field("known", self.known);
  }
};

/// A process can make no progress by itself. `how`: "deadlock" (proved: nobody is left who could wake it),
/// "pipe-write", "child-wait", "stopped", or "deadline" (not proved: it was waited for long enough). A process that
/// computes is not stuck (observe/computing.h).
struct Stuck {
  Pid pid = 0;
  std::string role;
  std::string how;
  bool proved = false;
  Nanos since{};  ///< when it was first seen so, since the run began
  std::string because;
  FORKPROOF_EVENT("stuck") {
    field("pid", self.pid), field("role", self.role), field("how", self.how), field("proved", self.proved),
        field("since", self.since), field("because", self.because);
  }
};

/// The supervisor listens on 127.0.0.1; `name` is what the socket is called in /proc/PID/fd.
struct ListenerOpened {
  Pid by = 0;
  std::int32_t port = 0;
  std::string name;
  FORKPROOF_EVENT("listener-opened") { field("by", self.by), field("port", self.port), field("name", self.name); }
};

/// A signal from outside has not ended a process and, where `proved`, will not. `how`: "ignored", "blocked", "stopped",
/// "handled" (its handler has returned, or will not, and it waits again) or "deadline".
struct SignalWithoutEffect {
  Pid pid = 0;
  std::string role;
  std::int32_t signal = 0;
  std::string how;
  bool proved = false;
  std::string because;
  FORKPROOF_EVENT("signal-without-effect") {
    field("pid", self.pid), field("role", self.role), field("signal", self.signal), field("how", self.how),
        field("proved", self.proved), field("because", self.because);
  }
};

/// Somebody collected a dead child (`by`), or found that it had vanished (waitpid: ECHILD).
struct Reaped {
  Pid by = 0;
  Pid pid = 0;
  WaitStatus status;
  bool vanished = false;
  FORKPROOF_EVENT("reaped") {
    field("by", self.by), field("pid", self.pid), field("status", self.status),
        field("vanished", self.vanished);
  }
};

/// A living process lost its parent and was given another. `doomed`: it had its death already pending.
struct Reparented {
  Pid pid = 0;
  Pid from = 0;
  Pid to = 0;
  bool doomed = false;
  FORKPROOF_EVENT("re-parented") {
    field("pid", self.pid), field("from", self.from), field("to", self.to), field("doomed", self.doomed);
  }
};

/// The supervisor closed its end of a channel: at "eof", or "forced" after the clean-up timeout.
struct ChannelClosed {
  Pid by = 0;
  std::string channel;
  std::string how;
  FORKPROOF_EVENT("channel-closed") {
    field("by", self.by), field("channel", self.channel), field("how", self.how);
  }
};

/// The supervisor captures the task's stdout: what it is, when it will be read, and what the two ends are called in
/// /proc/PID/fd ("pipe:[123]"; empty where there is no such end).
struct CaptureOpened {
  Pid by = 0;
  std::string channel;
  std::string capture;   ///< as the knob says
  std::string drain;
  std::string written_as;
  std::string read_as;
  FORKPROOF_EVENT("capture-opened") {
    field("by", self.by), field("channel", self.channel), field("capture", self.capture),
        field("drain", self.drain), field("written_as", self.written_as), field("read_as", self.read_as);
  }
};

/// Output, counted at one end: what a task wrote to a channel in all, what the supervisor has read from it, or what came out
/// of a command (told at the first byte, and at the end of the run), in bytes that can be told from other output.
struct OutputCounted {
  Pid pid = 0;
  std::string channel;
  std::string end;  ///< "written", "read" or "came out"
  std::uint64_t bytes = 0;
  FORKPROOF_EVENT("output-counted") {
    field("pid", self.pid), field("channel", self.channel), field("end", self.end), field("bytes", self.bytes);
  }
};

/// One socket of the arena's network namespace that accepts connections, as the kernel's tables have it.
struct ListenerEntry {
  std::string name;           ///< as in /proc/PID/fd, "socket:[123]"
  std::string address;        ///< "127.0.0.1:4000", "[::]:4000", or the path of a unix socket ("@" for an abstract one)
  std::vector<Pid> holders;
  FORKPROOF_EVENT("") { field("name", self.name), field("address", self.address), field("holders", self.holders); }
  friend bool operator==(const ListenerEntry&, const ListenerEntry&) = default;
};
/// All listening sockets of the arena but the rig's own, and who has them open. `when`: "start" (the tree's root is there),
/// "tree-ready", "teardown" or as in CensusTaken. `trouble`: why they could not be looked at; empty when they could.
struct ListenersSeen {
  std::string when;
  std::string trouble;
  std::vector<ListenerEntry> listeners;
  FORKPROOF_EVENT("listeners-seen") {
    field("when", self.when), field("trouble", self.trouble), field("listeners", self.listeners);
  }
};

/// The last line in a command's output with which a known runtime tells of an uncaught exception, told when the command has
/// ended. `runtime`: a key of crash_lines.def. `since`: when it was read, since the run began. `before`: the line before it.
/// `next`: the first line after what belongs to it; empty: nothing followed.
struct CrashLineSeen {
  std::string runtime;
  std::string line;
  std::string detail;  ///< the last line of what belongs to it: "ValueError: I/O operation on closed epoll object"
  Nanos since{};
  std::string before;
  std::string next;
  FORKPROOF_EVENT("crash-line") {
    field("runtime", self.runtime), field("line", self.line), field("detail", self.detail), field("since", self.since),
        field("before", self.before), field("next", self.next);
  }
};

/// A process holds a descriptor of another that it should not have. `what`: "listener 127.0.0.1:4000".
struct DescriptorHeld {
  Pid pid = 0;
  std::int32_t fd = -1;
  std::string what;
  Pid from = 0;  ///< who opened it
  FORKPROOF_EVENT("descriptor-held") {
    field("pid", self.pid), field("fd", self.fd), field("what", self.what), field("from", self.from);
  }
};

/// The warden tried something from outside the subject, to see what it is like now. `ok`: as it should be.
struct ProbeMade {
  std::string what;
  std::string result;
  bool ok = true;
  FORKPROOF_EVENT("probe") { field("what", self.what), field("result", self.result), field("ok", self.ok); }
};

/// A prefork master started a worker: the `number`-th, this long after the one before it had died (0: the first).
struct WorkerStarted {
  Pid by = 0;
  Pid pid = 0;
  std::int64_t number = 1;
  Nanos after{};
  FORKPROOF_EVENT("worker-started") {
    field("by", self.by), field("pid", self.pid), field("number", self.number), field("after", self.after);
  }
};

/// A node of the tree said hello again, from another process: whoever supervises it has started it again (`number`: 2 for
/// the second time). `after`: since the one before ended; 0 when that one was still there.
struct Restarted {
  Pid by = 0;
  Pid pid = 0;
  std::int32_t node = 0;
  std::int64_t number = 2;
  Nanos after{};
  FORKPROOF_EVENT("restarted") {
    field("by", self.by), field("pid", self.pid), field("node", self.node), field("number", self.number),
        field("after", self.after);
  }
};

/// A command could not be made to run: it never was the program that it was to be. `what`: the step that failed.
struct CommandNotStarted {
  std::string what;
  std::int32_t error = 0;
  FORKPROOF_EVENT("command-not-started") { field("what", self.what), field("error", self.error); }
};

/// What a command and all that it started have printed: how much, and the last of it.
struct CommandOutput {
  std::uint64_t bytes = 0;
  std::string tail;
  FORKPROOF_EVENT("command-output") { field("bytes", self.bytes), field("tail", self.tail); }
};

/// The run was ended because the subject took more than an arena gives.
struct LimitReached {
  std::string what;  ///< "processes"
  std::uint64_t count = 0, limit = 0;
  FORKPROOF_EVENT("limit") { field("what", self.what), field("count", self.count), field("limit", self.limit); }
};

struct SelectorOpened {
  Pid by = 0;
  std::int32_t fd = -1;
  FORKPROOF_EVENT("selector-opened") { field("by", self.by), field("fd", self.fd); }
};
struct SelectorClosed {
  Pid by = 0;
  std::int32_t fd = -1;
  std::string inside;  ///< "loop" when the loop goes on, "end" when it is over
  FORKPROOF_EVENT("selector-closed") { field("by", self.by), field("fd", self.fd), field("inside", self.inside); }
};
/// The supervisor is about to wait on a selector that it has closed; `taken_by` is what the number means now.
struct ClosedSelectorWait {
  Pid by = 0;
  std::int32_t fd = -1;
  std::string taken_by;
  FORKPROOF_EVENT("closed-selector-wait") {
    field("by", self.by), field("fd", self.fd), field("taken_by", self.taken_by);
  }
};
/// ... and what came of it. Absent when the wait never returned.
struct ClosedSelectorResult {
  Pid by = 0;
  std::int32_t error = 0;
  FORKPROOF_EVENT("closed-selector-result") { field("by", self.by), field("error", self.error); }
};

/// The supervisor's loop failed with an exception.
struct SubjectFailed {
  Pid by = 0;
  std::string what;
  FORKPROOF_EVENT("subject-failed") { field("by", self.by), field("what", self.what); }
};

/// The supervisor came to a final state for its task.
struct StateConcluded {
  Pid by = 0;
  std::string state;
  FORKPROOF_EVENT("state-concluded") { field("by", self.by), field("state", self.state); }
};

/// One process in a census.
struct CensusEntry {
  Pid pid = 0;
  Pid parent = 0;
  Pid group = 0;
  Pid session = 0;
  std::string state;   ///< the letter of /proc/PID/stat
  bool doomed = false; ///< SIGKILL pending or already exiting
  std::string name;
  FORKPROOF_EVENT("") {
    field("pid", self.pid), field("parent", self.parent), field("group", self.group),
        field("session", self.session), field("state", self.state), field("doomed", self.doomed),
        field("name", self.name);
  }
  friend bool operator==(const CensusEntry&, const CensusEntry&) = default;
};
/// Everybody in the arena but the warden. `when`: "conclusion" or "deadline".
struct CensusTaken {
  std::string when;
  bool complete = true;
  std::vector<CensusEntry> processes;
  FORKPROOF_EVENT("census") {
    field("when", self.when), field("complete", self.complete), field("processes", self.processes);
  }
};

/// Why one process is still there, as /proc and kcmp show it. Signals stand by name, "SIGINT, SIGQUIT". Sentences begin
/// with a verb, the process being their subject.
struct Explanation {
  Pid pid = 0;
  std::string name;
  std::string state;
  Pid starter = 0;           ///< 0: nobody saw it started
  std::string starter_name;
  bool starter_gone = false;
  Pid parent = 0;
  std::string parent_name;
  Pid group = 0, session = 0;
  std::string ignored, blocked, caught, pending;
  std::string stuck_in;            ///< "sleeps in read(0), pipe:[123]"
  std::vector<std::string> chain;  ///< on whom it waits, one link each
  bool cycle = false;              ///< the chain comes back to itself
  std::vector<std::string> holds;  ///< what it keeps open that somebody waits for, who else does, and since when
  std::string unread;              ///< what /proc would not show, and why; empty: everything was read
  std::string cause;               ///< what keeps it, in one sentence; empty where that is not known
  FORKPROOF_EVENT("") {
    field("pid", self.pid), field("name", self.name), field("state", self.state), field("starter", self.starter),
        field("starter_name", self.starter_name), field("starter_gone", self.starter_gone),
        field("parent", self.parent), field("parent_name", self.parent_name), field("group", self.group),
        field("session", self.session), field("ignored", self.ignored), field("blocked", self.blocked),
        field("caught", self.caught), field("pending", self.pending), field("stuck_in", self.stuck_in),
        field("chain", self.chain), field("cycle", self.cycle), field("holds", self.holds),
        field("unread", self.unread), field("cause", self.cause);
  }
  friend bool operator==(const Explanation&, const Explanation&) = default;
};
/// Why they are still there: whoever a census found, or a supervisor that has not concluded when its bound is over.
/// `when`: "bound" or as in CensusTaken. `more`: how many were left out, after the first.
struct Explained {
  std::string when;
  Nanos took{};
  std::uint64_t more = 0;
  std::vector<Explanation> processes;
  std::string proof;  ///< why none of them will ever end by itself; empty: that was not proved, they were waited for
  FORKPROOF_EVENT("explained") {
    field("when", self.when), field("took", self.took), field("more", self.more),
        field("processes", self.processes), field("proof", self.proof);
  }
};

/// The warden's canary timer came this much late: the machine, not the subject, lost that time.
struct MachineLate {
  Nanos by{};
  FORKPROOF_EVENT("machine-late") { field("by", self.by); }
};

/// A time given to the run is over.
struct DeadlinePassed {
  std::string what;  ///< "teardown" (bound and patience) or "startup"
  FORKPROOF_EVENT("deadline") { field("what", self.what); }
};

/// The run is over and the arena about to go. Its absence means that the run was cut off, and another number of
/// events before it than it says that some were lost.
struct RunEnded {
  std::string because;
  std::uint64_t events = 0;
  FORKPROOF_EVENT("run-ended") { field("because", self.because), field("events", self.events); }
};

/// Something the harness could not do; verdicts that rest on it are unknown.
struct Trouble {
  std::string where;
  std::string what;
  FORKPROOF_EVENT("trouble") { field("where", self.where), field("what", self.what); }
};

/// What can be seen.
using AnyHappening =
    std::variant<CaseOpened, ArenaOpened, Spawned, Ready, TreeReady, SyncPointReached, SyncPointReleased, Scheduled,
                 FaultEstablished, FaultFired, FaultHealed, TeardownAsked, Request, Reply, Signalled, SignalTaken,
                 ObservationChosen, Execed, SignalSeen, Explained, Exited, Stuck, Reaped, Reparented, ListenerOpened,
                 SignalWithoutEffect, CaptureOpened, OutputCounted, DescriptorHeld, ProbeMade, WorkerStarted,
                 Restarted, CommandNotStarted, CommandOutput, LimitReached, ArenaRested, ChannelClosed, SelectorOpened,
                 SelectorClosed, ClosedSelectorWait, ClosedSelectorResult, SubjectFailed, StateConcluded,
                 CensusTaken, MachineLate, DeadlinePassed, RunEnded, Trouble, ListenersSeen, CrashLineSeen>;

/// One of these. A class of its own, with its members in event.cpp: a variant of so many kinds, made anew by each file that
/// writes an event, took half the time of a build. Use std::visit, std::get_if and so on as with any variant.
class Happening : public AnyHappening {
 public:
  Happening();
  template <class Kind>
    requires requires { Kind::kind; }
  Happening(Kind what) : Happening(index_of<Kind>(), &what) {}  // as a variant: from what it holds
  Happening(const Happening& other);
  Happening(Happening&& other) noexcept;
  Happening& operator=(const Happening& other);
  Happening& operator=(Happening&& other) noexcept;
  ~Happening();

 private:
  /// Moves from the one of its kind that stands at `what`.
  Happening(std::size_t index, void* what);

  template <class Kind>
  static consteval std::size_t index_of() {
    return []<class... Kinds>(std::type_identity<std::variant<Kinds...>>) {
      static_assert((std::is_same_v<Kind, Kinds> || ...), "no event of this kind");
      std::size_t index = 0;
      (void)((std::is_same_v<Kind, Kinds> || (++index, false)) || ...);
      return index;
    }(std::type_identity<AnyHappening>());
  }
};

/// One thing that was seen, and when: nanoseconds of CLOCK_MONOTONIC since the run began.
struct Event {
  Nanos at{};
  Happening what;

  template <class Kind>
  [[nodiscard]] const Kind* as() const {
    return std::get_if<Kind>(&what);
  }
};

std::string_view kind_of(const Happening& what);

}  // namespace forkproof
