// A case is invented as a person would write a scenario: first how it comes to its end (a task that is revoked, refused,
// done, orphaned), then the tree, then what else is brought on, and last what is only shape.
#include "harness/fuzz/invent.h"

#include <algorithm>
#include <iterator>
#include <sstream>

#include <fmt/format.h>

#include "harness/core/sync_point.h"
#include "harness/faults/fault.h"
#include "harness/fuzz/draw.h"
#include "harness/fuzz/invent_tree.h"
#include "harness/fuzz/schedules.h"
#include "harness/run/plan.h"
#include "harness/spawn/backend.h"

namespace forkproof::fuzz {
namespace {

using scenario::Scenario;

/// What brings the run to its end.
enum class Story {
  revoked,   ///< a heartbeat is answered so that the task must be stopped
  refused,   ///< the request to start it is
  flooded,   ///< heartbeats are, once the task has written all it has
  done,      ///< the task ends by itself
  killed,    ///< the supervisor is SIGKILLed
  orphaned,  ///< ... and its task is sent SIGINT
  signalled, ///< somebody signals the group that the task is in
  upset,     ///< the requests channel says what is no request
  stillborn, ///< whoever is started is killed before it is up
  stopped,   ///< the supervisor itself is told to stop
  prefork,   ///< a prefork master is ended when its workers are up
};

/// What is being invented, and what decides what may still be drawn.
struct Draft {
  const Space& space;
  Scenario question;
  const spawn::BackendRow* backend = nullptr;
  Story story = Story::revoked;
};

FaultSpec::Setting draw_setting(const Setting& setting) {
  if (setting.is_number) {
    return chance(20) ? one_of<std::int64_t>({setting.least, setting.most}) : between(setting.least, setting.most);
  }
  if (!setting.words.empty()) {
    std::istringstream words{std::string(setting.words)};
    return one_of(std::vector<std::string>(std::istream_iterator<std::string>(words), {}));
  }
  std::vector<std::string> examples;
  std::istringstream text{std::string(setting.examples)};
  for (std::string each; std::getline(text, each, '|');) examples.push_back(each);
  return one_of(examples);
}

/// Any fault from its row: what is required, and what is not half of the time.
FaultSpec draw_fault(const faults::FaultRow& row) {
  FaultSpec fault{std::string(row.key), {}};
  for (const Setting& setting : row.settings) {
    if (setting.required || chance(50)) fault.settings[std::string(setting.key)] = draw_setting(setting);
  }
  return fault;
}

const Setting& setting_named(const faults::FaultRow& row, std::string_view key) {
  return *std::find_if(row.settings.begin(), row.settings.end(), [key](const Setting& each) { return each.key == key; });
}

/// What the server says, mostly that the task is revoked: retries of the rest take tens of milliseconds.
FaultSpec draw_reply(const Profile& profile, const std::string& after) {
  const faults::FaultRow& row = *faults::find_fault("heartbeat-reply");
  FaultSpec fault{"heartbeat-reply", {}};
  if (chance(10)) {
    fault.settings["reply"] = draw_setting(setting_named(row, "reply"));
  } else {
    fault.settings["status"] = chance(80) ? FaultSpec::Setting(std::int64_t{one_of(profile.revoked_statuses)})
                                          : draw_setting(setting_named(row, "status"));
  }
  fault.settings["after"] = after;
  return fault;
}

/// The story's, or the profile's own.
Model model_of(const Draft& draft) {
  const auto& knobs = draft.question.knobs;
  if (const auto own = knobs.find("model"); own != knobs.end()) {
    return own->second == word(Model::prefork_master) ? Model::prefork_master : Model::task_supervisor;
  }
  return draft.space.profile.model;
}

/// Those of its settings that can be with this backend and this kind of supervisor; with hazards there is no such limit.
std::vector<FaultSpec> survivable(const Draft& draft, std::string_view fault) {
  std::vector<FaultSpec> known;
  for (const Hazard& each : draft.space.survivable) {
    if (each.fault.fault == fault && each.backend == draft.backend->key && each.model == model_of(draft)) known.push_back(each.fault);
  }
  return known;
}

/// A fault that acts inside the subject, where the space has one for this backend. A silent name server costs a second,
/// so it is rare.
void add_in_subject(Draft& draft) {
  std::vector<std::pair<int, const faults::FaultRow*>> rows;
  for (const faults::FaultRow& row : faults::faults()) {
    if (!row.in_subject || !draft.space.faults.contains(std::string(row.key))) continue;
    if (draft.space.hazards || !survivable(draft, row.key).empty()) rows.emplace_back(row.key == "dns-in-child" ? 1 : 6, &row);
  }
  if (rows.empty()) return;
  const faults::FaultRow& row = *weighted(rows);
  FaultSpec fault = draw_fault(row);
  if (!draft.space.hazards) {
    for (const auto& [key, value] : one_of(survivable(draft, row.key)).settings) fault.settings[key] = value;
  }
  const bool slow = fault.word("lookup", "") == "getaddrinfo-slow";
  if (slow && !chance(10)) return;
  draft.question.faults.insert(draft.question.faults.begin(), fault);
}

bool has_in_subject(const Scenario& question) {
  return std::any_of(question.faults.begin(), question.faults.end(),
                     [](const FaultSpec& fault) { return faults::find_fault(fault.fault)->in_subject; });
}

/// A task that is started by a shell, or held up, is not the one that these mean.
bool is_about_the_start(Story story) {
  static constexpr Story stories[] = {Story::signalled, Story::upset, Story::stillborn, Story::stopped, Story::prefork};
  return std::ranges::find(stories, story) != std::end(stories);
}

/// How the task stands to SIGINT. A setup begins where the program does, so the child must be a fresh image, and no
/// fault may start it in another way.
void draw_sigint(Draft& draft) {
  if (!draft.backend->execs || has_in_subject(draft.question)) return;
  // Only where it is asked for: most setups have somebody stand between the supervisor and the task (a shell), and then
  // what the supervisor waits for is not what the other promises look at.
  if (draft.story != Story::orphaned || !chance(70)) return;
  std::vector<SigintSetup> setups = draft.space.going;
  if (draft.space.hazards) {
    setups.clear();
    for (const SigintRow& row : sigint_setups()) setups.push_back(row.setup);
  }
  draft.question.tree.sigint = one_of(setups);
}

/// What is to strike strikes a task that is there: one that ends by itself before leaves no question.
void make_lasting(TaskNode& root) {
  root.exits_after.reset();
  if (ends_by_itself(root)) root.ends_with_children = false;
}

void be_master(Scenario& question) {
  question.tree = TaskNode{.role = "worker", .on_term = question.tree.on_term};
  question.server = false;
  question.knobs["model"] = word(Model::prefork_master);
}

void shape_story(Draft& draft) {
  Scenario& question = draft.question;
  if (draft.story != Story::done) make_lasting(question.tree);
  const Profile& profile = draft.space.profile;
  switch (draft.story) {
    case Story::revoked:
      question.faults.push_back(draw_reply(profile, fmt::format("heartbeat {}", weighted<int>({{40, 0}, {30, 1}, {20, 2}, {10, 5}}))));
      return;
    case Story::refused: return question.faults.push_back(draw_reply(profile, "start"));
    case Story::flooded: {
      TaskNode output;
      while (output.output_bytes == 0) output = *nodes(true);
      question.tree.output_bytes = output.output_bytes, question.tree.write_size_bytes = output.write_size_bytes;
      return question.faults.push_back(draw_reply(profile, "output"));
    }
    case Story::done:
      if (!ends_by_itself(question.tree)) question.tree.exits_after = std::chrono::milliseconds(500 * between(0, 20));
      question.server = chance(60);
      return;
    case Story::killed:
      question.server = chance(60);
      return question.faults.push_back({"supervisor-killed", {}});
    case Story::orphaned:
      question.server = chance(60);
      // It must outlive its supervisor: whoever still writes to it then dies of SIGPIPE, and so may who waits for that one.
      question.tree.ends_with_children = false, question.tree.output_bytes = 0;
      // A task that does not go at SIGINT is the task's own doing.
      if (!draft.space.hazards && question.tree.on_int != Answer::exits) question.tree.on_int = Answer::dies;
      return question.faults.push_back({"orphan-sigint", {}});
    case Story::signalled:
      question.server = chance(60);
      question.tree.on_term = Answer::dies;  // else nobody comes to an end
      return question.faults.push_back(draw_fault(*faults::find_fault("group-signalled")));
    case Story::upset: return question.faults.push_back(draw_fault(*faults::find_fault("bad-request")));
    case Story::stopped:
      question.faults.push_back(draw_fault(*faults::find_fault("supervisor-stopped")));
      if (chance(25)) be_master(question);
      return;
    case Story::stillborn:
      question.faults.push_back({"killed-at-start", {}});
      if (chance(50)) return;
      return be_master(question);
    case Story::prefork: {
      const int code = question.tree.exit_code;
      question.tree = TaskNode{.role = "worker", .on_term = question.tree.on_term, .on_int = question.tree.on_int};
      question.tree.exit_code = code;
      question.server = false;
      question.knobs["model"] = word(Model::prefork_master);
      question.knobs["workers"] = std::to_string(between(1, 4));
    }
  }
}

/// Every knob that is neither right nor wrong, but for the kind of supervisor, which is the story's.
void draw_shape(Draft& draft) {
  for (const Knob& knob : knobs()) {
    const bool shape = std::all_of(knob.values.begin(), knob.values.end(), [](const KnobValue& value) { return value.worth == Worth::shape; });
    if (!shape || knob.key == "model" || !chance(40)) continue;
    const auto& value = knob.values[static_cast<std::size_t>(between(0, static_cast<std::int64_t>(knob.values.size()) - 1))];
    // Over a thousand pipes have to be opened first.
    if (value.word == "pipe-over-quota" && !chance(15)) continue;
    draft.question.knobs[std::string(knob.key)] = value.word;
  }
}

bool struck_heartbeat(const Scenario& question, int number) {
  const std::string after = fmt::format("heartbeat {}", number - 1);
  return std::any_of(question.faults.begin(), question.faults.end(),
                     [&after](const FaultSpec& fault) { return fault.word("after", "") == after; });
}

/// How many heartbeats are sent for sure: one that is to be answered otherwise, and those before it. A supervisor that is
/// killed, or whose task is refused or ends, may not come to its first.
int sure_heartbeats(const Draft& draft) {
  if (draft.story == Story::flooded) return 1;
  if (draft.story != Story::revoked) return 0;
  int sure = 1;
  while (sure < 3 && !struck_heartbeat(draft.question, sure)) ++sure;
  return sure;
}

/// Rules that come to pass whatever else is drawn: one that waited for what comes after it would hold the run up, and one
/// that is never reached leaves the case without an answer.
void draw_holds(Draft& draft) {
  if (is_about_the_start(draft.story) || !chance(35)) return;
  const std::string task = draft.question.tree.role;
  std::vector<HoldRule> rules;
  const bool lives_on = draft.story != Story::killed && draft.story != Story::orphaned;
  if (lives_on) rules.push_back({"supervisor", point::concluded, 1, "", "ready"});
  const bool has_server = draft.question.server || draft.story == Story::revoked;
  const int sure = sure_heartbeats(draft);
  if (sure > 0) rules.push_back({"supervisor", point::heartbeat, between(1, sure), "", "ready"});
  // Only of a child whose parent goes on meanwhile, and which says where it is.
  if (!draft.backend->waits_for_exec) {
    rules.push_back({"supervisor", point::spawned, 1, task, point::forked});
    rules.push_back({task, point::forked, 1, "supervisor", point::spawned});
    if (sure > 0) rules.push_back({"supervisor", point::heartbeat, 1, task, point::forked});
    if (draft.backend->execs) {
      rules.push_back({"supervisor", point::spawned, 1, task, point::before_exec});
      rules.push_back({task, point::before_exec, 1, "supervisor", point::spawned});
      // A heartbeat that is to be answered otherwise waits for the tree in its turn.
      if (has_server && !struck_heartbeat(draft.question, 1)) rules.push_back({task, point::before_exec, 1, "supervisor", point::heartbeat});
    }
  }
  // One whose start is refused may be killed before it comes to anything.
  if (draft.story == Story::refused) std::erase_if(rules, [&task](const HoldRule& rule) { return rule.who == task; });
  if (!rules.empty()) draft.question.holds.push_back(one_of(rules));
}

/// Somebody outside holds the task's channels. It must come up, so that there is something to hold.
void hold_channels(Draft& draft) {
  const bool comes_up = draft.story == Story::done || draft.story == Story::revoked;
  if (!comes_up || has_in_subject(draft.question) || draft.question.tree.sigint != SigintSetup::none || !chance(12)) return;
  const std::string channel = weighted<std::string>({{25, "stdin"}, {25, "stdout"}, {50, "all"}});
  FaultSpec fault{"channel-held", {{"channel", channel}}};
  if (chance(30)) fault.settings["for_ms"] = between(0, 200);
  draft.question.faults.push_back(fault);
}

Story draw_story() {
  return weighted<Story>({{45, Story::revoked}, {6, Story::refused}, {8, Story::flooded}, {18, Story::done},
                          {8, Story::killed}, {7, Story::orphaned}, {8, Story::prefork},
                          {5, Story::signalled}, {3, Story::upset}, {3, Story::stillborn}, {6, Story::stopped}});
}

Draft draw(const Space& space) {
  Draft draft{space, {}, spawn::find_backend(one_of(space.backends)), draw_story()};
  draft.question.tree = *trees();
  shape_story(draft);
  if (chance(25) && (draft.story == Story::prefork || !is_about_the_start(draft.story))) add_in_subject(draft);
  draw_sigint(draft);
  hold_channels(draft);
  draw_shape(draft);
  draw_holds(draft);
  // Workers are all node 0, and an order has one letter for them. The second task has one, and may be the last to go.
  const bool one_tree = !draft.question.knobs.contains("model") && draft.story != Story::stillborn && draft.question.knobs["sibling"] != word(Sibling::second_task);
  // And an order wants everybody to come to rest, which threads of a fault's may never do.
  if (chance(20) && one_tree && !has_in_subject(draft.question)) draft.question.schedule = *any_schedule();
  return draft;
}

}  // namespace

Case invent(const Space& space, std::uint64_t seed, std::uint64_t index) {
  const rc::Random random(rc::Random::Key{seed, index, 0, 0});
  const auto cases = rc::gen::exec([&] {
    Draft draft = draw(space);
    draft.question.name = fmt::format("fuzz-{}-{}", seed, index);
    draft.question.question = "What does this case break, which nobody wrote?";
    draft.question.source = fmt::format("fuzz, seed {}, case {}", seed, index);
    return run::make_case(draft.question, space.profile, std::string(draft.backend->key), index + 1);
  });
  return cases(random, rc::kNominalSize).value();
}

}  // namespace forkproof::fuzz
