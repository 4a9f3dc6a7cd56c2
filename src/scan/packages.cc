#include "scan/packages.h"

#include <algorithm>
#include <tuple>

#include "base/limits.h"
#include "base/text.h"

namespace wharfage::scan {
namespace {

bool is_printable(char c) {
  return c >= ' ' && c < '\x7f';
}  // false for foreign bytes, signed or not

bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= limits::package_field_max &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_printable(c) && c != ' '; });
}

// A line for people: control characters and foreign bytes become '?'.
std::string plain(std::string_view text) {
  std::string out(text.substr(0, limits::package_field_max));
  for (char& c : out) {
    if (!is_printable(c)) c = '?';
  }
  return out;
}

std::string plain_lines(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (!is_printable(c) && c != '\n' && c != '\t') c = '?';
  }
  return out;
}

// Cuts the next line off `rest`, without its end.
std::string_view take_line(std::string_view& rest) {
  auto end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// One stanza in the making.
struct Stanza {
  std::string_view name, version, source, architecture, licence, status;
};

// The third word of "install ok installed"; a stanza without one (distroless) is installed.
bool is_installed(std::string_view status) {
  auto space = status.rfind(' ');
  std::string_view state = space == status.npos ? status : status.substr(space + 1);
  return state != "not-installed" && state != "config-files";
}

// "name (version)" or "name".
void set_source(Package& package, std::string_view source) {
  package.source_name = package.name;
  package.source_version = package.version;
  auto bracket = source.find('(');
  std::string_view name = trim(source.substr(0, bracket));
  if (is_word(name)) package.source_name = name;
  if (bracket == source.npos) return;
  std::string_view version = source.substr(bracket + 1);
  version = trim(version.substr(0, version.find(')')));
  if (is_word(version)) package.source_version = version;
}

void finish(std::vector<Package>& packages, PackageManager manager, Stanza& stanza) {
  if (is_word(stanza.name) && is_word(stanza.version) && is_installed(stanza.status)) {
    Package package{.manager = manager,
                    .name = std::string(stanza.name),
                    .version = std::string(stanza.version),
                    .architecture = plain(stanza.architecture),
                    .licence = plain(stanza.licence)};
    set_source(package, stanza.source);
    packages.push_back(std::move(package));
  }
  stanza = {};
}

std::string_view* find_dpkg_field(Stanza& stanza, std::string_view field) {
  if (same_ignoring_case(field, "Package")) return &stanza.name;
  if (same_ignoring_case(field, "Version")) return &stanza.version;
  if (same_ignoring_case(field, "Source")) return &stanza.source;
  if (same_ignoring_case(field, "Architecture")) return &stanza.architecture;
  if (same_ignoring_case(field, "Status")) return &stanza.status;
  return nullptr;
}

std::string_view* find_apk_field(Stanza& stanza, char field) {
  switch (field) {
    case 'P':
      return &stanza.name;
    case 'V':
      return &stanza.version;
    case 'o':
      return &stanza.source;
    case 'A':
      return &stanza.architecture;
    case 'L':
      return &stanza.licence;
    default:
      return nullptr;
  }
}

std::string_view unquote(std::string_view text) {
  bool quoted =
      text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front();
  return quoted ? text.substr(1, text.size() - 2) : text;
}

bool is_below(std::string_view path, std::string_view folder) {
  return folder.empty() ||
         (path.starts_with(folder) && path.size() > folder.size() && path[folder.size()] == '/');
}

// The files an image shows, each from the last layer that has it.
struct Surface {
  std::map<std::string, const std::string*> system_files;
  std::map<std::string, const std::vector<Package>*> databases;

  template <class Hides>
  void hide(const Hides& hides) {
    std::erase_if(system_files, [&](const auto& file) { return hides(file.first); });
    std::erase_if(databases, [&](const auto& file) { return hides(file.first); });
  }

  void add(const LayerAnalysis& layer) {
    for (const std::string& folder : layer.emptied) {
      hide([&](const std::string& path) { return is_below(path, folder); });
    }
    for (const std::string& hidden : layer.hidden) {
      hide([&](const std::string& path) { return path == hidden || is_below(path, hidden); });
    }
    for (const auto& [path, text] : layer.system_files) system_files[path] = &text;
    for (const auto& [path, packages] : layer.databases) databases[path] = &packages;
  }

  std::string_view text(const std::string& path) const {
    auto file = system_files.find(path);
    return file == system_files.end() ? std::string_view{} : std::string_view(*file->second);
  }
};

OperatingSystem identify(const Surface& surface) {
  // etc/os-release is usually a link to the other one and then not among the files.
  std::string_view text = surface.text("etc/os-release");
  if (text.empty()) text = surface.text("usr/lib/os-release");
  OperatingSystem system = parse_os_release(text);
  std::string_view debian = trim(surface.text("etc/debian_version"));
  std::string_view alpine = trim(surface.text("etc/alpine-release"));
  if (system.id.empty() && !alpine.empty()) system.id = "alpine";
  if (system.id == "alpine") {
    system.release = plain(alpine.empty() ? std::string_view(system.version_id) : alpine);
    if (system.version_id.empty()) system.version_id = system.release;
  } else if (!debian.empty()) {
    system.release = plain(debian);
  }
  return system;
}

using Identity = std::tuple<PackageManager, std::string_view, std::string_view, std::string_view>;

Identity identity(const Package& package) {
  return {package.manager, package.name, package.architecture, package.version};
}

// In which layer each package was first seen with its version.
std::map<Identity, int> find_origins(const std::vector<LayerAnalysis>& layers) {
  std::map<Identity, int> origins;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    for (const auto& [path, packages] : layers[i].databases) {
      for (const Package& package : packages) origins.emplace(identity(package), static_cast<int>(i));
    }
  }
  return origins;
}

}  // namespace

std::string_view package_manager_name(PackageManager manager) {
  return manager == PackageManager::dpkg ? "dpkg" : "apk";
}

std::vector<Package> parse_dpkg(std::string_view text) {
  std::vector<Package> packages;
  Stanza stanza;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (trim(line).empty()) {
      finish(packages, PackageManager::dpkg, stanza);
      continue;
    }
    auto colon = line.find(':');
    bool continued = line.front() == ' ' || line.front() == '\t';
    if (continued || colon == line.npos) continue;
    if (auto* field = find_dpkg_field(stanza, line.substr(0, colon))) *field = trim(line.substr(colon + 1));
  }
  finish(packages, PackageManager::dpkg, stanza);
  return packages;
}

std::vector<Package> parse_apk(std::string_view text) {
  std::vector<Package> packages;
  Stanza stanza;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (line.empty()) {
      finish(packages, PackageManager::apk, stanza);
    } else if (line.size() > 1 && line[1] == ':') {
      if (auto* field = find_apk_field(stanza, line[0])) *field = trim(line.substr(2));
    }
  }
  finish(packages, PackageManager::apk, stanza);
  return packages;
}

OperatingSystem parse_os_release(std::string_view text) {
  OperatingSystem system;
  while (!text.empty()) {
    std::string_view line = trim(take_line(text));
    auto equals = line.find('=');
    if (equals == line.npos || line.starts_with('#')) continue;
    std::string_view name = line.substr(0, equals);
    std::string value = plain(unquote(trim(line.substr(equals + 1))));
    if (name == "ID") system.id = lower(value);
    if (name == "VERSION_ID") system.version_id = value;
    if (name == "VERSION_CODENAME") system.codename = lower(value);
    if (name == "PRETTY_NAME") system.pretty_name = value;
  }
  return system;
}

Result<LayerAnalysis> analyse_layer(LayerFiles layer) {
  LayerAnalysis analysis{.diff_id = layer.diff_id,
                         .bytes = layer.bytes,
                         .entries = layer.entries,
                         .hidden = std::move(layer.hidden),
                         .emptied = std::move(layer.emptied)};
  std::size_t count = 0;
  for (const auto& [path, content] : layer.files) {
    FileUse use = use_of(path);
    if (use == FileUse::system) {
      analysis.system_files[path] = plain_lines(content);
      continue;
    }
    auto packages = use == FileUse::apk_installed ? parse_apk(content) : parse_dpkg(content);
    count += packages.size();
    if (count > limits::packages_per_image_max) {
      return fail(Reason::scan_impossible, "a layer lists too many packages");
    }
    analysis.databases[path] = std::move(packages);
  }
  return analysis;
}

Result<ImageContents> merge_layers(const std::vector<LayerAnalysis>& layers) {
  Surface surface;
  for (const LayerAnalysis& layer : layers) surface.add(layer);
  ImageContents contents{.system = identify(surface), .has_database = !surface.databases.empty()};
  auto origins = find_origins(layers);
  std::map<Identity, const Package*> installed;  // two databases may list the same package
  for (const auto& [path, packages] : surface.databases) {
    for (const Package& package : *packages) installed.emplace(identity(package), &package);
  }
  if (installed.size() > limits::packages_per_image_max) {
    return fail(Reason::scan_impossible, "the image lists too many packages");
  }
  for (const auto& [key, package] : installed) contents.packages.push_back({*package, origins.at(key)});
  return contents;
}

}  // namespace wharfage::scan
