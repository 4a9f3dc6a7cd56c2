#include "sync/manifest.h"

#include <boost/json.hpp>

#include "base/limits.h"
#include "wire/json.h"

namespace wharfage::sync {
namespace {

namespace json = boost::json;

Result<json::object> parse(std::string_view bytes) {
  auto value = wire::parse_json(bytes);
  if (!value.ok() || !value->is_object()) return fail(Reason::manifest_invalid);
  return std::move(value->get_object());
}

std::string text_of(const json::object& object, const char* name) {
  auto* value = object.if_contains(name);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

Result<Descriptor> descriptor_of(const json::value& value) {
  if (!value.is_object()) return fail(Reason::manifest_invalid);
  const json::object& object = value.get_object();
  TRY(auto digest, Digest::parse(text_of(object, "digest")));
  auto* size = object.if_contains("size");
  bool sane = size && size->is_int64() && size->get_int64() >= 0;
  if (!sane) return fail(Reason::manifest_invalid, "a descriptor has no size");
  if (size->get_int64() > limits::blob_bytes_max) return fail(Reason::too_large, "a blob is too large");
  return Descriptor{digest, size->get_int64(), text_of(object, "mediaType")};
}

// Windows base layers are fetched from their vendor and not distributed.
bool is_foreign(const std::string& media_type) {
  return media_type.find("nondistributable") != media_type.npos ||
         media_type.find(".foreign.") != media_type.npos;
}

Status add_all(const json::object& object, const char* name, std::vector<Descriptor>& to) {
  auto* list = object.if_contains(name);
  if (!list || list->is_null()) return {};
  if (!list->is_array()) return fail(Reason::manifest_invalid);
  if (list->get_array().size() > limits::manifest_references_max) return fail(Reason::too_large);
  for (const json::value& item : list->get_array()) {
    TRY(auto descriptor, descriptor_of(item));
    if (!is_foreign(descriptor.media_type)) to.push_back(std::move(descriptor));
  }
  return {};
}

}  // namespace

Result<Contents> read_manifest(std::string_view media_type, std::string_view bytes) {
  if (media_type.find("manifest.v1+") != media_type.npos && media_type.find("docker") != media_type.npos) {
    return fail(Reason::unsupported, "images of schema 1 cannot be copied");
  }
  TRY(auto object, parse(bytes));
  Contents contents;
  contents.index = object.contains("manifests");
  TRY_STATUS(add_all(object, "manifests", contents.children));
  if (auto* config = object.if_contains("config"); config && config->is_object()) {
    TRY(auto descriptor, descriptor_of(*config));
    contents.blobs.push_back(std::move(descriptor));
  }
  TRY_STATUS(add_all(object, "layers", contents.blobs));
  TRY_STATUS(add_all(object, "blobs", contents.blobs));
  if (auto* subject = object.if_contains("subject"); subject && subject->is_object()) {
    contents.subject = text_of(subject->get_object(), "digest");
  }
  return contents;
}

Result<std::string> with_referrer(std::string_view index, const std::string& digest,
                                  std::string_view media_type, std::string_view manifest) {
  json::object list{{"schemaVersion", 2}, {"mediaType", index_type}, {"manifests", json::array()}};
  if (!index.empty()) {
    TRY(list, parse(index));
  }
  auto* entries = list.if_contains("manifests");
  if (!entries || !entries->is_array()) return fail(Reason::manifest_invalid);
  for (const json::value& entry : entries->get_array()) {
    bool listed = entry.is_object() && text_of(entry.get_object(), "digest") == digest;
    if (listed) return std::string(index);
  }
  TRY(auto object, parse(manifest));
  json::object entry{
      {"mediaType", media_type}, {"digest", digest}, {"size", static_cast<std::int64_t>(manifest.size())}};
  std::string type = text_of(object, "artifactType");
  auto* config = object.if_contains("config");
  if (type.empty() && config && config->is_object()) type = text_of(config->get_object(), "mediaType");
  if (!type.empty()) entry["artifactType"] = type;
  if (auto* notes = object.if_contains("annotations"); notes && notes->is_object())
    entry["annotations"] = *notes;
  entries->get_array().push_back(std::move(entry));
  return json::serialize(list);
}

std::string fallback_tag(const Digest& digest) {
  std::string tag = digest.text();
  tag[tag.find(':')] = '-';
  return tag;
}

}  // namespace wharfage::sync
