// The promise of harness/spawn/child: whatever runs between fork and exec is async-signal-safe (`man 7
// signal-safety`). The object file's undefined symbols are all that it can call.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <set>
#include <string>

namespace {

constexpr char object[] = FORKPROOF_BUILD "/CMakeFiles/forkproof_spawn_child.dir/harness/spawn/child/child.cpp.o";

const std::set<std::string> safe{
    "_exit",  "close",  "dup2",   "execve", "fcntl", "fcntl64", "setpgid", "setsid", "sigaction", "sigprocmask",
    "open",   "open64", "syscall",
    "memset", "memcpy",    // what the compiler makes of a struct
    "__errno_location",    // errno: the thread's own
    "_GLOBAL_OFFSET_TABLE_",
};

std::set<std::string> undefined_symbols() {
  std::set<std::string> symbols;
  FILE* listing = ::popen((std::string("nm -u --format=posix '") + object + "'").c_str(), "r");
  char name[256];
  while (listing != nullptr && std::fscanf(listing, "%255s%*[^\n]", name) == 1) symbols.insert(name);
  EXPECT_EQ(::pclose(listing), 0) << object;
  return symbols;
}

TEST(ChildSymbols, AreAllAsyncSignalSafe) {
  const auto symbols = undefined_symbols();
  for (const std::string& symbol : symbols) EXPECT_TRUE(safe.contains(symbol)) << symbol << " after fork";
  EXPECT_THAT(symbols, testing::Contains("execve")) << "this is not the object file that was meant";
}

}  // namespace
