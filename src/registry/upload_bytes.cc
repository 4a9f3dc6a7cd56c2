#include "registry/upload_bytes.h"

#include "base/limits.h"

namespace wharfage::registry {
namespace {

constexpr std::size_t idle_uploads_max = 65'536;
constexpr TimeMs abandoned_after_ms = 5 * 60 * 1000;
constexpr std::size_t abandoned_at_once_max = 64;  // each may cost its caller a transaction

}  // namespace

void UploadBytes::open(const std::string& id, Place place, std::int64_t size, TimeMs now) {
  std::lock_guard lock(x_mutex);
  forget_old(now);
  Upload& upload = x_uploads[id];
  if (upload.idle) x_idle.erase(*upload.idle);
  upload.idle.reset();
  upload.place = place;
  resize(upload, size);
}

void UploadBytes::close(const std::string& id, std::int64_t size, TimeMs now) {
  std::lock_guard lock(x_mutex);
  auto found = x_uploads.find(id);
  if (found == x_uploads.end() || found->second.idle) return;
  resize(found->second, size);
  found->second.idle = x_idle.insert(x_idle.end(), {id, found->second.place.namespace_id, now});
}

void UploadBytes::drop(const std::string& id) {
  std::lock_guard lock(x_mutex);
  forget(id);
}

UploadBytes::Verdict UploadBytes::grow(const std::string& id, std::int64_t by,
                                       std::optional<std::int64_t> most) {
  std::lock_guard lock(x_mutex);
  auto found = x_uploads.find(id);
  if (found == x_uploads.end()) return Verdict::gone;
  if (most && held_in(found->second.place.namespace_id) + by > *most) return Verdict::over;
  resize(found->second, found->second.bytes + by);
  return Verdict::fine;
}

std::vector<UploadBytes::Abandoned> UploadBytes::take_abandoned(const std::string& id, std::int64_t by,
                                                                std::int64_t most, TimeMs now) {
  std::lock_guard lock(x_mutex);
  std::vector<Abandoned> taken;
  auto found = x_uploads.find(id);
  if (found == x_uploads.end()) return taken;
  std::int64_t namespace_id = found->second.place.namespace_id;
  std::int64_t missing = held_in(namespace_id) + by - most;
  for (auto idle = x_idle.begin(); missing > 0 && taken.size() < abandoned_at_once_max; ++idle) {
    if (idle == x_idle.end() || now - idle->since < abandoned_after_ms) return {};
    if (idle->namespace_id != namespace_id) continue;
    const Upload& upload = x_uploads.at(idle->id);
    if (upload.bytes == 0) continue;
    taken.push_back({idle->id, upload.place.repository_id, upload.bytes});
    missing -= upload.bytes;
  }
  for (const auto& one : taken) forget(one.id);
  return taken;
}

bool UploadBytes::holds(const std::string& id) const {
  std::lock_guard lock(x_mutex);
  return x_uploads.contains(id);
}

std::int64_t UploadBytes::held(std::int64_t namespace_id) const {
  std::lock_guard lock(x_mutex);
  return held_in(namespace_id);
}

std::int64_t UploadBytes::held_in(std::int64_t namespace_id) const {
  auto found = x_held.find(namespace_id);
  return found == x_held.end() ? 0 : found->second;
}

void UploadBytes::resize(Upload& upload, std::int64_t size) {
  if (size == upload.bytes) return;
  auto held = x_held.try_emplace(upload.place.namespace_id).first;
  held->second += size - upload.bytes;
  if (held->second == 0) x_held.erase(held);
  upload.bytes = size;
}

void UploadBytes::forget(const std::string& id) {
  auto found = x_uploads.find(id);
  if (found == x_uploads.end()) return;
  resize(found->second, 0);
  auto idle = found->second.idle;
  x_uploads.erase(found);
  if (idle) x_idle.erase(*idle);  // last: `id` may be the one that lies in it
}

void UploadBytes::forget_old(TimeMs now) {
  while (!x_idle.empty() &&
         (x_idle.size() > idle_uploads_max || now - x_idle.front().since >= limits::upload_lifetime_ms)) {
    forget(x_idle.front().id);
  }
}

}  // namespace wharfage::registry
