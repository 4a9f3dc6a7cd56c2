#include "registry/young_uploads.h"

#include "base/limits.h"

namespace wharfage::registry {
namespace {

constexpr std::size_t young_uploads_max = 16'384;
constexpr TimeMs written_lifetime_ms = 7 * day_ms;

}  // namespace

YoungUploads::Verdict YoungUploads::add(YoungUpload upload) {
  std::lock_guard lock(x_mutex);
  drop_old(upload.started_at);
  if (x_uploads.size() >= young_uploads_max) return Verdict::full;
  auto count = x_counts.find(upload.repository_id);
  if (count != x_counts.end() && count->second >= limits::uploads_per_repository_max)
    return Verdict::repository_full;
  auto owned = x_owned.find({upload.repository_id, upload.owner});
  if (owned != x_owned.end() && owned->second >= uploads_per_owner_max) return Verdict::owner_full;
  ++x_counts[upload.repository_id];
  ++x_owned[{upload.repository_id, upload.owner}];
  std::string id = upload.id;
  x_by_id[std::move(id)] = x_uploads.insert(x_uploads.end(), std::move(upload));
  return Verdict::noted;
}

YoungUpload* YoungUploads::find(const std::string& id, std::int64_t repository_id,
                                const std::string& owner) const {
  auto found = x_by_id.find(id);
  if (found == x_by_id.end()) return nullptr;
  YoungUpload& upload = *found->second;
  return upload.repository_id == repository_id && upload.owner == owner ? &upload : nullptr;
}

bool YoungUploads::holds(const std::string& id, std::int64_t repository_id, const std::string& owner) const {
  std::lock_guard lock(x_mutex);
  return find(id, repository_id, owner) != nullptr;
}

bool YoungUploads::write(const std::string& id, std::int64_t repository_id, const std::string& owner) {
  std::lock_guard lock(x_mutex);
  YoungUpload* upload = find(id, repository_id, owner);
  if (upload) upload->is_written = true;
  return upload != nullptr;
}

void YoungUploads::drop_old(TimeMs now) {
  for (auto at = x_uploads.begin(); at != x_uploads.end();) {
    TimeMs age = now - at->started_at;
    if (age < limits::upload_lifetime_ms) return;
    auto next = std::next(at);
    if (!at->is_written || age >= written_lifetime_ms) drop(at);
    at = next;
  }
}

bool YoungUploads::take(const std::string& id, std::int64_t repository_id) {
  std::lock_guard lock(x_mutex);
  auto found = x_by_id.find(id);
  if (found == x_by_id.end() || found->second->repository_id != repository_id) return false;
  drop(found->second);
  return true;
}

void YoungUploads::drop(Place place) {
  auto count = x_counts.find(place->repository_id);
  if (--count->second == 0) x_counts.erase(count);
  auto owned = x_owned.find({place->repository_id, place->owner});
  if (--owned->second == 0) x_owned.erase(owned);
  x_by_id.erase(place->id);
  x_uploads.erase(place);
}

}  // namespace wharfage::registry
