// An image's contents as a bill of materials, in the two forms tools read: SPDX 2.3 and CycloneDX 1.5, both
// JSON, with package URLs (purl-spec, types deb and apk). A projection of what the scan stored: nothing is
// read again. The same image gives the same document. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "scan/judgements.h"

namespace wharfage::scan {

enum class SbomFormat { spdx, cyclonedx };
std::string_view sbom_media_type(SbomFormat format);

// `name` is what the document calls the image: "registry.example/root/app".
std::string write_sbom(const JudgedImage& image, std::string_view name, SbomFormat format);

// "pkg:deb/debian/openssl@3.0.11-1?arch=amd64&distro=debian-12"
std::string package_url(const Package& package, const OperatingSystem& system);

}  // namespace wharfage::scan
