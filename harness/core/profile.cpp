#include "harness/core/profile.h"

#include <algorithm>
#include <array>

namespace forkproof {
namespace {

#define FORKPROOF_KNOB(Enum, field, key, about) constexpr KnobValue values_of_##Enum[] = {
#define FORKPROOF_VALUE(Enum, enumerator, word, worth, about, source) {word, Worth::worth, about, source},
#define FORKPROOF_KNOB_END(Enum) \
  }                              \
  ;
#include "harness/core/knobs.def"
#undef FORKPROOF_KNOB
#undef FORKPROOF_VALUE
#undef FORKPROOF_KNOB_END

constexpr Knob all_knobs[] = {
#define FORKPROOF_KNOB(Enum, field, key, about)                                              \
  {key, about, values_of_##Enum, [](const Profile& p) { return static_cast<std::size_t>(p.field); }, \
   [](Profile& p, std::size_t index) { p.field = static_cast<Enum>(index); }},
#define FORKPROOF_VALUE(...)
#define FORKPROOF_KNOB_END(Enum)
#include "harness/core/knobs.def"
#undef FORKPROOF_KNOB
#undef FORKPROOF_VALUE
#undef FORKPROOF_KNOB_END
};

}  // namespace

#define FORKPROOF_KNOB(Enum, field, key, about) \
  std::string_view word(Enum value) { return values_of_##Enum[static_cast<std::size_t>(value)].word; }
#define FORKPROOF_VALUE(...)
#define FORKPROOF_KNOB_END(Enum)
#include "harness/core/knobs.def"
#undef FORKPROOF_KNOB
#undef FORKPROOF_VALUE
#undef FORKPROOF_KNOB_END

std::span<const Knob> knobs() { return all_knobs; }

Nanos declared_teardown(const Profile& profile) {
  Nanos sum = profile.stop_delay * static_cast<Nanos::rep>(profile.stop_signals.size());
  if (profile.on_cleanup_timeout != CleanupTimeout::wait_for_ever) sum += profile.socket_cleanup;
  return scaled(sum, profile.time_scale);
}

HttpPause http_pause(const Profile& profile, int attempt) {
  Nanos most = profile.http_retry_first;
  for (int i = 1; i < attempt && most < profile.http_retry_most; ++i) most *= 2;
  most = std::min(most, profile.http_retry_most);
  return {std::min(profile.http_retry_first, most), most};
}

Nanos declared_server_patience(const Profile& profile) {
  Nanos one_heartbeat = profile.heartbeat_interval + profile.http_timeout * profile.http_attempts;
  for (int attempt = 1; attempt < profile.http_attempts; ++attempt) {
    one_heartbeat += http_pause(profile, attempt).most;
  }
  return scaled(one_heartbeat * profile.max_failed_heartbeats, profile.time_scale);
}

}  // namespace forkproof
