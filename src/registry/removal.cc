#include <boost/json.hpp>

#include "registry/forgetting.h"
#include "registry/needs.h"
#include "registry/protection.h"
#include "registry/state.h"

// Deleting. With a grace period nothing is lost at first: a manifest keeps its row, its bytes and its
// references and is merely found no longer, a tag leaves its name behind, a repository loses its names. What
// purges them when their time is over is policies.h and collect(). Cost: that of what is deleted.
namespace wharfage::registry {

records::Removal Registry::State::removal(const Cause& cause) const {
  TimeMs now = clock.now();
  return {now, now + std::max<TimeMs>(options.delete_grace_ms, 0), cause};
}

Status Registry::State::note(meta::Tx& tx, TagChange change) {
  if (is_accessory_tag(change.tag)) return {};
  return records::add_tag_change(tx, change);
}

Status Registry::State::drop_tag(meta::Tx& tx, const Repository& repository, const Tag& tag,
                                 const Cause& cause) {
  auto removal = this->removal(cause);
  bool accessory = is_accessory_tag(tag.name);
  if (options.delete_grace_ms > 0) {
    TRY_STATUS(records::keep_deleted_tag(tx, {.repository_id = repository.id,
                                              .name = tag.name,
                                              .manifest_id = tag.manifest.id,
                                              .digest = {},
                                              .created_at = tag.created_at,
                                              .deleted_at = removal.at,
                                              .purge_at = removal.purge_at,
                                              .actor = cause.actor,
                                              .origin = cause.origin}));
  }
  TRY_STATUS(records::delete_tag(tx, tag.id));
  TRY_STATUS(note(tx, {.repository_id = repository.id,
                       .tag = tag.name,
                       .at = removal.at,
                       .from = tag.manifest.digest->text(),
                       .to = "",
                       .actor = cause.actor,
                       .origin = cause.origin}));
  TRY_STATUS(records::append_change(tx, repository.id,
                                    {.tags = accessory ? 0 : -1, .accessory_tags = accessory ? -1 : 0}));
  if (!accessory) TRY_STATUS(records::append_usage(tx, repository.namespace_id, {.tags = -1}));
  forget(tx, repository.id, {tag.name});
  return tell_deleted(tx, repository, tag.manifest, tag.name, {});
}

// An index that was itself deleted may still refer to it: then it stays hidden until that one is purged.
Status Registry::State::drop_manifest(meta::Tx& tx, const Repository& repository, const Manifest& manifest,
                                      const Cause& cause) {
  const std::string& digest = manifest.digest->text();
  TRY(bool child, records::is_child(tx, repository.id, digest));
  if (child) return fail(Reason::conflict, "an index of this repository needs the manifest", digest);
  auto removal = this->removal(cause);
  TRY(bool parent, records::has_parent(tx, repository.id, digest));
  bool hide = options.delete_grace_ms > 0 || parent;
  TRY(auto tags, records::tags_of(tx, manifest.id, limits::deleted_tags_told_max));
  if (hide) TRY_STATUS(records::keep_deleted_tags_of(tx, manifest.id, removal));
  TRY_STATUS(records::add_tags_deleted(tx, manifest, removal.at, cause));
  TRY(auto removed, records::delete_tags_of(tx, manifest.id));
  TRY_STATUS(hide ? records::hide_manifest(tx, manifest.id, removal)
                  : remove_manifest(tx, manifest, removal.at));
  TRY_STATUS(records::append_change(tx, repository.id,
                                    {.tags = -removed.tags,
                                     .accessory_tags = -removed.accessory_tags,
                                     .manifests = manifest.accessory ? 0 : -1,
                                     .accessories = manifest.accessory ? -1 : 0}));
  if (removed.tags > 0)
    TRY_STATUS(records::append_usage(tx, repository.namespace_id, {.tags = -removed.tags}));
  tx.on_commit([this, prefix = State::manifest_key(repository.id, "")] { manifests.drop_prefix(prefix); });
  TRY_STATUS(tell_deleted(tx, repository, manifest, "", tags));
  return hide ? Status() : tell_purged(tx, events, repository, manifest);
}

Status Registry::State::revive(meta::Tx& tx, const Manifest& manifest) {
  TRY(auto lost, records::deleted_children(tx, manifest.id));
  if (!lost.empty()) return fail(Reason::manifest_blob_unknown, {}, lost.front());
  TRY(auto digests, needs_of(tx, manifest));
  for (const auto& digest : digests) TRY_STATUS(records::reveal_link(tx, manifest.repository_id, digest));
  return records::reveal_manifest(tx, manifest);
}

// ---------------------------------------------------------------- what callers ask for

// What an image index needs stays; and what a tag that may not move points to.
Status Registry::delete_manifest(const Repository& repository, const Digest& digest, const Cause& cause) {
  State& state = *x_state;
  return state.db.write([&](meta::Tx& tx) -> Status {
    TRY(Repository current, state.current(tx, repository));
    TRY(auto manifest, records::find_manifest(tx, current.id, digest.text()));
    if (!manifest) return fail(Reason::manifest_unknown, {}, digest.text());
    TRY(auto protection, Protection::of(tx, current));
    TRY_STATUS(protection.check_tags_of(tx, *manifest));
    return state.drop_manifest(tx, current, *manifest, cause);
  });
}

Status Registry::delete_tag(const Repository& repository, std::string_view tag, const Cause& cause) {
  State& state = *x_state;
  return state.db.write([&](meta::Tx& tx) -> Status {
    TRY(Repository current, state.current(tx, repository));
    TRY(auto found, records::find_tag(tx, current.id, tag));
    if (!found) return fail(Reason::tag_unknown, {}, std::string(tag.substr(0, 128)));
    TRY(auto protection, Protection::of(tx, current));
    TRY_STATUS(protection.check(found->name));
    return state.drop_tag(tx, current, *found, cause);
  });
}

Status Registry::delete_tag_at(meta::Tx& tx, const Repository& repository, std::string_view tag,
                               const Digest& digest, const Cause& cause) {
  TRY(Repository current, x_state->current(tx, repository));
  TRY(auto found, records::find_tag(tx, current.id, tag));
  if (!found) return fail(Reason::tag_unknown, {}, std::string(tag));
  if (found->manifest.digest != digest)
    return fail(Reason::conflict, "the tag was moved meanwhile", found->name);
  TRY(auto protection, Protection::of(tx, current));
  TRY_STATUS(protection.check(found->name));
  return x_state->drop_tag(tx, current, *found, cause);
}

Status Registry::delete_untagged(meta::Tx& tx, const Repository& repository, const Digest& digest,
                                 const Cause& cause) {
  TRY(Repository current, x_state->current(tx, repository));
  TRY(auto found, records::find_manifest(tx, current.id, digest.text()));
  if (!found) return fail(Reason::manifest_unknown, {}, digest.text());
  TRY(bool tagged, records::has_image_tag(tx, found->id));
  if (tagged) return fail(Reason::conflict, "the image has a tag", digest.text());
  return x_state->drop_manifest(tx, current, *found, cause);
}

namespace {

// A repository goes with its tags, so a rule that protects one of them protects it too. Its own flag does
// not: whoever may delete it may as well change the flag. Read page by page, before anything is locked.
Status check_unprotected(meta::Db& db, const Repository& repository) {
  constexpr std::int64_t page = limits::list_page_max;
  for (std::string last;;) {
    TRY(auto tags, db.read([&](meta::Tx& tx) -> Result<std::vector<std::string>> {
      Repository without_flag = repository;
      without_flag.immutable_tags = false;
      TRY(auto protection, Protection::of(tx, without_flag));
      if (protection.none()) return std::vector<std::string>();
      TRY(auto names, records::tags_after(tx, repository.id, last, page));
      for (const auto& tag : names) TRY_STATUS(protection.check(tag));
      return names;
    }));
    if (static_cast<std::int64_t>(tags.size()) < page) return {};
    last = tags.back();
  }
}

}  // namespace

// Takes the name away at once; what the repository held is removed in bounded steps by collect().
Status Registry::delete_repository(std::int64_t id, const Cause& cause) {
  State& state = *x_state;
  auto known = [id](meta::Tx& tx) -> Result<Repository> {
    TRY(auto found, records::find_repository(tx, id));
    if (!found) return fail(Reason::repository_unknown, {}, std::to_string(id));
    return *std::move(found);
  };
  TRY(Repository asked, state.db.read(known));
  TRY_STATUS(check_unprotected(state.db, asked));
  return state.db.write([&](meta::Tx& tx) -> Status {
    TRY(Repository found, known(tx));
    TRY_STATUS(records::unname_repository(tx, found, state.removal(cause)));
    TRY_STATUS(records::append_change(tx, 0, {.repositories = -1}));
    TRY(auto held, records::counts(tx, id));
    TRY_STATUS(records::append_usage(tx, found.namespace_id, {.repositories = -1, .tags = -held.tags}));
    tx.on_commit([&state, id, name = found.full_name()] {
      state.repositories.drop(name);
      state.manifests.drop_prefix(State::manifest_key(id, ""));
    });
    job::Event event;
    event.type = "repository.deleted";
    event.subject = found.full_name();
    event.namespace_id = found.namespace_id;
    event.data =
        boost::json::serialize(boost::json::object{{"instance", state.instance ? state.instance->cri_id : ""},
                                                   {"namespace", found.namespace_name},
                                                   {"repository", found.name},
                                                   {"repository_id", id}});
    TRY_STATUS(state.events.emit(tx, std::move(event)));
    return state.options.delete_grace_ms > 0 ? Status() : tell_purged(tx, state.events, found);
  });
}

}  // namespace wharfage::registry
