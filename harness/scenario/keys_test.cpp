// keys.def against the readers, in both directions, and against the page that holds it.
#include "harness/scenario/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>

#include "harness/core/error.h"
#include "harness/scenario/profile_file.h"
#include "harness/scenario/scenario.h"
#include "harness/scenario/target_file.h"
#include "harness/scenario/toml_reader.h"

namespace forkproof::scenario {
namespace {

using testing::HasSubstr;
using testing::Not;

Vocabulary words() {
  Vocabulary vocabulary;
  vocabulary.backends = {"fork"};
  vocabulary.oracles = {"no-orphans"};
  vocabulary.sync_points = {{"spawned", Announcer::supervisor}};
  vocabulary.faults = {{"f", {}}};
  return vocabulary;
}

/// A folder that is removed with it.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("keys-test-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_ / "targets");
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name) << text;
    return path_ / name;
  }
  [[nodiscard]] std::string path(const std::string& below = "") const { return path_ / below; }

 private:
  std::filesystem::path path_;
};

/// What the readers say of a file whose table `table` has the one key, with a value of no type that any key wants.
std::string said_of(const KeyRow& row) {
  const std::string table(row.table), wrong = std::string(row.key) + " = 1979-05-27\n";
  const Folder folder;
  try {
    if (table == "profile") {
      (void)folder.write("x.toml", wrong);
      (void)read_profile(folder.path(), "x");
    } else if (table.starts_with("target")) {
      (void)folder.write("asked.toml", "");
      // A key that is wanted comes before the one that is tried.
      std::string text;
      const auto add = [&](const char* key, const std::string& value) { if (row.key != key) text += std::string(key) + " = " + value + "\n"; };
      if (table == "target") add("about", "\"a\""), add("package", "\"p\""), add("start", "[\"true\"]"), text += wrong;
      else text = "about = \"a\"\npackage = \"p\"\nstart = [\"true\"]\n[[" + table.substr(7) + "]]\n" + wrong;
      if (table == "target.file") add("path", "\"{dir}/x\""), add("text", "\"\"");
      if (table == "target.expect") add("scenario", "\"asked\""), add("because", "\"b\"");
      (void)folder.write("targets/x.toml", text);
      (void)read_target(folder.path("targets"), "x", words());
    } else {
      const bool for_commands = row.key == "settle_s" || row.key == "delay_s";
      std::string text;
      const auto add = [&](const char* key, const std::string& line) { if (row.key != key || table != "scenario") text += line; };
      if (table == "scenario") text += wrong;
      add("question", "question = \"Why?\"\n");
      if (for_commands) text += "subject = \"command\"\n";
      if (row.key == "tree" && table == "scenario") return read_scenario_text(text, "x.toml", words()).name;
      text += table == "tree" && row.key == "copies" ? "[tree]\n[[tree.children]]\n" + wrong : "[tree]\n" + (table == "tree" ? wrong : "");
      if (table == "fault") text += "[[fault]]\n" + (row.key == "fault" ? wrong : "fault = \"f\"\n" + wrong);
      if (table == "hold") {
        text += "[[hold]]\n" + wrong;
        for (const char* other : {"who = \"supervisor\"\n", "at = \"spawned\"\n", "until = \"tree ready\"\n"}) {
          if (!std::string(other).starts_with(row.key)) text += other;
        }
      }
      if (table == "knobs") text += "[knobs]\n" + wrong;
      if (table == "variant") text += "[[variant]]\n" + wrong;
      if (table == "expect") text += "[[expect]]\n" + wrong;
      if (!for_commands) add("across", "[across]\n" + (table == "across" ? wrong : "") + (row.key == "profiles" ? "" : "profiles = [\"p\"]\n"));
      (void)read_scenario_text(text, "x.toml", words());
    }
  } catch (const BadInput& error) {
    return error.what();
  }
  return "it was read";
}

TEST(Keys, EachRowIsAKeyThatItsReaderAsksFor) {
  for (const KeyRow& row : key_rows()) {
    const std::string said = said_of(row);
    EXPECT_THAT(said, HasSubstr(": " + std::string(row.key) + ": wants ")) << row.table << " " << row.key;
  }
}

TEST(Keys, AReaderThatAsksForAKeyWithoutARowFails) {
  TomlTable table = TomlTable::from_text("role = \"x\"\n", "x.toml");
  (void)table.text("role"), (void)table.text("rank", "none");
  EXPECT_THROW(table.finish("tree"), HarnessFailure);
  EXPECT_NO_THROW(table.finish("tree", {"rank"}));
}

TEST(Keys, AKeyOfAnotherPlaceIsRefusedAsOne) {
  const std::string text = "question = \"Why?\"\nsubject = \"command\"\n[tree]\n[across]\nprofiles = [\"p\"]\n";
  try {
    (void)read_scenario_text(text, "x.toml", words());
    FAIL() << "it was read";
  } catch (const BadInput& error) {
    EXPECT_STREQ(error.what(), "x.toml:4:2: key 'across' does not belong here: see `repro list keys`");
  }
}

TEST(Keys, NoRowIsThereTwiceAndEachHasItsTable) {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  std::set<std::string_view> tables;
  for (const KeyTable& table : key_tables()) EXPECT_TRUE(tables.insert(table.name).second) << table.name;
  for (const KeyRow& row : key_rows()) {
    EXPECT_TRUE(seen.insert({row.table, row.key}).second) << row.table << " " << row.key;
    EXPECT_TRUE(tables.contains(row.table)) << row.table;
  }
}

/// To mend the page: replace what stands between its two marks by what this test prints.
TEST(Keys, ThePageHoldsTheSameTables) {
  std::ifstream file(FORKPROOF_SOURCE "/scenarios/README.md");
  std::stringstream page;
  page << file.rdbuf();
  const std::string text = page.str(), begin = "<!-- keys.def -->\n", end = "<!-- end of keys.def -->\n";
  const std::size_t from = text.find(begin), to = text.find(end);
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  EXPECT_EQ(text.substr(from + begin.size(), to - from - begin.size()), "\n" + key_pages());
}

}  // namespace
}  // namespace forkproof::scenario
