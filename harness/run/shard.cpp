#include "harness/run/shard.h"

#include <charconv>
#include <cstdlib>

#include <fmt/format.h>

#include "harness/core/error.h"

namespace forkproof::run {
namespace {

/// How one engine numbers the copies of a job.
struct Engine {
  const char* index;
  const char* count;
  const char* least;  ///< a variable: the lowest number there is; empty: `first` is
  const char* step;   ///< a variable: from one number to the next
  std::uint64_t first;
};

// GoogleTest: google.github.io/googletest/advanced.html, "Distributing Test Functions to Multiple Machines". Slurm: man 1
// sbatch, "JOB ARRAYS"; the numbers are whatever --array said, so `--array=10-40:10` counts 10, 20, 30, 40. Kubernetes has
// no variable for the number of completions: ci/kubernetes.yaml sets JOB_COMPLETIONS itself. GitLab: "parallel" in the
// keyword reference.
constexpr Engine engines[] = {
    {"GTEST_SHARD_INDEX", "GTEST_TOTAL_SHARDS", "", "", 0},
    {"SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_STEP", 0},
    {"JOB_COMPLETION_INDEX", "JOB_COMPLETIONS", "", "", 0},
    {"CI_NODE_INDEX", "CI_NODE_TOTAL", "", "", 1},
};

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (wrong != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::uint64_t number_of(const char* variable, const std::string& text) {
  if (const auto number = number_in(text)) return *number;
  throw BadInput(fmt::format("{}={}: wants a whole number; or say --shard I/N", variable, text));
}

Shard from_option(const std::string& written) {
  const std::size_t slash = written.find('/');
  const auto index = number_in(written.substr(0, slash));
  const auto count = slash == std::string::npos ? std::nullopt : number_in(written.substr(slash + 1));
  if (!index || !count || *index < 1 || *index > *count || *count > most_shards) {
    throw BadInput(fmt::format("--shard {}: wants I/N, with I from 1 to N and N at most {}", written, most_shards));
  }
  return {*index, *count, "--shard"};
}

/// Nothing when the engine has set nothing.
std::optional<Shard> from_engine(const Engine& engine, const Environment& environment) {
  const std::string index = environment(engine.index), count = environment(engine.count);
  if (index.empty() && count.empty()) return std::nullopt;
  // GitLab sets CI_NODE_TOTAL=1, and no index, for every job without `parallel`.
  if (index.empty() && number_in(count) == 1U) return std::nullopt;
  if (index.empty() || count.empty()) {
    throw BadInput(fmt::format("{}={} without {}: set both, neither, or say --shard I/N",
                               index.empty() ? engine.count : engine.index, index.empty() ? count : index,
                               index.empty() ? engine.index : engine.count));
  }
  const std::string least = *engine.least == '\0' ? "" : environment(engine.least);
  const std::string step = *engine.step == '\0' ? "" : environment(engine.step);
  const std::uint64_t number = number_of(engine.index, index), total = number_of(engine.count, count);
  const std::uint64_t first = least.empty() ? engine.first : number_of(engine.least, least);
  const std::uint64_t stride = step.empty() ? 1 : number_of(engine.step, step);
  if (total > most_shards) throw BadInput(fmt::format("{}={}: at most {} shards", engine.count, count, most_shards));
  if (number < first || stride == 0 || (number - first) % stride != 0 || (number - first) / stride >= total) {
    throw BadInput(fmt::format("{}={}: not one of {} numbers from {} in steps of {}; say --shard I/N", engine.index, index,
                               total, first, stride));
  }
  return Shard{(number - first) / stride + 1, total, engine.index};
}

}  // namespace

Environment own_environment() {
  return [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
}

Shard read_shard(const std::string& option, const Environment& environment) {
  if (!option.empty()) return from_option(option);
  std::optional<Shard> taken;
  for (const Engine& engine : engines) {
    const auto said = from_engine(engine, environment);
    if (said && taken && (said->index != taken->index || said->count != taken->count)) {
      throw BadInput(fmt::format("{} says shard {}/{} and {} says {}/{}: say which with --shard I/N", taken->from,
                                 taken->index, taken->count, said->from, said->index, said->count));
    }
    if (said && !taken) taken = said;
  }
  return taken.value_or(Shard{});
}

std::vector<Cell> part_of(std::vector<Cell> cells, const Shard& shard) {
  std::vector<Cell> part;
  for (std::uint64_t i = shard.index - 1; i < cells.size(); i += shard.count) part.push_back(std::move(cells[i]));
  if (part.empty()) {
    throw BadInput(fmt::format("{} {}/{}: there are only {} cells", shard.from, shard.index, shard.count, cells.size()));
  }
  return part;
}

}  // namespace forkproof::run
