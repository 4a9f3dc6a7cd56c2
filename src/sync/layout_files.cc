// The files of a layout: a folder, or the members of a tar file (ustar, with GNU's and pax's large sizes and
// long names).
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "base/limits.h"
#include "base/text.h"
#include "sync/layout.h"

namespace wharfage::sync {
namespace {

constexpr std::int64_t tar_block = 512;
constexpr std::size_t pax_bytes_max = 64 * 1024;

Error broken(const std::string& what) {
  return fail(Reason::manifest_invalid, "this is no image layout: " + what);
}

// Shared by everything that reads from it; closed with the last.
std::shared_ptr<const int> owned(int number) {
  return std::shared_ptr<const int>(new int(number), [](const int* held) {
    ::close(*held);
    delete held;
  });
}

class FolderFiles final : public LayoutFiles {
 public:
  explicit FolderFiles(int folder) : x_folder(owned(folder)) {}

  Result<blob::Blob> open(const std::string& name) override {
    // One component after the other, so that no part of the way is a link.
    std::shared_ptr<const int> at = x_folder;
    auto parts = split(name, '/');
    for (std::size_t i = 0; i < parts.size(); ++i) {
      bool last = i + 1 == parts.size();
      std::string part(parts[i]);
      int next = ::openat(*at, part.c_str(),
                          O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (last ? 0 : O_DIRECTORY));
      if (next < 0 && errno == ENOENT) return fail(Reason::not_found, {}, name);
      if (next < 0) return broken(name + " cannot be read");
      at = owned(next);
    }
    struct stat facts;
    if (::fstat(*at, &facts) != 0 || !S_ISREG(facts.st_mode)) return broken(name + " is no file");
    return blob::Blob{at, facts.st_size};
  }

 private:
  std::shared_ptr<const int> x_folder;
};

class TarFiles final : public LayoutFiles {
 public:
  static Result<std::unique_ptr<LayoutFiles>> open_file(int file, std::int64_t size) {
    auto tar = std::make_unique<TarFiles>();
    tar->x_file = owned(file);
    TRY_STATUS(tar->index(size));
    return std::unique_ptr<LayoutFiles>(std::move(tar));
  }

  Result<blob::Blob> open(const std::string& name) override {
    auto found = x_members.find(name);
    if (found == x_members.end()) return fail(Reason::not_found, {}, name);
    return blob::Blob{x_file, found->second.size, found->second.start};
  }

 private:
  struct Member {
    std::int64_t start = 0, size = 0;
  };

  Status index(std::int64_t size) {
    std::int64_t pax_size = -1;
    std::string pax_name;
    std::size_t members = 0;
    for (std::int64_t at = 0; at + tar_block <= size;) {
      TRY(std::string head, (blob::Blob{x_file, size}.read(at, tar_block)));
      if (head.size() != static_cast<std::size_t>(tar_block)) return broken("it is cut off");
      if (head.find_first_not_of('\0') == head.npos) return {};  // the end
      if (head.compare(257, 5, "ustar") != 0) return broken("it is no tar file, or compressed");
      if (++members > layout_archive_members_max) return fail(Reason::too_large, "too many files");
      TRY(std::int64_t length, number(head.substr(124, 12)));
      if (pax_size >= 0) length = pax_size;
      std::int64_t start = at + tar_block;
      if (length > size - start) return broken("it is cut off");
      char type = head[156];
      if (type == 'x') {
        TRY_STATUS(read_pax(start, length, pax_size, pax_name));
      } else if (type == 'L') {
        TRY(pax_name, read_header(start, length));
        pax_name.resize(std::min(pax_name.size(), pax_name.find('\0')));
      } else if (type != 'g' && type != 'K') {  // of all that follow, and where a link leads
        std::string name = pax_name.empty() ? name_of(head) : pax_name;
        if ((type == '0' || type == '\0') && is_ours(name)) x_members[plain(name)] = {start, length};
        pax_size = -1;
        pax_name.clear();
      }
      at = start + (length + tar_block - 1) / tar_block * tar_block;
    }
    return {};
  }

  // Octal text, or GNU's big-endian binary with the first bit set.
  static Result<std::int64_t> number(const std::string& field) {
    std::int64_t value = 0;
    if (static_cast<unsigned char>(field[0]) == 0x80) {
      for (std::size_t i = 4; i < field.size(); ++i) {
        if (value >> 55) return broken("a size is out of range");
        value = value << 8 | static_cast<unsigned char>(field[i]);
      }
      return value;
    }
    for (char c : field) {
      if (c == ' ' || c == '\0') continue;
      if (c < '0' || c > '7') return broken("a size is no number");
      value = value << 3 | (c - '0');
    }
    return value;
  }

  static std::string name_of(const std::string& head) {
    auto text = [&](std::size_t from, std::size_t length) {
      std::string field = head.substr(from, length);
      return field.substr(0, field.find('\0'));
    };
    // GNU's own format has times there.
    bool ustar = head.compare(257, 6, std::string_view("ustar\0", 6)) == 0;
    std::string prefix = ustar ? text(345, 155) : std::string();
    return prefix.empty() ? text(0, 100) : prefix + "/" + text(0, 100);
  }

  Result<std::string> read_header(std::int64_t start, std::int64_t length) {
    if (length > static_cast<std::int64_t>(pax_bytes_max))
      return fail(Reason::too_large, "a header is too large");
    return blob::Blob{x_file, start + length}.read(start, static_cast<std::size_t>(length));
  }

  // Records "<length> <key>=<value>\n": only size and path matter.
  Status read_pax(std::int64_t start, std::int64_t length, std::int64_t& size, std::string& name) {
    TRY(std::string text, read_header(start, length));
    for (auto record : split(text, '\n')) {
      auto space = record.find(' '), equals = record.find('=');
      if (space == record.npos || equals == record.npos || equals < space) continue;
      auto key = record.substr(space + 1, equals - space - 1);
      std::string value(record.substr(equals + 1));
      if (key == "path") name = value;
      if (key == "size") {
        auto parsed = parse_integer(value);
        if (!parsed || *parsed < 0) return broken("a size is no number");
        size = *parsed;
      }
    }
    return {};
  }

  static std::string plain(const std::string& name) {
    return name.rfind("./", 0) == 0 ? name.substr(2) : name;
  }
  // Whatever else an archive holds is never looked at.
  static bool is_ours(const std::string& name) {
    std::string own = plain(name);
    if (own == "index.json" || own == "oci-layout") return true;
    auto parts = split(own, '/');
    if (parts.size() != 3 || parts[0] != "blobs") return false;
    return Digest::parse(std::string(parts[1]) + ":" + std::string(parts[2])).ok();
  }

  std::shared_ptr<const int> x_file;
  std::map<std::string, Member> x_members;
};

}  // namespace

Result<std::unique_ptr<LayoutFiles>> open_layout_files(const std::string& path) {
  int opened = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (opened < 0) return fail(Reason::not_found, "cannot open " + path + ": " + std::strerror(errno));
  struct stat facts;
  if (::fstat(opened, &facts) == 0 && S_ISDIR(facts.st_mode))
    return std::unique_ptr<LayoutFiles>(std::make_unique<FolderFiles>(opened));
  if (!S_ISREG(facts.st_mode)) {
    ::close(opened);
    return broken(path + " is neither a folder nor a file");
  }
  return TarFiles::open_file(opened, facts.st_size);
}

}  // namespace wharfage::sync
