// SWR enterprise artifacts, tags and accessories (signatures).
#include "registry/ops/artifacts.h"
#include "facade/huawei/fields.h"
#include "facade/huawei/route.h"
#include "registry/ops/tags.h"

namespace wharfage::huawei {
namespace {

using wire::field;
using wire::required;

struct ListQuery {
  std::string namespace_name;
  std::string repository_name;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  std::optional<std::string> type;
  std::optional<std::string> tags;
  static constexpr auto fields() {
    return std::array{field<&ListQuery::namespace_name>("namespace_name", required),
                      field<&ListQuery::repository_name>("repository_name", required),
                      field<&ListQuery::offset>("offset"),
                      field<&ListQuery::limit>("limit"),
                      field<&ListQuery::type>("type").one_of("IMAGE|CHART"),
                      field<&ListQuery::tags>("tags")};
  }
};
struct Path {
  std::string namespace_name;
  std::string repository_name;
  std::string reference;
  std::optional<bool> with_scan_overview;
  static constexpr auto fields() {
    return std::array{field<&Path::namespace_name>("namespace_name", required),
                      field<&Path::repository_name>("repository_name", required),
                      field<&Path::reference>("reference", required),
                      field<&Path::with_scan_overview>("with_scan_overview")};
  }
};
struct AccessoryQuery {
  std::string namespace_name;
  std::string repository_name;
  std::string reference;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  std::optional<std::string> type;
  static constexpr auto fields() {
    return std::array{field<&AccessoryQuery::namespace_name>("namespace_name", required),
                      field<&AccessoryQuery::repository_name>("repository_name", required),
                      field<&AccessoryQuery::reference>("reference", required),
                      field<&AccessoryQuery::offset>("offset"),
                      field<&AccessoryQuery::limit>("limit"),
                      field<&AccessoryQuery::type>("type")};
  }
};
struct TagListQuery {
  std::string namespace_name;
  std::string repository_name;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  std::optional<bool> is_accessory;
  static constexpr auto fields() {
    return std::array{field<&TagListQuery::namespace_name>("namespace_name", required),
                      field<&TagListQuery::repository_name>("repository_name", required),
                      field<&TagListQuery::offset>("offset"), field<&TagListQuery::limit>("limit"),
                      field<&TagListQuery::is_accessory>("is_accessory")};
  }
};
struct TagPath {
  std::string namespace_name;
  std::string repository_name;
  std::string tag_name;
  static constexpr auto fields() {
    return std::array{field<&TagPath::namespace_name>("namespace_name", required),
                      field<&TagPath::repository_name>("repository_name", required),
                      field<&TagPath::tag_name>("tag_name", required)};
  }
};
struct ArtifactTag {
  std::int64_t id = 0;
  std::int64_t repository_id = 0;
  std::int64_t artifact_id = 0;
  std::string name;
  std::string push_time;
  std::string pull_time;
  static constexpr auto fields() {
    return std::array{field<&ArtifactTag::id>("id"),
                      field<&ArtifactTag::repository_id>("repository_id"),
                      field<&ArtifactTag::artifact_id>("artifact_id"),
                      field<&ArtifactTag::name>("name"),
                      field<&ArtifactTag::push_time>("push_time"),
                      field<&ArtifactTag::pull_time>("pull_time")};
  }
};
struct Artifact {
  std::string digest;
  std::int32_t id = 0;
  std::int32_t repository_id = 0;
  std::string repository_name;
  std::string type;
  std::int32_t namespace_id = 0;
  std::string media_type;
  std::string manifest_media_type;
  std::string pull_time;
  std::string push_time;
  std::int64_t size = 0;
  std::vector<ArtifactTag> tags;
  static constexpr auto fields() {
    return std::array{field<&Artifact::digest>("digest"),
                      field<&Artifact::id>("id"),
                      field<&Artifact::repository_id>("repository_id"),
                      field<&Artifact::repository_name>("repository_name"),
                      field<&Artifact::type>("type"),
                      field<&Artifact::namespace_id>("namespace_id"),
                      field<&Artifact::media_type>("media_type"),
                      field<&Artifact::manifest_media_type>("manifest_media_type"),
                      field<&Artifact::pull_time>("pull_time"),
                      field<&Artifact::push_time>("push_time"),
                      field<&Artifact::size>("size"),
                      field<&Artifact::tags>("tags")};
  }
};
struct ArtifactList {
  std::vector<Artifact> artifacts;
  std::int32_t total = 0;
  static constexpr auto fields() {
    return std::array{field<&ArtifactList::artifacts>("artifacts"), field<&ArtifactList::total>("total")};
  }
};
struct Accessory {
  std::int64_t id = 0;
  std::int64_t artifact_id = 0;
  std::int64_t subject_artifact_id = 0;
  std::int64_t size = 0;
  std::string digest;
  std::string type;
  std::string created_at;
  static constexpr auto fields() {
    return std::array{field<&Accessory::id>("id"),
                      field<&Accessory::artifact_id>("artifact_id"),
                      field<&Accessory::subject_artifact_id>("subject_artifact_id"),
                      field<&Accessory::size>("size"),
                      field<&Accessory::digest>("digest"),
                      field<&Accessory::type>("type"),
                      field<&Accessory::created_at>("created_at")};
  }
};
struct AccessoryList {
  std::vector<Accessory> accessories;
  std::int32_t total = 0;
  static constexpr auto fields() {
    return std::array{field<&AccessoryList::accessories>("accessories"),
                      field<&AccessoryList::total>("total")};
  }
};
struct Tag {
  std::string name;
  std::int32_t artifact_id = 0;
  std::string digest;
  std::int32_t id = 0;
  std::int32_t repository_id = 0;
  std::string type;
  std::int32_t namespace_id = 0;
  std::string media_type;
  std::string manifest_media_type;
  std::string pull_time;
  std::string push_time;
  std::int64_t size = 0;
  static constexpr auto fields() {
    return std::array{field<&Tag::name>("name"),
                      field<&Tag::artifact_id>("artifact_id"),
                      field<&Tag::digest>("digest"),
                      field<&Tag::id>("id"),
                      field<&Tag::repository_id>("repository_id"),
                      field<&Tag::type>("type"),
                      field<&Tag::namespace_id>("namespace_id"),
                      field<&Tag::media_type>("media_type"),
                      field<&Tag::manifest_media_type>("manifest_media_type"),
                      field<&Tag::pull_time>("pull_time"),
                      field<&Tag::push_time>("push_time"),
                      field<&Tag::size>("size")};
  }
};
struct TagList {
  std::vector<Tag> tags;
  std::int32_t total = 0;
  static constexpr auto fields() {
    return std::array{field<&TagList::tags>("tags"), field<&TagList::total>("total")};
  }
};

// Everything but charts is an image here.
std::string_view type_of(const registry::Manifest& manifest) {
  return registry::ops::is_chart(manifest) ? "CHART" : "IMAGE";
}

// The config's type for an image, as SWR shows it.
std::string media_type_of(const registry::Manifest& manifest) {
  return manifest.artifact_type.empty() ? manifest.media_type : manifest.artifact_type;
}

Artifact to_wire(const registry::Repository& repository, const registry::ops::Artifact& from) {
  const registry::Manifest& manifest = from.manifest;
  Artifact artifact;
  artifact.digest = manifest.digest->text();
  artifact.id = narrow(manifest.id);
  artifact.repository_id = narrow(repository.id);
  artifact.repository_name = repository.name;
  artifact.type = type_of(manifest);
  artifact.namespace_id = narrow(repository.namespace_id);
  artifact.media_type = media_type_of(manifest);
  artifact.manifest_media_type = manifest.media_type;
  artifact.pull_time = time_text(manifest.pulled_at);
  artifact.push_time = rfc3339(manifest.pushed_at);
  artifact.size = manifest.total_size;
  for (const auto& tag : from.tags) {
    artifact.tags.push_back({tag.id, repository.id, manifest.id, tag.name, rfc3339(tag.updated_at),
                             time_text(manifest.pulled_at)});
  }
  return artifact;
}

Tag to_wire(const registry::Repository& repository, const registry::Tag& from) {
  const registry::Manifest& manifest = from.manifest;
  return {from.name,
          narrow(manifest.id),
          manifest.digest->text(),
          narrow(from.id),
          narrow(repository.id),
          std::string(type_of(manifest)),
          narrow(repository.namespace_id),
          media_type_of(manifest),
          manifest.media_type,
          time_text(manifest.pulled_at),
          rfc3339(from.updated_at),
          manifest.total_size};
}

template <class Path_>
registry::ops::RepositoryRef ref(const Path_& path) {
  return registry::ops::repository_of(path.namespace_name, path.repository_name);
}

Result<ArtifactList> list_artifacts(Call& call, const ListQuery& query, const NoBody&) {
  registry::ops::ListArtifacts::Request request{ref(query), false, {}};
  TRY(request.slice, swr_page(query.offset, query.limit));
  using Contents = registry::Registry::Contents;
  if (query.type) request.contents = *query.type == "CHART" ? Contents::charts : Contents::images;
  const std::string tags = query.tags.value_or("");
  for (std::string_view tag : split(tags, ',')) {
    if (!trim(tag).empty()) request.tags.emplace_back(trim(tag));
  }
  TRY(auto page, op::invoke<registry::ops::ListArtifacts>(call.rooms.registry, call.context, request));
  TRY(auto repository, registry::ops::find_repository(call.rooms.registry, call.context, ref(query)));
  ArtifactList list;
  list.total = narrow(page.total);
  for (const auto& artifact : page.items) list.artifacts.push_back(to_wire(repository, artifact));
  return list;
}

Result<Artifact> show_artifact(Call& call, const Path& path, const NoBody&) {
  TRY(auto artifact,
      op::invoke<registry::ops::GetArtifact>(call.rooms.registry, call.context, {ref(path), path.reference}));
  TRY(auto repository, registry::ops::find_repository(call.rooms.registry, call.context, ref(path)));
  return to_wire(repository, artifact);
}

Result<Empty> delete_artifact(Call& call, const Path& path, const NoBody&) {
  TRY_STATUS(op::invoke<registry::ops::DeleteArtifact>(call.rooms.registry, call.context,
                                                       {ref(path), path.reference}));
  return Empty{};
}

Result<AccessoryList> list_accessories(Call& call, const AccessoryQuery& query, const NoBody&) {
  TRY(auto slice, swr_page(query.offset, query.limit));
  TRY(auto page, op::invoke<registry::ops::ListAccessories>(
                     call.rooms.registry, call.context,
                     {ref(query), query.reference, query.type.value_or("signature.cosign"), slice}));
  AccessoryList list;
  list.total = narrow(page.total);
  for (const auto& from : page.items) {
    list.accessories.push_back({from.manifest.id, from.manifest.id, from.subject_id, from.manifest.total_size,
                                from.manifest.digest->text(), from.type, rfc3339(from.manifest.pushed_at)});
  }
  return list;
}

Result<TagList> list_tags(Call& call, const TagListQuery& query, const NoBody&) {
  TRY(auto slice, swr_page(query.offset, query.limit));
  TRY(auto page,
      op::invoke<registry::ops::ListTags>(call.rooms.registry, call.context,
                                          {ref(query), query.is_accessory.value_or(true), "", slice}));
  TRY(auto repository, registry::ops::find_repository(call.rooms.registry, call.context, ref(query)));
  TagList list;
  list.total = narrow(page.total);
  for (const auto& tag : page.items) list.tags.push_back(to_wire(repository, tag));
  return list;
}

Result<Empty> delete_tag(Call& call, const TagPath& path, const NoBody&) {
  TRY_STATUS(
      op::invoke<registry::ops::DeleteTag>(call.rooms.registry, call.context, {ref(path), path.tag_name}));
  return Empty{};
}

constexpr std::string_view artifacts =
    "/v2/{project_id}/instances/{instance_id}/namespaces/{namespace_name}/repositories/{repository_name}/"
    "artifacts";
constexpr std::string_view artifact =
    "/v2/{project_id}/instances/{instance_id}/namespaces/{namespace_name}/repositories/{repository_name}/"
    "artifacts/"
    "{reference}";
constexpr std::string_view accessories =
    "/v2/{project_id}/instances/{instance_id}/namespaces/{namespace_name}/repositories/{repository_name}/"
    "artifacts/"
    "{reference}/accessories";

}  // namespace

std::span<const Route> artifact_routes() {
  static constexpr std::array table{
      route<&list_artifacts>("GET", artifacts),
      route<&show_artifact>("GET", artifact),
      route<&delete_artifact>("DELETE", artifact),
      route<&list_accessories>("GET", accessories),
      route<&list_tags>(
          "GET",
          "/v2/instances/{instance_id}/namespaces/{namespace_name}/repositories/{repository_name}/tags"),
      route<&list_tags>("GET",
                        "/v2/{project_id}/instances/{instance_id}/namespaces/{namespace_name}/repositories/"
                        "{repository_name}/tags"),
      route<&delete_tag>(
          "DELETE",
          "/v2/instances/{instance_id}/namespaces/{namespace_name}/repositories/{repository_name}/tags/"
          "{tag_name}"),
      route<&delete_tag>("DELETE",
                         "/v2/{project_id}/instances/{instance_id}/namespaces/{namespace_name}/repositories/"
                         "{repository_name}/tags/{tag_name}"),
  };
  return table;
}

}  // namespace wharfage::huawei
