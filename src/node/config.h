// The configuration: every key is optional and the server runs with none. One table names each key once; it
// feeds the YAML reader, the WHARFAGE__SECTION__KEY environment, `wharfage config` and the documentation.
// Precedence: command line, environment, file, default. A key may be read from a file: <KEY>_FILE.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/log.h"
#include "base/result.h"
#include "base/time.h"
#include "http/limits.h"

namespace wharfage::node {

struct Config {
  // server
  std::string listen = "127.0.0.1:5000";
  std::string external_url;
  bool trust_forwarded = false;
  std::string tls_certificate, tls_key;
  bool http2 = true;
  std::int64_t workers = 16;
  std::int64_t loops = 2;
  std::int64_t connections_max = limits::connections_max;
  std::int64_t connections_per_address = limits::connections_per_address_max;
  std::int64_t header_timeout_s = limits::request_header_timeout_ms / second_ms;
  std::int64_t idle_timeout_s = limits::keep_alive_timeout_ms / second_ms;
  std::int64_t transfer_idle_s = limits::request_body_idle_timeout_ms / second_ms;
  std::int64_t transfer_rate_min = limits::transfer_rate_min;
  std::int64_t request_memory_mb = limits::received_bytes_max >> 20;
  std::int64_t response_memory_mb = limits::unsent_bytes_max >> 20;
  // tls
  std::string tls_client_ca;
  std::string tls_client_mode = "require";
  // storage
  std::string data;
  std::int64_t collect_interval_s = 300;
  std::int64_t unreferenced_for_s = 3600;
  std::string scrub = "weekly";  // off, weekly
  std::int64_t scrub_mb_per_s = 32;
  // instance: fixed at first start
  std::string instance_name = "wharfage";
  std::string alibaba_region = "cn-hangzhou", huawei_region = "cn-north-4";
  std::string domain_name = "wharfage";
  std::string cri_id, instance_uuid, project_id;
  std::int64_t ali_uid = 0;
  // registry
  bool create_namespaces = true;
  std::string token_service = "wharfage";
  bool sparse_indexes = false, sparse_images = false;
  std::int64_t delete_grace_s = 24 * 3600;
  std::int64_t tag_history_days = 90;
  std::vector<std::string> anonymous_namespaces;  // patterns
  std::string anonymous_access = "pull";
  // network: what our own client may reach
  bool allow_private = false;
  std::vector<std::string> allowed_addresses;
  // build
  bool build = true;
  std::int64_t builds_at_once = 2;
  std::int64_t build_timeout_s = 3600;
  std::int64_t build_memory_mb = 4096;
  std::string build_user = "wharfage-build";
  std::string build_network = "10.213.0.0/16";
  std::vector<std::string> build_file_roots;
  std::vector<std::string> build_egress_allow, build_egress_deny;
  std::string build_resolver;
  // scan
  bool scan_every_push = true;
  std::string vulndb_mirror = "https://osv-vulnerabilities.storage.googleapis.com";
  std::int64_t vulndb_update_hours = 0;  // 0: only on request
  // log
  LogLevel log_level = LogLevel::info;
  bool log_requests = true;
};

struct Key {
  std::string_view name;  // "server.listen"
  std::string_view about;
  std::function<Status(Config&, const std::vector<std::string>&)>
      set;  // a list for list keys, else one value
  std::function<std::string(const Config&)> get;
};
const std::vector<Key>& keys();

using Environment = std::map<std::string, std::string>;

// `file` may be empty. Errors: invalid_parameter, naming the key, its place and what is wrong; unknown keys
// too.
Result<Config> load_config(const std::string& file, const Environment& environment);
// "HOST:PORT", port 0: a free one.
bool is_listen_address(std::string_view text);
std::string show_config(const Config& config);  // YAML with every key, its value and meaning

}  // namespace wharfage::node
