#include "connect/connections.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/limits.h"
#include "base/random.h"
#include "base/text.h"
#include "connect/records.h"
#include "crypto/digest.h"
#include "http/client.h"
#include "wire/json.h"

namespace wharfage::connect {
namespace {

std::string purpose(std::int64_t id) {
  return fmt::format("connection:{}:password", id);
}

std::string hash_of(std::string_view token) {
  return hex(crypto::sha256(token));
}

Status check_text(std::string_view text, std::size_t most, std::string_view what) {
  bool clean = std::none_of(text.begin(), text.end(),
                            [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; });
  if (!clean || text.size() > most) {
    return fail(Reason::invalid_parameter,
                fmt::format("{} may have {} characters, none of them control", what, most),
                std::string(what));
  }
  return {};
}

Status check_json(const std::string& text, std::string_view what) {
  bool small = text.size() <= limits::connection_vendor_max;
  auto value = small ? wire::parse_json(text) : fail(Reason::too_large);
  if (!value.ok() || !value->is_object())
    return fail(Reason::invalid_parameter, "further settings must be a JSON object", std::string(what));
  return {};
}

// Keeps only what identifies a registry: scheme, host, port.
Result<std::string> clean_url(Kind kind, const std::string& url) {
  if (url.empty() && kind == Kind::cicd) return std::string();
  TRY(auto parsed, http::parse_url(url));
  bool bare = parsed.path_and_query.empty() || parsed.path_and_query == "/";
  if (!bare && kind != Kind::cicd) {
    return fail(Reason::invalid_parameter, "a registry's address has no path", "url");
  }
  return parsed.origin();
}

Status check(const Connection& one) {
  if (trim(one.name).empty() || one.name.size() > limits::connection_name_max) {
    return fail(Reason::name_invalid,
                fmt::format("a connection's name has 1 to {} characters", limits::connection_name_max),
                "name");
  }
  TRY_STATUS(check_text(one.name, limits::connection_name_max, "name"));
  TRY_STATUS(check_text(one.description, limits::description_bytes_max, "description"));
  TRY_STATUS(check_text(one.username, limits::login_name_max, "username"));
  TRY_STATUS(check_text(one.alias_region, 64, "region"));
  if (one.ca_pem.size() > limits::connection_vendor_max) return fail(Reason::too_large, "", "ca_pem");
  bool alias_fits = one.alias.rfind("cri-", 0) == 0 && one.alias.size() > 4 && one.alias.size() <= 64;
  if (!alias_fits || check_text(one.alias, 64, "alias").ok() == false) {
    return fail(Reason::invalid_parameter, "an alias is cri- and up to 60 characters", "alias");
  }
  TRY_STATUS(check_json(one.vendor.sas, "sas"));
  TRY_STATUS(check_json(one.vendor.hss, "hss"));
  return check_json(one.vendor.swr, "swr");
}

// A refused constraint in words of this room.
Status told(Status status) {
  if (status.ok() || status.error().reason != Reason::conflict) return status;
  const std::string& detail = status.error().detail;
  if (detail.find("FOREIGN KEY") != detail.npos) return fail(Reason::connection_in_use);
  if (detail.find("alias") != detail.npos) {
    return fail(Reason::connection_exists, "another connection has this alias", "alias");
  }
  if (detail.find("name") != detail.npos) return fail(Reason::connection_exists);
  return status;
}

template <class T>
bool holds(const std::vector<T>& list, const T& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

bool matches(const Filter& filter, const Connection& one) {
  auto contains = [](const std::string& text, const std::string& part) {
    return part.empty() || lower(text).find(lower(part)) != std::string::npos;
  };
  return contains(one.name, filter.name_contains) && contains(one.url, filter.address_contains) &&
         (filter.uuid.empty() || filter.uuid == one.uuid) &&
         (filter.status.empty() || filter.status == one.status) &&
         (filter.kinds.empty() || holds(filter.kinds, one.kind)) && !holds(filter.not_kinds, one.kind);
}

bool before(const Filter& filter, const Connection& a, const Connection& b) {
  switch (filter.order) {
    case Filter::Order::name:
      return a.name < b.name;
    case Filter::Order::created:
      return std::pair(a.created_at, a.id) < std::pair(b.created_at, b.id);
    case Filter::Order::updated:
      return std::pair(a.updated_at, a.id) < std::pair(b.updated_at, b.id);
    case Filter::Order::id:
      break;
  }
  return a.id < b.id;
}

Result<Connection> found(const Result<std::optional<Connection>>& connection) {
  if (!connection.ok()) return connection.error();
  if (!*connection) return fail(Reason::connection_unknown);
  return **connection;
}

template <class T>
void take(T& to, const std::optional<T>& from) {
  if (from) to = *from;
}

}  // namespace

Connections::Connections(registry::Registry& registry, meta::Ids& ids, job::Queue& queue,
                         const crypto::Vault& vault, http::Client& http)
    : x_registry(registry), x_ids(ids), x_queue(queue), x_vault(vault), x_http(http) {}

Status Connections::start() {
  job::Kind kind{
      .name = "connect.check", .concurrency = 2, .run = [this](job::Run& run) { return run_check(run); }};
  kind.keep_ms = day_ms;
  x_queue.add_kind(std::move(kind));
  auto present = own();
  if (present.ok()) return {};
  if (present.error().reason != Reason::connection_unknown) return present.error();
  const registry::Instance& instance = x_registry.instance();
  TRY(auto id, x_ids.next("connection"));
  Connection mine{
      .id = id, .uuid = random_uuid(), .name = instance.name, .kind = Kind::own, .driver = "local"};
  mine.description = "this registry";
  mine.alias = instance.cri_id;
  mine.alias_region = instance.alibaba_region;
  mine.status = "success";
  mine.created_at = x_registry.clock().now();
  return x_registry.db().write([&](meta::Tx& tx) -> Status {
    TRY(auto raced, records::find_own(tx));
    return raced ? Status() : records::insert(tx, mine, "");
  });
}

Result<Connection> Connections::create(const NewConnection& wanted) {
  if (wanted.kind == Kind::own) return fail(Reason::unsupported, "our own registry is connected by itself");
  if (wanted.password == password_mask) {
    return fail(Reason::invalid_parameter, "the password is a mask", "password");
  }
  TRY_STATUS(check_text(wanted.password, limits::connection_password_max, "password"));
  Connection one{
      .uuid = random_uuid(), .name = wanted.name, .description = wanted.description, .kind = wanted.kind};
  TRY(one.url, clean_url(wanted.kind, wanted.url));
  one.verify_tls = wanted.verify_tls;
  one.ca_pem = wanted.ca_pem;
  one.username = wanted.username;
  one.alias = wanted.alias.empty() ? random_id("cri-") : wanted.alias;
  one.alias_region = wanted.alias_region.empty() ? x_registry.instance().alibaba_region : wanted.alias_region;
  one.vendor = wanted.vendor;
  one.status = one.kind == Kind::cicd ? "success" : "accessing";
  one.created_at = one.updated_at = x_registry.clock().now();
  TRY_STATUS(connect::check(one));
  TRY(one.id, x_ids.next("connection"));
  one.has_password = !wanted.password.empty();
  std::string sealed = one.has_password ? x_vault.seal(wanted.password, purpose(one.id)) : std::string();
  TRY_STATUS(told(x_registry.db().write([&](meta::Tx& tx) -> Status {
    TRY(auto count, records::count(tx));
    if (count >= static_cast<std::int64_t>(limits::registry_connections_max))
      return fail(Reason::quota_exceeded);
    TRY_STATUS(records::insert(tx, one, sealed));
    return queue_check(tx, one);
  })));
  return one;
}

Status Connections::update(std::int64_t id, const Change& change) {
  TRY(Connection one, get(id));
  if (one.own() || change.kind == Kind::own) {
    return fail(Reason::unsupported, "the connection to our own registry cannot be changed");
  }
  bool same_password = !change.password || *change.password == password_mask;
  if (!same_password) TRY_STATUS(check_text(*change.password, limits::connection_password_max, "password"));
  take(one.name, change.name);
  take(one.description, change.description);
  take(one.kind, change.kind);
  std::string old_url = one.url;
  TRY(one.url, clean_url(one.kind, change.url.value_or(one.url)));
  if (one.url != old_url && same_password && one.has_password) {
    return fail(Reason::invalid_parameter, "another address needs the password again", "password");
  }
  take(one.verify_tls, change.verify_tls);
  take(one.ca_pem, change.ca_pem);
  take(one.username, change.username);
  take(one.alias, change.alias);
  take(one.alias_region, change.alias_region);
  take(one.vendor.sas, change.sas);
  take(one.vendor.hss, change.hss);
  take(one.vendor.swr, change.swr);
  TRY_STATUS(connect::check(one));
  one.status = one.kind == Kind::cicd ? "success" : "accessing";
  one.fail_reason.clear();
  one.updated_at = x_registry.clock().now();
  return told(x_registry.db().write([&](meta::Tx& tx) -> Status {
    TRY(std::string sealed, records::password_sealed(tx, id));
    if (!same_password) {
      sealed = change.password->empty() ? std::string() : x_vault.seal(*change.password, purpose(id));
    }
    TRY_STATUS(records::update(tx, one, sealed));
    return queue_check(tx, one);
  }));
}

Status Connections::remove(std::int64_t id) {
  TRY(Connection one, get(id));
  if (one.own()) return fail(Reason::unsupported, "the connection to our own registry cannot be removed");
  return told(x_registry.db().write([&](meta::Tx& tx) -> Status {
    TRY(auto removed, records::remove(tx, id));
    return removed ? Status() : fail(Reason::connection_unknown);
  }));
}

Result<Connection> Connections::get(std::int64_t id) {
  return found(x_registry.db().read([&](meta::Tx& tx) { return records::find(tx, id); }));
}

Result<Connection> Connections::get_by_uuid(std::string_view uuid) {
  return found(x_registry.db().read([&](meta::Tx& tx) { return records::find_by_uuid(tx, uuid); }));
}

Result<Connection> Connections::get_by_reference(std::string_view id_or_uuid) {
  auto id = parse_integer(id_or_uuid);
  return id ? get(*id) : get_by_uuid(id_or_uuid);
}

Result<Connection> Connections::get_by_alias(std::string_view alias, std::string_view region) {
  return found(x_registry.db().read([&](meta::Tx& tx) { return records::find_by_alias(tx, alias, region); }));
}

Result<Connection> Connections::own() {
  return found(x_registry.db().read([&](meta::Tx& tx) { return records::find_own(tx); }));
}

Result<Page<Connection>> Connections::list(const Filter& filter, Slice slice) {
  TRY(auto all, x_registry.db().read([&](meta::Tx& tx) { return records::all(tx); }));
  std::erase_if(all, [&](const Connection& one) { return !matches(filter, one); });
  std::stable_sort(all.begin(), all.end(), [&](const Connection& a, const Connection& b) {
    return filter.descending ? before(filter, b, a) : before(filter, a, b);
  });
  Page<Connection> page;
  page.total = static_cast<std::int64_t>(all.size());
  for (std::int64_t at = slice.offset; at < page.total && at - slice.offset < slice.limit; ++at) {
    page.items.push_back(std::move(all[static_cast<std::size_t>(at)]));
  }
  return page;
}

Result<std::string> Connections::password_of(const Connection& connection) {
  TRY(std::string sealed,
      x_registry.db().read([&](meta::Tx& tx) { return records::password_sealed(tx, connection.id); }));
  if (sealed.empty()) return std::string();
  return x_vault.unseal(sealed, purpose(connection.id));
}

Result<std::unique_ptr<remote::RegistryClient>> Connections::open(const Connection& connection,
                                                                  std::function<bool()> canceled) {
  if (connection.own() || connection.kind == Kind::cicd) {
    return fail(Reason::unsupported, connection.name + " is not a registry that can be asked");
  }
  remote::Endpoint endpoint{.url = connection.url,
                            .username = connection.username,
                            .password = {},
                            .verify_tls = connection.verify_tls,
                            .ca_pem = connection.ca_pem};
  TRY(endpoint.password, password_of(connection));
  return std::make_unique<remote::RegistryClient>(x_http, std::move(endpoint), std::move(canceled));
}

Status Connections::check(std::int64_t id) {
  TRY(Connection one, get(id));
  if (one.own() || one.kind == Kind::cicd) return {};
  TRY(auto client, open(one));
  Status outcome = client->ping();
  TRY_STATUS(x_registry.db().write([&](meta::Tx& tx) { return note_access(tx, id, outcome); }));
  return outcome;
}

Status Connections::queue_check(meta::Tx& tx, const Connection& connection) {
  if (connection.kind == Kind::cicd) return {};
  auto queued = x_queue.enqueue(tx, {.kind = "connect.check",
                                     .payload = fmt::format(R"({{"connection":{}}})", connection.id),
                                     .dedupe_key = std::to_string(connection.id),
                                     .subject = connection.name,
                                     .attempts_max = 3});
  if (!queued.ok()) return queued.error();
  return {};
}

Status Connections::run_check(job::Run& run) {
  boost::json::error_code error;
  auto payload = boost::json::parse(run.job().payload, error);
  const auto* id = error || !payload.is_object() ? nullptr : payload.get_object().if_contains("connection");
  if (!id || !id->is_int64()) return fail(Reason::invalid_parameter);
  TRY(Connection one, get(id->get_int64()));
  TRY(auto client, open(one, [&run] { return run.canceled(); }));
  Status outcome = client->ping();
  if (run.canceled()) return fail(run.why());
  TRY_STATUS(run.commit([&](meta::Tx& tx) { return note_access(tx, one.id, outcome); }));
  run.log("check", outcome.ok() ? "signed in" : outcome.error().message);
  return {};
}

Result<std::string> Connections::refresh_token(std::int64_t id) {
  std::string token = random_hex(24);
  TRY(auto changed, x_registry.db().write([&](meta::Tx& tx) {
    return records::set_token(tx, id, hash_of(token), x_registry.clock().now());
  }));
  if (!changed) return fail(Reason::connection_unknown);
  return token;
}

Result<Connection> Connections::get_by_token(std::string_view token) {
  return found(
      x_registry.db().read([&](meta::Tx& tx) { return records::find_by_token(tx, hash_of(token)); }));
}

Result<std::optional<Connection>> Connections::find(meta::Tx& tx, std::int64_t id) {
  return records::find(tx, id);
}

Status Connections::note_access(meta::Tx& tx, std::int64_t id, const Status& outcome) {
  return records::set_status(tx, id, outcome.ok() ? "success" : "fail",
                             outcome.ok() ? "" : cut(outcome.error().message, limits::connection_reason_max));
}

Status Connections::note_inventory(meta::Tx& tx, std::int64_t id, std::int64_t images) {
  return records::set_inventory(tx, id, images, x_registry.clock().now());
}

}  // namespace wharfage::connect
