#pragma once
#include <string>
#include <vector>

namespace forkproof::arena {

/// A fresh, empty, writable directory that only this arena sees: a tmpfs in its mount namespace, gone with it. It covers a
/// folder that every machine has (/dev/shm, else /mnt, /media or /srv), the first in which none of `in_use` stands.
/// For PID 1 of an arena with a mount namespace. Throws HarnessFailure.
std::string make_private_directory(const std::vector<std::string>& in_use);
/// The same in a place that is the arena's own already: /dev/shm where that is one of `places`, else the first.
std::string make_directory_in(const std::vector<std::string>& places);

}  // namespace forkproof::arena
