#include "reports/layout.h"

namespace forkproof::reports {

std::string wrapped(std::string_view head, std::string_view text) { return wrapped(head, text, head.size()); }

std::string wrapped(std::string_view head, std::string_view text, std::size_t indent) {
  std::string all;
  std::string line(head);
  bool line_has_words = false;
  while (!text.empty()) {
    const std::size_t end = text.find(' ');
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (word.empty()) continue;
    if (line_has_words && line.size() + 1 + word.size() > columns) {
      all += line + "\n";
      line.assign(indent, ' ');
      line_has_words = false;
    }
    if (line_has_words) line += ' ';
    line += word;
    line_has_words = true;
  }
  return all + line + "\n";
}

}  // namespace forkproof::reports
