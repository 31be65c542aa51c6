#pragma once
#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

namespace forkproof {

/// Exit statuses of `repro` (design.md).
enum ExitStatus { as_expected = 0, not_as_expected = 1, could_not_tell = 2, bad_input = 64, harness_failed = 70 };

/// A verb's options are set up by `describe` and parsed; then `act` runs and gives the exit status. Help exits 0; what
/// cannot be parsed is one line and exit 64; BadInput and HarnessFailure end in 64 and 70.
int run_verb_with(CLI::App& app, int argc, char** argv, const std::function<int()>& act);

/// The verbs, one file each.
int run_verb(int argc, char** argv);
int matrix_verb(int argc, char** argv);
int fuzz_verb(int argc, char** argv);
int prove_verb(int argc, char** argv);
int list_verb(int argc, char** argv);
int doctor_verb(int argc, char** argv);
int merge_verb(int argc, char** argv);
int judge_verb(int argc, char** argv);
int play_task_verb(int argc, char** argv);
int contract_verb(int argc, char** argv);
int order_verb(int argc, char** argv);
int guard_verb(int argc, char** argv);
int targets_verb(int argc, char** argv);
int report_start_verb(int argc, char** argv);

/// "a,b" and repeated options alike.
std::vector<std::string> split_names(const std::vector<std::string>& given);

/// Where a document goes: standard output, or a file that was shown to be writable before any work was done.
/// BadInput when it cannot be opened or written. An existing file is only replaced by a whole document.
class Output {
 public:
  explicit Output(const std::string& path, const char* option = "--output");
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  void write(const std::string& document);

 private:
  std::string path_, where_;
  int fd_ = 1;
};

}  // namespace forkproof
