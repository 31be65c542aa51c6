#include "repro/adversary/reader.h"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "harness/core/error.h"
#include "repro/adversary/mutation.h"

namespace forkproof::adversary {

namespace fs = std::filesystem;

std::string wrong_with(const std::string& refusal) {
  constexpr std::size_t most_bytes = 2'000;
  if (refusal.empty()) return "refused without a word";
  if (refusal.size() >= most_bytes) return "a refusal of " + std::to_string(refusal.size()) + " bytes";
  for (const char* word : {"std::", "basic_string", "terminate called", "json.exception", "what()", "bad_alloc", "Assertion", "boost::", "nlohmann",
                           "vector::", "map::at", "stoi", "bad_variant", "bad optional"}) {
    if (refusal.find(word) != std::string::npos) return std::string("a word of a C++ runtime: ") + word;
  }
  return {};
}

bool names_file_and_place(const std::string& refusal, const std::string& file) {
  const std::size_t at = refusal.find(file);
  if (at == std::string::npos) return false;
  const std::string_view rest = std::string_view(refusal).substr(at + file.size());
  const bool has_line = rest.size() > 1 && rest[0] == ':' && std::isdigit(static_cast<unsigned char>(rest[1])) != 0;
  return has_line || rest.starts_with(": is empty") || rest.starts_with(": is larger");
}

Scratch::Scratch() : path_((fs::temp_directory_path() / "adversary.XXXXXX").string()) {
  if (::mkdtemp(path_.data()) == nullptr) fail("mkdtemp " + path_);
}

Scratch::~Scratch() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string text_of_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  if (!file.flush()) fail("write " + path);
}

std::vector<std::string> texts_below(const std::string& folder, const std::string& extension) {
  std::vector<std::string> paths, texts;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().extension() == extension) paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  for (const std::string& path : paths) texts.push_back(text_of_file(path));
  if (texts.empty()) throw BadInput(folder + ": no " + extension + " file below it");
  return texts;
}

std::vector<std::string> words_of_all(const std::vector<std::string>& texts) {
  std::vector<std::string> words;
  for (const std::string& text : texts) {
    for (std::string& word : words_of(text)) words.push_back(std::move(word));
  }
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  return words;
}

}  // namespace forkproof::adversary
