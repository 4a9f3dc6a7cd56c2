#include "scan/layer_reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>

#include "base/limits.h"
#include "base/text.h"

namespace wharfage::scan {
namespace {

constexpr std::string_view status_folder = "var/lib/dpkg/status.d";

struct Known {
  std::string_view path;
  FileUse use;
};
constexpr Known known_files[] = {
    {"etc/os-release", FileUse::system},
    {"usr/lib/os-release", FileUse::system},
    {"etc/debian_version", FileUse::system},
    {"etc/alpine-release", FileUse::system},
    {"var/lib/dpkg/status", FileUse::dpkg_status},
    {"lib/apk/db/installed", FileUse::apk_installed},
    {"usr/lib/apk/db/installed", FileUse::apk_installed},
};

// Whether `path` is `folder` or lies in it.
bool lies_in(std::string_view path, std::string_view folder) {
  return folder.empty() || path == folder || (path.starts_with(folder) && path[folder.size()] == '/');
}

Error impossible(std::string message) {
  return fail(Reason::scan_impossible, std::move(message));
}

// Reads entries and fills `LayerFiles`.
class Reader {
 public:
  Reader(ByteSource& blob, const UnpackLimits& limits) : x_unpacker(blob, limits) {}

  Result<LayerFiles> run() {
    TRY_STATUS(open());
    while (true) {
      archive_entry* entry = nullptr;
      int code = archive_read_next_header(x_archive.get(), &entry);
      if (code == ARCHIVE_EOF) break;
      if (code != ARCHIVE_OK && code != ARCHIVE_WARN)
        return archive_error("a layer is not a readable tar archive");
      if (++x_layer.entries > static_cast<std::int64_t>(limits::layer_entries_max)) {
        return impossible("a layer holds too many files");
      }
      TRY_STATUS(take(entry));
    }
    TRY_STATUS(drain());
    x_layer.bytes = x_unpacker.bytes();
    x_layer.diff_id = x_unpacker.diff_id().text();
    return std::move(x_layer);
  }

 private:
  struct Close {
    void operator()(archive* handle) const { archive_read_free(handle); }
  };

  Status open() {
    x_archive.reset(archive_read_new());
    if (!x_archive) return fail(Reason::internal);
    archive_read_support_format_tar(x_archive.get());
    archive_read_support_format_empty(x_archive.get());
    if (archive_read_open(x_archive.get(), this, nullptr, &Reader::read_piece, nullptr) != ARCHIVE_OK) {
      return archive_error("a layer is not a tar archive");
    }
    return {};
  }

  static la_ssize_t read_piece(archive* handle, void* self, const void** bytes) {
    auto& reader = *static_cast<Reader*>(self);
    auto piece = reader.x_unpacker.next();
    if (!piece.ok()) {
      reader.x_failure = piece.error();
      archive_set_error(handle, EIO, "the layer cannot be read");
      return ARCHIVE_FATAL;
    }
    *bytes = piece->data();
    return static_cast<la_ssize_t>(piece->size());
  }

  Error archive_error(std::string_view what) {
    if (x_failure) return *x_failure;
    const char* text = archive_error_string(x_archive.get());
    return impossible(std::string(what) + (text ? std::string(": ") + text : std::string()));
  }

  // The diffID covers what stands behind the end mark, too.
  Status drain() {
    if (x_failure) return *x_failure;
    while (true) {
      TRY(std::string_view piece, x_unpacker.next());
      if (piece.empty()) return {};
    }
  }

  Status take(archive_entry* entry) {
    const char* name = archive_entry_pathname(entry);
    if (!name) name = archive_entry_pathname_utf8(entry);
    std::string path;
    if (!name || !clean_path(name, path) || path.empty()) return {};
    auto slash = path.rfind('/');
    std::string folder = slash == path.npos ? "" : path.substr(0, slash);
    std::string leaf = slash == path.npos ? path : path.substr(slash + 1);
    if (leaf == ".wh..wh..opq") return note(x_layer.emptied, folder);
    if (leaf.starts_with(".wh..wh.")) return {};
    if (leaf.starts_with(".wh."))
      return note(x_layer.hidden, (folder.empty() ? "" : folder + "/") + leaf.substr(4));
    return take_file(entry, path);
  }

  Status take_file(archive_entry* entry, const std::string& path) {
    bool linked = archive_entry_hardlink(entry) != nullptr;
    auto type = archive_entry_filetype(entry);
    FileUse use = use_of(path);
    if (use != FileUse::none && type == AE_IFREG && !linked) return keep(path, use);
    // A link, a device or a folder where a file was hides it; so does a file where a folder was.
    if (use != FileUse::none || linked || type != AE_IFDIR) {
      if (use != FileUse::none) x_layer.files.erase(path);
      return note(x_layer.hidden, path);
    }
    return {};
  }

  Status note(std::vector<std::string>& list, const std::string& path) {
    if (!concerns_scanner(path)) return {};
    if (list.size() >= limits::layer_whiteouts_max) return impossible("a layer holds too many whiteouts");
    list.push_back(path);
    return {};
  }

  Status keep(const std::string& path, FileUse use) {
    std::size_t room = use == FileUse::system ? limits::system_file_bytes_max
                                              : limits::package_database_bytes_max - x_database_bytes;
    std::string content;
    while (content.size() <= room) {
      std::size_t used = content.size();
      std::size_t step = std::min<std::size_t>(room + 1 - used, 64 * 1024);
      content.resize(used + step);
      la_ssize_t count = archive_read_data(x_archive.get(), content.data() + used, step);
      if (count < 0) return archive_error("a file in a layer cannot be read");
      content.resize(used + static_cast<std::size_t>(count));
      if (count == 0) break;
    }
    if (content.size() > room) return impossible("a package database in a layer is too large");
    if (x_layer.files.size() >= limits::packages_per_image_max)
      return impossible("a layer holds too many packages");
    if (use != FileUse::system) x_database_bytes += content.size();
    x_layer.files[path] = std::move(content);
    return {};
  }

  Unpacker x_unpacker;
  std::unique_ptr<archive, Close> x_archive;
  std::optional<Error> x_failure;
  LayerFiles x_layer;
  std::size_t x_database_bytes = 0;
};

}  // namespace

FileUse use_of(std::string_view path) {
  for (const Known& known : known_files) {
    if (known.path == path) return known.use;
  }
  if (path.size() > status_folder.size() + 1 && lies_in(path, status_folder)) {
    std::string_view leaf = path.substr(status_folder.size() + 1);
    auto plain = [](char c) { return c > ' ' && c < '\x7f' && c != '/'; };
    bool stanza = std::all_of(leaf.begin(), leaf.end(), plain) && !leaf.ends_with(".md5sums");
    return stanza ? FileUse::dpkg_stanza : FileUse::none;
  }
  return FileUse::none;
}

bool concerns_scanner(std::string_view path) {
  if (use_of(path) != FileUse::none || lies_in(status_folder, path)) return true;
  for (const Known& known : known_files) {
    if (lies_in(known.path, path)) return true;
  }
  return false;
}

bool clean_path(std::string_view path, std::string& clean) {
  clean.clear();
  if (path.size() > limits::layer_path_max) return false;
  for (std::string_view part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") return false;
    if (!clean.empty()) clean += '/';
    clean += part;
  }
  return true;
}

Result<LayerFiles> read_layer(ByteSource& blob, const UnpackLimits& limits) {
  return Reader(blob, limits).run();
}

}  // namespace wharfage::scan
