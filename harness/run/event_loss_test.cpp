// What the oracles may say of a history that is not whole. Real histories: a few cases are played, then events are taken
// out of what was seen.
//   1. Damage: a byte of the file is not as it was written. The checksums of the lines show it, so every promise is unknown.
//      Where an event was lost before the lines were sealed, the count in the last event shows it.
//   2. Unseen events: nobody ever saw it, so nobody counted it either, and nothing shows that it is missing. Then
//      a. broken becomes held only without an event of its own evidence: the sighting of the wrong itself;
//      b. broken becomes skipped only so, or without an event that says what was there to be promised;
//      c. unknown becomes held never, whatever else goes unseen.
//      Held may become anything: a false alarm is a nuisance, and no lie.
#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <set>

#include "harness/arena/tier.h"
#include "harness/oracles/oracle.h"
#include "harness/run/plan.h"
#include "harness/run/runner.h"
#include "harness/scenario/library.h"
#include "harness/scenario/scenario.h"

namespace forkproof::run {
namespace {

using Verdicts = std::map<std::string, Verdict>;

struct Question {
  const char* scenario;
  const char* variant;
  std::vector<std::string> profiles;
  std::string backend = "fork";
};

/// Between them they break eleven promises of the model supervisor, and hold all.
const std::vector<Question> questions{
    {"heartbeat-409", "", {"airflow-3.2.0", "airflow-51180", "exemplary"}},
    {"task-succeeds", "", {"exemplary-leaves-zombies", "exemplary-sigchld-ignored", "exemplary"}},
    {"capture-pipe-fill", "pipe-65537", {"exemplary-drains-after-exit", "exemplary"}},
    {"capture-pipe-fill", "grandchild-keeps", {"airflow-before-51180"}},
    {"orphan-sigint", "ignored-through-exec", {"exemplary"}},
    {"inherited-listener", "", {"exemplary-without-scrub"}},
    {"prefork-crash-loop", "", {"gunicorn-prefork"}},
    {"run-refused-at-once", "", {"airflow-issue-patch"}},
    {"popen-loses-channels", "", {"airflow-popen"}, "fork-exec"},
};

std::vector<Cell> cells_asked() {
  std::vector<Cell> cells;
  for (const Question& question : questions) {
    const std::string path = scenario::library_directory() + "/" + question.scenario + ".toml";
    for (const auto& read : scenario::read_scenarios(path, vocabulary(), question.variant)) {
      Choice choice;
      choice.profiles = question.profiles, choice.backends = {question.backend};
      for (Cell& cell : cross(read, choice)) cells.push_back(std::move(cell));
    }
  }
  return cells;
}

/// Played once, when first asked for.
const std::vector<History>& real_histories() {
  static const std::vector<History> histories = [] {
    RunOptions options;
    options.jobs = 2;
    std::vector<History> played;
    const RunSummary summary = run_all(cells_asked(), options, arena::provide(), {});
    for (const CellSummary& cell : summary.cells) {
      if (cell.exhibit) played.push_back(cell.exhibit->history);
    }
    return played;
  }();
  return histories;
}

const History& any_history() { return real_histories()[*rc::gen::inRange<std::size_t>(0, real_histories().size())]; }

History without(const History& whole, const std::set<std::size_t>& gone) {
  History rest;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    if (!gone.contains(i)) rest.append(whole[i]);
  }
  return rest;
}

/// As if those had never been seen: the last event counts what is left.
History unseen(const History& whole, const std::set<std::size_t>& gone) {
  const History rest = without(whole, gone);
  History counted;
  for (Event event : rest.events()) {
    if (auto* end = std::get_if<RunEnded>(&event.what)) end->events = rest.size() - 1;
    counted.append(std::move(event));
  }
  return counted;
}

/// What it was about, and what ended it, nobody fails to see: the rig writes these two itself.
bool is_frame(const Event& event) { return event.as<CaseOpened>() != nullptr || event.as<RunEnded>() != nullptr; }

/// Without these nothing of that kind was there for anybody to promise anything of.
bool opens_a_question(const Event& event) {
  return event.as<SelectorOpened>() != nullptr || event.as<CaptureOpened>() != nullptr ||
         event.as<ListenerOpened>() != nullptr || event.as<Spawned>() != nullptr || event.as<Stuck>() != nullptr;
}

/// The sighting of a wrong: without it nobody can know of it. An end before it was up is none: whoever is neither up nor
/// there any more has ended, seen or not.
bool is_sighting(const std::string& oracle, const Event& event) {
  return oracle != "no-crash-at-start" || event.as<Exited>() == nullptr;
}

std::string text_of(const History& history) { return to_sealed_lines(history.events()); }

bool all_unknown(const Verdicts& verdicts) {
  return std::all_of(verdicts.begin(), verdicts.end(), [](const auto& each) { return each.second.outcome == Outcome::unknown; });
}

TEST(RealHistories, AreThereAndBreakEnough) {
  std::set<std::string> broken;
  for (const History& history : real_histories()) {
    for (const auto& [oracle, verdict] : oracles::judge(history)) {
      if (verdict.outcome == Outcome::broken) broken.insert(oracle);
    }
  }
  EXPECT_GE(real_histories().size(), 12U);
  EXPECT_GE(broken.size(), 8U);
}

RC_GTEST_PROP(LostLines, MakeEveryPromiseUnknown, ()) {
  const History& whole = any_history();
  std::set<std::size_t> gone{*rc::gen::inRange<std::size_t>(0, whole.size())};
  for (const std::size_t more : *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, whole.size()))) {
    gone.insert(more);
  }
  RC_ASSERT(all_unknown(oracles::judge(read_history(text_of(without(whole, gone))))));
}

RC_GTEST_PROP(LostLines, AFileThatEndsTooEarlyIsUnknown, ()) {
  const std::string text = text_of(any_history());
  const std::size_t length = *rc::gen::inRange<std::size_t>(0, text.size());
  RC_ASSERT(all_unknown(oracles::judge(read_history(text.substr(0, length)))));
}

RC_GTEST_PROP(LostLines, ALineThatIsNoneIsUnknown, ()) {
  const std::string text = text_of(any_history());
  const std::size_t from = *rc::gen::inRange<std::size_t>(0, text.size() - 1);
  const std::size_t end = text.find('\n', from);
  RC_ASSERT(from == end || all_unknown(oracles::judge(read_history(text.substr(0, from) + text.substr(end)))));
}

/// A piece of the text, of up to `most` bytes.
std::pair<std::size_t, std::size_t> any_piece(const std::string& text, std::size_t most) {
  const std::size_t from = *rc::gen::inRange<std::size_t>(0, text.size());
  return {from, *rc::gen::inRange<std::size_t>(1, std::min(most, text.size() - from) + 1)};
}

RC_GTEST_PROP(Damage, MakesEveryPromiseUnknown, ()) {
  const std::string text = text_of(any_history());
  std::string damaged = text;
  const auto [from, length] = any_piece(text, *rc::gen::element<std::size_t>(1, 16, 4096));
  const std::string piece = text.substr(from, length);
  const std::size_t to = *rc::gen::inRange<std::size_t>(0, text.size());
  switch (*rc::gen::inRange(0, 5)) {
    case 0: damaged.erase(from, length); break;
    case 1: damaged.insert(to, piece); break;
    case 2: damaged.erase(from, length).insert(std::min(to, damaged.size()), piece); break;  // moved
    case 3: damaged[from] = static_cast<char>(damaged[from] ^ (1 << *rc::gen::inRange(0, 8))); break;
    default: damaged[from] = *rc::gen::arbitrary<char>(); break;
  }
  RC_PRE(damaged != text);
  RC_ASSERT(all_unknown(oracles::judge(read_history(damaged))));
}

TEST(RealHistories, AreReadAsTheyWereWritten) {
  for (const History& whole : real_histories()) {
    EXPECT_EQ(whole.damage, "");
    EXPECT_EQ(read_history(text_of(whole)).damage, "");
  }
}

/// What law 2 forbids; empty when nothing of it happened.
std::string lie(const History& whole, const Verdicts& before, const std::set<std::size_t>& gone) {
  bool question_gone = false;
  for (const std::size_t index : gone) question_gone |= opens_a_question(whole[index]);
  for (const auto& [oracle, after] : oracles::judge(unseen(whole, gone))) {
    const Verdict& was = before.at(oracle);
    const bool evidence_gone = std::any_of(was.evidence.begin(), was.evidence.end(), [&, &oracle = oracle](std::size_t each) {
      return gone.contains(each) && is_sighting(oracle, whole[each]);
    });
    const bool now_held = after.outcome == Outcome::held, now_skipped = after.outcome == Outcome::skipped;
    // It breaks by a count, and its evidence is the first and the last of what it counted: where many are unseen it is fewer.
    if (oracle == "no-crash-loop" && was.outcome == Outcome::broken && gone.size() > 1) continue;
    const bool lied = (was.outcome == Outcome::broken && now_held && !evidence_gone) ||
                      (was.outcome == Outcome::broken && now_skipped && !evidence_gone && !question_gone) ||
                      (was.outcome == Outcome::unknown && now_held && !evidence_gone);
    if (!lied) continue;
    std::string all = case_of(whole).scenario + ", " + oracle + " was " + std::string(name(was.outcome)) + " (" + was.because +
                      ") and is " + std::string(name(after.outcome)) + " (" + after.because + ") without";
    for (const std::size_t index : gone) all += "\n  " + to_line(whole[index]);
    return all;
  }
  return "";
}

TEST(UnseenEvents, NoSingleOneMakesAnOracleLie) {
  for (const History& whole : real_histories()) {
    const Verdicts before = oracles::judge(whole);
    for (std::size_t i = 0; i < whole.size(); ++i) {
      if (is_frame(whole[i])) continue;
      EXPECT_EQ(lie(whole, before, {i}), "");
    }
  }
}

RC_GTEST_PROP(UnseenEvents, NoSetOfThemMakesAnOracleLie, ()) {
  const History& whole = any_history();
  std::set<std::size_t> gone;
  const int rarely = *rc::gen::inRange(2, 20);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    if (!is_frame(whole[i]) && *rc::gen::inRange(0, rarely) == 0) gone.insert(i);
  }
  const std::string found = lie(whole, oracles::judge(whole), gone);
  RC_ASSERT(found == "");
}

// In two steps: what is unknown for want of some events does not become held for want of more.
RC_GTEST_PROP(UnseenEvents, WhatIsUnknownStaysSoWhenStillMoreGoUnseen, ()) {
  History less = any_history();
  for (int step = 0; step < 2; ++step) {
    const Verdicts before = oracles::judge(less);
    std::set<std::size_t> gone;
    for (std::size_t i = 0; i < less.size(); ++i) {
      if (!is_frame(less[i]) && *rc::gen::inRange(0, 6) == 0) gone.insert(i);
    }
    const std::string found = lie(less, before, gone);
    RC_ASSERT(found == "");
    less = unseen(less, gone);
  }
}

}  // namespace
}  // namespace forkproof::run
