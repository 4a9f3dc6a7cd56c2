#include "facade/alibaba/registries.h"

#include "connect/ops/connections.h"

namespace wharfage::alibaba {

Result<Registries::Name> Registries::find(std::int64_t connection_id) {
  auto known = x_names.find(connection_id);
  if (known != x_names.end()) return known->second;
  Name name;
  auto connection = op::invoke<connect::ops::GetConnection>(x_call.rooms.connections, x_call.context,
                                                            {.id = connection_id, .uuid = {}});
  if (connection.ok()) {
    name = {connection->alias, connection->alias_region};
  } else if (connection.error().reason != Reason::connection_unknown) {
    return connection.error();
  }
  x_names[connection_id] = name;
  return name;
}

}  // namespace wharfage::alibaba
