#include "build/launch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace wharfage::build {
namespace {

constexpr std::array<std::string_view, 12> step_names = {
    "",           "new session",   "control group", "network namespace", "private mounts", "process list",
    "bind mount", "hidden folder", "limits",        "change user",       "working folder", "program"};
enum Step {
  none,
  session,
  control,
  network,
  private_mounts,
  process_list,
  bind,
  hide,
  rlimits,
  user,
  folder,
  program
};

struct Report {
  int step = none;
  int error = 0;
};

// Everything the child needs, as plain pointers.
struct Plan {
  const Command& command;
  std::string path;
  std::vector<char*> arguments, environment;
  Handle network;
  int input, output, errors, report;
};

[[noreturn]] void give_up(const Plan& plan, Step step) {
  Report report{step, errno};
  ssize_t written = write(plan.report, &report, sizeof report);
  _exit(written == sizeof report ? 127 : 126);
}

void enter_control_groups(const Plan& plan) {
  for (const std::string& file : plan.command.jail->control_files) {
    int group = open(file.c_str(), O_WRONLY | O_CLOEXEC);
    if (group < 0 || write(group, "0", 1) != 1) give_up(plan, control);
    close(group);
  }
}

void make_mounts(const Plan& plan) {
  const Jail& jail = *plan.command.jail;
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) give_up(plan, private_mounts);
  if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) {
    give_up(plan, process_list);
  }
  for (const Mount& one : jail.mounts) {
    const char* to = one.to.c_str();
    if (one.from.empty()) {
      unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY;
      if (mount("none", to, "tmpfs", flags, "size=4k,mode=000") != 0) give_up(plan, hide);
      continue;
    }
    if (mount(one.from.c_str(), to, nullptr, MS_BIND, nullptr) != 0) give_up(plan, bind);
    unsigned long flags = MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV;
    if (one.read_only && mount(nullptr, to, nullptr, flags, nullptr) != 0) give_up(plan, bind);
  }
}

void set_limits(const Plan& plan) {
  rlimit no_core{0, 0};
  if (setrlimit(RLIMIT_CORE, &no_core) != 0) give_up(plan, rlimits);
  auto size = static_cast<rlim_t>(plan.command.jail->file_bytes_max);
  rlimit file{size, size};
  if (size > 0 && setrlimit(RLIMIT_FSIZE, &file) != 0) give_up(plan, rlimits);
  umask(022);
}

// The raw calls: the library's versions would wait for threads that this process no longer has.
void become(const Plan& plan) {
  const Jail& jail = *plan.command.jail;
  if (syscall(SYS_setgroups, 0, nullptr) != 0) give_up(plan, user);
  if (syscall(SYS_setresgid, jail.gid, jail.gid, jail.gid) != 0) give_up(plan, user);
  if (syscall(SYS_setresuid, jail.uid, jail.uid, jail.uid) != 0) give_up(plan, user);
}

void reset_signals() {
  struct sigaction plain{};
  plain.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) sigaction(number, &plain, nullptr);
  sigset_t nothing;
  sigemptyset(&nothing);
  sigprocmask(SIG_SETMASK, &nothing, nullptr);
}

[[noreturn]] void child(const Plan& plan) {
  if (setsid() < 0) give_up(plan, session);
  if (dup2(plan.input, 0) < 0 || dup2(plan.output, 1) < 0 || dup2(plan.errors, 2) < 0) give_up(plan, program);
  if (plan.command.jail != nullptr) {
    enter_control_groups(plan);
    if (plan.network && setns(plan.network.get(), CLONE_NEWNET) != 0) give_up(plan, network);
    make_mounts(plan);
    set_limits(plan);
    become(plan);
  }
  // After the change of user, which would clear it.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (chdir(plan.command.folder.c_str()) != 0) give_up(plan, folder);
  reset_signals();
  syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC);
  execve(plan.path.c_str(), plan.arguments.data(), plan.environment.data());
  give_up(plan, program);
}

// Reads the child's report; nothing to read means that exec has worked.
Status confirm(const Command& command, Handle& report) {
  Report failed;
  ssize_t got = 0;
  do {
    got = read(report.get(), &failed, sizeof failed);
  } while (got < 0 && errno == EINTR);
  if (got == 0) return {};
  std::string_view step = got == sizeof failed && failed.step < int(step_names.size())
                              ? step_names[static_cast<std::size_t>(failed.step)]
                              : "unknown step";
  return fail(Reason::unsupported, fmt::format("{} cannot be started ({}: {})", command.arguments.front(),
                                               step, std::strerror(failed.error)));
}

struct Pipe {
  Handle read, write;
  static Result<Pipe> make() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return fail(Reason::unsupported, "no pipe can be made");
    return Pipe{Handle(ends[0]), Handle(ends[1])};
  }
};

// A file in memory rather than a pipe: nobody has to feed it, and a program may open it again by name.
Result<Handle> as_file(const std::string& text) {
  Handle file(memfd_create("input", MFD_CLOEXEC));
  for (std::size_t done = 0; file && done < text.size();) {
    ssize_t written = write(file.get(), text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return fail(Reason::unsupported, "there is no memory for a program's input");
    done += static_cast<std::size_t>(written);
  }
  if (!file || lseek(file.get(), 0, SEEK_SET) != 0) return fail(Reason::unsupported, "no file in memory");
  return file;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

Status collect(pid_t pid, Status status) {
  if (!status.ok()) waitpid(pid, nullptr, 0);
  return status;
}

}  // namespace

Handle& Handle::operator=(Handle&& other) noexcept {
  if (this != &other) {
    close();
    x_descriptor = other.release();
  }
  return *this;
}

void Handle::close() {
  if (x_descriptor >= 0) ::close(x_descriptor);
  x_descriptor = -1;
}

int Handle::release() {
  int descriptor = x_descriptor;
  x_descriptor = -1;
  return descriptor;
}

Result<Child> launch(const Command& command) {
  TRY(Handle input, as_file(command.input));
  TRY(Pipe output, Pipe::make());
  TRY(Pipe errors, Pipe::make());
  TRY(Pipe report, Pipe::make());
  Plan plan{command,
            find_program(command.arguments.front()),
            pointers(command.arguments),
            pointers(command.environment),
            Handle(),
            input.get(),
            output.write.get(),
            errors.write.get(),
            report.write.get()};
  if (plan.path.empty()) {
    return fail(Reason::unsupported, fmt::format("{} is not installed", command.arguments.front()));
  }
  unsigned long spaces = SIGCHLD;
  if (command.jail != nullptr) {
    spaces |= CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC;
    if (!command.jail->network.empty()) {
      plan.network = Handle(open(command.jail->network.c_str(), O_RDONLY | O_CLOEXEC));
      if (!plan.network) return fail(Reason::unsupported, "the network namespace cannot be opened");
    }
  }
  // As fork(), but into new namespaces; with all other arguments 0 their order does not matter.
  auto pid = static_cast<pid_t>(syscall(SYS_clone, spaces, 0, 0, 0, 0));
  if (pid == 0) child(plan);
  if (pid < 0) {
    return fail(Reason::unsupported, fmt::format("no process can be started: {}", std::strerror(errno)));
  }
  report.write.close();
  TRY_STATUS(collect(pid, confirm(command, report.read)));
  Child started{pid, Handle(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))), std::move(output.read),
                std::move(errors.read)};
  if (!started.process) {
    kill(pid, SIGKILL);
    TRY_STATUS(collect(pid, fail(Reason::unsupported, "the kernel knows no process descriptors")));
  }
  return started;
}

}  // namespace wharfage::build
