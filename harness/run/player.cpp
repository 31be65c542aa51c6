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
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "harness/arena/overlays.h"
#include "harness/arena/private_directory.h"
#include "harness/arena/private_places.h"
#include "harness/core/error.h"
#include "harness/observe/alarms.h"
#include "harness/observe/set_aside.h"
#include "harness/run/player_class.h"

namespace forkproof::run {
namespace {

constexpr Nanos canary_period = std::chrono::milliseconds(5);
constexpr int most_urgent = -20;  // `man 2 setpriority`
constexpr rlim_t own_descriptors = 64;

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

}  // namespace

void Player::append_at(Nanos when, Happening what) {
  if (ended_) return;  // the last event counts those before it
  const Event event{when - part_.origin, std::move(what)};
  history_.append_at(when, event.what);
  turns_.each(when, [&](faults::Fault& fault) {
    if (!strike_times_.keeps_back(turns_.number(), event)) fault.see(event, *this);
  });
}

/// An event that was kept back from a fault until its time had come: for the fault it happens now.
void Player::shows(std::size_t fault, const Event& event) {
  if (concluding_) return;
  turns_.only(fault, monotonic_now(), [&](faults::Fault& one) { one.see(event, *this); });
}

/// The time for a start is over only when the faults could have struck since.
void Player::startup_begins_anew() {
  startup_ends_ = monotonic_now() + part_.one.bounds.startup;
  warden_.call_at(startup_ends_, [this] { startup_is_over(); });
}

/// A teardown that is owed takes the place of one that is only counted.
void Player::asks_teardown(const std::string& because, const char* why) {
  const bool is_owed = why == std::string(cause::asked) || why == std::string(cause::rig);
  if (teardown_asked_ && (teardown_owed_ || !is_owed)) return;
  if (is_command(part_.one)) look_who_listens("teardown");
  teardown_asked_ = true, teardown_owed_ = is_owed;
  if (is_owed) asked_by_the_tasks_end_ = false;
  before_the_reload_.reset();
  late_ = Nanos{};
  starvation_.begin();
  look_who_starves();
  const Nanos asked_at = turns_.when() > Nanos{} ? turns_.when() : monotonic_now();
  append_at(asked_at, TeardownAsked{because, why});
  if (is_command(part_.one) && why == std::string(cause::not_asked)) watch_for_a_reload();
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

/// A /tmp and its kin of the arena's own, and {dir} in one of them.
void Player::give_places(const Command& command) {
  arena::Sharing sharing{command.shares, arena::environment_texts()};
  std::vector<std::string>& texts = sharing.texts;
  texts.insert(texts.end(), command.argv.begin(), command.argv.end());
  texts.insert(texts.end(), part_.task_argv.begin(), part_.task_argv.end());
  texts.push_back(part_.task_program);
  for (const auto& [name, value] : command.environment) texts.push_back(value);
  for (const CommandFile& file : command.files) texts.push_back(file.text);
  const std::vector<std::string> places = arena::make_places_private(sharing);
  if (!places.empty()) return void(part_.directory = arena::make_directory_in(places));
  texts.insert(texts.end(), command.shares.begin(), command.shares.end());
  texts.push_back(std::filesystem::current_path().string());
  part_.directory = arena::make_private_directory(texts);
}

/// The machine's files as the stage wants them, and a command's own. Without them there is no question to ask.
void Player::set_stage() {
  arena::mount_overlays(part_.stage.overlays);
  const auto* command = std::get_if<Command>(&part_.one.subject);
  if (command != nullptr && part_.tier != arena::Tier::subreaper) {
    give_places(*command);
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
  launched_ = run::start_subject(part_, *io_);
  observe::set_aside(launched_.launcher, ::getpid());
  const Pid subject = launched_.command;
  supervisor_pid_ = subject;
  introduce(subject, ::getpid(), supervisor_node, supervisor_role, observe::open_pidfd(subject));
  if (is_command(part_.one)) strangers_.begin(part_.observe, subject);
  start.open();
  io_->watch(warden_, {[this](std::size_t fault, Fd fd) { passed_on(fault, std::move(fd)); },
                       [this](CommandNotStarted failed) { append(std::move(failed)); },
                       [this](std::uint64_t bytes) { append(OutputCounted{supervisor_pid_, "stdout", "came out", bytes}); }});
}

/// A fault's descriptor out of the subject's process: it is called whenever that is readable.
void Player::passed_on(std::size_t fault, Fd fd) {
  if (fault >= part_.faults.size()) return;
  warden_.watch(fd.get(), [this, fault] {
    turns_.only(fault, monotonic_now(), [this](faults::Fault& one) { one.ready(*this); });
  });
  part_.faults[fault]->given(std::move(fd));
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
  observe::remember_alarms();
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

int play(Part& part) { return Player(part).play(); }

}  // namespace forkproof::run
