#include "build/process.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/test_folder.h"
#include "base/time.h"

using namespace wharfage;
using namespace wharfage::build;

namespace {

Command shell(std::string script) {
  return {.arguments = {"sh", "-c", std::move(script)}, .environment = {"PATH=/usr/bin:/bin"}};
}

std::vector<std::string> lines_of(const Command& command) {
  std::vector<std::string> lines;
  Watch watch{.line = [&](Stream stream, std::string_view line) {
    lines.push_back((stream == Stream::errors ? "e:" : "o:") + std::string(line));
  }};
  auto exit = run_process(command, watch);
  REQUIRE(exit.ok());
  return lines;
}

bool alive(const std::string& file) {
  std::ifstream in(file);
  pid_t pid = 0;
  in >> pid;
  REQUIRE(pid > 0);
  // A zombie has no command line.
  std::ifstream arguments("/proc/" + std::to_string(pid) + "/cmdline");
  return arguments.get() != EOF;
}

}  // namespace

TEST_CASE("lines come whole, with their stream, also an unfinished last one") {
  CHECK(lines_of(shell("printf 'one\\ntwo\\r\\n10%%\\r20%%\\nlast'")) ==
        std::vector<std::string>{"o:one", "o:two", "o:20%", "o:last"});
  CHECK(lines_of(shell("echo bad >&2; exit 3")) == std::vector<std::string>{"e:bad"});
}

TEST_CASE("lines are handed out while the program runs") {
  TestFolder folder;
  // The program ends only because its first line was seen.
  Command command = shell("echo first; while [ ! -e go ]; do sleep 0.02; done; echo second");
  command.folder = folder.path();
  int seen = 0;
  Watch watch{.line = [&](Stream, std::string_view) {
    ++seen;
    folder.write("go", "");
  }};
  watch.deadline_ms = monotonic_ms() + 30'000;
  auto exit = run_process(command, watch);
  REQUIRE(exit.ok());
  CHECK(seen == 2);
}

TEST_CASE("the exit code and signal are told") {
  auto exit = run_process(shell("exit 37"), {});
  REQUIRE(exit.ok());
  CHECK(exit->code == 37);
  exit = run_process(shell("kill -KILL $$"), {});
  REQUIRE(exit.ok());
  CHECK(exit->signal == SIGKILL);
  CHECK(exit->code == 137);
}

TEST_CASE("input is read and the environment is exactly what was given") {
  Command command = shell("cat; env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= -e ^OLDPWD= | sort");
  command.environment = {"PATH=/usr/bin:/bin", "A=b"};
  command.input = std::string(200'000, 'x') + "\n";
  auto output = capture(command, 30'000);
  REQUIRE(output.ok());
  CHECK(std::count(output->begin(), output->end(), 'x') == 200'000);
  output->erase(0, output->rfind("x\n") + 2);
  CHECK(*output == "A=b\nPATH=/usr/bin:/bin\n");
}

TEST_CASE("a reason to stop ends the program and its children, also one that ignores the polite signal") {
  TestFolder folder;
  Command command =
      shell("trap '' TERM; sleep 1000 & echo $! > child; echo $$ > self; echo up; wait; sleep 1000");
  command.folder = folder.path();
  bool up = false;
  Watch watch{.line = [&](Stream, std::string_view) { up = true; }};
  watch.stop = [&]() -> Status { return up ? Status(fail(Reason::canceled)) : Status(); };
  watch.grace_ms = 200;
  auto exit = run_process(command, watch);
  REQUIRE_FALSE(exit.ok());
  CHECK(exit.error().reason == Reason::canceled);
  CHECK_FALSE(alive(folder.path("self")));
  CHECK_FALSE(alive(folder.path("child")));
}

TEST_CASE("a deadline ends the program") {
  Watch watch{.deadline_ms = monotonic_ms() + 50};
  auto exit = run_process(shell("exec sleep 1000"), watch);
  REQUIRE_FALSE(exit.ok());
  CHECK(exit.error().reason == Reason::timeout);
}

TEST_CASE("a missing program is an error that names it") {
  auto exit = run_process({.arguments = {"no-such-program"}}, {});
  REQUIRE_FALSE(exit.ok());
  CHECK(exit.error().reason == Reason::unsupported);
  CHECK(exit.error().message.find("no-such-program") != std::string::npos);
  auto output = capture(shell("echo why >&2; exit 1"), 30'000);
  REQUIRE_FALSE(output.ok());
  CHECK(output.error().message == "sh failed (1): why");
}

TEST_CASE("a program gets none of our descriptors") {
  int kept = open("/dev/null", O_RDONLY);  // without O_CLOEXEC, on purpose
  auto output = capture(shell("ls /proc/self/fd | wc -l"), 30'000);
  close(kept);
  REQUIRE(output.ok());
  CHECK(*output == "4\n");  // 0, 1, 2 and the folder that ls reads
}

TEST_CASE("a jail has its own user, processes, mounts and hidden folders" * doctest::skip(geteuid() != 0)) {
  TestFolder secret, work;
  secret.write("key", "secret");
  work.write("seen", "yes");
  std::filesystem::permissions(secret.path(), std::filesystem::perms::all);
  std::filesystem::permissions(work.path(), std::filesystem::perms::all);
  Jail jail{.uid = 65534, .gid = 65534};
  jail.mounts = {{work.path(), "/mnt", true}, {"", secret.path()}};
  Command command = shell("id -u; echo $$; cat /mnt/seen; echo; touch /mnt/x || echo kept; cat " +
                          secret.path("key") + " || echo hidden; ls /proc | grep -c '^[0-9]'");
  command.jail = &jail;
  auto output = capture(command, 30'000);
  REQUIRE(output.ok());
  // Its own process, the shell, and the two of the pipeline.
  CHECK(output->substr(0, output->rfind('\n', output->size() - 2)) == "65534\n1\nyes\nkept\nhidden");
  CHECK(std::stoi(output->substr(output->rfind('\n', output->size() - 2) + 1)) <= 4);
}

TEST_CASE("what a jailed program leaves behind ends with it" * doctest::skip(geteuid() != 0)) {
  TestFolder work;
  std::filesystem::permissions(work.path(), std::filesystem::perms::all);
  Jail jail{.uid = 65534, .gid = 65534};
  Command command = shell(
      "setsid sh -c 'trap \"\" TERM; touch running; while true; do sleep 0.01; done' & "
      "while [ ! -e running ]; do sleep 0.01; done; readlink /proc/$!/ns/pid");
  command.jail = &jail;
  command.folder = work.path();
  auto space = capture(command, 30'000);
  REQUIRE(space.ok());
  REQUIRE(space->find("pid:[") == 0);
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::error_code gone;
    auto link = std::filesystem::read_symlink(entry.path() / "ns/pid", gone);
    CHECK(link.string() + "\n" != *space);
  }
}
