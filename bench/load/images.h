// The images that push and pull runs of the load client move: one layer, a small config, a manifest. The same
// numbers make the same images, so a pull knows what an earlier run pushed. All digests are computed here,
// before anything is measured.
#pragma once

#include <memory>
#include <vector>

#include "load/job.h"

namespace bench {

struct Image {
  std::string repository, tag;
  std::shared_ptr<const Content> layer;
  Content config, manifest;

  std::int64_t bytes() const { return layer->size() + config.size() + manifest.size(); }
};

inline constexpr std::string_view manifest_type = "application/vnd.oci.image.manifest.v1+json";

std::vector<Image> make_images(const Job& job);

}  // namespace bench
