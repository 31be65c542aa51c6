#include "harness/run/subject_io.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "harness/core/error.h"
#include "harness/core/task_letters.h"

namespace forkproof::run {
namespace {

/// One message on the report channel: a fault's descriptor (in the ancillary data), or a step that failed.
struct Report {
  std::int32_t fault = -1;
  std::int32_t error = 0;
  char step[200] = {};
};

constexpr Nanos look_whether_opened = std::chrono::milliseconds(5);

void make_pipe(Fd* reader, Fd* writer) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail("pipe2 for the subject's output");
  reader->reset(ends[0]), writer->reset(ends[1]);
}

bool any_output(const TaskNode& node) {
  return letters_of(node) > 0 || std::any_of(node.children.begin(), node.children.end(), any_output);
}

void never_block(const Fd& fd) { ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK); }

union Ancillary {
  char space[CMSG_SPACE(sizeof(int))];
  cmsghdr aligned;
};

}  // namespace

SubjectIo::SubjectIo(const Case& one, const faults::Stage& stage) {
  const bool captures = std::holds_alternative<Command>(one.subject);
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) fail("socketpair for the subject's start");
  report_.reset(ends[0]), report_writer_.reset(ends[1]);
  if (stage.terminal) open_terminal();
  else if (captures) make_pipe(&output_reader_, &output_writer_);
  has_task_output_ = captures && !stage.own_stdout && any_output(one.tree);
  if (stage.own_stdout) make_pipe(&stdout_reader_, &stdout_writer_);
}

void SubjectIo::open_terminal() {
  terminal_.reset(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal_ || ::unlockpt(terminal_.get()) != 0) fail("a pty for the subject");
  terminal_slave_.reset(::ioctl(terminal_.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal_slave_) fail("the subject's end of its pty");
}

void SubjectIo::take_subjects_ends() {
  ::setsid();
  const Fd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  int stdio[3] = {nothing.get(), nothing.get(), -1};  // a model supervisor complains where the warden does
  if (output_writer_) stdio[1] = stdio[2] = output_writer_.get();
  if (stdout_writer_) stdio[1] = stdout_writer_.get();
  if (terminal_slave_) {
    if (::ioctl(terminal_slave_.get(), TIOCSCTTY, 0) != 0) fail("the pty as controlling terminal");
    for (int& each : stdio) each = terminal_slave_.get();
  }
  for (int fd = 0; fd < 3; ++fd) {
    if (stdio[fd] >= 0 && ::dup2(stdio[fd], fd) < 0) fail("dup2 of the subject's stdio");
  }
}

void SubjectIo::pass_on(std::size_t fault, int fd) const {
  Report report;
  report.fault = static_cast<std::int32_t>(fault);
  iovec part{&report, sizeof report};
  Ancillary ancillary{};
  msghdr message{};
  message.msg_iov = &part, message.msg_iovlen = 1;
  message.msg_control = &ancillary, message.msg_controllen = sizeof ancillary;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET, header->cmsg_type = SCM_RIGHTS, header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  if (::sendmsg(report_writer_.get(), &message, MSG_NOSIGNAL) < 0) fail("pass a descriptor to the warden");
}

void SubjectIo::complain_of(const std::string& step, int error) const {
  Report report;
  report.error = error;
  std::strncpy(report.step, step.c_str(), sizeof report.step - 1);
  ::send(report_writer_.get(), &report, sizeof report, MSG_NOSIGNAL);
}

void SubjectIo::watch(arena::Warden& warden, Told told) {
  warden_ = &warden;
  told_ = std::move(told);
  output_writer_.reset(), stdout_writer_.reset(), terminal_slave_.reset(), report_writer_.reset();
  never_block(report_);
  warden.watch(report_.get(), [this] { hear(); });
  if (output_reader_) {
    never_block(output_reader_);
    warden.watch(output_reader_.get(), [this] { drain(output_reader_); });
  }
  if (!terminal_) return;
  never_block(terminal_);
  read_terminal();
}

void SubjectIo::forget(Fd& fd) {
  if (!fd) return;
  warden_->unwatch(fd.get());
  fd.reset();
}

/// One message. False when there is none, or will be none any more: the subject's process is the subject now, or dead.
bool SubjectIo::hear() {
  if (!report_) return false;
  Report report;
  iovec part{&report, sizeof report};
  Ancillary ancillary{};
  msghdr message{};
  message.msg_iov = &part, message.msg_iovlen = 1;
  message.msg_control = &ancillary, message.msg_controllen = sizeof ancillary;
  const ssize_t got = ::recvmsg(report_.get(), &message, MSG_CMSG_CLOEXEC);
  if (got < 0) return false;
  if (got == 0) return forget(report_), false;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_type == SCM_RIGHTS) {
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
    told_.passed_on(static_cast<std::size_t>(report.fault), Fd(fd));
  } else {
    report.step[sizeof report.step - 1] = '\0';
    told_.not_started({report.step, report.error});
  }
  return true;
}

/// False, with errno, when there was none.
bool SubjectIo::read_block(int fd) {
  static char block[65'536];
  const ssize_t got = ::read(fd, block, sizeof block);
  if (got == 0) errno = 0;
  if (got <= 0) return false;
  const std::string_view text(block, static_cast<std::size_t>(got));
  bytes_ += text.size();
  tail_.append(text);
  crash_scan_.read(text, monotonic_now());
  const bool had_some = task_output_.bytes() > 0;
  if (has_task_output_) task_output_.read(text);
  if (!had_some && task_output_.bytes() > 0 && told_.task_output) told_.task_output(task_output_.bytes());
  if (tail_.size() > tail_size) tail_.erase(0, tail_.size() - tail_size);
  return true;
}

/// One block. False when there is nothing more to be had now.
bool SubjectIo::drain(Fd& from) {
  if (!from) return false;
  if (read_block(from.get())) return true;
  if (errno != EAGAIN && errno != EINTR) forget(from);
  return false;
}

/// EIO of a pty master: nobody has the terminal open just now. It can be opened again (/dev/tty, its name in /dev/pts), and
/// its keys still signal the foreground group. EPOLLHUP would be told without end meanwhile, so a timer looks again.
void SubjectIo::read_terminal() {
  if (!terminal_) return;
  const bool nobody_has_it = !read_block(terminal_.get()) && errno == EIO;
  if (nobody_has_it) return rest_until_opened();
  if (std::exchange(terminal_watched_, true)) return;
  warden_->watch(terminal_.get(), [this] { read_terminal(); });
}

void SubjectIo::rest_until_opened() {
  if (std::exchange(terminal_watched_, false)) warden_->unwatch(terminal_.get());
  warden_->call_at(monotonic_now() + look_whether_opened, [this] { read_terminal(); });
}

void SubjectIo::read_now() {
  while (hear()) {
  }
  // Whoever still writes does not end this: 16 blocks are more than a pipe holds.
  for (int i = 0; i < 16 && drain(output_reader_); ++i) {
  }
  for (int i = 0; i < 16 && terminal_ && read_block(terminal_.get()); ++i) {
  }
}

std::optional<std::uint64_t> SubjectIo::task_output() const {
  return has_task_output_ ? std::optional(task_output_.bytes()) : std::nullopt;
}

void SubjectIo::close_terminal() {
  if (std::exchange(terminal_watched_, false)) warden_->unwatch(terminal_.get());
  terminal_.reset();
}

}  // namespace forkproof::run
