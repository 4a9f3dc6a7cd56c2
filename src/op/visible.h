// What a caller may not read is not there: every operation's resource() that finds something in a namespace
// ends in one of these, so that an answer never tells what exists from what does not. `absent` is the very
// error the room gives for a thing that does not exist, with the same message and detail. Thread-safe.
#pragma once

#include "op/operation.h"

namespace wharfage::op {

// `absent` unless the caller may read it; unauthenticated for nobody.
Result<auth::Resource> visible(Context& context, auth::Resource resource, const Error& absent);

// For what is not as public as the place it lies in (policies, rules, copies): who reads that place only
// because it is public knows that it is there, and is denied.
Result<auth::Resource> visible_to_members(Context& context, auth::Resource resource, const Error& absent);

}  // namespace wharfage::op
