#include "op/visible.h"

namespace wharfage::op {

Result<auth::Resource> visible(Context& context, auth::Resource resource, const Error& absent) {
  Status readable = context.auth.authorise(context.who, auth::Access::read, resource);
  if (readable.ok()) return resource;
  return readable.error().reason == Reason::denied ? absent : readable.error();
}

Result<auth::Resource> visible_to_members(Context& context, auth::Resource resource, const Error& absent) {
  TRY(resource, visible(context, std::move(resource), absent));
  resource.publicly_readable = false;
  TRY_STATUS(context.auth.authorise(context.who, auth::Access::read, resource));
  return resource;
}

}  // namespace wharfage::op
