#pragma once
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "harness/arena/control_socket.h"
#include "harness/arena/warden.h"
#include "harness/core/history.h"
#include "harness/observe/census.h"
#include "harness/observe/crowd.h"
#include "harness/observe/listener.h"
#include "harness/observe/listening.h"
#include "harness/observe/standstill.h"
#include "harness/observe/starvation.h"
#include "harness/observe/strangers.h"
#include "harness/run/fault_turns.h"
#include "harness/run/gate.h"
#include "harness/run/holds.h"
#include "harness/run/player.h"
#include "harness/run/process_table.h"
#include "harness/run/starts.h"
#include "harness/run/strike_times.h"
#include "harness/run/subject.h"
#include "harness/run/subject_io.h"
#include "harness/run/tree_orders.h"
#include "harness/run/watch.h"

namespace forkproof::run {

inline constexpr char supervisor_role[] = "supervisor";
inline constexpr Nanos watch_period = std::chrono::milliseconds(1);
inline constexpr Nanos canary_tolerance = std::chrono::milliseconds(2);
inline const observe::Outlook no_outlook;

/// PID 1 of one run, as player.cpp tells its life. Active: `play` blocks until the run is over. Its owner keeps the part. For
/// its own files alone: player.cpp (its start, and what faults ask of it), player_messages.cpp (what processes announce),
/// player_processes.cpp (what the kernel tells of them) and player_end.cpp (when it is over).
class Player final : public faults::Strike {
 public:
  explicit Player(Part& part)
      : part_(part),
        history_(part.history, part.origin, part.chain),
        control_(part.control),
        orders_(tree_orders(part.one)),
        holds_(all_holds(part), [this](auto message, const auto& because) { released(std::move(message), because); }),
        census_(warden_, part.tier != arena::Tier::subreaper, ::getpid()),
        turns_(part.one, part.faults),
        strike_times_(part.one, part.faults, arena_rest(),
                      {[this](ArenaRested rested) { append(std::move(rested)); },
                       [this](std::size_t fault, const Event& event) { shows(fault, event); },
                       [this] { startup_begins_anew(); }}),
        watch_(processes_, part.tier != arena::Tier::subreaper, ::getpid(),
               {[this](Process& process, const auto& finding) { is_stuck(process, finding); },
                            [this](SignalWithoutEffect stays) { append(std::move(stays)); },
                            [this] { strike_times_.tick(), tick_faults(); }}),
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

  /// Only the tree's own processes are introduced with a place in it.
  observe::ArenaRest arena_rest() {
    return {part_.tier != arena::Tier::subreaper, ::getpid(), [this](Pid pid) {
              const Process* process = processes_.find(pid);
              return process != nullptr && process->alive && process->node >= 0;
            }};
  }
  void shows(std::size_t fault, const Event& event);
  void startup_begins_anew();

  // The history, and whoever reads along.
  void append(Happening what) { append_at(monotonic_now(), std::move(what)); }
  void append_at(Nanos when, Happening what);

  // Faults speak.
  void established(const std::string& proof) override {
    append_at(turns_.when(), FaultEstablished{turns_.speaker(), proof + strike_times_.told_of(turns_.number())});
  }
  void fired(const std::string& what) override { append_at(turns_.when(), FaultFired{turns_.speaker(), what}); }
  void asks_teardown(const std::string& because, const char* why = cause::asked) override;
  void signal(Pid target, int signal) override;
  void probed(const std::string& what, const std::string& result, bool ok) override {
    append_at(turns_.when(), ProbeMade{what, result, ok});
  }
  [[nodiscard]] bool waited_for_rest() const override { return !strike_times_.told_of(turns_.number()).empty(); }
  [[nodiscard]] int terminal() const override { return io_ ? io_->terminal() : -1; }
  [[nodiscard]] int stdout_reader() const override { return io_ ? io_->stdout_reader() : -1; }
  void hang_up() override { io_->close_terminal(); }
  void close_stdout() override { io_->close_stdout(); }
  void give_up(const std::string& because) override { conclude("deadline", because); }

  // Its start (player.cpp).
  void open_gate();
  void scheduled(Scheduled step, Nanos took);
  void be_ready_for_a_crowd();
  void set_stage();
  void give_places(const Command& command);
  void start_subject();
  void passed_on(std::size_t fault, Fd fd);

  // Processes speak (player_messages.cpp).
  void take_messages();
  void dispatch(arena::Message message);
  Process& introduce(Pid pid, Pid parent, std::int32_t node, const std::string& role, Fd pidfd);
  void give_orders(arena::Message& message);
  void said_hello(const arena::Message& message, Pid parent);
  void node_is_ready(arena::Message& message);
  void look_what_it_holds(Pid second_task);
  void at_sync_point(arena::Message message);
  void asks_to_go_on(const arena::Message& message);
  void released(arena::Message message, const std::string& because);
  void lets_go(arena::Message message, const std::string& point, const Orders& answer = {});
  void happened(const arena::Message& message);

  // The kernel speaks (player_processes.cpp).
  void ended(Pid pid);
  void reaped(Pid pid, WaitStatus status);
  void take_ends();
  void record_end(Process& process, std::optional<WaitStatus> status);
  void find_orphans_of(Pid dead);
  void tick_faults();
  void watch_processes();
  void look_who_starves();
  void count_everybody();
  void look_who_listens(const std::string& when);
  void is_stuck(Process& process, const observe::Finding& finding);

  // When it is over (player_end.cpp).
  void teardown_deadline(std::uint64_t asked, Nanos granted);
  void bound_is_over(std::uint64_t asked);
  void supervisor_is_gone();
  [[nodiscard]] bool has_time_to_follow();
  void watch_for_a_reload();
  void see_reload();
  void end_unasked(const std::string& because);
  void end_from_outside(Process& supervisor, const std::string& because);
  void enough_seen(const std::string& because);
  void startup_is_over();
  void nobody_asked();
  void conclude(const std::string& when, const std::string& because);
  void hear_last_words(const std::string& because, Nanos give_up);
  void explain(const std::string& when, const std::vector<Pid>& about);
  void explain_who_is_left(const CensusTaken& census);
  void probe_listener();
  void tell_crash_line();
  void tell_output();
  void finish(const std::string& because);

  Part& part_;
  HistoryWriter history_;
  arena::Warden warden_;
  arena::ControlSocket control_;
  std::vector<Orders> orders_;
  Holds holds_;
  observe::Census census_;
  ProcessTable processes_;
  FaultTurns turns_;
  StrikeTimes strike_times_;
  Nanos startup_ends_{};       // put off by the wait for a command's arena to rest
  Watch watch_;
  std::optional<Gate> gate_;   // where the case has a schedule
  observe::Strangers strangers_;
  std::optional<ListenerOpened> listener_;
  std::optional<CaptureOpened> capture_;
  Nanos late_{};               // lost by the machine since teardown was asked for
  observe::Starvation starvation_;
  int ticks_ = 0;
  std::optional<SubjectIo> io_;
  arena::Launched launched_;   // the subject, and the parent that a command has
  Starts starts_;
  observe::Crowd crowd_;
  std::int32_t nodes_ready_ = 0;
  std::set<std::int32_t> nodes_up_;  // each once, however often it is started again
  int crashes_at_start_ = 0;
  std::set<std::tuple<std::string, std::string, std::int64_t>> put_off_;  // sync points that were asked for too early
  bool teardown_asked_ = false;
  bool teardown_owed_ = false;  // and not only counted
  std::uint64_t times_asked_ = 0;
  bool asked_by_the_tasks_end_ = false;
  std::optional<std::set<Pid>> before_the_reload_;  // the tree's roots, where the subject was told what asks for no end
  bool crash_line_told_ = false;
  std::optional<std::set<std::int32_t>> up_again_;  // nodes, since the command has started its task again; asked to end with all
  Pid supervisor_pid_ = 0;
  bool supervisor_gone_ = false;
  Nanos supervisor_gone_at_{};
  bool supervisor_killed_ = false;  // by us
  observe::StandstillWatch standstill_{part_.tier != arena::Tier::subreaper, ::getpid()};
  bool concluding_ = false;
  bool ended_ = false;
};

}  // namespace forkproof::run
