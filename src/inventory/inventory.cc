#include "inventory/inventory.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/limits.h"
#include "base/random.h"
#include "base/text.h"
#include "inventory/records.h"

namespace wharfage::inventory {
namespace {

template <class T>
bool holds(const std::vector<T>& list, const T& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

bool contains(const std::string& text, const std::string& part) {
  return part.empty() || lower(text).find(lower(part)) != std::string::npos;
}

Result<records::StoredTask> found(const Result<std::optional<records::StoredTask>>& task) {
  if (!task.ok()) return task.error();
  if (!*task) return fail(Reason::task_unknown);
  return **task;
}

}  // namespace

std::string_view state_name(RowState state) {
  return state == RowState::running ? "running" : state == RowState::finished ? "finished" : "failed";
}

std::optional<RowState> parse_state(std::string_view name) {
  for (RowState state : {RowState::running, RowState::finished, RowState::failed}) {
    if (state_name(state) == name) return state;
  }
  return std::nullopt;
}

int Task::progress() const {
  if (!running()) return 100;
  return total ? std::min<int>(99, static_cast<int>((finished + failed) * 100 / total)) : 0;
}

Inventory::Inventory(connect::Connections& connections, meta::Ids& ids, job::Queue& queue, Options options)
    : x_connections(connections),
      x_registry(connections.registry()),
      x_ids(ids),
      x_queue(queue),
      x_options(std::move(options)) {}

Status Inventory::start() {
  if (!x_options.schedule.empty()) {
    TRY(auto cron, job::Cron::parse(x_options.schedule));
    x_cron = cron;
    x_next_run = cron.next(x_registry.clock().now()).value_or(0);
  }
  x_queue.add_kind({.name = "inventory.registry",
                    .concurrency = x_options.concurrency,
                    .run = [this](job::Run& run) { return run_registry(run); },
                    .settle = [this](meta::Tx& tx, const job::Job& job,
                                     const Error& error) { return settle(tx, job, error); }});
  return {};
}

Result<Task> Inventory::create_task(const NewTask& wanted) {
  return start_task(wanted, random_uuid());
}

// One transaction makes the task, its rows and their jobs.
Result<Task> Inventory::start_task(const NewTask& wanted, const std::string& origin) {
  TRY(auto page, x_connections.list({}, {0, INT32_MAX}));
  auto chosen = std::move(page.items);
  for (const std::string& uuid : wanted.uuids)
    TRY_STATUS(x_connections.get_by_uuid(uuid).ok() ? Status() : fail(Reason::connection_unknown, "", uuid));
  if (!wanted.all) {
    std::erase_if(chosen, [&](const connect::Connection& one) {
      return !holds(wanted.connections, one.id) && !holds(wanted.uuids, one.uuid) &&
             !holds(wanted.kinds, one.kind);
    });
  }
  if (chosen.empty()) return fail(Reason::invalid_parameter, "no registry was chosen", "registries");
  records::StoredTask stored;
  TRY(stored.seq, x_ids.next("inventory_task"));
  stored.task.id = random_uuid();
  stored.task.type = wanted.type == "cycle" ? "cycle" : "manual";
  stored.task.all = wanted.all;
  stored.task.creator = wanted.creator;
  stored.task.total = static_cast<std::int64_t>(chosen.size());
  stored.task.created_at = x_registry.clock().now();
  TRY_STATUS(x_registry.db().write([&](meta::Tx& tx) -> Status {
    TRY(bool fresh, records::insert_task(tx, stored, origin));
    if (!fresh) return {};
    for (const auto& one : chosen) {
      TRY(auto job_id,
          x_queue.enqueue(tx, {.kind = "inventory.registry",
                               .payload = fmt::format(R"({{"task":{},"connection":{}}})", stored.seq, one.id),
                               .subject = one.name,
                               .attempts_max = 3}));
      TRY_STATUS(records::insert_registry(tx, stored.seq,
                                          {.connection_id = one.id,
                                           .connection_uuid = one.uuid,
                                           .name = one.name,
                                           .kind = one.kind,
                                           .job_id = job_id,
                                           .started_at = stored.task.created_at}));
    }
    return {};
  }));
  return stored.task;
}

Result<Task> Inventory::get_task(std::string_view id) {
  TRY(auto stored, found(x_registry.db().read([&](meta::Tx& tx) { return records::find_task(tx, id); })));
  return stored.task;
}

Result<Page<Task>> Inventory::list_tasks(const TaskFilter& filter, Slice slice) {
  return x_registry.db().read([&](meta::Tx& tx) -> Result<Page<Task>> {
    Page<Task> page;
    TRY(page.items, records::list_tasks(tx, filter, slice));
    TRY(page.total, records::count_tasks(tx, filter));
    return page;
  });
}

Result<Page<TaskRegistry>> Inventory::list_registries(std::string_view task_id, const RegistryFilter& filter,
                                                      Slice slice) {
  return x_registry.db().read([&](meta::Tx& tx) -> Result<Page<TaskRegistry>> {
    TRY(auto stored, found(records::find_task(tx, task_id)));
    TRY(auto rows, records::registries_of(tx, stored.seq));
    std::erase_if(rows, [&](const TaskRegistry& row) {
      return !contains(row.name, filter.name_contains) || (filter.state && *filter.state != row.state) ||
             (!filter.kinds.empty() && !holds(filter.kinds, row.kind));
    });
    Page<TaskRegistry> page;
    page.total = static_cast<std::int64_t>(rows.size());
    for (std::int64_t at = slice.offset; at < page.total && at - slice.offset < slice.limit; ++at) {
      page.items.push_back(std::move(rows[static_cast<std::size_t>(at)]));
      page.items.back().task_id = stored.task.id;
    }
    return page;
  });
}

// Connections are few and known by name elsewhere: the images' rows hold only their numbers.
std::vector<Image> Inventory::named(std::vector<Image> images) {
  std::map<std::int64_t, connect::Connection> known;
  auto page = x_connections.list({}, {0, INT32_MAX});
  if (page.ok()) {
    for (auto& one : page->items) known.emplace(one.id, std::move(one));
  }
  for (Image& image : images) {
    auto at = known.find(image.connection_id);
    if (at == known.end()) continue;
    image.connection_uuid = at->second.uuid;
    image.connection_name = at->second.name;
    image.connection_url = at->second.url;
    image.kind = at->second.kind;
  }
  return images;
}

Result<Page<Image>> Inventory::list_images(const ImageFilter& filter, Slice slice) {
  for (const auto* part : {&filter.namespace_contains, &filter.name_contains, &filter.tag_contains}) {
    if (part->size() > limits::repository_name_max)
      return fail(Reason::invalid_parameter, "no name is as long as what is looked for");
  }
  TRY(auto connections,
      x_connections.list({.name_contains = filter.registry_name_contains, .kinds = filter.kinds},
                         {0, INT32_MAX}));
  std::string set = ",";
  for (const auto& one : connections.items) {
    bool wanted =
        (!filter.connection_id || filter.connection_id == one.id) && (one.own() || !filter.own_only);
    if (wanted) set += std::to_string(one.id) + ",";
  }
  TRY(auto page, x_registry.db().read([&](meta::Tx& tx) -> Result<Page<Image>> {
    Page<Image> result;
    TRY(result.items, records::list_images(tx, filter, set, slice));
    TRY(result.total, records::count_images(tx, filter, set));
    return result;
  }));
  page.items = named(std::move(page.items));
  return page;
}

Result<Image> Inventory::get_image(std::int64_t id) {
  TRY(auto image, x_registry.db().read([&](meta::Tx& tx) { return records::find_image(tx, id); }));
  if (!image) return fail(Reason::not_found);
  return named({*image}).front();
}

Result<Image> Inventory::add_image(const connect::Connection& connection, const Image& image) {
  bool plain = !image.name.empty() && image.name.size() <= limits::repository_name_max &&
               image.namespace_name.size() <= limits::repository_name_max && image.tag.size() <= 128;
  if (connection.kind != connect::Kind::cicd || !plain) {
    return fail(Reason::invalid_parameter, "an image needs a name, and a CI/CD registry that tells of it");
  }
  records::StoredImage stored{.image = image};
  TRY(stored.image.id, x_ids.next("external_image"));
  TRY(auto generation, x_ids.next("inventory_generation"));
  stored.image.connection_id = connection.id;
  TimeMs now = x_registry.clock().now();
  stored.image.updated_at = image.updated_at ? image.updated_at : now;
  TRY_STATUS(x_registry.db().write([&](meta::Tx& tx) -> Status {
    TRY(stored.generation, records::current_generation(tx, connection.id));
    if (!stored.generation) stored.generation = generation;
    TRY_STATUS(records::set_current(tx, connection.id, stored.generation, now));
    TRY(auto present, records::count_current(tx, connection.id));
    if (present >= static_cast<std::int64_t>(limits::inventory_images_max))
      return fail(Reason::quota_exceeded);
    TRY_STATUS(records::put_image(tx, stored));
    TRY(auto count, records::count_current(tx, connection.id));
    return x_connections.note_inventory(tx, connection.id, count);
  }));
  TRY(auto images, x_registry.db().read([&](meta::Tx& tx) {
    return records::known_images(tx, connection.id, image.namespace_name, image.name);
  }));
  for (const Image& one : images) {
    if (one.tag == image.tag) return named({one}).front();
  }
  return fail(Reason::not_found);
}

Status Inventory::tick() {
  TimeMs now = x_registry.clock().now();
  TRY_STATUS(x_registry.db().write([&](meta::Tx& tx) -> Status {
    TRY([[maybe_unused]] auto forgotten, records::forget_tasks(tx, now - limits::inventory_tasks_kept_ms));
    return {};
  }));
  if (!x_cron || !x_next_run || now < x_next_run) return {};
  TimeMs due = x_next_run;
  x_next_run = x_cron->next(now).value_or(0);
  // Several nodes may find the same moment due: its name makes them agree on one task.
  auto started = start_task({.type = "cycle", .creator = "system"}, fmt::format("schedule:{}", due));
  if (!started.ok()) return started.error();
  return {};
}

}  // namespace wharfage::inventory
