#include "registry/young_uploads.h"

#include "base/limits.h"

namespace wharfage::registry {
namespace {

constexpr std::size_t young_uploads_max = 16'384;

}  // namespace

YoungUploads::Verdict YoungUploads::add(YoungUpload upload) {
  std::lock_guard lock(x_mutex);
  TimeMs before = upload.started_at - limits::upload_lifetime_ms;
  while (!x_uploads.empty() && x_uploads.front().started_at <= before) drop(x_uploads.begin());
  if (x_uploads.size() >= young_uploads_max) return Verdict::full;
  std::size_t& count = x_counts[upload.repository_id];
  if (count >= limits::uploads_per_repository_max) return Verdict::repository_full;
  ++count;
  std::string id = upload.id;
  x_by_id[std::move(id)] = x_uploads.insert(x_uploads.end(), std::move(upload));
  return Verdict::noted;
}

bool YoungUploads::holds(const std::string& id, std::int64_t repository_id, const std::string& owner) const {
  std::lock_guard lock(x_mutex);
  auto found = x_by_id.find(id);
  return found != x_by_id.end() && found->second->repository_id == repository_id &&
         found->second->owner == owner;
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
  x_by_id.erase(place->id);
  x_uploads.erase(place);
}

}  // namespace wharfage::registry
