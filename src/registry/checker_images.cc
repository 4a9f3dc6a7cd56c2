#include <algorithm>

#include "registry/checker.h"
#include "registry/needs.h"

namespace wharfage::registry {
namespace {

constexpr std::int64_t page_size = 500;
constexpr std::int64_t manifest_page = 50;  // with their bytes

bool holds(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

bool is_elsewhere(const Document& document, const std::string& digest) {
  return std::any_of(document.layers.begin(), document.layers.end(), [&](const auto& layer) {
    return layer.digest.text() == digest && is_distributed_elsewhere(layer);
  });
}

}  // namespace

Status Registry::Checker::manifests() {
  for (std::int64_t last = 0;;) {
    TRY_STATUS(x_follower.alive());
    TRY(auto page,
        x_state.db.read([&](meta::Tx& tx) { return records::manifests_at(tx, last, manifest_page); }));
    for (const auto& one : page) TRY_STATUS(manifest(one));
    x_follower.counted("manifests", static_cast<std::int64_t>(page.size()));
    if (page.empty()) return {};
    last = page.back().id;
  }
}

// A manifest never changes, so what was read holds; what it needs may come and go and is looked up now.
Status Registry::Checker::manifest(const records::ManifestAt& one) {
  TRY(Digest digest, Digest::parse(one.digest));
  bool sound = one.bytes && Digest::of(*one.bytes, digest.algorithm()) == digest;
  auto document =
      sound ? parse_document(*one.bytes, one.media_type) : Result<Document>(fail(Reason::internal));
  if (!document.ok()) {
    return x_state.db.write([&](meta::Tx& tx) -> Status {
      TRY(auto still, records::find_manifest(tx, one.id));
      TRY(std::string name, name_of(tx, one.repository_id));
      if (still || !one.bytes)
        tell(tx, {"manifest_corrupt", name, one.digest, "delete it and push the image again", false});
      return {};
    });
  }
  TRY(bool complete, x_state.db.read([&](meta::Tx& tx) -> Result<bool> {
    TRY(auto children, records::children_of(tx, one.id));
    TRY(auto lost_children, records::lost_children_of(tx, one.id));
    if (!lost_children.empty()) return false;
    for (const auto& digest : digests_in(*document)) {
      TRY(auto blob, records::find_reference(tx, {one.repository_id, digest}, one.id));
      bool fine = blob ? !blob->lost : holds(children, digest) || is_elsewhere(*document, digest);
      if (!fine) return false;
    }
    return true;
  }));
  if (complete) return {};
  return x_state.db.write([&](meta::Tx& tx) { return references(tx, one, *document); });
}

Status Registry::Checker::references(meta::Tx& tx, const records::ManifestAt& one, const Document& document) {
  TRY(auto manifest, records::find_manifest(tx, one.id));
  TRY(auto repository, records::find_repository(tx, one.repository_id));
  if (!manifest || !repository) return {};  // deleted, or its repository is being emptied
  if (document.config) TRY_STATUS(reference(tx, *manifest, *document.config, false));
  for (const auto& layer : document.layers) {
    if (!is_distributed_elsewhere(layer)) TRY_STATUS(reference(tx, *manifest, layer, false));
  }
  for (const auto& child : document.children) TRY_STATUS(reference(tx, *manifest, child, true));
  for (const auto& digest : digests_in(document)) {
    TRY(auto blob, records::find_reference(tx, {one.repository_id, digest}, one.id));
    if (!blob || !blob->lost) continue;
    tell(tx, {"image_incomplete", repository->full_name(), one.digest,
              "its blob " + digest + " is lost; push the image again", false});
  }
  TRY(auto children, records::lost_children_of(tx, one.id));
  for (const auto& child : children) {
    tell(tx, {"image_incomplete", repository->full_name(), one.digest,
              "its image " + child + " is gone; push that again", false});
  }
  return {};
}

Status Registry::Checker::reference(meta::Tx& tx, const Manifest& manifest, const Descriptor& to,
                                    bool may_be_child) {
  const std::string& digest = to.digest.text();
  TRY(auto blob, records::find_reference(tx, {manifest.repository_id, digest}, manifest.id));
  TRY(auto children, records::children_of(tx, manifest.id));
  if (blob || holds(children, digest)) return {};
  bool mended = false;
  if (x_mend && may_be_child) {
    TRY(mended, records::refer_to_child(tx, manifest, digest));
  }
  if (x_mend && !mended) {
    TRY(mended, records::refer_to_blob(tx, manifest, digest));
    if (mended) TRY_STATUS(records::tighten_link(tx, manifest.repository_id, digest));
  }
  // Registries may be told to accept an index without all of its children.
  if (!mended && may_be_child && x_state.options.sparse_indexes) return {};
  TRY(std::string name, name_of(tx, manifest.repository_id));
  tell(tx, {"reference_missing", name, manifest.digest->text(), "needs " + digest, mended});
  return {};
}

Status Registry::Checker::tags() {
  for (std::int64_t last = 0;;) {
    TRY_STATUS(x_follower.alive());
    TRY(auto page, x_state.db.read([&](meta::Tx& tx) { return records::tags_at(tx, last, page_size); }));
    for (const auto& tag : page) {
      if (tag.dangling) TRY_STATUS(x_state.db.write([&](meta::Tx& tx) { return dangling_tag(tx, tag); }));
    }
    x_follower.counted("tags", static_cast<std::int64_t>(page.size()));
    if (page.empty()) return {};
    last = page.back().id;
  }
}

Status Registry::Checker::dangling_tag(meta::Tx& tx, const records::TagAt& tag) {
  TRY(auto again, records::tags_at(tx, tag.id - 1, 1));
  if (again.empty() || again[0].id != tag.id || !again[0].dangling) return {};
  TRY(std::string name, name_of(tx, tag.repository_id));
  tell(tx, {"tag_dangling", name, tag.name, "names a manifest that is not there", x_mend});
  if (!x_mend) return {};
  TRY_STATUS(records::delete_tag(tx, tag.id));
  bool accessory = is_accessory_tag(tag.name);
  TRY_STATUS(records::append_change(tx, tag.repository_id,
                                    {.tags = accessory ? 0 : -1, .accessory_tags = accessory ? -1 : 0}));
  x_state.forget(tx, tag.repository_id, {tag.name});
  return {};
}

}  // namespace wharfage::registry
