#include "harness/faults/fault.h"

namespace forkproof::faults {

#define FORKPROOF_FAULT(name, key, in_subject, about)         \
  std::unique_ptr<Fault> make_##name(const FaultSpec& spec);  \
  std::string check_##name(const FaultSpec& spec);            \
  std::span<const Setting> settings_of_##name();
#include "harness/faults/faults.def"
#undef FORKPROOF_FAULT

std::span<const FaultRow> faults() {
  static const FaultRow rows[] = {
#define FORKPROOF_FAULT(name, key, in_subject, about) {key, about, in_subject, settings_of_##name(), check_##name, make_##name},
#include "harness/faults/faults.def"
#undef FORKPROOF_FAULT
  };
  return rows;
}

const FaultRow* find_fault(std::string_view key) {
  for (const FaultRow& row : faults()) {
    if (row.key == key) return &row;
  }
  return nullptr;
}

}  // namespace forkproof::faults
