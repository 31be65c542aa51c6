#include "harness/observe/why.h"

#include <fcntl.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <set>

#include <fmt/format.h>

#include "harness/core/duration.h"
#include "harness/core/proc_root.h"
#include "harness/observe/channels.h"
#include "harness/observe/snapshot.h"
#include "harness/observe/waits.h"

namespace forkproof::observe {
namespace {

constexpr std::size_t most_links = 16;    // of a chain
constexpr std::size_t most_others = 4;    // holders of one channel that are named
constexpr std::size_t most_held = 6;      // channels of one process
constexpr std::size_t most_signals = 12;  // named of one set

using Holder = Channels::Holder;

std::string signals_in(unsigned long long mask) {
  std::string names;
  std::size_t count = 0;
  for (int signal = 1; signal <= 64; ++signal) {
    if ((mask & (1ULL << (signal - 1))) == 0 || ++count > most_signals) continue;
    names += (names.empty() ? "" : ", ") + signal_name(signal);
  }
  return count > most_signals ? fmt::format("{} and {} more", names, count - most_signals) : names;
}

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
      : known_(known), root_(root), everyone_(walk(sealed, root)), channels_(everyone_) {}

  Explanation explain(Pid pid);
  void find_waiters(const std::vector<Pid>& about);
  [[nodiscard]] bool has(Pid pid) const { return everyone_.contains(pid); }

 private:
  [[nodiscard]] std::string name(Pid pid) const;
  [[nodiscard]] std::string plain_name(Pid pid) const;
  [[nodiscard]] Pid starter_of(Pid pid) const;
  [[nodiscard]] bool descends(Pid pid, Pid from) const;
  const Wait& wait(Pid pid);
  /// Who that is, identified; null when it is not here.
  const Standing* see(Pid pid) const;

  struct Link {
    std::string text;
    Pid next = 0;
    bool limited = false;
  };
  Link link_from(Pid pid);
  Link channel_link(Pid pid, const Wait& wait) const;
  void follow(Pid pid, Explanation* one);

  [[nodiscard]] std::string holding(Pid pid, const OpenChannel& open) const;
  [[nodiscard]] std::string others_with(Pid pid, const OpenChannel& open) const;
  [[nodiscard]] std::string origin(const Holder& holder, const Channel& channel) const;

  const Acquaintances& known_;
  Pid root_;
  mutable std::unordered_map<Pid, Standing> everyone_;  // who they are is read when somebody asks
  Channels channels_;
  std::map<Pid, Wait> waits_;
  std::map<Channel, std::vector<Pid>> waiters_for_input_, waiters_for_room_;
};

std::string Scene::plain_name(Pid pid) const {
  const auto known = known_.find(pid);
  if (known != known_.end() && !known->second.name.empty()) return known->second.name;
  const Standing* one = see(pid);
  return one == nullptr ? "process" : one->name;
}

const Standing* Scene::see(Pid pid) const {
  const auto found = everyone_.find(pid);
  if (found == everyone_.end()) return nullptr;
  identify(&found->second);
  return &found->second;
}

std::string Scene::name(Pid pid) const {
  return pid == root_ ? "PID 1" : fmt::format("{} {}", plain_name(pid), pid);
}

/// By what was seen; else its parent, unless that is PID 1, which inherits what others started.
Pid Scene::starter_of(Pid pid) const {
  const auto known = known_.find(pid);
  if (known != known_.end() && known->second.starter > 0) return known->second.starter;
  const Standing* one = see(pid);
  return one == nullptr || one->parent == root_ ? 0 : one->parent;
}

bool Scene::descends(Pid pid, Pid from) const {
  for (std::size_t level = 0; pid > 0 && pid != root_ && level < 64; ++level, pid = starter_of(pid)) {
    if (pid == from) return true;
  }
  return false;
}

const Wait& Scene::wait(Pid pid) {
  const auto known = waits_.find(pid);
  if (known != waits_.end()) return known->second;
  const auto found = everyone_.find(pid);
  if (found == everyone_.end()) return waits_[pid];
  identify(&found->second);
  main_thread(pid, &found->second.main);
  return waits_[pid] = wait_of(found->second);
}

/// Who waits for what the asked-about hold: only those calls are looked into that could be such a wait.
void Scene::find_waiters(const std::vector<Pid>& about) {
  std::set<Channel> of_interest;
  for (const Pid pid : about) {
    const auto found = everyone_.find(pid);
    if (found == everyone_.end()) continue;
    for (const OpenChannel& open : found->second.channels) of_interest.insert(channels_.facing(open.channel));
  }
  if (of_interest.empty()) return;
  for (auto& [pid, standing] : everyone_) {
    const bool holds_one = std::any_of(standing.channels.begin(), standing.channels.end(), [&](const OpenChannel& open) {
      return of_interest.contains(open.channel);
    });
    if (!holds_one || pid == root_) continue;  // PID 1 is who is looking
    if (!main_thread(pid, &standing.main) || !may_wait_for_channel(standing.main)) continue;
    const Wait& its = wait(pid);
    for (const Channel& channel : its.channels) {
      if (of_interest.contains(channel)) (its.for_room ? waiters_for_room_ : waiters_for_input_)[channel].push_back(pid);
    }
  }
}

/// Of those who could end this wait, one that is followed: rather another than itself or PID 1.
Scene::Link Scene::channel_link(Pid pid, const Wait& wait) const {
  std::vector<Holder> able;
  Channel through;
  for (const Channel& channel : wait.channels) {
    for (const Holder& holder : channels_.other_side(channel, wait.for_room)) {
      if (able.empty()) through = channel;
      able.push_back(holder);
    }
  }
  const char* what = wait.for_room ? "room in" : "input or the end of";
  if (able.empty()) {
    const std::string named = wait.channels.empty() ? "" : wait.channels.front().name();
    return {fmt::format("waits for {} {}, whose other end nobody here holds", what, named), 0};
  }
  const auto better = [&](const Holder& left, const Holder& right) {
    const auto cost = [&](const Holder& holder) { return holder.pid == root_ ? 2 : holder.pid == pid ? 1 : 0; };
    return std::pair(cost(left), left.pid) < std::pair(cost(right), right.pid);
  };
  std::sort(able.begin(), able.end(), better);
  const Holder& first = able.front();
  std::set<Pid> others;
  for (const Holder& holder : able) others.insert(holder.pid);
  others.erase(first.pid);
  const std::string can = wait.for_room ? "can read" : through.socket ? "holds the other end of" : "can write to";
  std::string text = fmt::format("waits for {} {}, which {} {} (fd {})", what, through.name(),
                                 first.pid == pid ? "it alone" : name(first.pid), can, first.fd);
  if (through.socket) text = fmt::format("waits for {} {}, whose other end {} holds (fd {})", what, through.name(), name(first.pid), first.fd);
  if (!others.empty()) text += ", and others";
  return {text, first.pid == root_ ? 0 : first.pid};
}

Scene::Link Scene::link_from(Pid pid) {
  const Wait& its = wait(pid);
  const bool limited = its.limited;
  if (its.kind == Wait::Kind::channel) {
    Link link = channel_link(pid, its);
    link.limited = limited;
    if (limited) link.text += ", with a time limit";
    return link;
  }
  if ((its.kind != Wait::Kind::process && its.kind != Wait::Kind::lock) || its.on.empty()) return {its.doing, 0};
  Pid next = its.on.front();
  for (const Pid each : its.on) {
    // Rather one that lives: a zombie among the waited-for is about to be reaped.
    const Standing* one = see(each);
    if (one != nullptr && one->state != "Z") { next = each; break; }
  }
  const std::string more = its.on.size() > 1 ? fmt::format(", one of {}", its.on.size()) : "";
  const std::string text = its.kind == Wait::Kind::lock ? fmt::format("waits for a lock that {} holds{}", name(next), more)
                                                        : fmt::format("waits for the end of {}{}", name(next), more);
  return {text, has(next) ? next : 0, limited};
}

/// From one to the next until somebody waits for nobody, or for one who was there before.
void Scene::follow(Pid pid, Explanation* one) {
  std::set<Pid> seen;
  bool limited = false;
  Pid here = pid;
  for (std::size_t links = 0; links < most_links; ++links) {
    seen.insert(here);
    const Link link = link_from(here);
    one->chain.push_back(here == pid ? link.text : name(here) + " " + link.text);
    limited |= link.limited;
    if (link.next == 0) return;
    if (seen.contains(link.next)) {
      one->cycle = !limited;
      const std::string round = link.next == here ? fmt::format("{} waits for itself", name(here))
                                                  : fmt::format("that is a cycle: it comes back to {}", name(link.next));
      one->chain.push_back(round + (limited ? ", though a time limit will end it" : ": none of them goes on by itself"));
      return;
    }
    here = link.next;
  }
  one->chain.emplace_back("and so on");
}

/// How a process came to hold it: by the living of its line who hold the same open file description.
std::string Scene::origin(const Holder& holder, const Channel& channel) const {
  const long flags = descriptor_flags(holder.pid, holder.fd);
  const char* kept = flags < 0 ? "" : (flags & O_CLOEXEC) != 0 ? ", close-on-exec: it has called no exec since" : ", not close-on-exec";
  Pid ancestor = starter_of(holder.pid);
  for (std::size_t level = 0; ancestor > 0 && level < 64; ++level, ancestor = ancestor == root_ ? 0 : starter_of(ancestor)) {
    for (const Holder& other : channels_.holders(channel)) {
      if (other.pid != ancestor || !Channels::same_description(holder, other)) continue;
      return fmt::format("inherited from {}{}{}", name(ancestor), other.fd == holder.fd ? "" : fmt::format(" (there fd {})", other.fd), kept);
    }
  }
  // Whoever is not below it and has the same description, or an end of the same pipe, did not get that from it.
  const auto& all = channels_.holders(channel);
  const bool was_given = std::any_of(all.begin(), all.end(), [&](const Holder& other) {
    return !descends(other.pid, holder.pid) && (!channel.socket || Channels::same_description(holder, other));
  });
  const Pid starter = starter_of(holder.pid);
  if (!was_given && holder.fd > 2) return fmt::format("opened by itself, received, or inherited from one that has ended{}", kept);
  if (starter == 0) return fmt::format("inherited; from whom nobody saw{}", kept);
  return fmt::format("inherited from {}, which {}{}", name(starter), has(starter) ? "has closed its own" : "has ended", kept);
}

std::string Scene::others_with(Pid pid, const OpenChannel& open) const {
  const long own = descriptor_flags(pid, open.fd);
  const auto& all = channels_.holders(open.channel);
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
    const auto found = waiters.find(channels_.facing(open.channel));
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
  const Standing* found = see(pid);
  if (found == nullptr) return one.state = "gone", one.unread = "everything: it has ended meanwhile", one;
  const Standing& standing = *found;
  one.state = standing.state;
  one.parent = standing.parent, one.parent_name = name(standing.parent);
  one.group = standing.group, one.session = standing.session;
  one.starter = starter_of(pid);
  if (one.starter > 0) {
    const Standing* starter = see(one.starter);
    one.starter_name = name(one.starter);
    one.starter_gone = starter == nullptr || starter->state == "Z";
  }
  read_signals(pid, &one);
  one.stuck_in = wait(pid).doing;
  follow(pid, &one);
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
  Explained all{when, {}, 0, {}};
  if (about.empty()) return all;
  std::vector<Pid> asked = about;
  if (asked.size() > most_explained) all.more = asked.size() - most_explained, asked.resize(most_explained);
  Scene scene(known, sealed, root);
  scene.find_waiters(asked);
  for (const Pid pid : asked) all.processes.push_back(scene.explain(pid));
  all.took = monotonic_now() - began;
  return all;
}

}  // namespace forkproof::observe
