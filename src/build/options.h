// What the composition root decides about builds. Sizes in bytes, times in milliseconds. Defaults are safe:
// a build reaches public addresses over TCP, the resolver and this registry, and nothing else.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/limits.h"

namespace wharfage::build {

struct Egress {
  bool public_addresses = true;  // false: only what `allow` names
  std::vector<std::string>
      allow;                      // "10.1.2.3", "10.1.0.0/16", "git.example.com", each with ":443" or without
  std::vector<std::string> deny;  // addresses and networks on top of the private ones
  std::vector<std::string> resolvers;  // addresses; empty: the host's
};

struct Options {
  bool enabled = true;        // false: every build fails and says so
  std::string work_folder;    // made when missing; builds in progress and cached layers
  std::string hidden_folder;  // the data folder: no build may see it; "" for none
  // Where this server listens, as "address:port"; 0.0.0.0 stands for 127.0.0.1.
  std::string registry_address;
  // Names by which a Dockerfile may call this registry besides registry_address: "registry.example.com".
  std::vector<std::string> registry_names;
  std::vector<std::string> search_registries = {"docker.io"};  // for short names, after this registry
  std::string user = "wharfage-build";                         // made when missing
  std::string network_range = "10.213.0.0/16";                 // each build takes a /30 of it
  std::string control_group = "wharfage-build";                // below the root of each hierarchy
  Egress egress;
  std::vector<std::string> file_roots;  // folders whose repositories file:// sources may name
  std::int64_t timeout_ms = limits::build_timeout_ms;
  std::int64_t memory_bytes = limits::build_memory_bytes_max;
  std::int64_t processes = limits::build_pids_max;
  int cpu_percent = 0;  // of one CPU; 0: no limit
  int concurrency = limits::build_concurrency;
  std::int64_t source_bytes = static_cast<std::int64_t>(limits::build_context_bytes_max);
  std::int64_t cache_bytes = limits::build_cache_bytes_max;
  std::int64_t disk_reserve_bytes = limits::build_disk_reserve_bytes;
};

}  // namespace wharfage::build
