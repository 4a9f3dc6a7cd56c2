#include "scan/contents_json.h"

#include <boost/json.hpp>

#include "base/limits.h"
#include "wire/schema.h"

namespace wharfage::scan {
namespace {

constexpr std::size_t package_texts = 8;
constexpr std::size_t values_max = 64 + limits::packages_per_image_max * (1 + package_texts);

struct StoredSystem {
  std::string id, version_id, codename, pretty_name, release;
  static constexpr auto fields() {
    return std::array{wire::field<&StoredSystem::id>("id"),
                      wire::field<&StoredSystem::version_id>("versionId"),
                      wire::field<&StoredSystem::codename>("codename"),
                      wire::field<&StoredSystem::pretty_name>("prettyName"),
                      wire::field<&StoredSystem::release>("release")};
  }
};
struct StoredContents {
  StoredSystem system;
  bool has_database = false;
  // Each package as seven texts and a number would be, but flat and short: see write_contents.
  std::vector<std::vector<std::string>> packages;
  static constexpr auto fields() {
    return std::array{wire::field<&StoredContents::system>("system"),
                      wire::field<&StoredContents::has_database>("hasDatabase"),
                      wire::field<&StoredContents::packages>("packages")};
  }
};

}  // namespace

std::string write_contents(const ImageContents& contents) {
  const OperatingSystem& system = contents.system;
  StoredContents stored{
      .system = {system.id, system.version_id, system.codename, system.pretty_name, system.release},
      .has_database = contents.has_database};
  stored.packages.reserve(contents.packages.size());
  for (const auto& [package, layer] : contents.packages) {
    stored.packages.push_back({std::string(package_manager_name(package.manager)), std::to_string(layer),
                               package.name, package.version, package.source_name, package.source_version,
                               package.architecture, package.licence});
  }
  return wire::encode_json(stored);
}

Result<ImageContents> read_contents(std::string_view json) {
  auto stored = wire::decode_json<StoredContents>(json, wire::Names::ignored, {}, values_max);
  Error unreadable = fail(Reason::internal, "a stored package list cannot be read");
  if (!stored.ok()) return unreadable;
  const StoredSystem& system = stored->system;
  ImageContents contents{
      .system = {system.id, system.version_id, system.codename, system.pretty_name, system.release},
      .has_database = stored->has_database};
  contents.packages.reserve(stored->packages.size());
  for (auto& row : stored->packages) {
    auto layer = row.size() == package_texts ? parse_integer(row[1]) : std::nullopt;
    if (!layer || *layer < 0 || *layer > static_cast<std::int64_t>(limits::manifest_references_max))
      return unreadable;
    Package package{.manager = row[0] == "apk" ? PackageManager::apk : PackageManager::dpkg,
                    .name = std::move(row[2]),
                    .version = std::move(row[3]),
                    .source_name = std::move(row[4]),
                    .source_version = std::move(row[5]),
                    .architecture = std::move(row[6]),
                    .licence = std::move(row[7])};
    contents.packages.push_back({std::move(package), static_cast<int>(*layer)});
  }
  return contents;
}

}  // namespace wharfage::scan
