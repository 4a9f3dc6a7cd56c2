// An OCI image layout (image-spec image-layout.md) as one place of a copy: a folder, or one tar file as
// skopeo's oci-archive: writes it. Reads layouts of strangers: files are found by digest only, no link is
// followed, every size is held against what names it, manifests are hashed when read, and whoever takes the
// blobs hashes them. Objects belong to one thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sync/place.h"

namespace wharfage::sync {

constexpr std::size_t layout_index_bytes_max = 8 * 1024 * 1024;
constexpr std::size_t layout_entries_max = 10'000;  // of index.json
constexpr std::size_t layout_values_max = 32 * layout_entries_max;
constexpr std::size_t layout_archive_members_max = 200'000;  // of a tar file

// What names the repository of an entry, so that one layout can hold several.
constexpr std::string_view repository_annotation = "dev.wharfage.repository";
constexpr std::string_view reference_annotation = "org.opencontainers.image.ref.name";

struct LayoutEntry {
  std::string digest, media_type;
  std::int64_t size = 0;
  std::string tag, repository;  // "" without one
  std::string artifact_type;
  std::string subject;  // of the manifest itself
};

// Where the bytes of a layout lie. Names are "index.json", "oci-layout", "blobs/<algorithm>/<hex>".
class LayoutFiles {
 public:
  virtual ~LayoutFiles() = default;
  virtual Result<blob::Blob> open(const std::string& name) = 0;  // not_found
};
Result<std::unique_ptr<LayoutFiles>> open_layout_files(const std::string& path);

class LayoutReader final : public Place {
 public:
  // Errors: not_found, manifest_invalid (no layout, or a hostile one), too_large.
  static Result<std::unique_ptr<LayoutReader>> open(const std::string& path);

  const std::vector<LayoutEntry>& entries() const { return x_entries; }
  // Which repository's tags find() means; "" those without one.
  void enter(const std::string& repository) { x_repository = repository; }

  Result<std::optional<Document>> find(const std::string& reference) override;
  Result<std::optional<std::string>> find_digest(const std::string& reference) override;
  Result<std::vector<std::string>> referrers(const Digest& digest) override;
  Result<blob::Blob> open_blob(const Digest& digest) override;
  Status read_blob(const Digest& digest, std::function<Status(std::string_view)> sink) override;
  const registry::Repository* ours() const override { return nullptr; }

  // ---- no target
  Result<bool> has_blob(const Digest&) override;
  Result<bool> mount_blob(const Digest&, Place&) override;
  Status write_blob(const Digest&, std::int64_t, Place&, const Moved&) override;
  Status put(const std::string&, const Document&) override;

 private:
  explicit LayoutReader(std::unique_ptr<LayoutFiles> files) : x_files(std::move(files)) {}
  Status read_index();
  Result<Document> read_manifest_of(const Digest& digest);

  std::unique_ptr<LayoutFiles> x_files;
  std::vector<LayoutEntry> x_entries;
  std::string x_repository;
  std::map<std::string, std::string> x_media_types;  // of manifests, by digest, as what names them says
  std::map<std::string, std::int64_t> x_sizes;       // of blobs and manifests, likewise
};

class LayoutWriter final : public Place {
 public:
  // `path` ends in ".tar": one file, which must not exist; else a folder, missing or empty. Errors: conflict,
  // storage_failed.
  static Result<std::unique_ptr<LayoutWriter>> create(const std::string& path);
  ~LayoutWriter() override;

  // The repository whose images are put from now on.
  void enter(const std::string& repository) { x_repository = repository; }
  // Between two images: take_back() removes what was put since then, of an image that turned out to be
  // broken.
  void begin_image();
  Status take_back();
  // Without a tag, an image stands in the index only when it is named here, or has a subject.
  Status name(const std::string& digest);
  Status finish();  // writes the index; what was not finished is no layout and is removed

  Result<std::optional<Document>> find(const std::string& reference) override;
  Result<std::optional<std::string>> find_digest(const std::string& reference) override;
  Result<std::vector<std::string>> referrers(const Digest&) override { return std::vector<std::string>(); }
  Result<blob::Blob> open_blob(const Digest&) override;
  Status read_blob(const Digest&, std::function<Status(std::string_view)>) override;
  const registry::Repository* ours() const override { return nullptr; }
  Result<bool> has_blob(const Digest& digest) override;
  Result<bool> mount_blob(const Digest&, Place&) override { return false; }
  Status write_blob(const Digest& digest, std::int64_t size, Place& source, const Moved& moved) override;
  Status put(const std::string& reference, const Document& document) override;

 private:
  class Output;
  class Folder;
  class Archive;
  explicit LayoutWriter(std::unique_ptr<Output> output);
  void list(const Document& document, const std::string& tag);
  Status check_sizes(const Document& document);

  struct Since {  // begin_image()
    std::int64_t mark = 0;
    std::size_t entries = 0;
    std::vector<std::string> digests;
    std::vector<std::pair<std::string, std::string>> tags;
  };

  std::unique_ptr<Output> x_output;
  Since x_since;
  std::string x_repository;
  std::map<std::string, Document> x_manifests;  // written ones, without their bytes, by digest
  std::map<std::string, std::int64_t> x_sizes;  // of every blob and manifest that is written
  std::map<std::pair<std::string, std::string>, std::string> x_tags;  // (repository, tag) -> digest
  std::vector<LayoutEntry> x_entries;
  bool x_finished = false;
};

}  // namespace wharfage::sync
