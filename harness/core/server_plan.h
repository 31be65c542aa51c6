#pragma once
#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace forkproof {

/// What the server does with a request. All but the first are ways in which no proper reply comes.
enum class ReplyKind : std::uint8_t {
  status,      ///< a proper HTTP reply
  reset,       ///< the connection is reset (RST)
  hang,        ///< nothing, ever; the connection stays open
  late,        ///< a proper reply, when the client has given up waiting for it
  garbage,     ///< bytes that are no HTTP
  half_close,  ///< the server closes its direction and says nothing
};
std::string_view word(ReplyKind kind);
std::optional<ReplyKind> reply_kind_from(std::string_view word);

/// One reply; a plain number is the status of a proper one.
struct PlannedReply {
  int status = 204;
  ReplyKind kind = ReplyKind::status;

  PlannedReply(int proper = 204, ReplyKind how = ReplyKind::status) : status(proper), kind(how) {}
  /// No reply will come before the client gives up: waiting for it longer cannot help.
  [[nodiscard]] bool never_in_time() const { return kind == ReplyKind::hang || kind == ReplyKind::late; }
  friend bool operator==(const PlannedReply&, const PlannedReply&) = default;
};

/// What the heartbeat server answers. A value, made on the stage before anything runs.
struct ServerPlan {
  bool wanted = true;
  PlannedReply heartbeat_status;                ///< to each heartbeat without an entry below
  std::map<int, PlannedReply> from_heartbeat;   ///< from the n-th heartbeat on; 3 -> 409 is the plan 204,204,409
  PlannedReply run_status;                      ///< PATCH /run: the task starts
  PlannedReply state_status;                    ///< PATCH /state: the final state

  /// A moment that is not known beforehand: set by the warden, read by the server, in memory that both share. Every
  /// heartbeat from then on is answered so. Null: there is none.
  const std::atomic<bool>* moment = nullptr;
  PlannedReply from_moment;

  [[nodiscard]] PlannedReply heartbeat(int number) const {
    if (moment != nullptr && moment->load()) return from_moment;
    const auto next = from_heartbeat.upper_bound(number);
    return next == from_heartbeat.begin() ? heartbeat_status : std::prev(next)->second;
  }
  /// To the n-th request of one kind ("heartbeat", "run", "state"); anything else is not found.
  [[nodiscard]] PlannedReply to(std::string_view what, int number) const {
    if (what == "heartbeat") return heartbeat(number);
    if (what == "run") return run_status;
    if (what == "state") return state_status;
    return 404;
  }
};

}  // namespace forkproof
