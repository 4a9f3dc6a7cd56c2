#include "inventory/records.h"

#include "base/limits.h"
#include "meta/rows.h"

namespace wharfage::inventory::records {
using namespace meta::rows;
namespace {

StoredTask task_of(const meta::Row& row) {
  StoredTask stored;
  stored.seq = row.integer(0);
  stored.task.id = row.text(1);
  stored.task.type = row.text(2);
  stored.task.all = row.integer(3) != 0;
  stored.task.creator = row.text(4);
  stored.task.total = row.integer(5);
  stored.task.finished = row.integer(6);
  stored.task.failed = row.integer(7);
  stored.task.created_at = row.integer(8);
  stored.task.ended_at = row.integer(9);
  return stored;
}

Image image_of(const meta::Row& row) {
  Image image;
  image.id = row.integer(0);
  image.connection_id = row.integer(1);
  image.namespace_name = row.text(2);
  image.name = row.text(3);
  image.tag = row.text(4);
  image.digest = row.text(5);
  image.media_type = row.text(6);
  image.size = row.integer(7);
  image.multi_arch = row.integer(8) != 0;
  image.updated_at = row.integer(9);
  image.synced_at = row.integer(10);
  return image;
}

// Text that LIKE finds anywhere; "" stays "" and means: any.
std::string like(std::string_view part) {
  if (part.empty()) return {};
  std::string pattern = "%";
  for (char c : part) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern + "%";
}

std::string readable_set(const ImageFilter& filter) {
  if (!filter.readable) return {};
  std::string set = ",";
  for (std::int64_t id : *filter.readable) set += std::to_string(id) + ",";
  return set;
}

meta::Arguments image_arguments(const ImageFilter& filter, const std::string& connections) {
  return {connections,
          like(filter.namespace_contains),
          like(filter.name_contains),
          like(filter.tag_contains),
          filter.multi_arch ? (*filter.multi_arch ? 1 : 0) : -1,
          filter.size_at_most,
          filter.updated_from,
          filter.updated_until,
          filter.synced_from,
          filter.synced_until,
          filter.newest_version_only ? 1 : 0,
          readable_set(filter)};
}

meta::Arguments task_arguments(const TaskFilter& filter) {
  return {filter.task_id, filter.type, filter.running ? (*filter.running ? 1 : 0) : -1, filter.from,
          filter.until};
}

}  // namespace

Result<bool> insert_task(meta::Tx& tx, const StoredTask& stored, std::string_view origin) {
  const Task& task = stored.task;
  TRY(auto inserted, tx.execute(R"sql(
    INSERT INTO inventory_tasks (seq, id, origin, type, every_one, creator, total, finished, failed, created_at,
      ended_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, $8, 0) ON CONFLICT (origin) DO NOTHING)sql",
                                {stored.seq, task.id, origin, task.type, task.all ? 1 : 0, task.creator,
                                 task.total, task.created_at}));
  return inserted > 0;
}

Result<std::optional<StoredTask>> find_task(meta::Tx& tx, std::string_view id) {
  return one<StoredTask>(tx.first(R"sql(
    SELECT seq, id, type, every_one, creator, total, finished, failed, created_at, ended_at
    FROM inventory_tasks WHERE id = $1)sql",
                                  {id}),
                         task_of);
}

Result<std::optional<StoredTask>> find_task(meta::Tx& tx, std::int64_t seq) {
  return one<StoredTask>(tx.first(R"sql(
    SELECT seq, id, type, every_one, creator, total, finished, failed, created_at, ended_at
    FROM inventory_tasks WHERE seq = $1)sql",
                                  {seq}),
                         task_of);
}

Result<std::vector<Task>> list_tasks(meta::Tx& tx, const TaskFilter& filter, Slice slice) {
  auto arguments = task_arguments(filter);
  arguments.insert(arguments.end(), {slice.limit, slice.offset});
  return all<Task>(tx.query(R"sql(
    SELECT seq, id, type, every_one, creator, total, finished, failed, created_at, ended_at
    FROM inventory_tasks
    WHERE ($1 = '' OR id = $1) AND ($2 = '' OR type = $2)
      AND ($3 < 0 OR ($3 = 1 AND ended_at = 0) OR ($3 = 0 AND ended_at > 0))
      AND created_at >= CAST($4 AS BIGINT) AND (CAST($5 AS BIGINT) = 0 OR created_at <= CAST($5 AS BIGINT))
    ORDER BY seq DESC LIMIT $6 OFFSET $7)sql",
                            arguments),
                   [](const meta::Row& row) { return task_of(row).task; });
}

Result<std::int64_t> count_tasks(meta::Tx& tx, const TaskFilter& filter) {
  return number(tx.first(R"sql(
    SELECT count(*) FROM inventory_tasks
    WHERE ($1 = '' OR id = $1) AND ($2 = '' OR type = $2)
      AND ($3 < 0 OR ($3 = 1 AND ended_at = 0) OR ($3 = 0 AND ended_at > 0))
      AND created_at >= CAST($4 AS BIGINT) AND (CAST($5 AS BIGINT) = 0 OR created_at <= CAST($5 AS BIGINT)))sql",
                         task_arguments(filter)));
}

Status count_ended(meta::Tx& tx, std::int64_t seq, bool failed, TimeMs now) {
  return done(tx.execute(R"sql(
    UPDATE inventory_tasks SET finished = finished + CASE WHEN $2 = 0 THEN 1 ELSE 0 END,
      failed = failed + CASE WHEN $2 = 0 THEN 0 ELSE 1 END,
      ended_at = CASE WHEN finished + failed + 1 >= total THEN CAST($3 AS BIGINT) ELSE 0 END WHERE seq = $1)sql",
                         {seq, failed ? 1 : 0, now}));
}

Result<std::int64_t> forget_tasks(meta::Tx& tx, TimeMs before) {
  return tx.execute(R"sql(
    DELETE FROM inventory_tasks WHERE seq IN (SELECT seq FROM inventory_tasks
      WHERE created_at < $1 AND ended_at > 0 ORDER BY created_at LIMIT 100))sql",
                    {before});
}

Status insert_registry(meta::Tx& tx, std::int64_t seq, const TaskRegistry& row) {
  return done(tx.execute(R"sql(
    INSERT INTO inventory_registries (task_seq, connection_id, connection_uuid, name, kind, state, failed_reason,
      images, generation, job_id, started_at, ended_at)
    VALUES ($1, $2, $3, $4, $5, 'running', '', 0, 0, $6, $7, 0))sql",
                         {seq, row.connection_id, row.connection_uuid, row.name, connect::kind_name(row.kind),
                          row.job_id, row.started_at}));
}

Result<std::vector<TaskRegistry>> registries_of(meta::Tx& tx, std::int64_t seq) {
  return all<TaskRegistry>(tx.query(R"sql(
    SELECT connection_id, connection_uuid, name, kind, state, failed_reason, images, job_id, started_at, ended_at
    FROM inventory_registries WHERE task_seq = $1 ORDER BY connection_id LIMIT 1000)sql",
                                    {seq}),
                           [](const meta::Row& row) {
                             return TaskRegistry{
                                 .connection_id = row.integer(0),
                                 .connection_uuid = row.text(1),
                                 .name = row.text(2),
                                 .kind = connect::parse_kind(row.text(3)).value_or(connect::Kind::oci),
                                 .state = parse_state(row.text(4)).value_or(RowState::failed),
                                 .failed_reason = row.text(5),
                                 .images = row.integer(6),
                                 .job_id = row.text(7),
                                 .started_at = row.integer(8),
                                 .ended_at = row.integer(9)};
                           });
}

Status set_generation(meta::Tx& tx, std::int64_t seq, std::int64_t connection_id, std::int64_t generation) {
  return done(tx.execute(R"sql(
    UPDATE inventory_registries SET generation = $3 WHERE task_seq = $1 AND connection_id = $2)sql",
                         {seq, connection_id, generation}));
}

Result<bool> end_registry(meta::Tx& tx, std::int64_t seq, std::int64_t connection_id, RowState state,
                          std::string_view reason, std::int64_t images, TimeMs now) {
  TRY(auto changed, tx.execute(R"sql(
    UPDATE inventory_registries SET state = $3, failed_reason = $4, images = $5, ended_at = $6
    WHERE task_seq = $1 AND connection_id = $2 AND state = 'running')sql",
                               {seq, connection_id, state_name(state), reason, images, now}));
  return changed > 0;
}

Result<std::int64_t> generation_of(meta::Tx& tx, std::int64_t seq, std::int64_t connection_id) {
  return number(tx.first(R"sql(
    SELECT generation FROM inventory_registries WHERE task_seq = $1 AND connection_id = $2)sql",
                         {seq, connection_id}));
}

Result<std::int64_t> current_generation(meta::Tx& tx, std::int64_t connection_id) {
  return number(tx.first(R"sql(SELECT generation FROM inventory_current WHERE connection_id = $1)sql",
                         {connection_id}));
}

Status set_current(meta::Tx& tx, std::int64_t connection_id, std::int64_t generation, TimeMs now) {
  return done(tx.execute(R"sql(
    INSERT INTO inventory_current (connection_id, generation, synced_at) VALUES ($1, $2, $3)
    ON CONFLICT (connection_id) DO UPDATE SET generation = excluded.generation, synced_at = excluded.synced_at)sql",
                         {connection_id, generation, now}));
}

Status put_image(meta::Tx& tx, const StoredImage& stored) {
  const Image& image = stored.image;
  return done(tx.execute(R"sql(
    INSERT INTO external_images (generation, id, connection_id, local_namespace_id, namespace_name, name, tag, digest,
      media_type, size, multi_arch, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    ON CONFLICT (connection_id, generation, namespace_name, name, tag) DO UPDATE SET digest = excluded.digest,
      media_type = excluded.media_type, size = excluded.size, multi_arch = excluded.multi_arch,
      updated_at = excluded.updated_at)sql",
                         {stored.generation, image.id, image.connection_id, stored.local_namespace_id,
                          image.namespace_name, image.name, image.tag, image.digest, image.media_type,
                          image.size, image.multi_arch ? 1 : 0, image.updated_at}));
}

Result<std::vector<Image>> known_images(meta::Tx& tx, std::int64_t connection_id,
                                        std::string_view namespace_name, std::string_view name) {
  return all<Image>(tx.query(R"sql(
    SELECT i.id, i.connection_id, i.namespace_name, i.name, i.tag, i.digest, i.media_type, i.size, i.multi_arch,
      i.updated_at, c.synced_at
    FROM external_images i JOIN inventory_current c
      ON c.connection_id = i.connection_id AND c.generation = i.generation
    WHERE i.connection_id = $1 AND i.namespace_name = $2 AND i.name = $3)sql",
                             {connection_id, namespace_name, name}),
                    image_of);
}

Result<std::int64_t> count_current(meta::Tx& tx, std::int64_t connection_id) {
  return number(tx.first(R"sql(
    SELECT count(*) FROM external_images i JOIN inventory_current c
      ON c.connection_id = i.connection_id AND c.generation = i.generation WHERE i.connection_id = $1)sql",
                         {connection_id}));
}

Result<std::int64_t> clear_old(meta::Tx& tx, std::int64_t connection_id) {
  return tx.execute(R"sql(
    DELETE FROM external_images WHERE (generation, id) IN (
      SELECT i.generation, i.id FROM external_images i
      WHERE i.connection_id = $1
        AND i.generation NOT IN (SELECT generation FROM inventory_current WHERE connection_id = $1)
        AND i.generation NOT IN (SELECT generation FROM inventory_registries
                                 WHERE connection_id = $1 AND state = 'running')
      LIMIT $2))sql",
                    {connection_id, limits::inventory_clear_batch});
}

Result<std::vector<Image>> list_images(meta::Tx& tx, const ImageFilter& filter,
                                       const std::string& connections, Slice slice) {
  auto arguments = image_arguments(filter, connections);
  arguments.insert(arguments.end(), {slice.limit, slice.offset});
  return all<Image>(tx.query(R"sql(
    SELECT i.id, i.connection_id, i.namespace_name, i.name, i.tag, i.digest, i.media_type, i.size, i.multi_arch,
      i.updated_at, c.synced_at
    FROM external_images i JOIN inventory_current c
      ON c.connection_id = i.connection_id AND c.generation = i.generation
    WHERE $1 LIKE '%,' || CAST(i.connection_id AS TEXT) || ',%'
      AND ($2 = '' OR i.namespace_name LIKE $2 ESCAPE '\') AND ($3 = '' OR i.name LIKE $3 ESCAPE '\')
      AND ($4 = '' OR i.tag LIKE $4 ESCAPE '\') AND ($5 < 0 OR i.multi_arch = $5)
      AND (CAST($6 AS BIGINT) = 0 OR i.size <= CAST($6 AS BIGINT)) AND i.updated_at >= CAST($7 AS BIGINT)
      AND (CAST($8 AS BIGINT) = 0 OR i.updated_at <= CAST($8 AS BIGINT)) AND c.synced_at >= CAST($9 AS BIGINT)
      AND (CAST($10 AS BIGINT) = 0 OR c.synced_at <= CAST($10 AS BIGINT))
      AND ($11 = 0 OR NOT EXISTS (SELECT 1 FROM external_images n
        WHERE n.connection_id = i.connection_id AND n.generation = i.generation
          AND n.namespace_name = i.namespace_name AND n.name = i.name
          AND (n.updated_at > i.updated_at OR (n.updated_at = i.updated_at AND n.id > i.id))))
      AND ($12 = '' OR i.local_namespace_id = 0
        OR $12 LIKE '%,' || CAST(i.local_namespace_id AS TEXT) || ',%')
    ORDER BY i.connection_id, i.namespace_name, i.name, i.tag LIMIT $13 OFFSET $14)sql",
                             arguments),
                    image_of);
}

Result<std::int64_t> count_images(meta::Tx& tx, const ImageFilter& filter, const std::string& connections) {
  auto arguments = image_arguments(filter, connections);
  arguments.emplace_back(limits::inventory_count_max);
  return number(tx.first(R"sql(
    SELECT count(*) FROM (SELECT i.id
    FROM external_images i JOIN inventory_current c
      ON c.connection_id = i.connection_id AND c.generation = i.generation
    WHERE $1 LIKE '%,' || CAST(i.connection_id AS TEXT) || ',%'
      AND ($2 = '' OR i.namespace_name LIKE $2 ESCAPE '\') AND ($3 = '' OR i.name LIKE $3 ESCAPE '\')
      AND ($4 = '' OR i.tag LIKE $4 ESCAPE '\') AND ($5 < 0 OR i.multi_arch = $5)
      AND (CAST($6 AS BIGINT) = 0 OR i.size <= CAST($6 AS BIGINT)) AND i.updated_at >= CAST($7 AS BIGINT)
      AND (CAST($8 AS BIGINT) = 0 OR i.updated_at <= CAST($8 AS BIGINT)) AND c.synced_at >= CAST($9 AS BIGINT)
      AND (CAST($10 AS BIGINT) = 0 OR c.synced_at <= CAST($10 AS BIGINT))
      AND ($11 = 0 OR NOT EXISTS (SELECT 1 FROM external_images n
        WHERE n.connection_id = i.connection_id AND n.generation = i.generation
          AND n.namespace_name = i.namespace_name AND n.name = i.name
          AND (n.updated_at > i.updated_at OR (n.updated_at = i.updated_at AND n.id > i.id))))
      AND ($12 = '' OR i.local_namespace_id = 0
        OR $12 LIKE '%,' || CAST(i.local_namespace_id AS TEXT) || ',%')
    LIMIT $13) AS found)sql",
                         arguments));
}

Result<std::optional<Image>> find_image(meta::Tx& tx, std::int64_t id) {
  return one<Image>(tx.first(R"sql(
    SELECT i.id, i.connection_id, i.namespace_name, i.name, i.tag, i.digest, i.media_type, i.size, i.multi_arch,
      i.updated_at, c.synced_at
    FROM external_images i JOIN inventory_current c
      ON c.connection_id = i.connection_id AND c.generation = i.generation WHERE i.id = $1)sql",
                             {id}),
                    image_of);
}

}  // namespace wharfage::inventory::records
