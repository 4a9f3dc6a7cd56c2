// What a manifest needs: blobs and children. Reads manifests of strangers: everything is checked and bounded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/digest.h"

namespace wharfage::sync {

struct Descriptor {
  Digest digest;
  std::int64_t size = 0;
  std::string media_type;
};

struct Contents {
  bool index = false;
  std::vector<Descriptor> blobs;     // config and layers; without layers that are fetched from elsewhere
  std::vector<Descriptor> children;  // of an index
  std::string subject;               // "" without one
};

// Errors: manifest_invalid, unsupported (schema 1), too_large.
Result<Contents> read_manifest(std::string_view media_type, std::string_view bytes);

// The fallback index sha256-<hex> with one more referrer in it, or the same bytes when it is listed already.
// `index` may be empty. Error: manifest_invalid.
Result<std::string> with_referrer(std::string_view index, const std::string& digest,
                                  std::string_view media_type, std::string_view manifest);
std::string fallback_tag(const Digest& digest);  // "sha256-<hex>"

constexpr std::string_view index_type = "application/vnd.oci.image.index.v1+json";

}  // namespace wharfage::sync
