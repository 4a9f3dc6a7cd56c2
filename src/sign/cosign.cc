#include "sign/cosign.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "wire/json.h"

namespace wharfage::sign {
namespace {

namespace json = boost::json;

constexpr std::string_view signature_annotation = "dev.cosignproject.cosign/signature";

std::string text_of(const json::object& object, std::string_view name) {
  auto* value = object.if_contains(name);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

Result<SignatureLayer> read_layer(const json::object& layer) {
  TRY(Digest payload, Digest::parse(text_of(layer, "digest")));
  auto* size = layer.if_contains("size");
  auto* annotations = layer.if_contains("annotations");
  bool complete = size && size->is_int64() && annotations && annotations->is_object();
  if (!complete) return fail(Reason::manifest_invalid, "a signature layer lacks its size or signature");
  return SignatureLayer{payload, size->get_int64(), text_of(annotations->get_object(), signature_annotation),
                        json::serialize(layer)};
}

}  // namespace

std::string signature_payload(std::string_view reference, const Digest& digest) {
  return fmt::format(
      R"({{"critical":{{"identity":{{"docker-reference":{}}},"image":{{"docker-manifest-digest":"{}"}},)"
      R"("type":"cosign container image signature"}},"optional":null}})",
      json_string(reference), digest.text());
}

std::string signature_tag(const Digest& digest) {
  std::string tag = digest.text() + ".sig";
  tag[tag.find(':')] = '-';
  return tag;
}

Result<std::vector<SignatureLayer>> read_signatures(std::string_view manifest) {
  auto parsed = wire::parse_json(manifest);
  auto* layers = parsed.ok() && parsed->is_object() ? parsed->get_object().if_contains("layers") : nullptr;
  if (!layers || !layers->is_array()) return fail(Reason::manifest_invalid, "this is no signature manifest");
  std::vector<SignatureLayer> found;
  for (const json::value& layer : layers->get_array()) {
    bool ours = layer.is_object() && text_of(layer.get_object(), "mediaType") == simple_signing_type;
    if (!ours) return fail(Reason::manifest_invalid, "the signature tag holds something else");
    TRY(auto one, read_layer(layer.get_object()));
    found.push_back(std::move(one));
  }
  return found;
}

std::string signature_descriptor(const Digest& payload, std::size_t size, std::string_view signature_base64) {
  return fmt::format(R"({{"mediaType":"{}","size":{},"digest":"{}","annotations":{{"{}":"{}"}}}})",
                     simple_signing_type, size, payload.text(), signature_annotation, signature_base64);
}

std::string signature_config(const std::vector<std::string>& payload_digests) {
  std::string history, diff_ids;
  for (const auto& digest : payload_digests) {
    std::string comma = history.empty() ? "" : ",";
    history += comma + R"({"created":"0001-01-01T00:00:00Z"})";
    diff_ids += comma + json_string(digest);
  }
  return fmt::format(R"({{"architecture":"","created":"0001-01-01T00:00:00Z","history":[{}],"os":"",)"
                     R"("rootfs":{{"type":"layers","diff_ids":[{}]}},"config":{{}}}})",
                     history, diff_ids);
}

std::string signature_manifest(const Digest& config, std::size_t config_size,
                               const std::vector<std::string>& descriptors,
                               const registry::Manifest& subject) {
  return fmt::format(
      R"({{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"{}",)"
      R"("config":{{"mediaType":"application/vnd.oci.image.config.v1+json","size":{},"digest":"{}"}},"layers":[{}],)"
      R"("subject":{{"mediaType":{},"size":{},"digest":"{}"}}}})",
      signature_artifact_type, config_size, config.text(), join(descriptors, ","),
      json_string(subject.media_type), subject.size, subject.digest->text());
}

}  // namespace wharfage::sign
