// The scan service: tasks that find out what is in an image, rules that start them on a push, and answers
// about images. A layer is read once per analyser version, whatever the number of images and repositories
// that share it. What is in an image is stored; what is wrong with it is worked out from that and the present
// advisories, so an answer is never older than the advisories and an update of them rescans nothing. An index
// is judged by one of its images: linux/amd64, else the first that is an image. Callers have been authorised.
// Thread-safe, blocking.
//
// Emits "scan.completed" and "scan.failed" (data: instance, namespace, repository (below the namespace),
// repository_id, tag, digest, image, task_id, cause, counts by severity with fixable and hidden, reason,
// message).
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "job/queue.h"
#include "registry/registry.h"
#include "scan/advisory_store.h"
#include "scan/judgements.h"
#include "scan/model.h"
#include "scan/sbom.h"
#include "scan/schema.h"

namespace wharfage::scan {

class Scanning {
 public:
  struct Options {
    std::string advisory_file;  // "<data>/advisories.db"
    int concurrency = 2;        // scans at once on this node
    bool every_push = true;     // scan every tagged image, not only where an AUTO rule says so
  };
  Scanning(registry::Registry& registry, job::Queue& queue, Options options, Log log);
  void start();  // adds the job kinds and subscribes to events; before queue and events start

  // ---- tasks: scan_task_unknown
  struct NewTask {
    std::string id;  // the request's id, made upper case; "": a random one
    registry::Repository repository;
    std::string tag, digest;
    std::string cause = "manual";
  };
  Result<Task> create_task(const NewTask& wanted);  // conflict: the id is taken
  Result<Task> get_task(std::string_view id);       // in any letter case
  // The newest task of a digest in a repository.
  Result<Task> get_latest_task(std::int64_t repository_id, std::string_view digest);
  struct TaskFilter {
    std::int64_t namespace_id = 0, repository_id = 0;  // 0: all
    std::optional<TaskStatus> status;
  };
  Result<Page<Task>> list_tasks(const TaskFilter& filter, Slice slice);  // newest first; total is bounded
  Status cancel_task(std::string_view id);                               // ends as FAILED; task_finished

  // ---- what is known about an image (Task::image), against the present advisories. Errors:
  // scan_task_unknown (never scanned), scan_impossible (why it cannot be judged)
  Result<Summary> summarise(const std::string& image);
  // The stored figures; what has not been scanned is left out. For lists.
  Result<std::vector<Summary>> find_summaries(const std::vector<std::string>& images);
  Result<Findings> findings(const std::string& image, const FindingFilter& filter, Slice slice);
  // Also of an image that cannot be judged; `contains` in the name, any letter case.
  Result<Packages> packages(const std::string& image, std::string_view contains, Slice slice);

  // A bill of materials; `name` is what it calls the image.
  Result<std::string> sbom(const std::string& image, std::string_view name, SbomFormat format);

  // ---- rules: scan_rule_unknown, scan_rule_exists, invalid_parameter, quota_exceeded
  Result<Rule> create_rule(Rule rule);
  Result<Rule> get_rule(std::string_view id);
  Result<Page<Rule>> list_rules(Slice slice);
  Result<std::vector<Rule>> all_rules();  // at most scan_rules_max
  Result<Rule> update_rule(Rule rule);    // by id; scan_type stays
  Status delete_rule(std::string_view id);

  // ---- advisories
  Result<ImportReport> import(const std::vector<std::string>& paths, ImportMode mode);
  std::optional<AdvisoryStats> advisories();  // nothing before the first import
  // Judges stored images anew when the advisories have changed; called about every ten seconds.
  Status tick();

  registry::Registry& registry() { return x_registry; }

 private:
  // ---- jobs (scan_job.cc)
  Status run_scan(job::Run& run);
  Status scan(job::Run& run, const Task& task);
  Status settle_scan(meta::Tx& tx, const job::Job& job, const Error& error);
  Status run_rematch(job::Run& run);
  Status rematch(job::Run& run, const AdvisoryDb* advisories, const std::vector<std::string>& images);
  // ---- events (scan_events.cc)
  Status on_push(meta::Tx& tx, const job::Event& event);
  Status on_delete(meta::Tx& tx, const job::Event& event);
  static Result<bool> forget_some(meta::Tx& tx, std::int64_t repository_id);
  Status emit_end(meta::Tx& tx, const Task& task, const Summary* summary);

  Status add_task(meta::Tx& tx, const Task& task);
  Result<std::shared_ptr<const JudgedImage>> judged(const std::string& image);

  registry::Registry& x_registry;
  job::Queue& x_queue;
  Options x_options;
  Log x_log;
  AdvisoryStore x_advisories;
  Judgements x_judgements;
  std::mutex x_mutex;
  std::string x_rematched;  // the generation that images were last asked to be judged by
};

}  // namespace wharfage::scan
