#include "reports/layout.h"

namespace forkproof::reports {

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

}  // namespace forkproof::reports
