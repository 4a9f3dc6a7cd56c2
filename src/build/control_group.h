// The control group of one build: what its whole process tree may use. Speaks v2 where memory, cpu and pids
// are v2 controllers, else v1 (one folder per hierarchy), which a hybrid host also has. Needs root.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace wharfage::build {

struct GroupLimits {
  std::int64_t memory_bytes = 0, processes = 0;
  int cpu_percent = 0;  // 0: no limit
};

class ControlGroup {
 public:
  // `parent` lies below the root of each hierarchy. Error: unsupported.
  static Result<std::unique_ptr<ControlGroup>> open(const std::string& parent, const std::string& name,
                                                    const GroupLimits& limits,
                                                    const std::string& root = "/sys/fs/cgroup");
  ~ControlGroup();  // kills what is in it
  ControlGroup(const ControlGroup&) = delete;
  ControlGroup& operator=(const ControlGroup&) = delete;

  std::vector<std::string> control_files() const;  // for Jail
  bool out_of_memory() const;                      // something in it was killed for want of memory

 private:
  explicit ControlGroup(std::vector<std::string> folders) : x_folders(std::move(folders)) {}
  std::vector<std::string> x_folders;
};

// Kills and removes a group that a crashed server has left.
void remove_control_group(const std::string& parent, const std::string& name,
                          const std::string& root = "/sys/fs/cgroup");

}  // namespace wharfage::build
