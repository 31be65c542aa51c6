#include "harness/run/gate.h"

#include <poll.h>

#include <algorithm>
#include <tuple>

namespace forkproof::run {
namespace {

constexpr Nanos between_looks = std::chrono::microseconds(50);  // and the kernel's timer slack

/// Whoever announced it is dead, and the kernel has closed its end.
bool is_gone(const arena::Message& message) {
  pollfd end{message.connection.get(), 0, 0};
  return ::poll(&end, 1, 0) > 0 && (end.revents & (POLLHUP | POLLERR)) != 0;
}

}  // namespace

void Gate::arrive(arena::Message message, const Orders& orders, WaitingAt who) {
  const auto place = [](const WaitingAt& each) { return std::tuple(each.node, each.pid); };
  const auto after = std::find_if(waiting_.begin(), waiting_.end(),
                                  [&](const Waiting& other) { return place(who) < place(other.who); });
  waiting_.insert(after, {std::move(message), orders, std::move(who)});
  since_ = monotonic_now();
}

void Gate::ended(Pid pid) {
  std::erase_if(waiting_, [pid](const Waiting& each) { return each.who.pid == pid; });
}

std::optional<Nanos> Gate::look() {
  if (waiting_.empty()) return std::nullopt;
  const auto seen = quiet_.look();
  const bool late = quiet_.busiest() > longest_run || monotonic_now() - since_ > longest_wait;
  if (seen != observe::Quiet::Seen::at_rest && !late) return seen == observe::Quiet::Seen::blocked ? Nanos{} : between_looks;
  drop_the_dead();
  if (waiting_.empty()) return std::nullopt;
  let_one_go(seen == observe::Quiet::Seen::at_rest);
  if (waiting_.empty()) return std::nullopt;
  return between_looks;
}

void Gate::drop_the_dead() {
  std::erase_if(waiting_, [](const Waiting& each) { return is_gone(each.message); });
}

void Gate::let_one_go(bool settled) {
  std::string letters;  // of several processes that play one node the first stands for all
  for (const Waiting& each : waiting_) {
    const char letter = letter_of(each.who.node);
    if (letters.empty() || letters.back() != letter) letters += letter;
  }
  const char chosen = pick_.next(letters);
  Scheduled step;
  step.step = pick_.steps(), step.decision = letters.size() > 1 ? pick_.decisions() : 0;
  step.letter = std::string(1, chosen), step.settled = settled;
  for (const Waiting& each : waiting_) step.waiting.push_back(each.who);
  const auto goes = std::find_if(waiting_.begin(), waiting_.end(),
                                 [chosen](const Waiting& each) { return letter_of(each.who.node) == chosen; });
  const Waiting gone = std::move(*goes);
  waiting_.erase(goes);
  step.pid = gone.who.pid, step.role = gone.who.role, step.point = gone.who.point;
  told_(std::move(step), monotonic_now() - since_);  // before what it does next
  quiet_.forget();
  since_ = monotonic_now();
  gone.message.answer(gone.orders);
}

}  // namespace forkproof::run
