#include "blob/uploads.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>

#include "base/limits.h"

namespace wharfage::blob {
namespace {

Error unknown(const Error& error, const std::string& id) {
  if (error.reason == Reason::not_found) return fail(Reason::upload_unknown, {}, id);
  return error;
}

TimeMs changed_at(const struct stat& facts) {
  return TimeMs{facts.st_mtim.tv_sec} * second_ms + facts.st_mtim.tv_nsec / 1'000'000;
}

}  // namespace

Result<std::unique_ptr<Uploads>> Uploads::open(const Descriptor& root) {
  TRY_STATUS(make_folder(root, "uploads"));
  auto uploads = std::make_unique<Uploads>();
  TRY(uploads->x_folder, open_folder(root, "uploads"));
  return uploads;
}

bool Uploads::is_id(std::string_view id) {
  if (id.size() != 36) return false;
  for (std::size_t i = 0; i < id.size(); ++i) {
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    bool hexadecimal = (id[i] >= '0' && id[i] <= '9') || (id[i] >= 'a' && id[i] <= 'f');
    if (dash ? id[i] != '-' : !hexadecimal) return false;
  }
  return true;
}

Result<Descriptor> Uploads::create(const std::string& id) {
  return open_at(x_folder, id, O_RDWR | O_CREAT | O_EXCL, 0640);
}

Result<std::int64_t> Uploads::size(const std::string& id) {
  if (!is_id(id)) return fail(Reason::upload_unknown);
  auto found = file_size(x_folder, id);
  if (!found.ok()) return unknown(found.error(), id);
  return found;
}

Status Uploads::remove(const std::string& id) {
  if (!is_id(id)) return fail(Reason::upload_unknown);
  (void)take_hash(id);
  Status removed = unlink_at(x_folder, id);
  if (!removed.ok()) return unknown(removed.error(), id);
  return {};
}

Result<std::vector<UploadInfo>> Uploads::list() {
  TRY(auto again, open_folder(x_folder, "."));
  std::unique_ptr<DIR, int (*)(DIR*)> folder(::fdopendir(again.get()), ::closedir);
  if (!folder) return storage_error(errno);
  again.release();  // closed by closedir
  std::vector<UploadInfo> found;
  while (const dirent* entry = ::readdir(folder.get())) {
    struct stat facts;
    if (!is_id(entry->d_name)) continue;
    if (::fstatat(x_folder.get(), entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) != 0)
      continue;  // just finished
    if (S_ISREG(facts.st_mode)) found.push_back({entry->d_name, facts.st_size, changed_at(facts)});
  }
  return found;
}

Result<Descriptor> Uploads::acquire(const std::string& id, Missing missing) {
  if (!is_id(id)) return fail(Reason::upload_unknown);
  {
    std::lock_guard lock(x_mutex);
    if (!x_taken.insert(id).second) return fail(Reason::conflict, "the upload is being written already", id);
  }
  auto file = open_locked(id, missing);
  if (!file.ok()) {
    release(id);
    return unknown(file.error(), id);
  }
  return file;
}

Result<Descriptor> Uploads::open_locked(const std::string& id, Missing missing) {
  int flags = missing == Missing::begin ? O_RDWR | O_CREAT : O_RDWR;
  TRY(auto file, open_at(x_folder, id, flags, 0640));
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail(Reason::conflict, "the upload is being written already", id);
  }
  // Between our open and our lock another process may have published this very file: it is a blob now.
  struct stat opened, named;
  if (::fstat(file.get(), &opened) != 0 ||
      ::fstatat(x_folder.get(), id.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0) {
    return storage_error(errno);
  }
  if (opened.st_ino != named.st_ino || !S_ISREG(opened.st_mode)) return fail(Reason::not_found);
  return file;
}

void Uploads::release(const std::string& id) {
  std::lock_guard lock(x_mutex);
  x_taken.erase(id);
}

void Uploads::keep_hash(const std::string& id, HashState state) {
  std::lock_guard lock(x_mutex);
  x_hashes.emplace_front(id, std::move(state));
  x_hash_by_id[id] = x_hashes.begin();
  if (x_hashes.size() > limits::upload_hashes_max) {
    x_hash_by_id.erase(x_hashes.back().first);
    x_hashes.pop_back();
  }
}

std::optional<HashState> Uploads::take_hash(const std::string& id) {
  std::lock_guard lock(x_mutex);
  auto found = x_hash_by_id.find(id);
  if (found == x_hash_by_id.end()) return std::nullopt;
  std::optional<HashState> state(std::move(found->second->second));
  x_hashes.erase(found->second);
  x_hash_by_id.erase(found);
  return state;
}

}  // namespace wharfage::blob
