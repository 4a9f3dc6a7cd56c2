// Writing one signature: what is there is read, extended and written back under the same tag.
#include "base/text.h"
#include "sign/cosign.h"
#include "sign/records.h"
#include "sign/signing.h"

namespace wharfage::sign {
namespace {

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

}  // namespace

Result<crypto::EcdsaKey> Signing::load_key(const std::string& uuid) {
  TRY(auto stored, x_registry.db().read([&](meta::Tx& tx) { return records::find_key(tx, uuid); }));
  if (!stored) return fail(Reason::signing_key_unknown);
  TRY(auto pem, x_vault.unseal(stored->private_sealed, "signing_key:" + uuid));
  return crypto::EcdsaKey::from_pem(pem);
}

Result<std::string> Signing::sign_digest(const crypto::EcdsaKey& key, const registry::Repository& repository,
                                         const std::string& text) {
  TRY(Digest digest, Digest::parse(text));
  TRY(auto subject, x_registry.get_manifest(repository, text));
  std::string payload = signature_payload(x_options.registry_host + "/" + repository.full_name(), digest);
  std::string tag = signature_tag(digest);

  std::lock_guard lock(x_writing);
  std::vector<std::string> descriptors, payload_digests;
  auto existing = x_registry.get_manifest(repository, tag);
  if (!existing.ok() && existing.error().kind() != ErrorKind::not_found) return existing.error();
  if (existing.ok()) {
    TRY(auto layers, read_signatures(existing->bytes));
    TRY(bool done, already_signed(layers, key.public_pem(), payload));
    if (done) return existing->digest->text();
    if (layers.size() >= signatures_per_image_max) {
      return fail(Reason::conflict, "the image has too many signatures already");
    }
    for (auto& layer : layers) {
      descriptors.push_back(std::move(layer.descriptor));
      payload_digests.push_back(layer.payload.text());
    }
  }
  TRY(std::string der, key.sign(payload));
  TRY(Digest payload_digest, x_registry.put_blob(repository, payload));
  descriptors.push_back(signature_descriptor(payload_digest, payload.size(), base64(der)));
  payload_digests.push_back(payload_digest.text());
  std::string config = signature_config(payload_digests);
  TRY(Digest config_digest, x_registry.put_blob(repository, config));
  TRY(auto pushed, x_registry.put_manifest(
                       repository,
                       {.bytes = signature_manifest(config_digest, config.size(), descriptors, subject),
                        .media_type = "application/vnd.oci.image.manifest.v1+json",
                        .digest = std::nullopt,
                        .tags = {tag},
                        .event_origin = "sign"},
                       signer));
  return pushed.manifest.digest->text();
}

}  // namespace wharfage::sign
