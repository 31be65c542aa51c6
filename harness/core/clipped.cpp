#include "harness/core/clipped.h"

#include <algorithm>

namespace forkproof {
namespace {

bool continues_a_character(char byte) { return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80; }

/// Both ends of a text, in `most` bytes with the gap between them.
std::string cut(std::string_view text, std::size_t most, std::string_view gap) {
  std::size_t head = most * 2 / 3, tail = text.size() - (most - head - gap.size());
  while (head > 0 && continues_a_character(text[head])) --head;
  while (tail < text.size() && continues_a_character(text[tail])) ++tail;
  return std::string(text.substr(0, head)).append(gap).append(text.substr(tail));
}

constexpr std::size_t longest_word = 300;

/// Nobody reads a word of 70,000 letters: a value without a space, or a list of names.
std::string with_short_words(std::string_view message) {
  std::string shorter;
  while (!message.empty()) {
    const std::size_t end = std::min(message.find(' '), message.size());
    const std::string_view word = message.substr(0, end);
    shorter += word.size() <= longest_word ? std::string(word) : cut(word, 200, "...(" + std::to_string(word.size()) + " bytes)...");
    if (end < message.size()) shorter += ' ';
    message.remove_prefix(std::min(end + 1, message.size()));
  }
  return shorter;
}

}  // namespace

std::string clipped(std::string_view given, std::size_t most) {
  if (given.size() <= most) return std::string(given);
  std::size_t end = most;
  while (end > 0 && continues_a_character(given[end])) --end;
  return std::string(given.substr(0, end)) + "... (" + std::to_string(given.size()) + " bytes)";
}

std::string without_middle(std::string message, std::size_t most) {
  if (message.size() > longest_word) message = with_short_words(message);
  return message.size() <= most ? message : cut(message, most, " [...] ");
}

}  // namespace forkproof
