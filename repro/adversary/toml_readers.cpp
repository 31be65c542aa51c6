// Scenarios, profiles and targets: files that people write. What is read is crossed with profiles and backends, as
// `repro matrix FILE --plan` does, and each case is written as a scenario again: read back it must be the same case.
#include <filesystem>

#include "harness/core/error.h"
#include "harness/core/history.h"
#include "harness/run/plan.h"
#include "harness/scenario/library.h"
#include "harness/scenario/profile_file.h"
#include "harness/scenario/scenario.h"
#include "harness/scenario/scenario_writer.h"
#include "harness/scenario/target_file.h"
#include "repro/adversary/mutation.h"
#include "repro/adversary/reader.h"

namespace forkproof::adversary {
namespace {

namespace fs = std::filesystem;

/// What all three share: texts of the library, and a file for each input.
class TomlReader : public Reader {
 public:
  explicit TomlReader(const std::string& folder) : texts_(texts_below(folder, ".toml")), words_(words_of_all(texts_)) {}
  std::string input(Chance& chance) override { return mutated(chance.of(texts_), Syntax::toml, words_, chance); }
  Came came_of(const std::string& input) override {
    write_file(path(), input);
    Came came;
    try {
      came.complaint = read();
      came.was_read = true;
    } catch (const BadInput& error) {
      came.refusal = error.what();
      came.complaint = wrong_with(came.refusal);
      if (came.complaint.empty() && !is_well_placed(came.refusal)) came.complaint = "a refusal without file and line";
    }
    return came;
  }

 protected:
  [[nodiscard]] virtual std::string path() const = 0;
  /// What is wrong with what was read; empty where nothing is.
  virtual std::string read() = 0;
  [[nodiscard]] virtual bool is_well_placed(const std::string& refusal) const { return names_file_and_place(refusal, path()); }

 private:
  std::vector<std::string> texts_, words_;
};

std::string text_of_all(const std::vector<run::Cell>& cells) {
  std::string all;
  for (const run::Cell& cell : cells) all += to_document(cell.one) + "\n";
  return all;
}

class ScenarioReader final : public TomlReader {
 public:
  ScenarioReader() : TomlReader(scenario::library_directory()), vocabulary_(run::vocabulary()) {}

 private:
  [[nodiscard]] std::string path() const override { return scratch_.file("case.toml"); }
  std::string read() override {
    for (const scenario::Scenario& question : scenario::read_scenarios(path(), vocabulary_)) {
      if (question.for_commands) {
        run::Choice choice;
        (void)text_of_all({run::cell_of(question, Command{{"sh", "-c", "{task}"}}, choice)});
        continue;
      }
      const std::vector<run::Cell> cells = run::cross(question, {});
      if (std::string wrong = round_trip(cells.front().one); !wrong.empty()) return wrong;
    }
    return {};
  }
  /// What cannot be asked of a command: the fault is the place.
  [[nodiscard]] bool is_well_placed(const std::string& refusal) const override {
    return names_file_and_place(refusal, path()) || refusal.starts_with(path() + ": fault ");
  }
  std::string round_trip(Case one) const {
    std::string text;
    try {
      text = scenario::write_scenario(one, {});
    } catch (const BadInput&) {
      return {};  // the writer says itself what a scenario cannot say
    }
    const auto cells = run::cross(scenario::read_scenario_text(text, path(), vocabulary_), {});
    if (cells.size() != 1) return "written and read back it is no case";
    one.scenario = cells.front().one.scenario, one.question = cells.front().one.question;
    return to_document(cells.front().one) == to_document(one) ? "" : "written and read back it is another case:\n" + text;
  }

  Scratch scratch_;
  Vocabulary vocabulary_;
};

class ProfileReader final : public TomlReader {
 public:
  ProfileReader() : TomlReader(scenario::library_directory() + "/profiles") {
    // What an input may extend.
    fs::copy(scenario::library_directory() + "/profiles", scratch_.path());
  }

 private:
  [[nodiscard]] std::string path() const override { return scratch_.file("damaged-profile.toml"); }
  std::string read() override {
    const Profile profile = scenario::read_profile(scratch_.path(), "damaged-profile");
    Case one;
    one.subject = ModelSupervisor{profile, "fork"};
    const Case back = case_from(to_document(one));
    return std::get<ModelSupervisor>(back.subject).profile == profile ? "" : "in a history it is another profile";
  }

  Scratch scratch_;
};

class TargetReader final : public TomlReader {
 public:
  TargetReader() : TomlReader(scenario::library_directory() + "/targets"), vocabulary_(run::vocabulary()) {
    fs::create_directory(scratch_.file("targets"));
    for (const auto& entry : fs::directory_iterator(scenario::library_directory())) {
      if (entry.is_regular_file()) fs::copy(entry.path(), scratch_.path());
    }
  }

 private:
  [[nodiscard]] std::string path() const override { return scratch_.file("targets/damaged-target.toml"); }
  std::string read() override {
    const scenario::Target target = scenario::read_target(scratch_.file("targets"), "damaged-target", vocabulary_);
    Case one;
    one.subject = target.command;
    const Case back = case_from(to_document(one));
    return std::get<Command>(back.subject) == target.command ? "" : "in a history it is another command";
  }

  Scratch scratch_;
  Vocabulary vocabulary_;
};

}  // namespace

std::unique_ptr<Reader> make_scenario(const std::string&) { return std::make_unique<ScenarioReader>(); }
std::unique_ptr<Reader> make_profile(const std::string&) { return std::make_unique<ProfileReader>(); }
std::unique_ptr<Reader> make_target(const std::string&) { return std::make_unique<TargetReader>(); }

}  // namespace forkproof::adversary
