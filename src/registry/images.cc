#include "registry/state.h"

namespace wharfage::registry {
namespace {

constexpr std::size_t cache_entry_cost = 512;  // beside the bytes

Result<Manifest> known(Result<std::optional<Manifest>> found, std::string_view what) {
  if (!found.ok()) return found.error();
  if (!*found) return fail(Reason::manifest_unknown, {}, std::string(what.substr(0, 160)));
  return **std::move(found);
}

}  // namespace

Result<Manifest> Registry::get_manifest(const Repository& repository, std::string_view reference) {
  State& state = *x_state;
  bool by_digest = reference.find(':') != reference.npos;
  if (by_digest) {
    TRY_STATUS(Digest::parse(reference));
  } else if (!check_tag(reference).ok()) {
    return fail(Reason::manifest_unknown, {}, std::string(reference.substr(0, 160)));
  }
  std::string key = State::manifest_key(repository.id, reference);
  if (auto kept = state.manifests.find(key)) return *kept;
  auto ticket = state.manifests.ticket();
  TRY(Manifest manifest, state.db.read([&](meta::Tx& tx) -> Result<Manifest> {
    return known(by_digest ? records::find_manifest(tx, repository.id, reference)
                           : records::find_tagged(tx, repository.id, reference),
                 reference);
  }));
  state.manifests.keep(ticket, key, manifest, manifest.bytes.size() + cache_entry_cost);
  return manifest;
}

Result<Manifest> Registry::get_manifest(std::int64_t manifest_id) {
  return x_state->db.read([&](meta::Tx& tx) -> Result<Manifest> {
    return known(records::find_manifest(tx, manifest_id), std::to_string(manifest_id));
  });
}

// What an image index needs stays; and what a tag that may not move points to.
Status Registry::delete_manifest(const Repository& repository, const Digest& digest) {
  State& state = *x_state;
  return state.db.write([&](meta::Tx& tx) -> Status {
    TRY(Repository current, state.current(tx, repository));
    TRY(Manifest manifest, known(records::find_manifest(tx, current.id, digest.text()), digest.text()));
    TRY(bool child, records::is_child(tx, current.id, digest.text()));
    if (child) return fail(Reason::conflict, "an index of this repository needs the manifest", digest.text());
    if (current.immutable_tags) {
      TRY(bool tagged, records::has_image_tag(tx, manifest.id));
      if (tagged) return fail(Reason::tag_immutable, {}, digest.text());
    }
    TRY(auto tags, records::tags_of(tx, manifest.id, limits::deleted_tags_told_max));
    TRY(auto removed, records::delete_tags_of(tx, manifest.id));
    TRY_STATUS(records::loosen_blobs(tx, manifest, state.clock.now()));
    TRY_STATUS(records::delete_manifest(tx, manifest.id));
    TRY_STATUS(records::append_change(tx, current.id,
                                      {.tags = -removed.tags,
                                       .accessory_tags = -removed.accessory_tags,
                                       .manifests = manifest.accessory ? 0 : -1,
                                       .accessories = manifest.accessory ? -1 : 0}));
    tx.on_commit(
        [&state, prefix = State::manifest_key(current.id, "")] { state.manifests.drop_prefix(prefix); });
    return state.tell_deleted(tx, current, manifest, "", tags);
  });
}

Status Registry::delete_tag(const Repository& repository, std::string_view tag) {
  State& state = *x_state;
  return state.db.write([&](meta::Tx& tx) -> Status {
    TRY(Repository current, state.current(tx, repository));
    TRY(auto found, records::find_tag(tx, current.id, tag));
    if (!found) return fail(Reason::tag_unknown, {}, std::string(tag.substr(0, 128)));
    bool accessory = is_accessory_tag(tag);
    if (current.immutable_tags && !accessory) return fail(Reason::tag_immutable, {}, found->name);
    TRY_STATUS(records::delete_tag(tx, found->id));
    TRY_STATUS(records::append_change(tx, current.id,
                                      {.tags = accessory ? 0 : -1, .accessory_tags = accessory ? -1 : 0}));
    state.forget(tx, current.id, {found->name});
    return state.tell_deleted(tx, current, found->manifest, found->name, {});
  });
}

Result<Tag> Registry::get_tag(const Repository& repository, std::string_view tag) {
  TRY(auto found, x_state->db.read([&](meta::Tx& tx) { return records::find_tag(tx, repository.id, tag); }));
  if (!found) return fail(Reason::tag_unknown, {}, std::string(tag.substr(0, 128)));
  return *std::move(found);
}

Result<std::vector<std::string>> Registry::tags_after(const Repository& repository, std::string_view last,
                                                      std::int64_t limit) {
  limit = bounded_and_one(limit);
  return x_state->db.read([&](meta::Tx& tx) { return records::tags_after(tx, repository.id, last, limit); });
}

Result<Page<Tag>> Registry::list_tags(const Repository& repository, const TagFilter& filter, Slice slice) {
  slice = bounded(slice);
  return x_state->db.read([&](meta::Tx& tx) -> Result<Page<Tag>> {
    Page<Tag> page;
    TRY(page.items, records::list_tags(tx, repository.id, filter, slice));
    if (filter.name_contains.empty()) {
      TRY(auto counts, records::counts(tx, repository.id));
      page.total = counts.tags + (filter.with_accessories ? counts.accessory_tags : 0);
    } else {
      TRY(page.total, records::count_tags(tx, repository.id, filter));
    }
    return page;
  });
}

Result<Page<Manifest>> Registry::list_manifests(const Repository& repository, Slice slice,
                                                bool with_accessories) {
  slice = bounded(slice);
  return x_state->db.read([&](meta::Tx& tx) -> Result<Page<Manifest>> {
    Page<Manifest> page;
    TRY(page.items, records::list_manifests(tx, repository.id, with_accessories, slice));
    TRY(auto counts, records::counts(tx, repository.id));
    page.total = counts.manifests + (with_accessories ? counts.accessories : 0);
    return page;
  });
}

Result<std::vector<Registry::Located>> Registry::manifests_after(
    const std::optional<std::vector<std::int64_t>>& readable, std::int64_t after_id, std::int64_t limit) {
  limit = bounded({0, limit}).limit;
  return x_state->db.read(
      [&](meta::Tx& tx) { return records::manifests_after(tx, readable, after_id, limit); });
}

Result<std::vector<std::string>> Registry::tags_of(std::int64_t manifest_id) {
  return x_state->db.read(
      [&](meta::Tx& tx) { return records::tags_of(tx, manifest_id, limits::list_page_max); });
}

Result<std::vector<Tag>> Registry::tags_on(std::int64_t manifest_id) {
  return x_state->db.read(
      [&](meta::Tx& tx) { return records::tags_on(tx, manifest_id, limits::artifact_tags_max); });
}

Result<std::vector<Manifest>> Registry::referrers(const Repository& repository, const Digest& subject,
                                                  std::string_view artifact_type, std::int64_t after_id) {
  return x_state->db.read([&](meta::Tx& tx) -> Result<std::vector<Manifest>> {
    TRY(auto found, records::referrers(tx, repository.id, subject.text(), artifact_type, after_id,
                                       limits::list_page_max));
    std::size_t loaded = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
      loaded += static_cast<std::size_t>(found[i].size);
      if (i > 0 && loaded > limits::referrers_bytes_max) {
        found.resize(i);
        break;
      }
      TRY(found[i].bytes, records::manifest_bytes(tx, found[i].id));
    }
    return found;
  });
}

}  // namespace wharfage::registry
