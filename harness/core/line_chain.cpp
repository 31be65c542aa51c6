#include "harness/core/line_chain.h"

#include "harness/core/crc32c.h"

namespace forkproof {
namespace {

constexpr std::string_view before_sum = ",\"sum\":\"", after_sum = "\"}";
constexpr std::size_t digits = 8;
constexpr std::size_t seal_length = before_sum.size() + digits + after_sum.size();

std::string hexadecimal(std::uint32_t number) {
  std::string text(digits, '0');
  for (std::size_t i = digits; i-- > 0; number >>= 4) text[i] = "0123456789abcdef"[number & 0xfU];
  return text;
}

}  // namespace

std::string LineChain::sealed(std::string line) {
  line.resize(line.size() - 2);  // "}\n"
  state_ = crc32c(state_, line);
  line.append(before_sum).append(hexadecimal(state_)).append(after_sum).append("\n");
  return line;
}

bool LineChain::has_sum(std::string_view line) {
  if (line.size() < seal_length || !line.ends_with(after_sum)) return false;
  return line.substr(line.size() - seal_length).starts_with(before_sum);
}

bool LineChain::follows(std::string_view line) {
  broken_ = broken_ || !has_sum(line);
  if (broken_) return false;
  const std::string_view sum = line.substr(line.size() - digits - after_sum.size(), digits);
  state_ = crc32c(state_, line.substr(0, line.size() - seal_length));
  broken_ = sum != hexadecimal(state_);
  return !broken_;
}

}  // namespace forkproof
