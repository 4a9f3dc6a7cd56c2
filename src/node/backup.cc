#include "node/backup.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "crypto/digest.h"
#include "meta/db.h"

namespace wharfage::node {
namespace {

namespace fs = std::filesystem;

Error broken(const std::string& what, const std::error_code& error) {
  return fail(Reason::storage_failed, what + ": " + error.message());
}

Status require_empty(const fs::path& folder) {
  std::error_code error;
  if (fs::exists(folder, error) && !fs::is_empty(folder, error)) {
    return fail(Reason::conflict, folder.string() + " is not empty");
  }
  fs::create_directories(folder, error);
  if (error) return broken("cannot create " + folder.string(), error);
  fs::permissions(folder, fs::perms::owner_all, error);
  return {};
}

Status copy_file(const fs::path& from, const fs::path& to, bool may_link) {
  std::error_code error;
  if (may_link) {
    fs::create_hard_link(from, to, error);
    if (!error) return {};
    error.clear();
  }
  fs::copy_file(from, to, error);
  if (error) return broken("cannot copy " + from.string(), error);
  return {};
}

// Copies the blobs the target lacks. A blob that disappears meanwhile was deleted: nobody misses it.
Status copy_blobs(const fs::path& from, const fs::path& to, bool may_link, BackupReport& report) {
  std::error_code error;
  if (!fs::exists(from, error)) return {};
  for (fs::recursive_directory_iterator at(from, error), end; !error && at != end; at.increment(error)) {
    fs::path target = to / fs::relative(at->path(), from);
    if (at->is_directory(error)) {
      fs::create_directories(target, error);
      continue;
    }
    if (!at->is_regular_file(error) || fs::exists(target, error)) continue;
    Status copied = copy_file(at->path(), target, may_link);
    if (!copied.ok() && fs::exists(at->path(), error)) return copied;
    if (!copied.ok()) continue;
    ++report.blobs;
    report.bytes += static_cast<std::int64_t>(fs::file_size(target, error));
  }
  if (error) return broken("cannot read " + from.string(), error);
  return {};
}

Status copy_rest(const fs::path& from, const fs::path& to) {
  std::error_code error;
  for (const char* name : {"master.key", "admin-password"}) {
    if (!fs::exists(from / name, error)) continue;
    TRY_STATUS(copy_file(from / name, to / name, false));
    fs::permissions(to / name, fs::perms::owner_read | fs::perms::owner_write, error);
  }
  if (!fs::exists(from / "advisories", error)) return {};
  fs::copy(from / "advisories", to / "advisories", fs::copy_options::recursive, error);
  if (error) return broken("cannot copy the advisory data", error);
  return {};
}

Status check_blob(const fs::path& file) {
  std::string algorithm = file.parent_path().parent_path().filename().string();
  TRY(Digest named, Digest::parse(algorithm + ":" + file.filename().string()));
  Hasher hasher(named.algorithm());
  std::ifstream in(file, std::ios::binary);
  std::string chunk(1 << 20, '\0');
  while (in.read(chunk.data(), static_cast<std::streamsize>(chunk.size())) || in.gcount() > 0) {
    hasher.update({chunk.data(), static_cast<std::size_t>(in.gcount())});
  }
  if (!(hasher.finish() == named))
    return fail(Reason::digest_invalid, "a blob of the backup is damaged", named.text());
  return {};
}

Status check_blobs(const fs::path& blobs) {
  std::error_code error;
  if (!fs::exists(blobs, error)) return {};
  for (fs::recursive_directory_iterator at(blobs, error), end; !error && at != end; at.increment(error)) {
    if (at->is_regular_file(error)) TRY_STATUS(check_blob(at->path()));
  }
  if (error) return broken("cannot read " + blobs.string(), error);
  return {};
}

Status flush(const fs::path& folder) {
  int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool flushed = descriptor >= 0 && ::syncfs(descriptor) == 0;
  if (descriptor >= 0) ::close(descriptor);
  if (!flushed)
    return fail(Reason::storage_failed, "cannot flush " + folder.string() + ": " + std::strerror(errno));
  return {};
}

}  // namespace

Result<BackupReport> back_up(const std::string& data, const std::string& target) {
  std::error_code error;
  if (!fs::exists(fs::path(data) / "wharfage.db", error)) {
    return fail(Reason::not_found, "there is no Wharfage data in " + data);
  }
  TRY_STATUS(require_empty(target));
  BackupReport report;
  fs::path from = fs::path(data) / "blobs", to = fs::path(target) / "blobs";
  TRY_STATUS(copy_blobs(from, to, true, report));
  {
    TRY(auto db, meta::open_sqlite(data + "/wharfage.db"));
    TRY_STATUS(db->backup(target + "/wharfage.db"));
  }
  TRY_STATUS(copy_blobs(from, to, true, report));
  TRY_STATUS(copy_rest(data, target));
  TRY_STATUS(flush(target));
  return report;
}

Result<BackupReport> restore(const std::string& backup, const std::string& data) {
  std::error_code error;
  if (!fs::exists(fs::path(backup) / "wharfage.db", error)) {
    return fail(Reason::not_found, "there is no backup in " + backup);
  }
  TRY_STATUS(require_empty(data));
  auto copy = [&]() -> Result<BackupReport> {
    BackupReport report;
    TRY_STATUS(copy_blobs(fs::path(backup) / "blobs", fs::path(data) / "blobs", false, report));
    TRY_STATUS(check_blobs(fs::path(data) / "blobs"));
    TRY_STATUS(copy_file(fs::path(backup) / "wharfage.db", fs::path(data) / "wharfage.db", false));
    TRY_STATUS(copy_rest(backup, data));
    TRY_STATUS(flush(data));
    return report;
  };
  auto report = copy();
  if (!report.ok()) {
    for (const auto& entry : fs::directory_iterator(data, error)) fs::remove_all(entry.path(), error);
  }
  return report;
}

}  // namespace wharfage::node
