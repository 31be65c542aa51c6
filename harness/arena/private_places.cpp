#include "harness/arena/private_places.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <set>
#include <string_view>
#include <system_error>

#include "harness/core/error.h"
#include "harness/core/fd.h"

namespace forkproof::arena {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 3> private_places{"/tmp", "/var/tmp", "/dev/shm"};
constexpr off_t largest_copy = 64 * 1024 * 1024;  // a larger file is bound, not copied
constexpr char between_paths[] = " \t\r\n'\"`=:;,|&()<>{}[]";

bool is_in(const std::string& path, const std::string& folder) {
  return path == folder || folder == "/" || path.starts_with(folder + "/");
}

std::string working_directory() {
  std::error_code gone;
  return fs::current_path(gone).string();
}

/// Where a word can lead: as it stands, and with its symbolic links followed. Lexically clean, absolute.
void add_paths_of(const std::string& word, const std::string& from, std::set<std::string>* paths) {
  if (word.empty() || word.size() > 4096) return;
  const fs::path path = (fs::path(from) / word).lexically_normal();
  paths->insert(path.string());
  std::error_code ignored;
  if (word.find('/') == std::string::npos || !fs::exists(path, ignored)) return;
  const fs::path real = fs::canonical(path, ignored);
  if (!ignored) paths->insert(real.string());
}

/// What a script's first line names, after "#!"; empty for what is no script.
std::string interpreter_line(const std::string& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return {};
  std::ifstream file(path);
  std::string start(2, ' '), line;
  if (!file.read(start.data(), 2) || start != "#!" || !std::getline(file, line)) return {};
  return line.substr(0, 256);
}

/// A word may be a path, or a shell line, a list or an option that holds some.
void add_paths_in(const std::string& text, const std::string& from, std::set<std::string>* paths) {
  add_paths_of(text, from, paths);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of(between_paths, at), text.size());
    if (end < text.size() || at > 0) add_paths_of(text.substr(at, end - at), from, paths);
    at = end + 1;
  }
}

std::set<std::string> paths_in(const std::vector<std::string>& texts) {
  const std::string from = working_directory();
  std::set<std::string> paths;
  add_paths_of(from, "/", &paths);
  for (const std::string& text : texts) {
    add_paths_in(text, from, &paths);
    add_paths_in(interpreter_line(text), from, &paths);
  }
  return paths;
}

/// The names directly in a place that lie on the way to one of these paths.
std::set<std::string> names_in(const std::string& place, const std::set<std::string>& paths) {
  std::set<std::string> names;
  for (const std::string& path : paths) {
    if (!path.starts_with(place + "/")) continue;
    const std::string name =
        path.substr(place.size() + 1, path.find('/', place.size() + 1) - place.size() - 1);
    if (!name.empty()) names.insert(name);
  }
  return names;
}

void bind(const std::string& from, const std::string& to) {
  if (::mount(from.c_str(), to.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0)
    fail("bind " + to + " of the machine");
}

void make_empty_file(const std::string& path) {
  if (!Fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600))) fail("create " + path);
}

void copy_file(const std::string& from, const std::string& to, const struct stat& about) {
  std::error_code error;
  fs::copy_file(from, to, error);
  if (error) throw HarnessFailure(fmt::format("copy {}: {}", to, error.message()));
  if (::chown(to.c_str(), about.st_uid, about.st_gid) != 0 ||
      ::chmod(to.c_str(), about.st_mode & 07777) != 0) {
    fail("set owner and mode of the arena's " + to);
  }
}

/// `from`: the same thing in the machine's place, reached through a descriptor.
void keep(const std::string& from, const std::string& to) {
  struct stat about {};
  if (::lstat(from.c_str(), &about) != 0) return;
  if (S_ISLNK(about.st_mode)) {
    std::error_code ignored;
    fs::copy_symlink(from, to, ignored);
  } else if (S_ISDIR(about.st_mode)) {
    if (::mkdir(to.c_str(), 0755) != 0) fail("mkdir " + to);
    bind(from, to);
  } else if (S_ISREG(about.st_mode) && about.st_size <= largest_copy) {
    copy_file(from, to, about);
  } else {
    make_empty_file(to);
    bind(from, to);
  }
}

/// A shared part of a place, at any depth; it may lie in a folder that is the machine's already.
void share(const std::string& machines, const std::string& place, const std::string& path) {
  const std::string from = machines + path.substr(place.size());
  struct stat about {};
  struct stat here {};
  if (::stat(from.c_str(), &about) != 0) fail("share " + path);
  if (::stat(path.c_str(), &here) == 0 && here.st_dev == about.st_dev && here.st_ino == about.st_ino) return;
  std::error_code ignored;
  fs::create_directories(S_ISDIR(about.st_mode) ? fs::path(path) : fs::path(path).parent_path(), ignored);
  if (!S_ISDIR(about.st_mode)) make_empty_file(path);
  bind(from, path);
}

bool holds(const std::vector<std::string>& shared, const std::string& place) {
  return std::any_of(shared.begin(), shared.end(),
                     [&place](const std::string& path) { return is_in(place, path); });
}

/// A folder, and not another name of one that is private already.
bool is_place(const std::string& place) {
  std::error_code ignored;
  return fs::is_directory(place, ignored) && fs::canonical(place, ignored) == place;
}

void make_private(const std::string& place, const std::set<std::string>& kept,
                  const std::vector<std::string>& shared) {
  const Fd machines(::open(place.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!machines) fail("open " + place);
  const std::string there = "/proc/self/fd/" + std::to_string(machines.get());
  if (::mount("tmpfs", place.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") != 0)
    fail("mount a tmpfs over " + place);
  for (const std::string& name : kept)
    keep(fmt::format("{}/{}", there, name), fmt::format("{}/{}", place, name));
  for (const std::string& path : shared) {
    if (path.starts_with(place + "/")) share(there, place, path);
  }
}

}  // namespace

std::vector<std::string> make_places_private(const Sharing& sharing) {
  const std::set<std::string> paths = paths_in(sharing.texts);
  const std::string folder = working_directory();
  std::vector<std::string> made;
  for (const std::string place : private_places) {
    if (holds(sharing.shared, place) || !is_place(place)) continue;
    make_private(place, names_in(place, paths), sharing.shared);
    made.push_back(place);
  }
  if (!folder.empty() && ::chdir(folder.c_str()) != 0) fail("enter " + folder);
  return made;
}

std::vector<std::string> left_in_private_places(const std::vector<std::string>& places,
                                                const Sharing& sharing) {
  const std::set<std::string> paths = paths_in(sharing.texts);
  std::vector<std::string> left;
  for (const std::string& place : places) {
    std::set<std::string> known = names_in(place, paths);
    known.merge(names_in(place, {sharing.shared.begin(), sharing.shared.end()}));
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(place, ignored)) {
      if (!known.contains(entry.path().filename().string())) left.push_back(entry.path().string());
    }
  }
  std::sort(left.begin(), left.end());
  return left;
}

std::vector<std::string> environment_texts() {
  constexpr std::array<std::string_view, 6> passed_over{"TMPDIR", "TMP", "TEMP", "TEMPDIR", "OLDPWD", "_"};
  std::vector<std::string> texts;
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string variable = *each;
    const std::size_t equals = std::min(variable.find('='), variable.size());
    const std::string_view name = std::string_view(variable).substr(0, equals);
    if (std::find(passed_over.begin(), passed_over.end(), name) != passed_over.end()) continue;
    if (equals < variable.size()) texts.push_back(variable.substr(equals + 1));
  }
  return texts;
}

std::string check_shared(const std::string& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return "there is no " + path;
  const bool concerns =
      std::any_of(private_places.begin(), private_places.end(),
                  [&path](const std::string place) { return is_in(path, place) || is_in(place, path); });
  return concerns ? ""
                  : path + " is the machine's anyway: an arena has a /tmp, /var/tmp and /dev/shm of its own";
}

}  // namespace forkproof::arena
