// For features that keep rows per repository or image: forgetting them when the registry says that these are
// gone. A deleted repository is told by one event, whatever it held, so each feature empties its tables by a
// job in bounded steps. Ids are never used again; an image's digest is, so of an image only what is older
// than its deletion may go.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "job/events.h"
#include "job/queue.h"
#include "registry/registry.h"

namespace wharfage::registry {

// Removes at most a bounded number of rows; true when there may be more.
using ForgetStep = std::function<Result<bool>(meta::Tx& tx, std::int64_t repository_id)>;

// Adds the job kind "<room>.forget" and subscribes it to "repository.deleted": before queue and events start.
void forget_repositories(Registry& registry, job::Queue& queue, const std::string& room, ForgetStep step);

struct DeletedImage {
  std::int64_t repository_id = 0;
  std::string digest;
};
// Nullopt: the event tells of a tag only (the image is still there), or of something else.
std::optional<DeletedImage> deleted_image(const job::Event& event);

}  // namespace wharfage::registry
