// The images of every connected registry, by metadata only: names, tags, digests, sizes, never layers. One
// run is a task with one row and one job per registry, so that a dead registry fails by itself and holds up
// nobody. What a run found replaces what the run before found at once: images carry the generation of their
// run, and a registry's current generation is switched when its job ends. Callers have been authorised.
// Thread-safe, blocking.
//
// Event "inventory.completed": {task_id, type, total, finished, failed, images}.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connect/connections.h"
#include "job/cron.h"
#include "job/queue.h"
#include "meta/db.h"
#include "registry/registry.h"

namespace wharfage::inventory {

std::vector<meta::Migration> schema();

template <class T>
using Page = registry::Page<T>;
using registry::Slice;

enum class RowState { running, finished, failed };
std::string_view state_name(RowState state);  // "running", "finished", "failed"
std::optional<RowState> parse_state(std::string_view name);

struct Task {
  std::string id;                                    // a UUID
  std::string type = "manual";                       // manual, cycle
  bool all = true;                                   // over every connection
  std::int64_t total = 0, finished = 0, failed = 0;  // registries
  TimeMs created_at = 0, ended_at = 0;               // ended_at 0: runs
  std::string creator;

  bool running() const { return ended_at == 0; }
  int progress() const;  // percent; 100 only when it has ended
};

// One registry of a task, named as it was when the task began.
struct TaskRegistry {
  std::string task_id;
  std::int64_t connection_id = 0;
  std::string connection_uuid, name;
  connect::Kind kind = connect::Kind::oci;
  RowState state = RowState::running;
  std::string failed_reason;
  std::int64_t images = 0;
  std::string job_id;
  TimeMs started_at = 0, ended_at = 0;
};

struct Image {
  std::int64_t id = 0;  // stays the same over runs while the tag exists
  std::int64_t connection_id = 0;
  std::string connection_uuid, connection_name, connection_url;
  connect::Kind kind = connect::Kind::oci;
  std::string namespace_name, name, tag;  // namespace_name is "" for "ubuntu:22.04"
  std::string digest, media_type;
  std::int64_t size = 0;  // config and layers; of an index: of all its images
  bool multi_arch = false;
  TimeMs updated_at = 0;  // when the tag was first seen with this digest, or the registry's own time
  TimeMs synced_at = 0;   // when the run that found it ended
};

struct NewTask {
  bool all = true;
  // Otherwise: connections by number, by UUID and by kind, together.
  std::vector<std::int64_t> connections;
  std::vector<std::string> uuids;
  std::vector<connect::Kind> kinds;
  std::string type = "manual";
  std::string creator;
};

struct TaskFilter {
  std::string task_id, type;    // empty: any
  std::optional<bool> running;  // true: running, false: ended
  TimeMs from = 0, until = 0;   // of created_at; 0: open
};

struct RegistryFilter {
  std::string name_contains;
  std::vector<connect::Kind> kinds;  // empty: all
  std::optional<RowState> state;
};

struct ImageFilter {
  std::int64_t connection_id = 0;  // 0: all
  std::string namespace_contains, name_contains, tag_contains, registry_name_contains;
  std::vector<connect::Kind> kinds;  // empty: all
  std::optional<bool> multi_arch;
  std::int64_t size_at_most = 0;               // 0: any
  TimeMs updated_from = 0, updated_until = 0;  // 0: open
  TimeMs synced_from = 0, synced_until = 0;
  bool newest_version_only = false;  // the tag of each image that was updated last
  // Of our own registry only images in these namespaces are listed; nullopt: all.
  std::optional<std::vector<std::int64_t>> readable;
  bool own_only = false;  // of no other registry
};

struct Options {
  int concurrency = 4;
  std::string schedule;  // six-field cron, UTC: "0 0 1 * * *"; "": never by itself
};

class Inventory {
 public:
  Inventory(connect::Connections& connections, meta::Ids& ids, job::Queue& queue, Options options);
  // Adds the job kind "inventory.registry"; before the queue starts. Error: invalid_parameter (schedule).
  Status start();

  // Starts a run. Errors: connection_unknown; invalid_parameter when nothing was chosen.
  Result<Task> create_task(const NewTask& wanted);
  Result<Task> get_task(std::string_view id);                            // task_unknown
  Result<Page<Task>> list_tasks(const TaskFilter& filter, Slice slice);  // newest first
  Result<Page<TaskRegistry>> list_registries(std::string_view task_id, const RegistryFilter& filter,
                                             Slice slice);  // task_unknown
  // Total is counted up to limits::inventory_count_max.
  Result<Page<Image>> list_images(const ImageFilter& filter, Slice slice);
  Result<Image> get_image(std::int64_t id);  // not_found
  // What a CI/CD system tells of an image it has made: such a registry cannot be asked. Names, tag, digest,
  // size and media type are taken; the same name and tag again replaces it. Errors: invalid_parameter,
  // quota_exceeded.
  Result<Image> add_image(const connect::Connection& connection, const Image& image);

  // Starts the daily run when it is due, and forgets old tasks; called about every ten seconds.
  Status tick();

 private:
  struct Harvest;
  Status run_registry(job::Run& run);
  Status collect(job::Run& run, const connect::Connection& connection, Harvest& harvest);
  Status collect_repository(remote::RegistryClient& client, const std::string& repository, Harvest& harvest);
  Status collect_own(Harvest& harvest);
  Status collect_remote(job::Run& run, const connect::Connection& connection, Harvest& harvest);
  Status clear_old(job::Run& run, std::int64_t connection_id);
  Status finish_registry(meta::Tx& tx, std::int64_t task, const connect::Connection& connection,
                         const Status& outcome, std::int64_t images);
  std::vector<Image> named(std::vector<Image> images);
  Status settle(meta::Tx& tx, const job::Job& job, const Error& error);
  Result<Task> start_task(const NewTask& wanted, const std::string& origin);

  connect::Connections& x_connections;
  registry::Registry& x_registry;
  meta::Ids& x_ids;
  job::Queue& x_queue;
  Options x_options;
  std::optional<job::Cron> x_cron;
  TimeMs x_next_run = 0;  // touched by start() and tick() only
};

}  // namespace wharfage::inventory
