#include "harness/observe/ways/signal_trace.h"

#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>

#include "harness/core/error.h"

namespace forkproof::observe {
namespace {

constexpr std::size_t ring_pages = 16;  // a power of two; about 900 signals a processor until somebody reads

/// tracefs as nobody has mounted it: no file system anywhere changes (`man 2 fsopen` of newer systems).
Fd detached_tracefs() {
  const Fd context(static_cast<int>(::syscall(SYS_fsopen, "tracefs", 1U /* FSOPEN_CLOEXEC */)));
  if (!context || ::syscall(SYS_fsconfig, context.get(), 6U /* FSCONFIG_CMD_CREATE */, nullptr, nullptr, 0) != 0) return {};
  return Fd(static_cast<int>(::syscall(SYS_fsmount, context.get(), 1U /* FSMOUNT_CLOEXEC */, 0U)));
}

std::string read_from(const Fd& folder, const char* path) {
  const Fd file(::openat(folder.get(), path, O_RDONLY | O_CLOEXEC));
  char text[4096];
  const ssize_t got = file ? ::read(file.get(), text, sizeof text) : -1;
  return got > 0 ? std::string(text, static_cast<std::size_t>(got)) : std::string();
}

/// "	field:int sig;	offset:8;	size:4;	signed:1;"
int offset_of(const std::string& format, const char* field) {
  const std::size_t at = format.find(field);
  int offset = -1;
  if (at != std::string::npos) std::sscanf(format.c_str() + at + std::strlen(field), "; offset:%d", &offset);
  return offset;
}

Fd open_on(int processor, std::uint64_t tracepoint) {
  perf_event_attr attributes{};
  attributes.size = sizeof attributes;
  attributes.type = PERF_TYPE_TRACEPOINT;
  attributes.config = tracepoint;
  attributes.sample_period = 1;
  attributes.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_RAW;
  attributes.use_clockid = 1, attributes.clockid = CLOCK_MONOTONIC;
  attributes.wakeup_events = 1;
  return Fd(static_cast<int>(::syscall(SYS_perf_event_open, &attributes, -1, processor, -1, PERF_FLAG_FD_CLOEXEC)));
}

std::size_t page_size() { return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)); }

template <class T>
T value_at(const unsigned char* bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes + offset, sizeof value);
  return value;
}

}  // namespace

SignalTrace::SignalTrace() {
  open();
  if (!refusal_.empty()) processors_.clear();
}

void SignalTrace::open() {
  const Fd tracefs = detached_tracefs();
  if (!tracefs) return void(refusal_ = error_text("tracefs"));
  const std::string id = read_from(tracefs, "events/signal/signal_generate/id");
  const std::string format = read_from(tracefs, "events/signal/signal_generate/format");
  format_ = {offset_of(format, "int sig"), offset_of(format, "int code"), offset_of(format, "pid_t pid")};
  if (id.empty() || format_.sig < 0 || format_.code < 0 || format_.pid < 0) return void(refusal_ = "this kernel has no tracepoint signal_generate");
  for (int processor = 0; processor < ::sysconf(_SC_NPROCESSORS_CONF); ++processor) {
    Fd event = open_on(processor, std::strtoull(id.c_str(), nullptr, 10));
    if (!event && errno == ENODEV) continue;  // switched off
    if (!event) return void(refusal_ = error_text("perf_event_open"));
    // The kernel's word to a parent that a child has ended or stopped is no news.
    const std::string filter = "sig != " + std::to_string(SIGCHLD) + " || code <= 0";
    if (::ioctl(event.get(), PERF_EVENT_IOC_SET_FILTER, filter.c_str()) != 0) return void(refusal_ = error_text("perf filter"));
    processors_.push_back(std::move(event));
  }
}

SignalReader::SignalReader(const SignalTrace& trace) : trace_(trace) {
  for (const Fd& processor : trace.processors()) {
    void* ring = ::mmap(nullptr, (1 + ring_pages) * page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, processor.get(), 0);
    if (ring != MAP_FAILED) rings_.push_back(ring);
    else refusal_ = error_text("mmap of a perf event");
  }
}

SignalReader::~SignalReader() {
  for (void* ring : rings_) ::munmap(ring, (1 + ring_pages) * page_size());
}

/// One perf_event_header and what follows: pid, tid, time, the size of the raw record, the record.
void SignalReader::read_record(const unsigned char* record, std::size_t size, std::vector<SignalRecord>* into) {
  const auto type = value_at<std::uint32_t>(record, 0);
  if (type == PERF_RECORD_LOST) lost_ += value_at<std::uint64_t>(record, 16);
  constexpr std::size_t raw = sizeof(perf_event_header) + 4 + 4 + 8 + 4;
  const SignalFormat& format = trace_.format();
  const std::size_t last = static_cast<std::size_t>(std::max({format.sig, format.code, format.pid})) + 4;
  if (type != PERF_RECORD_SAMPLE || size < raw + last) return;
  const unsigned char* fields = record + raw;
  into->push_back({Nanos(value_at<std::int64_t>(record, sizeof(perf_event_header) + 8)),
                   value_at<std::int32_t>(record, sizeof(perf_event_header)),
                   value_at<std::int32_t>(fields, static_cast<std::size_t>(format.pid)),
                   value_at<std::int32_t>(fields, static_cast<std::size_t>(format.sig)),
                   value_at<std::int32_t>(fields, static_cast<std::size_t>(format.code))});
}

void SignalReader::take(const std::function<void(const SignalRecord&)>& tell) {
  std::vector<SignalRecord> records;
  const std::size_t bytes = ring_pages * page_size();
  for (void* ring : rings_) {
    auto* control = static_cast<perf_event_mmap_page*>(ring);
    const auto* data = static_cast<const unsigned char*>(ring) + page_size();
    const std::uint64_t head = std::atomic_ref(control->data_head).load(std::memory_order_acquire);
    std::uint64_t tail = control->data_tail;
    while (tail < head) {
      unsigned char record[512];
      const auto byte = [&](std::uint64_t at) { return data[at % bytes]; };  // a record may go round the ring's end
      const std::size_t size = byte(tail + 6) | static_cast<std::size_t>(byte(tail + 7)) << 8;
      if (size == 0) break;
      for (std::size_t i = 0; i < std::min(size, sizeof record); ++i) record[i] = byte(tail + i);
      if (size <= sizeof record) read_record(record, size, &records);
      tail += size;
    }
    std::atomic_ref(control->data_tail).store(tail, std::memory_order_release);
  }
  // Each processor keeps its own order.
  std::stable_sort(records.begin(), records.end(), [](const SignalRecord& a, const SignalRecord& b) { return a.at < b.at; });
  for (const SignalRecord& record : records) tell(record);
}

}  // namespace forkproof::observe
