// All SQL of the inventory room.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "inventory/inventory.h"
#include "meta/db.h"

namespace wharfage::inventory::records {

struct StoredTask {
  Task task;
  std::int64_t seq = 0;
};
// False when this origin has made its task already.
Result<bool> insert_task(meta::Tx& tx, const StoredTask& task, std::string_view origin);
Result<std::optional<StoredTask>> find_task(meta::Tx& tx, std::string_view id);
Result<std::optional<StoredTask>> find_task(meta::Tx& tx, std::int64_t seq);
Result<std::vector<Task>> list_tasks(meta::Tx& tx, const TaskFilter& filter, Slice slice);
Result<std::int64_t> count_tasks(meta::Tx& tx, const TaskFilter& filter);
// Counts one registry that has ended, and ends the task with the last of them.
Status count_ended(meta::Tx& tx, std::int64_t seq, bool failed, TimeMs now);
Result<std::int64_t> forget_tasks(meta::Tx& tx, TimeMs before);

Status insert_registry(meta::Tx& tx, std::int64_t seq, const TaskRegistry& row);
Result<std::vector<TaskRegistry>> registries_of(meta::Tx& tx, std::int64_t seq);
Status set_generation(meta::Tx& tx, std::int64_t seq, std::int64_t connection_id, std::int64_t generation);
// False when the row has ended already.
Result<bool> end_registry(meta::Tx& tx, std::int64_t seq, std::int64_t connection_id, RowState state,
                          std::string_view reason, std::int64_t images, TimeMs now);
Result<std::int64_t> generation_of(meta::Tx& tx, std::int64_t seq, std::int64_t connection_id);

struct StoredImage {
  Image image;
  std::int64_t generation = 0;
  std::int64_t local_namespace_id = 0;  // of our own registry's images
};
Result<std::int64_t> current_generation(meta::Tx& tx, std::int64_t connection_id);  // 0: none yet
Status set_current(meta::Tx& tx, std::int64_t connection_id, std::int64_t generation, TimeMs now);
Status put_image(meta::Tx& tx, const StoredImage& image);
// The images of one repository in the connection's current generation.
Result<std::vector<Image>> known_images(meta::Tx& tx, std::int64_t connection_id,
                                        std::string_view namespace_name, std::string_view name);
Result<std::int64_t> count_current(meta::Tx& tx, std::int64_t connection_id);
// Drops images of generations that are neither current nor being collected; how many.
Result<std::int64_t> clear_old(meta::Tx& tx, std::int64_t connection_id);

// `connections`: ",1,2," those to look into.
Result<std::vector<Image>> list_images(meta::Tx& tx, const ImageFilter& filter,
                                       const std::string& connections, Slice slice);
Result<std::int64_t> count_images(meta::Tx& tx, const ImageFilter& filter, const std::string& connections);
Result<std::optional<Image>> find_image(meta::Tx& tx, std::int64_t id);

}  // namespace wharfage::inventory::records
