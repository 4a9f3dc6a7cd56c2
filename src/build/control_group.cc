#include "build/control_group.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "build/launch.h"

namespace wharfage::build {
namespace {

namespace fs = std::filesystem;
constexpr int cpu_period_us = 100'000;
constexpr int empty_tries = 200, empty_wait_ms = 10;

bool put(const std::string& file, const std::string& value) {
  Handle setting(open(file.c_str(), O_WRONLY | O_CLOEXEC));
  return setting && write(setting.get(), value.data(), value.size()) == static_cast<ssize_t>(value.size());
}

std::string first_line(const std::string& file) {
  std::string line;
  std::ifstream in(file);
  std::getline(in, line);
  return line;
}

bool unified(const std::string& root) {
  std::string controllers = " " + first_line(root + "/cgroup.controllers") + " ";
  return controllers.find(" memory ") != controllers.npos && controllers.find(" pids ") != controllers.npos;
}

std::vector<std::string> hierarchies(const std::string& root) {
  if (unified(root)) return {root};
  std::vector<std::string> result;
  for (const char* controller : {"memory", "pids", "cpu"}) {
    std::string folder = fmt::format("{}/{}", root, controller);
    if (fs::exists(folder + "/cgroup.procs")) result.push_back(folder);
  }
  return result;
}

bool set_limits(const std::string& folder, bool v2, const GroupLimits& limits) {
  bool done = true;
  auto limit = [&](const char* file, std::string value) {
    std::string path = fmt::format("{}/{}", folder, file);
    if (fs::exists(path)) done = put(path, value) && done;
  };
  if (limits.memory_bytes > 0) {
    limit(v2 ? "memory.max" : "memory.limit_in_bytes", std::to_string(limits.memory_bytes));
    if (v2) limit("memory.swap.max", "0");
    if (!v2) limit("memory.memsw.limit_in_bytes", std::to_string(limits.memory_bytes));
  }
  if (limits.processes > 0) limit("pids.max", std::to_string(limits.processes));
  if (limits.cpu_percent > 0) {
    int quota = cpu_period_us / 100 * limits.cpu_percent;
    limit("cpu.max", fmt::format("{} {}", quota, cpu_period_us));
    limit("cpu.cfs_quota_us", std::to_string(quota));
  }
  return done;
}

// Nothing new can start once no process may be added, so repeating this ends.
void kill_all(const std::string& folder) {
  put(folder + "/pids.max", "0");
  put(folder + "/cgroup.kill", "1");
  for (int turn = 0; turn < empty_tries; ++turn) {
    std::ifstream members(folder + "/cgroup.procs");
    bool empty = true;
    for (pid_t pid = 0; members >> pid;) {
      empty = false;
      if (pid > 0) kill(pid, SIGKILL);
    }
    if (empty) return;
    poll(nullptr, 0, empty_wait_ms);
  }
}

void remove_folders(const std::vector<std::string>& folders) {
  // Where pids.max is comes first: see kill_all().
  std::vector<std::string> ordered = folders;
  std::stable_partition(ordered.begin(), ordered.end(),
                        [](const std::string& f) { return fs::exists(f + "/pids.max"); });
  for (const std::string& folder : ordered) kill_all(folder);
  for (const std::string& folder : folders) {
    // A killed process leaves its group a moment after it has left the list.
    for (int turn = 0; turn < empty_tries && rmdir(folder.c_str()) != 0 && errno == EBUSY; ++turn) {
      poll(nullptr, 0, empty_wait_ms);
    }
    rmdir(fs::path(folder).parent_path().c_str());  // the last one out
  }
}

}  // namespace

Result<std::unique_ptr<ControlGroup>> ControlGroup::open(const std::string& parent, const std::string& name,
                                                         const GroupLimits& limits, const std::string& root) {
  bool v2 = unified(root);
  auto found = hierarchies(root);
  if (found.empty() || (!v2 && found.size() < 2)) {
    return fail(Reason::unsupported, "this machine offers no control groups for memory and processes");
  }
  std::unique_ptr<ControlGroup> group(new ControlGroup({}));
  for (const std::string& hierarchy : found) {
    std::string above = fmt::format("{}/{}", hierarchy, parent), folder = fmt::format("{}/{}", above, name);
    std::error_code failed;
    // Another build may be the last one out and remove `above` in between.
    int turn = 0;
    do {
      mkdir(above.c_str(), 0755);
      if (v2) {
        put(hierarchy + "/cgroup.subtree_control", "+memory +pids +cpu");
        put(above + "/cgroup.subtree_control", "+memory +pids +cpu");
      }
      mkdir(folder.c_str(), 0755);
    } while (!fs::is_directory(folder, failed) && ++turn < 3);
    if (!fs::is_directory(folder, failed)) {
      return fail(Reason::unsupported, "no control group can be made (root is needed)");
    }
    group->x_folders.push_back(folder);
    if (!set_limits(folder, v2, limits)) {
      return fail(Reason::unsupported, "the limits of a control group cannot be set");
    }
  }
  return group;
}

ControlGroup::~ControlGroup() {
  remove_folders(x_folders);
}

std::vector<std::string> ControlGroup::control_files() const {
  std::vector<std::string> files;
  for (const std::string& folder : x_folders) files.push_back(folder + "/cgroup.procs");
  return files;
}

bool ControlGroup::out_of_memory() const {
  for (const std::string& folder : x_folders) {
    for (const char* file : {"memory.events", "memory.oom_control"}) {
      std::ifstream events(fmt::format("{}/{}", folder, file));
      std::string name;
      for (std::int64_t count = 0; events >> name >> count;) {
        if (name == "oom_kill" && count > 0) return true;
      }
    }
  }
  return false;
}

void remove_control_group(const std::string& parent, const std::string& name, const std::string& root) {
  std::vector<std::string> folders;
  for (const std::string& hierarchy : hierarchies(root)) {
    std::string folder = fmt::format("{}/{}/{}", hierarchy, parent, name);
    std::error_code failed;
    if (fs::is_directory(folder, failed)) folders.push_back(folder);
  }
  remove_folders(folders);
}

}  // namespace wharfage::build
