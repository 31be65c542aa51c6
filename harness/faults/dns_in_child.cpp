// Fault `dns-in-child`: at the instant of the fork, another thread of the supervisor is inside the resolver; the task
// resolves a name as well. The resolver is libc's own, and the name server a real one that never answers: both see the
// arena's /etc/resolv.conf, /etc/nsswitch.conf and /etc/hosts and not the machine's (airflow#24789, #64874, #65691).
#include <dlfcn.h>
#include <netdb.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cstdlib>
#include <utility>

#include "harness/core/error.h"
#include "harness/core/program_part.h"
#include "harness/core/sync_point.h"
#include "harness/faults/fault.h"
#include "harness/faults/locks/rendezvous.h"

namespace forkproof::faults {
namespace {

constexpr Setting dns_in_child_settings[] = {
    {.key = "lookup", .is_number = false, .required = true,
     .about = "what the thread is inside: gethostbyname, getaddrinfo-resolv-conf, nss-module or getaddrinfo-slow",
     .words = "gethostbyname getaddrinfo-resolv-conf nss-module getaddrinfo-slow"},
    {.key = "no_proxy", .is_number = false, .required = false,
     .about = "NO_PROXY in the supervisor's environment and so in the task's: told to help, and no resolver reads it",
     .examples = "*"},
};

// The dot at the end keeps the machine's own domain out of it.
constexpr char held_name[] = "held.forkproof.test";
constexpr char held_name_rooted[] = "held.forkproof.test.";
constexpr char other_name_rooted[] = "other.forkproof.test.";

constexpr char resolv_conf[] = "/etc/resolv.conf";
// Longer than any run: the thread is still inside when the task comes.
constexpr char patient_resolver[] = "nameserver 127.0.0.1\noptions timeout:30 attempts:1\n";
// The shortest that a resolver knows.
constexpr char brisk_resolver[] = "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n";

void get_address(const char* name) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(name, nullptr, &hints, &found) == 0) ::freeaddrinfo(found);
}

/// One way to be inside the resolver.
class Lookup {
 public:
  virtual ~Lookup() = default;
  virtual void set_stage(Stage& stage) = 0;
  /// Returns how it is known that a thread is inside. Empty: the name server tells, once the query has reached it.
  virtual std::string hold() = 0;
  virtual void touch() = 0;
};

void give_files(Stage& stage, const char* resolver, const char* sources) {
  stage.overlays.push_back({resolv_conf, resolver});
  stage.overlays.push_back({"/etc/nsswitch.conf", std::string("passwd: files\ngroup: files\nhosts: ") + sources + "\n"});
  stage.overlays.push_back({"/etc/hosts", "127.0.0.1 localhost\n"});
}

/// The supervisor does not spawn before the query has arrived: so its thread is inside, waiting for the answer.
void wait_for_the_query(Stage& stage) {
  stage.name_server = true;
  stage.holds.push_back({"supervisor", point::spawning, 1, "server", point::queried});
}

/// glibc keeps one static lock for as long as the whole query takes. A name from /etc/hosts needs it too.
class GetHostByName final : public Lookup {
 public:
  void set_stage(Stage& stage) override {
    give_files(stage, patient_resolver, "files dns");
    wait_for_the_query(stage);
  }
  std::string hold() override {
    hold_in_system_call([] { ::gethostbyname(held_name_rooted); }, SYS_poll, "poll");
    return {};
  }
  void touch() override { ::gethostbyname("localhost"); }
};

/// glibc reads /etc/resolv.conf inside a lock. The file is a FIFO for the thread that holds it, and the plain file again
/// for everybody after, so that an exec'd task, which reads it anew, is not stopped by the rig itself.
class FrozenAtResolvConf final : public Lookup {
 public:
  void set_stage(Stage& stage) override {
    give_files(stage, patient_resolver, "files dns");
    stage.overlays.push_back({resolv_conf, "", true});
  }
  std::string hold() override {
    const std::string proof = hold_in_system_call([] { get_address("localhost"); }, SYS_openat, "openat");
    if (::umount2(resolv_conf, MNT_DETACH) != 0) fail("take the FIFO off /etc/resolv.conf");
    return proof + " of /etc/resolv.conf, a FIFO when it came and a plain file now";
  }
  void touch() override { get_address("localhost"); }
};

/// A module found by the name that it was loaded under: nothing of the machine's is touched for it, and an exec'd task
/// loads it in the same way.
class NssModule final : public Lookup {
 public:
  void set_stage(Stage& stage) override { give_files(stage, patient_resolver, "forkproof files"); }
  std::string hold() override {
    static const std::function<void()>* inside_now = nullptr;
    auto* rendezvous = static_cast<void (**)()>(::dlsym(load(), "forkproof_nss_inside"));
    if (rendezvous == nullptr) throw HarnessFailure("libnss_forkproof.so.2 has no forkproof_nss_inside");
    hold_inside([rendezvous](const std::function<void()>& inside) {
      inside_now = &inside;
      *rendezvous = [] { (*inside_now)(); };
      get_address("localhost");
    });
    *rendezvous = nullptr;
    return "a thread raised its flag inside the module's mutex";
  }
  void touch() override {
    load();
    get_address("localhost");
  }

 private:
  static void* load() {
    void* module = ::dlopen(program_part("libnss_forkproof.so.2").c_str(), RTLD_NOW | RTLD_GLOBAL);
    if (module == nullptr) throw HarnessFailure(::dlerror());
    return module;
  }
};

/// The control: getaddrinfo keeps no lock while it waits for an answer. The task is slow, by its own resolver's timeout,
/// and nothing else: whoever calls that a hang cannot tell slow from dead.
class SlowServer final : public Lookup {
 public:
  void set_stage(Stage& stage) override {
    give_files(stage, brisk_resolver, "files dns");
    wait_for_the_query(stage);
  }
  std::string hold() override {
    hold_in_system_call([] { get_address(held_name_rooted); }, SYS_poll, "poll");
    return {};
  }
  void touch() override { get_address(other_name_rooted); }
};

struct LookupRow {
  const char* key;
  std::unique_ptr<Lookup> (*make)();
};
template <class Kind>
std::unique_ptr<Lookup> make() {
  return std::make_unique<Kind>();
}
constexpr LookupRow lookups[] = {
    {"gethostbyname", make<GetHostByName>},
    {"getaddrinfo-resolv-conf", make<FrozenAtResolvConf>},
    {"nss-module", make<NssModule>},
    {"getaddrinfo-slow", make<SlowServer>},
};

const LookupRow* find_lookup(const std::string& key) {
  for (const LookupRow& row : lookups) {
    if (row.key == key) return &row;
  }
  return nullptr;
}

class DnsInChild final : public Fault {
 public:
  explicit DnsInChild(const FaultSpec& spec)
      : name_(spec.word("lookup", "")), no_proxy_(spec.word("no_proxy", "")), lookup_(find_lookup(name_)->make()) {}

  void set_stage(Stage& stage) override { lookup_->set_stage(stage); }
  std::string arm_in_subject() override {
    if (!no_proxy_.empty()) ::setenv("NO_PROXY", no_proxy_.c_str(), 1);
    const std::string proof = lookup_->hold();
    return proof.empty() ? "" : name_ + ": " + proof;
  }
  void touch_in_task() override { lookup_->touch(); }

  void see(const Event& event, Strike& strike) override {
    const auto* query = event.as<Request>();
    if (query != nullptr && query->what == "dns" && query->target == held_name && !std::exchange(queried_, true)) {
      strike.established(name_ + ": a thread's query for " + held_name + " has reached the name server, which is silent");
    }
    const auto* reached = event.as<SyncPointReached>();
    const auto* released = event.as<SyncPointReleased>();
    const bool spawns = (reached != nullptr && !reached->held && is_spawning(*reached)) ||
                        (released != nullptr && is_spawning(*released));
    if (spawns && !std::exchange(fired_, true)) strike.fired("the supervisor spawns while a thread of it is inside the resolver (" + name_ + ")");
  }

 private:
  template <class Point>
  static bool is_spawning(const Point& point) {
    return point.role == "supervisor" && point.point == point::spawning;
  }

  std::string name_, no_proxy_;
  std::unique_ptr<Lookup> lookup_;
  bool queried_ = false, fired_ = false;
};

}  // namespace

std::span<const Setting> settings_of_dns_in_child() { return dns_in_child_settings; }
std::string check_dns_in_child(const FaultSpec&) { return {}; }
std::unique_ptr<Fault> make_dns_in_child(const FaultSpec& spec) { return std::make_unique<DnsInChild>(spec); }

}  // namespace forkproof::faults
