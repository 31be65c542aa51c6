#include "harness/core/history.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <stdexcept>

#include "harness/core/error.h"
#include "harness/core/json_fields.h"

namespace forkproof {
namespace {

using json_fields::Json;

template <std::size_t Index = 0>
Happening happening_of_kind(std::string_view kind, const Json& object) {
  if constexpr (Index == std::variant_size_v<AnyHappening>) {
    throw std::runtime_error("unknown event '" + std::string(kind) + "'");
  } else {
    using Kind = std::variant_alternative_t<Index, AnyHappening>;
    if (Kind::kind != kind) return happening_of_kind<Index + 1>(kind, object);
    Kind event;
    json_fields::read(object, event);
    return event;
  }
}

Json json_of(const Happening& what) {
  Json object;
  std::visit(
      [&object](const auto& event) {
        object["kind"] = event.kind;
        json_fields::write(object, event);
      },
      what);
  return object;
}

Happening happening_in(const Json& object) {
  return happening_of_kind(object.at("kind").get_ref<const std::string&>(), object);
}

std::string dumped(const Json& object) {
  // Names and output of foreign programs may hold any bytes: replace what is no UTF-8 rather than throw.
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// What is wrong with a line's place in the file; empty where nothing is.
std::string damage_of(std::string_view line, std::size_t number, bool follows, bool ends_in_newline) {
  const std::string which = "line " + std::to_string(number);
  if (!ends_in_newline) return which + " is cut off";
  if (line.empty()) return which + " is empty";
  if (follows) return {};
  if (!LineChain::has_sum(line)) return which + " has no checksum, as this version writes it: nothing shows that it is unchanged";
  return which + " does not follow from those before it: a line was changed, lost, moved or added";
}

}  // namespace

std::string to_line(const Event& event) {
  Json object = json_of(event.what);
  object["at"] = event.at.count();
  return dumped(object) + "\n";
}

Event from_line(std::string_view line) {
  const Json object = Json::parse(line);
  return {json_fields::nanos(object.at("at")), happening_in(object)};
}

std::string to_document(const Happening& what) { return dumped(json_of(what)); }
Happening happening_from(std::string_view document) { return happening_in(Json::parse(document)); }

const Case& case_of(const History& history) {
  if (history.case_) return *history.case_;
  for (const Event& event : history.events()) {
    const auto* opened = event.as<CaseOpened>();
    if (opened == nullptr) continue;
    try {
      history.case_ = std::make_shared<const Case>(case_from(opened->document));
    } catch (const std::exception&) {
      // The text of the JSON library would name none of this.
      throw BadInput("the case in the history's first line cannot be read");
    }
    return *history.case_;
  }
  throw std::runtime_error("the history does not begin with its case");
}

std::string to_sealed_lines(std::span<const Event> events) {
  LineChain chain;
  std::string lines;
  for (const Event& event : events) lines += chain.sealed(to_line(event));
  return lines;
}

History read_history(std::string_view lines) {
  std::vector<Event> events;
  std::size_t unreadable = 0, number = 0;
  LineChain chain;
  std::string damage;
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
    ++number;
    const bool follows = chain.follows(line);  // asked of each line: the sums go on from line to line
    if (damage.empty()) damage = damage_of(line, number, follows, end != std::string_view::npos);
    if (line.empty()) continue;
    try {
      events.push_back(from_line(line));
    } catch (const std::exception&) {
      ++unreadable;
    }
  }
  std::stable_sort(events.begin(), events.end(),
                   [](const Event& left, const Event& right) { return left.at < right.at; });
  History history;
  for (Event& event : events) history.append(std::move(event));
  history.unreadable_lines = unreadable;
  history.damage = std::move(damage);
  return history;
}

History read_history(const Fd& file) {
  struct stat about {};
  if (::fstat(file.get(), &about) != 0) fail("fstat of a history");
  std::string text(static_cast<std::size_t>(about.st_size), '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const ssize_t got = ::pread(file.get(), text.data() + have, text.size() - have, static_cast<off_t>(have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("read of a history");
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  return read_history(std::string_view(text).substr(0, have));
}

void HistoryWriter::append_at(Nanos when, Happening what) {
  const std::string line = chain_.sealed(to_line({when - origin_, std::move(what)}));
  ++count_;
  // One write a line: O_APPEND makes it land whole, also beside another process that writes.
  const ssize_t written = ::write(file_, line.data(), line.size());
  if (failure_ != 0 || written == static_cast<ssize_t>(line.size())) return;
  failure_ = written < 0 ? errno : ENOSPC;
}

Fd anonymous_file(const char* name) {
  Fd file(::memfd_create(name, MFD_CLOEXEC));
  if (!file) fail("memfd_create");
  const int flags = ::fcntl(file.get(), F_GETFL);
  if (::fcntl(file.get(), F_SETFL, flags | O_APPEND) != 0) fail("fcntl(O_APPEND)");
  return file;
}

}  // namespace forkproof
