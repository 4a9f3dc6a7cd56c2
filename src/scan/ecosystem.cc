#include "scan/ecosystem.h"

#include "base/text.h"

namespace wharfage::scan {
namespace {

struct Family {
  std::string_view name;
  std::string_view os_id;  // ID of os-release
  VersionScheme scheme;
  bool released;          // the ecosystem carries a release
  std::string_view link;  // + id
};

constexpr Family families[] = {
    {"Debian", "debian", VersionScheme::dpkg, true, "https://security-tracker.debian.org/tracker/"},
    {"Ubuntu", "ubuntu", VersionScheme::dpkg, true, "https://ubuntu.com/security/"},
    {"Alpine", "alpine", VersionScheme::apk, true, "https://security.alpinelinux.org/vuln/"},
    {"Wolfi", "wolfi", VersionScheme::apk, false, "https://osv.dev/vulnerability/"},
    {"Chainguard", "chainguard", VersionScheme::apk, false, "https://osv.dev/vulnerability/"},
};

// For images that name no version (testing, sid).
struct Codename {
  std::string_view name, version;
};
constexpr Codename debian_codenames[] = {{"stretch", "9"},   {"buster", "10"}, {"bullseye", "11"},
                                         {"bookworm", "12"}, {"trixie", "13"}, {"forky", "14"}};

const Family* find_family(std::string_view name) {
  for (const Family& family : families) {
    if (family.name == name) return &family;
  }
  return nullptr;
}

Error unsupported(std::string message) {
  return fail(Reason::scan_impossible, std::move(message));
}

std::string debian_version(const OperatingSystem& system) {
  std::string version = system.version_id.substr(0, system.version_id.find('.'));
  if (!version.empty()) return version;
  for (const Codename& codename : debian_codenames) {
    if (codename.name == system.codename) return std::string(codename.version);
  }
  return {};
}

// "3.19.1" -> "v3.19"; nothing for edge ("3.21_alpha20240807").
std::string alpine_version(std::string_view version) {
  auto parts = split(version, '.');
  if (parts.size() < 2 || !parse_integer(parts[0]) || !parse_integer(parts[1])) return {};
  return "v" + std::string(parts[0]) + "." + std::string(parts[1]);
}

std::string release_of(const Family& family, const OperatingSystem& system) {
  if (family.name == "Debian") return debian_version(system);
  if (family.name == "Alpine") return alpine_version(system.version_id);
  return system.version_id;
}

}  // namespace

std::optional<Ecosystem> find_ecosystem(std::string_view osv_name) {
  auto colon = osv_name.find(':');
  const Family* family = find_family(osv_name.substr(0, colon));
  if (!family) return std::nullopt;
  if (!family->released) return Ecosystem{family->name, std::string(family->name), family->scheme};
  if (colon == osv_name.npos) return std::nullopt;
  std::string_view release = osv_name.substr(colon + 1);
  if (release.ends_with(":LTS")) release.remove_suffix(4);
  // "Ubuntu:Pro:22.04" is for subscribers' packages, which have other versions.
  if (release.empty() || release.find(':') != release.npos) return std::nullopt;
  return Ecosystem{family->name, std::string(family->name) + ":" + std::string(release), family->scheme};
}

std::optional<VersionScheme> find_family_scheme(std::string_view name) {
  const Family* family = find_family(name);
  if (!family) return std::nullopt;
  return family->scheme;
}

Result<Ecosystem> find_ecosystem(const OperatingSystem& system) {
  if (system.id.empty()) return unsupported("the image names no operating system");
  std::string shown = system.pretty_name.empty() ? system.id + " " + system.version_id : system.pretty_name;
  for (const Family& family : families) {
    if (family.os_id != system.id) continue;
    if (!family.released) return Ecosystem{family.name, std::string(family.name), family.scheme};
    std::string release = release_of(family, system);
    if (release.empty()) return unsupported("the release of the operating system is not known: " + shown);
    return Ecosystem{family.name, std::string(family.name) + ":" + release, family.scheme};
  }
  return unsupported("the operating system is not supported: " + shown);
}

std::string advisory_link(std::string_view family_name, std::string_view id) {
  const Family* family = find_family(family_name);
  return std::string(family ? family->link : "https://osv.dev/vulnerability/") + std::string(id);
}

}  // namespace wharfage::scan
