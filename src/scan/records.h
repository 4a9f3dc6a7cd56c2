// All SQL of the scan service. Layers and images are named by their content and shared; tasks belong to a
// repository. Functions run inside the caller's transaction.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "meta/db.h"
#include "scan/model.h"

namespace wharfage::scan::records {

// ---- layers: what a blob unpacks to, and what was found in it. Writing the same again changes nothing.
Result<std::optional<std::string>> find_diff_id(meta::Tx& tx, std::string_view blob);
Result<std::optional<std::string>> find_analysis(meta::Tx& tx, std::string_view diff_id,
                                                 int analyser);  // packed
Status put_layer(meta::Tx& tx, std::string_view blob, std::string_view diff_id, int analyser,
                 const std::string& packed, TimeMs now);

// ---- images
struct Image {
  Summary summary;
  int analyser = 0;
  std::string contents;  // packed
};
Result<std::optional<Image>> find_image(meta::Tx& tx, std::string_view digest);
Result<std::optional<Summary>> find_summary(meta::Tx& tx, std::string_view digest);
Result<std::vector<Layer>> layers_of(meta::Tx& tx, std::string_view digest);
Status put_image(meta::Tx& tx, const Image& image, const std::vector<Layer>& layers);
Status put_judgement(meta::Tx& tx, const Summary& summary);
// Images judged by other advisories than `generation`, by digest after `after`.
Result<std::vector<std::string>> outdated_images(meta::Tx& tx, std::string_view generation,
                                                 std::string_view after, std::int64_t limit);
// Drops the image and every layer that no other image has, unless a task still names it.
Status drop_image_unless_used(meta::Tx& tx, std::string_view digest);

// ---- tasks
Status insert_task(meta::Tx& tx, const Task& task, std::string_view job_id);  // conflict: the id is taken
Result<std::optional<Task>> find_task(meta::Tx& tx, std::string_view id);
Result<std::optional<Task>> find_task_of_job(meta::Tx& tx, std::string_view job_id);
Result<std::string> find_job(meta::Tx& tx, std::string_view task_id);
Result<std::optional<Task>> find_latest_task(meta::Tx& tx, std::int64_t repository_id,
                                             std::string_view digest);
struct TaskFilter {
  std::int64_t namespace_id = 0;   // 0: all
  std::int64_t repository_id = 0;  // 0: all
  std::string status;              // "": all
};
Result<std::vector<Task>> list_tasks(meta::Tx& tx, const TaskFilter& filter, Slice slice);  // newest first
Result<std::int64_t> count_tasks(meta::Tx& tx, const TaskFilter& filter);  // at most scan_tasks_counted_max
Status set_task_image(meta::Tx& tx, std::string_view id, std::string_view image, TimeMs now);
Status set_task_status(meta::Tx& tx, std::string_view id, TaskStatus status, std::string_view reason,
                       std::string_view message, TimeMs now);
// Failed tasks of an image that could not be judged then and can be judged now.
Result<std::vector<Task>> revive_tasks(meta::Tx& tx, std::string_view image, TimeMs now);
Status drop_old_tasks(meta::Tx& tx, std::int64_t repository_id, std::string_view digest, std::int64_t keep);
// Of a deleted image, asked for no later than `until`; of a deleted repository, a bounded number at once.
// Both return the images the tasks named, "" among them.
Result<std::vector<std::string>> drop_tasks(meta::Tx& tx, std::int64_t repository_id, std::string_view digest,
                                            TimeMs until);
constexpr std::int64_t forget_batch = 100;
Result<std::vector<std::string>> drop_some_tasks(meta::Tx& tx, std::int64_t repository_id);

// ---- rules
Status insert_rule(meta::Tx& tx, const Rule& rule);  // scan_rule_exists
Status update_rule(meta::Tx& tx, const Rule& rule);  // scan_rule_unknown, scan_rule_exists
Status delete_rule(meta::Tx& tx, std::string_view id);
Result<std::optional<Rule>> find_rule(meta::Tx& tx, std::string_view id);
Result<Page<Rule>> list_rules(meta::Tx& tx, Slice slice);  // oldest first
Result<std::vector<Rule>> rules_by_trigger(meta::Tx& tx, std::string_view trigger);

}  // namespace wharfage::scan::records
