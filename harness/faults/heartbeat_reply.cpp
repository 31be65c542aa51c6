// Fault `heartbeat-reply`: the server's plan holds a reply that tells the supervisor that the task is not its any
// more (airflow#65505: 409 to a heartbeat), refuses the task at once (airflow#47873: 401 to /run), or is no proper reply
// at all (a reset, a server that hangs). From the first such request on, every one of its kind is answered so.
//
// Established: the whole tree is up while the supervisor stands before the request that will be answered so. Without
// that, a slow machine would have the 409 arrive before there is a helper to orphan. A command tells no sync point: there
// the tree has to be up when the request comes.
#include <sys/mman.h>

#include <atomic>
#include <cstdio>
#include <new>
#include <utility>

#include <fmt/format.h>

#include "harness/core/error.h"
#include "harness/core/sync_point.h"
#include "harness/faults/fault.h"

namespace forkproof::faults {
namespace {

constexpr Setting heartbeat_reply_settings[] = {
    {.key = "status", .is_number = true, .required = false, .about = "the HTTP status of the reply, which is no success", .least = 300, .most = 599},
    {.key = "reply", .is_number = false, .required = false,
     .about = "instead of a status: reset, hang, late (when the client has given up), garbage, half-close",
     .words = "reset hang late garbage half-close"},
    {.key = "after", .is_number = false, .required = false,
     .about = "\"heartbeat N\": the first N are answered 204; \"start\": the request to start the task is answered so; "
              "\"output\": from when the task has written all its output, or is stuck",
     .examples = "heartbeat 0|heartbeat 1|heartbeat 2|heartbeat 5|start|output"},
    {.key = "asks_teardown", .is_number = false, .required = false,
     .about = "whether a command owes its end from then on (where nothing is said: after 404, 409 and 410 to a heartbeat, and "
              "after 4xx but 408, 425 and 429 to the start)",
     .words = "true false"},
};

constexpr int most_heartbeats = 1000;

/// Whether such a reply tells a task runner to stop. An error of the server's asks nobody to end.
bool asks_to_stop(const std::string& request, const PlannedReply& reply) {
  const int status = reply.status;
  if (reply.kind != ReplyKind::status) return false;
  if (request != "run") return status == 404 || status == 409 || status == 410;
  return status >= 400 && status < 500 && status != 408 && status != 425 && status != 429;
}

/// Which request is answered with the fault's status: "run" or the n-th "heartbeat". Number 0: no such setting.
/// "output": heartbeats from a moment on that only the run brings.
struct Struck {
  std::string request = "heartbeat";
  int number = 1;
};
Struck struck_by(const FaultSpec& spec) {
  const std::string after = spec.word("after", "heartbeat 0");
  if (after == "start") return {"run", 1};
  if (after == "output") return {"output", 1};
  int heartbeats = -1, used = 0;
  const bool whole = std::sscanf(after.c_str(), "heartbeat %d%n", &heartbeats, &used) == 1 &&
                     static_cast<std::size_t>(used) == after.size();
  const bool sane = whole && heartbeats >= 0 && heartbeats <= most_heartbeats;
  return {"heartbeat", sane ? heartbeats + 1 : 0};
}

/// A flag that the warden sets and the server sees: made before both are forked.
class SharedFlag {
 public:
  SharedFlag() : page_(::mmap(nullptr, sizeof(std::atomic<bool>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
    if (page_ == MAP_FAILED) fail("mmap of a shared flag");
    new (page_) std::atomic<bool>(false);
  }
  ~SharedFlag() { ::munmap(page_, sizeof(std::atomic<bool>)); }
  SharedFlag(const SharedFlag&) = delete;
  SharedFlag& operator=(const SharedFlag&) = delete;
  std::atomic<bool>& operator*() const { return *static_cast<std::atomic<bool>*>(page_); }

 private:
  void* page_;
};

class HeartbeatReply final : public Fault {
 public:
  explicit HeartbeatReply(const FaultSpec& spec)
      : reply_(static_cast<int>(spec.number("status", 204)),
               reply_kind_from(spec.word("reply", "status")).value_or(ReplyKind::status)),
        request_(struck_by(spec).request),
        number_(struck_by(spec).number),
        asks_(spec.word("asks_teardown", asks_to_stop(request_, reply_) ? "true" : "false") == "true") {}

  void set_stage(Stage& stage) override {
    stage.server.wanted = true;
    if (request_ == "run") {
      stage.server.run_status = reply_;
      return;
    }
    if (request_ == "output") {
      stage.server.from_moment = reply_;
      stage.server.moment = &*moment_;
      return;
    }
    stage.server.from_heartbeat[number_] = reply_;
    stage.holds.push_back({"supervisor", point::heartbeat, number_, "", "ready"});
  }

  [[nodiscard]] bool strikes_at_rest() const override { return false; }

  void see(const Event& event, Strike& strike) override {
    if (request_ == "output") return see_output(event, strike);
    if (const auto* tree = event.as<TreeReady>()) nodes_ = tree->nodes;
    const auto* reached = event.as<SyncPointReached>();
    due_ |= reached != nullptr && request_ == "heartbeat" && reached->role == "supervisor" &&
            reached->point == point::heartbeat && reached->number == number_ && !reached->held;
    if (const auto* stuck = event.as<Stuck>()) stuck_ = stuck->role;
    if (due_ && !stuck_.empty()) {
      establish(strike, fmt::format("{} is stuck, so no more will come up before heartbeat {}", stuck_, number_));
    }
    if (due_ && nodes_ > 0) {
      establish(strike, fmt::format("the tree's {} nodes are up before heartbeat {}", nodes_, number_));
    }
    see_task_die_first(event, strike);
    const auto* request = event.as<Request>();
    if (request != nullptr && request_ == "run" && request->what == "run") {
      establish(strike, "the supervisor has asked to start the task");
    }
    const auto* reply = event.as<Reply>();
    if (reply == nullptr || reply->what != request_ || reply->number != number_) return;
    // A command is not held at its heartbeats: it has come so far by itself, or not.
    if (request_ == "heartbeat" && nodes_ > 0) {
      establish(strike, fmt::format("the tree's {} nodes were up when heartbeat {} came", nodes_, number_));
    }
    strike_with(*reply, strike);
  }

 private:
  void see_output(const Event& event, Strike& strike) {
    const auto* counted = event.as<OutputCounted>();
    if (counted != nullptr && counted->end == "written") {
      establish(strike, fmt::format("the task has written all its {} bytes", counted->bytes));
    }
    if (const auto* stuck = event.as<Stuck>()) establish(strike, stuck->role + " is stuck");
    if (!established_) return;
    (*moment_).store(true);
    const auto* reply = event.as<Reply>();
    if (reply == nullptr || reply->what != "heartbeat" || reply->how != word(reply_.kind)) return;
    if (reply_.kind != ReplyKind::status || reply->status == reply_.status) strike_with(*reply, strike);
  }

  void strike_with(const Reply& reply, Strike& strike) {
    const std::string what =
        reply_.kind == ReplyKind::status
            ? fmt::format("{} {} was answered {}", reply.what, reply.number, reply_.status)
            : fmt::format("{} {} was not answered properly: {}", reply.what, reply.number, word(reply_.kind));
    if (std::exchange(fired_, true)) return;
    strike.fired(what);
    strike.asks_teardown(what, asks_ ? cause::asked : cause::not_asked);
  }

  /// A task that crashed before the tree was up: it will be asked for no more heartbeats, and there is nothing to revoke.
  void see_task_die_first(const Event& event, Strike& strike) {
    const auto* spawned = event.as<Spawned>();
    if (spawned != nullptr && spawned->node == 0) task_ = spawned->pid;
    const auto* exited = event.as<Exited>();
    if (exited == nullptr || exited->pid != task_ || request_ != "heartbeat" || nodes_ > 0) return;
    if (std::exchange(fired_, true)) return;
    establish(strike, fmt::format("{} ended ({}) before heartbeat {} could be due", exited->role, exited->status.text(), number_));
    strike.fired("nothing was left to revoke");
  }

  void establish(Strike& strike, const std::string& proof) {
    // Marked first: what is told comes back here as an event.
    if (!std::exchange(established_, true)) strike.established(proof);
  }

  PlannedReply reply_;
  std::string request_;
  int number_;
  bool asks_;
  int nodes_ = 0;      // that are up, once all are
  std::string stuck_;  // who cannot come up
  bool due_ = false;   // the supervisor stands before the request
  bool established_ = false, fired_ = false;
  SharedFlag moment_;
  Pid task_ = 0;
};

}  // namespace

std::span<const Setting> settings_of_heartbeat_reply() { return heartbeat_reply_settings; }
std::string check_heartbeat_reply(const FaultSpec& spec) {
  if (spec.delay > Nanos{}) return "delay_s: it strikes when a request comes; `after` says which";
  if (spec.settings.contains("status") == spec.settings.contains("reply")) {
    return "wants either a status or a reply (reset, hang, late, garbage, half-close)";
  }
  if (struck_by(spec).number > 0) return {};
  return "after = \"" + spec.word("after", "") + "\" is none of \"start\", \"output\" and \"heartbeat N\" with N from 0 to 1000";
}
std::unique_ptr<Fault> make_heartbeat_reply(const FaultSpec& spec) { return std::make_unique<HeartbeatReply>(spec); }

}  // namespace forkproof::faults
