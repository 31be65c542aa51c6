#pragma once
#include "harness/core/event.h"
#include "harness/core/sync_point.h"

namespace forkproof {

/// Tells the warden of a happening, in one message that is not answered. A warden that is gone is no error: whoever
/// tells goes on. What is larger than max_payload is told as a trouble. Allocates, so it is for supervisors and servers, not for a child between fork and exec.
void tell(const ControlAddress& control, const Happening& what);

}  // namespace forkproof
