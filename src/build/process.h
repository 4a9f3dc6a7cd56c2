// Runs one program and hands out what it prints, line by line, while it runs. No shell: arguments are an
// array, the environment is exactly what is given. A program may be put into a jail first: the build user,
// a network namespace, control groups, and mount, process and IPC namespaces of its own. The jailed program
// is process 1 of its process namespace, so killing it ends everything it started, and the kernel kills it
// when the thread that waits for it dies. Blocking; one call per thread. Times are monotonic milliseconds.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace wharfage::build {

struct Mount {
  std::string from;  // a folder or file; "": covers the folder `to` with an empty one
  std::string to;    // exists already, and is the same kind of thing
  bool read_only = false;
};

// Needs root. Everything in it must exist before the program is started.
struct Jail {
  std::uint32_t uid = 0, gid = 0;
  std::string network;                     // "/run/netns/wfb0"; "": the host's
  std::vector<std::string> control_files;  // each cgroup.procs to enter
  std::vector<Mount> mounts;               // in this order
  std::int64_t file_bytes_max = 0;         // of one file; 0: no limit
};

struct Command {
  std::vector<std::string> arguments;    // [0] is searched in a fixed PATH
  std::vector<std::string> environment;  // "NAME=value"
  std::string folder = "/";
  std::string input;  // its standard input
  const Jail* jail = nullptr;
};

enum class Stream { output, errors };

struct Watch {
  std::function<void(Stream, std::string_view line)> line;  // may be empty
  // Asked several times a second; an error ends the program and becomes the result.
  std::function<Status()> stop;
  std::int64_t deadline_ms = 0;   // monotonic; 0: none
  std::int64_t grace_ms = 5'000;  // between SIGTERM and SIGKILL
};

struct Exit {
  int code = 0;    // 128 + signal when a signal ended it
  int signal = 0;  // 0: it ended by itself
  bool ok() const { return code == 0; }
};

// Errors: unsupported (cannot be started; says why), timeout, and what `stop` returned.
Result<Exit> run_process(const Command& command, const Watch& watch);

// The standard output of a command that must succeed. Errors as above, and internal with what it printed.
Result<std::string> capture(const Command& command, std::int64_t timeout_ms);

inline constexpr std::string_view search_path =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
// "" when there is no such program.
std::string find_program(std::string_view name);

}  // namespace wharfage::build
