#pragma once
#include <vector>

#include "harness/core/event.h"

namespace forkproof::observe {

/// Everybody but its opener and the caller who holds a supervisor's listening socket, by its name in
/// /proc/PID/fd.
std::vector<DescriptorHeld> holders_of(const ListenerOpened& listener);

/// Whether the port can be bound again, with SO_REUSEADDR, so that only a living listener is in the way.
ProbeMade probe_bind(int port);
/// Whether a connection to the port is refused, as it should be when nobody is there to take it.
ProbeMade probe_connect(int port);

}  // namespace forkproof::observe
