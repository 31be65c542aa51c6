#pragma once
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/core/duration.h"

namespace forkproof {

#define FORKPROOF_KNOB(Enum, field, key, about) enum class Enum : std::uint8_t {
#define FORKPROOF_VALUE(Enum, enumerator, word, worth, about, source) enumerator,
#define FORKPROOF_KNOB_END(Enum) \
  };                             \
  std::string_view word(Enum value);
#include "harness/core/knobs.def"
#undef FORKPROOF_KNOB
#undef FORKPROOF_VALUE
#undef FORKPROOF_KNOB_END

/// One named set of supervisor policies: what the model supervisor does. A value; read from
/// `scenarios/profiles/`. Durations are the real constants of the source; `time_scale` scales all of them
/// together.
struct Profile {
  std::string name;
  std::string about;
  std::string source;

#define FORKPROOF_KNOB(Enum, field, key, about) Enum field{};
#define FORKPROOF_VALUE(...)
#define FORKPROOF_KNOB_END(Enum)
#include "harness/core/knobs.def"
#undef FORKPROOF_KNOB
#undef FORKPROOF_VALUE
#undef FORKPROOF_KNOB_END

  double time_scale = 0.002;
  std::vector<int> stop_signals{15, 9};  ///< the ladder, first to last
  Nanos stop_delay = std::chrono::seconds(5);        ///< after each signal of the ladder
  Nanos socket_cleanup = std::chrono::seconds(60);   ///< from the task's exit
  Nanos heartbeat_interval = std::chrono::seconds(5);
  Nanos heartbeat_timeout = std::chrono::seconds(300);
  int max_failed_heartbeats = 3;
  int http_attempts = 5;                             ///< for one request
  Nanos http_timeout = std::chrono::seconds(5);      ///< for one attempt
  Nanos http_retry_first = std::chrono::seconds(1);  ///< the least pause between two attempts, and the first
  Nanos http_retry_most = std::chrono::seconds(90);  ///< no pause is longer than this
  int workers = 1;                                   ///< of a prefork master
  Nanos respawn_delay = std::chrono::seconds(1);     ///< of a master that backs off: before the first replacement
  std::vector<int> revoked_statuses{404, 409};  ///< replies by which the server says: this task is not yours any more

  friend bool operator==(const Profile&, const Profile&) = default;
};

/// How long a teardown may take by the profile's own account: the sum of the waits that it declares
/// (harness/README.md, decision 9).
Nanos declared_teardown(const Profile& profile);
/// How long it may take, by the profile's own account, until it gives up on a server that answers no
/// heartbeat properly: all attempts of all heartbeats that may fail, with the pauses between them.
Nanos declared_server_patience(const Profile& profile);
/// The pause after a failed attempt, at the original's own pace: any time from `least` to `most`, all equally
/// likely.
struct HttpPause {
  Nanos least, most;
};
/// After the `attempt`-th, from 1: `most` doubles with each attempt, up to http_retry_most
/// (fixtures/supervisor/README.md: the real client took 38.4 to 46.7 s for 12 such pauses, two waits of 5 s
/// and 5 s for the kill).
HttpPause http_pause(const Profile& profile, int attempt);

enum class Worth : std::uint8_t { right, wrong, shape };

/// One row of knobs.def, for the profile reader and `repro list knobs`.
struct KnobValue {
  std::string_view word;
  Worth worth;
  std::string_view about;
  std::string_view source;
};
struct Knob {
  std::string_view key;
  std::string_view about;
  std::span<const KnobValue> values;
  /// The value's index in `values` as it stands in a profile, and back.
  std::size_t (*get)(const Profile&);
  void (*set)(Profile&, std::size_t);
};
std::span<const Knob> knobs();

}  // namespace forkproof
