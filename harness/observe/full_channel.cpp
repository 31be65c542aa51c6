// How a full channel is proved:
//  - the writer has one thread, and two looks find it blocked in the same write, on the end that the task was given;
//  - the supervisor has said that it reads only when the task has ended, or never;
//  - nobody else holds a descriptor that this channel can be read from.
// So the one waits for room, and the other for the end of the one: neither comes by itself. Where a stranger holds an end, or
// the writer has more threads, it is told too, but as not proved, and only when it has lasted.
#include "harness/observe/full_channel.h"

#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "harness/core/proc_root.h"
#include "harness/observe/holders.h"

namespace forkproof::observe {
namespace {

constexpr Nanos unproved_after = std::chrono::milliseconds(300);

/// -1 also where nobody may look.
int readable_descriptor(Pid pid, const std::string& name) {
  return find_descriptor(pid, name, Access::reading).value_or(-1);
}

/// Everybody in /proc who can read it.
std::vector<Pid> readers_of(const std::string& name) {
  std::vector<Pid> readers;
  DIR* directory = open_proc_folder("/proc");
  if (directory == nullptr) return readers;
  while (const dirent* entry = ::readdir(directory)) {
    const Pid pid = std::atoi(entry->d_name);
    if (pid > 0 && readable_descriptor(pid, name) >= 0) readers.push_back(pid);
  }
  ::closedir(directory);
  return readers;
}

bool is_write(const Thread& thread) {
  return thread.blocked &&
         (thread.number == SYS_write || thread.number == SYS_writev || thread.number == SYS_sendto);
}

bool same_call(const Thread& left, const Thread& right) {
  return left.number == right.number && std::equal(left.arguments, left.arguments + 6, right.arguments);
}

/// All masters of pseudo-terminals bear one name, so for them the supervisor's word has to do.
bool only_reader(const CaptureOpened& capture) {
  return capture.capture == "pty" || readers_of(capture.read_as) == std::vector<Pid>{capture.by};
}

std::string explain(const CaptureOpened& capture, const Thread& thread) {
  const int end = readable_descriptor(capture.by, capture.read_as);
  const std::string reader =
      fmt::format("its other end is descriptor {} of pid {}, the supervisor, ", end, capture.by);
  const std::string policy = capture.drain == "never"
                                 ? "which never reads it"
                                 : "which reads only when this process has ended: each waits for the other";
  return fmt::format("it is in write({}) and {} is full; {}{}", thread.arguments[0], capture.written_as,
                     reader, policy);
}

}  // namespace

void FullChannelWatch::captured(const CaptureOpened& opened) {
  const bool has_reader = !opened.read_as.empty() && opened.capture != "file";
  if (has_reader && opened.drain != "while-waiting") unread_.push_back(opened);
}

/// The unread channel that it writes to; null when it writes to none.
const CaptureOpened* FullChannelWatch::unread(Pid pid, const Thread& thread) const {
  const std::string written = descriptor_name(pid, static_cast<int>(thread.arguments[0]));
  const auto found = std::find_if(unread_.begin(), unread_.end(), [&](const CaptureOpened& capture) {
    return capture.written_as == written;
  });
  return found == unread_.end() ? nullptr : &*found;
}

std::optional<Finding> FullChannelWatch::look(Pid pid) {
  if (unread_.empty()) return std::nullopt;
  const std::vector<Thread> threads = threads_of(pid);
  const auto writer = std::find_if(threads.begin(), threads.end(), is_write);
  const CaptureOpened* capture = writer == threads.end() ? nullptr : unread(pid, *writer);
  if (capture == nullptr) {
    seen_.erase(pid);
    return std::nullopt;
  }
  auto [entry, is_new] = seen_.try_emplace(pid, Suspicion{*writer, monotonic_now(), 0, false});
  Suspicion& suspicion = entry->second;
  if (!same_call(suspicion.thread, *writer)) suspicion = {*writer, monotonic_now(), 0, false};
  if (suspicion.told || ++suspicion.looks < 2) return std::nullopt;
  const bool proved = threads.size() == 1 && only_reader(*capture);
  if (!proved && monotonic_now() - suspicion.since < unproved_after) return std::nullopt;
  suspicion.told = true;
  return Finding{"pipe-write", proved, suspicion.since, explain(*capture, *writer)};
}

}  // namespace forkproof::observe
