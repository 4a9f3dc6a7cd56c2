#include "blob/writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/limits.h"

namespace wharfage::blob {
namespace {

// Dirty bytes pile up no further than this before the disk starts on them, so that commit() waits for little.
constexpr std::int64_t write_behind = 8 * 1024 * 1024;

}  // namespace

Result<std::unique_ptr<Writer>> FileWriter::open(Uploads& uploads, Shelves& shelves, const std::string& id,
                                                 DigestAlgorithm algorithm, Uploads::Missing missing) {
  TRY(auto file, uploads.acquire(id, missing));
  std::unique_ptr<FileWriter> writer(new FileWriter(uploads, shelves, id, std::move(file), algorithm));
  TRY(std::int64_t size, file_size(writer->x_file));
  auto kept = uploads.take_hash(id);
  if (kept && kept->size == size && kept->hasher.algorithm() == algorithm) {
    writer->x_hash = *std::move(kept);
  } else {
    TRY_STATUS(writer->catch_up(algorithm));
  }
  writer->x_handed_on = size;
  return std::unique_ptr<Writer>(std::move(writer));
}

FileWriter::~FileWriter() {
  if (x_file.get() >= 0) x_uploads.keep_hash(x_id, std::move(x_hash));
  x_file.close();
  x_uploads.release(x_id);
}

Status FileWriter::usable() const {
  if (x_file.get() < 0) return fail(Reason::upload_unknown, {}, x_id);
  return {};
}

Status FileWriter::catch_up(DigestAlgorithm algorithm) {
  HashState hash{Hasher(algorithm)};
  TRY(std::int64_t size, file_size(x_file));
  while (hash.size < size) {  // no buffer at all for a new upload
    TRY(std::string bytes, read_at(x_file.get(), hash.size, limits::blob_copy_chunk));
    if (bytes.empty()) break;
    hash.hasher.update(bytes);
    hash.size += static_cast<std::int64_t>(bytes.size());
  }
  x_hash = std::move(hash);
  return {};
}

Status FileWriter::append(std::string_view bytes) {
  TRY_STATUS(usable());
  if (static_cast<std::int64_t>(bytes.size()) > limits::blob_bytes_max - x_hash.size)
    return fail(Reason::too_large);
  if (Status written = write_at(x_file, bytes, x_hash.size); !written.ok()) {
    // A file that cannot be cut back says so again when it is opened next: its hash is then read from it.
    if (::ftruncate(x_file.get(), x_hash.size) != 0) x_file.close();
    return written;
  }
  x_hash.hasher.update(bytes);
  x_hash.size += static_cast<std::int64_t>(bytes.size());
  if (x_hash.size - x_handed_on >= write_behind) {
    ::sync_file_range(x_file.get(), x_handed_on, x_hash.size - x_handed_on, SYNC_FILE_RANGE_WRITE);
    x_handed_on = x_hash.size;
  }
  return {};
}

// After a failed sync the kernel forgets which pages it could not write: a second sync would succeed over
// lost bytes, so the upload ends here.
Status FileWriter::sync() {
  Status synced = sync_data(x_file);
  if (synced.ok()) return {};
  x_file.close();
  (void)x_uploads.remove(x_id);
  return synced;
}

Status FileWriter::flush() {
  TRY_STATUS(usable());
  TRY_STATUS(sync());
  if (!x_named) TRY_STATUS(sync_folder(x_uploads.folder()));
  x_named = true;
  return {};
}

Status FileWriter::commit(const Digest& expected) {
  TRY_STATUS(usable());
  if (expected.algorithm() != x_hash.hasher.algorithm()) TRY_STATUS(catch_up(expected.algorithm()));
  if (!(x_hash.hasher.finish() == expected)) return fail(Reason::digest_invalid, {}, expected.text());
  TRY_STATUS(sync());
  Status published = x_shelves.publish(x_uploads.folder(), x_id, expected);
  // Published or cancelled: either way this file is no upload any more.
  if (published.ok() || !x_uploads.size(x_id).ok()) x_file.close();
  if (!published.ok() && published.error().reason == Reason::not_found)
    return fail(Reason::upload_unknown, {}, x_id);
  return published;
}

}  // namespace wharfage::blob
