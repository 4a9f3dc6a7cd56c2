#include "scan/sbom.h"

#include <boost/json.hpp>

#include "base/text.h"
#include "crypto/digest.h"

namespace wharfage::scan {
namespace {

namespace json = boost::json;

// The document's time is the analysis', so that asking twice gives the same document.
std::string created_at(const JudgedImage& image) {
  return rfc3339(image.summary.analysed_at);
}

// A licence expression only when it looks like one; what distributions write is often prose.
bool is_licence(std::string_view text) {
  if (text.empty()) return false;
  for (char c : text) {
    bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                c == '-' || c == '+';
    if (!fine) return false;
  }
  return true;
}

json::object spdx_package(const InstalledPackage& installed, const OperatingSystem& system,
                          std::string_view id) {
  const Package& package = installed.package;
  json::object object{{"SPDXID", id},
                      {"name", package.name},
                      {"versionInfo", package.version},
                      {"downloadLocation", "NOASSERTION"},
                      {"filesAnalyzed", false},
                      {"licenseConcluded", "NOASSERTION"},
                      {"licenseDeclared", "NOASSERTION"},
                      {"copyrightText", "NOASSERTION"},
                      {"sourceInfo", "built from " + package.source_name + " " + package.source_version}};
  if (!package.licence.empty()) object["licenseComments"] = package.licence;
  object["externalRefs"] = json::array{json::object{{"referenceCategory", "PACKAGE-MANAGER"},
                                                    {"referenceType", "purl"},
                                                    {"referenceLocator", package_url(package, system)}}};
  return object;
}

json::object write_spdx(const JudgedImage& image, std::string_view name) {
  const std::string& digest = image.summary.image;
  json::array packages{json::object{{"SPDXID", "SPDXRef-Image"},
                                    {"name", name},
                                    {"versionInfo", digest},
                                    {"downloadLocation", "NOASSERTION"},
                                    {"filesAnalyzed", false},
                                    {"licenseConcluded", "NOASSERTION"},
                                    {"licenseDeclared", "NOASSERTION"},
                                    {"copyrightText", "NOASSERTION"},
                                    {"primaryPackagePurpose", "CONTAINER"}}};
  json::array relationships{json::object{{"spdxElementId", "SPDXRef-DOCUMENT"},
                                         {"relationshipType", "DESCRIBES"},
                                         {"relatedSpdxElement", "SPDXRef-Image"}}};
  std::size_t number = 0;
  for (const InstalledPackage& installed : image.contents.packages) {
    std::string id = "SPDXRef-Package-" + std::to_string(++number);
    packages.push_back(spdx_package(installed, image.contents.system, id));
    relationships.push_back(json::object{
        {"spdxElementId", "SPDXRef-Image"}, {"relationshipType", "CONTAINS"}, {"relatedSpdxElement", id}});
  }
  std::string space =
      "https://spdx.org/spdxdocs/" + percent_encode(name) + "-" + digest.substr(digest.find(':') + 1);
  return {{"spdxVersion", "SPDX-2.3"},
          {"dataLicense", "CC0-1.0"},
          {"SPDXID", "SPDXRef-DOCUMENT"},
          {"name", name},
          {"documentNamespace", std::move(space)},
          {"creationInfo", {{"created", created_at(image)}, {"creators", {"Tool: wharfage"}}}},
          {"packages", std::move(packages)},
          {"relationships", std::move(relationships)}};
}

json::object cyclonedx_component(const InstalledPackage& installed, const JudgedImage& image) {
  const Package& package = installed.package;
  std::string url = package_url(package, image.contents.system);
  auto property = [](std::string_view name, std::string_view value) {
    return json::object{{"name", name}, {"value", value}};
  };
  json::array properties{property("wharfage:source", package.source_name),
                         property("wharfage:source-version", package.source_version)};
  auto layer = static_cast<std::size_t>(installed.layer);
  if (layer < image.layers.size())
    properties.push_back(property("wharfage:layer", image.layers[layer].digest));
  json::object component{{"type", "library"},    {"bom-ref", url},
                         {"name", package.name}, {"version", package.version},
                         {"purl", url},          {"properties", std::move(properties)}};
  if (is_licence(package.licence)) {
    component["licenses"] = json::array{json::object{{"license", {{"name", package.licence}}}}};
  }
  return component;
}

// A version 4-shaped UUID made from the content, as CycloneDX wants one.
std::string serial_number(const JudgedImage& image) {
  std::string bytes = hex(crypto::sha256(image.summary.image)).substr(0, 32);
  bytes[12] = '4';
  bytes[16] = '8';
  return "urn:uuid:" + bytes.substr(0, 8) + "-" + bytes.substr(8, 4) + "-" + bytes.substr(12, 4) + "-" +
         bytes.substr(16, 4) + "-" + bytes.substr(20);
}

json::object write_cyclonedx(const JudgedImage& image, std::string_view name) {
  const OperatingSystem& system = image.contents.system;
  json::array components;
  if (!system.id.empty()) {
    components.push_back(
        json::object{{"type", "operating-system"}, {"name", system.id}, {"version", system.version_id}});
  }
  for (const InstalledPackage& installed : image.contents.packages) {
    components.push_back(cyclonedx_component(installed, image));
  }
  json::object subject{{"type", "container"},
                       {"bom-ref", image.summary.image},
                       {"name", name},
                       {"version", image.summary.image}};
  return {{"bomFormat", "CycloneDX"},
          {"specVersion", "1.5"},
          {"serialNumber", serial_number(image)},
          {"version", 1},
          {"metadata",
           {{"timestamp", created_at(image)},
            {"tools", json::array{json::object{{"vendor", "Wharfage"}, {"name", "wharfage"}}}},
            {"component", std::move(subject)}}},
          {"components", std::move(components)}};
}

}  // namespace

std::string_view sbom_media_type(SbomFormat format) {
  return format == SbomFormat::spdx ? "application/spdx+json" : "application/vnd.cyclonedx+json";
}

std::string package_url(const Package& package, const OperatingSystem& system) {
  std::string_view version = package.version;
  std::string epoch;
  auto colon = version.find(':');
  if (package.manager == PackageManager::dpkg && colon != version.npos) {
    epoch = version.substr(0, colon);
    version.remove_prefix(colon + 1);
  }
  std::string_view type = package.manager == PackageManager::dpkg ? "deb" : "apk";
  std::string url = "pkg:" + std::string(type) + "/" +
                    percent_encode(system.id.empty() ? "unknown" : system.id) + "/" +
                    percent_encode(package.name) + "@" + percent_encode(version);
  std::string separator = "?";
  auto qualify = [&](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    url += separator + std::string(name) + "=" + percent_encode(value);
    separator = "&";
  };
  qualify("arch", package.architecture);
  qualify("distro", system.version_id.empty() ? system.id : system.id + "-" + system.version_id);
  qualify("epoch", epoch);
  return url;
}

std::string write_sbom(const JudgedImage& image, std::string_view name, SbomFormat format) {
  return json::serialize(format == SbomFormat::spdx ? write_spdx(image, name) : write_cyclonedx(image, name));
}

}  // namespace wharfage::scan
