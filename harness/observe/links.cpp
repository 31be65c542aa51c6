#include "harness/observe/links.h"

#include <sys/syscall.h>

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace forkproof::observe {
namespace {

constexpr std::size_t most_listed = 6;   // ways to wake one process
constexpr std::size_t most_members = 4;  // of a circle, in words

/// One way to wake a process, in words that follow "waits for".
struct Told {
  std::string text;
  Pid next = 0;
  bool for_its_end = false;
};

/// One of those that could bring it on: rather another process than itself, and PID 1 last.
Pid best_of(const std::vector<Pid>& pids, Pid self, Pid root) {
  const auto cost = [&](Pid pid) { return std::pair(pid == root ? 2 : pid == self ? 1 : 0, pid); };
  return *std::min_element(pids.begin(), pids.end(), [&](Pid left, Pid right) { return cost(left) < cost(right); });
}

Told on_channel(Standstill& still, Pid pid, const Source& source, Pid root, const Namer& name) {
  const std::vector<Channels::Holder> able = still.channels().other_side(source.channel, source.for_room, Channels::some);
  const std::string what = fmt::format("{} {}", source.for_room ? "room in" : "input or the end of", source.what);
  if (able.empty()) return {what + ", whose other end no process here holds"};
  std::vector<Pid> pids;
  for (const Channels::Holder& holder : able) pids.push_back(holder.pid);
  const Pid chosen = best_of(pids, pid, root);
  const auto holder = std::find_if(able.begin(), able.end(), [chosen](const auto& each) { return each.pid == chosen; });
  const bool several = std::set<Pid>(pids.begin(), pids.end()).size() > 1;
  const char* more = several ? ", and others" : "";
  const std::string who = chosen != pid ? name(chosen) : several ? "it" : "it alone";
  if (source.channel.socket) return {fmt::format("{}, whose other end {} holds (fd {}){}", what, who, holder->fd, more), chosen};
  return {fmt::format("{}, which {} can {} (fd {}){}", what, who, source.for_room ? "read" : "write to", holder->fd, more), chosen};
}

/// Of several processes rather one that lives: a zombie is about to be reaped.
Pid living_of(Standstill& still, const std::vector<Pid>& pids) {
  const auto lives = [&still](Pid pid) { return still.see(pid) != nullptr && still.wait(pid).state != ProcessWait::State::zombie; };
  const auto found = std::find_if(pids.begin(), pids.end(), lives);
  return found != pids.end() ? *found : pids.front();
}

Told tell(Standstill& still, Pid pid, const Source& source, Pid root, const Namer& name) {
  if (source.kind == Source::Kind::channel) return on_channel(still, pid, source, root, name);
  const bool process = source.kind == Source::Kind::process;
  if ((!process && source.kind != Source::Kind::lock) || source.by.empty()) return {source.what};
  const Pid next = living_of(still, source.by);
  const std::string more = source.by.size() > 1 ? fmt::format(", one of {}", source.by.size()) : "";
  if (!process) return {fmt::format("{} that {} holds{}", source.what, name(next), more), next};
  const std::string signal = source.what.starts_with("SIGCHLD") ? fmt::format(" ({})", source.what) : "";
  return {fmt::format("the end of {}{}{}", name(next), more, signal), next, true};
}

/// Threads that wait for others of their own process show nothing that the told one does not.
std::vector<Source> ways_to_wake(const ProcessWait& its) {
  std::vector<Source> all;
  if (its.threads.empty()) return all;
  const ThreadWait& told = its.threads[its.told];
  all = told.any_of;
  for (std::size_t i = 0; i < its.threads.size(); ++i) {
    if (i == its.told) continue;
    for (const Source& source : its.threads[i].any_of) {
      if (source.kind != Source::Kind::memory) all.push_back(source);
    }
  }
  // A handler interrupts one call and it goes on waiting, as a rule; where a set is waited on, handlers are part of the set.
  // A process that waits for nothing but signals says so already; in sigsuspend, shells wait for their children.
  const bool on_descriptors = told.on_a_set && !told.any_of.empty();
  if (on_descriptors || told.thread.number == SYS_rt_sigsuspend) all.insert(all.end(), its.handlers.begin(), its.handlers.end());
  return all;
}

}  // namespace

Link link_from(Standstill& still, Pid pid, Pid root, const Namer& name) {
  const ProcessWait& its = still.wait(pid);
  const std::string doing = its.doing;
  std::vector<Told> told;
  for (const Source& source : ways_to_wake(its)) {
    Told one = tell(still, pid, source, root, name);
    const bool known = std::any_of(told.begin(), told.end(), [&one](const Told& each) { return each.text == one.text; });
    if (!known) told.push_back(std::move(one));
  }
  const bool runs = std::any_of(its.threads.begin(), its.threads.end(), [](const ThreadWait& each) { return each.runs; });
  if (runs && its.threads.size() > 1) told.push_back({"another thread of its own, which runs"});
  const auto leads_on = [&](const Told& one) { return one.next > 0 && one.next != root && one.next != pid; };
  // An end that is waited for says more than an idle channel.
  auto next = std::find_if(told.begin(), told.end(), [&](const Told& one) { return leads_on(one) && one.for_its_end; });
  if (next == told.end()) next = std::find_if(told.begin(), told.end(), leads_on);
  Link link;
  if (next != told.end()) link.next = still.see(next->next) != nullptr ? next->next : 0, link.for_its_end = next->for_its_end;
  if (told.empty()) return link.text = doing, link;
  if (told.size() == 1) {
    const bool says_more = told.front().next > 0 || told.front().text.find("no process here") != std::string::npos;
    if (told.front().next == pid) link.next = pid;
    return link.text = says_more ? "waits for " + told.front().text : doing, link;
  }
  for (std::size_t i = 0; i < std::min(told.size(), most_listed); ++i) link.text += (i == 0 ? "" : "; ") + told[i].text;
  link.text = "any of these would wake it: " + link.text;
  if (told.size() > most_listed) link.text += fmt::format("; and {} more", told.size() - most_listed);
  return link;
}

std::string in_words(Standstill& still, const std::vector<Pid>& circle, Pid root, const Namer& name) {
  std::string text;
  for (std::size_t i = 0; i < std::min(circle.size(), most_members); ++i) {
    text += fmt::format("{}{} {}", i == 0 ? "" : "; ", name(circle[i]), link_from(still, circle[i], root, name).text);
  }
  if (circle.size() > most_members) text += fmt::format("; and {} more", circle.size() - most_members);
  return text;
}

}  // namespace forkproof::observe
