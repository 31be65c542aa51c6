#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "repro/adversary/chance.h"

namespace forkproof::adversary {

/// What one input came to.
struct Came {
  bool was_read = false;   ///< without complaint
  std::string refusal;     ///< else: what was said
  std::string complaint;   ///< what is wrong with that; empty where it is as it should be
};

/// One reader of the rig under damaged input. Owned by the program; each worker process has its own.
class Reader {
 public:
  virtual ~Reader() = default;
  /// The input of this number: a text that can be kept and given to `came_of` again.
  [[nodiscard]] virtual std::string input(Chance& chance) = 0;
  /// Reads it. What a reader may not do, it does here as well: crash, hang.
  [[nodiscard]] virtual Came came_of(const std::string& input) = 0;
};

struct ReaderRow {
  const char* key;
  const char* about;
  /// `corpus`: the folder with histories (*.jsonl) and results (*.json) of real runs.
  std::unique_ptr<Reader> (*make)(const std::string& corpus);
};
std::unique_ptr<Reader> make_scenario(const std::string& corpus);
std::unique_ptr<Reader> make_profile(const std::string& corpus);
std::unique_ptr<Reader> make_target(const std::string& corpus);
std::unique_ptr<Reader> make_history(const std::string& corpus);
std::unique_ptr<Reader> make_result(const std::string& corpus);
std::unique_ptr<Reader> make_command_line(const std::string& corpus);
std::unique_ptr<Reader> make_canary(const std::string& corpus);

/// What is wrong with a refusal whatever was read: a word of the C++ runtime, too long, more than one line, nothing.
std::string wrong_with(const std::string& refusal);
/// Whether it names the file, with a line or a place in it behind.
bool names_file_and_place(const std::string& refusal, const std::string& file);

/// A folder of this process below $TMPDIR, gone with it.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

std::string text_of_file(const std::string& path);
void write_file(const std::string& path, const std::string& text);
/// The texts of all files with that extension below a folder, sorted by path.
std::vector<std::string> texts_below(const std::string& folder, const std::string& extension);
std::vector<std::string> words_of_all(const std::vector<std::string>& texts);

}  // namespace forkproof::adversary
