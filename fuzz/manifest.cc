// Manifests as clients push them and other registries answer them. The first byte chooses a Content-Type.
#include "input.h"
#include "registry/document.h"

using namespace wharfage;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr std::string_view types[] = {"", "application/vnd.oci.image.manifest.v1+json",
                                        "application/vnd.oci.image.index.v1+json",
                                        "application/vnd.docker.distribution.manifest.v2+json",
                                        "application/vnd.docker.distribution.manifest.list.v2+json"};
  std::string_view text = fuzz::text_of(data + 1, size - 1);
  auto document = registry::parse_document(text, types[data[0] % std::size(types)]);
  if (!document.ok()) return 0;
  fuzz::demand(registry::is_manifest_type(document->media_type));
  fuzz::demand(document->index ? !document->config && document->layers.empty() : document->children.empty());
  for (const auto& layer : document->layers) fuzz::demand(layer.size >= 0);
  return 0;
}
