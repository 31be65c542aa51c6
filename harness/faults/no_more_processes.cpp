// Fault `no-more-processes`: from some moment on no process of the subject can start another process or thread:
// fork, vfork, clone and clone3 fail with EAGAIN, as at a full pids.max or RLIMIT_NPROC. Neither of the two would do here:
// RLIMIT_NPROC does not bind root, and a pids controller is not to be had everywhere.
//
// So the subject is started under a seccomp filter (`man 2 seccomp`, SECCOMP_RET_USER_NOTIF) that all its descendants
// inherit: each of these calls waits for a word of the warden, who lets it go on, and later refuses it.
//
// Established: the tree is up, the arena at rest, and each start since the subject's own was seen to wait for that word.
// Healed: whoever asks then may.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "harness/core/error.h"
#include "harness/faults/fault.h"
#include "harness/faults/look.h"

namespace forkproof::faults {
namespace {

#if defined(__x86_64__)
constexpr unsigned arch = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr unsigned arch = AUDIT_ARCH_AARCH64;
#else
#error "which AUDIT_ARCH is this?"
#endif

/// Installs the filter in this process; returns its listener.
int install_filter() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, arch, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
#ifdef SYS_fork
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fork, 4, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_vfork, 3, 0),
#endif
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
  };
  const sock_fprog filter{sizeof program / sizeof *program, program};
  const auto install = [&filter] {
    return static_cast<int>(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter));
  };
  int listener = install();
  if (listener < 0 && errno == EACCES) {  // without CAP_SYS_ADMIN: then nobody below may gain privileges by an exec
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    listener = install();
  }
  if (listener < 0) fail("seccomp(SECCOMP_FILTER_FLAG_NEW_LISTENER)");
  return listener;
}

class NoMoreProcesses final : public Fault {
 public:
  void set_stage(Stage&) override {}

  int start_in_subject() override { return install_filter(); }
  void given(Fd listener) override { listener_ = std::move(listener); }

  /// Somebody waits for a word.
  void ready(Strike&) override {
    seccomp_notif asked{};
    if (::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0) return;  // ENOENT: it died while it waited
    seccomp_notif_resp answer{};
    answer.id = asked.id;
    if (refuses_) answer.error = -EAGAIN;
    else answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    ++(refuses_ ? refused_ : allowed_);
    ::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_SEND, &answer);
  }

  void see(const Event& event, Strike&) override {
    if (const auto* spawned = event.as<Spawned>(); spawned != nullptr && spawned->node == -1) supervisor_ = spawned->pid;
    due_ |= event.as<TreeReady>() != nullptr;
  }

  void tick(Strike& strike) override {
    if (!due_ || fired_) return;
    if (!strike.waited_for_rest() && !rest_.look(supervisor_)) return;
    fired_ = true;
    if (!listener_) return strike.give_up("the subject's seccomp filter has not come through");
    strike.established("the tree is up, and " + std::to_string(allowed_) +
                       " starts of processes were let through by the rig's seccomp filter");
    refuses_ = true;
    strike.fired("fork, vfork, clone and clone3 of the subject fail with EAGAIN");
  }

  void heal() noexcept override { refuses_ = false; }

 private:
  Fd listener_;
  Pid supervisor_ = 0;
  Rest rest_;
  std::uint64_t allowed_ = 0, refused_ = 0;
  bool due_ = false, fired_ = false, refuses_ = false;
};

}  // namespace

std::span<const Setting> settings_of_no_more_processes() { return {}; }
std::string check_no_more_processes(const FaultSpec&) { return {}; }
std::unique_ptr<Fault> make_no_more_processes(const FaultSpec&) { return std::make_unique<NoMoreProcesses>(); }

}  // namespace forkproof::faults
