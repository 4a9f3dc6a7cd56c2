// The signature format of cosign (its SIGNATURE_SPEC): a "simple signing" payload as a layer, the base64 DER
// signature as that layer's annotation, one manifest per signed digest under the tag sha256-<hex>.sig. Pure
// functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/digest.h"
#include "registry/registry.h"

namespace wharfage::sign {

constexpr std::string_view simple_signing_type = "application/vnd.dev.cosign.simplesigning.v1+json";
constexpr std::string_view signature_artifact_type = "application/vnd.dev.cosign.artifact.sig.v1+json";
constexpr std::size_t signatures_per_image_max = 100;

// `reference` is host/repository without tag, as cosign writes it.
std::string signature_payload(std::string_view reference, const Digest& digest);
std::string signature_tag(const Digest& digest);

struct SignatureLayer {
  Digest payload;
  std::int64_t size = 0;
  std::string signature;   // base64 DER
  std::string descriptor;  // the layer's JSON, kept verbatim
};

// The signatures an existing manifest holds. Error: manifest_invalid.
Result<std::vector<SignatureLayer>> read_signatures(std::string_view manifest);

// The layer's descriptor for a new signature.
std::string signature_descriptor(const Digest& payload, std::size_t size, std::string_view signature_base64);
// An image config whose diff_ids are the payloads, as cosign writes it.
std::string signature_config(const std::vector<std::string>& payload_digests);
std::string signature_manifest(const Digest& config, std::size_t config_size,
                               const std::vector<std::string>& descriptors,
                               const registry::Manifest& subject);

}  // namespace wharfage::sign
