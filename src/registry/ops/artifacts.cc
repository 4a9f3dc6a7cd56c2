#include "registry/ops/artifacts.h"

#include <algorithm>
#include <iterator>

#include "base/limits.h"
#include "base/release.h"

namespace wharfage::registry::ops {

bool is_chart(const Manifest& manifest) {
  return manifest.artifact_type == "application/vnd.cncf.helm.config.v1+json";
}

namespace {

Result<Artifact> with_tags(Registry& room, Manifest manifest) {
  release(manifest.bytes);
  Artifact artifact{std::move(manifest), {}};
  TRY(artifact.tags, room.tags_on(artifact.manifest.id));
  return artifact;
}

// What the tags point to, newest first as any list.
Result<Page<Manifest>> tagged(Registry& room, const Repository& repository,
                              const ListArtifacts::Request& request) {
  if (request.tags.size() > ListArtifacts::tags_max)
    return fail(Reason::invalid_parameter, "at most 100 tags can be asked for", "tags");
  std::vector<Manifest> found;
  for (const auto& name : request.tags) {
    auto tag = room.get_tag(repository, name);
    if (!tag.ok() && tag.error().kind() == ErrorKind::not_found) continue;
    if (!tag.ok()) return tag.error();
    auto manifest = room.get_manifest(tag->manifest.id);  // with its pulls
    if (!manifest.ok() && manifest.error().kind() == ErrorKind::not_found) continue;
    if (!manifest.ok()) return manifest.error();
    release(manifest->bytes);
    bool chart = request.contents == Registry::Contents::charts;
    if (!manifest->accessory && (!request.contents || is_chart(*manifest) == chart))
      found.push_back(*std::move(manifest));
  }
  auto newest = [](const Manifest& m) { return std::pair(-m.pushed_at, -m.id); };
  std::sort(found.begin(), found.end(), [&](auto& a, auto& b) { return newest(a) < newest(b); });
  auto same = [](const Manifest& a, const Manifest& b) { return a.id == b.id; };
  found.erase(std::unique(found.begin(), found.end(), same), found.end());
  auto total = static_cast<std::int64_t>(found.size());
  auto from = std::clamp<std::int64_t>(request.slice.offset, 0, total);
  auto to = std::clamp<std::int64_t>(from + request.slice.limit, from, total);
  Page<Manifest> page;
  page.items.assign(std::make_move_iterator(found.begin() + from),
                    std::make_move_iterator(found.begin() + to));
  page.total = total;
  return page;
}

Result<Page<Manifest>> wanted(Registry& room, const Repository& repository,
                              const ListArtifacts::Request& request) {
  if (!request.tags.empty()) return tagged(room, repository, request);
  if (request.contents) return room.list_manifests(repository, *request.contents, request.slice);
  return room.list_manifests(repository, request.slice, request.with_accessories);
}

}  // namespace

Result<auth::Resource> ListArtifacts::resource(Registry& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request.repository);
}

Result<Page<Artifact>> ListArtifacts::run(Registry& room, op::Context& context, const Request& request) {
  TRY(Repository repository, find_repository(room, context, request.repository));
  TRY(auto manifests, wanted(room, repository, request));
  Page<Artifact> page;
  page.total = manifests.total;
  for (auto& manifest : manifests.items) {
    TRY(auto artifact, with_tags(room, std::move(manifest)));
    page.items.push_back(std::move(artifact));
  }
  return page;
}

Result<auth::Resource> ListAllArtifacts::resource(Registry&, op::Context&, const Request&) {
  return auth::Resource{.name = "artifacts"};
}

Result<std::vector<Registry::Located>> ListAllArtifacts::run(Registry& room, op::Context& context,
                                                             const Request& request) {
  TRY(auto readable, context.auth.readable_namespaces(context.who));
  return room.manifests_after(readable, request.after_id, request.limit);
}

Result<auth::Resource> GetArtifact::resource(Registry& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request.repository);
}

Result<Artifact> GetArtifact::run(Registry& room, op::Context& context, const Request& request) {
  TRY(Repository repository, find_repository(room, context, request.repository));
  TRY(Manifest found, room.get_manifest(repository, request.reference));
  TRY(Manifest manifest, room.get_manifest(found.id));  // with its pulls
  return with_tags(room, std::move(manifest));
}

Result<auth::Resource> DeleteArtifact::resource(Registry& room, op::Context& context,
                                                const Request& request) {
  return resource_of(room, context, request.repository);
}

Result<op::Nothing> DeleteArtifact::run(Registry& room, op::Context& context, const Request& request) {
  TRY(Repository repository, find_repository(room, context, request.repository));
  TRY(Digest digest, room.find_digest(repository, request.reference));
  TRY_STATUS(room.delete_manifest(repository, digest, {.actor = context.who.name}));
  return op::Nothing{};
}

// ---------------------------------------------------------------- accessories

namespace {

struct CosignTag {
  std::string_view suffix, type;
};
constexpr CosignTag cosign_tags[] = {
    {".sig", "signature.cosign"}, {".att", "attestation.cosign"}, {".sbom", "sbom.cosign"}};

std::string type_of(const Manifest& referrer) {
  if (referrer.artifact_type == "application/vnd.dev.cosign.artifact.sig.v1+json") return "signature.cosign";
  return referrer.artifact_type;
}

Status add_cosign_tags(Registry& room, const Repository& repository, const Manifest& subject,
                       std::vector<Accessory>& found) {
  std::string algorithm = subject.digest->text().substr(0, 6);
  std::string stem = algorithm + "-" + std::string(subject.digest->hex());
  for (const auto& [suffix, type] : cosign_tags) {
    auto tag = room.get_tag(repository, stem + std::string(suffix));
    if (!tag.ok() && tag.error().reason == Reason::tag_unknown) continue;
    if (!tag.ok()) return tag.error();
    found.push_back({std::move(tag->manifest), subject.id, std::string(type)});
  }
  return {};
}

}  // namespace

Result<auth::Resource> ListAccessories::resource(Registry& room, op::Context& context,
                                                 const Request& request) {
  return resource_of(room, context, request.repository);
}

Result<Page<Accessory>> ListAccessories::run(Registry& room, op::Context& context, const Request& request) {
  TRY(Repository repository, find_repository(room, context, request.repository));
  TRY(Manifest subject, room.get_manifest(repository, request.reference));
  std::vector<Accessory> found;
  TRY_STATUS(add_cosign_tags(room, repository, subject, found));
  TRY(auto referrers, room.referrers(repository, *subject.digest, ""));
  for (auto& referrer : referrers) {
    bool known = std::any_of(found.begin(), found.end(),
                             [&](const Accessory& other) { return other.manifest.id == referrer.id; });
    if (known) continue;
    release(referrer.bytes);
    std::string type = type_of(referrer);
    found.push_back({std::move(referrer), subject.id, std::move(type)});
  }
  if (!request.type.empty())
    std::erase_if(found, [&](const Accessory& accessory) { return accessory.type != request.type; });

  Page<Accessory> page;
  page.total = static_cast<std::int64_t>(found.size());
  std::int64_t from = std::clamp<std::int64_t>(request.slice.offset, 0, page.total);
  std::int64_t count = std::clamp<std::int64_t>(request.slice.limit, 0, page.total - from);
  std::move(found.begin() + from, found.begin() + from + count, std::back_inserter(page.items));
  return page;
}

}  // namespace wharfage::registry::ops
