#include "harness/observe/why.h"

#include <fcntl.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <set>

#include <fmt/format.h>

#include "harness/core/duration.h"
#include "harness/core/proc_root.h"
#include "harness/observe/links.h"
#include "harness/observe/threads.h"
#include "harness/observe/set_aside.h"

namespace forkproof::observe {
namespace {

constexpr std::size_t most_links = 16;    // of a chain
constexpr std::size_t most_others = 4;    // holders of one channel that are named
constexpr std::size_t most_held = 6;      // channels of one process

using Holder = Channels::Holder;

void read_signals(Pid pid, Explanation* one) {
  ProcText file(fmt::format("/proc/{}/status", pid));
  unsigned long long pending = 0;
  bool any = false;
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(":\t");
    if (colon == std::string::npos) continue;
    const std::string key = line.substr(0, colon);
    const auto mask = [&] { return std::strtoull(line.c_str() + colon + 2, nullptr, 16); };
    any = true;
    if (key == "SigPnd" || key == "ShdPnd") pending |= mask();
    else if (key == "SigBlk") one->blocked = signals_in(mask());
    else if (key == "SigIgn") one->ignored = signals_in(mask());
    else if (key == "SigCgt") one->caught = signals_in(mask() & ~(3ULL << 31));  // 32 and 33 are libc's own
  }
  one->pending = signals_in(pending);
  if (!any) one->unread = "its signals: it was gone";
}

/// Everybody at one moment, and what was known of them before: answers questions about single processes.
class Scene {
 public:
  Scene(const Acquaintances& known, bool sealed, Pid root)
      : known_(known), root_(root), still_(sealed, root), name_([this](Pid pid) { return name(pid); }) {}

  /// Before anything else is asked: it may look at everybody anew.
  void find_circles(const std::vector<Pid>& about);
  void find_waiters(const std::vector<Pid>& about);
  Explanation explain(Pid pid);

 private:
  [[nodiscard]] std::string name(Pid pid) const;
  [[nodiscard]] std::string plain_name(Pid pid) const;
  [[nodiscard]] Pid starter_of(Pid pid) const;
  [[nodiscard]] bool descends(Pid pid, Pid from) const;
  [[nodiscard]] bool lives(Pid pid) const;

  Pid follow(Pid pid, Explanation* one);
  std::string cause_of(Pid pid, Pid last);
  [[nodiscard]] std::string obstacle(Pid pid);

  [[nodiscard]] std::string holding(Pid pid, const OpenChannel& open) const;
  [[nodiscard]] std::string others_with(Pid pid, const OpenChannel& open) const;
  [[nodiscard]] std::string origin(const Holder& holder, const Channel& channel) const;

  const Acquaintances& known_;
  Pid root_;
  mutable Standstill still_;
  Namer name_;
  std::map<Pid, std::vector<Pid>> circles_;
  std::map<Channel, std::vector<Pid>> waiters_for_input_, waiters_for_room_;
};

std::string Scene::plain_name(Pid pid) const {
  const auto known = known_.find(pid);
  if (known != known_.end() && !known->second.name.empty()) return known->second.name;
  const Standing* one = still_.see(pid);
  return one == nullptr ? "process" : one->name;
}

bool Scene::lives(Pid pid) const {
  const Standing* one = still_.see(pid);
  return one != nullptr && one->state != "Z";
}

std::string Scene::name(Pid pid) const {
  return pid == root_ ? "PID 1" : fmt::format("{} {}", plain_name(pid), pid);
}

/// By what was seen; else its parent, unless that is PID 1, which inherits what others started.
Pid Scene::starter_of(Pid pid) const {
  const auto known = known_.find(pid);
  if (known != known_.end() && known->second.starter > 0) return known->second.starter;
  const Standing* one = still_.see(pid);
  return one == nullptr || told_parent(one->parent) == root_ ? 0 : one->parent;
}

bool Scene::descends(Pid pid, Pid from) const {
  for (std::size_t level = 0; pid > 0 && pid != root_ && level < 64; ++level, pid = starter_of(pid)) {
    if (pid == from) return true;
  }
  return false;
}

void Scene::find_circles(const std::vector<Pid>& about) {
  for (const Pid pid : about) {
    if (circles_.contains(pid)) continue;
    const std::vector<Pid> circle = still_.circle_from(pid);
    for (const Pid member : circle) circles_[member] = circle;
  }
}

/// Who waits for what the asked-about hold: only those calls are looked into that could be such a wait.
void Scene::find_waiters(const std::vector<Pid>& about) {
  std::set<Channel> of_interest;
  const auto& everyone = still_.everyone();
  for (const Pid pid : about) {
    const auto found = everyone.find(pid);
    if (found == everyone.end()) continue;
    for (const OpenChannel& open : found->second.channels) of_interest.insert(still_.channels().facing(open.channel));
  }
  if (of_interest.empty()) return;
  for (const auto& [pid, standing] : everyone) {
    const bool holds_one = std::any_of(standing.channels.begin(), standing.channels.end(), [&](const OpenChannel& open) {
      return of_interest.contains(open.channel);
    });
    if (!holds_one || pid == root_) continue;  // PID 1 is who is looking
    Thread main;
    if (!main_thread(pid, &main) || !may_wait_for_channel(main)) continue;
    for (const ThreadWait& thread : still_.wait(pid).threads) {
      for (const Source& source : thread.any_of) {
        if (!of_interest.contains(source.channel)) continue;
        std::vector<Pid>& waiters = (source.for_room ? waiters_for_room_ : waiters_for_input_)[source.channel];
        if (waiters.empty() || waiters.back() != pid) waiters.push_back(pid);
      }
    }
  }
}

/// From one to the next until a process waits for no other, or for one that was there before. Returns the last.
Pid Scene::follow(Pid pid, Explanation* one) {
  std::set<Pid> seen;
  bool for_ends = true;
  Pid here = pid, last = pid;
  for (std::size_t links = 0; links < most_links; ++links) {
    seen.insert(here);
    const Link link = link_from(still_, here, root_, name_);
    one->chain.push_back(here == pid ? link.text : name(here) + " " + link.text);
    for_ends = for_ends && link.for_its_end;
    if (link.next == 0) return last;
    if (seen.contains(link.next)) {
      one->cycle = circles_.contains(here);
      if (!one->cycle) return last;
      one->chain.push_back(link.next == here ? fmt::format("{} waits for itself, and nothing else could wake it", name(here))
                                             : fmt::format("that is a cycle: it comes back to {}, and nothing else could wake one of them", name(link.next)));
      return last;
    }
    here = link.next;
    if (for_ends) last = here;
  }
  one->chain.emplace_back("and so on");
  return last;
}

/// Why a process does not end when it is told to; empty when nothing is known that keeps it.
std::string Scene::obstacle(Pid pid) {
  const auto mask = [pid](const char* key) { return std::strtoull(status_field(pid, key).c_str(), nullptr, 16); };
  constexpr unsigned long long term = 1ULL << (SIGTERM - 1);
  if (still_.wait(pid).state == ProcessWait::State::stopped) return "is stopped by a signal";
  if ((mask("SigIgn") & term) != 0) return "ignores SIGTERM";
  if ((mask("SigBlk") & term) != 0) return (mask("ShdPnd") & term) != 0 ? "blocks SIGTERM, which is pending" : "blocks SIGTERM";
  return (mask("SigCgt") & term) != 0 ? "catches SIGTERM, and has not ended" : "";
}

/// `last`: at the end of those that wait for each other's end, beginning with this one.
std::string Scene::cause_of(Pid pid, Pid last) {
  const auto circle = circles_.find(pid);
  if (circle != circles_.end()) return in_words(still_, circle->second, root_, name_) + ": none of them goes on by itself";
  if (!lives(pid)) return {};
  const std::string own = obstacle(pid);
  if (!own.empty() && !own.starts_with("catches")) return "it " + own;
  if (last == pid || !lives(last)) return {};
  const std::string keeps = obstacle(last);
  return fmt::format("{} {}, and {} waits for its end", name(last), keeps.empty() ? "has not ended: it " + still_.wait(last).doing : keeps, name(pid));
}

/// How a process came to hold it: by the living of its line who hold the same open file description.
std::string Scene::origin(const Holder& holder, const Channel& channel) const {
  const long flags = descriptor_flags(holder.pid, holder.fd);
  const char* kept = flags < 0 ? "" : (flags & O_CLOEXEC) != 0 ? ", close-on-exec: it has called no exec since" : ", not close-on-exec";
  Pid ancestor = starter_of(holder.pid);
  for (std::size_t level = 0; ancestor > 0 && level < 64; ++level, ancestor = ancestor == root_ ? 0 : starter_of(ancestor)) {
    for (const Holder& other : still_.channels().holders(channel)) {
      if (other.pid != ancestor || !Channels::same_description(holder, other)) continue;
      return fmt::format("inherited from {}{}{}", name(ancestor), other.fd == holder.fd ? "" : fmt::format(" (there fd {})", other.fd), kept);
    }
  }
  // Whoever is not below it and has the same description, or an end of the same pipe, did not get that from it.
  const auto& all = still_.channels().holders(channel);
  const bool was_given = std::any_of(all.begin(), all.end(), [&](const Holder& other) {
    return !descends(other.pid, holder.pid) && (!channel.socket || Channels::same_description(holder, other));
  });
  const Pid starter = starter_of(holder.pid);
  if (!was_given && holder.fd > 2) return fmt::format("opened by it, received through a socket, or inherited from a process that has ended{}", kept);
  if (starter == 0) return fmt::format("inherited; from whom nobody saw{}", kept);
  return fmt::format("inherited from {}, which {}{}", name(starter), lives(starter) ? "has closed its own" : "has ended", kept);
}

std::string Scene::others_with(Pid pid, const OpenChannel& open) const {
  const long own = descriptor_flags(pid, open.fd);
  const auto& all = still_.channels().holders(open.channel);
  std::string text;
  std::set<Pid> named;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (named.size() == most_others) return text + fmt::format(", and as many as {} more", all.size() - i);
    const Holder& holder = all[i];
    if (holder.pid == pid || named.contains(holder.pid)) continue;
    // Of a pipe, those with the same end.
    if (!open.channel.socket && (descriptor_flags(holder.pid, holder.fd) & O_ACCMODE) != (own & O_ACCMODE)) continue;
    named.insert(holder.pid);
    text += fmt::format("{}{} (fd {})", text.empty() ? "" : ", ", name(holder.pid), holder.fd);
  }
  return text;
}

/// Empty when nobody waits for what it holds.
std::string Scene::holding(Pid pid, const OpenChannel& open) const {
  const long flags = descriptor_flags(pid, open.fd);
  const bool writes = open.channel.socket || (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY);
  const bool reads = open.channel.socket || (flags >= 0 && (flags & O_ACCMODE) != O_WRONLY);
  std::string waiting;
  const auto add = [&](const auto& waiters, const char* what) {
    const auto found = waiters.find(still_.channels().facing(open.channel));
    if (found == waiters.end()) return;
    for (const Pid other : found->second) {
      if (other != pid && waiting.empty()) waiting = fmt::format("{} waits for {}", name(other), what);
    }
  };
  if (writes) add(waiters_for_input_, open.channel.socket ? "input from it or its end" : "its end");
  if (reads) add(waiters_for_room_, "room in it");
  if (waiting.empty()) return {};
  std::string text = fmt::format("keeps {} open as fd {}, {}: {}", open.channel.name(), open.fd,
                                 origin({pid, open.fd}, open.channel), waiting);
  if (const std::string others = others_with(pid, open); !others.empty()) text += "; so does " + others;
  return text;
}

Explanation Scene::explain(Pid pid) {
  Explanation one;
  one.pid = pid;
  one.name = plain_name(pid);
  const Standing* found = still_.see(pid);
  if (found == nullptr) return one.state = "gone", one.unread = "everything: it has ended meanwhile", one;
  const Standing& standing = *found;
  one.state = standing.state;
  one.parent = told_parent(standing.parent), one.parent_name = name(one.parent);
  one.group = standing.group, one.session = standing.session;
  one.starter = starter_of(pid);
  if (one.starter > 0) {
    one.starter_name = name(one.starter);
    one.starter_gone = !lives(one.starter);
  }
  read_signals(pid, &one);
  one.stuck_in = still_.wait(pid).doing;
  const Pid last = follow(pid, &one);
  one.cause = cause_of(pid, last);
  for (const OpenChannel& open : standing.channels) {
    std::string text = one.holds.size() < most_held ? holding(pid, open) : "";
    if (!text.empty()) one.holds.push_back(std::move(text));
  }
  if (!standing.channels_read && standing.state != "Z") one.unread = "its descriptors: /proc does not show them";
  return one;
}

}  // namespace

Explained explain(const std::string& when, const std::vector<Pid>& about, const Acquaintances& known, bool sealed, Pid root) {
  const Nanos began = monotonic_now();
  Explained all{when, {}, 0, {}, {}};
  if (about.empty()) return all;
  std::vector<Pid> asked = about;
  if (asked.size() > most_explained) all.more = asked.size() - most_explained, asked.resize(most_explained);
  Scene scene(known, sealed, root);
  scene.find_circles(asked);
  scene.find_waiters(asked);
  for (const Pid pid : asked) all.processes.push_back(scene.explain(pid));
  all.took = monotonic_now() - began;
  return all;
}

}  // namespace forkproof::observe
