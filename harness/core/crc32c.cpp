#include "harness/core/crc32c.h"

#include <array>

namespace forkproof {
namespace {

constexpr std::uint32_t reversed_polynomial = 0x82f63b78;

/// tables[0] takes one byte; tables[n] takes one byte that n more bytes follow. So eight bytes are one step.
constexpr auto tables = [] {
  std::array<std::array<std::uint32_t, 256>, 8> made{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) rest = rest >> 1 ^ ((rest & 1U) != 0 ? reversed_polynomial : 0);
    made[0][byte] = rest;
  }
  for (std::size_t table = 1; table < made.size(); ++table) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t shorter = made[table - 1][byte];
      made[table][byte] = shorter >> 8 ^ made[0][shorter & 0xffU];
    }
  }
  return made;
}();

std::uint32_t four_bytes(std::string_view bytes, std::size_t from) {
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < 4; ++i) word |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[from + i])) << 8 * i;
  return word;
}

}  // namespace

std::uint32_t crc32c(std::uint32_t before, std::string_view bytes) {
  std::uint32_t crc = ~before;
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    const std::uint32_t low = crc ^ four_bytes(bytes, 0), high = four_bytes(bytes, 4);
    crc = tables[7][low & 0xffU] ^ tables[6][low >> 8 & 0xffU] ^ tables[5][low >> 16 & 0xffU] ^ tables[4][low >> 24] ^
          tables[3][high & 0xffU] ^ tables[2][high >> 8 & 0xffU] ^ tables[1][high >> 16 & 0xffU] ^ tables[0][high >> 24];
  }
  for (const char byte : bytes) crc = crc >> 8 ^ tables[0][(crc ^ static_cast<unsigned char>(byte)) & 0xffU];
  return ~crc;
}

}  // namespace forkproof
