// A repository of another registry.
#include <algorithm>
#include <cstring>

#include "base/limits.h"
#include "sync/manifest.h"
#include "sync/place.h"

namespace wharfage::sync {
namespace {

class Elsewhere final : public Place {
 public:
  Elsewhere(std::unique_ptr<remote::RegistryClient> client, std::string repository,
            std::function<Result<std::string>(const Digest&)> where)
      : x_client(std::move(client)), x_repository(std::move(repository)), x_where(std::move(where)) {}

  Result<std::optional<Document>> find(const std::string& reference) override {
    TRY(auto manifest, x_client->find_manifest(x_repository, reference));
    if (!manifest) return std::optional<Document>();
    Document document{
        .digest = manifest->digest, .media_type = manifest->media_type, .bytes = manifest->bytes};
    auto contents = read_manifest(document.media_type, document.bytes);
    if (contents.ok()) document.subject = contents->subject;
    return std::optional(std::move(document));
  }

  Result<std::optional<std::string>> find_digest(const std::string& reference) override {
    return x_client->find_digest(x_repository, reference);
  }

  // Registries without the referrers list keep an index under the tag sha256-<hex>.
  Result<std::vector<std::string>> referrers(const Digest& digest) override {
    TRY(auto listed, x_client->referrers(x_repository, digest, limits::sync_manifests_per_copy_max));
    if (listed) return *listed;
    std::vector<std::string> digests;
    TRY(auto index, x_client->find_manifest(x_repository, fallback_tag(digest)));
    if (!index) return digests;
    auto contents = read_manifest(index->media_type, index->bytes);
    if (!contents.ok()) return digests;
    for (const Descriptor& child : contents->children) digests.push_back(child.digest.text());
    return digests;
  }

  Result<blob::Blob> open_blob(const Digest&) override {
    return fail(Reason::unsupported, "one side of a copy must be this registry");
  }

  Status read_blob(const Digest& digest, std::function<Status(std::string_view)> sink) override {
    return x_client->get_blob(x_repository, digest, std::move(sink));
  }

  const registry::Repository* ours() const override { return nullptr; }

  Result<bool> has_blob(const Digest& digest) override { return x_client->has_blob(x_repository, digest); }

  Result<bool> mount_blob(const Digest& digest, Place&) override {
    TRY(std::string from, x_where(digest));
    if (from.empty() || from == x_repository) return false;
    auto mounted = x_client->mount_blob(x_repository, from, digest);
    // Whoever may not read there, or finds it gone, sends the bytes.
    bool refused = !mounted.ok() && (mounted.error().reason == Reason::remote_denied ||
                                     mounted.error().reason == Reason::remote_failed);
    if (refused) return false;
    return mounted;
  }

  Status write_blob(const Digest& digest, std::int64_t, Place& source, const Moved& moved) override {
    TRY(auto blob, source.open_blob(digest));
    std::int64_t offset = 0;
    auto read = [&](char* buffer, std::size_t size) -> Result<std::size_t> {
      if (offset >= blob.size) return std::size_t{0};
      TRY(std::string piece, blob.read(offset, std::min(size, limits::blob_copy_chunk)));
      std::memcpy(buffer, piece.data(), piece.size());
      offset += static_cast<std::int64_t>(piece.size());
      TRY_STATUS(moved(static_cast<std::int64_t>(piece.size())));
      return piece.size();
    };
    return x_client->push_blob(x_repository, digest, blob.size, read);
  }

  Status put(const std::string& reference, const Document& document) override {
    TRY(bool indexed, x_client->put_manifest(x_repository, reference, document.media_type, document.bytes));
    if (document.subject.empty() || indexed) return {};
    return add_to_fallback(document);
  }

 private:
  // The specification leaves this to the client where the registry takes no note of subjects.
  Status add_to_fallback(const Document& document) {
    TRY(auto subject, Digest::parse(document.subject));
    std::string tag = fallback_tag(subject);
    TRY(auto index, x_client->find_manifest(x_repository, tag));
    std::string before = index ? index->bytes : std::string();
    TRY(std::string after, with_referrer(before, document.digest, document.media_type, document.bytes));
    if (after == before) return {};
    auto put = x_client->put_manifest(x_repository, tag, std::string(index_type), after);
    if (!put.ok()) return put.error();
    return {};
  }

  std::unique_ptr<remote::RegistryClient> x_client;
  std::string x_repository;
  std::function<Result<std::string>(const Digest&)> x_where;
};

}  // namespace

std::unique_ptr<Place> place_elsewhere(std::unique_ptr<remote::RegistryClient> client, std::string repository,
                                       std::function<Result<std::string>(const Digest&)> where) {
  return std::make_unique<Elsewhere>(std::move(client), std::move(repository), std::move(where));
}

}  // namespace wharfage::sync
