#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/limits.h"
#include "base/release.h"
#include "sync/layout.h"
#include "sync/manifest.h"

namespace wharfage::sync {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::size_t tar_block = 512;
constexpr std::size_t tar_name_max = 100;
constexpr std::int64_t octal_size_max = (std::int64_t{1} << 33) - 1;  // eleven digits

Error storage(const std::string& what) {
  if (errno == ENOSPC) return fail(Reason::disk_full, what);
  return fail(Reason::storage_failed, what + ": " + std::strerror(errno));
}

std::string blob_name(const std::string& digest) {
  auto colon = digest.find(':');
  return "blobs/" + digest.substr(0, colon) + "/" + digest.substr(colon + 1);
}

Status write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return storage("cannot write");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

// A ustar header (POSIX.1-1988); a size that is too long for its field is written as GNU does.
std::string tar_header(const std::string& name, std::int64_t size, char type = '0') {
  std::string head(tar_block, '\0');
  auto put = [&](std::size_t at, std::string_view text) { head.replace(at, text.size(), text); };
  put(0, std::string_view(name).substr(0, tar_name_max));
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  if (size <= octal_size_max) {
    put(124, fmt::format("{:011o}", size));
  } else {
    head[124] = static_cast<char>(0x80);
    for (std::size_t i = 0; i < 8; ++i) head[135 - i] = static_cast<char>(size >> (8 * i) & 0xff);
  }
  put(136, "00000000000");  // times say nothing here, and two exports are alike
  head[156] = type;
  put(257, std::string_view("ustar\00000", 8));
  put(148, "        ");
  unsigned sum = 0;
  for (unsigned char c : head) sum += c;
  put(148, fmt::format("{:06o}", sum) + std::string(1, '\0') + " ");
  return head;
}

}  // namespace

// One file at a time: begin, any number of writes, end.
class LayoutWriter::Output {
 public:
  virtual ~Output() = default;
  virtual Status begin(const std::string& name, std::int64_t size) = 0;
  virtual Status write(std::string_view bytes) = 0;
  virtual Status end() = 0;
  virtual Status finish() = 0;
  virtual void discard() = 0;
  // Removes these files, which were begun since mark().
  virtual std::int64_t mark() = 0;
  virtual Status back(std::int64_t mark, const std::vector<std::string>& names) = 0;
};

class LayoutWriter::Folder final : public Output {
 public:
  explicit Folder(fs::path root) : x_root(std::move(root)) {}
  ~Folder() override {
    if (x_file >= 0) ::close(x_file);
  }

  Status begin(const std::string& name, std::int64_t) override {
    std::error_code error;
    x_target = x_root / name;
    fs::create_directories(x_target.parent_path(), error);
    if (error) return fail(Reason::storage_failed, "cannot create a folder: " + error.message());
    x_file = ::open(draft().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (x_file < 0) return storage("cannot create a file");
    return {};
  }
  Status write(std::string_view bytes) override { return write_all(x_file, bytes); }
  Status end() override {
    int closed = ::close(std::exchange(x_file, -1));
    if (closed != 0 || ::rename(draft().c_str(), x_target.c_str()) != 0) return storage("cannot write");
    return {};
  }
  Status finish() override { return {}; }
  void discard() override {
    std::error_code ignored;
    for (const char* name : {"blobs", "index.json", "oci-layout"}) fs::remove_all(x_root / name, ignored);
  }
  std::int64_t mark() override { return 0; }
  Status back(std::int64_t, const std::vector<std::string>& names) override {
    if (x_file >= 0) ::close(std::exchange(x_file, -1));
    std::error_code error;
    for (const auto& name : names) {
      x_target = x_root / name;
      for (const auto& file : {x_target.string(), draft()}) {
        if (!error) fs::remove(file, error);
      }
    }
    if (error) return fail(Reason::storage_failed, "cannot remove a file: " + error.message());
    return {};
  }

 private:
  std::string draft() const { return x_target.string() + ".part"; }

  fs::path x_root, x_target;
  int x_file = -1;
};

class LayoutWriter::Archive final : public Output {
 public:
  Archive(std::string path, int file) : x_path(std::move(path)), x_file(file) {}
  ~Archive() override { ::close(x_file); }

  Status begin(const std::string& name, std::int64_t size) override {
    if (name.size() > tar_name_max) TRY_STATUS(long_name(name));
    x_left = size;
    x_padding = (tar_block - static_cast<std::size_t>(size) % tar_block) % tar_block;
    return write_all(x_file, tar_header(name, size));
  }
  Status write(std::string_view bytes) override {
    x_left -= static_cast<std::int64_t>(bytes.size());
    if (x_left < 0) return fail(Reason::size_invalid);
    return write_all(x_file, bytes);
  }
  Status end() override {
    if (x_left != 0) return fail(Reason::size_invalid);
    return write_all(x_file, std::string(x_padding, '\0'));
  }
  Status finish() override {
    TRY_STATUS(write_all(x_file, std::string(2 * tar_block, '\0')));
    if (::fsync(x_file) != 0) return storage("cannot write");
    return {};
  }
  void discard() override { (void)::unlink(x_path.c_str()); }
  std::int64_t mark() override { return ::lseek(x_file, 0, SEEK_CUR); }
  Status back(std::int64_t mark, const std::vector<std::string>&) override {
    bool done = mark >= 0 && ::ftruncate(x_file, mark) == 0 && ::lseek(x_file, mark, SEEK_SET) == mark;
    return done ? Status() : storage("cannot cut a file");
  }

 private:
  // A pax record before the file itself: sha512 makes names that a header has no room for.
  Status long_name(const std::string& name) {
    std::string rest = " path=" + name + "\n";
    std::size_t length = rest.size() + 3;  // three digits: names are below a thousand bytes
    std::string record = std::to_string(length) + rest;
    std::string head = tar_header("pax", static_cast<std::int64_t>(record.size()), 'x');
    record.resize(tar_block);
    return write_all(x_file, head + record);
  }

  std::string x_path;
  int x_file;
  std::int64_t x_left = 0;
  std::size_t x_padding = 0;
};

LayoutWriter::LayoutWriter(std::unique_ptr<Output> output) : x_output(std::move(output)) {}

LayoutWriter::~LayoutWriter() {
  if (!x_finished) x_output->discard();
}

Result<std::unique_ptr<LayoutWriter>> LayoutWriter::create(const std::string& path) {
  std::unique_ptr<Output> output;
  if (path.size() > 4 && path.ends_with(".tar")) {
    int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (file < 0 && errno == EEXIST) return fail(Reason::conflict, path + " is there already");
    if (file < 0) return storage("cannot create " + path);
    output = std::make_unique<Archive>(path, file);
  } else {
    std::error_code error;
    if (fs::exists(path, error) && !fs::is_empty(path, error))
      return fail(Reason::conflict, path + " is not empty");
    fs::create_directories(path, error);
    if (error) return fail(Reason::storage_failed, "cannot create " + path + ": " + error.message());
    output = std::make_unique<Folder>(path);
  }
  return std::unique_ptr<LayoutWriter>(new LayoutWriter(std::move(output)));
}

void LayoutWriter::begin_image() {
  x_since = {.mark = x_output->mark(), .entries = x_entries.size(), .digests = {}, .tags = {}};
}

Status LayoutWriter::take_back() {
  std::vector<std::string> names;
  for (const auto& digest : x_since.digests) {
    x_sizes.erase(digest);
    x_manifests.erase(digest);
    names.push_back(blob_name(digest));
  }
  for (const auto& tag : x_since.tags) x_tags.erase(tag);
  x_entries.resize(std::min(x_entries.size(), x_since.entries));
  return x_output->back(x_since.mark, names);
}

Result<bool> LayoutWriter::has_blob(const Digest& digest) {
  return x_sizes.contains(digest.text());
}

// A blob may come in several pieces and from another registry: it is hashed on the way.
Status LayoutWriter::write_blob(const Digest& digest, std::int64_t size, Place& source, const Moved& moved) {
  if (x_sizes.contains(digest.text())) return {};
  Hasher hasher(digest.algorithm());
  std::int64_t written = 0;
  x_since.digests.push_back(digest.text());
  TRY_STATUS(x_output->begin(blob_name(digest.text()), size));
  TRY_STATUS(source.read_blob(digest, [&](std::string_view piece) -> Status {
    written += static_cast<std::int64_t>(piece.size());
    if (written > size)
      return fail(Reason::size_invalid, "a blob is larger than its manifest says", digest.text());
    hasher.update(piece);
    TRY_STATUS(x_output->write(piece));
    return moved(static_cast<std::int64_t>(piece.size()));
  }));
  if (written != size)
    return fail(Reason::size_invalid, "a blob is shorter than its manifest says", digest.text());
  if (hasher.finish() != digest) return fail(Reason::digest_invalid, {}, digest.text());
  TRY_STATUS(x_output->end());
  x_sizes[digest.text()] = size;
  return {};
}

// Two images may share a blob and disagree on its size: whoever reads the layout would refuse both.
Status LayoutWriter::check_sizes(const Document& document) {
  TRY(auto contents, read_manifest(document.media_type, document.bytes));
  for (const auto* list : {&contents.blobs, &contents.children}) {
    for (const auto& part : *list) {
      auto known = x_sizes.find(part.digest.text());
      if (known != x_sizes.end() && known->second != part.size)
        return fail(Reason::size_invalid, "a size is not what the manifest says", part.digest.text());
    }
  }
  return {};
}

Status LayoutWriter::put(const std::string& reference, const Document& document) {
  TRY_STATUS(check_sizes(document));
  auto size = static_cast<std::int64_t>(document.bytes.size());
  if (x_sizes.emplace(document.digest, size).second) {
    x_since.digests.push_back(document.digest);
    TRY_STATUS(x_output->begin(blob_name(document.digest), size));
    TRY_STATUS(x_output->write(document.bytes));
    TRY_STATUS(x_output->end());
  }
  Document known = document;
  release(known.bytes);
  bool first = x_manifests.emplace(document.digest, std::move(known)).second;
  bool tagged = reference != document.digest;
  if (tagged) {
    x_tags[{x_repository, reference}] = document.digest;
    x_since.tags.emplace_back(x_repository, reference);
  }
  if (tagged || (first && !document.subject.empty())) list(document, tagged ? reference : "");
  return {};
}

void LayoutWriter::list(const Document& document, const std::string& tag) {
  LayoutEntry entry{
      .digest = document.digest, .media_type = document.media_type, .size = x_sizes[document.digest]};
  entry.tag = tag;
  entry.repository = x_repository;
  x_entries.push_back(std::move(entry));
}

Status LayoutWriter::name(const std::string& digest) {
  auto found = x_manifests.find(digest);
  if (found == x_manifests.end()) return fail(Reason::manifest_unknown, {}, digest);
  for (const auto& entry : x_entries) {
    if (entry.digest == digest && entry.repository == x_repository) return {};
  }
  list(found->second, "");
  return {};
}

Status LayoutWriter::finish() {
  json::array manifests;
  for (const auto& entry : x_entries) {
    json::object notes{{repository_annotation, entry.repository}};
    if (!entry.tag.empty()) notes[reference_annotation] = entry.tag;
    manifests.push_back(json::object{{"mediaType", entry.media_type},
                                     {"digest", entry.digest},
                                     {"size", entry.size},
                                     {"annotations", std::move(notes)}});
  }
  json::object index{{"schemaVersion", 2}, {"mediaType", index_type}, {"manifests", std::move(manifests)}};
  for (const auto& [name, text] : {std::pair<std::string, std::string>("index.json", json::serialize(index)),
                                   {"oci-layout", R"({"imageLayoutVersion":"1.0.0"})"}}) {
    TRY_STATUS(x_output->begin(name, static_cast<std::int64_t>(text.size())));
    TRY_STATUS(x_output->write(text));
    TRY_STATUS(x_output->end());
  }
  TRY_STATUS(x_output->finish());
  x_finished = true;
  return {};
}

Result<std::optional<Document>> LayoutWriter::find(const std::string& reference) {
  TRY(auto digest, find_digest(reference));
  if (!digest) return std::optional<Document>();
  return std::optional(x_manifests[*digest]);
}

Result<std::optional<std::string>> LayoutWriter::find_digest(const std::string& reference) {
  if (x_manifests.contains(reference)) return std::optional(reference);
  auto tag = x_tags.find({x_repository, reference});
  return tag == x_tags.end() ? std::optional<std::string>() : std::optional(tag->second);
}

Result<blob::Blob> LayoutWriter::open_blob(const Digest&) {
  return fail(Reason::unsupported);
}
Status LayoutWriter::read_blob(const Digest&, std::function<Status(std::string_view)>) {
  return fail(Reason::unsupported);
}

}  // namespace wharfage::sync
