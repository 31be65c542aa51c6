// repro play-task CONTROL FAULT [KEY=VALUE ...]: not for people. The task as this program, for runs whose fault acts
// inside the task: an exec'd child then has the same libraries as a forked one, and only the exec differs.
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "fixtures/task/task.h"
#include "harness/core/error.h"
#include "harness/faults/fault.h"
#include "repro/common.h"

namespace forkproof {
namespace {

FaultSpec spec_from(int argc, char** argv, const faults::FaultRow& row) {
  FaultSpec spec{std::string(row.key), {}};
  for (int i = 3; i < argc; ++i) {
    const char* equals = std::strchr(argv[i], '=');
    if (equals == nullptr) continue;
    const std::string key(argv[i], static_cast<std::size_t>(equals - argv[i]));
    for (const Setting& setting : row.settings) {
      if (setting.key != key) continue;
      if (setting.is_number) spec.settings[key] = std::int64_t{std::atoll(equals + 1)};
      else spec.settings[key] = std::string(equals + 1);
    }
  }
  return spec;
}

void touch(void* fault) { static_cast<faults::Fault*>(fault)->touch_in_task(); }

}  // namespace

int play_task_verb(int argc, char** argv) {
  ControlAddress control;
  const faults::FaultRow* row = argc > 2 ? faults::find_fault(argv[2]) : nullptr;
  if (row == nullptr || std::strlen(argv[1]) >= sizeof control.name) {
    complain("play-task is started by repro itself, not by hand");
    return bad_input;
  }
  std::strcpy(control.name, argv[1]);
  const auto fault = row->make(spec_from(argc, argv, *row));
  ::_exit(fixtures::play_task(control, 0, touch, fault.get()));
}

}  // namespace forkproof
