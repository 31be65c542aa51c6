#include "harness/scenario/profile_file.h"

#include <csignal>
#include <optional>
#include <set>

#include "harness/core/error.h"
#include "harness/core/wait_status.h"
#include "harness/scenario/keys.h"
#include "harness/scenario/library.h"
#include "harness/scenario/toml_reader.h"

namespace forkproof::scenario {
namespace {

constexpr int longest_chain = 8;  // of `extends`

int signal_from(const TomlTable& table, const std::string& word) {
  std::vector<std::string> known;
  for (int signal = 1; signal < 32; ++signal) {
    if (signal_name(signal) == word) return signal;
    known.push_back(signal_name(signal));
  }
  table.refuse_word("stop_signals", word, known);
}

void read_knobs(TomlTable& table, Profile& profile) {
  for (const Knob& knob : knobs()) {
    const std::string key(knob.key);
    const std::string word = table.text(key, std::string(knob.values[knob.get(profile)].word));
    std::vector<std::string> known;
    for (const KnobValue& value : knob.values) known.emplace_back(value.word);
    std::size_t index = 0;
    while (index < known.size() && known[index] != word) ++index;
    if (index == known.size()) table.refuse_word(key, word, known);
    knob.set(profile, index);
  }
}

void read_numbers(TomlTable& table, Profile& profile) {
  profile.time_scale = table.fraction("time_scale", 1e-6, 1000, profile.time_scale);
  profile.stop_delay = table.seconds("stop_delay_s").value_or(profile.stop_delay);
  profile.socket_cleanup = table.seconds("socket_cleanup_s").value_or(profile.socket_cleanup);
  profile.heartbeat_interval = table.seconds("heartbeat_interval_s").value_or(profile.heartbeat_interval);
  profile.heartbeat_timeout = table.seconds("heartbeat_timeout_s").value_or(profile.heartbeat_timeout);
  profile.max_failed_heartbeats =
      static_cast<int>(table.number("max_failed_heartbeats", 1, 1000, profile.max_failed_heartbeats));
  profile.http_attempts = static_cast<int>(table.number("http_attempts", 1, 100, profile.http_attempts));
  profile.http_timeout = table.seconds("http_timeout_s").value_or(profile.http_timeout);
  profile.http_retry_first = table.seconds("http_retry_first_s").value_or(profile.http_retry_first);
  profile.http_retry_most = table.seconds("http_retry_most_s").value_or(profile.http_retry_most);
  profile.workers = static_cast<int>(table.number("workers", 1, 64, profile.workers));
  profile.respawn_delay = table.seconds("respawn_delay_s").value_or(profile.respawn_delay);
  const std::vector<std::string> signals = table.words("stop_signals");
  if (!signals.empty()) profile.stop_signals.clear();
  for (const std::string& word : signals) profile.stop_signals.push_back(signal_from(table, word));
  const std::vector<std::int64_t> statuses = table.numbers("revoked_statuses");
  if (!statuses.empty()) profile.revoked_statuses.clear();
  for (const std::int64_t status : statuses) {
    if (status < 100 || status > 599) table.refuse("revoked_statuses", std::to_string(status) + " is no HTTP status");
    profile.revoked_statuses.push_back(static_cast<int>(status));
  }
}

std::string path_of_profile(const std::string& directory, const std::string& name) { return directory + "/" + name + ".toml"; }

/// A name, not a way out of the folder; and none that no file can have.
bool is_profile(const std::string& directory, const std::string& name) {
  constexpr std::size_t longest_name = 200;
  return name.find('/') == std::string::npos && name.size() <= longest_name && is_file(path_of_profile(directory, name));
}

std::string no_such_profile(const std::string& directory, const std::string& name) {
  const std::string near = nearest(name, names_in(directory));
  return "no profile '" + clipped(name) + "' in " + directory +
         (near.empty() ? "; `repro list profiles` shows them" : " (did you mean '" + near + "'?)");
}

Profile read(const std::string& directory, const std::string& name, int depth) {
  if (!is_profile(directory, name)) throw BadInput(no_such_profile(directory, name));
  TomlTable table = TomlTable::from_file(path_of_profile(directory, name));
  Profile profile;
  if (table.has("extends")) {
    if (depth >= longest_chain) table.refuse("extends", "goes round in a circle, or deeper than 8");
    const std::string base = table.text("extends");
    if (!is_profile(directory, base)) table.refuse("extends", no_such_profile(directory, base));
    profile = read(directory, base, depth + 1);
  }
  profile.name = name;
  profile.about = table.text("about", profile.about);
  profile.source = table.text("source", profile.source);
  read_knobs(table, profile);
  read_numbers(table, profile);
  table.finish("profile", knob_keys());
  return profile;
}

}  // namespace

Profile read_profile(const std::string& directory, const std::string& name) { return read(directory, name, 1); }

}  // namespace forkproof::scenario
