#include "harness/scenario/question.h"

#include <cctype>
#include <vector>

#include <fmt/format.h>

namespace forkproof::scenario {
namespace {

/// Whom the server disappoints: "heartbeat 3 and all later ones".
std::string struck_request(const FaultSpec& fault) {
  const std::string after = fault.word("after", "heartbeat 0");
  if (after == "start") return "the request that starts the task";
  if (after == "output") return "heartbeats once the task has written its output";
  const std::size_t space = after.find(' ');
  const int answered = space == std::string::npos ? 0 : std::atoi(after.c_str() + space + 1);
  return answered == 0 ? "every heartbeat" : fmt::format("heartbeat {} and all later ones", answered + 1);
}

std::string heartbeat_reply(const FaultSpec& fault) {
  const std::string request = struck_request(fault), reply = fault.word("reply", "");
  if (reply == "reset") return "the server resets the connection of " + request;
  if (reply == "hang") return "the server never answers " + request;
  if (reply == "late") return "the server answers " + request + " too late";
  if (reply == "garbage") return "the server answers " + request + " with what is no HTTP";
  if (reply == "half-close") return "the server hangs up on " + request + " without a word";
  return fmt::format("the server answers {} with {}", request, fault.number("status", 0));
}

/// What a fault brings on, as a clause.
struct FaultWords {
  const char* key;
  std::string (*clause)(const FaultSpec&);
};
constexpr FaultWords fault_words[] = {
    {"heartbeat-reply", heartbeat_reply},
    {"fork-after-thread",
     [](const FaultSpec& fault) { return "another thread is inside " + fault.word("lock", "a lock") + " when the supervisor spawns"; }},
    {"dns-in-child",
     [](const FaultSpec& fault) { return "another thread is inside " + fault.word("lookup", "the resolver") + " when the supervisor spawns"; }},
    {"orphan-sigint", [](const FaultSpec&) -> std::string { return "the supervisor is killed and its orphaned task is sent SIGINT"; }},
    {"supervisor-killed", [](const FaultSpec&) -> std::string { return "the supervisor is killed when the tree is up"; }},
    {"supervisor-stopped", [](const FaultSpec& fault) { return "the supervisor is told to stop by " + fault.word("signal", "SIGTERM"); }},
    {"signal-supervisor", [](const FaultSpec& fault) { return "the supervisor is sent " + fault.word("signal", "SIGTERM"); }},
    {"signal-node", [](const FaultSpec& fault) { return "a process of the tree is sent " + fault.word("signal", "a signal") + " behind the supervisor's back"; }},
    {"stdout-unread", [](const FaultSpec&) -> std::string { return "nobody reads the supervisor's stdout"; }},
    {"few-descriptors", [](const FaultSpec&) -> std::string { return "the supervisor can open nothing more"; }},
    {"no-more-processes", [](const FaultSpec&) -> std::string { return "the supervisor can start no process more"; }},
    {"signals-at-start", [](const FaultSpec&) -> std::string { return "the supervisor is started with signals ignored or blocked"; }},
    {"group-signalled", [](const FaultSpec& fault) { return "the process group that the task is in is sent " + fault.word("signal", "SIGTERM"); }},
    {"channel-held", [](const FaultSpec&) -> std::string { return "somebody else holds the task's channels when it ends"; }},
    {"bad-request", [](const FaultSpec&) -> std::string { return "what the requests channel says is no request"; }},
    {"killed-at-start", [](const FaultSpec&) -> std::string { return "whatever is started is killed before it is up"; }},
    {"runtime-in-child",
     [](const FaultSpec& fault) { return "supervisor and task both use " + fault.word("runtime", "a runtime") + ", which must not be forked"; }},
};

/// A promise as the question that is asked of it.
struct OracleWords {
  const char* key;
  const char* question;
};
constexpr OracleWords oracle_words[] = {
    {"no-orphans", "does anything of the task tree live on"},
    {"selector-intact", "does the supervisor wait on a selector that it has closed"},
    {"teardown-bounded", "does the teardown take longer than the supervisor itself declares"},
    {"no-stuck-process", "is any process stuck for good"},
    {"no-lost-output", "is any of the task's output lost"},
    {"no-zombies", "is any dead child left unreaped"},
    {"state-reported", "does the supervisor come to a wrong final state, or to none"},
    {"exit-status-faithful", "does the supervisor take a wrong exit status for its task's"},
    {"orphan-ends", "does the orphan stay"},
    {"no-inherited-descriptors", "does anybody keep the dead supervisor's port"},
    {"no-crash-at-start", "does any process crash before it is up"},
    {"no-crash", "does the supervisor itself crash"},
    {"end-noticed", "does the supervisor sleep on when its task has ended"},
    {"channels-closed", "does the supervisor keep its task's output open"},
    {"no-crash-loop", "does the master start workers for ever"},
};

const FaultWords* find_fault_words(const std::string& key) {
  for (const FaultWords& words : fault_words) {
    if (words.key == key) return &words;
  }
  return nullptr;
}
const OracleWords* find_oracle_words(const std::string& key) {
  for (const OracleWords& words : oracle_words) {
    if (words.key == key) return &words;
  }
  return nullptr;
}

std::string clause(const FaultSpec& fault) {
  const FaultWords* words = find_fault_words(fault.fault);
  return words != nullptr ? words->clause(fault) : "the fault " + fault.fault + " strikes";
}

/// Where no fault strikes: what the tree does by itself.
std::string clause_without_fault(const Case& one) {
  const auto* model = std::get_if<ModelSupervisor>(&one.subject);
  if (model != nullptr && model->profile.model == Model::prefork_master) return "a prefork master starts its workers";
  if (one.tree.ends_with_children && !one.tree.children.empty()) return "the task ends when its children have";
  return one.tree.exits_after ? "the task ends by itself" : "nothing goes wrong";
}

std::string joined(const std::vector<std::string>& clauses) {
  std::string all;
  for (const std::string& each : clauses) all += (all.empty() ? "" : ", and ") + each;
  return all;
}

}  // namespace

bool has_words_for_fault(const std::string& key) { return find_fault_words(key) != nullptr; }
bool has_words_for_oracle(const std::string& key) { return find_oracle_words(key) != nullptr; }

std::string question_of(const Case& one, const std::set<std::string>& in_doubt) {
  std::vector<std::string> happens, asked;
  for (const FaultSpec& fault : one.faults) happens.push_back(clause(fault));
  if (happens.empty()) happens.push_back(clause_without_fault(one));
  for (const std::string& key : in_doubt) {
    const OracleWords* words = find_oracle_words(key);
    asked.push_back(words != nullptr ? words->question : "is " + key + " broken");
  }
  if (asked.empty()) asked.emplace_back("do all promises hold");
  std::string question = joined(happens) + ": " + joined(asked) + "?";
  question.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(question.front())));
  return question;
}

}  // namespace forkproof::scenario
