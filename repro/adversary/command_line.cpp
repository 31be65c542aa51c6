// The command line: each input is the words of one, and each verb reads them as `repro` does. Nothing is run: where an
// arena would be opened, or a process started, the link puts a throw (--wrap in ci/cmake/adversary.cmake).
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <sstream>

#include <spdlog/spdlog.h>

#include "harness/arena/tier.h"
#include "harness/core/error.h"
#include "harness/core/fd.h"
#include "harness/scenario/library.h"
#include "repro/adversary/mutation.h"
#include "repro/adversary/reader.h"
#include "repro/common.h"

namespace forkproof::adversary {
namespace {

/// All is understood, and an arena would be opened now. No std::exception: no verb may take it for a failure.
struct WouldRun {};

}  // namespace
}  // namespace forkproof::adversary

extern "C" {
[[noreturn]] void no_arena() { throw forkproof::adversary::WouldRun(); }
[[noreturn]] pid_t no_child() { throw forkproof::adversary::WouldRun(); }
// The names that the linker gives to what it wraps.
forkproof::arena::Provision wrapped_provide(std::optional<forkproof::arena::Tier>, forkproof::arena::Privacy)
    __asm__("__wrap__ZN9forkproof5arena7provideESt8optionalINS0_4TierEENS0_7PrivacyE");
pid_t wrapped_fork() __asm__("__wrap_fork");
}
forkproof::arena::Provision wrapped_provide(std::optional<forkproof::arena::Tier>, forkproof::arena::Privacy) { no_arena(); }
pid_t wrapped_fork() { no_child(); }

namespace forkproof::adversary {
namespace {

struct Verb {
  const char* name;
  int (*act)(int, char**);
};
constexpr Verb verbs[] = {{"matrix", matrix_verb}, {"fuzz", fuzz_verb},         {"prove", prove_verb}, {"list", list_verb},
                          {"merge", merge_verb},   {"judge", judge_verb},       {"order", order_verb}, {"contract", contract_verb},
                          {"guard", guard_verb},   {"targets", targets_verb}};

const std::vector<std::string>& words() {
  static const std::vector<std::string> all{
      "--", "-", "--help", "-h", "--version", "--runs", "--jobs", "--shard", "--seed", "--schedule", "--time-scale", "--format", "--output", "--also",
      "--keep", "--observe", "--arena", "--profile", "--backend", "--target", "--emit", "--plan", "--knob", "--grace", "--cases", "--for", "--replay",
      "--found", "--seeds", "--orders", "--changes", "--budget", "--no-shrink", "--shrink-for", "--hazards", "--short", "-v", "--verbos", "--runs=",
      "--runs=1e9", "--runs=3", "--x", "--seed=", "--format=json", "task-succeeds", "task-suceeds", "run-refused-at-once", "term-supervisor/tree", "term-supervisor",
      "kill-supervisor", "kill-supervisor/x", "./right.toml", "./wrong.toml", "./right.toml/x", "no.toml", "exemplary", "airflow-3.2.0", "exemplry",
      "fork", "fork,fork", "fork-exec,raw-fork", "fork,,fork", "timeout", "tini,timeout", "1", "0", "-1", "+1", "1x", "1/2", "0/0", "2/1", "1/", "/1",
      "99999999999999999999", "18446744073709551615", "json", "text", "junit", "github", "league", "junit=x.xml", "json=", "=x", "json=a/b/c", "a/b/c",
      "", " ", "\n", "\xc3\xa9", "\xff\xfe", "\x1b[31m", "1s", "0s", "-1s", "1e9h", "10ms", "1.5.5s", "nan", "inf", "0x10", "1e-400", "true",
      "false", "sh", "{task}", "{dir}", "{", "random:1", "random:", "random:x", "pct:1:1", "pct:1:100", "pct:", "zzz", "s", "sa.a",
      "capture=pipe", "capture=", "capture=pipe,pipe", "=pipe", "nosuch=1", "=", "cpp", "cpp=no-orphans", "cpp=x", "c", "oracles", "knobs", "ways",
      "sync-points", "formats", "sealed", "subreaper", "user-namespace", "auto", "none", "proc", "ptrace", "connector", "{}", "%s%n", "{0}", "histories"};
  return all;
}

std::string huge_word(Chance& chance) {
  switch (chance.below(4)) {
    case 0: return std::string(70'000, 'x');
    case 1: return std::string(300, 'a');
    case 2: return std::string(5'000, '9');
    default: {
      std::string list = "a";
      for (int i = 0; i < 5'000; ++i) list += ",a" + std::to_string(i);
      return list;
    }
  }
}

constexpr char right[] = "question = \"x\"\n[tree]\n[across]\nprofiles = [\"exemplary\"]\nbackends = [\"fork\"]\n";

class CommandLineReader final : public Reader {
 public:
  CommandLineReader() : said_(::memfd_create("adversary-stderr", MFD_CLOEXEC)) {
    const Fd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!said_ || !nothing) fail("files of the adversary");
    if (::dup2(nothing.get(), STDIN_FILENO) < 0 || ::dup2(nothing.get(), STDOUT_FILENO) < 0 || ::dup2(said_.get(), STDERR_FILENO) < 0) fail("dup2");
    if (::chdir(scratch_.path().c_str()) != 0) fail("chdir");
    write_file("right.toml", right);
    write_file("wrong.toml", "question = 1\n");
    take_a_small_library();
    become_nobody();
  }

  /// The words, a NUL behind each.
  std::string input(Chance& chance) override {
    std::string all;
    const auto add = [&all](const std::string& word) { (all += word) += '\0'; };
    if (!chance.one_in(4)) add(chance.of(verbs).name);
    for (std::size_t left = chance.below(8); left > 0; --left) {
      std::string word = chance.one_in(40) ? huge_word(chance) : chance.of(words());
      if (chance.one_in(12) && !word.empty()) {
        word[chance.below(word.size())] = static_cast<char>(1 + chance.below(255));
      }
      if (chance.one_in(12)) word += "=" + chance.of(words());
      add(word);
    }
    return all;
  }

  Came came_of(const std::string& input) override {
    spdlog::set_level(spdlog::level::warn);  // the last one may have said --verbose
    std::vector<std::string> arguments{"repro"};
    std::istringstream whole(input);
    for (std::string word; std::getline(whole, word, '\0');) arguments.push_back(word);
    std::vector<char*> argv;
    for (std::string& word : arguments) argv.push_back(word.data());
    argv.push_back(nullptr);
    const int status = status_of(static_cast<int>(arguments.size()), argv.data());  // first: it is what is heard
    return judged(status, heard());
  }

 private:
  static constexpr int would_run = -1;

  /// A whole matrix of all scenarios takes a second to cross.
  static void take_a_small_library() {
    namespace fs = std::filesystem;
    const std::string whole = scenario::library_directory();
    fs::create_directory("scenarios");
    for (const char* folder : {"profiles", "targets"}) fs::copy(whole + "/" + folder, std::string("scenarios/") + folder);
    for (const char* name : {"task-succeeds", "term-supervisor", "run-refused-at-once", "kill-supervisor"}) {
      fs::copy(whole + "/" + name + ".toml", "scenarios");
    }
    ::setenv("FORKPROOF_SCENARIOS", (fs::current_path() / "scenarios").c_str(), 1);
  }

  /// Some of the words name files to be written.
  void become_nobody() const {
    if (::geteuid() != 0) return;
    constexpr uid_t nobody = 65534;
    if (::chown(scratch_.path().c_str(), nobody, nobody) != 0) fail("chown");
    if (::setresgid(nobody, nobody, nobody) != 0 || ::setresuid(nobody, nobody, nobody) != 0) fail("setresuid");
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // the change of user has taken it back
  }

  static int status_of(int argc, char** argv) {
    try {
      for (const Verb& verb : verbs) {
        if (argc > 1 && std::string_view(argv[1]) == verb.name) return verb.act(argc - 1, argv + 1);
      }
      return run_verb(argc, argv);
    } catch (const WouldRun&) {
      return would_run;
    }
  }

  /// What was said on standard error since it was last asked for.
  std::string heard() const {
    struct stat about {};
    if (::fstat(said_.get(), &about) != 0) fail("fstat");
    std::string text(static_cast<std::size_t>(about.st_size), '\0');
    if (::pread(said_.get(), text.data(), text.size(), 0) != about.st_size) fail("pread");
    if (::ftruncate(said_.get(), 0) != 0 || ::lseek(said_.get(), 0, SEEK_SET) != 0) fail("ftruncate");
    return text;
  }

  static Came judged(int status, const std::string& said) {
    Came came;
    came.was_read = status != bad_input;
    came.refusal = said;
    if (status != would_run && (status < 0 || status > could_not_tell) && status != bad_input) {
      came.complaint = "exit " + std::to_string(status) + ": " + said;
    }
    if (came.complaint.empty() && (!said.empty() || status == bad_input)) came.complaint = wrong_with(said);
    return came;
  }

  Scratch scratch_;
  Fd said_;
};

}  // namespace

std::unique_ptr<Reader> make_command_line(const std::string&) { return std::make_unique<CommandLineReader>(); }

}  // namespace forkproof::adversary
