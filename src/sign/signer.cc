#include "sign/signer.h"

#include <optional>

#include "base/text.h"
#include "sign/cosign.h"

namespace wharfage::sign {
namespace {

using registry::Manifest;
using registry::Registry;
using registry::Repository;

const auth::Principal signer = auth::Principal::system();

// Whether one of these signatures is this key's over this digest; checked, not believed.
Result<bool> already_signed(const std::vector<SignatureLayer>& layers, const std::string& public_pem,
                            const std::string& expected_payload) {
  Digest expected = Digest::of(expected_payload);
  for (const auto& layer : layers) {
    if (layer.payload != expected) continue;
    auto der = unbase64(layer.signature);
    if (!der.ok()) continue;
    TRY(bool valid, crypto::ecdsa_verify(public_pem, expected_payload, *der));
    if (valid) return true;
  }
  return false;
}

// What the tag points to now. Its row is read and not the cache of the pull path, which another node's write
// does not reach; a manifest found by its digest is what it is wherever it is kept.
Result<std::optional<Manifest>> read_tag(Registry& registry, const Repository& repository,
                                         const std::string& tag) {
  auto row = registry.get_tag(repository, tag);
  if (!row.ok() && row.error().kind() == ErrorKind::not_found) return std::optional<Manifest>();
  if (!row.ok()) return row.error();
  TRY(auto manifest, registry.get_manifest(repository, row->manifest.digest->text()));
  return std::optional(std::move(manifest));
}

class Signature {
 public:
  Signature(Registry& registry, const Repository& repository, const crypto::EcdsaKey& key)
      : x_registry(registry), x_repository(repository), x_key(key) {}

  Status prepare(const std::string& digest, const std::string& host);
  // One attempt: reads, appends and writes back.
  Result<std::string> append();

 private:
  // False when this key has signed already.
  Result<bool> collect(const Manifest& existing);
  Result<std::string> write(const std::optional<Manifest>& existing);

  Registry& x_registry;
  const Repository& x_repository;
  const crypto::EcdsaKey& x_key;
  Manifest x_subject;
  std::string x_tag, x_payload, x_signature;  // the signature is made once, whatever the attempts
  std::optional<Digest> x_payload_digest;
  std::vector<std::string> x_descriptors, x_payload_digests;  // what this attempt writes
};

Status Signature::prepare(const std::string& text, const std::string& host) {
  TRY(Digest digest, Digest::parse(text));
  TRY(x_subject, x_registry.get_manifest(x_repository, text));
  x_tag = signature_tag(digest);
  x_payload = signature_payload(host + "/" + x_repository.full_name(), digest);
  TRY(std::string der, x_key.sign(x_payload));
  x_signature = base64(der);
  return {};
}

Result<bool> Signature::collect(const Manifest& existing) {
  TRY(auto layers, read_signatures(existing.bytes));
  TRY(bool done, already_signed(layers, x_key.public_pem(), x_payload));
  if (done) return false;
  if (layers.size() >= signatures_per_image_max)
    return fail(Reason::too_large, "the image has too many signatures already");
  for (auto& layer : layers) {
    x_descriptors.push_back(std::move(layer.descriptor));
    x_payload_digests.push_back(layer.payload.text());
  }
  return true;
}

Result<std::string> Signature::append() {
  x_descriptors.clear();
  x_payload_digests.clear();
  TRY(auto existing, read_tag(x_registry, x_repository, x_tag));
  if (existing) {
    TRY(bool wanted, collect(*existing));
    if (!wanted) return existing->digest->text();
  }
  return write(existing);
}

Result<std::string> Signature::write(const std::optional<Manifest>& existing) {
  TRY(Digest payload, x_registry.put_blob(x_repository, x_payload));
  x_descriptors.push_back(signature_descriptor(payload, x_payload.size(), x_signature));
  x_payload_digests.push_back(payload.text());
  std::string config = signature_config(x_payload_digests);
  TRY(Digest config_digest, x_registry.put_blob(x_repository, config));
  registry::ManifestPush push{
      .bytes = signature_manifest(config_digest, config.size(), x_descriptors, x_subject),
      .media_type = "application/vnd.oci.image.manifest.v1+json",
      .digest = std::nullopt,
      .tags = {x_tag},
      .event_origin = "sign"};
  push.expected.emplace();
  if (existing) push.expected->digest = existing->digest;
  TRY(auto pushed, x_registry.put_manifest(x_repository, push, signer));
  return pushed.manifest.digest->text();
}

// The tag was moved, or what it pointed to was deleted (and perhaps reclaimed), after it was read.
bool overtaken(const Error& error) {
  switch (error.reason) {
    case Reason::conflict:
    case Reason::manifest_unknown:
    case Reason::manifest_blob_unknown:
    case Reason::upload_invalid:
      return true;
    default:
      return false;
  }
}

}  // namespace

Result<std::string> sign_image(Registry& registry, const Repository& repository, const std::string& digest,
                               const crypto::EcdsaKey& key, const std::string& host) {
  Signature signature(registry, repository, key);
  TRY_STATUS(signature.prepare(digest, host));
  for (int attempt = 1;; ++attempt) {
    auto written = signature.append();
    if (written.ok() || !overtaken(written.error()) || attempt == sign_attempts_max) return written;
  }
}

}  // namespace wharfage::sign
