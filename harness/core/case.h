#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "harness/core/duration.h"
#include "harness/core/profile.h"
#include "harness/core/sigint_setup.h"

namespace forkproof {

/// What a task does with a signal. `goes_on`: the handler returns and the task continues (airflow's SIGTERM handler).
/// `forks`: the handler leaves a process in a session of its own behind, and the task exits. `dies`: SIG_DFL, also where
/// the signal was ignored at the start. `inherits`: the task sets nothing, so an ignored signal stays ignored.
enum class Answer : std::uint8_t { dies, ignores, goes_on, exits, forks, inherits };
std::string_view word(Answer answer);
std::optional<Answer> answer_from(std::string_view word);

/// Which of its parent's channels a node keeps; the rest of 0, 1, 2 become /dev/null and everything else is closed.
enum Keeps : std::uint32_t {
  keeps_none = 0,
  keeps_stdin = 1,
  keeps_stdout = 2,
  keeps_stderr = 4,
  keeps_all = 0xffffffff,  ///< a bare fork: every descriptor
};

/// Bounds on what a scenario may ask for.
inline constexpr std::size_t max_nodes = 10'000;
inline constexpr std::size_t max_levels = 64;

/// As much as C's stdio writes at a time to what is no terminal.
inline constexpr std::uint64_t default_write_size = 4096;
inline constexpr std::uint64_t most_write_size = 65'536;

/// One process of the task tree and what it does. A value. Durations are real ones, scaled like the profile's.
struct TaskNode {
  std::string role = "task";
  Answer on_term = Answer::dies;
  Answer on_int = Answer::dies;
  std::uint32_t keeps = keeps_none;      ///< ignored at the root, which gets what the backend gives
  bool own_session = false;              ///< calls setsid
  bool double_fork = false;              ///< its parent on the way exits: it is re-parented at once
  bool ends_with_children = false;       ///< exits when its last child has
  std::uint64_t output_bytes = 0;        ///< written to stdout when ready
  int exit_code = 0;
  std::optional<Nanos> exits_after;      ///< from its readiness
  std::vector<TaskNode> children;
  std::uint64_t write_size_bytes = default_write_size;  ///< of each write but the last
  SigintSetup sigint = SigintSetup::none;

  friend bool operator==(const TaskNode&, const TaskNode&) = default;
};
std::size_t count_nodes(const TaskNode& root);
std::size_t count_levels(const TaskNode& root);

/// The subject is the model supervisor under a profile, spawning through a backend ...
struct ModelSupervisor {
  Profile profile;
  std::string backend;
  friend bool operator==(const ModelSupervisor&, const ModelSupervisor&) = default;
};
/// A file that a command wants, written before it is started.
struct CommandFile {
  std::string path;  ///< "{dir}/Procfile"
  std::string text;
  bool executable = false;
  friend bool operator==(const CommandFile&, const CommandFile&) = default;
};
/// ... or any command. In its words, files and environment `{task}` stands for the command that runs the task tree,
/// `{dir}` for a fresh directory of the arena's own, `{heartbeat}` for the heartbeat server's address.
struct Command {
  std::vector<std::string> argv;
  std::string target;  ///< its name in scenarios/targets/; empty: it was written on the command line
  std::vector<CommandFile> files;
  std::map<std::string, std::string> environment;  ///< added to what repro itself has
  std::vector<std::string> shares;  ///< paths of /tmp, /var/tmp or /dev/shm that are the machine's, not the arena's
  bool passes_exit_status = false;  ///< it says that its own exit status is its task's, a signal n as 128 + n
  friend bool operator==(const Command&, const Command&) = default;
};
using Subject = std::variant<ModelSupervisor, Command>;

/// One fault by its name in faults.def, and its settings. Which settings there are, the fault's own row says.
struct FaultSpec {
  using Setting = std::variant<std::int64_t, std::string>;
  std::string fault;
  std::map<std::string, Setting> settings;
  Nanos delay{};  ///< of a command's fault: how long it waits, once it could strike, before it does

  [[nodiscard]] std::int64_t number(const std::string& key, std::int64_t otherwise) const;
  [[nodiscard]] std::string word(const std::string& key, const std::string& otherwise) const;
  friend bool operator==(const FaultSpec&, const FaultSpec&) = default;
};

/// A process that announces `at` for the `number`-th time is held there until something has happened.
struct HoldRule {
  std::string who;          ///< role
  std::string at;           ///< sync point
  std::int64_t number = 1;  ///< 1: the first time
  std::string until_who;    ///< role; empty: the whole tree
  std::string until_at;     ///< sync point; "ready" with an empty until_who: all nodes are up
  friend bool operator==(const HoldRule&, const HoldRule&) = default;
};

/// The times by which a run is judged and ended, already scaled.
struct Bounds {
  Nanos teardown{};               ///< from the event that asked for it to the subject's conclusion, slack included
  Nanos patience{};               ///< how much longer the run is watched after the bound, to see what happens then
  Nanos startup{std::chrono::seconds(20)};  ///< until teardown is asked for; beyond it the run is given up as unknown
  Nanos settle{};                 ///< of a command: how long its arena has to stay at rest before a fault strikes
  friend bool operator==(const Bounds&, const Bounds&) = default;
};

/// What `settle_s` and `delay_s` may be at most.
inline constexpr Nanos longest_pause = std::chrono::hours(1);

/// After the bound, a run is watched for at least a moment more: a late conclusion tells more than none.
inline constexpr Nanos least_patience = std::chrono::milliseconds(100);
/// Where a scenario does not say how long a start may take. A minute of the original's, and what this machine may need.
inline Nanos default_startup(double time_scale) { return Bounds{}.startup + scaled(std::chrono::minutes(1), time_scale); }

/// One cell of a scenario's cross, complete: it can be run, saved and replayed. A value.
struct Case {
  std::string scenario;
  std::string question;
  Subject subject;
  TaskNode tree;
  std::vector<FaultSpec> faults;
  std::vector<HoldRule> holds;
  bool server = true;  ///< a task server stands outside; without one the supervisor tells nobody
  Bounds bounds;
  std::uint64_t seed = 1;
  std::string schedule;  ///< who goes first where several wait (schedule.h); empty: as it comes

  [[nodiscard]] std::string profile_name() const;  ///< empty for a command
  [[nodiscard]] std::string backend_name() const;  ///< empty for a command
  [[nodiscard]] double time_scale() const;
  friend bool operator==(const Case&, const Case&) = default;
};

}  // namespace forkproof
