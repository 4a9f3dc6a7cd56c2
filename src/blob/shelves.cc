#include "blob/shelves.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/check.h"
#include "base/text.h"
#include "blob/listing.h"

namespace wharfage::blob {
namespace {

std::string algorithm_name(const Digest& digest) {
  return digest.algorithm() == DigestAlgorithm::sha512 ? "sha512" : "sha256";
}

std::string shelf_path(const Digest& digest) {
  return algorithm_name(digest) + "/" + std::string(digest.hex().substr(0, 2));
}

std::string blob_path(const Digest& digest) {
  return shelf_path(digest) + "/" + std::string(digest.hex());
}

Status missing_is_fine(Status status) {
  if (!status.ok() && status.error().reason == Reason::not_found) return {};
  return status;
}

// Synced whether new or not: an earlier process may have died between making a folder and syncing it.
Result<Descriptor> open_area(const Descriptor& root, const std::string& name) {
  TRY_STATUS(make_folder(root, name));
  TRY(auto area, open_folder(root, name));
  for (const char* algorithm : {"sha256", "sha512"}) {
    TRY_STATUS(make_folder(area, algorithm));
    TRY(auto folder, open_folder(area, algorithm));
    TRY_STATUS(sync_folder(folder));
  }
  TRY_STATUS(sync_folder(area));
  return area;
}

}  // namespace

Result<std::unique_ptr<Shelves>> Shelves::open(const Descriptor& root) {
  auto shelves = std::make_unique<Shelves>();
  TRY(shelves->x_blobs, open_area(root, "blobs"));
  TRY(shelves->x_quarantine, open_area(root, "quarantine"));
  return shelves;
}

Shelves::Shelf& Shelves::shelf_of(const Digest& digest) {
  auto first = unhex(digest.hex().substr(0, 2));
  CHECK(first.ok(), "a digest is hexadecimal");
  return x_shelves[static_cast<unsigned char>((*first)[0])];
}

Status Shelves::make_shelf(const Descriptor& area, const Digest& digest) {
  TRY(bool made, make_folder(area, shelf_path(digest)));
  if (!made) return {};
  TRY(auto parent, open_folder(area, algorithm_name(digest)));
  return sync_folder(parent);
}

Status Shelves::sync_shelf(const Descriptor& area, const Digest& digest) {
  auto folder = open_folder(area, shelf_path(digest));
  if (!folder.ok()) return missing_is_fine(folder.error());
  return sync_folder(*folder);
}

Status Shelves::publish(const Descriptor& folder, const std::string& name, const Digest& digest) {
  std::lock_guard lock(shelf_of(digest).mutex);
  auto move = [&] { return rename_at(folder, name, x_blobs, blob_path(digest)); };
  Status moved = move();
  if (!moved.ok() && moved.error().reason == Reason::not_found) {  // the shelf or the file
    TRY_STATUS(make_shelf(x_blobs, digest));
    moved = move();
  }
  TRY_STATUS(std::move(moved));
  return sync_shelf(x_blobs, digest);
}

Result<Descriptor> Shelves::open_blob(const Digest& digest) {
  return open_at(x_blobs, blob_path(digest), O_RDONLY);
}

Result<std::int64_t> Shelves::size(const Digest& digest) {
  return file_size(x_blobs, blob_path(digest));
}

Result<bool> Shelves::holds(const Digest& digest) {
  Shelf& shelf = shelf_of(digest);
  std::lock_guard lock(shelf.mutex);
  auto found = size(digest);
  if (!found.ok() && found.error().reason == Reason::not_found) return false;
  if (!found.ok()) return found.error();
  bool& settled = shelf.settled[digest.algorithm() == DigestAlgorithm::sha512 ? 1 : 0];
  if (!settled) TRY_STATUS(sync_shelf(x_blobs, digest));
  settled = true;
  return true;
}

Result<bool> Shelves::remove(const Digest& digest) {
  Status removed = unlink_at(x_blobs, blob_path(digest));
  if (removed.ok()) return true;
  TRY_STATUS(missing_is_fine(std::move(removed)));
  return false;
}

Result<bool> Shelves::quarantine(const Digest& digest, int seen) {
  std::lock_guard lock(shelf_of(digest).mutex);
  struct stat opened, named;
  if (::fstat(seen, &opened) != 0) return storage_error(errno);
  if (::fstatat(x_blobs.get(), blob_path(digest).c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0) return false;
  if (opened.st_ino != named.st_ino || opened.st_dev != named.st_dev) return false;
  TRY_STATUS(make_shelf(x_quarantine, digest));
  TRY_STATUS(rename_at(x_blobs, blob_path(digest), x_quarantine, blob_path(digest)));
  TRY_STATUS(sync_shelf(x_quarantine, digest));
  TRY_STATUS(sync_shelf(x_blobs, digest));
  return true;
}

Result<std::int64_t> Shelves::discard_quarantined(const Digest& digest) {
  std::lock_guard lock(shelf_of(digest).mutex);
  auto found = file_size(x_quarantine, blob_path(digest));
  if (!found.ok()) {
    TRY_STATUS(missing_is_fine(found.error()));
    return std::int64_t{0};
  }
  TRY_STATUS(unlink_at(x_quarantine, blob_path(digest)));
  return *found;
}

Result<Listing> Shelves::list(Area area, const std::optional<Digest>& after, std::size_t limit) {
  return list_files(area == Area::blobs ? x_blobs : x_quarantine, after, limit);
}

}  // namespace wharfage::blob
