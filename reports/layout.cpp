#include "reports/layout.h"

namespace forkproof::reports {
namespace {

/// The length of the character that begins here, 0 when it is none: cut off, overlong, a surrogate, beyond Unicode, or
/// one of the two that XML forbids (U+FFFE, U+FFFF).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned first = byte(0);
  const std::size_t length = first < 0x80 ? 1 : first >= 0xc2 && first < 0xe0 ? 2 : (first & 0xf0U) == 0xe0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0;
  if (length <= 1) return length;
  unsigned long code = first & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3fU);
  }
  constexpr unsigned long least[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  if (code < least[length] || code > 0x10ffff || surrogate || code == 0xfffe || code == 0xffff) return 0;
  return length;
}

/// C0 but newline, DEL, and C1 (two bytes in UTF-8), which some terminals obey too.
bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 2) return first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;
  return character.size() == 1 && (first < 0x20 || first == 0x7f) && first != '\n';
}

}  // namespace

std::string wrapped(std::string_view head, std::string_view text) { return wrapped(head, text, head.size()); }

std::string wrapped(std::string_view head, std::string_view text, std::size_t indent) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t end = text.find(' ');
    if (end != 0) words.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return wrapped(head, words, indent);
}

std::string wrapped(std::string_view head, const std::vector<std::string>& pieces, std::size_t indent) {
  std::string all, line(head);
  // A long head may fill its line alone; an indent never stands alone.
  bool may_break = line.find_first_not_of(' ') != std::string::npos;
  bool line_has_pieces = false;
  for (const std::string& piece : pieces) {
    if (may_break && line.size() + (line_has_pieces ? 1 : 0) + piece.size() > columns) {
      line.erase(line.find_last_not_of(' ') + 1);
      all += line + "\n";
      line.assign(indent, ' ');
      line_has_pieces = false;
    }
    if (line_has_pieces) line += ' ';
    line += piece;
    line_has_pieces = may_break = true;
  }
  return all + line + "\n";
}

std::string wrapped_command(std::size_t indent, const std::vector<std::string>& words) {
  constexpr std::string_view goes_on = " \\";
  std::string all, line(indent, ' ');
  bool line_has_words = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::size_t room = columns - (i + 1 < words.size() ? goes_on.size() : 0);
    if (line_has_words && line.size() + 1 + words[i].size() > room) {
      all += line + std::string(goes_on) + "\n";
      line.assign(indent + 2, ' ');
      line_has_words = false;
    }
    if (line_has_words) line += ' ';
    line += words[i];
    line_has_words = true;
  }
  return all + line + "\n";
}

std::string clipped(const std::string& line, std::size_t width) {
  return line.size() <= width ? line : line.substr(0, width - 3) + "...";
}

std::string printable(std::string_view text) {
  std::string clean;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::string_view character = text.substr(0, length == 0 ? 1 : length);
    if (length == 0 || is_control(character)) clean += '?';
    else clean += character;
    text.remove_prefix(character.size());
  }
  return clean;
}

}  // namespace forkproof::reports
