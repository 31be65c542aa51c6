#include "harness/run/subject.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

#include "fixtures/prefork/master.h"
#include "fixtures/supervisor/supervisor.h"
#include "fixtures/supervisor/teller.h"
#include "harness/core/error.h"

namespace forkproof::run {
namespace {

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

/// In the child: a plain process of its own session, with nothing of the warden's but standard error.
[[noreturn]] void become_subject(const Part& part) {
  ::setsid();
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  // repro ignores some signals, and whoever started it may have as well; a subject starts with none of that.
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(nothing, STDOUT_FILENO);
  ::syscall(SYS_close_range, 3U, ~0U, 0U);
  const auto& model = std::get<ModelSupervisor>(part.one.subject);
  fixtures::SupervisorPart supervisor{model.profile, model.backend, part.one.tree.role, part.control,
                                      part.task_program, part.task_argv, {}, {}, part.stage.server,
                                      part.one.seed, part.server_port};
  if (part.in_subject != nullptr) {
    supervisor.before_spawn = [&part] { arm_in_subject(part); };
    supervisor.touch = [&part] { part.in_subject->touch_in_task(); };
  }
  int code = 70;
  try {
    code = is_prefork(part.one) ? fixtures::preside(supervisor) : fixtures::supervise(supervisor);
  } catch (const std::exception& error) {
    complain(std::string("model supervisor: ") + error.what());
    fixtures::Teller(part.control).tell(Trouble{"model supervisor", error.what()});
  }
  ::_exit(code);
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

pid_t start_subject(const Part& part) {
  const pid_t pid = ::fork();
  if (pid < 0) fail("fork of the subject");
  if (pid == 0) become_subject(part);
  return pid;
}

}  // namespace forkproof::run
