#include "repro/common.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>

#include "harness/core/error.h"

namespace forkproof {

int run_verb_with(CLI::App& app, int argc, char** argv, const std::function<int()>& act) {
  try {
    app.parse(argc, argv);
    return act();
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    complain(std::string(error.what()) + "; see repro --help");
    return bad_input;
  } catch (const BadInput& error) {
    complain(error.what());
    return bad_input;
  } catch (const std::exception& error) {
    complain(std::string("the harness failed: ") + error.what());
    return harness_failed;
  }
}

std::vector<std::string> split_names(const std::vector<std::string>& given) {
  std::vector<std::string> names;
  for (const std::string& each : given) {
    std::istringstream parts(each);
    for (std::string name; std::getline(parts, name, ',');) {
      if (!name.empty()) names.push_back(name);
    }
  }
  return names;
}

Output::Output(const std::string& path, const char* option)
    : path_(path), where_(path.empty() ? "standard output" : std::string(option) + " " + path) {
  if (path.empty()) return;
  fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) throw BadInput(error_text(where_));
}

Output::~Output() {
  if (!path_.empty()) ::close(fd_);
}

void Output::write(const std::string& document) {
  // A device or a pipe cannot be truncated, and need not be.
  if (!path_.empty() && ::ftruncate(fd_, 0) != 0 && errno != EINVAL) throw BadInput(error_text(where_));
  std::size_t done = 0;
  while (done < document.size()) {
    const ssize_t wrote = ::write(fd_, document.data() + done, document.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) throw BadInput(error_text(where_));
    done += static_cast<std::size_t>(wrote);
  }
}

}  // namespace forkproof
