// Registry connections of any kind with their aliases, inventory runs, and what was found.
#include "connect/ops/connections.h"
#include "facade/native/route.h"
#include "inventory/ops/inventory.h"

namespace wharfage::native {
namespace {

using wire::field;
using wire::required;

struct NoQuery {
  static constexpr auto fields() { return std::array<wire::Field, 0>{}; }
};
struct ConnectionQuery {
  std::optional<std::string> name;
  std::optional<std::string> kind;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  static constexpr auto fields() {
    return std::array{field<&ConnectionQuery::name>("name"), field<&ConnectionQuery::kind>("kind"),
                      field<&ConnectionQuery::offset>("offset"), field<&ConnectionQuery::limit>("limit")};
  }
};
struct Key {
  std::int64_t id = 0;
  static constexpr auto fields() { return std::array{field<&Key::id>("id", required)}; }
};
struct Connection {
  std::int64_t id = 0;
  std::string uuid;
  std::string name;
  std::string description;
  std::string kind;
  std::string url;
  bool verify_tls = false;
  std::string username;
  std::string password;
  std::string alias;
  std::string region;
  std::string status;
  std::optional<std::string> fail_reason;
  std::int64_t images = 0;
  std::optional<std::string> synced_at;
  std::string created_at;
  std::string updated_at;
  static constexpr auto fields() {
    return std::array{field<&Connection::id>("id"),
                      field<&Connection::uuid>("uuid"),
                      field<&Connection::name>("name"),
                      field<&Connection::description>("description"),
                      field<&Connection::kind>("kind"),
                      field<&Connection::url>("url"),
                      field<&Connection::verify_tls>("verify_tls"),
                      field<&Connection::username>("username"),
                      field<&Connection::password>("password"),
                      field<&Connection::alias>("alias"),
                      field<&Connection::region>("region"),
                      field<&Connection::status>("status"),
                      field<&Connection::fail_reason>("fail_reason"),
                      field<&Connection::images>("images"),
                      field<&Connection::synced_at>("synced_at"),
                      field<&Connection::created_at>("created_at"),
                      field<&Connection::updated_at>("updated_at")};
  }
};
struct ConnectionList {
  std::vector<Connection> items;
  std::int64_t total = 0;
  static constexpr auto fields() {
    return std::array{field<&ConnectionList::items>("items"), field<&ConnectionList::total>("total")};
  }
};
struct NewConnection {
  std::string name;
  std::optional<std::string> description;
  std::optional<std::string> kind;
  std::string url;
  std::optional<bool> verify_tls;
  std::optional<std::string> ca_pem;
  std::optional<std::string> username;
  std::optional<std::string> password;
  std::optional<std::string> alias;
  std::optional<std::string> region;
  static constexpr auto fields() {
    return std::array{field<&NewConnection::name>("name", required).range(1, 128),
                      field<&NewConnection::description>("description"),
                      field<&NewConnection::kind>("kind").one_of(
                          "acr|harbor|quay|cicd|jfrog|swr-private|swr-shared|swr-enterprise|oci"),
                      field<&NewConnection::url>("url", required),
                      field<&NewConnection::verify_tls>("verify_tls"),
                      field<&NewConnection::ca_pem>("ca_pem"),
                      field<&NewConnection::username>("username"),
                      field<&NewConnection::password>("password"),
                      field<&NewConnection::alias>("alias"),
                      field<&NewConnection::region>("region")};
  }
};
struct ConnectionChange {
  std::optional<std::string> name;
  std::optional<std::string> description;
  std::optional<std::string> kind;
  std::optional<std::string> url;
  std::optional<bool> verify_tls;
  std::optional<std::string> ca_pem;
  std::optional<std::string> username;
  std::optional<std::string> password;
  std::optional<std::string> alias;
  std::optional<std::string> region;
  static constexpr auto fields() {
    return std::array{field<&ConnectionChange::name>("name"),
                      field<&ConnectionChange::description>("description"),
                      field<&ConnectionChange::kind>("kind").one_of(
                          "acr|harbor|quay|cicd|jfrog|swr-private|swr-shared|swr-enterprise|oci"),
                      field<&ConnectionChange::url>("url"),
                      field<&ConnectionChange::verify_tls>("verify_tls"),
                      field<&ConnectionChange::ca_pem>("ca_pem"),
                      field<&ConnectionChange::username>("username"),
                      field<&ConnectionChange::password>("password"),
                      field<&ConnectionChange::alias>("alias"),
                      field<&ConnectionChange::region>("region")};
  }
};
struct CheckResult {
  bool reachable = false;
  std::optional<std::string> reason;
  static constexpr auto fields() {
    return std::array{field<&CheckResult::reachable>("reachable"), field<&CheckResult::reason>("reason")};
  }
};
struct NewTask {
  std::optional<bool> all;
  std::vector<std::int64_t> connections;
  static constexpr auto fields() {
    return std::array{field<&NewTask::all>("all"), field<&NewTask::connections>("connections")};
  }
};
struct TaskKey {
  std::string id;
  static constexpr auto fields() { return std::array{field<&TaskKey::id>("id", required)}; }
};
struct Task {
  std::string id;
  std::string type;
  bool all = false;
  std::int64_t total = 0;
  std::int64_t finished = 0;
  std::int64_t failed = 0;
  std::int64_t progress = 0;
  std::string created_at;
  std::optional<std::string> ended_at;
  static constexpr auto fields() {
    return std::array{field<&Task::id>("id"),
                      field<&Task::type>("type"),
                      field<&Task::all>("all"),
                      field<&Task::total>("total"),
                      field<&Task::finished>("finished"),
                      field<&Task::failed>("failed"),
                      field<&Task::progress>("progress"),
                      field<&Task::created_at>("created_at"),
                      field<&Task::ended_at>("ended_at")};
  }
};
struct ImageQuery {
  std::optional<std::string> namespace_name;
  std::optional<std::string> name;
  std::optional<std::string> tag;
  std::optional<std::int64_t> connection;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  static constexpr auto fields() {
    return std::array{field<&ImageQuery::namespace_name>("namespace"),
                      field<&ImageQuery::name>("name"),
                      field<&ImageQuery::tag>("tag"),
                      field<&ImageQuery::connection>("connection"),
                      field<&ImageQuery::offset>("offset"),
                      field<&ImageQuery::limit>("limit")};
  }
};
struct Image {
  std::int64_t id = 0;
  std::string registry;
  std::string namespace_name;
  std::string name;
  std::string tag;
  std::string digest;
  std::int64_t size = 0;
  std::string synced_at;
  static constexpr auto fields() {
    return std::array{field<&Image::id>("id"),
                      field<&Image::registry>("registry"),
                      field<&Image::namespace_name>("namespace"),
                      field<&Image::name>("name"),
                      field<&Image::tag>("tag"),
                      field<&Image::digest>("digest"),
                      field<&Image::size>("size"),
                      field<&Image::synced_at>("synced_at")};
  }
};
struct ImageList {
  std::vector<Image> items;
  std::int64_t total = 0;
  static constexpr auto fields() {
    return std::array{field<&ImageList::items>("items"), field<&ImageList::total>("total")};
  }
};

Connection to_wire(const connect::Connection& from) {
  Connection connection;
  connection.id = from.id;
  connection.uuid = from.uuid;
  connection.name = from.name;
  connection.description = from.description;
  connection.kind = connect::kind_name(from.kind);
  connection.url = from.url;
  connection.verify_tls = from.verify_tls;
  connection.username = from.username;
  connection.password = from.masked_password();
  connection.alias = from.alias;
  connection.region = from.alias_region;
  connection.status = from.status;
  if (!from.fail_reason.empty()) connection.fail_reason = from.fail_reason;
  connection.images = from.image_count;
  if (from.synced_at) connection.synced_at = rfc3339(from.synced_at);
  connection.created_at = rfc3339(from.created_at);
  connection.updated_at = rfc3339(from.updated_at);
  return connection;
}

Task to_wire(const inventory::Task& from) {
  std::optional<std::string> ended;
  if (!from.running()) ended = rfc3339(from.ended_at);
  return {from.id,       from.type,   from.all,        from.total,
          from.finished, from.failed, from.progress(), rfc3339(from.created_at),
          ended};
}

connect::ops::Key key_of(const Key& key) {
  return {.id = key.id, .uuid = {}};
}

Result<ConnectionList> list_connections(Call& call, const ConnectionQuery& query, const NoBody&) {
  TRY(auto slice, page_of(query.offset, query.limit));
  connect::Filter filter;
  filter.name_contains = query.name.value_or("");
  if (query.kind) {
    auto kind = connect::parse_kind(*query.kind);
    if (!kind) return fail(Reason::invalid_parameter, "there is no such kind", "kind");
    filter.kinds = {*kind};
  }
  TRY(auto page,
      op::invoke<connect::ops::ListConnections>(call.rooms.connections, call.context, {filter, slice}));
  ConnectionList list;
  for (const auto& connection : page.items) list.items.push_back(to_wire(connection));
  list.total = page.total;
  return list;
}

Result<Connection> create_connection(Call& call, const NoQuery&, const NewConnection& body) {
  connect::NewConnection wanted;
  wanted.name = body.name;
  wanted.description = body.description.value_or("");
  wanted.kind = connect::parse_kind(body.kind.value_or("oci")).value_or(connect::Kind::oci);
  wanted.url = body.url;
  wanted.verify_tls = body.verify_tls.value_or(true);
  wanted.ca_pem = body.ca_pem.value_or("");
  wanted.username = body.username.value_or("");
  wanted.password = body.password.value_or("");
  wanted.alias = body.alias.value_or("");
  wanted.alias_region = body.region.value_or("");
  TRY(auto made, op::invoke<connect::ops::CreateConnection>(call.rooms.connections, call.context, wanted));
  return to_wire(made);
}

Result<Connection> get_connection(Call& call, const Key& key, const NoBody&) {
  TRY(auto connection,
      op::invoke<connect::ops::GetConnection>(call.rooms.connections, call.context, key_of(key)));
  return to_wire(connection);
}

Result<Connection> update_connection(Call& call, const Key& key, const ConnectionChange& body) {
  connect::Change change;
  change.name = body.name;
  change.description = body.description;
  if (body.kind) change.kind = connect::parse_kind(*body.kind);
  change.url = body.url;
  change.verify_tls = body.verify_tls;
  change.ca_pem = body.ca_pem;
  change.username = body.username;
  change.password = body.password;
  change.alias = body.alias;
  change.alias_region = body.region;
  TRY(auto changed, op::invoke<connect::ops::UpdateConnection>(call.rooms.connections, call.context,
                                                               {key_of(key), change}));
  return to_wire(changed);
}

Result<Empty> delete_connection(Call& call, const Key& key, const NoBody&) {
  TRY_STATUS(
      op::invoke<connect::ops::DeleteConnections>(call.rooms.connections, call.context, {{key_of(key)}}));
  return Empty{};
}

Result<CheckResult> check_connection(Call& call, const Key& key, const NoBody&) {
  TRY(auto checked,
      op::invoke<connect::ops::CheckConnection>(call.rooms.connections, call.context, key_of(key)));
  CheckResult result{checked.reachable, std::nullopt};
  if (!checked.reason.empty()) result.reason = checked.reason;
  return result;
}

Result<Task> create_inventory(Call& call, const NoQuery&, const NewTask& body) {
  inventory::NewTask wanted;
  wanted.all = body.all.value_or(body.connections.empty());
  wanted.connections = body.connections;
  TRY(auto task, op::invoke<inventory::ops::CreateTask>(call.rooms.inventory, call.context, wanted));
  return to_wire(task);
}

Result<Task> get_inventory(Call& call, const TaskKey& key, const NoBody&) {
  TRY(auto task, op::invoke<inventory::ops::GetTask>(call.rooms.inventory, call.context, {key.id}));
  return to_wire(task);
}

Result<ImageList> list_images(Call& call, const ImageQuery& query, const NoBody&) {
  TRY(auto slice, page_of(query.offset, query.limit));
  inventory::ImageFilter filter;
  filter.connection_id = query.connection.value_or(0);
  filter.namespace_contains = query.namespace_name.value_or("");
  filter.name_contains = query.name.value_or("");
  filter.tag_contains = query.tag.value_or("");
  TRY(auto page, op::invoke<inventory::ops::ListImages>(call.rooms.inventory, call.context, {filter, slice}));
  ImageList list;
  for (const auto& image : page.items) {
    list.items.push_back({image.id, image.connection_name, image.namespace_name, image.name, image.tag,
                          image.digest, image.size, rfc3339(image.synced_at)});
  }
  list.total = page.total;
  return list;
}

}  // namespace

std::span<const Route> connection_routes() {
  static constexpr std::array table{
      route<&list_connections>("GET", "/api/v1/connections").about("list connected registries"),
      route<&create_connection>("POST", "/api/v1/connections", 201).about("connect a registry of any kind"),
      route<&get_connection>("GET", "/api/v1/connections/{id}").about("show a connected registry"),
      route<&update_connection>("PUT", "/api/v1/connections/{id}")
          .about("change a connection; a masked password stays as it is"),
      route<&delete_connection>("DELETE", "/api/v1/connections/{id}")
          .about("disconnect a registry no rule names"),
      route<&check_connection>("POST", "/api/v1/connections/{id}/check").about("sign in there now"),
      route<&create_inventory>("POST", "/api/v1/inventories", 201)
          .about("collect what connected registries hold"),
      route<&get_inventory>("GET", "/api/v1/inventories/{id}").about("how far an inventory run has got"),
      route<&list_images>("GET", "/api/v1/external-images").about("images of all connected registries"),
  };
  return table;
}

}  // namespace wharfage::native
