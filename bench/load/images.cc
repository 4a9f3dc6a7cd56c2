#include "load/images.h"

#include <map>

namespace bench {
namespace {

// Not images, so that no server starts to look into layers that hold noise.
constexpr const char* config_type = "application/vnd.wharfage.bench.config+json";
constexpr const char* layer_type = "application/octet-stream";

std::string descriptor(const Content& content, const std::string& type) {
  return R"({"mediaType":")" + type + R"(","digest":")" + content.digest() + R"(","size":)" +
         std::to_string(content.size()) + "}";
}

std::string manifest_text(const Content& config, const Content& layer) {
  return R"({"schemaVersion":2,"mediaType":")" + std::string(manifest_type) + R"(","config":)" +
         descriptor(config, config_type) + R"(,"layers":[)" + descriptor(layer, layer_type) + "]}";
}

}  // namespace

std::vector<Image> make_images(const Job& job) {
  std::int64_t count = job.images > 0 ? job.images : job.operations;
  auto kind = job.sparse ? Content::Kind::sparse : Content::Kind::noise;
  std::map<std::int64_t, std::shared_ptr<const Content>> same;
  std::vector<Image> images;
  images.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t size = job.sizes[static_cast<std::size_t>(i) % job.sizes.size()];
    std::uint64_t seed = job.seed * 1'000'000 + (job.same ? 0 : static_cast<std::uint64_t>(i));
    std::shared_ptr<const Content> layer = same[size];
    if (!layer || !job.same) layer = same[size] = std::make_shared<Content>(kind, size, seed);
    std::string number = std::to_string(job.same ? 0 : i);
    Content config = Content::of(R"({"bench":)" + std::to_string(job.seed) + R"(,"n":)" + number + "}");
    Content manifest = Content::of(manifest_text(config, *layer));
    std::string suffix = "-" + std::to_string(job.seed) + "-" + std::to_string(i);
    images.push_back({job.many ? job.repository + suffix : job.repository, "t" + suffix, layer,
                      std::move(config), std::move(manifest)});
  }
  return images;
}

}  // namespace bench
