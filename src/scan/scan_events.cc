// What the scan service hears and tells: pushes become tasks, deletions drop what is no longer asked for.
#include <boost/json.hpp>

#include "base/limits.h"
#include "base/random.h"
#include "registry/forgetting.h"
#include "scan/image_source.h"
#include "scan/records.h"
#include "scan/rules.h"
#include "scan/scanning.h"

namespace wharfage::scan {
namespace {

namespace json = boost::json;

// The members of registry events that concern us.
struct RegistryEvent {
  std::string namespace_name, repository, tag, digest, media_type, artifact_type;
  std::int64_t repository_id = 0;
  bool accessory = false;

  static std::optional<RegistryEvent> parse(std::string_view data) {
    json::error_code error;
    json::parse_options options;
    options.max_depth = limits::json_depth_max;
    json::value value = json::parse(data, error, {}, options);
    const json::object* object = error ? nullptr : value.if_object();
    if (!object) return std::nullopt;
    RegistryEvent event;
    auto read = [&](std::string_view name, std::string& text) {
      const json::value* member = object->if_contains(name);
      if (member && member->is_string()) text = std::string(member->get_string());
    };
    read("namespace", event.namespace_name);
    read("repository", event.repository);
    read("tag", event.tag);
    read("digest", event.digest);
    read("media_type", event.media_type);
    read("artifact_type", event.artifact_type);
    const json::value* id = object->if_contains("repository_id");
    if (id && id->is_int64()) event.repository_id = id->get_int64();
    const json::value* accessory = object->if_contains("accessory");
    event.accessory = accessory && accessory->is_bool() && accessory->get_bool();
    return event;
  }
};

json::object counts_json(const SeverityCounts& counts) {
  json::object object;
  for (int i = 0; i < severity_count; ++i) {
    auto severity = static_cast<Severity>(i);
    object[severity_name(severity)] = counts.of(severity);
  }
  object["total"] = counts.total();
  object["fixable"] = counts.fixable;
  object["hidden"] = counts.hidden;
  return object;
}

// Contents and figures that no other task speaks of.
Status drop_images(meta::Tx& tx, const std::vector<std::string>& images) {
  for (const std::string& image : images) {
    if (!image.empty()) TRY_STATUS(records::drop_image_unless_used(tx, image));
  }
  return {};
}

}  // namespace

// Untagged pushes are the parts of an index; the index itself follows with the tag.
Status Scanning::on_push(meta::Tx& tx, const job::Event& event) {
  auto push = RegistryEvent::parse(event.data);
  bool wanted = push && !push->accessory && !push->tag.empty() && push->repository_id != 0 &&
                may_be_image(push->media_type, push->artifact_type);
  if (!wanted) return {};
  std::string cause = x_options.every_push ? "push" : "";
  TRY(auto rules, records::rules_by_trigger(tx, "AUTO"));
  for (const Rule& rule : rules) {
    if (rule_selects(rule, push->namespace_name, push->repository, push->tag)) cause = "rule";
  }
  if (cause.empty()) return {};
  TimeMs now = x_registry.clock().now();
  return add_task(tx, {.id = random_uuid_upper(),
                       .repository_id = push->repository_id,
                       .namespace_id = event.namespace_id,
                       .repository = push->namespace_name + "/" + push->repository,
                       .tag = push->tag,
                       .digest = push->digest,
                       .cause = cause,
                       .created_at = now,
                       .updated_at = now});
}

// A tag's end is no reason: its manifest is still there.
Status Scanning::on_delete(meta::Tx& tx, const job::Event& event) {
  auto gone = registry::purged_image(event);
  if (!gone) return {};
  TRY(auto images, records::drop_tasks(tx, gone->repository_id, gone->digest, event.at));
  return drop_images(tx, images);
}

Result<bool> Scanning::forget_some(meta::Tx& tx, std::int64_t repository_id) {
  TRY(auto images, records::drop_some_tasks(tx, repository_id));
  TRY_STATUS(drop_images(tx, images));
  return static_cast<std::int64_t>(images.size()) == records::forget_batch;
}

Status Scanning::emit_end(meta::Tx& tx, const Task& task, const Summary* summary) {
  auto slash = task.repository.find('/');
  json::object data{{"instance", x_registry.instance().cri_id},
                    {"namespace", task.repository.substr(0, slash)},
                    {"repository", slash == std::string::npos ? "" : task.repository.substr(slash + 1)},
                    {"repository_id", task.repository_id},
                    {"tag", task.tag},
                    {"digest", task.digest},
                    {"image", task.image},
                    {"task_id", task.id},
                    {"cause", task.cause}};
  if (summary) {
    data["counts"] = counts_json(summary->counts);
  } else {
    data["reason"] = task.reason;
    data["message"] = task.message;
  }
  std::string subject = task.repository + (task.tag.empty() ? "@" + task.digest : ":" + task.tag);
  return x_registry.events().emit(tx, {.type = summary ? "scan.completed" : "scan.failed",
                                       .subject = std::move(subject),
                                       .namespace_id = task.namespace_id,
                                       .data = json::serialize(data)});
}

}  // namespace wharfage::scan
