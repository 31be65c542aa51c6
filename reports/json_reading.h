#pragma once
#include <string_view>

#include "harness/core/summary.h"

namespace forkproof::reports {

/// What format `json` has written, as it was: written again it is the same document. Of the cases only what reports tell is
/// in it (names, question, seed), and whole cases where there is an exhibit. BadInput, without the file's name, for
/// anything else; of what was merged only the parts are believed.
RunSummary read_json(std::string_view text);

}  // namespace forkproof::reports
