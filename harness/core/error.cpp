#include "harness/core/error.h"

#include <unistd.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "harness/core/printable.h"

namespace forkproof {

void complain(const std::string& line) {
  // What it names may be anybody's: a newline would be a second line in our voice, and an ESC the terminal's master.
  std::string whole = printable(without_middle("repro: " + line, longest_message + 50));
  std::replace(whole.begin(), whole.end(), '\n', '?');
  whole += '\n';
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, whole.data(), whole.size());
}

std::size_t edit_distance(const std::string& left, const std::string& right) {
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < left.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < right.size(); ++j) {
      const std::size_t above = row[j + 1];
      row[j + 1] = std::min({above + 1, row[j] + 1, diagonal + (left[i] == right[j] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row.back();
}

}  // namespace forkproof
