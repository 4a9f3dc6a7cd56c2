#include "node/state.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>

#include "base/buffered_sink.h"
#include "base/limits.h"
#include "base/random.h"
#include "base/text.h"
#include "build/addresses.h"
#include "facade/oci/error.h"
#include "node/advisories.h"

namespace wharfage::node {
namespace {

constexpr std::size_t waiting_requests_max = 4096;

// The host by which clients know us, as it stands in signatures.
std::string external_host(const Config& config, const Address& address) {
  auto slashes = config.external_url.find("//");
  return slashes == std::string::npos ? address.text() : config.external_url.substr(slashes + 2);
}

build::Options build_options(const Config& config, const Address& address, const std::string& data) {
  build::Options options;
  options.enabled = config.build;
  options.work_folder = data + "/builds";
  options.hidden_folder = data;
  options.registry_address = address.text();
  if (!config.external_url.empty()) options.registry_names = {external_host(config, address)};
  options.user = config.build_user;
  options.network_range = config.build_network;
  options.egress.allow = config.build_egress_allow;
  options.egress.deny = config.build_egress_deny;
  if (!config.build_resolver.empty()) options.egress.resolvers = {config.build_resolver};
  options.file_roots = config.build_file_roots;
  options.timeout_ms = config.build_timeout_s * second_ms;
  options.memory_bytes = config.build_memory_mb << 20;
  options.concurrency = static_cast<int>(config.builds_at_once);
  return options;
}

auth::Access anonymous_access(const Config& config) {
  if (config.anonymous_access == "delete") return auth::Access::remove;
  return config.anonymous_access == "push" ? auth::Access::write : auth::Access::read;
}

// Connections may use half of the descriptors this process may have: files and databases need the others.
std::size_t affordable_connections(const Config& config, const Log& log) {
  auto wanted = static_cast<std::size_t>(config.connections_max);
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY) return wanted;
  auto affordable = static_cast<std::size_t>(files.rlim_cur) / 2;
  if (wanted <= affordable) return wanted;
  log.warning("fewer connections than configured: too few open files are allowed (ulimit -n)",
              {{"connections", static_cast<std::int64_t>(affordable)}});
  return affordable;
}

// Builds reach us through their own gateway only.
std::function<bool(std::string_view)> in_network(const std::string& network) {
  return [network = build::parse_network(network)](std::string_view peer) {
    auto address = build::parse_address(peer);
    return network && address && network->contains(*address);
  };
}

}  // namespace

registry::MaintenanceOptions maintenance_options(const Config& config) {
  return {.unreferenced_for_ms = config.unreferenced_for_s * second_ms,
          .scrub_bytes_per_s = config.scrub_mb_per_s << 20,
          .scrub_weekly = config.scrub == "weekly"};
}

Node::State::State(const Config& given, Address where, Foundations foundations, Log to)
    : config(given),
      address(std::move(where)),
      log(std::move(to)),
      request_log(std::make_shared<BufferedSink>(STDERR_FILENO), config.log_level),
      base(std::move(foundations)),
      client({.allow_private = config.allow_private, .allowed = config.allowed_addresses},
             "wharfage/" + std::string(version)),
      ids(*base.db),
      auth(*base.db, ids, base.vault, clock, log),
      tokens(base.token_key, clock),
      audit(*base.db, clock),
      events(*base.db, clock, log),
      queue(*base.db, clock, log, {.sole_owner = true}),
      registry(*base.db, ids, *base.blobs, events, clock, log,
               {.sparse_indexes = config.sparse_indexes,
                .sparse_images = config.sparse_images,
                .delete_grace_ms = config.delete_grace_s * second_ms}),
      policies(registry, ids, {.tag_history_ms = config.tag_history_days * day_ms}),
      retention(registry, ids, queue),
      maintenance(policies, queue, maintenance_options(config)),
      connections(registry, ids, queue, base.vault, client),
      builds(*base.db, ids, registry, auth, queue, base.vault, clock,
             build_options(config, address, base.folder->path()), log),
      scans(registry, queue, {.advisory_file = advisory_file(config), .every_push = config.scan_every_push},
            log),
      signing(registry, ids, queue, base.vault, {.registry_host = external_host(config, address)}),
      sync(connections, ids, queue, {}),
      inventory(connections, ids, queue, {}),
      console(std::string(version)),
      workers("worker", static_cast<std::size_t>(config.workers), waiting_requests_max) {}

Status Node::State::prepare(const Environment& environment) {
  TRY_STATUS(registry.ensure_instance({.instance_name = config.instance_name,
                                       .alibaba_region = config.alibaba_region,
                                       .huawei_region = config.huawei_region,
                                       .cri_id = config.cri_id,
                                       .uuid = config.instance_uuid,
                                       .project_id = config.project_id,
                                       .domain_name = config.domain_name,
                                       .ali_uid = config.ali_uid}));
  auto given = environment.find("WHARFAGE_ADMIN_PASSWORD");
  std::string password = given == environment.end() ? random_password() : given->second;
  TRY(welcome.first_start, auth.ensure_admin(password));
  if (welcome.first_start && given == environment.end()) {
    welcome.password = password;
    welcome.password_file = base.folder->admin_password();
    TRY_STATUS(write_private_file(welcome.password_file, password + "\n"));
  }
  if (auto key = environment.find("WHARFAGE_ADMIN_ACCESS_KEY"); key != environment.end()) {
    auto colon = key->second.find(':');
    if (colon == std::string::npos || colon == 0 || colon + 1 == key->second.size()) {
      return fail(Reason::invalid_parameter, "WHARFAGE_ADMIN_ACCESS_KEY must be ID:SECRET");
    }
    TRY_STATUS(auth.put_access_key("admin", key->second.substr(0, colon), key->second.substr(colon + 1)));
  }

  std::string source = "wharfage/" + registry.instance().cri_id;
  webhooks.emplace(*base.db, ids, queue, events, base.vault, client, clock, log, source);
  TRY_STATUS(connections.start());
  if (config.build) {
    Status ready = builds.start();
    if (!ready.ok()) log.warning("builds will not run", {{"reason", ready.error().message}});
  }
  maintenance.start();
  retention.start();
  scans.start();
  signing.start();
  TRY_STATUS(sync.start());
  TRY_STATUS(inventory.start());
  webhooks->start();

  if (!config.anonymous_namespaces.empty()) {
    log.warning(
        "anybody may use these namespaces without a login",
        {{"namespaces", join(config.anonymous_namespaces, ", ")}, {"access", config.anonymous_access}});
  }
  oci.emplace(registry, auth, tokens, audit, clock,
              oci::Options{.external_url = config.external_url,
                           .trust_forwarded = config.trust_forwarded,
                           .service = config.token_service,
                           .create_namespaces = config.create_namespaces,
                           .anonymous_namespaces = config.anonymous_namespaces,
                           .anonymous_access = anonymous_access(config),
                           .comes_by_host = in_network(config.build_network)},
              log);
  alibaba.emplace(alibaba::Rooms{registry, policies, builds, scans, sync, connections, inventory}, auth,
                  audit, clock, alibaba::Options{external_host(config, address)}, log);
  huawei.emplace(huawei::Rooms{registry, policies, retention, scans, signing, sync, connections, inventory},
                 auth, audit, clock, huawei::Options{config.external_url}, log);
  native.emplace(native::Rooms{registry, policies, retention, queue, builds, scans, signing, sync,
                               connections, inventory, *webhooks, maintenance},
                 auth, audit, clock, std::string(version), log);
  health.emplace(checks(), [this] { return metrics(); });
  return {};
}

Destination Node::State::destination(const http::Request& head) const {
  auto is_project = [](std::string_view segment, const void* context) {
    return segment == static_cast<const State*>(context)->registry.instance().project_id;
  };
  return node::destination(head, is_project, this);
}

http::Plan Node::State::route(const http::Request& head) {
  switch (destination(head)) {
    case Destination::health:
      return health->plan(head);
    case Destination::oci:
      return oci->plan(head);
    case Destination::huawei:
      return huawei->plan(head);
    case Destination::alibaba:
      return alibaba->plan(head);
    case Destination::native:
      return native->plan(head);
    case Destination::console:
      break;
  }
  return console.plan(head);
}

std::vector<Check> Node::State::checks() {
  constexpr std::int64_t spare_bytes_min = 64 << 20;
  constexpr TimeMs advisories_old_ms = 7 * day_ms;
  return {
      {"database", [this] { return base.db->ping(); }},
      {"disk",
       [this]() -> Status {
         TRY_STATUS(base.blobs->check_writable());
         TRY(auto spare, base.blobs->free_bytes());
         if (spare < spare_bytes_min)
           return fail(Reason::disk_full, fmt::format("only {} bytes are free", spare));
         return {};
       }},
      {"workers",
       [this]() -> Status {
         if (!queue.healthy()) return fail(Reason::timeout, "background jobs are not being claimed");
         if (workers.waiting() >= waiting_requests_max / 2)
           return fail(Reason::throttled, "requests are queueing");
         return {};
       }},
      {"advisories",
       [this]() -> Status {
         auto stats = scans.advisories();
         if (!stats)
           return fail(Reason::not_found, "no advisory data was imported: wharfage vulndb import PATH…");
         if (clock.now() - stats->imported_at > advisories_old_ms) {
           return fail(Reason::not_found, "the advisory data was imported " + rfc3339(stats->imported_at));
         }
         return {};
       },
       false},
      {"builds",
       [this]() -> Status {
         if (!config.build) return fail(Reason::unsupported, "builds are turned off");
         if (std::string why = builds.obstacle(); !why.empty()) return fail(Reason::unsupported, why);
         return {};
       },
       false},
      {"certificate", [this] { return check_certificate(); }, false},
  };
}

Status Node::State::check_certificate() {
  constexpr TimeMs renewal_due_ms = 7 * day_ms;
  auto facts = server ? server->tls_facts() : std::nullopt;
  if (!facts) return {};
  if (!facts->failure.empty()) return fail(Reason::invalid_parameter, facts->failure);
  if (facts->expires_at - clock.now() < renewal_due_ms) {
    return fail(Reason::timeout, "the certificate expires " + rfc3339(facts->expires_at));
  }
  return {};
}

std::string Node::State::metrics() {
  std::string text =
      requests.text() + audit.metrics() + queue.metrics() + registry.metrics() + process_metrics();
  text += fmt::format("# TYPE wharfage_connections gauge\nwharfage_connections {}\n", server->connections());
  if (auto facts = server->tls_facts()) {
    text += fmt::format(
        "# TYPE wharfage_tls_certificate_expires_seconds gauge\nwharfage_tls_certificate_expires_seconds {}\n"
        "# TYPE wharfage_tls_reload_failed gauge\nwharfage_tls_reload_failed {}\n",
        facts->expires_at / 1000, facts->failure.empty() ? 0 : 1);
  }
  if (auto stats = scans.advisories()) {
    text += fmt::format("# TYPE wharfage_vulndb_age_seconds gauge\nwharfage_vulndb_age_seconds {}\n",
                        (clock.now() - stats->imported_at) / 1000);
  }
  if (auto spare = base.blobs->free_bytes(); spare.ok()) {
    text += fmt::format("# TYPE wharfage_storage_free_bytes gauge\nwharfage_storage_free_bytes {}\n", *spare);
  }
  text += fmt::format("# TYPE wharfage_build_info gauge\nwharfage_build_info{{version=\"{}\"}} 1\n", version);
  return text;
}

std::vector<Chore> Node::State::chores() {
  std::vector<Chore> list{
      {"fold counters", 10'000, [this] { return registry.fold_pulls(); }},
      {"tidy accounts", 300'000, [this] { return auth.tidy(); }},
      {"scheduled retention", 10'000, [this] { return retention.tick(); }},
      {"scheduled signing", 10'000, [this] { return signing.tick(); }},
      {"scheduled synchronisation", 10'000, [this] { return sync.tick(); }},
      {"scheduled inventory", 10'000, [this] { return inventory.tick(); }},
      {"judging anew", 10'000, [this] { return scans.tick(); }},
      {"scheduled scrub", 60'000, [this] { return maintenance.tick(); }},
      {"fold usage of namespaces", 1'000, [this] { return policies.fold_usage(); }},
      {"forgetting tag history", 60'000, [this] { return policies.prune_history(); }},
      {"reclaiming", config.collect_interval_s * 1000,
       [this]() -> Status {
         for (bool more = true; more && !closing;) {
           TRY(more, policies.purge());
         }
         for (bool more = true; more && !closing;) {
           TRY(auto done, registry.collect(config.unreferenced_for_s * 1000));
           more = done.more;
           if (done.blobs || done.uploads || done.strays || done.bytes) {
             log.info("reclaimed", {{"blobs", done.blobs},
                                    {"bytes", done.bytes},
                                    {"uploads", done.uploads},
                                    {"strays", done.strays}});
           }
         }
         return {};
       },
       true},
  };
  if (config.vulndb_update_hours > 0) {
    list.push_back({"advisory update", config.vulndb_update_hours * 3'600'000,
                    [this]() -> Status {
                      TRY(auto files, fetch_advisories(config));
                      auto report = scans.import(files, scan::ImportMode::add);
                      std::error_code error;
                      for (const auto& file : files) std::filesystem::remove(file, error);
                      if (!report.ok()) return report.error();
                      return {};
                    },
                    true});
  }
  return list;
}

http::ServerOptions Node::State::server_options() const {
  http::ServerOptions options;
  options.host = address.host;
  options.port = address.port;
  options.loops = static_cast<std::size_t>(config.loops);
  options.connections_max = affordable_connections(config, log);
  options.trust_forwarded = config.trust_forwarded;
  options.connections_per_address_max = static_cast<std::size_t>(config.connections_per_address);
  options.transfer_rate_min = config.transfer_rate_min;
  options.received_bytes_max = static_cast<std::size_t>(config.request_memory_mb) << 20;
  options.unsent_bytes_max = static_cast<std::size_t>(config.response_memory_mb) << 20;
  options.timeouts.head = config.header_timeout_s * second_ms;
  options.timeouts.keep_alive = config.idle_timeout_s * second_ms;
  options.timeouts.body_idle = config.transfer_idle_s * second_ms;
  options.timeouts.response_idle = 2 * config.transfer_idle_s * second_ms;
  if (!config.tls_key.empty()) {
    options.tls = http::Tls{.certificate_file = config.tls_certificate,
                            .key_file = config.tls_key,
                            .client_ca_file = config.tls_client_ca,
                            .http2 = config.http2,
                            .client_required = config.tls_client_mode == "require"};
  }
  return options;
}

Status Node::State::open() {
  http::ServerOptions options = server_options();
  options.on_done = [this](const http::Request& request, int status, std::int64_t sent, std::int64_t micros) {
    requests.count(destination(request), request.method, status, sent, micros);
    if (!config.log_requests) return;
    std::vector<LogField> fields = {{"request", request.id},
                                    {"method", request.method},
                                    {"path", cut(request.path, 512)},
                                    {"status", std::int64_t{status}},
                                    {"sent", sent},
                                    {"micros", micros},
                                    {"peer", request.peer},
                                    {"protocol", std::string(request.protocol)}};
    if (request.certificate) fields.push_back({"certificate", request.certificate->subject});
    request_log.info("request", std::move(fields));
  };
  options.on_fault = [this](const http::Request& request, const Error& error) {
    if (destination(request) == Destination::oci) return oci::error_response(error);
    return http::Response::json(
        oci::wire_error(error.reason).status,
        fmt::format(R"({{"error":{{"code":{},"message":{}}}}})", json_string(reason_name(error.reason)),
                    json_string(error.message)));
  };
  TRY(server,
      http::Server::start(
          std::move(options), [this](const http::Request& head) { return route(head); }, workers, log));
  events.start();
  queue.start();
  housekeeping.emplace(chores(), log);
  return {};
}

void Node::State::close() {
  closing = true;
  if (server) server->stop(limits::drain_timeout_ms);
  if (housekeeping) housekeeping->stop();
  queue.stop();
  events.stop();
  workers.stop();
  audit.flush();
}

}  // namespace wharfage::node
