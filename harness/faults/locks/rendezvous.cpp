#include "harness/faults/locks/rendezvous.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include <fmt/format.h>

#include "harness/core/duration.h"
#include "harness/core/error.h"
#include "harness/core/fd.h"

namespace forkproof::faults {
namespace {

constexpr Nanos longest_wait = std::chrono::seconds(2);
constexpr Nanos between_looks = std::chrono::microseconds(50);

/// Looks again and again until `true_now`; a look that finds nothing is followed by a short pause, which stands for no
/// condition.
void wait_until(const std::function<bool()>& true_now, const std::string& what) {
  const Nanos give_up = monotonic_now() + longest_wait;
  while (!true_now()) {
    if (monotonic_now() > give_up) throw HarnessFailure("not proved within 2 s: " + what);
    std::this_thread::sleep_for(between_looks);
  }
}

/// The beginning of a small file. Without stdio or a stream (which is stdio beneath): its locks may be what is held.
std::string beginning_of(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char text[512];
  const ssize_t got = file ? ::read(file.get(), text, sizeof text) : 0;
  return {text, static_cast<std::size_t>(got > 0 ? got : 0)};
}

/// Starts a thread and returns its id, once it has one.
int start_thread(const std::function<void()>& body) {
  // Shared with a thread that outlives this call.
  auto* tid = new std::atomic<int>(0);
  std::thread([body, tid] {
    tid->store(static_cast<int>(::syscall(SYS_gettid)));
    body();
    wait_for_ever();
  }).detach();
  wait_until([tid] { return tid->load() != 0; }, "the holder's thread runs");
  return tid->load();
}

bool asleep(int tid) {
  const std::string stat = beginning_of(fmt::format("/proc/self/task/{}/stat", tid));
  const std::size_t close = stat.rfind(')');
  return close != std::string::npos && close + 2 < stat.size() && (stat[close + 2] == 'S' || stat[close + 2] == 'D');
}

}  // namespace

void wait_for_ever() {
  static int word = 0;
  for (;;) ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, nullptr, nullptr, 0);
}

void hold_inside(const std::function<void(const std::function<void()>&)>& critical_section) {
  auto* flag = new std::atomic<bool>(false);
  start_thread([critical_section, flag] {
    critical_section([flag] {
      flag->store(true);
      wait_for_ever();
    });
  });
  wait_until([flag] { return flag->load(); }, "the holder is inside the critical section");
}

std::string prove_in_system_call(int tid, long number, const char* name) {
  wait_until(
      [tid, number] {
        const std::string call = beginning_of(fmt::format("/proc/self/task/{}/syscall", tid));
        return !call.empty() && std::strtol(call.c_str(), nullptr, 10) == number && call[0] != 'r' && asleep(tid);
      },
      fmt::format("the holder sleeps in {}", name));
  return fmt::format("thread {} sleeps in {}()", tid, name);
}

std::string hold_in_system_call(const std::function<void()>& blocking, long number, const char* name) {
  return prove_in_system_call(start_thread(blocking), number, name);
}

std::string hold_in_kernel(const std::function<void()>& blocking, const char* wchan) {
  const int tid = start_thread(blocking);
  wait_until([&] { return beginning_of(fmt::format("/proc/self/task/{}/wchan", tid)).find(wchan) != std::string::npos; },
             fmt::format("the holder sleeps in {}", wchan));
  return fmt::format("thread {} sleeps in the kernel's {}", tid, wchan);
}

std::vector<int> other_threads() {
  std::vector<int> tids;
  DIR* folder = ::opendir("/proc/self/task");
  if (folder == nullptr) fail("/proc/self/task");
  while (const dirent* entry = ::readdir(folder)) {
    const int tid = std::atoi(entry->d_name);
    if (tid > 0 && tid != static_cast<int>(::syscall(SYS_gettid))) tids.push_back(tid);
  }
  ::closedir(folder);
  return tids;
}

int full_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail("pipe2");
  ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
  static const char block[4096] = {};
  while (::write(ends[1], block, sizeof block) > 0) {
  }
  while (::write(ends[1], block, 1) > 0) {
  }
  ::fcntl(ends[1], F_SETFL, 0);
  return ends[1];
}

int silent_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail("pipe2");
  return ends[0];
}

void hold_back(void* first_page, std::size_t size) {
  // UFFD_USER_MODE_ONLY needs no privilege (Linux 5.11).
  const int handler = static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY));
  if (handler < 0) fail("userfaultfd");
  uffdio_api api{UFFD_API, 0, 0};
  if (::ioctl(handler, UFFDIO_API, &api) != 0) fail("UFFDIO_API");
  uffdio_register range{};
  range.range.start = reinterpret_cast<unsigned long>(first_page);
  range.range.len = size;
  range.mode = UFFDIO_REGISTER_MODE_MISSING;
  if (::ioctl(handler, UFFDIO_REGISTER, &range) != 0) fail("UFFDIO_REGISTER");
}

}  // namespace forkproof::faults
