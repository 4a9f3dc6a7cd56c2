// From a repository's digest to the layers that are read: resolves an index to the one image it is judged by,
// and reads layer blobs as streams. Manifests are pushed by anybody: parsed with limits, never trusted.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "registry/registry.h"
#include "scan/unpack.h"

namespace wharfage::scan {

struct ImageManifest {
  std::string digest;               // of the image itself
  std::vector<std::string> layers;  // digests, from the base upwards
};

// Errors: manifest_unknown, scan_impossible (not an image, or an index without one).
Result<ImageManifest> resolve_image(registry::Registry& registry, const registry::Repository& repository,
                                    const std::string& digest);

// Whether a pushed manifest could be an image at all; artifacts and signatures are not worth a task.
bool may_be_image(std::string_view media_type, std::string_view artifact_type);

// Reads a blob; stops with the error that `check` returns between pieces.
class BlobSource final : public ByteSource {
 public:
  BlobSource(blob::Blob blob, std::function<Status()> check)
      : x_blob(std::move(blob)), x_check(std::move(check)) {}
  Result<std::string_view> next() override;

 private:
  blob::Blob x_blob;
  std::function<Status()> x_check;
  std::string x_piece;
  std::int64_t x_at = 0;
};

}  // namespace wharfage::scan
