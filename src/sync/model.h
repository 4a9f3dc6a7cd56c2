// The nouns of synchronisation. A rule says what travels where; running one makes an execution, in it one
// group per repository and one task per tag; a task copies one image with everything it consists of. A task
// may also exist by itself. Both clouds are served by this one model: Alibaba shows rules and tasks, Huawei
// policies (rules), executions, tasks (groups) and sub-tasks (tasks).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "registry/registry.h"

namespace wharfage::sync {

template <class T>
using Page = registry::Page<T>;
using registry::Slice;

enum class Direction { push, pull };  // ours -> connection, connection -> ours
enum class Scope { repository, whole_namespace };
enum class Trigger { manual, event, scheduled };
enum class Patterns {
  regex,  // RE2, on the repository's name below its namespace, and on the tag; the whole text must match
  glob,   // doublestar (base/glob.h), on the full name "namespace/repository", and on the tag
};
enum class State { pending, running, succeeded, failed, canceled };
enum class Issue { none, network, denied, tag_conflict, unsupported, too_long, internal };

// The words that are stored: "push", "repository", "event", "glob", "succeeded", "tag_conflict" …
std::string_view name_of(Direction value);
std::string_view name_of(Scope value);
std::string_view name_of(Trigger value);
std::string_view name_of(Patterns value);
std::string_view name_of(State value);
std::string_view name_of(Issue value);
template <class T>
std::optional<T> parse(std::string_view name);  // of the types above
template <>
std::optional<Direction> parse(std::string_view name);
template <>
std::optional<Scope> parse(std::string_view name);
template <>
std::optional<Trigger> parse(std::string_view name);
template <>
std::optional<Patterns> parse(std::string_view name);
template <>
std::optional<State> parse(std::string_view name);
template <>
std::optional<Issue> parse(std::string_view name);

inline bool ended(State state) {
  return state != State::pending && state != State::running;
}

struct Rule {
  std::int64_t id = 0;    // SWR: policy id; < 2^31
  std::string public_id;  // "crsr-…"
  std::string name, description;
  Direction direction = Direction::push;
  std::int64_t connection_id = 0;  // the other side; our own connection: a copy inside this registry
  // Where it starts: for a push ours, for a pull the other side's. "": any (patterns decide).
  std::string source_namespace;
  Scope scope = Scope::whole_namespace;
  std::string source_repository;  // below the namespace; only with Scope::repository
  Patterns patterns = Patterns::glob;
  std::string repository_pattern, tag_pattern;  // "": everything
  // "": as at the source. target_repository only with Scope::repository.
  std::string target_namespace, target_repository;
  Trigger trigger = Trigger::manual;
  std::string cron;        // six fields, UTC; only when scheduled
  bool overwrite = false;  // a target tag with another digest is moved
  bool enabled = true;
  std::string extras = "{}";      // a facade's own settings, kept verbatim: a JSON object
  std::int64_t namespace_id = 0;  // of our side, filled in; 0: several
  std::string creator;
  TimeMs created_at = 0, updated_at = 0;
};

struct RuleFilter {
  std::string name_contains, source_namespace, source_repository;
  std::int64_t connection_id = 0;    // 0: any
  std::string region;                // of the connection, as its alias has it; "": any
  std::optional<Patterns> patterns;  // which facade's rules
  // Rules of these namespaces only; nullopt: all.
  std::optional<std::vector<std::int64_t>> readable;
  enum class Order { id, name, created, updated } order = Order::id;
  bool descending = true;
};

struct Execution {
  std::int64_t id = 0, rule_id = 0;
  State state = State::running;
  std::string text;  // why it failed
  Trigger cause = Trigger::manual;
  std::int64_t total = 0, succeeded = 0, failed = 0, running = 0, canceled = 0;  // groups
  TimeMs created_at = 0, ended_at = 0;
};

struct Group {
  std::int64_t id = 0, execution_id = 0;
  std::string source, target;  // "namespace/repository"
  std::string job_id;          // of the job that planned it
  State state = State::pending;
  std::int64_t revision = 0;  // counts its tasks that have ended
  TimeMs created_at = 0, ended_at = 0;
};

struct Side {
  std::int64_t connection_id = 0;  // our own instance has one too
  std::string namespace_name, repository, tag;

  std::string full_name() const {
    return namespace_name.empty() ? repository : namespace_name + "/" + repository;
  }
};

struct Task {
  std::int64_t id = 0;                                       // SWR: sub-task id; < 2^31
  std::string public_id;                                     // "rst-…"
  std::string batch_id;                                      // a UUID, shared by all tasks one push has made
  std::int64_t group_id = 0, execution_id = 0, rule_id = 0;  // 0: none
  std::string rule_public_id;
  Direction direction = Direction::push;
  Side from, to;
  std::int64_t repository_id = 0, namespace_id = 0;  // of our side
  std::string digest;                                // "" until it is known
  Trigger cause = Trigger::manual;
  bool overwrite = false;
  State state = State::pending;
  Issue issue = Issue::none;
  std::string text;  // why it failed, or failed the last time
  int progress = 0;  // percent
  // total and done count every blob and manifest of the image, sent only what had to travel.
  std::int64_t bytes_total = 0, bytes_done = 0, bytes_sent = 0;
  std::string job_id;
  TimeMs created_at = 0, updated_at = 0, started_at = 0, ended_at = 0;
};

struct Layer {
  std::string public_id;        // "rslt-…"
  std::string artifact_digest;  // of the manifest that needs it
  std::string digest;
  std::int64_t size = 0, done = 0;
  State state = State::pending;
};

struct NewTask {
  std::int64_t repository_id = 0;  // ours, the source
  std::string tag;
  std::int64_t connection_id = 0;
  std::string target_namespace, target_repository, target_tag;  // "": as at the source
  bool overwrite = false;
  std::int64_t rule_id = 0;  // made by hand from this rule; 0: none
};

struct TaskFilter {
  std::string source_namespace, source_repository, tag, batch_id;  // "": any
  std::int64_t group_id = 0;                                       // 0: any
  std::optional<State> state;
  std::optional<std::vector<std::int64_t>> readable;  // of namespaces; nullopt: all
};

// Where an image of ours is besides here, or came from: for its waybill.
struct Copy {
  std::int64_t connection_id = 0;
  Direction direction = Direction::push;
  std::string repository, tag;  // over there
  std::string digest;
  State state = State::succeeded;
  std::string text;
  std::int64_t bytes_sent = 0;
  bool verified = false;  // the target named this very digest afterwards
  TimeMs at = 0;
};

}  // namespace wharfage::sync
