#pragma once
#include <cstdint>

namespace forkproof::reports {

/// Of the JSON result: `schema_version` in it, and in reports/result.schema.json. It grows when a key goes away or changes its
/// meaning; a new key alone does not change it.
inline constexpr std::uint64_t schema_version = 1;

}  // namespace forkproof::reports
