// Fault `runtime-in-child`: the supervisor uses a runtime or a native extension that must not be forked, and so does the
// task. Three kinds: the real Objective-C runtime of Linux, with a thread inside +initialize; Apple's rule for the same
// moment, emulated and named so; an extension that believes in a page which a fork does not copy.
#include <dlfcn.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

#include <fmt/format.h>

#include "fixtures/runtimes/apple_rule.h"
#include "fixtures/runtimes/title.h"
#include "harness/core/error.h"
#include "harness/core/program_part.h"
#include "harness/core/sync_point.h"
#include "harness/faults/fault.h"
#include "harness/faults/locks/rendezvous.h"

namespace forkproof::faults {
namespace {

namespace fs = std::filesystem;

constexpr Setting runtime_in_child_settings[] = {
    {.key = "runtime", .is_number = false, .required = true,
     .about = "objc, objc-late-import, apple-rule-emulated, apple-rule-emulated-warmed, apple-rule-emulated-disabled or "
              "setproctitle",
     .words = "objc objc-late-import apple-rule-emulated apple-rule-emulated-warmed apple-rule-emulated-disabled setproctitle"},
};

void* load(const char* name) {
  void* library = ::dlopen(program_part(name).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw HarnessFailure(::dlerror());
  return library;
}

template <class Symbol>
Symbol* symbol_in(void* library, const char* name) {
  void* found = ::dlsym(library, name);
  if (found == nullptr) throw HarnessFailure(::dlerror());
  return reinterpret_cast<Symbol*>(found);
}

/// One runtime, on both sides of the fork.
class Runtime {
 public:
  virtual ~Runtime() = default;
  /// What this build lacks for it, and how to get it; empty when nothing.
  [[nodiscard]] virtual std::string missing() const { return {}; }
  virtual std::string use_in_subject() = 0;
  virtual void use_in_task() = 0;
};

constexpr char objc_library[] = "forkproof-objc.so";
constexpr char late_library[] = "forkproof-objc-late.so";
const std::function<void()>* inside_initialize = nullptr;

/// libobjc sends +initialize inside the runtime's one lock.
class ObjectiveC : public Runtime {
 public:
  [[nodiscard]] std::string missing() const override {
    if (fs::exists(program_part(objc_library)) && fs::exists(program_part(late_library))) return {};
    return "the Objective-C compiler was missing when this was built: apt-get install gobjc, then ci/build";
  }
  std::string use_in_subject() override {
    void* library = load(objc_library);
    auto* rendezvous = symbol_in<void (*)()>(library, "forkproof_objc_inside");
    auto* message = symbol_in<int()>(library, "forkproof_objc_message");
    hold_inside([rendezvous, message](const std::function<void()>& inside) {
      inside_initialize = &inside;
      *rendezvous = [] { (*inside_initialize)(); };
      message();
    });
    return "a thread raised its flag inside +[ForkproofHeld initialize], in the real Objective-C runtime (libobjc)";
  }
  void use_in_task() override { symbol_in<int()>(load(objc_library), "forkproof_objc_message")(); }
};

/// "Import it lazily": the supervisor's own thread never does, the task imports another library of its own when it needs
/// it. The runtime that both meet is the same.
class LateImport final : public ObjectiveC {
 public:
  void use_in_task() override { symbol_in<int()>(load(late_library), "forkproof_objc_message")(); }
};

class AppleRuleEmulated : public Runtime {
 public:
  std::string use_in_subject() override {
    hold_inside([](const std::function<void()>& inside) { fixtures::AppleRule::message("NSString", inside); });
    return "a thread raised its flag inside +[NSString initialize] (Apple's runtime, emulated)";
  }
  void use_in_task() override { fixtures::AppleRule::message("NSString"); }
};

/// "Initialise the framework before the fork": the one that was known is, and the thread is inside another.
class AppleRuleWarmed final : public AppleRuleEmulated {
 public:
  std::string use_in_subject() override {
    fixtures::AppleRule::message("NSNumber");
    return "NSNumber was initialised beforehand; " + AppleRuleEmulated::use_in_subject();
  }
  void use_in_task() override {
    fixtures::AppleRule::message("NSNumber");
    AppleRuleEmulated::use_in_task();
  }
};

/// "Switch the check off": no abort, and the class stays in progress for ever.
class AppleRuleDisabled final : public AppleRuleEmulated {
 public:
  std::string use_in_subject() override {
    ::setenv("OBJC_DISABLE_INITIALIZE_FORK_SAFETY", "YES", 1);
    return "OBJC_DISABLE_INITIALIZE_FORK_SAFETY=YES; " + AppleRuleEmulated::use_in_subject();
  }
};

/// By the kernel's word: "dc" in VmFlags is "do not copy area on fork" (`man 5 proc`, smaps).
bool is_not_forked(const void* page) {
  const std::string begins = fmt::format("{:x}-", reinterpret_cast<std::uintptr_t>(page));
  std::ifstream maps("/proc/self/smaps");
  bool here = false;
  for (std::string line; std::getline(maps, line);) {
    if (line.find('-') < line.find(' ')) here = line.starts_with(begins);
    if (here && line.starts_with("VmFlags:")) return (line + " ").find(" dc ") != std::string::npos;
  }
  return false;
}

class SetProcTitle final : public Runtime {
 public:
  std::string use_in_subject() override {
    const void* page = fixtures::Title::import();
    if (page == nullptr || !is_not_forked(page)) throw HarnessFailure("no page that a fork leaves out could be had");
    fixtures::Title::set("supervisor");
    return fmt::format("the extension's page {} is here, and marked by the kernel as not to be forked", page);
  }
  void use_in_task() override { fixtures::Title::set("worker"); }
};

struct RuntimeRow {
  const char* key;
  std::unique_ptr<Runtime> (*make)();
};
template <class Kind>
std::unique_ptr<Runtime> make() {
  return std::make_unique<Kind>();
}
constexpr RuntimeRow runtimes[] = {
    {"objc", make<ObjectiveC>},
    {"objc-late-import", make<LateImport>},
    {"apple-rule-emulated", make<AppleRuleEmulated>},
    {"apple-rule-emulated-warmed", make<AppleRuleWarmed>},
    {"apple-rule-emulated-disabled", make<AppleRuleDisabled>},
    {"setproctitle", make<SetProcTitle>},
};

const RuntimeRow* find_runtime(const std::string& key) {
  for (const RuntimeRow& row : runtimes) {
    if (row.key == key) return &row;
  }
  return nullptr;
}

class RuntimeInChild final : public Fault {
 public:
  explicit RuntimeInChild(const FaultSpec& spec)
      : name_(spec.word("runtime", "")), runtime_(find_runtime(name_)->make()) {}

  [[nodiscard]] std::string missing() const override { return runtime_->missing(); }
  void set_stage(Stage&) override {}
  std::string arm_in_subject() override { return name_ + ": " + runtime_->use_in_subject(); }
  void touch_in_task() override {
    // It may crash, and a core would outlive the run. 1 and not 0, which the kernel passes over where core_pattern is a pipe
    // (apport, systemd-coredump); for a file 1 is less than the least core as well (do_coredump in its fs/coredump.c).
    const rlimit none{1, 1};
    ::setrlimit(RLIMIT_CORE, &none);
    runtime_->use_in_task();
  }

  void see(const Event& event, Strike& strike) override {
    const auto* reached = event.as<SyncPointReached>();
    if (reached == nullptr || reached->role != "supervisor" || reached->point != point::spawning) return;
    if (!std::exchange(fired_, true)) strike.fired("the supervisor spawns with " + name_ + " in use");
  }

 private:
  std::string name_;
  std::unique_ptr<Runtime> runtime_;
  bool fired_ = false;
};

}  // namespace

std::span<const Setting> settings_of_runtime_in_child() { return runtime_in_child_settings; }
std::string check_runtime_in_child(const FaultSpec&) { return {}; }
std::unique_ptr<Fault> make_runtime_in_child(const FaultSpec& spec) { return std::make_unique<RuntimeInChild>(spec); }

}  // namespace forkproof::faults
