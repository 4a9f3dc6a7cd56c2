// What the scan service keeps: tasks, rules, and the figures of an image. An image's contents and figures
// belong to its digest and are shared by every repository that holds it; a task belongs to one repository.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "registry/registry.h"
#include "scan/matcher.h"

namespace wharfage::scan {

template <class T>
using Page = registry::Page<T>;
using registry::Slice;

enum class TaskStatus { scanning, complete, failed, retrying };
std::string_view task_status_name(TaskStatus status);  // "SCANNING", "COMPLETE", "FAILED", "RETRYING"
std::optional<TaskStatus> find_task_status(std::string_view name);

struct Task {
  std::string id;  // upper-case UUID: the request that asked for it
  std::int64_t repository_id = 0, namespace_id = 0;
  std::string repository;  // "root/app"
  std::string tag;         // "" when asked for by digest
  std::string digest;      // what was asked for: an image or an index
  std::string image;       // the image that was read; "" until it is known
  std::string cause;       // "manual", "push" or "rule"
  TaskStatus status = TaskStatus::scanning;
  std::string reason, message;  // of a failure: a reason's name, a sentence
  TimeMs created_at = 0, updated_at = 0;
};

// ACR's words: scope INSTANCE, NAMESPACE or REPO; trigger AUTO (every push) or MANUAL.
struct Rule {
  std::string id;  // "crscnr-…"
  std::string name;
  std::string scope = "INSTANCE", trigger = "AUTO", scan_type = "VUL";
  std::vector<std::string> namespaces, repositories;  // repositories below the one namespace
  std::string tag_pattern;                            // RE2, matches the whole tag
  TimeMs created_at = 0, updated_at = 0;
};

// What is known about one image, held against the present advisories.
struct Summary {
  std::string image;    // digest
  std::string system;   // "Debian GNU/Linux 12 (bookworm)"
  std::string release;  // "Debian:12"; "" when the image cannot be judged
  std::int64_t packages = 0;
  std::string generation;  // of the advisories
  SeverityCounts counts;
  std::string problem;  // why it cannot be judged; "" when it can
  TimeMs analysed_at = 0, judged_at = 0;
};

struct Layer {
  std::string digest, diff_id;
};

struct FindingFilter {
  std::vector<Severity> severities;  // empty: all
  std::string contains;              // in the id, an alias or the package's name, any letter case
  bool with_hidden = false;
};
struct Findings {
  Page<Finding> page;
  std::vector<Layer> layers;  // what Finding::layer counts
  Summary summary;
};
struct Packages {
  Page<InstalledPackage> page;
  std::vector<Layer> layers;
  Summary summary;
};

}  // namespace wharfage::scan
