#pragma once
#include <string>
#include <vector>

#include "harness/run/plan.h"

namespace forkproof {

/// `--emit cpp[=PROMISE]`: writes the one cell as a C++ program (fuzz/emit_cpp.h) to `output` (empty: standard output),
/// compiles it with c++ and runs it 20 times, and says on standard error what came of that. The promise is the first that the
/// cell is expected to break, unless it is named. 0: it came out so every time; 1: it did not; 2: there is no c++ here.
int emit(const std::string& wanted, const std::vector<run::Cell>& cells, const std::string& output);

}  // namespace forkproof
