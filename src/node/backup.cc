#include "node/backup.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <set>
#include <vector>

#include "base/limits.h"
#include "crypto/digest.h"
#include "meta/db.h"
#include "node/data_folder.h"
#include "node/node.h"
#include "registry/wanted.h"

namespace wharfage::node {
namespace {

namespace fs = std::filesystem;

Error broken(const std::string& what, const std::error_code& error) {
  return fail(Reason::storage_failed, what + ": " + error.message());
}

// A folder while it is copied into: until finish() it says that it is no registry yet. One that a copy which
// was killed has left is emptied first, of what copies consist of.
class Target {
 public:
  explicit Target(fs::path folder) : x_folder(std::move(folder)) {}
  ~Target() {
    if (x_mark >= 0) ::close(x_mark);
  }
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  // The folder is looked at before it gets a mark, since what is beside another's mark is emptied, and again
  // under the lock: another copy may have begun or ended meanwhile.
  Status begin() {
    std::error_code error;
    if (!fs::exists(mark(), error)) TRY_STATUS(require_empty());
    fs::create_directories(x_folder, error);
    if (error) return broken("cannot create " + x_folder.string(), error);
    TRY(bool ours, open_mark());
    struct stat facts{};
    bool locked = ::flock(x_mark, LOCK_EX | LOCK_NB) == 0 && ::fstat(x_mark, &facts) == 0;
    if (!locked || facts.st_nlink == 0)
      return fail(Reason::conflict, "another process copies into " + x_folder.string());
    Status free = ours ? require_empty() : clear();
    if (ours && !free.ok()) fs::remove(mark(), error);
    TRY_STATUS(free);
    fs::permissions(x_folder, fs::perms::owner_all, error);
    return flush();
  }

  Status finish() {
    TRY_STATUS(flush());
    std::error_code error;
    fs::remove(mark(), error);
    if (error) return broken("cannot remove " + mark(), error);
    return flush();
  }

  // After an error: nothing is left behind.
  void discard() {
    std::error_code error;
    (void)clear();
    fs::remove(mark(), error);
  }

 private:
  std::string mark() const { return DataFolder::unfinished(x_folder.string()); }

  // False when there was one: another copy's, which was killed unless it holds the lock.
  Result<bool> open_mark() {
    constexpr int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
    x_mark = ::open(mark().c_str(), flags | O_CREAT | O_EXCL, 0600);
    bool ours = x_mark >= 0;
    if (!ours && errno == EEXIST) x_mark = ::open(mark().c_str(), flags);
    if (x_mark < 0) return fail(Reason::storage_failed, "cannot write " + mark());
    return ours;
  }

  Status require_empty() {
    std::error_code error;
    if (!fs::exists(x_folder, error)) return {};
    for (fs::directory_iterator at(x_folder, error), end; !error && at != end; at.increment(error)) {
      if (at->path() != fs::path(mark())) return fail(Reason::conflict, x_folder.string() + " is not empty");
    }
    if (error) return broken("cannot read " + x_folder.string(), error);
    return {};
  }

  Status clear() {
    std::error_code error;
    std::vector<fs::path> ours;
    for (const auto& entry : fs::directory_iterator(x_folder, error)) {
      std::string name = entry.path().filename().string();
      bool known =
          name == "blobs" || name == "advisories" || name == "master.key" || name == "admin-password";
      if (known || name.starts_with("wharfage.db")) ours.push_back(entry.path());
    }
    for (const auto& path : ours) {
      if (!error) fs::remove_all(path, error);
    }
    if (error) return broken("cannot empty " + x_folder.string(), error);
    return {};
  }

  Status flush() {
    int descriptor = ::open(x_folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool flushed = descriptor >= 0 && ::syncfs(descriptor) == 0;
    if (descriptor >= 0) ::close(descriptor);
    if (!flushed) return fail(Reason::storage_failed, "cannot flush " + x_folder.string());
    return {};
  }

  const fs::path x_folder;
  int x_mark = -1;
};

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

std::string digest_named(const fs::path& file) {
  return file.parent_path().parent_path().filename().string() + ":" + file.filename().string();
}

Result<fs::path> file_of(const std::string& data, const std::string& text) {
  TRY(Digest digest, Digest::parse(text));
  std::string algorithm = text.substr(0, text.find(':')), hex(digest.hex());
  return fs::path(data) / "blobs" / algorithm / hex.substr(0, 2) / hex;
}

// What cannot be read is as good as wrong; a name that no blob has is not sound either.
bool is_sound(const fs::path& file) {
  auto named = Digest::parse(digest_named(file));
  if (!named.ok()) return false;
  Hasher hasher(named->algorithm());
  std::ifstream in(file, std::ios::binary);
  std::string chunk(limits::blob_copy_chunk, '\0');
  while (in.read(chunk.data(), static_cast<std::streamsize>(chunk.size())) || in.gcount() > 0) {
    hasher.update({chunk.data(), static_cast<std::size_t>(in.gcount())});
  }
  return in.eof() && hasher.finish() == *named;
}

// Damaged bytes stay in the backup, for whoever wants to look at them.
Status remove_damaged(const fs::path& blobs, std::set<std::string>& damaged) {
  std::error_code error;
  if (!fs::exists(blobs, error)) return {};
  std::vector<fs::path> files;
  for (fs::recursive_directory_iterator at(blobs, error), end; !error && at != end; at.increment(error)) {
    if (at->is_regular_file(error) && !is_sound(at->path())) files.push_back(at->path());
  }
  for (const auto& file : files) {
    if (error) break;
    damaged.insert(digest_named(file));
    fs::remove(file, error);
  }
  if (error) return broken("cannot read " + blobs.string(), error);
  return {};
}

// Asks the copied database what should be there.
Status compare_sizes(const std::string& target, BackupReport& report) {
  TRY(auto db, meta::open_sqlite(target + "/wharfage.db"));
  return registry::each_wanted_blob(*db, [&](const registry::WantedBlob& blob) -> Status {
    if (blob.lost) {
      report.lost.add(blob.digest);
      return {};
    }
    TRY(auto file, file_of(target, blob.digest));
    std::error_code error;
    auto size = fs::file_size(file, error);
    if (error)
      report.missing.add(blob.digest);
    else if (size != static_cast<std::uintmax_t>(blob.size))
      report.damaged.add(blob.digest);
    return {};
  });
}

// A file that is there is sound by now; if its row has another size, fsck corrects the row.
Status lose_what_lacks(const std::string& data, const std::set<std::string>& damaged, BackupReport& report) {
  TRY(auto db, meta::open_sqlite(data + "/wharfage.db"));
  std::vector<registry::WantedBlob> lacking;
  TRY_STATUS(registry::each_wanted_blob(*db, [&](const registry::WantedBlob& blob) -> Status {
    if (blob.lost) {
      report.lost.add(blob.digest);
      return {};
    }
    TRY(auto file, file_of(data, blob.digest));
    std::error_code error;
    if (fs::exists(file, error)) return {};
    (damaged.contains(blob.digest) ? report.damaged : report.missing).add(blob.digest);
    lacking.push_back(blob);
    return {};
  }));
  if (lacking.empty()) return {};
  TRY_STATUS(bring_up_to_date(*db));
  return registry::lose_blobs(*db, lacking, SystemClock().now());
}

}  // namespace

Result<BackupReport> back_up(const std::string& data, const std::string& target) {
  std::error_code error;
  if (!fs::exists(fs::path(data) / "wharfage.db", error)) {
    return fail(Reason::not_found, "there is no Wharfage data in " + data);
  }
  Target folder(target);
  TRY_STATUS(folder.begin());
  BackupReport report;
  fs::path from = fs::path(data) / "blobs", to = fs::path(target) / "blobs";
  TRY_STATUS(copy_blobs(from, to, true, report));
  {
    TRY(auto db, meta::open_sqlite(data + "/wharfage.db"));
    TRY_STATUS(db->backup(target + "/wharfage.db"));
  }
  TRY_STATUS(copy_blobs(from, to, true, report));
  TRY_STATUS(compare_sizes(target, report));
  TRY_STATUS(copy_rest(data, target));
  TRY_STATUS(folder.finish());
  return report;
}

Result<BackupReport> restore(const std::string& backup, const std::string& data) {
  std::error_code error;
  if (!fs::exists(fs::path(backup) / "wharfage.db", error)) {
    return fail(Reason::not_found, "there is no backup in " + backup);
  }
  if (fs::exists(DataFolder::unfinished(backup), error))
    return fail(Reason::not_found, "the backup in " + backup + " did not finish: make another one");
  Target folder(data);
  TRY_STATUS(folder.begin());
  auto copy = [&]() -> Result<BackupReport> {
    BackupReport report;
    TRY_STATUS(copy_blobs(fs::path(backup) / "blobs", fs::path(data) / "blobs", false, report));
    std::set<std::string> damaged;
    TRY_STATUS(remove_damaged(fs::path(data) / "blobs", damaged));
    TRY_STATUS(copy_file(fs::path(backup) / "wharfage.db", fs::path(data) / "wharfage.db", false));
    TRY_STATUS(lose_what_lacks(data, damaged, report));
    TRY_STATUS(copy_rest(backup, data));
    TRY_STATUS(folder.finish());
    return report;
  };
  auto report = copy();
  if (!report.ok()) folder.discard();
  return report;
}

}  // namespace wharfage::node
