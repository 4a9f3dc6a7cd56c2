#include <boost/json.hpp>

#include "base/limits.h"
#include "registry/document.h"
#include "registry/ops/artifacts.h"
#include "wire/json.h"

namespace wharfage::registry::ops {
namespace {

namespace json = boost::json;

Result<json::value> read_config(Registry& room, const Repository& repository, const Digest& digest) {
  TRY(auto blob, room.open_blob(repository, digest));
  if (blob.size > static_cast<std::int64_t>(limits::manifest_bytes_max))
    return fail(Reason::too_large, "the image's config is too large", digest.text());
  TRY(std::string bytes, blob.read(0, static_cast<std::size_t>(blob.size)));
  auto config = wire::parse_json(bytes);
  if (!config.ok() || !config->is_object())
    return fail(Reason::unsupported, "the image's config is not readable", digest.text());
  return config;
}

std::string text_of(const json::object& object, const char* name) {
  const json::value* found = object.if_contains(name);
  return found && found->is_string() ? std::string(found->get_string()) : std::string();
}

bool is_set(const json::object& object, const char* name) {
  const json::value* found = object.if_contains(name);
  return found && found->is_bool() && found->get_bool();
}

}  // namespace

Result<auth::Resource> GetHistory::resource(Registry& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request.repository);
}

Result<std::vector<HistoryStep>> GetHistory::run(Registry& room, op::Context& context,
                                                 const Request& request) {
  TRY(Repository repository, find_repository(room, context, request.repository));
  TRY(Manifest manifest, room.get_manifest(repository, request.reference));
  if (!manifest.config) return fail(Reason::unsupported, "only an image has a history");
  TRY(Document document, parse_document(manifest.bytes, manifest.media_type));
  TRY(json::value config, read_config(room, repository, *manifest.config));
  std::vector<HistoryStep> steps;
  const json::value* history = config.get_object().if_contains("history");
  if (history == nullptr || !history->is_array()) return steps;
  std::size_t layer = 0;
  for (const json::value& entry : history->get_array()) {
    if (!entry.is_object() || steps.size() == limits::manifest_references_max) break;
    HistoryStep step;
    step.created = text_of(entry.get_object(), "created");
    step.created_by = text_of(entry.get_object(), "created_by");
    step.empty_layer = is_set(entry.get_object(), "empty_layer");
    if (!step.empty_layer && layer < document.layers.size()) {
      const Descriptor& descriptor = document.layers[layer++];
      step.media_type = descriptor.media_type;
      step.digest = descriptor.digest.text();
      step.size = descriptor.size;
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

}  // namespace wharfage::registry::ops
