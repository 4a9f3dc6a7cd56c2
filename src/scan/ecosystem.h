// The systems we can judge, as advisories name them (OSV schema, "Defined ecosystems"): Debian:12,
// Ubuntu:22.04, Alpine:v3.19, Wolfi, Chainguard. A system outside this table is never "clean", it cannot be
// judged. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "scan/packages.h"
#include "scan/versions.h"

namespace wharfage::scan {

struct Ecosystem {
  std::string_view family;  // "Debian"; lives for ever
  std::string release;      // "Debian:12"
  VersionScheme scheme = VersionScheme::dpkg;
};

// Of an OSV `package.ecosystem`; ":LTS" is dropped. Nothing for what we do not judge.
std::optional<Ecosystem> find_ecosystem(std::string_view osv_name);
std::optional<VersionScheme> find_family_scheme(std::string_view family);
// Of an image. Error: scan_impossible, with a sentence that names the system.
Result<Ecosystem> find_ecosystem(const OperatingSystem& system);

// Where people read about a vulnerability of this family.
std::string advisory_link(std::string_view family, std::string_view id);

}  // namespace wharfage::scan
