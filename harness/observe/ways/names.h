#pragma once
#include <string>

#include "harness/core/event.h"

namespace forkproof::observe {

/// What the kernel calls a process (/proc/PID/comm); empty when it is gone.
std::string process_name(Pid pid);
/// The path of its program's image (/proc/PID/exe); empty when it is gone.
std::string image_of(Pid pid);
/// The path of its program as it was called ("/bin/sh", not the "/bin/dash" behind it), or its name alone where its image
/// has another one (a script); empty when it is gone.
std::string program_of(Pid pid);
/// A sender's pid as the receiver's siginfo has it, in this PID namespace: they differ where the receiver lives in one
/// below. 0 when nobody here has that pid there, which is also how the kernel shows a sender from outside.
Pid sender_as_seen_here(Pid receiver, Pid sender);

/// How a signal was sent, by its si_code (`man 2 sigaction`): "kill", "tgkill", "queued", "kernel", "timer" ...
const char* how_sent(int code);
/// Whether a process sent it.
bool has_sender(int code);

}  // namespace forkproof::observe
