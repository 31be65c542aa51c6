#pragma once
#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "harness/core/fd.h"

namespace forkproof {

/// Exit statuses of `repro` (README.md, "Three uses").
enum ExitStatus { as_expected = 0, not_as_expected = 1, could_not_tell = 2, bad_input = 64, harness_failed = 70 };

/// A verb's options are set up by `describe` and parsed; then `act` runs and gives the exit status. Help
/// exits 0; what cannot be parsed is one line, which names the verb's help, and exit 64; BadInput and
/// HarnessFailure end in 64 and 70.
int run_verb_with(CLI::App& app, int argc, char** argv, const std::function<int()>& act);

/// BadInput for the first of the options that was given: beside `beside` it would change nothing, and say
/// nothing of that.
void refuse_without_effect(const CLI::App& app, std::initializer_list<const char*> options, const std::string& beside);

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

/// "a,b" and repeated options alike. BadInput for a name that is empty ($X that nobody set: it would silently
/// mean all) or is there twice.
std::vector<std::string> split_names(const char* option, const std::vector<std::string>& given);

/// Where a document goes: standard output (where `path` is empty), or a file that was shown to be writable
/// before any work was done: BadInput when it cannot be opened (see refuse_place). HarnessFailure when it
/// cannot be written (a full disk). A file is only replaced by a whole document: that is written beside it,
/// as PATH.tmp-PID, and renamed. A device or a pipe, and a file in a folder that takes no other, are written
/// as they are. A reader of standard output who has gone away wants no more, and is no failure.
class Output {
 public:
  explicit Output(const std::string& path, const char* option = "--output");
  void write(const std::string& document);

 private:
  std::string path_, where_;
  Fd in_place_;  ///< what has no file beside it
};

}  // namespace forkproof
