// The registry's domain: instances, namespaces, repositories, tags, manifests, blobs and their references.
// Blob first, facts last: a manifest row, its references, its tag, its event and its jobs are one
// transaction. Blobs are reachable only through a repository that links them, never by global digest.
// Deleting removes rows; the bytes follow later, online, with a re-check (see collect()). Callers have been
// authorised. Thread-safe, blocking. How bytes and rows meet is told in docs/internals/storage.md.
//
// Events (data is a JSON object): "image.pushed" when a manifest or a tag is new or moved, never for a push
// that changed nothing; one per such tag, or one without a tag for a push by digest: {instance, namespace,
// repository (below the namespace), repository_id, manifest_id, tag, digest, media_type, artifact_type,
// subject, accessory, size, origin, actor, pushed_at}. "image.deleted": {instance, namespace, repository,
// repository_id, digest, tag}; for a manifest the tag is "" and `tags` names (up to 100 of) those that went
// with it. "repository.deleted": {instance, namespace, repository, repository_id}. What was deleted may come
// back (as "image.pushed" of origin "restore") until "image.purged" {repository_id, namespace, repository,
// digest} or "repository.purged" {repository_id, namespace, repository}; without a grace period they follow
// at once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/principal.h"
#include "base/log.h"
#include "base/result.h"
#include "base/time.h"
#include "blob/store.h"
#include "crypto/digest.h"
#include "job/events.h"
#include "meta/db.h"
#include "registry/inspection.h"

namespace wharfage::registry {

std::vector<meta::Migration> schema();

// One installation = one Alibaba account = one Huawei domain; one instance and one project for now.
struct Instance {
  std::int64_t id = 0;
  std::string cri_id;  // "cri-…": Alibaba's id
  std::string uuid;    // Huawei's id
  std::string name;
  std::string alibaba_region, huawei_region;  // "cn-hangzhou", "cn-north-4" unless configured
  std::string project_id, project_name;  // 32 hex digits; Huawei names a region's project like the region
  std::string domain_id, domain_name;    // Huawei account
  std::int64_t ali_uid = 0;              // < 2^53
  TimeMs created_at = 0;
};

struct Namespace {
  std::int64_t id = 0;
  std::string public_id;  // "crn-…"
  std::string name;
  bool is_public = false;       // default visibility of its new repositories
  bool auto_create = true;      // a push creates the repository
  std::string metadata = "{}";  // further settings of a facade, kept verbatim: a JSON object
  TimeMs created_at = 0, updated_at = 0;
  std::int64_t repository_count = 0;
};

struct Repository {
  std::int64_t id = 0;
  std::string public_id;  // "crr-…"
  std::int64_t namespace_id = 0;
  std::string namespace_name;
  std::string name;  // below the namespace; may contain '/'
  std::string summary, detail;
  bool is_public = false;
  bool immutable_tags = false;
  TimeMs created_at = 0, updated_at = 0;
  std::int64_t tag_count = 0, artifact_count = 0, pull_count = 0;  // filled by get and list only
  TimeMs pulled_at = 0;                                            // likewise, as folded so far; 0: never

  std::string full_name() const { return namespace_name + "/" + name; }
  auth::Resource resource() const { return {namespace_id, full_name(), is_public}; }
};

struct Manifest {
  std::int64_t id = 0;  // < 2^31: SWR's artifact id
  std::int64_t repository_id = 0;
  std::optional<Digest> digest;           // always set in what the registry returns
  std::string media_type;                 // exactly as pushed
  std::string artifact_type;              // artifactType, else config.mediaType (not for indexes)
  std::optional<Digest> subject, config;  // config: of an image manifest
  std::int64_t size = 0;                  // of the manifest itself
  std::int64_t total_size = 0;            // manifest + config + layers (of an index: its children's sum)
  bool accessory = false;                 // has a subject, or was pushed only as cosign's sha256-<hex>.sig
  std::int64_t pull_count = 0;            // pulls as folded so far; filled by lists, get_tag and by-id gets
  TimeMs pulled_at = 0;                   // 0: never
  std::string bytes;                      // only where asked for
  TimeMs pushed_at = 0;
};

struct Tag {
  std::int64_t id = 0;
  std::int64_t repository_id = 0;
  std::string name;
  Manifest manifest;  // without bytes
  TimeMs created_at = 0, updated_at = 0;
};

// Who takes something away and by which way: kept in the history of tags and with what was deleted.
struct Cause {
  std::string actor;
  std::string origin = "api";  // "api", "retention", "sync"
};

struct ManifestPush {
  std::string bytes, media_type;
  std::optional<Digest> digest;   // when pushed by digest: must match
  std::vector<std::string> tags;  // may be empty with a digest
  // "push", "build", "sign", "sync", "restore": told to subscribers in the event and kept in the history of
  // tags. What is restored keeps its time and kind.
  std::string event_origin;
  // What every tag must point to just before the push: this digest, or (nullopt) nothing yet. Otherwise the
  // push is refused with `conflict`; decided in its transaction, so of two writers who read the same one
  // wins.
  struct Expected {
    std::optional<Digest> digest;
  };
  std::optional<Expected> expected;
};

template <class T>
struct Page {
  std::vector<T> items;
  std::int64_t total = 0;
};
struct Slice {
  std::int64_t offset = 0, limit = 50;
};

// "namespace/name" of an OCI name; a single component lies in namespace "library". Error: name_invalid.
struct Name {
  std::string namespace_name, repository;
  static Result<Name> parse(std::string_view oci_name);
  std::string full() const { return namespace_name + "/" + repository; }
};
Status check_namespace_name(std::string_view name);  // OCI component rule, 1-64 here; facades may be stricter
Status check_tag(std::string_view tag);              // [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}
// cosign's and the referrers fallback's tags: sha256-<hex>, and the same with .sig, .att, .sbom. They are
// never held back by immutable tags: a second signature moves them.
bool is_accessory_tag(std::string_view tag);

struct Options {
  bool sparse_indexes = false;  // accept an index although children are not here
  bool sparse_images =
      false;  // accept an image although blobs are not here; they count as needed when they come
  TimeMs delete_grace_ms = 0;  // how long what was deleted can come back; 0: not at all
};

struct NamespaceUsage;  // policy_model.h

// An upload's one writer. What does not fit into the namespace's quota is refused (quota_exceeded), and the
// upload has gone then, with its bytes. upload_unknown when somebody else has cancelled it.
class UploadWriter : public blob::Writer {
 public:
  virtual Status expect(std::int64_t bytes) = 0;  // whether so many more will fit, for those who know
  virtual Status check_there() = 0;               // before anybody is told that its bytes are kept
};

class Registry {
 public:
  Registry(meta::Db& db, meta::Ids& ids, blob::Store& blobs, job::Events& events, const Clock& clock, Log log,
           Options options = {});
  ~Registry();

  // ---- instance
  struct Identity {  // empty members get defaults or random ids at first start and never change afterwards
    std::string instance_name, alibaba_region, huawei_region, cri_id, uuid, project_id, domain_name;
    std::int64_t ali_uid = 0;
  };
  Status ensure_instance(const Identity& identity);
  const Instance& instance() const;

  // ---- namespaces: namespace_unknown, namespace_exists, namespace_not_empty, name_invalid
  struct NewNamespace {
    std::string name;
    bool is_public = false, auto_create = true;
    std::string metadata = "{}";
  };
  Result<Namespace> create_namespace(const NewNamespace& wanted);
  Result<Namespace> get_namespace(std::string_view name);
  Result<Namespace> get_namespace(std::int64_t id);
  Result<Namespace> get_namespace_by_public_id(std::string_view public_id);
  struct NamespaceFilter {
    std::string name_contains;
    std::optional<bool> is_public;
    std::optional<std::vector<std::int64_t>> readable;  // nullopt: all; public ones are always included
    bool newest_first = false;
  };
  Result<Page<Namespace>> list_namespaces(const NamespaceFilter& filter, Slice slice);
  Status update_namespace(std::string_view name, std::optional<bool> is_public,
                          std::optional<bool> auto_create, std::optional<std::string> metadata);
  Status delete_namespace(std::string_view name);

  // ---- repositories: repository_unknown, repository_exists, repository_not_empty
  struct NewRepository {
    std::string namespace_name, name, summary, detail;
    std::optional<bool> is_public;  // default: the namespace's
    bool immutable_tags = false;
  };
  Result<Repository> create_repository(const NewRepository& wanted);
  Result<Repository> get_repository(std::string_view namespace_name, std::string_view name);
  Result<Repository> get_repository(std::int64_t id);
  // The same from a cache and without the counts: for every pull and push.
  Result<Repository> find_repository(const Name& name);
  Result<Repository> get_repository_by_public_id(std::string_view public_id);
  // For a push: creates namespace-permitting repositories on the way. Error: repository_unknown,
  // namespace_unknown.
  Result<Repository> ensure_repository(const Name& name);
  struct RepositoryFilter {
    std::int64_t namespace_id = 0;  // 0: all
    std::string name_contains;      // of the name below the namespace
    std::optional<std::vector<std::int64_t>> readable;
    bool newest_first = false;
  };
  Result<Page<Repository>> list_repositories(const RepositoryFilter& filter, Slice slice);
  // OCI catalog: full names after `last`, bytewise ascending.
  Result<std::vector<std::string>> catalog(const std::optional<std::vector<std::int64_t>>& readable,
                                           std::string_view last, std::int64_t limit);
  struct RepositoryChange {
    std::optional<std::string> summary, detail;
    std::optional<bool> is_public, immutable_tags;
  };
  Status update_repository(std::int64_t id, const RepositoryChange& change);
  // With its images; their bytes are reclaimed later. tag_immutable when a rule protects a tag.
  Status delete_repository(std::int64_t id, const Cause& cause = {});

  // ---- manifests and tags
  // Checks syntax, kind (no image/index ambiguity), limits, references (manifest_blob_unknown), immutability
  // (tag_immutable); writes everything in one transaction and emits "image.pushed" for each tag (or for the
  // digest).
  struct Pushed {
    Manifest manifest;
    std::vector<std::string> tags;
    bool created = false;
  };
  Result<Pushed> put_manifest(const Repository& repository, const ManifestPush& push,
                              const auth::Principal& who);
  // `reference` is a tag or a digest. manifest_unknown. With bytes.
  Result<Manifest> get_manifest(const Repository& repository, std::string_view reference);
  Result<Manifest> get_manifest(std::int64_t manifest_id);
  void count_pull(const Repository& repository,
                  const Manifest& manifest);  // appended and folded, never a shared row
  // With the tags that point to it. Errors: manifest_unknown, tag_immutable, conflict (an index needs it).
  Status delete_manifest(const Repository& repository, const Digest& digest, const Cause& cause = {});
  Status delete_tag(const Repository& repository, std::string_view tag,
                    const Cause& cause = {});  // tag_unknown, tag_immutable
  // For those who remove much, in transactions of their own: a tag that still points to `digest`, an image
  // that no tag of an image points to. conflict when it is otherwise by now.
  Status delete_tag_at(meta::Tx& tx, const Repository& repository, std::string_view tag, const Digest& digest,
                       const Cause& cause);
  Status delete_untagged(meta::Tx& tx, const Repository& repository, const Digest& digest,
                         const Cause& cause);
  Result<Tag> get_tag(const Repository& repository, std::string_view tag);
  // What a tag or a digest names, be its bytes sound or not: manifest_unknown, digest_invalid.
  Result<Digest> find_digest(const Repository& repository, std::string_view reference);
  Result<std::vector<std::string>> tags_after(const Repository& repository, std::string_view last,
                                              std::int64_t limit);
  struct TagFilter {
    bool with_accessories = true;  // sha256-<hex>.sig and the like
    std::string name_contains;
  };
  Result<Page<Tag>> list_tags(const Repository& repository, const TagFilter& filter,
                              Slice slice);  // newest first
  Result<Page<Manifest>> list_manifests(const Repository& repository, Slice slice,
                                        bool with_accessories = false);
  // Helm charts, told by their config, or everything but those; no accessories.
  enum class Contents { charts, images };
  Result<Page<Manifest>> list_manifests(const Repository& repository, Contents contents, Slice slice);
  Result<std::vector<std::string>> tags_of(std::int64_t manifest_id);
  // The same as rows, at most limits::artifact_tags_max; their manifest is not filled.
  Result<std::vector<Tag>> tags_on(std::int64_t manifest_id);
  // OCI referrers, newest last; `artifact_type` "" = all. Descriptors' annotations are in bytes: parsed by
  // callers, and empty where they are lost. At most limits::list_page_max and limits::referrers_bytes_max at
  // once: go on with the last id.
  Result<std::vector<Manifest>> referrers(const Repository& repository, const Digest& subject,
                                          std::string_view artifact_type, std::int64_t after_id = 0);
  // Images of all repositories in readable namespaces (and of public repositories), by id: {after_id, …}.
  struct Located {
    Manifest manifest;  // without bytes
    Repository repository;
  };
  Result<std::vector<Located>> manifests_after(const std::optional<std::vector<std::int64_t>>& readable,
                                               std::int64_t after_id, std::int64_t limit);

  // ---- blobs of a repository
  Result<blob::Blob> open_blob(const Repository& repository, const Digest& digest);    // blob_unknown
  Result<std::int64_t> blob_size(const Repository& repository, const Digest& digest);  // blob_unknown
  Status delete_blob(const Repository& repository,
                     const Digest& digest);  // the link; conflict when a manifest needs it
  // Makes a blob of `from` one of `to`. False: not there.
  Result<bool> mount_blob(const Repository& to, const Repository& from, const Digest& digest);
  // The same without a source: from any public repository or one in `readable` (nullopt: any).
  Result<bool> mount_blob(const Repository& to, const std::optional<std::vector<std::int64_t>>& readable,
                          const Digest& digest);
  // Whether the namespace's quota has room for so many bytes more: quota_exceeded. Uploads, mounts and pushes
  // ask themselves once they know what they bring; who knows it before asks first.
  Status admit(const Repository& repository, std::int64_t bytes);
  Status admit(const Namespace& space, const NamespaceUsage& more);
  // For our own writers (build results, signatures, copies).
  Result<Digest> put_blob(const Repository& repository, std::string_view bytes);

  // ---- uploads: bound to repository and owner; upload_unknown for anybody else's. One that is not kept is
  // known to this process only (young_uploads.h).
  Result<std::string> begin_upload(const Repository& repository, const auth::Principal& who);
  // `becomes`, where it is known: what the namespace has already needs no room.
  Result<std::unique_ptr<UploadWriter>> open_upload(const Repository& repository, const std::string& id,
                                                    const auth::Principal& who, DigestAlgorithm algorithm,
                                                    const std::optional<Digest>& becomes = {});
  // What was written to it survives this process; to be called before a client is told so.
  Status keep_upload(const Repository& repository, const std::string& id, const auth::Principal& who);
  Result<std::int64_t> upload_size(const Repository& repository, const std::string& id,
                                   const auth::Principal& who);
  Status cancel_upload(const Repository& repository, const std::string& id, const auth::Principal& who);
  // Commits the writer's bytes and links the blob to the repository. An upload that is over the quota has
  // gone.
  Status finish_upload(const Repository& repository, const std::string& id, blob::Writer& writer,
                       const Digest& digest);

  // ---- reclaiming: removes bytes no repository links (after a grace period for links without a manifest),
  // and uploads older than limits::upload_lifetime_ms. Online, bounded work per call.
  // Files that no row knows of, left by a crash, go the same way; each call looks at some of them.
  struct Collected {
    std::int64_t blobs = 0, bytes = 0, uploads = 0, strays = 0;
    bool more = false;
  };
  Result<Collected> collect(TimeMs unreferenced_for_ms);
  std::string metrics() const;  // reclaimed by this process, Prometheus text
  Status fold_pulls();  // pulls, and the counts of tags and manifests appended by pushes; bounded per call

  // ---- looking after the store, beside everything else (inspection.h). A file that no row knows of is told
  // of when it has been there for `settled_ms`: another node's push may be about to write its row.
  Status check(bool mend, TimeMs settled_ms, Follower& follower);
  Status scrub(const ScrubOptions& options, Follower& follower);

  // ---- figures
  struct Usage {
    std::int64_t namespaces = 0, repositories = 0, tags = 0, manifests = 0, blobs = 0, bytes = 0;
  };
  Result<Usage> usage();

  meta::Db& db();
  blob::Store& blobs();
  job::Events& events();
  const Clock& clock() const;

  struct State;  // this room's own

 private:
  class Push;
  class Collector;
  class Checker;
  std::unique_ptr<State> x_state;
};

}  // namespace wharfage::registry
