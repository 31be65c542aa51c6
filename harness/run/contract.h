#pragma once
#include <map>
#include <string>
#include <vector>

#include "harness/arena/tier.h"

namespace forkproof::run {

/// What a child of one backend really starts with: each property's value as the child itself reads it. Empty with the
/// reason where the backend started none.
struct StartingState {
  std::string backend;
  std::map<std::string, std::string> values;
  std::string failure;
};

/// Measures it for each backend named, each in an arena of its own, out of one unusual parent
/// (fixtures/contract/starting_state.h). The SpawnSpec asks for nothing but stdio: the rest is the backend's own doing.
/// `program`: this program, which an exec'd child runs as `report-start`.
std::vector<StartingState> measure_contract(const std::vector<std::string>& backends, const arena::Provision& provision,
                                            const std::string& program);

}  // namespace forkproof::run
