// What is installed: parsers for the databases of dpkg (dpkg(1), deb-control(5)) and apk (apk v2
// "installed"), the analysis of one layer, and the merge of a whole image. A layer's analysis is small,
// depends on nothing but the layer's content, and is stored by diffID and analyser_version, so that no layer
// is read twice. The text in it is cleaned: printable ASCII only, bounded. Pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "scan/layer_reader.h"

namespace wharfage::scan {

// Raise it when the analysis of the same layer would come out differently.
constexpr int analyser_version = 1;

enum class PackageManager { dpkg, apk };
std::string_view package_manager_name(PackageManager manager);  // "dpkg", "apk"

struct Package {
  PackageManager manager = PackageManager::dpkg;
  std::string name, version;
  std::string source_name, source_version;  // what advisories speak of; equal to name and version without one
  std::string architecture;
  std::string licence;  // as the package states it; often empty
  friend bool operator==(const Package&, const Package&) = default;
};

// A stanza counts unless its status says not-installed or config-files (dpkg keeps a removed package's
// configuration). Stanzas without a name or version are passed over.
std::vector<Package> parse_dpkg(std::string_view text);
std::vector<Package> parse_apk(std::string_view text);

struct LayerAnalysis {
  std::string diff_id;
  std::int64_t bytes = 0, entries = 0;
  std::map<std::string, std::string> system_files;        // path -> text
  std::map<std::string, std::vector<Package>> databases;  // path -> packages
  std::vector<std::string> hidden, emptied;               // as in LayerFiles
  friend bool operator==(const LayerAnalysis&, const LayerAnalysis&) = default;
};

Result<LayerAnalysis> analyse_layer(LayerFiles layer);       // scan_impossible: too many packages
std::string write_analysis(const LayerAnalysis& analysis);   // JSON
Result<LayerAnalysis> read_analysis(std::string_view json);  // internal: not what write_analysis wrote

// /etc/os-release (os-release(5)) with what the older files add.
struct OperatingSystem {
  std::string id, version_id, codename, pretty_name;
  std::string release;  // Debian's point release or Alpine's full version, where known: "12.5", "3.19.1"
};
OperatingSystem parse_os_release(std::string_view text);

struct InstalledPackage {
  Package package;
  int layer = 0;  // the first layer that brought this version
};
struct ImageContents {
  OperatingSystem system;
  std::vector<InstalledPackage> packages;  // by manager, name, architecture, version
  bool has_database = false;  // false: nothing is known, which is not the same as nothing installed
};
// `layers` from the base upwards.
Result<ImageContents> merge_layers(const std::vector<LayerAnalysis>& layers);  // scan_impossible: too many

}  // namespace wharfage::scan
