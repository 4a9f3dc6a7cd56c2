#include "registry/needs.h"

#include <set>

#include "registry/policy_records.h"
#include "registry/records.h"

namespace wharfage::registry {

std::vector<std::string> digests_in(const Document& document) {
  std::set<std::string> digests;
  if (document.config) digests.insert(document.config->digest.text());
  for (const auto& layer : document.layers) digests.insert(layer.digest.text());
  for (const auto& child : document.children) digests.insert(child.digest.text());
  return {digests.begin(), digests.end()};
}

Result<std::vector<std::string>> needs_of(meta::Tx& tx, const Manifest& manifest) {
  TRY(auto bytes, records::find_manifest_bytes(tx, manifest.id));
  if (bytes && Digest::of(*bytes, manifest.digest->algorithm()) == *manifest.digest) {
    auto document = parse_document(*bytes, manifest.media_type);
    if (document.ok()) return digests_in(*document);
  }
  return records::search_references(tx, manifest);
}

Status remove_manifest(meta::Tx& tx, const Manifest& manifest, TimeMs now) {
  TRY(auto digests, needs_of(tx, manifest));
  for (const auto& digest : digests) TRY_STATUS(records::let_blob_go(tx, manifest, digest, now));
  TRY_STATUS(records::uncount_manifest(tx, manifest));
  return records::delete_manifest(tx, manifest.id);
}

}  // namespace wharfage::registry
