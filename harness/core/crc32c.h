#pragma once
#include <cstdint>
#include <string_view>

namespace forkproof {

/// CRC-32C (Castagnoli, as in iSCSI and ext4) of `bytes`, going on from the CRC of what stood before them; 0 at the start.
std::uint32_t crc32c(std::uint32_t before, std::string_view bytes);

}  // namespace forkproof
