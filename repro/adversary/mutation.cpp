#include "repro/adversary/mutation.h"

#include <algorithm>
#include <cctype>

namespace forkproof::adversary {
namespace {

std::string repeated(const std::string& text, std::size_t times) {
  std::string all;
  all.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

/// Values that readers stumble over: at and beyond the ends of types, of another type, of another encoding, huge, deep.
const std::vector<std::string>& odd_values() {
  static const std::vector<std::string> values{
      "0", "-1", "-0", "1.5", "1e308", "-1e-300", "1e999", "nan", "inf", "99999999999999999999", "9223372036854775807",
      "-9223372036854775808", "9223372036854775808", "18446744073709551615", "18446744073709551616", "4294967296", "2147483648",
      "-2147483649", "0x10", "0b1", "1_000", "01", "true", "false", "null", "\"\"", "''", "[]", "{}", "[[]]", "[{}]", "[1, \"a\"]",
      "{ a = 1 }", "{\"a\": 1}", "\"\\u0000\"", "\"\\ud800\"", "\"\\uffff\"", "\"\xc3\xbc\xe2\x82\xac\xf0\x9d\x84\x9e\"", "\"\xff\xfe\"",
      "\"\xc0\x80\"", "\"\x1b[31m\"", "\"\\n\\n\"", "\"../../etc/passwd\"", "\"/\"", "\".\"", "\"..\"", "\"a/b\"", "\" \"", "1979-05-27T07:32:00Z",
      "07:32:00", "'''\n'''", "\"\"\"\n\"\"\"", "\"all\"", "[\"all\"]", "\"heartbeat 99999999999999999999\"", "\"heartbeat -1\"", "\"random:1\"",
      "\"pct:1:99\"", "\"zzz\"", "\"SIGKILL\"", "\"SIGRTMAX\"", "\"{task}\"", "\"%s%n\"", "\"{}\"", "\"{0}\""};
  return values;
}

std::string huge_value(Chance& chance) {
  switch (chance.below(6)) {
    case 0: return "\"" + std::string(70'000, 'x') + "\"";
    case 1: return std::string(5'000, '9');
    case 2: return repeated("[", 300) + repeated("]", 300);
    case 3: return repeated("{\"a\":", 300) + "1" + repeated("}", 300);
    case 4: return repeated("{ a = ", 120) + "1" + repeated(" }", 120);
    default: return "\"" + repeated("\\u20ac", 3'000) + "\"";
  }
}

std::string odd_value(const std::vector<std::string>& words, Chance& chance) {
  if (chance.one_in(60)) return huge_value(chance);
  if (!words.empty() && chance.one_in(3)) return "\"" + chance.of(words) + "\"";
  return chance.of(odd_values());
}

void damage_bytes(std::string& text, const std::vector<std::string>& words, Chance& chance) {
  const std::size_t at = chance.below(text.size());
  constexpr std::size_t lengths[] = {1, 1, 2, 8, 64, 4096};
  const std::size_t length = std::min(chance.of(lengths), text.size() - at);
  switch (chance.below(9)) {
    case 0: text[at] = static_cast<char>(text[at] ^ (1 << chance.below(8))); break;
    case 1: text[at] = static_cast<char>(chance.below(256)); break;
    case 2: text.erase(at, length); break;
    case 3: text.insert(at, std::string(chance.one_in(4) ? 100 : 1, static_cast<char>(chance.below(256)))); break;
    case 4: text.insert(at, odd_value(words, chance)); break;
    case 5: text.resize(at); break;
    case 6: text.insert(chance.below(text.size() + 1), text.substr(at, length)); break;
    case 7: std::swap(text[at], text[chance.below(text.size())]); break;
    default:
      if (std::isdigit(static_cast<unsigned char>(text[at])) != 0) text[at] = static_cast<char>('0' + chance.below(10));
      else text[at] = '\0';
  }
}

std::vector<std::string> lines_in(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find('\n', from), text.size() - 1) + 1;
    lines.push_back(text.substr(from, end - from));
    from = end;
  }
  return lines;
}

void damage_lines(std::string& text, Chance& chance) {
  std::vector<std::string> lines = lines_in(text);
  if (lines.empty()) return;
  const auto place = [&] { return lines.begin() + static_cast<std::ptrdiff_t>(chance.below(lines.size())); };
  switch (chance.below(6)) {
    case 0: lines.erase(place()); break;
    case 1: {
      const std::string twice = *place();
      lines.insert(place(), twice);
      break;
    }
    case 2: std::iter_swap(place(), place()); break;
    case 3: {
      const auto from = chance.below(lines.size()), count = chance.below(std::min<std::size_t>(lines.size() - from, 10)) + 1;
      lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(from), lines.begin() + static_cast<std::ptrdiff_t>(from + count));
      break;
    }
    case 4: lines.insert(place(), chance.one_in(2) ? "\n" : "garbage\n"); break;
    default: {
      auto line = place();
      line->resize(chance.below(line->size()));
      *line += "\n";
    }
  }
  text.clear();
  for (const std::string& line : lines) text += line;
}

/// From `from` on: a quoted text with its quotes, or a run of what numbers and words are made of.
std::size_t end_of_value(const std::string& text, std::size_t from) {
  if (text[from] == '"') {
    std::size_t at = from + 1;
    while (at < text.size() && text[at] != '"' && text[at] != '\n') at += text[at] == '\\' ? 2 : 1;
    return std::min(at + 1, text.size());
  }
  std::size_t at = from;
  while (at < text.size() && (std::isalnum(static_cast<unsigned char>(text[at])) != 0 || text[at] == '.' || text[at] == '-' || text[at] == '_')) ++at;
  return at;
}

/// Where values (texts, numbers, words) begin from some place on; the end where there is none.
std::size_t next_value(const std::string& text, std::size_t from) {
  while (from < text.size() && text[from] != '"' && std::isalnum(static_cast<unsigned char>(text[from])) == 0 && text[from] != '-') ++from;
  return from;
}

void damage_values(std::string& text, const std::vector<std::string>& words, Chance& chance) {
  const std::size_t from = next_value(text, chance.below(text.size()));
  if (from >= text.size()) return;
  const std::size_t length = std::max<std::size_t>(end_of_value(text, from) - from, 1);
  const std::size_t other = next_value(text, chance.below(text.size()));
  const std::string another = other < text.size() ? text.substr(other, end_of_value(text, other) - other) : "";
  switch (chance.below(4)) {
    case 0: text.replace(from, length, another); break;
    case 1: text.insert(from, text.substr(from, length) + ", "); break;
    case 2: text.replace(from, length, "[" + text.substr(from, length) + "]"); break;
    default: text.replace(from, length, odd_value(words, chance));
  }
}

const std::vector<std::string>& toml_lines() {
  static const std::vector<std::string> lines{
      "[tree]", "[[tree.children]]", "[[fault]]", "[[variant]]", "[[hold]]", "[[expect]]", "[across]", "[knobs]", "[environment]", "[[file]]",
      "subject = \"command\"", "teardown_s = 1e30", "schedule = \"s\"", "schedule = \"zzz\"", "server = 1", "time_scale = 0", "patience_s = nan",
      "extends = \"exemplary\"", "extends = \"../x\"", "fault = \"fork-after-thread\"", "copies = 999999999", "copies = 2", "role = \"supervisor\"",
      "seed = -1", "a.b.c.d = 1", "\"\" = 1", "[\"\"]", "[fault]", "fault = []", "tree = 1", "expect = [1]", "variant = [[]]", "question = 1",
      "[variant.fault]", "[variant.tree]", "[variant.fault.heartbeat-reply]", "name = \"..\"", "revoked_statuses = [409, \"x\"]"};
  return lines;
}

void damage_toml(std::string& text, Chance& chance) {
  std::vector<std::string> lines = lines_in(text);
  const std::size_t at = chance.below(lines.size() + 1);
  std::string line = chance.of(toml_lines()) + "\n";
  if (chance.one_in(50)) line = "[" + repeated("a.", chance.one_in(2) ? 200 : 20'000) + "a]\n";
  if (chance.one_in(50)) line = repeated("a.", 3'000) + "a = 1\n";
  lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(at), line);
  text.clear();
  for (const std::string& each : lines) text += each;
}

void damage_json(std::string& text, Chance& chance) {
  const std::size_t comma = text.find(',', chance.below(text.size()));
  if (comma == std::string::npos) return;
  const std::string key = "\"" + std::string(1, static_cast<char>('a' + chance.below(26))) + "\": ";
  switch (chance.below(3)) {
    case 0: text.insert(comma, ", " + key + chance.of(odd_values())); break;
    case 1: text.insert(comma + 1, chance.one_in(20) ? repeated("[", 100'000) : key + repeated("[", 150) + repeated("]", 150) + ","); break;
    default: {  // a member that is there twice
      const std::size_t begin = text.rfind('"', comma);
      if (begin != std::string::npos) text.insert(comma, "," + text.substr(begin, comma - begin));
    }
  }
}

void damage_whole(std::string& text, Chance& chance) {
  switch (chance.below(7)) {
    case 0: text.clear(); break;
    case 1: text.insert(0, "\xef\xbb\xbf"); break;
    case 2: text += text; break;
    case 3: text += std::string(1 + chance.below(8), '\0'); break;
    case 4: text += "\n"; break;
    case 5: text.insert(0, chance.one_in(2) ? "\xff\xfe" : "\n"); break;
    default: {
      std::string crlf;
      for (const char each : text) crlf += each == '\n' ? "\r\n" : std::string(1, each);
      text = std::move(crlf);
    }
  }
}

}  // namespace

std::string mutated(const std::string& text, Syntax syntax, const std::vector<std::string>& words, Chance& chance) {
  std::string result = text;
  constexpr std::size_t counts[] = {1, 1, 1, 1, 2, 2, 3, 12};
  for (std::size_t left = chance.of(counts); left > 0 && !result.empty(); --left) {
    switch (chance.below(12)) {
      case 0: case 1: case 2: damage_bytes(result, words, chance); break;
      case 3: case 4: damage_lines(result, chance); break;
      case 5: case 6: case 7: case 8: damage_values(result, words, chance); break;
      case 9: case 10: syntax == Syntax::toml ? damage_toml(result, chance) : damage_json(result, chance); break;
      default: chance.one_in(3) ? damage_whole(result, chance) : damage_bytes(result, words, chance);
    }
  }
  return result;
}

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t at = next_value(text, 0); at < text.size(); at = next_value(text, at)) {
    const std::size_t end = std::max(end_of_value(text, at), at + 1);
    std::string word = text.substr(at, end - at);
    std::erase(word, '"');
    if (!word.empty() && word.size() < 40) words.push_back(std::move(word));
    at = end;
  }
  return words;
}

}  // namespace forkproof::adversary
