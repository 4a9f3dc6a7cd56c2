// Connections to other registries: where they are, how we sign in, what each cloud wants to remember about
// them. Inventory and synchronisation both go through here, so that an address or a password is kept once.
// Passwords are sealed and never shown: a masked one that comes back on a change means "unchanged", and
// moving a connection to another origin needs the password anew, else whoever may edit the address could
// collect it. This installation's own registry is a read-only connection that start() makes. Callers have
// been authorised. Thread-safe, blocking.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "connect/vocabulary.h"
#include "crypto/keys.h"
#include "job/queue.h"
#include "meta/db.h"
#include "registry/registry.h"
#include "remote/registry_client.h"

namespace wharfage::connect {

std::vector<meta::Migration> schema();

template <class T>
using Page = registry::Page<T>;
using registry::Slice;

constexpr std::string_view password_mask = "******";

// What a facade wants back as it was given: JSON objects that only that facade reads.
struct Vendor {
  std::string sas = "{}", hss = "{}", swr = "{}";
};

struct Connection {
  std::int64_t id = 0;  // sas: Id; SWR: registry id; < 2^31
  std::string uuid;     // HSS: registry id
  std::string name, description;
  Kind kind = Kind::oci;
  std::string driver = "oci";  // how we talk to it
  std::string url;             // "https://registry.example[:port]"; "" for our own and for CI/CD without one
  bool verify_tls = true;
  std::string ca_pem;
  std::string username;
  bool has_password = false, has_token = false;
  std::string alias, alias_region;  // "cri-…" and region: how ACR's synchronisation names this registry
  Vendor vendor;
  std::string status = "accessing";  // success, fail, accessing (not yet known)
  std::string fail_reason;           // a sentence, when status is fail
  std::int64_t image_count = 0;
  TimeMs synced_at = 0;  // of the last inventory; 0: never
  TimeMs created_at = 0, updated_at = 0;

  bool own() const { return kind == Kind::own; }
  std::string masked_password() const { return has_password ? std::string(password_mask) : std::string(); }
};

struct NewConnection {
  std::string name, description;
  Kind kind = Kind::oci;
  std::string url;
  bool verify_tls = true;
  std::string ca_pem, username, password;
  std::string alias, alias_region;  // empty: a random alias, the instance's own Alibaba region
  Vendor vendor;
};

struct Change {
  std::optional<std::string> name, description;
  std::optional<Kind> kind;
  std::optional<std::string> url;
  std::optional<bool> verify_tls;
  std::optional<std::string> ca_pem, username, password;  // password_mask: unchanged; "": none any more
  std::optional<std::string> alias, alias_region;
  std::optional<std::string> sas, hss, swr;  // vendor JSON
};

struct Filter {
  std::string name_contains, address_contains, uuid, status;
  std::vector<Kind> kinds;      // empty: all
  std::vector<Kind> not_kinds;  // left out
  enum class Order { id, name, created, updated } order = Order::id;
  bool descending = false;
};

class Connections {
 public:
  Connections(registry::Registry& registry, meta::Ids& ids, job::Queue& queue, const crypto::Vault& vault,
              http::Client& http);
  // Makes our own instance's connection, and adds the job kind "connect.check". Before the queue starts.
  Status start();

  // Errors: connection_exists (name or alias), name_invalid, invalid_parameter, quota_exceeded, unsupported
  // (changing our own). Creating and changing ask the registry afterwards, in a job, whether it answers.
  Result<Connection> create(const NewConnection& wanted);
  Status update(std::int64_t id, const Change& change);
  Status remove(std::int64_t id);  // connection_in_use while a rule names it

  Result<Connection> get(std::int64_t id);  // connection_unknown, as the next four
  Result<Connection> get_by_uuid(std::string_view uuid);
  // The number or the UUID: what ACR's LinkId holds.
  Result<Connection> get_by_reference(std::string_view id_or_uuid);
  Result<Connection> get_by_alias(std::string_view alias, std::string_view region);  // region "": any
  Result<Connection> own();
  // At most limits::registry_connections_max exist, so that lists are filtered in memory.
  Result<Page<Connection>> list(const Filter& filter, Slice slice);

  // Asks now: signs in and notes the outcome as the connection's status. The error is the registry's.
  Status check(std::int64_t id);
  // A client with the connection's credentials. unsupported: our own and CI/CD have no address to ask.
  Result<std::unique_ptr<remote::RegistryClient>> open(const Connection& connection,
                                                       std::function<bool()> canceled = {});

  // A CI/CD system presents this token when it tells us of an image. Shown once; hashed at rest.
  Result<std::string> refresh_token(std::int64_t id);
  Result<Connection> get_by_token(std::string_view token);

  // In the caller's transaction. Nullopt: there is no such connection.
  Result<std::optional<Connection>> find(meta::Tx& tx, std::int64_t id);
  // In the caller's transaction: what an inventory or a copy has learned.
  Status note_access(meta::Tx& tx, std::int64_t id, const Status& outcome);
  Status note_inventory(meta::Tx& tx, std::int64_t id, std::int64_t images);

  registry::Registry& registry() { return x_registry; }

 private:
  Status run_check(job::Run& run);
  Result<std::string> password_of(const Connection& connection);
  Status queue_check(meta::Tx& tx, const Connection& connection);

  registry::Registry& x_registry;
  meta::Ids& x_ids;
  job::Queue& x_queue;
  const crypto::Vault& x_vault;
  http::Client& x_http;
};

}  // namespace wharfage::connect
