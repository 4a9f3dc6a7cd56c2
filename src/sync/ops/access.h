// Where a rule or a copy lies, for authorisation.
#pragma once

#include "op/operation.h"
#include "sync/sync.h"

namespace wharfage::sync::ops {

// A namespace of ours; the installation itself for none.
Result<auth::Resource> namespace_resource(Sync& room, std::int64_t id);
// What a copy inside this registry writes to needs write access of its own. `to` may name nothing yet.
Status authorise_target(Sync& room, op::Context& context, std::int64_t connection_id, const std::string& name,
                        const std::string& repository);

}  // namespace wharfage::sync::ops
