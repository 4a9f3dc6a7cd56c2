#include "node/metrics.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace wharfage::node {
namespace {

constexpr std::string_view facade_names[] = {"health", "oci", "huawei", "alibaba", "native", "console"};
constexpr std::string_view method_names[] = {"GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "other"};

std::size_t method_index(std::string_view method) {
  auto found = std::find(std::begin(method_names), std::end(method_names), method);
  return found == std::end(method_names) ? 6 : found - std::begin(method_names);
}

}  // namespace

std::string_view facade_name(Destination facade) {
  return facade_names[static_cast<int>(facade)];
}

void RequestMetrics::count(Destination facade, std::string_view method, int status, std::int64_t bytes_sent,
                           std::int64_t micros) {
  auto status_class = static_cast<std::size_t>(std::clamp(status / 100, 0, 5));
  Cell& cell = x_cells[static_cast<std::size_t>(facade)][method_index(method)][status_class];
  cell.count.fetch_add(1, std::memory_order_relaxed);
  cell.micros.fetch_add(micros, std::memory_order_relaxed);
  cell.bytes.fetch_add(bytes_sent, std::memory_order_relaxed);
}

std::string RequestMetrics::text() const {
  std::string counts = "# TYPE wharfage_http_requests_total counter\n";
  std::string seconds = "# TYPE wharfage_http_request_seconds_total counter\n";
  std::string bytes = "# TYPE wharfage_http_sent_bytes_total counter\n";
  for (std::size_t facade = 0; facade < facades; ++facade) {
    for (std::size_t method = 0; method < methods; ++method) {
      for (std::size_t status = 0; status < classes; ++status) {
        const Cell& cell = x_cells[facade][method][status];
        std::int64_t count = cell.count.load(std::memory_order_relaxed);
        if (count == 0) continue;
        std::string labels = fmt::format("{{facade=\"{}\",method=\"{}\",code=\"{}xx\"}}",
                                         facade_names[facade], method_names[method], status);
        counts += fmt::format("wharfage_http_requests_total{} {}\n", labels, count);
        seconds += fmt::format("wharfage_http_request_seconds_total{} {:.6f}\n", labels,
                               static_cast<double>(cell.micros.load()) / 1e6);
        bytes += fmt::format("wharfage_http_sent_bytes_total{} {}\n", labels, cell.bytes.load());
      }
    }
  }
  return counts + seconds + bytes;
}

std::string process_metrics() {
  long pages = 0, resident = 0;
  if (FILE* statm = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(statm, "%ld %ld", &pages, &resident) != 2) resident = 0;
    std::fclose(statm);
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  double seconds = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                   static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  return fmt::format(
      "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes {}\n"
      "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total {:.3f}\n",
      resident * sysconf(_SC_PAGESIZE), seconds);
}

}  // namespace wharfage::node
