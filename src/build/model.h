// The nouns of building: where sources come from, what is built from them, and what became of it. Plain
// values; ids are the public ones, times in milliseconds. Value sets follow Alibaba's cr API (BuildStatus,
// PushType, CodeRepoType); no credential is ever part of a value that leaves this room.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace wharfage::build {

// A git server: turns (namespace, name) into a clone URL and knows the credential for it.
struct Provider {
  std::int64_t id = 0;
  std::string name;          // unique
  std::string type;          // GITHUB, GITLAB, GITEE, CODE, CODEUP, or GENERIC
  std::string domain;        // "github.com": shown, and {domain} in the template
  std::string url_template;  // "https://{domain}/{namespace}/{name}.git"
  std::string credential;    // "", "token" or "ssh"
  std::string username;
  std::string known_hosts;  // of an ssh server, as in ssh's known_hosts; required for "ssh"
  TimeMs created_at = 0, updated_at = 0;
};

// What a repository is built from.
struct Source {
  std::int64_t repository_id = 0;
  std::int64_t provider_id = 0;
  std::string provider_name, provider_type, domain;
  std::string space, name;  // the provider's {namespace} and {name}
  bool disable_cache = false;
  TimeMs created_at = 0, updated_at = 0;
};

// What to build: which ref, how, and under which tag.
struct Recipe {
  std::string push_type;               // GIT_BRANCH or GIT_TAG
  std::string push_name;               // a name, or a pattern: see rules.h
  std::string image_tag;               // may hold ${…}
  std::string dockerfile_location;     // the context folder, "/" is the source's root
  std::string dockerfile_name;         // below that folder
  std::vector<std::string> arguments;  // "NAME=value"
  std::vector<std::string> platforms;  // "linux/amd64"; empty: this machine's
};

struct Rule {
  std::string id;  // "crbr-…"
  std::int64_t repository_id = 0;
  Recipe recipe;
  TimeMs created_at = 0, updated_at = 0;
};

enum class Progress { pending, building, success, failed, canceled };
std::string_view progress_name(Progress progress);  // "PENDING", "BUILDING", "SUCCESS", "FAILED", "CANCELED"
std::optional<Progress> parse_progress(std::string_view name);
inline bool ended(Progress progress) {
  return progress != Progress::pending && progress != Progress::building;
}

// One build. Its log is the log of its job.
struct Record {
  std::int64_t number = 0;  // newer builds have larger ones
  std::string id;           // UUID, lower case
  std::int64_t repository_id = 0, namespace_id = 0;
  std::string repository_public_id;  // "crr-…"
  std::string namespace_name, repository_name;
  std::string rule_id;
  std::string job_id;
  Recipe recipe;  // as it was when the build was asked for
  Progress progress = Progress::pending;
  std::string image_tag;                           // once it is known
  std::string image_digest;                        // of a successful build
  std::string reference, commit;                   // "refs/heads/main" and what it pointed to
  std::string source_url;                          // without credentials
  std::string failing_stage, failing_step, error;  // of a failed build
  std::int64_t creator_id = 0;                     // the user whose images the build may pull; 0: nobody's
  std::string creator;
  std::string robot;  // the one-build credential while it exists
  TimeMs created_at = 0, started_at = 0, ended_at = 0;

  std::string repository() const { return namespace_name + "/" + repository_name; }
};

namespace stage {
inline constexpr std::string_view clone = "GIT_CLONE", build = "IMAGE_BUILD", push = "IMAGE_PUSH";
}

template <class T>
struct Page {
  std::vector<T> items;
  std::int64_t total = 0;
};

}  // namespace wharfage::build
