#include "harness/run/identity.h"

#include <sys/random.h>

#include <fmt/format.h>

#include "harness/core/error.h"
#include "harness/core/history.h"

namespace forkproof::run {
namespace {

/// FNV-1a, 64 bits: the same on every machine, which std::hash is not. Names things; guards nothing.
class Digest {
 public:
  void add(std::string_view text) {
    for (const char each : text) step(static_cast<unsigned char>(each));
    step(0xff);  // in no UTF-8: "ab" and "c" are not "a" and "bc"
  }
  [[nodiscard]] std::string text() const { return fmt::format("{:016x}", hash_); }

 private:
  void step(unsigned char byte) { hash_ = (hash_ ^ byte) * 0x100000001b3U; }
  std::uint64_t hash_ = 0xcbf29ce484222325U;
};

}  // namespace

std::string plan_id(const std::vector<Cell>& cells, std::uint64_t runs) {
  Digest digest;
  digest.add(std::to_string(runs));
  for (const Cell& cell : cells) {
    digest.add(to_document(cell.one));
    for (const std::string& promise : cell.expected) digest.add(promise);
  }
  return digest.text();
}

std::string plan_id(const std::string& described) {
  Digest digest;
  digest.add(described);
  return digest.text();
}

std::string fresh_run_id() {
  std::uint64_t bits = 0;
  if (::getrandom(&bits, sizeof bits, 0) != sizeof bits) fail("getrandom");
  return fmt::format("{:016x}", bits);
}

}  // namespace forkproof::run
