// Who is connected: how many in all, and how many from each client address, so that one of them cannot take
// every place. IPv6 clients own whole networks and are counted by the first 64 bits. Thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_map>

namespace wharfage::http {

class Crowd {
 public:
  enum class Verdict { admitted, full, address_full };
  // `peer` is an address without a port. Who is admitted must leave().
  Verdict admit(const std::string& peer, std::size_t max, std::size_t per_address_max);
  void leave(const std::string& peer);
  std::size_t count() const { return x_count; }

 private:
  std::atomic<std::size_t> x_count{0};
  std::mutex x_mutex;
  std::unordered_map<std::string, std::size_t> x_by_address;  // no zeros: as large as the crowd at most
};

}  // namespace wharfage::http
