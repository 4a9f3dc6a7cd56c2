#include "registry/state.h"

namespace wharfage::registry {
namespace {

constexpr std::size_t cache_entry_cost = 512;  // beside the bytes

Result<Manifest> known(Result<std::optional<Manifest>> found, std::string_view what) {
  if (!found.ok()) return found.error();
  if (!*found) return fail(Reason::manifest_unknown, {}, std::string(what.substr(0, 160)));
  return **std::move(found);
}

// Like a lost blob, what the disk has changed is not there until somebody pushes it again.
Status check_sound(const Manifest& manifest) {
  if (Digest::of(manifest.bytes, manifest.digest->algorithm()) == *manifest.digest) return {};
  return fail(Reason::manifest_unknown, "the stored manifest is damaged; push it again",
              manifest.digest->text());
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
  TRY_STATUS(check_sound(manifest));
  state.manifests.keep(ticket, key, manifest, manifest.bytes.size() + cache_entry_cost);
  return manifest;
}

Result<Manifest> Registry::get_manifest(std::int64_t manifest_id) {
  return x_state->db.read([&](meta::Tx& tx) -> Result<Manifest> {
    return known(records::find_manifest(tx, manifest_id), std::to_string(manifest_id));
  });
}

Result<Tag> Registry::get_tag(const Repository& repository, std::string_view tag) {
  TRY(auto found, x_state->db.read([&](meta::Tx& tx) { return records::find_tag(tx, repository.id, tag); }));
  if (!found) return fail(Reason::tag_unknown, {}, std::string(tag.substr(0, 128)));
  return *std::move(found);
}

Result<Digest> Registry::find_digest(const Repository& repository, std::string_view reference) {
  if (reference.find(':') != reference.npos) return Digest::parse(reference);
  auto tag = get_tag(repository, reference);
  if (tag.ok()) return *tag->manifest.digest;
  if (tag.error().reason != Reason::tag_unknown) return tag.error();
  return fail(Reason::manifest_unknown, {}, std::string(reference.substr(0, 160)));
}

Result<std::vector<std::string>> Registry::tags_after(const Repository& repository, std::string_view last,
                                                      std::int64_t limit) {
  limit = bounded_and_one(limit);
  return x_state->db.read([&](meta::Tx& tx) { return records::tags_after(tx, repository.id, last, limit); });
}

Result<Page<Tag>> Registry::list_tags(const Repository& repository, const TagFilter& filter, Slice slice) {
  TRY_STATUS(check_filter(filter.name_contains));
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

Result<Page<Manifest>> Registry::list_manifests(const Repository& repository, Contents contents,
                                                Slice slice) {
  slice = bounded(slice);
  return x_state->db.read([&](meta::Tx& tx) -> Result<Page<Manifest>> {
    Page<Manifest> page;
    TRY(std::int64_t charts, records::count_charts(tx, repository.id));
    TRY(auto counts, records::counts(tx, repository.id));
    bool wants_charts = contents == Contents::charts;
    page.total = wants_charts ? charts : counts.manifests - charts;
    TRY(page.items, wants_charts ? records::list_charts(tx, repository.id, slice)
                                 : records::list_images(tx, repository.id, slice));
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
      TRY(auto bytes, records::find_manifest_bytes(tx, found[i].id));
      if (bytes) found[i].bytes = *std::move(bytes);
    }
    return found;
  });
}

}  // namespace wharfage::registry
