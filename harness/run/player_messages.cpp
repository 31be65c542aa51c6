// What processes announce: that they are there, that they are up, where they are, and what has happened to them.
#include <unistd.h>

#include <cstring>

#include "harness/core/error.h"
#include "harness/observe/holders.h"
#include "harness/run/player_class.h"

namespace forkproof::run {
namespace {

/// Workers that end by themselves are to be seen replaced.
int enough_workers(const Case& one) { return profile_of(one)->workers * (one.tree.exits_after ? 2 : 1); }

}  // namespace

void Player::take_messages() {
  while (auto message = control_.take()) dispatch(std::move(*message));
}

void Player::dispatch(arena::Message message) {
  switch (message.head.kind) {
    case AnnounceKind::hello: return give_orders(message);
    case AnnounceKind::ready: return node_is_ready(message);
    case AnnounceKind::sync_point: return at_sync_point(std::move(message));
    case AnnounceKind::introduce:
      introduce(message.head.pid, observe::parent_of(message.head.pid), stranger_node, message.head.role,
                observe::open_pidfd(message.head.pid));
      return message.answer();
    case AnnounceKind::may_i: return asks_to_go_on(message);
    case AnnounceKind::signal_taken:
      return append_at(Nanos(message.head.at_ns), SignalTaken{message.pid, message.head.signal});
    case AnnounceKind::wrote:
      return append_at(Nanos(message.head.at_ns), OutputCounted{message.pid, "stdout", "written",
                                                                static_cast<std::uint64_t>(message.head.bytes)});
    case AnnounceKind::event: return happened(message);
  }
}

Process& Player::introduce(Pid pid, Pid parent, std::int32_t node, const std::string& role, Fd pidfd) {
  int error = 0;
  if (!pidfd) pidfd = observe::open_pidfd(pid), error = pidfd ? 0 : errno;  // once more, to know why
  Process& process = processes_.add({pid, parent, node, role, std::move(pidfd)});
  append(Spawned{pid, parent, node, role});
  strangers_.introduced(pid, parent, role);
  if (process.pidfd) warden_.watch(process.pidfd.get(), [this, pid] { ended(pid); });
  else if (error == ESRCH) record_end(process, std::nullopt);  // killed while its message was on the way, and the kernel kept no record
  else append(Trouble{"pidfd", error_text("of " + process.role, error)});  // it lives: that no descriptor is to be had ends nobody
  return process;
}

void Player::give_orders(arena::Message& message) {
  const auto node = static_cast<std::size_t>(message.head.node);
  if (node >= orders_.size()) return message.answer();
  Process* known = processes_.find(message.pid);
  const Pid parent = observe::parent_of(message.pid);
  if (known == nullptr) {
    if (is_command(part_.one)) said_hello(message, parent);
    introduce(message.pid, parent, message.head.node, orders_[node].role, message.open_pidfd());
    if (node == 0 && is_command(part_.one)) look_who_listens("start");
  }
  lets_go(std::move(message), "hello", orders_[node]);
}

/// Whoever starts the tree may start it again. One that does so has no end of its own: it is asked to end when the task
/// that it started again is up.
void Player::said_hello(const arena::Message& message, Pid parent) {
  const auto again = starts_.said_hello(message.head.node, message.pid, parent, Nanos(message.head.at_ns));
  if (!again) return;
  append_at(Nanos(message.head.at_ns), *again);
  if (message.head.node != 0 || !asked_by_the_tasks_end_) return;
  asked_by_the_tasks_end_ = teardown_asked_ = false;
  ++times_asked_;  // that deadline stands no more
  up_again_.emplace();
}

void Player::node_is_ready(arena::Message& message) {
  Process* known = processes_.find(message.pid);
  if (known == nullptr) {  // a double fork has changed the pid since the hello
    known = &introduce(message.pid, message.head.parent, message.head.node, message.head.role, message.open_pidfd());
  }
  const bool command = is_command(part_.one);
  const bool newly_up = command ? nodes_up_.insert(message.head.node).second : !known->ready;
  if (newly_up) ++nodes_ready_;
  known->ready = true;
  Ready ready{message.pid, message.head.node, message.head.parent, message.head.group, message.head.session};
  // It may be in a PID namespace of its own, and see itself by other numbers.
  if (const auto look = command ? observe::look_at(message.pid) : std::nullopt) {
    ready.parent = look->entry.parent, ready.group = look->entry.group, ready.session = look->entry.session;
  }
  append_at(Nanos(message.head.at_ns), ready);
  if (message.head.node == second_task_of(part_.one)) look_what_it_holds(message.pid);
  const std::int32_t node = message.head.node;
  lets_go(std::move(message), "ready");
  if (is_prefork(part_.one) && nodes_ready_ >= enough_workers(part_.one)) enough_seen("all its workers are up");
  const bool all_up_again = up_again_ && up_again_->insert(node).second && up_again_->size() == orders_.size();
  if (before_the_reload_) see_reload();
  else if (all_up_again) enough_seen("it has started its task again, and that is up");
  if (!newly_up || nodes_ready_ != static_cast<std::int32_t>(orders_.size())) return;
  if (command) look_who_listens("tree-ready");
  append(TreeReady{nodes_ready_});
  holds_.tree_is_settled("the whole tree is up");
}

/// The second task waits for an answer, so it is there to be looked at unless somebody has killed it; the capture was told
/// before it was spawned.
void Player::look_what_it_holds(Pid second_task) {
  if (!capture_ || capture_->written_as.empty()) return;
  const auto fd = observe::find_descriptor(second_task, capture_->written_as, observe::Access::writing);
  const auto look = fd ? std::nullopt : observe::look_at(second_task);
  if (!fd && (!look || look->entry.doomed)) return append(ProbeMade{"second task", "ended before anybody could look", true});
  if (!fd) return append(Trouble{"descriptors of the second task", "could not be looked at"});
  if (*fd >= 0) append(DescriptorHeld{second_task, *fd, "the write end of " + capture_->channel, capture_->by});
  append(ProbeMade{"descriptors of the second task", *fd < 0 ? "none of the first task's" : "one of the first task's", *fd < 0});
}

void Player::at_sync_point(arena::Message message) {
  const std::string role = message.head.role, point = message.head.point;
  if (message.head.node >= 0 && processes_.find(message.pid) == nullptr) {
    introduce(message.pid, observe::parent_of(message.pid), message.head.node, role, message.open_pidfd());  // between fork and exec
  }
  const std::int64_t number = holds_.count(role, point);
  const HoldRule* rule = holds_.rule_for(role, point, number);
  append_at(Nanos(message.head.at_ns), SyncPointReached{message.pid, role, point, number, rule != nullptr});
  if (rule != nullptr) holds_.hold(std::move(message), rule);
  else lets_go(std::move(message), point);
  holds_.point_reached(role, point);
}

/// A loop is not held but sent round again, since others may need it to serve them before the rule can be fulfilled: a
/// supervisor held at its heartbeat would keep a task waiting whose start it is to wait for.
void Player::asks_to_go_on(const arena::Message& message) {
  const std::string role = message.head.role, point = message.head.point;
  const std::int64_t number = holds_.next(role, point);
  Orders answer;
  answer.granted = holds_.rule_for(role, point, number) == nullptr;
  if (answer.granted || put_off_.insert({role, point, number}).second) {
    append_at(Nanos(message.head.at_ns), SyncPointReached{message.pid, role, point, number, !answer.granted});
  }
  if (answer.granted) holds_.count(role, point);
  message.answer(answer);
  if (answer.granted) holds_.point_reached(role, point);
}

void Player::released(arena::Message message, const std::string& because) {
  const std::string point = message.head.point;
  append(SyncPointReleased{message.pid, message.head.role, point, because});  // first: what it does next comes after it
  lets_go(std::move(message), point);
}

/// At once, or in the order of the case's schedule. Servers are no part of it: they only do what they are asked to.
void Player::lets_go(arena::Message message, const std::string& point, const Orders& answer) {
  const std::int32_t node = message.head.node;
  if (!gate_ || (node < 0 && std::strcmp(message.head.role, supervisor_role) != 0)) return message.answer(answer);
  const auto place = static_cast<std::size_t>(node);
  const std::string role = node >= 0 && place < orders_.size() ? orders_[place].role : message.head.role;
  const Pid pid = message.pid;
  gate_->arrive(std::move(message), answer, {pid, node, role, point});
  warden_.call_when_idle();
}

void Player::happened(const arena::Message& message) {
  try {
    Happening what = happening_from(message.payload);
    // Who speaks is the kernel's word, not the speaker's.
    std::visit(
        [&message](auto& event) {
          if constexpr (requires { event.by; } && !requires { event.by.count(); }) event.by = message.pid;
        },
        what);
    if (const auto* opened = std::get_if<CaptureOpened>(&what)) {
      watch_.captured(*opened);
      capture_ = *opened;
    }
    // Also of a task that was killed before anybody here had heard of it: no more of its tree will come up.
    if (std::holds_alternative<StateConcluded>(what)) holds_.tree_is_settled("the supervisor has come to its final state");
    if (const auto* opened = std::get_if<ListenerOpened>(&what)) listener_ = *opened;
    append_at(Nanos(message.head.at_ns), std::move(what));
  } catch (const std::exception& error) {
    append(Trouble{"control socket", error.what()});
  }
}

}  // namespace forkproof::run
