// One registry's part of a run: "inventory.registry" reads what is there and switches to it at the end. What
// is known already with the same digest is not asked for again; a repository that cannot be read is left out
// and told in the log; a registry that cannot be asked at all is failed with its reason, at once, because the
// next run comes anyway.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <map>

#include "base/limits.h"
#include "base/text.h"
#include "inventory/inventory.h"
#include "inventory/records.h"
#include "wire/json.h"
#include "wire/schema.h"

namespace wharfage::inventory {
namespace {

namespace json = boost::json;

struct Payload {
  std::int64_t task = 0, connection = 0;
  static constexpr auto fields() {
    return std::array{wire::field<&Payload::task>("task", wire::required),
                      wire::field<&Payload::connection>("connection", wire::required)};
  }
};

bool is_index(std::string_view media_type) {
  return media_type == "application/vnd.oci.image.index.v1+json" ||
         media_type == "application/vnd.docker.distribution.manifest.list.v2+json";
}

// "library/app/x" -> "library", "app/x"; a single component has no namespace.
std::pair<std::string, std::string> split_name(const std::string& full) {
  auto slash = full.find('/');
  if (slash == full.npos) return {"", full};
  return {full.substr(0, slash), full.substr(slash + 1)};
}

std::int64_t size_of(const json::value* descriptor) {
  if (!descriptor || !descriptor->is_object()) return 0;
  auto* size = descriptor->get_object().if_contains("size");
  bool good =
      size && size->is_int64() && size->get_int64() > 0 && size->get_int64() <= limits::blob_bytes_max;
  return good ? size->get_int64() : 0;
}

const json::array* list_of(const json::object& manifest, const char* name) {
  auto* list = manifest.if_contains(name);
  return list && list->is_array() ? &list->get_array() : nullptr;
}

// Config and layers of an image manifest.
std::int64_t image_size(const json::object& manifest) {
  std::int64_t size = size_of(manifest.if_contains("config"));
  for (const char* name : {"layers", "blobs"}) {
    auto* list = list_of(manifest, name);
    for (std::size_t i = 0; list && i < list->size() && i < limits::manifest_references_max; ++i) {
      size += size_of(&(*list)[i]);
    }
  }
  return size;
}

Result<json::object> parse(const std::string& bytes) {
  auto value = wire::parse_json(bytes);
  if (!value.ok() || !value->is_object()) return fail(Reason::manifest_invalid);
  return std::move(value->get_object());
}

// Errors of the registry as a whole; others concern one repository.
bool is_fatal(const Error& error) {
  switch (error.reason) {
    case Reason::remote_unreachable:
    case Reason::timeout:
    case Reason::address_forbidden:
    case Reason::throttled:
    case Reason::canceled:
    case Reason::shutting_down:
    case Reason::lease_lost:
    case Reason::database_failed:
    case Reason::quota_exceeded:
      return true;
    default:
      return false;
  }
}

}  // namespace

// What one run has found of one registry, written in batches under a new generation.
struct Inventory::Harvest {
  Inventory& room;
  job::Run& run;
  std::int64_t connection_id = 0, generation = 0, count = 0;
  std::vector<records::StoredImage> waiting;
  std::map<std::string, Image> known = {};  // of the repository at hand, by tag

  Status enter(const std::string& namespace_name, const std::string& name) {
    known.clear();
    TRY(auto images, room.x_registry.db().read([&](meta::Tx& tx) {
      return records::known_images(tx, connection_id, namespace_name, name);
    }));
    for (Image& image : images) {
      std::string tag = image.tag;
      known.emplace(std::move(tag), std::move(image));
    }
    return {};
  }

  Status add(Image image, std::int64_t local_namespace_id) {
    if (run.canceled()) return fail(run.why());
    if (++count > static_cast<std::int64_t>(limits::inventory_images_max)) {
      return fail(Reason::quota_exceeded,
                  fmt::format("the registry has more than {} images", limits::inventory_images_max));
    }
    auto before = known.find(image.tag);
    if (before != known.end()) {
      image.id = before->second.id;
      if (!image.updated_at && before->second.digest == image.digest)
        image.updated_at = before->second.updated_at;
    } else {
      TRY(image.id, room.x_ids.next("external_image"));
    }
    if (!image.updated_at) image.updated_at = room.x_registry.clock().now();
    image.connection_id = connection_id;
    waiting.push_back({std::move(image), generation, local_namespace_id});
    if (static_cast<std::int64_t>(waiting.size()) < limits::inventory_batch) return {};
    return flush();
  }

  Status flush() {
    TRY_STATUS(run.commit([&](meta::Tx& tx) -> Status {
      for (const auto& image : waiting) TRY_STATUS(records::put_image(tx, image));
      return {};
    }));
    waiting.clear();
    return {};
  }
};

Status Inventory::run_registry(job::Run& run) {
  TRY(auto payload, wire::decode_json<Payload>(run.job().payload));
  TRY(auto connection, x_connections.get(payload.connection));
  Harvest harvest{.room = *this, .run = run, .connection_id = connection.id};
  TRY(harvest.generation, x_ids.next("inventory_generation"));
  TRY_STATUS(run.commit([&](meta::Tx& tx) {
    return records::set_generation(tx, payload.task, connection.id, harvest.generation);
  }));
  Status outcome = collect(run, connection, harvest);
  if (run.canceled()) return fail(run.why());
  bool ours = !outcome.ok() && outcome.error().kind() == ErrorKind::internal;
  if (ours) return outcome;
  run.log("inventory", outcome.ok() ? fmt::format("{} images", harvest.count) : outcome.error().message);
  TRY_STATUS(run.commit([&](meta::Tx& tx) -> Status {
    bool replaces = outcome.ok() && connection.kind != connect::Kind::cicd;
    if (replaces) {
      TRY_STATUS(records::set_current(tx, connection.id, harvest.generation, x_registry.clock().now()));
      TRY_STATUS(x_connections.note_inventory(tx, connection.id, harvest.count));
    }
    if (!connection.own() && connection.kind != connect::Kind::cicd) {
      TRY_STATUS(x_connections.note_access(tx, connection.id, outcome));
    }
    return finish_registry(tx, payload.task, connection, outcome, harvest.count);
  }));
  TRY_STATUS(clear_old(run, connection.id));
  // Of a kind that is not retried: the row has its reason, and the task must not wait for us.
  return outcome.ok() ? Status() : fail(Reason::conflict, outcome.error().message);
}

Status Inventory::collect(job::Run& run, const connect::Connection& connection, Harvest& harvest) {
  if (connection.own()) return collect_own(harvest);
  if (connection.kind == connect::Kind::cicd) {
    run.log("inventory", "a CI/CD system tells its images by itself");
    TRY(harvest.count,
        x_registry.db().read([&](meta::Tx& tx) { return records::count_current(tx, connection.id); }));
    return {};
  }
  return collect_remote(run, connection, harvest);
}

Status Inventory::collect_own(Harvest& harvest) {
  constexpr std::int64_t step = 500;
  for (registry::Slice at{0, step};; at.offset += step) {
    TRY(auto repositories, x_registry.list_repositories({}, at));
    for (const auto& repository : repositories.items) {
      TRY_STATUS(harvest.enter(repository.namespace_name, repository.name));
      for (registry::Slice slice{0, step};; slice.offset += step) {
        TRY(auto tags,
            x_registry.list_tags(repository, {.with_accessories = false, .name_contains = {}}, slice));
        for (const auto& tag : tags.items) {
          Image image{.namespace_name = repository.namespace_name, .name = repository.name, .tag = tag.name};
          image.digest = tag.manifest.digest ? tag.manifest.digest->text() : "";
          image.media_type = tag.manifest.media_type;
          image.size = tag.manifest.total_size;
          image.multi_arch = is_index(image.media_type);
          image.updated_at = tag.updated_at;
          TRY_STATUS(harvest.add(std::move(image), repository.namespace_id));
        }
        if (static_cast<std::int64_t>(tags.items.size()) < step) break;
      }
    }
    if (static_cast<std::int64_t>(repositories.items.size()) < step) break;
  }
  return harvest.flush();
}

Status Inventory::collect_remote(job::Run& run, const connect::Connection& connection, Harvest& harvest) {
  TRY(auto client, x_connections.open(connection, [&run] { return run.canceled(); }));
  TRY_STATUS(client->ping());
  TRY(auto repositories, client->catalog(limits::inventory_images_max));
  std::size_t read = 0, done = 0;
  std::optional<Error> last;
  for (const std::string& repository : repositories) {
    Status status = repository.size() <= limits::repository_name_max
                        ? collect_repository(*client, repository, harvest)
                        : Status(fail(Reason::name_invalid));
    if (!status.ok() && is_fatal(status.error())) return status;
    if (status.ok()) ++read;
    if (!status.ok() && status.error().reason != Reason::repository_unknown) {
      run.log("inventory", cut(repository, 300) + " is left out: " + status.error().message);
      last = status.error();
    }
    run.progress(static_cast<int>(++done * 99 / repositories.size()));
  }
  if (!read && last) return *last;
  return harvest.flush();
}

Status Inventory::collect_repository(remote::RegistryClient& client, const std::string& repository,
                                     Harvest& harvest) {
  auto [namespace_name, name] = split_name(repository);
  TRY_STATUS(harvest.enter(namespace_name, name));
  TRY(auto tags, client.tags(repository, limits::inventory_images_max));
  std::map<std::string, std::int64_t> sizes;  // of children, by digest
  for (const std::string& tag : tags) {
    if (!registry::check_tag(tag).ok() || registry::is_accessory_tag(tag)) continue;
    Image image{.namespace_name = namespace_name, .name = name, .tag = tag};
    auto before = harvest.known.find(tag);
    if (before != harvest.known.end()) {
      TRY(auto digest, client.find_digest(repository, tag));
      if (digest && *digest == before->second.digest) {
        image = before->second;
        TRY_STATUS(harvest.add(std::move(image), 0));
        continue;
      }
    }
    TRY(auto manifest, client.find_manifest(repository, tag));
    if (!manifest) continue;
    image.digest = manifest->digest;
    image.media_type = cut(manifest->media_type, 255);
    image.multi_arch = is_index(image.media_type);
    auto parsed = parse(manifest->bytes);
    if (parsed.ok()) image.size = image_size(*parsed);
    auto* children = parsed.ok() && image.multi_arch ? list_of(*parsed, "manifests") : nullptr;
    for (std::size_t i = 0; children && i < std::min(children->size(), limits::inventory_children_max); ++i) {
      auto* one = (*children)[i].is_object() ? (*children)[i].get_object().if_contains("digest") : nullptr;
      if (!one || !one->is_string() || !Digest::parse(std::string_view(one->get_string())).ok()) continue;
      std::string digest(one->get_string());
      if (!sizes.contains(digest)) {
        TRY(auto child, client.find_manifest(repository, digest));
        auto inner = child ? parse(child->bytes) : Result<json::object>(fail(Reason::manifest_unknown));
        sizes[digest] = inner.ok() ? image_size(*inner) : 0;
      }
      image.size += sizes[digest];
    }
    TRY_STATUS(harvest.add(std::move(image), 0));
  }
  return {};
}

Status Inventory::clear_old(job::Run& run, std::int64_t connection_id) {
  for (std::int64_t dropped = limits::inventory_clear_batch; dropped >= limits::inventory_clear_batch;) {
    TRY_STATUS(run.commit([&](meta::Tx& tx) -> Status {
      TRY(dropped, records::clear_old(tx, connection_id));
      return {};
    }));
  }
  return {};
}

// The last registry to end closes the task, in its own transaction.
Status Inventory::finish_registry(meta::Tx& tx, std::int64_t seq, const connect::Connection& connection,
                                  const Status& outcome, std::int64_t images) {
  TimeMs now = x_registry.clock().now();
  std::string reason = outcome.ok() ? "" : cut(outcome.error().message, limits::connection_reason_max);
  TRY(bool ended,
      records::end_registry(tx, seq, connection.id, outcome.ok() ? RowState::finished : RowState::failed,
                            reason, outcome.ok() ? images : 0, now));
  if (!ended) return {};
  TRY_STATUS(records::count_ended(tx, seq, !outcome.ok(), now));
  TRY(auto stored, records::find_task(tx, seq));
  if (!stored || stored->task.running()) return {};
  TRY(auto rows, records::registries_of(tx, seq));
  std::int64_t total_images = 0;
  for (const auto& row : rows) total_images += row.images;
  return x_registry.events().emit(
      tx, {.type = "inventory.completed",
           .subject = fmt::format("{} registries", stored->task.total),
           .data = fmt::format(
               R"({{"task_id":"{}","type":"{}","total":{},"finished":{},"failed":{},"images":{}}})",
               stored->task.id, stored->task.type, stored->task.total, stored->task.finished,
               stored->task.failed, total_images)});
}

Status Inventory::settle(meta::Tx& tx, const job::Job& job, const Error& error) {
  auto payload = wire::decode_json<Payload>(job.payload);
  if (!payload.ok()) return {};
  connect::Connection connection{.id = payload->connection};
  return finish_registry(tx, payload->task, connection, error, 0);
}

}  // namespace wharfage::inventory
