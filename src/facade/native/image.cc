#include "facade/native/image.h"

#include "facade/native/route.h"

namespace wharfage::native {
namespace {

std::optional<std::string> layer_digest(const std::vector<scan::Layer>& layers, int index) {
  bool known = index >= 0 && static_cast<std::size_t>(index) < layers.size();
  return known ? std::optional(layers[static_cast<std::size_t>(index)].digest) : std::nullopt;
}

}  // namespace

Result<scan::ImageReference> image_reference(std::string_view repository, std::string_view reference) {
  TRY(auto name, registry::Name::parse(repository));
  scan::ImageReference image;
  image.namespace_name = name.namespace_name;
  image.repository_name = name.repository;
  (reference.find(':') == reference.npos ? image.tag : image.digest) = reference;
  return image;
}

Finding to_wire(const scan::Finding& from, const std::vector<scan::Layer>& layers) {
  Finding finding;
  finding.id = from.id;
  finding.package = from.package;
  finding.binaries = from.binaries;
  finding.version = from.version;
  finding.fixed_version = unless_empty(from.fixed_version);
  finding.severity = scan::severity_name(from.severity);
  if (from.cvss_tenths) finding.cvss = *from.cvss_tenths / 10.0;
  finding.layer = layer_digest(layers, from.layer);
  finding.title = unless_empty(from.title);
  finding.link = unless_empty(from.link);
  finding.fix = unless_empty(from.fix_command);
  finding.aliases = from.aliases;
  return finding;
}

Package to_wire(const scan::InstalledPackage& from, const std::vector<scan::Layer>& layers) {
  Package package;
  package.manager = scan::package_manager_name(from.package.manager);
  package.name = from.package.name;
  package.version = from.package.version;
  package.architecture = from.package.architecture;
  package.source = unless_empty(from.package.source_name);
  package.source_version = unless_empty(from.package.source_version);
  package.layer = layer_digest(layers, from.layer);
  return package;
}

}  // namespace wharfage::native
