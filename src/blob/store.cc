#include "blob/store.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/random.h"
#include "blob/posix.h"
#include "blob/shelves.h"
#include "blob/uploads.h"
#include "blob/writer.h"

namespace wharfage::blob {
namespace {

// Below an existing folder a missing file is an answer; here a missing folder is a fault.
Error fault(Error error) {
  if (error.reason != Reason::not_found) return error;
  return fail(Reason::storage_failed, {}, "a folder of the store is missing");
}

class FileStore final : public Store {
 public:
  FileStore(Descriptor root, std::unique_ptr<Shelves> shelves, std::unique_ptr<Uploads> uploads)
      : x_root(std::move(root)), x_shelves(std::move(shelves)), x_uploads(std::move(uploads)) {}

  Result<std::string> begin_upload() override;
  Result<std::unique_ptr<Writer>> open_upload(const std::string& id, DigestAlgorithm algorithm) override {
    return FileWriter::open(*x_uploads, *x_shelves, id, algorithm, Uploads::Missing::unknown);
  }
  Result<std::unique_ptr<Writer>> start_upload(const std::string& id, DigestAlgorithm algorithm) override {
    auto writer = FileWriter::open(*x_uploads, *x_shelves, id, algorithm, Uploads::Missing::begin);
    if (!writer.ok()) return fault(writer.error());
    return writer;
  }
  Result<std::int64_t> upload_size(const std::string& id) override { return x_uploads->size(id); }
  Status cancel_upload(const std::string& id) override { return x_uploads->remove(id); }
  Result<std::vector<UploadInfo>> uploads() override { return x_uploads->list(); }

  Result<Blob> open_blob(const Digest& digest) override;
  Result<std::optional<std::int64_t>> find_size(const Digest& digest) override;
  Result<Digest> put(std::string_view bytes) override;

  Claims& claims() override { return x_claims; }
  Result<Removal> remove(const Digest& digest, Claims::Mark mark) override;

  Result<Listing> list(Area area, const std::optional<Digest>& after, std::size_t limit) override {
    return x_shelves->list(area, after, limit);
  }
  Result<bool> quarantine(const Digest& digest, const Blob& seen) override {
    return x_shelves->quarantine(digest, *seen.descriptor);
  }
  Result<std::int64_t> discard_quarantined(const Digest& digest) override {
    return x_shelves->discard_quarantined(digest);
  }

  Result<std::int64_t> free_bytes() override;
  Status check_writable() override;

 private:
  bool reads_as(const Digest& digest, std::string_view bytes);

  Descriptor x_root;
  std::unique_ptr<Shelves> x_shelves;
  std::unique_ptr<Uploads> x_uploads;
  Claims x_claims;
};

Result<std::string> FileStore::begin_upload() {
  std::string id = random_uuid();
  if (auto made = x_uploads->create(id); !made.ok()) return fault(made.error());
  return id;
}

Result<Blob> FileStore::open_blob(const Digest& digest) {
  auto file = x_shelves->open_blob(digest);
  if (!file.ok() && file.error().reason == Reason::not_found)
    return fail(Reason::blob_unknown, {}, digest.text());
  if (!file.ok()) return file.error();
  TRY(std::int64_t size, file_size(*file));
  std::shared_ptr<const int> descriptor(new int(file->release()), [](const int* number) {
    ::close(*number);
    delete number;
  });
  return Blob{std::move(descriptor), size, 0};
}

Result<std::optional<std::int64_t>> FileStore::find_size(const Digest& digest) {
  auto found = x_shelves->size(digest);
  if (found.ok()) return std::optional(*found);
  if (found.error().reason == Reason::not_found) return std::optional<std::int64_t>();
  return found.error();
}

Result<Digest> FileStore::put(std::string_view bytes) {
  Digest digest = Digest::of(bytes);
  TRY(bool held, x_shelves->holds(digest));
  if (held && reads_as(digest, bytes)) return digest;
  std::string name = random_uuid();
  auto file = x_uploads->create(name);
  if (!file.ok()) return fault(file.error());
  Status stored = write_at(*file, bytes, 0);
  if (stored.ok()) stored = sync_data(*file);
  if (stored.ok()) stored = x_shelves->publish(x_uploads->folder(), name, digest);
  if (stored.ok()) return digest;
  (void)x_uploads->remove(name);
  return fault(stored.error());
}

Result<Store::Removal> FileStore::remove(const Digest& digest, Claims::Mark mark) {
  bool there = false;
  TRY(bool ours, x_claims.unless_claimed_since(mark, digest, [&]() -> Status {
    TRY(there, x_shelves->remove(digest));
    return {};
  }));
  if (!ours) return Removal::claimed;
  return there ? Removal::removed : Removal::absent;
}

// What stands there could have been damaged since it was written; then it is replaced.
bool FileStore::reads_as(const Digest& digest, std::string_view bytes) {
  auto file = x_shelves->open_blob(digest);
  if (!file.ok()) return false;
  auto size = file_size(*file);
  if (!size.ok() || *size != static_cast<std::int64_t>(bytes.size())) return false;
  auto there = read_at(file->get(), 0, bytes.size());
  return there.ok() && *there == bytes;
}

Result<std::int64_t> FileStore::free_bytes() {
  struct statvfs facts;
  if (::fstatvfs(x_root.get(), &facts) != 0) return storage_error(errno);
  return static_cast<std::int64_t>(facts.f_bavail) * static_cast<std::int64_t>(facts.f_frsize);
}

Status FileStore::check_writable() {
  std::string name = "probe-" + random_hex(8);
  TRY(auto file, open_at(x_uploads->folder(), name, O_RDWR | O_CREAT | O_EXCL, 0640));
  Status written = write_at(file, "probe", 0);
  TRY_STATUS(unlink_at(x_uploads->folder(), name));
  return written;
}

Result<std::unique_ptr<Store>> open_store(const std::string& root) {
  std::error_code failed;
  std::filesystem::create_directories(root, failed);
  if (failed) return fail(Reason::storage_failed, {}, failed.message());
  TRY(auto folder, open_folder(Descriptor(AT_FDCWD), root));
  TRY(auto shelves, Shelves::open(folder));
  TRY(auto uploads, Uploads::open(folder));
  TRY_STATUS(sync_folder(folder));
  // A new root needs its own name on disk; a parent we may not read was not made by us.
  if (auto parent = open_folder(folder, ".."); parent.ok()) TRY_STATUS(sync_folder(*parent));
  return std::unique_ptr<Store>(
      std::make_unique<FileStore>(std::move(folder), std::move(shelves), std::move(uploads)));
}

}  // namespace

Result<std::string> Blob::read(std::int64_t offset, std::size_t length) const {
  if (offset < 0 || offset > size) return fail(Reason::range_invalid);
  length =
      static_cast<std::size_t>(std::min(static_cast<std::uint64_t>(size - offset), std::uint64_t{length}));
  return read_at(*descriptor, start + offset, length);
}

Result<std::unique_ptr<Store>> Store::open(const std::string& root) {
  auto opened = open_store(root);
  if (!opened.ok()) return fault(opened.error());
  return opened;
}

}  // namespace wharfage::blob
