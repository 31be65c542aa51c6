#include "harness/core/history.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>

namespace forkproof {
namespace {

using namespace std::chrono_literals;

/// One event of each kind, no field at its default.
std::vector<Happening> one_of_each() {
  return {
      CaseOpened{"{\"scenario\":\"x\"}"},
      ArenaOpened{"sealed", true, 77, "no cgroup"},
      Spawned{5, 2, 3, "helper"},
      Ready{5, 3, 2, 4, 6},
      TreeReady{9},
      SyncPointReached{5, "helper", "forked", 2, true},
      SyncPointReleased{5, "helper", "forked", "the tree is up"},
      Scheduled{3, 2, 5, "b", "helper", "forked", false, {{2, -2, "supervisor", "spawned"}, {5, 1, "helper", "forked"}}},
      FaultEstablished{"heartbeat-reply", "all are up"},
      FaultFired{"heartbeat-reply", "409"},
      FaultHealed{"heartbeat-reply"},
      TeardownAsked{"heartbeat 3 was answered 409", cause::task_ended},
      Request{"heartbeat", 3, "PUT", "/ti/heartbeat", "{\"pid\":5}"},
      Reply{"heartbeat", 3, 409, "late"},
      Signalled{2, -5, 15, 3},
      SignalTaken{5, 15},
      ObservationChosen{"proc", "short lives", "ptrace: refused"},
      Execed{5, "/bin/sleep"},
      SignalSeen{5, 15, 2, "kill"},
      Explained{"bound", 4ms, 2, {{5, "helper", "S", 3, "sh", true, 1, "PID 1", 4, 6, "SIGINT", "SIGHUP", "SIGTERM", "SIGUSR1",
                                   "sleeps in read(0)", {"waits for pid 6", "pid 6 sleeps"}, true, {"fd 1"}, "syscall: refused", "pid 6 ignores SIGTERM"}},
                "all are blocked"},
      Exited{5, "helper", WaitStatus::killed_by(9), false},
      Stuck{5, "helper", "deadlock", true, 7ms, "nobody is left to wake it"},
      Reaped{2, 5, WaitStatus::exited_with(3), true},
      Reparented{5, 2, 1, true},
      ListenerOpened{2, 4000, "socket:[9]"},
      SignalWithoutEffect{5, "task", 2, "ignored", true, "SigIgn"},
      CaptureOpened{2, "stdout", "pipe", "never", "pipe:[7]", "pipe:[8]"},
      OutputCounted{5, "stdout", "written", 1ULL << 40},
      DescriptorHeld{5, 7, "listener 127.0.0.1:4000", 2},
      ProbeMade{"connect", "refused", false},
      WorkerStarted{2, 5, 3, 8ms},
      Restarted{2, 9, 1, 3, 5ms},
      CommandNotStarted{"exec /bin/nosuch", 2},
      CommandOutput{100'000'000, "the last words"},
      LimitReached{"processes", 2002, 2000}, ArenaRested{false, Nanos(32), "sh 2 was running"},
      ChannelClosed{2, "stdin", "forced"},
      SelectorOpened{2, 8},
      SelectorClosed{2, 8, "loop"},
      ClosedSelectorWait{2, 8, "socket"},
      ClosedSelectorResult{2, 22},
      SubjectFailed{2, "ValueError"},
      StateConcluded{2, "failed"},
      CensusTaken{"conclusion", false, {{5, 1, 5, 5, "S", true, "helper"}, {6, 1, 5, 5, "R", true, "x"}}},
      MachineLate{5ms},
      DeadlinePassed{"teardown"},
      RunEnded{"the supervisor has ended", 30},
      Trouble{"control socket", "no such event"},
      ListenersSeen{"teardown", "no /proc", {{"socket:[7]", "127.0.0.1:4000", {2, 3}}}},
      CrashLineSeen{"python", "Traceback (most recent call last):", "ValueError: x", 4ms, "stopping", "more"},
  };
}

template <class Kind>
bool same_fields(const Kind& left, const Kind& right) {
  std::size_t fields = 0, equal = 0;
  Kind::each(left, [&](FieldName, const auto& one) {
    std::size_t index = 0;
    Kind::each(right, [&](FieldName, const auto& other) {
      if (index++ != fields) return;
      if constexpr (std::is_same_v<decltype(one), decltype(other)>) equal += one == other;
    });
    ++fields;
  });
  return equal == fields;
}

bool same(const Event& left, const Event& right) {
  if (left.at != right.at || left.what.index() != right.what.index()) return false;
  return std::visit(
      [&](const auto& one) { return same_fields(one, std::get<std::decay_t<decltype(one)>>(right.what)); }, left.what);
}

template <class Kind>
std::size_t listed_fields() {
  const Kind plain{};
  std::size_t count = 0;
  Kind::each(plain, [&count](FieldName, const auto&) { ++count; });
  return count;
}

struct Anything {
  template <class T>
  operator T() const;  // never defined: only asked whether it would fit
};
template <class Kind, class... Taken>
consteval std::size_t declared_fields() {
  if constexpr (requires { Kind{Taken{}..., Anything{}}; }) return declared_fields<Kind, Taken..., Anything>();
  else return sizeof...(Taken);
}

TEST(Event, TheListHoldsOneOfEachKind) {
  const std::vector<Happening> all = one_of_each();
  ASSERT_EQ(all.size(), std::variant_size_v<AnyHappening>) << "a new event needs its line in one_of_each()";
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i].index(), i) << kind_of(all[i]);
}

TEST(Event, TheListHasNoFieldAtItsDefault) {  // or a field that is never written would go unnoticed
  for (const Happening& what : one_of_each()) {
    std::visit(
        [](const auto& event) {
          using Kind = std::decay_t<decltype(event)>;
          const Kind plain{};
          std::size_t index = 0;
          Kind::each(event, [&](FieldName name, const auto& field) {
            std::size_t other = 0;
            Kind::each(plain, [&](FieldName, const auto& untouched) {
              if (other++ != index) return;
              if constexpr (std::is_same_v<decltype(field), decltype(untouched)>) {
                EXPECT_FALSE(field == untouched) << Kind::kind << "." << name.text;
              }
            });
            ++index;
          });
        },
        what);
  }
}

TEST(Event, EachListsAllOfItsFields) {
  for (const Happening& what : one_of_each()) {
    std::visit(
        [](const auto& event) {
          using Kind = std::decay_t<decltype(event)>;
          EXPECT_EQ(listed_fields<Kind>(), declared_fields<Kind>()) << Kind::kind;
        },
        what);
  }
  EXPECT_EQ(listed_fields<CensusEntry>(), declared_fields<CensusEntry>());
  EXPECT_EQ(listed_fields<Explanation>(), declared_fields<Explanation>());
}

TEST(Event, NamesOfKindsAreUnique) {
  std::vector<std::string_view> kinds;
  for (const Happening& what : one_of_each()) kinds.push_back(kind_of(what));
  std::sort(kinds.begin(), kinds.end());
  EXPECT_EQ(std::adjacent_find(kinds.begin(), kinds.end()), kinds.end());
}

TEST(Event, EachKindComesBackFromItsLineAndItsDocument) {
  for (const Happening& what : one_of_each()) {
    const Event event{1234567ns, what};
    const std::string line = to_line(event);
    EXPECT_EQ(line.find('\n'), line.size() - 1) << line;
    EXPECT_TRUE(same(from_line(line), event)) << line;
    EXPECT_TRUE(same({event.at, happening_from(to_document(what))}, event)) << line;
  }
}

TEST(Event, BytesThatAreNoUtf8AreReplacedNotRefused) {
  const std::string line = to_line({0ns, SubjectFailed{2, "caf\xe9 \xff\xfe\x80"}});
  const Event event = from_line(line);
  EXPECT_EQ(event.as<SubjectFailed>()->by, 2);
  EXPECT_EQ(event.as<SubjectFailed>()->what.substr(0, 3), "caf");
}

TEST(Event, ANewlineInATextStaysInItsLine) {
  const Event event = from_line(to_line({0ns, Trouble{"a\nb", "c\r\n"}}));
  EXPECT_EQ(event.as<Trouble>()->where, "a\nb");
  EXPECT_EQ(event.as<Trouble>()->what, "c\r\n");
}

TEST(Event, ABadLineThrows) {
  EXPECT_THROW(from_line("{"), std::exception);
  EXPECT_THROW(from_line("[]"), std::exception);
  EXPECT_THROW(from_line(R"({"kind":"no-such","at":1})"), std::exception);
  EXPECT_THROW(from_line(R"({"kind":"tree-ready","at":1})"), std::exception);                // a field is missing
  EXPECT_THROW(from_line(R"({"kind":"tree-ready","nodes":"two","at":1})"), std::exception);  // or of another type
  EXPECT_THROW(from_line(R"({"kind":"tree-ready","nodes":2})"), std::exception);             // or the time is
}

TEST(ReadHistory, CountsWhatItCannotReadAndKeepsTheRest) {
  const std::string good = to_line({1ns, TreeReady{2}});
  const History history = read_history(good + "garbage\n" + good + "\n" + good.substr(0, good.size() / 2));
  EXPECT_EQ(history.size(), 2U);
  EXPECT_EQ(history.unreadable_lines, 2U);  // the garbage, and the one that a crash cut short; not the empty one
}

std::vector<Event> three_events() { return {{1ns, TreeReady{2}}, {2ns, TreeReady{3}}, {3ns, RunEnded{"over", 2}}}; }

TEST(ReadHistory, FindsNoDamageWhereThereIsNone) {
  const History history = read_history(to_sealed_lines(three_events()));
  EXPECT_EQ(history.size(), 3U);
  EXPECT_EQ(history.damage, "");
}

TEST(ReadHistory, SaysWhereTheDamageIs) {
  const std::string text = to_sealed_lines(three_events());
  const std::size_t second = text.find('\n') + 1, third = text.find('\n', second) + 1;
  const auto damage = [](const std::string& damaged) { return read_history(damaged).damage; };
  EXPECT_EQ(damage(text.substr(second)), "line 1 does not follow from those before it: a line was changed, lost, moved or added");
  EXPECT_EQ(damage(text.substr(0, second) + text.substr(third)),
            "line 2 does not follow from those before it: a line was changed, lost, moved or added");
  EXPECT_EQ(damage(text.substr(0, second) + "\n" + text.substr(second)), "line 2 is empty");
  EXPECT_EQ(damage(text + "\n"), "line 4 is empty");
  EXPECT_EQ(damage(text.substr(0, text.size() - 1)), "line 3 is cut off");
  EXPECT_EQ(damage(text + "x"), "line 4 is cut off");
  EXPECT_EQ(damage(text.substr(0, third)), "") << "it ends too early, which only the absent end of the run can show";
  EXPECT_EQ(damage(to_line(three_events()[0])),
            "line 1 has no checksum, as this version writes it: nothing shows that it is unchanged");
}

TEST(ReadHistory, EveryByteCounts) {
  const std::string text = to_sealed_lines(three_events());
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const char other : {'\n', ' ', '0', '}', '\0'}) {
      std::string damaged = text;
      damaged[at] = other;
      EXPECT_EQ(read_history(damaged).damage.empty(), damaged == text) << at << ": " << damaged;
      damaged = text;
      damaged.insert(at, 1, other);
      EXPECT_NE(read_history(damaged).damage, "") << at << ": " << damaged;
    }
  }
}

TEST(ReadHistory, OfNothingIsEmpty) {
  EXPECT_EQ(read_history("").size(), 0U);
  EXPECT_EQ(read_history("").unreadable_lines, 0U);
}

TEST(ReadHistory, SortsTwoWritersByTimeAndLeavesEqualTimesInOrder) {
  const Fd file = anonymous_file("history-test");
  HistoryWriter warden(file.get(), 100ns), server(file.get(), 100ns);
  warden.append_at(130ns, TreeReady{3});
  server.append_at(110ns, TreeReady{1});
  server.append_at(120ns, TreeReady{2});
  warden.append_at(130ns, TreeReady{4});
  EXPECT_EQ(warden.count(), 2U);
  EXPECT_EQ(server.count(), 2U);
  const History history = read_history(file);
  ASSERT_EQ(history.size(), 4U);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(history[static_cast<std::size_t>(i)].as<TreeReady>()->nodes, i + 1);
  EXPECT_EQ(history[0].at, 10ns) << "times count from the run's beginning";
}

TEST(HistoryWriter, GoesOnWhereAnotherHasStopped) {
  const Fd file = anonymous_file("history-test");
  HistoryWriter outside(file.get(), 0ns);
  outside.append(TreeReady{1});
  HistoryWriter inside(file.get(), 0ns, outside.chain());
  inside.append(TreeReady{2});
  inside.append(TreeReady{3});
  EXPECT_EQ(read_history(file).damage, "");
  HistoryWriter(file.get(), 0ns, outside.chain()).append(TreeReady{4});
  EXPECT_NE(read_history(file).damage, "") << "the chain of a writer that has been overtaken";
}

TEST(ReadHistory, LooksAgainWithoutMovingTheWriter) {
  const Fd file = anonymous_file("history-test");
  HistoryWriter writer(file.get(), 0ns);
  writer.append(TreeReady{1});
  EXPECT_EQ(read_history(file).size(), 1U);
  writer.append(TreeReady{2});
  EXPECT_EQ(read_history(file).size(), 2U);
  EXPECT_EQ(writer.failure(), 0);
}

TEST(HistoryWriter, TellsThatTheDiskIsFull) {
  const Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(full);
  HistoryWriter writer(full.get(), 0ns);
  EXPECT_EQ(writer.failure(), 0);
  writer.append(TreeReady{1});
  EXPECT_EQ(writer.failure(), ENOSPC);
}

TEST(HistoryWriter, RemembersTheFirstFailure) {
  Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  const int number = full.get();
  HistoryWriter writer(number, 0ns);
  writer.append(TreeReady{1});
  full.reset();
  writer.append(TreeReady{2});  // now EBADF
  EXPECT_EQ(writer.failure(), ENOSPC);
  EXPECT_EQ(writer.count(), 2U);
}

TEST(CaseOf, AHistoryWithoutItsCaseThrows) {
  History history;
  EXPECT_THROW((void)case_of(history), std::runtime_error);
  history.append({0ns, TreeReady{1}});
  EXPECT_THROW((void)case_of(history), std::runtime_error);
}

// Whatever an event holds, it comes back. Text is ASCII with all control characters: other bytes are not promised.
template <class Item>
void set_any(std::vector<Item>& field);
void set_any(bool& field) { field = *rc::gen::arbitrary<bool>(); }
void set_any(std::int32_t& field) { field = *rc::gen::arbitrary<std::int32_t>(); }
void set_any(std::int64_t& field) { field = *rc::gen::arbitrary<std::int64_t>(); }
void set_any(std::uint64_t& field) { field = *rc::gen::arbitrary<std::uint64_t>(); }
void set_any(std::string& field) { field = *rc::gen::container<std::string>(rc::gen::inRange<char>(0, 127)); }
void set_any(WaitStatus& field) { field = WaitStatus(*rc::gen::arbitrary<int>()); }
/// Within thirty years, as json_fields reads them.
void set_any(Nanos& field) {
  constexpr std::int64_t most = 1'000'000'000'000'000'000;
  field = Nanos(*rc::gen::inRange<std::int64_t>(-most, most));
}
template <class Kind>
void set_all(Kind& event) {
  Kind::each(event, [](FieldName, auto& field) { set_any(field); });
}
template <class Item>
void set_any(std::vector<Item>& field) {
  field.resize(*rc::gen::inRange<std::size_t>(0, 4));
  for (Item& item : field) {
    if constexpr (requires { Item::kind; }) set_all(item);
    else set_any(item);
  }
}

template <std::size_t Index = 0>
Happening any_of_kind(std::size_t wanted) {
  if constexpr (Index == std::variant_size_v<AnyHappening>) {
    throw std::logic_error("no such kind");
  } else {
    if (wanted != Index) return any_of_kind<Index + 1>(wanted);
    std::variant_alternative_t<Index, AnyHappening> event;
    set_all(event);
    return event;
  }
}

RC_GTEST_PROP(History, AnyEventsComeBackFromTheirLinesInOrder, ()) {
  std::vector<Event> events(*rc::gen::inRange<std::size_t>(0, 20));
  std::string lines;
  std::int64_t at = 0;
  for (Event& event : events) {
    at += *rc::gen::inRange<std::int64_t>(0, 1'000'000);
    event = {Nanos(at), any_of_kind(*rc::gen::inRange<std::size_t>(0, std::variant_size_v<AnyHappening>))};
    lines += to_line(event);
  }
  const History history = read_history(lines);
  RC_ASSERT(history.unreadable_lines == 0U);
  RC_ASSERT(history.size() == events.size());
  for (std::size_t i = 0; i < events.size(); ++i) RC_ASSERT(same(history[i], events[i]));
}

}  // namespace
}  // namespace forkproof
