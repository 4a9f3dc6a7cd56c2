// How the native API shows findings and packages: in their own lists and in the waybill.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scan/ops.h"
#include "wire/schema.h"

namespace wharfage::native {

struct Finding {
  std::string id;
  std::string package;
  std::vector<std::string> binaries;
  std::string version;
  std::optional<std::string> fixed_version;
  std::string severity;
  std::optional<double> cvss;
  std::optional<std::string> layer;
  std::optional<std::string> title;
  std::optional<std::string> link;
  std::optional<std::string> fix;
  std::vector<std::string> aliases;
  static constexpr auto fields() {
    return std::array{
        wire::field<&Finding::id>("id"),
        wire::field<&Finding::package>("package"),
        wire::field<&Finding::binaries>("binaries"),
        wire::field<&Finding::version>("version"),
        wire::field<&Finding::fixed_version>("fixed_version"),
        wire::field<&Finding::severity>("severity"),
        wire::field<&Finding::cvss>("cvss"),
        wire::field<&Finding::layer>("layer").about("digest of the layer that introduced the package"),
        wire::field<&Finding::title>("title"),
        wire::field<&Finding::link>("link"),
        wire::field<&Finding::fix>("fix"),
        wire::field<&Finding::aliases>("aliases")};
  }
};

struct Package {
  std::string manager;
  std::string name;
  std::string version;
  std::string architecture;
  std::optional<std::string> source;
  std::optional<std::string> source_version;
  std::optional<std::string> layer;
  static constexpr auto fields() {
    return std::array{
        wire::field<&Package::manager>("manager"), wire::field<&Package::name>("name"),
        wire::field<&Package::version>("version"), wire::field<&Package::architecture>("architecture"),
        wire::field<&Package::source>("source"),   wire::field<&Package::source_version>("source_version"),
        wire::field<&Package::layer>("layer")};
  }
};

// "namespace/name" and a tag or digest. Error: name_invalid.
Result<scan::ImageReference> image_reference(std::string_view repository, std::string_view reference);
Finding to_wire(const scan::Finding& finding, const std::vector<scan::Layer>& layers);
Package to_wire(const scan::InstalledPackage& package, const std::vector<scan::Layer>& layers);

}  // namespace wharfage::native
