// For features that keep rows per repository or image: forgetting them when the registry says that these have
// gone for good. (What was merely deleted may come back.) A purged repository is told by one event, whatever
// it held, so each feature empties its tables by a job in bounded steps. Ids are never used again; an image's
// digest is, so of an image only what is older than its end may go.
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

// Adds the job kind "<room>.forget" and subscribes it to "repository.purged": before queue and events start.
void forget_repositories(Registry& registry, job::Queue& queue, const std::string& room, ForgetStep step);

struct PurgedImage {
  std::int64_t repository_id = 0;
  std::string digest;
};
// Of "image.purged"; nullopt for anything else.
std::optional<PurgedImage> purged_image(const job::Event& event);

// What the registry says, in the transaction that removes the last row.
Status tell_purged(meta::Tx& tx, job::Events& events, const Repository& repository, const Manifest& manifest);
Status tell_purged(meta::Tx& tx, job::Events& events, const Repository& repository);

}  // namespace wharfage::registry
