// The life of a run, inside. PID 1 of the arena
//   1. listens on the control socket and says what world this is;
//   2. starts the subject, which spawns the tree through its backend;
//   3. gives each node its orders, and binds a pidfd to it while it waits for them;
//   4. answers sync points, or holds who announced one for as long as the case says;
//   5. shows each event to the faults, which establish, prove and fire;
//   6. sees every exit, who inherited the dead one's children, and how it ended;
//   7. ends the run when the subject has concluded, or at the deadline: a last census, faults healed, one last event.
// When it returns, PID 1 exits and the kernel kills whatever is left.
#include "harness/run/player.h"

#include <sys/resource.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "harness/arena/control_socket.h"
#include "harness/arena/overlays.h"
#include "harness/arena/private_directory.h"
#include "harness/arena/warden.h"
#include "harness/core/error.h"
#include "harness/core/history.h"
#include "harness/observe/census.h"
#include "harness/observe/crowd.h"
#include "harness/observe/holders.h"
#include "harness/observe/listener.h"
#include "harness/observe/strangers.h"
#include "harness/run/fault_turns.h"
#include "harness/run/gate.h"
#include "harness/run/holds.h"
#include "harness/run/process_table.h"
#include "harness/run/starts.h"
#include "harness/run/subject.h"
#include "harness/run/subject_io.h"
#include "harness/run/tree_orders.h"
#include "harness/run/watch.h"

namespace forkproof::run {
namespace {

constexpr int history_failed = 74;  // EX_IOERR of sysexits.h
constexpr Nanos canary_period = std::chrono::milliseconds(5);
constexpr Nanos canary_tolerance = std::chrono::milliseconds(2);
constexpr Nanos census_patience = std::chrono::seconds(10);
constexpr Nanos last_word_patience = std::chrono::seconds(1);  // of who has connected, to say what it has to say
constexpr Nanos time_to_follow = std::chrono::seconds(2);  // twice the second in which many look for their parent
constexpr char supervisor_role[] = "supervisor";
constexpr int most_urgent = -20;  // `man 2 setpriority`
constexpr rlim_t own_descriptors = 64;
constexpr Nanos watch_period = std::chrono::milliseconds(1);

constexpr int enough_crashes = 20;  // of a master's workers that were not up yet: by then it is a loop

/// Workers that end by themselves are to be seen replaced.
int enough_workers(const Case& one) { return profile_of(one)->workers * (one.tree.exits_after ? 2 : 1); }

const observe::Outlook no_outlook;

/// Keeps the subject at its first step, until it is seen by who wants to see it from there on. Passive.
class HeldStart {
 public:
  explicit HeldStart(Part& part) {
    if (part.outlook == nullptr) return;
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) fail("pipe");
    reader_.reset(ends[0]), writer_.reset(ends[1]);
    part.start_gate = reader_.get();
  }
  void open() const {
    if (writer_) [[maybe_unused]] const auto told = ::write(writer_.get(), "x", 1);
  }

 private:
  Fd reader_, writer_;
};

class Player final : public faults::Strike {
 public:
  explicit Player(Part& part)
      : part_(part),
        history_(part.history, part.origin),
        control_(part.control),
        orders_(tree_orders(part.one)),
        holds_(all_holds(part), [this](auto message, const auto& because) { released(std::move(message), because); }),
        census_(warden_, part.tier != arena::Tier::subreaper, ::getpid()),
        turns_(part.one, part.faults),
        watch_(processes_, {[this](Process& process, const auto& finding) { is_stuck(process, finding); },
                            [this](SignalWithoutEffect stays) { append(std::move(stays)); }, [this] { tick_faults(); }}),
        strangers_(warden_, part.outlook != nullptr ? *part.outlook : no_outlook, part.tier != arena::Tier::subreaper,
                   {[this](Happening what) { append(std::move(what)); },
                    [this](Pid pid) { return processes_.find(pid) != nullptr && processes_.find(pid)->alive; },
                    [this](Pid pid) { find_orphans_of(pid); }}),
        crowd_(part.tier != arena::Tier::subreaper, ::getpid(), most_processes(orders_.size())) {}

  int play();

 private:
  static std::vector<HoldRule> all_holds(const Part& part) {
    std::vector<HoldRule> rules = part.one.holds;
    rules.insert(rules.end(), part.stage.holds.begin(), part.stage.holds.end());
    return rules;
  }

  // The history, and whoever reads along.
  void append(Happening what) { append_at(monotonic_now(), std::move(what)); }
  void append_at(Nanos when, Happening what);

  // Faults speak.
  void established(const std::string& proof) override { append_at(turns_.when(), FaultEstablished{turns_.speaker(), proof}); }
  void fired(const std::string& what) override { append_at(turns_.when(), FaultFired{turns_.speaker(), what}); }
  void asks_teardown(const std::string& because) override;
  void signal(Pid target, int signal) override;
  void probed(const std::string& what, const std::string& result, bool ok) override {
    append_at(turns_.when(), ProbeMade{what, result, ok});
  }
  [[nodiscard]] int terminal() const override { return io_ ? io_->terminal() : -1; }
  [[nodiscard]] int stdout_reader() const override { return io_ ? io_->stdout_reader() : -1; }
  void hang_up() override { io_->close_terminal(); }
  void close_stdout() override { io_->close_stdout(); }
  void give_up(const std::string& because) override { conclude("deadline", because); }

  // Processes speak.
  void take_messages();
  void dispatch(arena::Message message);
  void give_orders(arena::Message& message);
  void node_is_ready(arena::Message& message);
  void at_sync_point(arena::Message message);
  void asks_to_go_on(const arena::Message& message);
  void released(arena::Message message, const std::string& because);
  void lets_go(arena::Message message, const std::string& point, const Orders& answer = {});
  void happened(const arena::Message& message);
  Process& introduce(Pid pid, Pid parent, std::int32_t node, const std::string& role, Fd pidfd);

  // The kernel speaks.
  void ended(Pid pid);
  void reaped(Pid pid, WaitStatus status);
  void record_end(Process& process, std::optional<WaitStatus> status);
  void take_ends();
  void find_orphans_of(Pid dead);
  void watch_processes();
  void tick_faults();
  void supervisor_is_gone();
  [[nodiscard]] bool has_time_to_follow() const;
  void probe_listener();
  void look_what_it_holds(Pid second_task);
  void explain_who_is_left(const CensusTaken& census);
  void bound_is_over(std::uint64_t asked);
  void is_stuck(Process& process, const observe::Finding& finding);
  void startup_is_over();
  void nobody_asked();
  void end_from_outside(Process& supervisor, const std::string& because);
  void enough_seen(const std::string& because);

  void open_gate();
  void scheduled(Scheduled step, Nanos took);
  void set_stage();
  void start_subject();
  void passed_on(std::size_t fault, Fd fd);
  void said_hello(const arena::Message& message, Pid parent);
  void count_everybody();
  void be_ready_for_a_crowd();
  void conclude(const std::string& when, const std::string& because);
  void hear_last_words(const std::string& because, Nanos give_up);
  void finish(const std::string& because);
  void teardown_deadline(std::uint64_t asked, Nanos granted);

  Part& part_;
  HistoryWriter history_;
  arena::Warden warden_;
  arena::ControlSocket control_;
  std::vector<Orders> orders_;
  Holds holds_;
  observe::Census census_;
  ProcessTable processes_;
  FaultTurns turns_;
  Watch watch_;
  std::optional<Gate> gate_;   // where the case has a schedule
  observe::Strangers strangers_;
  std::optional<ListenerOpened> listener_;
  std::optional<CaptureOpened> capture_;
  Nanos late_{};               // lost by the machine since teardown was asked for
  std::optional<SubjectIo> io_;
  Starts starts_;
  observe::Crowd crowd_;
  std::int32_t nodes_ready_ = 0;
  std::set<std::int32_t> nodes_up_;  // each once, however often it is started again
  int crashes_at_start_ = 0;
  std::set<std::tuple<std::string, std::string, std::int64_t>> put_off_;  // sync points that were asked for too early
  bool teardown_asked_ = false;
  std::uint64_t times_asked_ = 0;
  bool asked_by_the_tasks_end_ = false;
  std::optional<std::set<std::int32_t>> up_again_;  // nodes, since the command has started its task again; asked to end with all
  bool supervisor_gone_ = false;
  Nanos supervisor_gone_at_{};
  bool supervisor_killed_ = false;  // by us
  bool concluding_ = false;
  bool ended_ = false;
};

void Player::append_at(Nanos when, Happening what) {
  if (ended_) return;  // the last event counts those before it
  const Event event{when - part_.origin, std::move(what)};
  history_.append_at(when, event.what);
  turns_.each(when, [&](faults::Fault& fault) { fault.see(event, *this); });
}

void Player::asks_teardown(const std::string& because) {
  if (teardown_asked_) return;
  teardown_asked_ = true;
  late_ = Nanos{};
  const Nanos asked_at = turns_.when() > Nanos{} ? turns_.when() : monotonic_now();
  append_at(asked_at, TeardownAsked{because});
  const Nanos limit = part_.one.bounds.teardown + part_.one.bounds.patience;
  const std::uint64_t asked = ++times_asked_;
  warden_.call_at(asked_at + part_.one.bounds.teardown, [this, asked] { bound_is_over(asked); });
  warden_.call_at(asked_at + limit, [this, asked] { teardown_deadline(asked, Nanos{}); });
}

/// The warden is the parent of whoever is orphaned, but not of everybody, so the pid could be another's by now: only the
/// living of this arena are signalled, and here no pid is given twice.
void Player::signal(Pid target, int signal) {
  append(Signalled{::getpid(), target, signal, 0});
  if (::kill(target, signal) != 0) return append(Signalled{::getpid(), target, signal, errno});
  const Process* process = processes_.find(std::abs(target));
  if (process == nullptr) return;
  if (process->node == supervisor_node && signal == SIGKILL) supervisor_killed_ = true;
  const bool may_end_by_it = signal != SIGKILL && signal != SIGSTOP && signal != SIGCONT;
  if (target > 0 && process->node >= 0 && may_end_by_it) watch_.signalled(*process, signal);
}

/// The deadline is put off by what the machine lost; `granted` is what it was put off by already.
void Player::teardown_deadline(std::uint64_t asked, Nanos granted) {
  if (concluding_ || asked != times_asked_) return;
  if (late_ > granted) {
    const Nanos late = late_;
    warden_.call_at(monotonic_now() + (late - granted), [this, asked, late] { teardown_deadline(asked, late); });
    return;
  }
  append(DeadlinePassed{"teardown"});
  conclude("deadline", "the time for the teardown is over");
}

void Player::take_messages() {
  while (auto message = control_.take()) dispatch(std::move(*message));
}

void Player::dispatch(arena::Message message) {
  switch (message.head.kind) {
    case AnnounceKind::hello: return give_orders(message);
    case AnnounceKind::ready: return node_is_ready(message);
    case AnnounceKind::sync_point: return at_sync_point(std::move(message));
    case AnnounceKind::introduce:
      introduce(message.head.pid, observe::parent_of(message.head.pid), stranger_node, message.head.role,
                observe::open_pidfd(message.head.pid));
      return message.answer();
    case AnnounceKind::may_i: return asks_to_go_on(message);
    case AnnounceKind::signal_taken:
      return append_at(Nanos(message.head.at_ns), SignalTaken{message.pid, message.head.signal});
    case AnnounceKind::wrote:
      return append_at(Nanos(message.head.at_ns), OutputCounted{message.pid, "stdout", "written",
                                                                static_cast<std::uint64_t>(message.head.bytes)});
    case AnnounceKind::event: return happened(message);
  }
}

Process& Player::introduce(Pid pid, Pid parent, std::int32_t node, const std::string& role, Fd pidfd) {
  int error = 0;
  if (!pidfd) pidfd = observe::open_pidfd(pid), error = pidfd ? 0 : errno;  // once more, to know why
  Process& process = processes_.add({pid, parent, node, role, std::move(pidfd)});
  append(Spawned{pid, parent, node, role});
  strangers_.introduced(pid, parent, role);
  if (process.pidfd) warden_.watch(process.pidfd.get(), [this, pid] { ended(pid); });
  else if (error == ESRCH) record_end(process, std::nullopt);  // killed while its message was on the way, and the kernel kept no record
  else append(Trouble{"pidfd", error_text("of " + process.role, error)});  // it lives: that no descriptor is to be had ends nobody
  return process;
}

void Player::give_orders(arena::Message& message) {
  const auto node = static_cast<std::size_t>(message.head.node);
  if (node >= orders_.size()) return message.answer();
  Process* known = processes_.find(message.pid);
  const Pid parent = observe::parent_of(message.pid);
  if (known == nullptr) {
    if (is_command(part_.one)) said_hello(message, parent);
    introduce(message.pid, parent, message.head.node, orders_[node].role, message.open_pidfd());
  }
  lets_go(std::move(message), "hello", orders_[node]);
}

/// Whoever starts the tree may start it again. One that does so has no end of its own: it is asked to end when the task
/// that it started again is up.
void Player::said_hello(const arena::Message& message, Pid parent) {
  const auto again = starts_.said_hello(message.head.node, message.pid, parent, Nanos(message.head.at_ns));
  if (!again) return;
  append_at(Nanos(message.head.at_ns), *again);
  if (message.head.node != 0 || !asked_by_the_tasks_end_) return;
  asked_by_the_tasks_end_ = teardown_asked_ = false;
  ++times_asked_;  // that deadline stands no more
  up_again_.emplace();
}

void Player::node_is_ready(arena::Message& message) {
  Process* known = processes_.find(message.pid);
  if (known == nullptr) {  // a double fork has changed the pid since the hello
    known = &introduce(message.pid, message.head.parent, message.head.node, message.head.role, message.open_pidfd());
  }
  const bool command = is_command(part_.one);
  const bool newly_up = command ? nodes_up_.insert(message.head.node).second : !known->ready;
  if (newly_up) ++nodes_ready_;
  known->ready = true;
  Ready ready{message.pid, message.head.node, message.head.parent, message.head.group, message.head.session};
  // It may be in a PID namespace of its own, and see itself by other numbers.
  if (const auto look = command ? observe::look_at(message.pid) : std::nullopt) {
    ready.parent = look->entry.parent, ready.group = look->entry.group, ready.session = look->entry.session;
  }
  append_at(Nanos(message.head.at_ns), ready);
  if (message.head.node == second_task_of(part_.one)) look_what_it_holds(message.pid);
  const std::int32_t node = message.head.node;
  lets_go(std::move(message), "ready");
  if (is_prefork(part_.one) && nodes_ready_ >= enough_workers(part_.one)) enough_seen("all its workers are up");
  if (up_again_ && up_again_->insert(node).second && up_again_->size() == orders_.size()) {
    enough_seen("it has started its task again, and that is up");
  }
  if (!newly_up || nodes_ready_ != static_cast<std::int32_t>(orders_.size())) return;
  append(TreeReady{nodes_ready_});
  holds_.tree_is_settled("the whole tree is up");
}

void Player::at_sync_point(arena::Message message) {
  const std::string role = message.head.role, point = message.head.point;
  if (message.head.node >= 0 && processes_.find(message.pid) == nullptr) {
    introduce(message.pid, observe::parent_of(message.pid), message.head.node, role, message.open_pidfd());  // between fork and exec
  }
  const std::int64_t number = holds_.count(role, point);
  const HoldRule* rule = holds_.rule_for(role, point, number);
  append_at(Nanos(message.head.at_ns), SyncPointReached{message.pid, role, point, number, rule != nullptr});
  if (rule != nullptr) holds_.hold(std::move(message), rule);
  else lets_go(std::move(message), point);
  holds_.point_reached(role, point);
}

/// A loop is not held but sent round again, since others may need it to serve them before the rule can be fulfilled: a
/// supervisor held at its heartbeat would keep a task waiting whose start it is to wait for.
void Player::asks_to_go_on(const arena::Message& message) {
  const std::string role = message.head.role, point = message.head.point;
  const std::int64_t number = holds_.next(role, point);
  Orders answer;
  answer.granted = holds_.rule_for(role, point, number) == nullptr;
  if (answer.granted || put_off_.insert({role, point, number}).second) {
    append_at(Nanos(message.head.at_ns), SyncPointReached{message.pid, role, point, number, !answer.granted});
  }
  if (answer.granted) holds_.count(role, point);
  message.answer(answer);
  if (answer.granted) holds_.point_reached(role, point);
}

void Player::released(arena::Message message, const std::string& because) {
  const std::string point = message.head.point;
  append(SyncPointReleased{message.pid, message.head.role, point, because});  // first: what it does next comes after it
  lets_go(std::move(message), point);
}

/// At once, or in the order of the case's schedule. Servers are no part of it: they only do what they are asked to.
void Player::lets_go(arena::Message message, const std::string& point, const Orders& answer) {
  const std::int32_t node = message.head.node;
  if (!gate_ || (node < 0 && std::strcmp(message.head.role, supervisor_role) != 0)) return message.answer(answer);
  const auto place = static_cast<std::size_t>(node);
  const std::string role = node >= 0 && place < orders_.size() ? orders_[place].role : message.head.role;
  const Pid pid = message.pid;
  gate_->arrive(std::move(message), answer, {pid, node, role, point});
  warden_.call_when_idle();
}

void Player::happened(const arena::Message& message) {
  try {
    Happening what = happening_from(message.payload);
    // Who speaks is the kernel's word, not the speaker's.
    std::visit(
        [&message](auto& event) {
          if constexpr (requires { event.by; } && !requires { event.by.count(); }) event.by = message.pid;
        },
        what);
    if (const auto* opened = std::get_if<CaptureOpened>(&what)) {
      watch_.captured(*opened);
      capture_ = *opened;
    }
    // Also of a task that was killed before anybody here had heard of it: no more of its tree will come up.
    if (std::holds_alternative<StateConcluded>(what)) holds_.tree_is_settled("the supervisor has come to its final state");
    if (const auto* opened = std::get_if<ListenerOpened>(&what)) listener_ = *opened;
    append_at(Nanos(message.head.at_ns), std::move(what));
  } catch (const std::exception& error) {
    append(Trouble{"control socket", error.what()});
  }
}

void Player::ended(Pid pid) {
  Process* process = processes_.find(pid);
  if (process == nullptr || !process->alive) return;
  take_messages();  // what it said before it died was said before
  record_end(*process, observe::exit_status(pid, process->pidfd.get()));
}

void Player::reaped(Pid pid, WaitStatus status) {
  Process* process = processes_.find(pid);
  strangers_.reaped(pid, status);
  if (process == nullptr) return find_orphans_of(pid);  // a stranger, such as a shell, may have been somebody's parent
  if (process->alive) {
    take_messages();
    record_end(*process, status);
  }
  append(Reaped{::getpid(), pid, status, false});
}

/// Whoever ended before somebody else was looked at has ended before him, in whatever order the kernel tells it: a worker that
/// its master has reaped, and then the master.
void Player::take_ends() {
  for (const Pid pid : processes_.living()) {
    const Process* process = processes_.find(pid);
    pollfd end{process->pidfd ? process->pidfd.get() : -1, POLLIN, 0};
    if (process->alive && ::poll(&end, 1, 0) == 1) ended(pid);
  }
}

void Player::record_end(Process& process, std::optional<WaitStatus> status) {
  process.alive = false;
  if (process.node == supervisor_node) take_ends();
  starts_.ended(process.node, process.pid, monotonic_now());
  if (process.node == supervisor_node && io_) io_->read_now();  // what it said before
  if (process.pidfd) warden_.unwatch(process.pidfd.get());
  process.pidfd.reset();
  const bool prefork = is_prefork(part_.one);
  if (prefork && process.node == supervisor_node && !teardown_asked_) asks_teardown("the master gives up by itself");
  append(Exited{process.pid, process.role, status.value_or(WaitStatus{}), status.has_value()});
  // Ends that were seen, not starts: the master is ahead of what the warden knows.
  if (prefork && process.node == 0 && !process.ready && ++crashes_at_start_ == enough_crashes) {
    enough_seen(fmt::format("{} workers died before they were up", enough_crashes));
  }
  watch_.ended(process.pid);
  if (gate_) gate_->ended(process.pid);
  find_orphans_of(process.pid);
  if (!processes_.anyone_alive(process.role)) holds_.role_is_gone(process.role);
  const bool command = is_command(part_.one);
  if (process.node == 0 && !prefork && !command) holds_.tree_is_settled(process.role + " is gone");
  if (process.node == 0 && !prefork && !teardown_asked_ && !(command && supervisor_gone_)) {
    asked_by_the_tasks_end_ = command;
    asks_teardown(command ? "the task has ended" : "the task has ended by itself");
  }
  if (process.node == supervisor_node) supervisor_gone_ = true, supervisor_gone_at_ = monotonic_now();
  supervisor_is_gone();
}

/// The end of the run, unless a fault has a question yet.
void Player::supervisor_is_gone() {
  const auto& faults = part_.faults;
  const bool asking = std::any_of(faults.begin(), faults.end(), [](const auto& fault) { return fault->waits_for_answer(); });
  if (!supervisor_gone_ || asking || has_time_to_follow()) return;
  conclude("conclusion", "the supervisor has ended");
}

/// Whether somebody is left behind a command, and may still end by itself: at once, like whoever waits for the end of a
/// pipe or looks who its parent is (python's resource tracker, gunicorn's worker), and after a SIGKILL in the whole bound.
bool Player::has_time_to_follow() const {
  if (!is_command(part_.one)) return false;
  const bool is_over = monotonic_now() - supervisor_gone_at_ >= time_to_follow;
  if (is_over && !(supervisor_killed_ && teardown_asked_)) return false;
  return !observe::everybody(part_.tier != arena::Tier::subreaper, ::getpid()).empty();
}

/// The kernel re-parents in the exit itself, before the pidfd becomes readable (exit_notify), so it is settled now.
void Player::find_orphans_of(Pid dead) {
  strangers_.find_orphans_of(dead);
  for (auto& [pid, process] : processes_) {
    if (!process.alive || process.parent != dead) continue;
    const auto look = observe::look_at(pid);
    if (!look || look->entry.parent == dead) continue;
    append(Reparented{pid, dead, look->entry.parent, look->entry.doomed});
    process.parent = look->entry.parent;
  }
}

void Player::tick_faults() {
  turns_.each(monotonic_now(), [this](faults::Fault& fault) { fault.tick(*this); });
}

void Player::watch_processes() {
  if (concluding_) return;
  watch_.look();
  supervisor_is_gone();
  warden_.call_at(monotonic_now() + watch_period, [this] { watch_processes(); });
}

/// No census of a crowd that grows faster than it is counted: PID 1's end is the end of them all.
void Player::count_everybody() {
  if (ended_) return;
  const auto count = crowd_.too_many();
  if (!count) return warden_.call_at(monotonic_now() + watch_period, [this] { count_everybody(); });
  concluding_ = true;
  append(LimitReached{"processes", *count, crowd_.limit()});
  finish("the arena holds too many processes");
}

/// What is stuck comes up no more, so whoever waits for the tree goes on. A supervisor that is stuck itself is asked to
/// end, as whoever watches it would.
void Player::is_stuck(Process& process, const observe::Finding& finding) {
  append(Stuck{process.pid, process.role, finding.how, finding.proved, finding.since - part_.origin, finding.because});
  holds_.tree_is_settled(process.role + " is stuck");
  if (process.node != supervisor_node || teardown_asked_) return;
  end_from_outside(process, "the supervisor is stuck");
}

void Player::end_from_outside(Process& supervisor, const std::string& because) {
  asks_teardown(because + ": it is sent SIGTERM from outside");
  append(Signalled{::getpid(), supervisor.pid, SIGTERM, 0});
  ::kill(supervisor.pid, SIGTERM);
}

/// A prefork master ends by nothing that its workers do: it is ended once its workers are up, or clearly never will be.
void Player::enough_seen(const std::string& because) {
  if (teardown_asked_ || concluding_) return;
  for (auto& [pid, process] : processes_) {
    if (process.node == supervisor_node && process.alive) return end_from_outside(process, because);
  }
}

/// Nobody was proved stuck, and yet nothing happens: said of the first that should have come on, by the deadline.
void Player::startup_is_over() {
  if (teardown_asked_ || concluding_) return;
  append(DeadlinePassed{"startup"});
  if (is_command(part_.one)) return nobody_asked();  // it owes us no start
  if (const std::string held = holds_.who_is_held(); !held.empty()) append(Trouble{"holds", held + ", which has not come about"});
  for (auto& [pid, process] : processes_) {
    const bool waited_for = process.node == supervisor_node || (process.node >= 0 && !process.ready);
    if (!process.alive || !waited_for) continue;
    if (process.node == supervisor_node && nodes_ready_ == 0 && processes_.anyone_alive(part_.one.tree.role)) continue;
    // What was said may make somebody ask for a teardown; where nobody does, there is nothing more to wait for.
    warden_.call_at(monotonic_now() + part_.one.bounds.startup, [this] { nobody_asked(); });
    return is_stuck(process, {"deadline", false, monotonic_now() - part_.one.bounds.startup, watch_.describe(pid)});
  }
  nobody_asked();
}

void Player::nobody_asked() {
  if (!teardown_asked_) conclude("deadline", "nothing asked for a teardown in time");
}

/// The machine's files as the stage wants them, and a command's own. Without them there is no question to ask.
void Player::set_stage() {
  arena::mount_overlays(part_.stage.overlays);
  const auto* command = std::get_if<Command>(&part_.one.subject);
  if (command != nullptr && part_.tier != arena::Tier::subreaper) {
    std::vector<std::string> in_use = command->argv;
    in_use.push_back(part_.task_program);
    in_use.push_back(std::filesystem::current_path().string());
    part_.directory = arena::make_private_directory(in_use);
    write_files(part_);
  }
  io_.emplace(part_.one, part_.stage);
}

void Player::start_subject() {
  try {
    set_stage();
  } catch (const std::exception& error) {
    append(Trouble{"stage of the arena", error.what()});
    return conclude("deadline", "the stage could not be set");
  }
  const HeldStart start(part_);
  const Pid subject = run::start_subject(part_, *io_);
  introduce(subject, ::getpid(), supervisor_node, supervisor_role, observe::open_pidfd(subject));
  if (is_command(part_.one)) strangers_.begin(part_.observe, subject);
  start.open();
  io_->watch(warden_, {[this](std::size_t fault, Fd fd) { passed_on(fault, std::move(fd)); },
                       [this](CommandNotStarted failed) { append(std::move(failed)); }});
}

/// A fault's descriptor out of the subject's process: it is called whenever that is readable.
void Player::passed_on(std::size_t fault, Fd fd) {
  if (fault >= part_.faults.size()) return;
  warden_.watch(fd.get(), [this, fault] {
    turns_.only(fault, monotonic_now(), [this](faults::Fault& one) { one.ready(*this); });
  });
  part_.faults[fault]->given(std::move(fd));
}

void Player::conclude(const std::string& when, const std::string& because) {
  if (std::exchange(concluding_, true)) return;
  take_ends();
  census_.take(when, census_patience, [this, because](CensusTaken census) {
    append(census);
    explain_who_is_left(census);
    probe_listener();
    hear_last_words(because, monotonic_now() + last_word_patience);
  });
}

/// Who was interrupted between connecting and speaking is heard before the end: what it says may be what matters.
void Player::hear_last_words(const std::string& because, Nanos give_up) {
  take_messages();
  const std::vector<Pid> silent = control_.silent();
  if (!silent.empty() && monotonic_now() < give_up) {
    return warden_.call_at(monotonic_now() + watch_period, [this, because, give_up] { hear_last_words(because, give_up); });
  }
  for (const Pid pid : silent) {
    const Process* who = processes_.find(pid);
    append(Trouble{"control socket", fmt::format("{} (pid {}) has connected and said nothing", who ? who->role : "somebody", pid)});
  }
  finish(because);
}

void Player::explain_who_is_left(const CensusTaken& census) {
  std::vector<Pid> left;
  for (const CensusEntry& entry : census.processes) left.push_back(entry.pid);
  const bool sealed = part_.tier != arena::Tier::subreaper;
  if (!left.empty()) append(observe::explain(census.when, left, strangers_.known(), sealed, ::getpid()));
}

/// What keeps a supervisor that has not concluded by now is looked at now: at the deadline it may be another thing.
void Player::bound_is_over(std::uint64_t asked) {
  if (concluding_ || supervisor_gone_ || asked != times_asked_) return;
  for (auto& [pid, process] : processes_) {
    if (process.node != supervisor_node || !process.alive) continue;
    return append(observe::explain("bound", {pid}, strangers_.known(), part_.tier != arena::Tier::subreaper, ::getpid()));
  }
}

/// Who holds the supervisor's listener when it is gone, and what its port is like from outside.
void Player::probe_listener() {
  if (!listener_ || !supervisor_gone_) return;
  for (DescriptorHeld& held : observe::holders_of(*listener_)) append(std::move(held));
  append(observe::probe_bind(listener_->port));
  append(observe::probe_connect(listener_->port));
}

/// The second task waits for an answer, so it is there to be looked at unless somebody has killed it; the capture was told
/// before it was spawned.
void Player::look_what_it_holds(Pid second_task) {
  if (!capture_ || capture_->written_as.empty()) return;
  const auto fd = observe::find_descriptor(second_task, capture_->written_as, observe::Access::writing);
  const auto look = fd ? std::nullopt : observe::look_at(second_task);
  if (!fd && (!look || look->entry.doomed)) return append(ProbeMade{"second task", "ended before anybody could look", true});
  if (!fd) return append(Trouble{"descriptors of the second task", "could not be looked at"});
  if (*fd >= 0) append(DescriptorHeld{second_task, *fd, "the write end of " + capture_->channel, capture_->by});
  append(ProbeMade{"descriptors of the second task", *fd < 0 ? "none of the first task's" : "one of the first task's", *fd < 0});
}

void Player::finish(const std::string& because) {
  take_messages();
  warden_.reap();  // also what the supervisor left dead behind it
  if (io_) io_->read_now();
  if (io_ && is_command(part_.one)) append(io_->output());
  strangers_.tell_what_was_missed();
  turns_.each(monotonic_now(), [this](faults::Fault& fault) {
    fault.heal();
    append(FaultHealed{turns_.speaker()});
  });
  append(RunEnded{because, history_.count() + 1});  // and the case itself, written before we were
  ended_ = true;
  warden_.stop();
}

/// Who goes first is then no matter of chance.
void Player::open_gate() {
  if (part_.one.schedule.empty()) return;
  gate_.emplace(Pick(schedule_from(part_.one.schedule), steps_expected(part_.one)),
                observe::Quiet(part_.tier != arena::Tier::subreaper, ::getpid(), part_.servers),
                [this](Scheduled step, Nanos took) { scheduled(std::move(step), took); });
  warden_.on_idle([this] { return gate_->look(); });
}

/// The rig's own time is not the subject's.
void Player::scheduled(Scheduled step, Nanos took) {
  append(std::move(step));
  if (teardown_asked_ && took > canary_tolerance) late_ += took, append(MachineLate{took});
}

/// Whoever forks without end is to be counted in time (root only), and to have a pidfd each. Where the hard limit is lower,
/// running out of descriptors is told as what it is.
void Player::be_ready_for_a_crowd() {
  part_.nice = ::getpriority(PRIO_PROCESS, 0);
  ::setpriority(PRIO_PROCESS, 0, most_urgent);
  ::getrlimit(RLIMIT_NOFILE, &part_.files);
  rlimit raised = part_.files;
  raised.rlim_cur = std::clamp<rlim_t>(most_processes(orders_.size()) + own_descriptors, raised.rlim_cur, raised.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &raised);
}

int Player::play() {
  std::string notes;
  for (const std::string& refusal : part_.refusals) notes += (notes.empty() ? "" : "; ") + refusal;
  append(ArenaOpened{std::string(name(part_.tier)), part_.cgroup, ::getpid(), notes});
  warden_.watch(control_.fd(), [this] { take_messages(); });
  warden_.on_reaped([this](Pid pid, WaitStatus status) { reaped(pid, status); });
  warden_.keep_canary(canary_period, canary_tolerance, [this](Nanos late) {
    if (teardown_asked_) late_ += late, append(MachineLate{late});
  });
  warden_.call_at(monotonic_now() + part_.one.bounds.startup, [this] { startup_is_over(); });
  open_gate();
  watch_processes();
  if (is_command(part_.one)) {
    be_ready_for_a_crowd();
    count_everybody();
  }
  try {
    start_subject();
    warden_.run();
  } catch (const std::exception& error) {
    append(Trouble{"PID 1", error.what()});  // and no RunEnded: what would have come is not known
    throw;
  }
  return history_.failure() == 0 ? 0 : history_failed;
}

}  // namespace

int play(Part& part) { return Player(part).play(); }

}  // namespace forkproof::run
