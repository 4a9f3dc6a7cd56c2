#include <algorithm>
#include <boost/json.hpp>
#include <set>

#include "base/release.h"
#include "base/text.h"
#include "registry/document.h"
#include "registry/protection.h"
#include "registry/state.h"

namespace wharfage::registry {
namespace {

constexpr std::int64_t total_size_max = std::int64_t{1} << 50;
constexpr int attempts_max = 5;

std::int64_t capped_sum(std::int64_t a, std::int64_t b) {
  return std::min(total_size_max, a + b);
}

Error missing(const Digest& digest) {
  return fail(Reason::manifest_blob_unknown, {}, digest.text());
}

}  // namespace

// One put_manifest(). Reads first what ids it will need (they cannot be taken inside a transaction), then
// writes everything in one; when others changed the picture in between, it looks again.
class Registry::Push {
 public:
  Push(State& state, const Repository& repository, const ManifestPush& push, const auth::Principal& who)
      : x_state(state), x_repository(repository), x_push(push), x_who(who) {}

  Status prepare();
  Result<Pushed> run();

 private:
  struct Needs {
    bool manifest = false;
    std::size_t tags = 0;
    std::optional<Manifest> unchanged;  // the push would change nothing
  };
  Result<Needs> look(meta::Tx& tx);
  Status take_ids(const Needs& needs);
  Result<Pushed> write(meta::Tx& tx);
  Status check_expected(meta::Tx& tx);
  Result<Manifest> insert(meta::Tx& tx);
  Status refer_to_image(meta::Tx& tx, const Manifest& manifest);
  Status need_blob(meta::Tx& tx, const Manifest& manifest, const Descriptor& blob, bool may_lack);
  Status refer_to_children(meta::Tx& tx, Manifest& manifest);
  Result<bool> refer_to_blob(meta::Tx& tx, const Manifest& manifest, const Descriptor& blob);
  Result<bool> put_tag(meta::Tx& tx, const Repository& repository, const Manifest& manifest,
                       const std::string& name);
  Result<Manifest> revive(meta::Tx& tx, const Manifest& deleted);
  Status note(meta::Tx& tx, const std::string& tag, std::string from, const Manifest& to);
  Status emit(meta::Tx& tx, const Manifest& manifest, const std::string& tag);
  Error look_again();

  State& x_state;
  const Repository& x_repository;
  const ManifestPush& x_push;
  const auth::Principal& x_who;

  Document x_document;
  Manifest x_wanted;  // without an id
  std::vector<std::string> x_tags;
  std::int64_t x_manifest_id = 0;
  std::vector<std::int64_t> x_tag_ids;

  // Of the transaction that runs; started anew with each.
  bool x_again = false;
  std::size_t x_tag_ids_used = 0;
  records::Counts x_change;
  TimeMs x_now = 0;
};

Status Registry::Push::prepare() {
  for (const auto& tag : x_push.tags) {
    TRY_STATUS(check_tag(tag));
    if (std::find(x_tags.begin(), x_tags.end(), tag) == x_tags.end()) x_tags.push_back(tag);
  }
  if (x_tags.size() > limits::manifest_tags_per_push_max)
    return fail(Reason::too_large, "too many tags in one push");
  if (x_tags.empty() && !x_push.digest) return fail(Reason::tag_invalid, "a tag or a digest is needed");
  TRY(x_document, parse_document(x_push.bytes, x_push.media_type));
  auto algorithm = x_push.digest ? x_push.digest->algorithm() : DigestAlgorithm::sha256;
  Digest digest = Digest::of(x_push.bytes, algorithm);
  if (x_push.digest && !(digest == *x_push.digest))
    return fail(Reason::digest_invalid, "the manifest does not have this digest", x_push.digest->text());

  x_wanted.repository_id = x_repository.id;
  x_wanted.digest = digest;
  x_wanted.media_type = x_push.media_type.empty() ? x_document.media_type : x_push.media_type;
  if (x_wanted.media_type.size() > 255 || std::any_of(x_wanted.media_type.begin(), x_wanted.media_type.end(),
                                                      [](unsigned char c) { return c < 0x20 || c > 0x7e; })) {
    return fail(Reason::manifest_invalid, "the media type is not valid");
  }
  x_wanted.artifact_type = x_document.artifact_type;
  x_wanted.subject = x_document.subject;
  if (x_document.config) x_wanted.config = x_document.config->digest;
  x_wanted.size = static_cast<std::int64_t>(x_push.bytes.size());
  x_wanted.accessory =
      x_wanted.subject || (!x_tags.empty() && std::all_of(x_tags.begin(), x_tags.end(), is_accessory_tag));
  x_wanted.bytes = x_push.bytes;
  return {};
}

Result<Registry::Pushed> Registry::Push::run() {
  for (int attempt = 1;; ++attempt) {
    TRY(Needs needs, x_state.db.read([this](meta::Tx& tx) { return look(tx); }));
    if (needs.unchanged) {
      release(needs.unchanged->bytes);
      return Pushed{*std::move(needs.unchanged), x_tags, false};
    }
    TRY_STATUS(take_ids(needs));
    auto pushed = x_state.db.write([this](meta::Tx& tx) { return write(tx); });
    if (pushed.ok() || !x_again || attempt == attempts_max) return pushed;
  }
}

Result<Registry::Push::Needs> Registry::Push::look(meta::Tx& tx) {
  TRY_STATUS(x_state.current(tx, x_repository));
  Needs needs;
  TRY(auto found, records::find_manifest(tx, x_repository.id, x_wanted.digest->text()));
  needs.manifest = !found;
  bool moves = false;
  std::int64_t counted = 0;
  for (const auto& tag : x_tags) {
    TRY(auto row, records::find_tag_row(tx, x_repository.id, tag));
    if (!row) ++needs.tags;
    if (!row && !is_accessory_tag(tag)) ++counted;
    moves = moves || !row || !found || row->manifest_id != found->id;
  }
  NamespaceUsage more{.tags = counted};
  if (!found) {  // one that was deleted is still counted
    TRY(auto deleted, records::find_deleted_manifest(tx, x_repository.id, x_wanted.digest->text()));
    if (!deleted) more.bytes = x_wanted.size;
  }
  if (more.tags > 0 || more.bytes > 0)
    TRY_STATUS(x_state.admit(tx, x_repository.namespace_id, x_repository.namespace_name, more));
  // A media type that differs is for write() to judge, and so is what the caller expects.
  bool same = found && found->media_type == x_wanted.media_type && found->bytes == x_wanted.bytes;
  if (same && !moves && !x_push.expected) needs.unchanged = std::move(found);
  return needs;
}

Status Registry::Push::take_ids(const Needs& needs) {
  if (needs.manifest && x_manifest_id == 0) {
    TRY(x_manifest_id, x_state.ids.next("manifest"));
  }
  while (x_tag_ids.size() < needs.tags) {
    TRY(std::int64_t id, x_state.ids.next("tag"));
    x_tag_ids.push_back(id);
  }
  return {};
}

// Rolls back: something is there no longer that look() saw.
Error Registry::Push::look_again() {
  x_again = true;
  return fail(Reason::conflict, "the repository is being changed, try again");
}

Result<Registry::Pushed> Registry::Push::write(meta::Tx& tx) {
  x_again = false;
  x_tag_ids_used = 0;
  x_change = {};
  x_now = x_state.clock.now();
  TRY(Repository repository, x_state.current(tx, x_repository));
  TRY_STATUS(check_expected(tx));
  TRY(auto found, records::find_manifest(tx, repository.id, x_wanted.digest->text()));
  Pushed pushed;
  pushed.created = !found;
  pushed.tags = x_tags;
  if (found) {
    if (!same_ignoring_case(trim(found->media_type.substr(0, found->media_type.find(';'))),
                            x_document.media_type)) {
      return fail(Reason::manifest_invalid, "it was pushed with another media type", found->media_type);
    }
    if (found->bytes != x_wanted.bytes)  // the disk has changed them
      TRY_STATUS(records::put_manifest_bytes(tx, found->id, x_wanted.bytes));
    pushed.manifest = *std::move(found);
  } else {
    TRY(pushed.manifest, insert(tx));
  }
  release(pushed.manifest.bytes);
  std::vector<std::string> moved;
  for (const auto& tag : x_tags) {
    TRY(bool changed, put_tag(tx, repository, pushed.manifest, tag));
    if (!changed) continue;
    TRY_STATUS(emit(tx, pushed.manifest, tag));
    moved.push_back(tag);
  }
  if (pushed.created && moved.empty()) TRY_STATUS(emit(tx, pushed.manifest, ""));
  if (pushed.created || x_tag_ids_used > 0) TRY_STATUS(records::append_change(tx, repository.id, x_change));
  NamespaceUsage used{.tags = x_change.tags, .bytes = x_change.bytes};
  if (used.tags > 0 || used.bytes > 0) TRY_STATUS(records::append_usage(tx, repository.namespace_id, used));
  x_state.forget(tx, repository.id, std::move(moved));
  return pushed;
}

Status Registry::Push::check_expected(meta::Tx& tx) {
  if (!x_push.expected) return {};
  for (const auto& name : x_tags) {
    TRY(auto tag, records::find_tag(tx, x_repository.id, name));
    auto now = tag ? tag->manifest.digest : std::nullopt;
    if (now != x_push.expected->digest) return fail(Reason::conflict, "the tag was moved meanwhile", name);
  }
  return {};
}

// What was deleted lately and is pushed again simply revives.
Result<Manifest> Registry::Push::revive(meta::Tx& tx, const Manifest& deleted) {
  Manifest manifest = deleted;
  if (x_push.event_origin != "restore") {
    manifest.media_type = x_wanted.media_type;
    manifest.accessory = x_wanted.accessory;
    manifest.pushed_at = x_now;
  }
  TRY_STATUS(records::put_manifest_bytes(tx, manifest.id, x_wanted.bytes));  // what it needs stands in them
  TRY_STATUS(x_state.revive(tx, manifest));
  ++(manifest.accessory ? x_change.accessories : x_change.manifests);
  return manifest;
}

Result<Manifest> Registry::Push::insert(meta::Tx& tx) {
  TRY(auto deleted, records::find_deleted_manifest(tx, x_repository.id, x_wanted.digest->text()));
  if (deleted) return revive(tx, deleted->manifest);
  if (x_manifest_id == 0) return look_again();
  Manifest manifest = x_wanted;
  manifest.id = x_manifest_id;
  manifest.pushed_at = x_now;
  manifest.total_size = manifest.size;
  TRY_STATUS(records::insert_manifest(tx, manifest));
  x_change.bytes += manifest.size;
  if (x_document.index) {
    TRY_STATUS(refer_to_children(tx, manifest));
  } else {
    std::set<Digest> counted;
    if (counted.insert(x_document.config->digest).second)
      manifest.total_size = capped_sum(manifest.total_size, x_document.config->size);
    for (const auto& layer : x_document.layers) {
      if (counted.insert(layer.digest).second)
        manifest.total_size = capped_sum(manifest.total_size, layer.size);
    }
    TRY_STATUS(refer_to_image(tx, manifest));
  }
  TRY_STATUS(records::set_total_size(tx, manifest.id, manifest.total_size));
  ++(manifest.accessory ? x_change.accessories : x_change.manifests);
  return manifest;
}

Result<bool> Registry::Push::refer_to_blob(meta::Tx& tx, const Manifest& manifest, const Descriptor& blob) {
  TRY(bool there, records::refer_to_blob(tx, manifest, blob.digest.text()));
  if (there) TRY_STATUS(records::tighten_link(tx, manifest.repository_id, blob.digest.text()));
  return there;
}

Status Registry::Push::need_blob(meta::Tx& tx, const Manifest& manifest, const Descriptor& blob,
                                 bool may_lack) {
  TRY(bool there, refer_to_blob(tx, manifest, blob));
  if (there) return {};
  if (!may_lack && !x_state.options.sparse_images) return missing(blob.digest);
  return records::expect_blob(tx, manifest, blob.digest.text());
}

Status Registry::Push::refer_to_image(meta::Tx& tx, const Manifest& manifest) {
  std::set<Digest> seen{x_document.config->digest};
  TRY_STATUS(need_blob(tx, manifest, *x_document.config, false));
  for (const auto& layer : x_document.layers) {
    if (!seen.insert(layer.digest).second) continue;
    TRY_STATUS(need_blob(tx, manifest, layer, is_distributed_elsewhere(layer)));
  }
  return {};
}

Status Registry::Push::refer_to_children(meta::Tx& tx, Manifest& manifest) {
  std::set<Digest> seen;
  for (const auto& child : x_document.children) {
    if (!seen.insert(child.digest).second) continue;
    TRY(bool there, records::refer_to_child(tx, manifest, child.digest.text()));
    // Build caches list plain blobs in an index.
    bool blob = !there && !is_manifest_type(child.media_type);
    if (blob) {
      TRY(there, refer_to_blob(tx, manifest, child));
      if (there) manifest.total_size = capped_sum(manifest.total_size, child.size);
    }
    if (there) continue;
    if (!x_state.options.sparse_indexes) return missing(child.digest);
    if (blob) TRY_STATUS(records::expect_blob(tx, manifest, child.digest.text()));
  }
  TRY(std::int64_t children, records::size_of_children(tx, manifest.id));
  manifest.total_size = capped_sum(manifest.total_size, std::min(children, total_size_max));
  return {};
}

Status Registry::Push::note(meta::Tx& tx, const std::string& tag, std::string from, const Manifest& to) {
  return x_state.note(tx, {.repository_id = to.repository_id,
                           .tag = tag,
                           .at = x_now,
                           .from = std::move(from),
                           .to = to.digest->text(),
                           .actor = x_who.name,
                           .origin = x_push.event_origin});
}

// True when the tag is new or moved.
Result<bool> Registry::Push::put_tag(meta::Tx& tx, const Repository& repository, const Manifest& manifest,
                                     const std::string& name) {
  TRY(auto row, records::find_tag_row(tx, manifest.repository_id, name));
  if (row && row->manifest_id == manifest.id) return false;
  if (row) {
    TRY(auto protection, Protection::of(tx, repository));
    TRY_STATUS(protection.check(name));
    TRY(std::string before, records::digest_of(tx, row->manifest_id));
    TRY_STATUS(records::move_tag(tx, row->id, manifest.id, x_now));
    TRY_STATUS(note(tx, name, std::move(before), manifest));
    return true;
  }
  if (x_tag_ids_used == x_tag_ids.size()) return look_again();
  Tag tag;
  tag.id = x_tag_ids[x_tag_ids_used++];
  tag.repository_id = manifest.repository_id;
  tag.name = name;
  tag.manifest.id = manifest.id;
  tag.created_at = tag.updated_at = x_now;
  TRY_STATUS(records::insert_tag(tx, tag));
  TRY_STATUS(note(tx, name, "", manifest));
  ++(is_accessory_tag(name) ? x_change.accessory_tags : x_change.tags);
  return true;
}

Status Registry::Push::emit(meta::Tx& tx, const Manifest& manifest, const std::string& tag) {
  boost::json::object data{{"instance", x_state.instance ? x_state.instance->cri_id : ""},
                           {"namespace", x_repository.namespace_name},
                           {"repository", x_repository.name},
                           {"repository_id", x_repository.id},
                           {"manifest_id", manifest.id},
                           {"tag", tag},
                           {"digest", manifest.digest->text()},
                           {"media_type", manifest.media_type},
                           {"artifact_type", manifest.artifact_type},
                           {"subject", manifest.subject ? manifest.subject->text() : ""},
                           {"accessory", manifest.accessory},
                           {"size", manifest.total_size},
                           {"origin", x_push.event_origin},
                           {"actor", x_who.name},
                           {"pushed_at", x_now}};
  job::Event event;
  event.type = "image.pushed";
  event.subject = x_repository.full_name() + (tag.empty() ? "@" + manifest.digest->text() : ":" + tag);
  event.namespace_id = x_repository.namespace_id;
  event.data = boost::json::serialize(data);
  return x_state.events.emit(tx, std::move(event));
}

Result<Registry::Pushed> Registry::put_manifest(const Repository& repository, const ManifestPush& push,
                                                const auth::Principal& who) {
  Push one(*x_state, repository, push, who);
  TRY_STATUS(one.prepare());
  return one.run();
}

}  // namespace wharfage::registry
