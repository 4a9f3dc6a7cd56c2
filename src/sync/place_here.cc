// A repository of this registry.
#include <algorithm>

#include "base/limits.h"
#include "sync/manifest.h"
#include "sync/place.h"

namespace wharfage::sync {
namespace {

bool absent(const Error& error) {
  return error.kind() == ErrorKind::not_found;
}

class Here final : public Place {
 public:
  Here(registry::Registry& registry, registry::Repository repository)
      : x_registry(registry), x_repository(std::move(repository)) {}

  Result<std::optional<Document>> find(const std::string& reference) override {
    auto manifest = x_registry.get_manifest(x_repository, reference);
    if (!manifest.ok()) {
      if (absent(manifest.error())) return std::optional<Document>();
      return manifest.error();
    }
    return std::optional(Document{.digest = manifest->digest->text(),
                                  .media_type = manifest->media_type,
                                  .bytes = manifest->bytes,
                                  .subject = manifest->subject ? manifest->subject->text() : ""});
  }

  Result<std::optional<std::string>> find_digest(const std::string& reference) override {
    bool by_digest = reference.find(':') != reference.npos;
    if (by_digest) {
      TRY(auto document, find(reference));
      return document ? std::optional(document->digest) : std::nullopt;
    }
    auto named = x_registry.find_digest(x_repository, reference);
    if (named.ok()) return std::optional(named->text());
    if (absent(named.error())) return std::optional<std::string>();
    return named.error();
  }

  Result<std::vector<std::string>> referrers(const Digest& digest) override {
    std::vector<std::string> digests;
    for (std::int64_t last = 0;;) {
      TRY(auto page, x_registry.referrers(x_repository, digest, "", last));
      for (const auto& manifest : page) digests.push_back(manifest.digest->text());
      if (page.empty() || digests.size() > limits::sync_manifests_per_copy_max) return digests;
      last = page.back().id;
    }
  }

  Result<blob::Blob> open_blob(const Digest& digest) override {
    return x_registry.open_blob(x_repository, digest);
  }

  Status read_blob(const Digest& digest, std::function<Status(std::string_view)> sink) override {
    TRY(auto blob, open_blob(digest));
    for (std::int64_t offset = 0; offset < blob.size;) {
      TRY(std::string piece, blob.read(offset, limits::blob_copy_chunk));
      if (piece.empty()) return fail(Reason::storage_failed);
      TRY_STATUS(sink(piece));
      offset += static_cast<std::int64_t>(piece.size());
    }
    return {};
  }

  const registry::Repository* ours() const override { return &x_repository; }

  Result<bool> has_blob(const Digest& digest) override {
    auto size = x_registry.blob_size(x_repository, digest);
    if (size.ok()) return true;
    if (absent(size.error())) return false;
    return size.error();
  }

  // Only from the source itself. What another registry says it has must be sent, or whoever owns that
  // registry could have blobs of other repositories here handed to him by their digests.
  Result<bool> mount_blob(const Digest& digest, Place& source) override {
    if (!source.ours()) return false;
    return x_registry.mount_blob(x_repository, *source.ours(), digest);
  }

  Status write_blob(const Digest& digest, std::int64_t size, Place& source, const Moved& moved) override {
    auth::Principal who = auth::Principal::system();
    TRY(std::string upload, x_registry.begin_upload(x_repository, who));
    Status status = receive(upload, digest, size, source, moved);
    if (!status.ok()) (void)x_registry.cancel_upload(x_repository, upload, who);
    return status;
  }

  Status put(const std::string& reference, const Document& document) override {
    registry::ManifestPush push{
        .bytes = document.bytes, .media_type = document.media_type, .event_origin = "sync"};
    auto digest = Digest::parse(reference);
    if (digest.ok()) {
      push.digest = *digest;
    } else {
      push.tags = {reference};
    }
    auto pushed = x_registry.put_manifest(x_repository, push, auth::Principal::system());
    if (!pushed.ok()) return pushed.error();
    return {};
  }

 private:
  Status receive(const std::string& upload, const Digest& digest, std::int64_t size, Place& source,
                 const Moved& moved) {
    auth::Principal who = auth::Principal::system();
    TRY(auto writer, x_registry.open_upload(x_repository, upload, who, digest.algorithm(), digest));
    TRY_STATUS(source.read_blob(digest, [&](std::string_view piece) -> Status {
      if (writer->size() + static_cast<std::int64_t>(piece.size()) > size) {
        return fail(Reason::size_invalid, "a blob is larger than its manifest says", digest.text());
      }
      TRY_STATUS(writer->append(piece));
      return moved(static_cast<std::int64_t>(piece.size()));
    }));
    return x_registry.finish_upload(x_repository, upload, *writer, digest);
  }

  registry::Registry& x_registry;
  registry::Repository x_repository;
};

}  // namespace

std::unique_ptr<Place> place_here(registry::Registry& registry, registry::Repository repository) {
  return std::make_unique<Here>(registry, std::move(repository));
}

}  // namespace wharfage::sync
