#include "scan/image_source.h"

#include <boost/json.hpp>

#include "base/limits.h"
#include "wire/json.h"

namespace wharfage::scan {
namespace {

namespace json = boost::json;

constexpr std::size_t piece_bytes = 1024 * 1024;

Error impossible(std::string message) {
  return fail(Reason::scan_impossible, std::move(message));
}

std::string_view text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  const json::string* text = value ? value->if_string() : nullptr;
  return text ? std::string_view(text->data(), text->size()) : std::string_view{};
}

const json::object* object_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value ? value->if_object() : nullptr;
}

const json::array* array_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value ? value->if_array() : nullptr;
}

Result<json::object> parse_manifest(std::string_view bytes) {
  auto value = wire::parse_json(bytes);
  if (!value.ok() || !value->is_object()) return impossible("the manifest cannot be read");
  return std::move(value->get_object());
}

bool is_image_config(std::string_view media_type) {
  return media_type == "application/vnd.oci.image.config.v1+json" ||
         media_type == "application/vnd.docker.container.image.v1+json";
}

bool is_index(std::string_view media_type) {
  return media_type == "application/vnd.oci.image.index.v1+json" ||
         media_type == "application/vnd.docker.distribution.manifest.list.v2+json";
}

bool is_image_manifest(std::string_view media_type) {
  return media_type == "application/vnd.oci.image.manifest.v1+json" ||
         media_type == "application/vnd.docker.distribution.manifest.v2+json";
}

// linux/amd64, else the first that is no attestation (those have the platform unknown/unknown).
std::string choose_child(const json::object& index) {
  std::string first;
  const json::array* children = array_of(index, "manifests");
  if (!children) return first;
  for (const json::value& item : *children) {
    const json::object* child = item.if_object();
    if (!child || !is_image_manifest(text_of(*child, "mediaType"))) continue;
    const json::object* platform = object_of(*child, "platform");
    std::string_view system = platform ? text_of(*platform, "os") : std::string_view{};
    std::string_view architecture = platform ? text_of(*platform, "architecture") : std::string_view{};
    if (system == "unknown") continue;
    if (system == "linux" && architecture == "amd64") return std::string(text_of(*child, "digest"));
    if (first.empty()) first = text_of(*child, "digest");
  }
  return first;
}

Result<ImageManifest> read_image(const registry::Manifest& manifest, const json::object& document) {
  const json::object* config = object_of(document, "config");
  const json::array* layers = array_of(document, "layers");
  if (!config || !layers || !is_image_config(text_of(*config, "mediaType"))) {
    return impossible("it is not a container image");
  }
  ImageManifest image{.digest = manifest.digest->text()};
  for (const json::value& item : *layers) {
    const json::object* layer = item.if_object();
    std::string_view digest = layer ? text_of(*layer, "digest") : std::string_view{};
    if (!Digest::parse(digest).ok()) return impossible("the manifest cannot be read");
    image.layers.emplace_back(digest);
  }
  return image;
}

}  // namespace

bool may_be_image(std::string_view media_type, std::string_view artifact_type) {
  if (is_index(media_type)) return true;
  return is_image_manifest(media_type) && (artifact_type.empty() || is_image_config(artifact_type));
}

Result<ImageManifest> resolve_image(registry::Registry& registry, const registry::Repository& repository,
                                    const std::string& digest) {
  TRY(auto manifest, registry.get_manifest(repository, digest));
  TRY(auto document, parse_manifest(manifest.bytes));
  if (!is_index(manifest.media_type)) return read_image(manifest, document);
  std::string child = choose_child(document);
  if (child.empty()) return impossible("the index holds no image");
  auto image = registry.get_manifest(repository, child);
  if (!image.ok()) {
    bool missing = image.error().reason == Reason::manifest_unknown;
    return missing ? impossible("the index names an image that is not here") : image.error();
  }
  TRY(auto image_document, parse_manifest(image->bytes));
  return read_image(*image, image_document);
}

Result<std::string_view> BlobSource::next() {
  TRY_STATUS(x_check());
  if (x_at >= x_blob.size) return std::string_view{};
  TRY(x_piece, x_blob.read(x_at, piece_bytes));
  if (x_piece.empty()) return fail(Reason::storage_failed, "a layer is shorter than it should be");
  x_at += static_cast<std::int64_t>(x_piece.size());
  return std::string_view(x_piece);
}

}  // namespace wharfage::scan
