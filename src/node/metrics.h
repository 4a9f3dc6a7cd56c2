// What only the node sees: requests by facade, method and status. Counted on the event loops without a lock.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include "http/message.h"
#include "node/dispatch.h"

namespace wharfage::node {

class RequestMetrics {
 public:
  void count(Destination facade, std::string_view method, int status, std::int64_t bytes_sent,
             std::int64_t micros);
  std::string text() const;  // Prometheus exposition

 private:
  static constexpr std::size_t facades = 6, methods = 7, classes = 6;
  struct Cell {
    std::atomic<std::int64_t> count{0}, micros{0}, bytes{0};
  };
  std::array<std::array<std::array<Cell, classes>, methods>, facades> x_cells;
};

// Resident memory and processor time of this process.
std::string process_metrics();
std::string_view facade_name(Destination facade);

}  // namespace wharfage::node
