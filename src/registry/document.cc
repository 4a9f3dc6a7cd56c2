#include "registry/document.h"

#include <boost/json.hpp>

#include "base/limits.h"
#include "base/text.h"
#include "wire/json.h"

namespace wharfage::registry {
namespace {

namespace json = boost::json;

constexpr std::int64_t size_max = std::int64_t{1} << 50;  // 4096 of them still add up

struct Kind {
  std::string_view media_type;
  bool index;
};
constexpr Kind kinds[] = {
    {"application/vnd.oci.image.manifest.v1+json", false},
    {"application/vnd.oci.image.index.v1+json", true},
    {"application/vnd.docker.distribution.manifest.v2+json", false},
    {"application/vnd.docker.distribution.manifest.list.v2+json", true},
};

const Kind* find_kind(std::string_view media_type) {
  for (const Kind& kind : kinds) {
    if (same_ignoring_case(kind.media_type, media_type)) return &kind;
  }
  return nullptr;
}

Error invalid(std::string message, std::string detail = {}) {
  return fail(Reason::manifest_invalid, std::move(message), std::move(detail));
}

// A member that is there and not null.
const json::value* member(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(json::string_view(name.data(), name.size()));
  return found == nullptr || found->is_null() ? nullptr : found;
}

Result<std::string> optional_text(const json::object& object, std::string_view name) {
  const json::value* found = member(object, name);
  if (found == nullptr) return std::string();
  if (!found->is_string()) return invalid("a text is expected", std::string(name));
  std::string text(found->get_string());
  if (text.size() > 255) return invalid("a media type is too long", std::string(name));
  return text;
}

Result<Descriptor> parse_descriptor(const json::value& value, std::string_view where) {
  if (!value.is_object()) return invalid("a descriptor is not an object", std::string(where));
  const json::object& object = value.get_object();
  const json::value* digest = member(object, "digest");
  if (digest == nullptr || !digest->is_string())
    return invalid("a descriptor has no digest", std::string(where));
  auto parsed = Digest::parse(std::string_view(digest->get_string().data(), digest->get_string().size()));
  if (!parsed.ok()) return invalid("a descriptor's digest is not valid", std::string(where));
  Descriptor descriptor{.media_type = {}, .digest = *parsed};
  TRY(descriptor.media_type, optional_text(object, "mediaType"));
  const json::value* size = member(object, "size");
  if (size == nullptr) return invalid("a descriptor has no size", std::string(where));
  json::error_code failed;
  descriptor.size = size->to_number<std::int64_t>(failed);
  if (failed || descriptor.size < 0 || descriptor.size > size_max)
    return invalid("a descriptor's size is not valid", std::string(where));
  return descriptor;
}

Result<std::vector<Descriptor>> parse_descriptors(const json::object& object, std::string_view name) {
  std::vector<Descriptor> descriptors;
  const json::value* found = member(object, name);
  if (found == nullptr) return descriptors;
  if (!found->is_array()) return invalid("a list is expected", std::string(name));
  if (found->get_array().size() > limits::manifest_references_max)
    return invalid("the manifest refers to too many others", std::string(name));
  for (const json::value& value : found->get_array()) {
    TRY(auto descriptor, parse_descriptor(value, name));
    descriptors.push_back(std::move(descriptor));
  }
  return descriptors;
}

Result<json::value> parse_json(std::string_view bytes) {
  if (bytes.size() > limits::manifest_bytes_max) return fail(Reason::too_large, "the manifest is too large");
  auto value = wire::parse_json(bytes, wire::Doubled::refused);
  if (!value.ok()) return invalid("the manifest cannot be read: " + value.error().message);
  if (!value->is_object()) return invalid("the manifest is not a JSON object");
  return value;
}

// Neither may carry what belongs to the other, or to docker's schema 1.
Status check_shape(const json::object& object, bool index) {
  const json::value* version = member(object, "schemaVersion");
  json::error_code failed;
  if (version == nullptr || !version->is_number() || version->to_number<int>(failed) != 2 || failed)
    return invalid("schemaVersion must be 2", "schemaVersion");
  if (member(object, "fsLayers") != nullptr) return invalid("the manifest is ambiguous", "fsLayers");
  if (index) {
    for (const char* name : {"config", "layers"}) {
      if (member(object, name) != nullptr) return invalid("the index is also an image manifest", name);
    }
    if (!object.contains("manifests")) return invalid("the index has no manifests", "manifests");
  } else if (member(object, "manifests") != nullptr) {
    return invalid("the image manifest is also an index", "manifests");
  }
  return {};
}

// The kind by Content-Type, which the body may not contradict.
Result<const Kind*> agree_on_kind(const json::object& object, std::string_view content_type) {
  std::string_view declared = trim(content_type.substr(0, content_type.find(';')));
  TRY(std::string stated, optional_text(object, "mediaType"));
  if (declared.empty()) declared = stated;
  const Kind* kind = find_kind(declared);
  if (kind == nullptr)
    return fail(Reason::unsupported, "this kind of manifest is not kept here", cut(declared, 255));
  if (!stated.empty() && stated != kind->media_type)
    return invalid("mediaType contradicts the Content-Type", "mediaType");
  return kind;
}

}  // namespace

bool is_manifest_type(std::string_view media_type) {
  return find_kind(media_type) != nullptr;
}

bool is_distributed_elsewhere(const Descriptor& layer) {
  return layer.media_type.starts_with("application/vnd.oci.image.layer.nondistributable.") ||
         layer.media_type.starts_with("application/vnd.docker.image.rootfs.foreign.");
}

Result<Document> parse_document(std::string_view bytes, std::string_view content_type) {
  TRY(json::value value, parse_json(bytes));
  const json::object& object = value.get_object();
  TRY(const Kind* kind, agree_on_kind(object, content_type));
  TRY_STATUS(check_shape(object, kind->index));
  Document document;
  document.index = kind->index;
  document.media_type = kind->media_type;
  TRY(document.artifact_type, optional_text(object, "artifactType"));
  if (const json::value* subject = member(object, "subject")) {
    TRY(Descriptor descriptor, parse_descriptor(*subject, "subject"));
    document.subject = descriptor.digest;
  }
  if (kind->index) {
    TRY(document.children, parse_descriptors(object, "manifests"));
    return document;
  }
  const json::value* config = member(object, "config");
  if (config == nullptr) return invalid("the image manifest has no config", "config");
  TRY(document.config, parse_descriptor(*config, "config"));
  TRY(document.layers, parse_descriptors(object, "layers"));
  if (document.artifact_type.empty()) document.artifact_type = document.config->media_type;
  return document;
}

}  // namespace wharfage::registry
