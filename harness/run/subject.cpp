#include "harness/run/subject.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>

#include <fmt/format.h>

#include "fixtures/prefork/master.h"
#include "fixtures/supervisor/supervisor.h"
#include "fixtures/supervisor/teller.h"
#include "harness/core/error.h"
#include "harness/core/shell_word.h"
#include "harness/run/command_words.h"
#include "harness/run/tree_orders.h"

namespace forkproof::run {
namespace {

constexpr int harness_failed = 70;
constexpr int not_executable = 126, not_found = 127;  // as shells say it

/// Inside the supervisor: the fault takes what the child will miss, and says how that is known.
void arm_in_subject(const Part& part) {
  const fixtures::Teller teller(part.control);
  try {
    const std::string proof = part.in_subject->arm_in_subject();
    if (!proof.empty()) teller.tell(FaultEstablished{part.in_subject_key, proof});
  } catch (const std::exception& error) {
    teller.tell(Trouble{part.in_subject_key, error.what()});
  }
}

/// The model supervisor's whole life: its exit code.
int play_model(const Part& part, const ModelSupervisor& model) {
  fixtures::SupervisorPart supervisor{model.profile, model.backend, part.one.tree.role, part.control,
                                      part.task_program, part.task_argv, {}, {}, part.stage.server,
                                      part.one.seed, part.server_port, part.tiny_program, second_task_role,
                                      second_task_of(part.one), announces_every_point(part.one)};
  if (part.in_subject != nullptr) {
    supervisor.before_spawn = [&part] { arm_in_subject(part); };
    supervisor.touch = [&part] { part.in_subject->touch_in_task(); };
  }
  try {
    return is_prefork(part.one) ? fixtures::preside(supervisor) : fixtures::supervise(supervisor);
  } catch (const std::exception& error) {
    complain(std::string("model supervisor: ") + error.what());
    fixtures::Teller(part.control).tell(Trouble{"model supervisor", error.what()});
    return harness_failed;
  }
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

Places places_of(const Part& part) {
  Places places{part.task_argv, part.directory, ""};
  places.task.front() = part.task_program;
  if (part.server_port != 0) places.heartbeat = fmt::format("http://127.0.0.1:{}", part.server_port);
  return places;
}

/// What repro itself has, with what a command is told on top.
std::vector<std::string> environment_of(const Command& command, const Places& places) {
  std::map<std::string, std::string> added{{"REPRO_TASK", shell_line(places.task)}};
  if (!places.heartbeat.empty()) added["REPRO_HEARTBEAT_URL"] = places.heartbeat;
  if (!places.directory.empty()) added["TMPDIR"] = places.directory;  // else a killed program leaves its files to the machine
  for (const auto& [name, value] : command.environment) added[name] = filled(value, places);
  std::vector<std::string> all;
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string variable = *each;
    if (!added.contains(variable.substr(0, variable.find('=')))) all.push_back(variable);
  }
  for (const auto& [name, value] : added) all.push_back(fmt::format("{}={}", name, value));
  return all;
}

[[noreturn]] void become_command(const Part& part, const Command& command, const SubjectIo& io) {
  const Places places = places_of(part);
  std::vector<std::string> words = filled_words(command, places), variables = environment_of(command, places);
  ::execvpe(words.front().c_str(), pointers_to(words).data(), pointers_to(variables).data());
  const int error = errno;
  io.complain_of("exec " + words.front(), error);
  ::_exit(error == ENOENT ? not_found : not_executable);
}

/// In the child: a plain process of its own session, with nothing of the warden's but what the case gives it.
[[noreturn]] void become_subject(const Part& part, SubjectIo& io) {
  char byte = 0;
  if (part.start_gate >= 0 && ::read(part.start_gate, &byte, 1) != 1) ::_exit(harness_failed);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  // repro ignores some signals, and whoever started it may have as well; a subject starts with none of that.
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  if (is_command(part.one)) {
    ::setpriority(PRIO_PROCESS, 0, part.nice);
    ::setrlimit(RLIMIT_NOFILE, &part.files);
    rlimit core{};
    ::getrlimit(RLIMIT_CORE, &core);
    // SIGQUIT would leave a file where repro was started, or wake a crash reporter: see runtime_in_child.cpp for why 1.
    core.rlim_cur = std::min<rlim_t>(core.rlim_max, 1);
    ::setrlimit(RLIMIT_CORE, &core);
  }
  try {
    io.take_subjects_ends();
    for (std::size_t i = 0; i < part.faults.size(); ++i) {
      const Fd given(part.faults[i]->start_in_subject());
      if (given) io.pass_on(i, given.get());
    }
  } catch (const std::exception& error) {
    io.complain_of(error.what(), 0);
    ::_exit(harness_failed);
  }
  if (const auto* command = std::get_if<Command>(&part.one.subject)) {
    ::syscall(SYS_close_range, 3U, ~0U, static_cast<unsigned>(CLOSE_RANGE_CLOEXEC));
    become_command(part, *command, io);
  }
  ::syscall(SYS_close_range, 3U, ~0U, 0U);
  ::_exit(play_model(part, std::get<ModelSupervisor>(part.one.subject)));
}

}  // namespace

bool is_prefork(const Case& one) {
  const Profile* profile = profile_of(one);
  return profile != nullptr && profile->model == Model::prefork_master;
}

const Profile* profile_of(const Case& one) {
  const auto* model = std::get_if<ModelSupervisor>(&one.subject);
  return model != nullptr ? &model->profile : nullptr;
}

bool is_command(const Case& one) { return std::holds_alternative<Command>(one.subject); }

void write_files(const Part& part) {
  const auto* command = std::get_if<Command>(&part.one.subject);
  if (command == nullptr) return;
  const Places places = places_of(part);
  for (const CommandFile& file : command->files) {
    const std::filesystem::path path = filled(file.path, places);
    std::filesystem::create_directories(path.parent_path());
    std::ofstream out(path);
    out << filled(file.text, places);
    out.close();
    if (!out) fail("write " + path.string());
    if (::chmod(path.c_str(), file.executable ? 0755 : 0644) != 0) fail("write " + path.string());
  }
}

arena::Launched start_subject(const Part& part, SubjectIo& io) {
  if (is_command(part.one)) return arena::launch([&part, &io] { become_subject(part, io); });
  const pid_t pid = ::fork();
  if (pid < 0) fail("fork of the subject");
  if (pid == 0) become_subject(part, io);
  return {.command = pid};
}

}  // namespace forkproof::run
