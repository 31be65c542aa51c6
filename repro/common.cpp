#include "repro/common.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <sstream>

#include <fmt/format.h>

#include "harness/core/error.h"
#include "harness/core/write_all.h"

namespace forkproof {
namespace {

std::string temporary_suffix() { return fmt::format(".tmp-{}", ::getpid()); }

/// A new file that is gone again unless it becomes another. Owned by whoever writes it.
class Temporary {
 public:
  explicit Temporary(std::string path) : path_(std::move(path)), fd_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)) {}
  ~Temporary() {
    if (fd_) ::unlink(path_.c_str());
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  explicit operator bool() const { return fd_.open(); }
  [[nodiscard]] int get() const { return fd_.get(); }
  /// Takes the place of `path`, with the rights that a file there has. False with errno when it cannot; then it is gone.
  [[nodiscard]] bool become(const std::string& path) {
    struct stat before {};
    if (::stat(path.c_str(), &before) == 0 && ::fchmod(fd_.get(), before.st_mode & 07777) != 0) return false;
    if (::rename(path_.c_str(), path.c_str()) != 0) return false;
    fd_.reset();
    return true;
  }

 private:
  std::string path_;
  Fd fd_;
};

/// Whether a file at `path` can be replaced by one that is written beside it: it is a regular file that may be written, or
/// none yet, and its folder takes another (tried, and taken away at once: who is killed later leaves nothing). A link is followed. What stands for an open descriptor (/dev/stdout) is not replaced.
bool replaceable(std::string* path) {
  if (path->starts_with("/dev/") || path->starts_with("/proc/")) return false;
  struct stat status {};
  std::error_code error;
  if (::stat(path->c_str(), &status) == 0) {
    if (!S_ISREG(status.st_mode) || ::access(path->c_str(), W_OK) != 0) return false;
    const std::string real = std::filesystem::canonical(*path, error).string();
    if (error) return false;
    *path = real;
  } else if (errno != ENOENT || std::filesystem::is_symlink(*path, error)) {
    return false;
  }
  return static_cast<bool>(Temporary(*path + temporary_suffix()));
}

/// A page of help, and the exit status that it comes to.
int written(const std::string& page) {
  try {
    Output("").write(page);
    return as_expected;
  } catch (const HarnessFailure& error) {
    complain(error.what());
    return harness_failed;
  }
}

}  // namespace

int run_verb_with(CLI::App& app, int argc, char** argv, const std::function<int()>& act) {
  try {
    app.parse(argc, argv);
    return act();
  } catch (const CLI::Success& help) {
    std::ostringstream page;
    const int status = app.exit(help, page, page);
    return status == 0 ? written(page.str()) : status;
  } catch (const CLI::ParseError& error) {
    complain(fmt::format("{}; see {} --help", error.what(), app.get_name()));
    return bad_input;
  } catch (const BadInput& error) {
    complain(error.what());
    return bad_input;
  } catch (const std::exception& error) {
    complain(std::string("the harness failed: ") + error.what());
    return harness_failed;
  }
}

void refuse_without_effect(const CLI::App& app, std::initializer_list<const char*> options, const std::string& beside) {
  for (const char* option : options) {
    if (app.count(option) > 0) throw BadInput(fmt::format("{} has no effect beside {}: leave it out", option, beside));
  }
}

std::vector<std::string> split_names(const char* option, const std::vector<std::string>& given) {
  std::vector<std::string> names;
  for (const std::string& each : given) {
    for (std::size_t from = 0, comma = 0; comma != std::string::npos; from = comma + 1) {
      comma = each.find(',', from);
      std::string name = each.substr(from, comma - from);
      if (name.empty()) throw BadInput(fmt::format("{} '{}': a name is empty; without {} all are meant", option, each, option));
      if (std::find(names.begin(), names.end(), name) != names.end()) throw BadInput(fmt::format("{}: {} is named twice", option, name));
      names.push_back(std::move(name));
    }
  }
  return names;
}

Output::Output(const std::string& path, const char* option)
    : path_(path), where_(path.empty() ? "standard output" : std::string(option) + " " + path) {
  if (path.empty()) return;
  if (replaceable(&path_)) return;
  in_place_.reset(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  if (!in_place_) refuse_place(where_);
}

void Output::write(const std::string& document) {
  if (path_.empty()) {
    if (!write_all(STDOUT_FILENO, document) && errno != EPIPE) throw HarnessFailure(error_text(where_));
    return;
  }
  if (in_place_) {
    // A device or a pipe cannot be truncated, and need not be.
    if (::ftruncate(in_place_.get(), 0) != 0 && errno != EINVAL) throw HarnessFailure(error_text(where_));
    if (!write_all(in_place_.get(), document)) throw HarnessFailure(error_text(where_));
    return;
  }
  Temporary whole(path_ + temporary_suffix());
  if (!whole || !write_all(whole.get(), document) || !whole.become(path_)) throw HarnessFailure(error_text(where_));
}

}  // namespace forkproof
