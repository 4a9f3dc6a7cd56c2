// Reads one layer once and keeps what the scanner needs: the files that name the system, the package
// databases, and the whiteouts that could hide either in the layers below. Nothing is unpacked to disk. A
// layer is hostile input: every count and size is bounded, names are cleaned and never opened, links are
// never followed. tar is read by libarchive, here and nowhere else; compression and hashing by Unpacker. One
// thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "scan/unpack.h"

namespace wharfage::scan {

struct LayerFiles {
  std::string diff_id;  // sha256 of the uncompressed layer
  std::int64_t bytes = 0;
  std::int64_t entries = 0;
  std::map<std::string, std::string> files;  // cleaned path ("var/lib/dpkg/status") -> content
  std::vector<std::string> hidden;           // whiteouts, and whatever else takes the place of a path below
  std::vector<std::string> emptied;          // opaque folders: what layers below put into them is gone
};

// What a path means to the scanner.
enum class FileUse { none, system, dpkg_status, dpkg_stanza, apk_installed };
FileUse use_of(std::string_view path);
// Whether hiding `path` could hide a file that has a use.
bool concerns_scanner(std::string_view path);
// "./a//b/" -> "a/b". False when the path climbs ("..") or is too long; such entries are ignored.
bool clean_path(std::string_view path, std::string& clean);

// Errors: scan_impossible (not a tar, damaged, beyond a limit), or the source's own.
Result<LayerFiles> read_layer(ByteSource& blob, const UnpackLimits& limits = {});

}  // namespace wharfage::scan
