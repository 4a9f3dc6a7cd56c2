#include "node/config.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "base/glob.h"
#include "base/text.h"
#include "build/addresses.h"
#include "http/client.h"

namespace wharfage::node {
namespace {

using Values = std::vector<std::string>;

Error wrong(std::string_view why) {
  return fail(Reason::invalid_parameter, std::string(why));
}

Key text_key(std::string_view name, std::string_view about, std::string Config::* member) {
  return {name, about,
          [member](Config& config, const Values& values) -> Status {
            if (values.size() != 1) return wrong("needs one value");
            config.*member = values[0];
            return {};
          },
          [member](const Config& config) { return json_string(config.*member); }};
}

Key number_key(std::string_view name, std::string_view about, std::int64_t Config::* member, std::int64_t low,
               std::int64_t high) {
  return {name, about,
          [=](Config& config, const Values& values) -> Status {
            auto number = values.size() == 1 ? parse_integer(values[0]) : std::nullopt;
            if (!number || *number < low || *number > high) {
              return wrong(fmt::format("needs a number from {} to {}", low, high));
            }
            config.*member = *number;
            return {};
          },
          [member](const Config& config) { return fmt::to_string(config.*member); }};
}

Key switch_key(std::string_view name, std::string_view about, bool Config::* member) {
  return {name, about,
          [member](Config& config, const Values& values) -> Status {
            bool known = values.size() == 1 && (values[0] == "true" || values[0] == "false");
            if (!known) return wrong("needs true or false");
            config.*member = values[0] == "true";
            return {};
          },
          [member](const Config& config) { return std::string(config.*member ? "true" : "false"); }};
}

Key list_key(std::string_view name, std::string_view about, Values Config::* member) {
  return {name, about,
          [member](Config& config, const Values& values) -> Status {
            config.*member = values;
            return {};
          },
          [member](const Config& config) {
            std::string text;
            for (const auto& value : config.*member) text += (text.empty() ? "" : ", ") + json_string(value);
            return "[" + text + "]";
          }};
}

Key patterns_key(std::string_view name, std::string_view about, Values Config::* member) {
  Key key = list_key(name, about, member);
  key.set = [member](Config& config, const Values& values) -> Status {
    for (const auto& pattern : values) {
      if (Status valid = check_glob(pattern); !valid.ok()) return wrong("has the bad pattern " + pattern);
    }
    config.*member = values;
    return {};
  };
  return key;
}

// A text or a list whose values are looked at when the server starts, not when somebody needs them.
Key checked(Key key, bool (*good)(std::string_view), std::string_view what) {
  key.set = [set = std::move(key.set), good, what](Config& config, const Values& values) -> Status {
    for (const auto& value : values) {
      if (!value.empty() && !good(value)) return wrong(fmt::format("has {}, which is not {}", value, what));
    }
    return set(config, values);
  };
  return key;
}

bool is_host_address(std::string_view text) {
  return build::parse_address(text).has_value();
}

bool is_network(std::string_view text) {
  return build::parse_network(text).has_value();
}

// With room for the two addresses of a build.
bool is_build_range(std::string_view text) {
  auto network = build::parse_network(text);
  return network && network->prefix <= 30;
}

// A network or a host, with a port or without; names are resolved when a build starts.
bool is_target(std::string_view text) {
  auto target = build::parse_host_port(text);
  if (!target.ok() || build::parse_network(target->host)) return target.ok();
  bool numbers = target->host.find_first_not_of("0123456789.") == std::string::npos;
  return !numbers && target->host.find('/') == std::string::npos;
}

bool is_web_address(std::string_view text) {
  return http::parse_url(std::string(text)).ok();
}

Key choice_key(std::string_view name, std::string_view about, Values choices, std::string Config::* member) {
  Key key = text_key(name, about, member);
  key.set = [choices = std::move(choices), member](Config& config, const Values& values) -> Status {
    bool known = values.size() == 1 && std::find(choices.begin(), choices.end(), values[0]) != choices.end();
    if (!known) return wrong(fmt::format("needs one of {}", fmt::join(choices, ", ")));
    config.*member = values[0];
    return {};
  };
  return key;
}

constexpr std::string_view level_names[] = {"debug", "info", "warning", "error"};

Key mode_key() {
  return {"tls.client_mode",
          "with client_ca_file: require a certificate of every client, or make it optional",
          [](Config& config, const Values& values) -> Status {
            bool known = values.size() == 1 && (values[0] == "require" || values[0] == "optional");
            if (!known) return wrong("needs require or optional");
            config.tls_client_mode = values[0];
            return {};
          },
          [](const Config& config) { return config.tls_client_mode; }};
}

Key scrub_key() {
  return {"storage.scrub", "whether every blob is read and checked once a week: weekly, off",
          [](Config& config, const Values& values) -> Status {
            if (values.size() != 1 || (values[0] != "off" && values[0] != "weekly"))
              return wrong("needs off or weekly");
            config.scrub = values[0];
            return {};
          },
          [](const Config& config) { return config.scrub; }};
}

Key level_key() {
  return {"log.level", "least level that is logged: debug, info, warning, error",
          [](Config& config, const Values& values) -> Status {
            for (int level = 0; level < 4 && values.size() == 1; ++level) {
              if (values[0] != level_names[level]) continue;
              config.log_level = static_cast<LogLevel>(level);
              return {};
            }
            return wrong("needs debug, info, warning or error");
          },
          [](const Config& config) { return std::string(level_names[static_cast<int>(config.log_level)]); }};
}

std::vector<Key> make_keys() {
  constexpr std::int64_t many = 1'000'000'000;
  return {
      text_key("server.listen", "address and port; ports below 1024 need root", &Config::listen),
      text_key("server.external_url",
               "how clients see us, e.g. https://registry.example; default: each request's Host",
               &Config::external_url),
      switch_key("server.trust_forwarded",
                 "believe X-Forwarded-Proto, -Host and -For (its last address) of a proxy in front",
                 &Config::trust_forwarded),
      text_key("server.tls_certificate", "PEM chain; with tls_key this turns TLS on",
               &Config::tls_certificate),
      text_key("server.tls_key", "PEM private key", &Config::tls_key),
      switch_key("server.http2", "offer HTTP/2 to clients that come by TLS", &Config::http2),
      number_key("server.workers", "threads that run requests", &Config::workers, 2, 256),
      number_key("server.loops", "threads that serve sockets", &Config::loops, 1, 64),
      number_key("server.connections_max", "connections at the same time; more are turned away (503)",
                 &Config::connections_max, 8, 1'000'000),
      number_key("server.connections_per_address",
                 "of them from one client address or IPv6 /64 (429); raise it behind a proxy",
                 &Config::connections_per_address, 1, 1'000'000),
      number_key("server.header_timeout_s", "seconds a TLS handshake or the head of a request may take",
                 &Config::header_timeout_s, 1, 3600),
      number_key("server.idle_timeout_s", "seconds a connection may wait for its next request",
                 &Config::idle_timeout_s, 1, 3600),
      number_key("server.transfer_idle_s",
                 "seconds without a byte that end an upload; a download: twice that",
                 &Config::transfer_idle_s, 1, 3600),
      number_key("server.transfer_rate_min", "bytes a second below which a transfer is ended; 0: no minimum",
                 &Config::transfer_rate_min, 0, many),
      number_key("server.request_memory_mb",
                 "memory for requests that are collected before they run, all together; more get 503",
                 &Config::request_memory_mb, 1, 1 << 20),
      number_key("server.response_memory_mb",
                 "memory for answers that clients have not taken yet, all together; more get 503",
                 &Config::response_memory_mb, 1, 1 << 20),
      text_key("tls.client_ca_file", "PEM authorities of client certificates; empty: clients are not asked",
               &Config::tls_client_ca),
      mode_key(),
      text_key("storage.data", "folder of database, blobs and keys", &Config::data),
      number_key("storage.collect_interval_s", "seconds between reclaiming runs", &Config::collect_interval_s,
                 1, many),
      number_key("storage.unreferenced_for_s", "seconds a blob without a manifest is kept",
                 &Config::unreferenced_for_s, 0, many),
      scrub_key(),
      number_key("storage.scrub_mb_per_s", "how fast a scrub reads, in MiB per second",
                 &Config::scrub_mb_per_s, 1, many),
      text_key("instance.name", "name of the one instance", &Config::instance_name),
      text_key("instance.alibaba_region", "region shown to Alibaba clients", &Config::alibaba_region),
      text_key("instance.huawei_region", "region and project name shown to Huawei clients",
               &Config::huawei_region),
      text_key("instance.domain_name", "Huawei account name", &Config::domain_name),
      text_key("instance.cri_id", "Alibaba instance id, fixed at first start; default: random",
               &Config::cri_id),
      text_key("instance.uuid", "Huawei instance id, fixed at first start; default: random",
               &Config::instance_uuid),
      text_key("instance.project_id", "Huawei project id, fixed at first start; default: random",
               &Config::project_id),
      number_key("instance.ali_uid", "Alibaba account number, fixed at first start; 0: random",
                 &Config::ali_uid, 0, (std::int64_t{1} << 53) - 1),
      switch_key("registry.create_namespaces", "an administrator's push creates the namespace",
                 &Config::create_namespaces),
      text_key("registry.token_service", "service name in bearer challenges", &Config::token_service),
      switch_key("registry.sparse_indexes", "accept an index although manifests it lists are not here",
                 &Config::sparse_indexes),
      switch_key("registry.sparse_images", "accept an image although layers are not here; nobody can run it",
                 &Config::sparse_images),
      number_key("registry.delete_grace_s", "seconds in which what was deleted can come back; 0: not at all",
                 &Config::delete_grace_s, 0, many),
      number_key("registry.tag_history_days", "days for which changes of tags are remembered",
                 &Config::tag_history_days, 1, 36'500),
      patterns_key("registry.anonymous_namespaces",
                   "namespaces, or patterns like scratch-*, that need no login; default: none",
                   &Config::anonymous_namespaces),
      choice_key("registry.anonymous_access",
                 "what anybody may do there: pull, push (and pull), delete (and both)",
                 {"pull", "push", "delete"}, &Config::anonymous_access),
      switch_key("network.allow_private", "let connections, webhooks and feeds reach private addresses",
                 &Config::allow_private),
      list_key("network.allowed", "exceptions: CIDR, optionally with :port", &Config::allowed_addresses),
      switch_key("build.enabled", "run image builds on this node", &Config::build),
      number_key("build.at_once", "builds at the same time", &Config::builds_at_once, 1, 64),
      number_key("build.timeout_s", "seconds a build may take", &Config::build_timeout_s, 10, 24 * 3600),
      number_key("build.memory_mb", "memory of one build", &Config::build_memory_mb, 64, 1 << 20),
      text_key("build.user", "unprivileged account builds run as; created when missing", &Config::build_user),
      checked(text_key("build.network", "address range for build namespaces", &Config::build_network),
              is_build_range, "an IPv4 network of at least four addresses"),
      list_key("build.file_roots", "folders that file:// sources may lie in", &Config::build_file_roots),
      checked(list_key("build.egress_allow",
                       "addresses builds may reach besides public ones: CIDR or host, optionally with :port",
                       &Config::build_egress_allow),
              is_target, "an IPv4 network or a host, optionally with :port"),
      checked(list_key("build.egress_deny", "addresses builds may not reach", &Config::build_egress_deny),
              is_network, "an IPv4 network"),
      checked(text_key("build.resolver", "DNS server builds may use; default: the host's when it is public",
                       &Config::build_resolver),
              is_host_address, "an IPv4 address"),
      switch_key("scan.every_push",
                 "scan every tagged image that is pushed; else only where an AUTO rule says so",
                 &Config::scan_every_push),
      checked(
          text_key("scan.vulndb_mirror", "where advisories are fetched from: an OSV bucket or a copy of one",
                   &Config::vulndb_mirror),
          is_web_address, "the address of a web server"),
      number_key("scan.vulndb_update_hours", "hours between advisory updates; 0: only on request",
                 &Config::vulndb_update_hours, 0, 8760),
      level_key(),
      switch_key("log.requests", "log one line per request", &Config::log_requests),
  };
}

const Key* find_key(std::string_view name) {
  for (const Key& key : keys()) {
    if (key.name == name) return &key;
  }
  return nullptr;
}

Status set(Config& config, const std::string& name, const Values& values, const std::string& place) {
  const Key* key = find_key(name);
  if (!key) return wrong(fmt::format("{}: there is no setting {}", place, name));
  if (Status done = key->set(config, values); !done.ok()) {
    return wrong(fmt::format("{}: {} {}", place, name, done.error().message));
  }
  return {};
}

Status read_section(Config& config, const std::string& section, const YAML::Node& node,
                    const std::string& file) {
  if (!node.IsMap()) return wrong(fmt::format("{}: {} must hold settings", file, section));
  std::set<std::string> seen;
  for (const auto& entry : node) {
    std::string name = section + "." + entry.first.as<std::string>();
    if (!seen.insert(name).second) return wrong(fmt::format("{}: {} is there twice", file, name));
    Values values;
    if (entry.second.IsSequence()) {
      for (const auto& item : entry.second) values.push_back(item.as<std::string>());
    } else if (entry.second.IsScalar()) {
      values.push_back(entry.second.as<std::string>());
    } else {
      return wrong(fmt::format("{}: {} needs a value", file, name));
    }
    TRY_STATUS(set(config, name, values, file));
  }
  return {};
}

Status read_file(Config& config, const std::string& file) {
  try {
    YAML::Node root = YAML::LoadFile(file);
    if (root.IsNull()) return {};
    if (!root.IsMap()) return wrong(file + ": must hold sections");
    std::set<std::string> seen;
    for (const auto& section : root) {
      if (std::string name = section.first.as<std::string>(); !seen.insert(name).second)
        return wrong(fmt::format("{}: {} is there twice", file, name));
      TRY_STATUS(read_section(config, section.first.as<std::string>(), section.second, file));
    }
  } catch (const YAML::Exception& fault) {
    return wrong(fmt::format("{}: {}", file, fault.what()));
  }
  return {};
}

Result<std::string> contents(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  if (!in) return wrong("cannot read " + file);
  return std::string(trim(text.str()));
}

bool is_list(const std::string& name) {
  return name == "network.allowed" || name == "build.file_roots" || name == "registry.anonymous_namespaces" ||
         name.rfind("build.egress_", 0) == 0;
}

Values split_list(const std::string& text) {
  Values values;
  for (std::string_view part : split(text, ',')) {
    if (!trim(part).empty()) values.emplace_back(trim(part));
  }
  return values;
}

Status read_environment(Config& config, const Environment& environment) {
  constexpr std::string_view prefix = "WHARFAGE__", suffix = "_FILE";
  for (const auto& [variable, given] : environment) {
    if (variable.rfind(prefix, 0) != 0) continue;
    std::string name = lower(std::string_view(variable).substr(prefix.size()));
    auto gap = name.find("__");
    if (gap == name.npos) return wrong(variable + " must be WHARFAGE__SECTION__KEY");
    name.replace(gap, 2, ".");
    std::string value = given;
    bool from_file = !find_key(name) && name.size() > suffix.size() && upper(name).ends_with(suffix);
    if (from_file) {
      name.resize(name.size() - suffix.size());
      TRY(value, contents(given));
    }
    bool as_in_yaml = is_list(name) && value.starts_with('[') && value.ends_with(']') &&
                      (value.size() == 2 || value.find(',') != value.npos);
    if (as_in_yaml) return wrong(variable + " needs its values with commas between them, without brackets");
    TRY_STATUS(set(config, name, is_list(name) ? split_list(value) : Values{value}, variable));
  }
  return {};
}

std::string default_data(const Environment& environment) {
  if (auto state = environment.find("STATE_DIRECTORY"); state != environment.end()) return state->second;
  if (auto data = environment.find("XDG_DATA_HOME"); data != environment.end())
    return data->second + "/wharfage";
  auto home = environment.find("HOME");
  bool root = home == environment.end() || home->second == "/root";
  return root ? "/var/lib/wharfage" : home->second + "/.local/share/wharfage";
}

}  // namespace

const std::vector<Key>& keys() {
  static const std::vector<Key> table = make_keys();
  return table;
}

bool is_listen_address(std::string_view text) {
  auto colon = text.rfind(':');
  if (colon == text.npos || colon == 0) return false;
  auto port = parse_integer(text.substr(colon + 1));
  return port && *port >= 0 && *port <= 65535;
}

Result<Config> load_config(const std::string& file, const Environment& environment) {
  Config config;
  config.data = default_data(environment);
  if (!file.empty()) TRY_STATUS(read_file(config, file));
  TRY_STATUS(read_environment(config, environment));
  if (!is_listen_address(config.listen))
    return wrong("server.listen must be HOST:PORT, not " + config.listen);
  if (config.tls_certificate.empty() != config.tls_key.empty()) {
    return wrong("server.tls_certificate and server.tls_key go together");
  }
  if (!config.tls_client_ca.empty() && config.tls_key.empty()) {
    return wrong("tls.client_ca_file needs server.tls_certificate and server.tls_key");
  }
  Status addresses = http::check_policy({.allowed = config.allowed_addresses});
  if (!addresses.ok()) return wrong("network.allowed: " + addresses.error().message);
  if (config.external_url.ends_with('/')) config.external_url.pop_back();
  auto url = http::parse_url(config.external_url);
  bool web = config.external_url.empty() || (url.ok() && url->path_and_query == "/");
  if (!web)
    return wrong("server.external_url needs https:// or http:// with a host, and no path: " +
                 config.external_url);
  return config;
}

std::string show_config(const Config& config) {
  std::string text, section;
  for (const Key& key : keys()) {
    auto dot = key.name.find('.');
    std::string_view in = key.name.substr(0, dot);
    if (in != section) text += fmt::format("{}{}:\n", section.empty() ? "" : "\n", in);
    section = in;
    text += fmt::format("  # {}\n  {}: {}\n", key.about, key.name.substr(dot + 1), key.get(config));
  }
  return text;
}

}  // namespace wharfage::node
