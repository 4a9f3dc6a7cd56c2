#include "node/advisories.h"

#include <fmt/format.h>

#include <filesystem>

#include "http/client.h"
#include "node/exit.h"
#include "scan/advisory_import.h"

namespace wharfage::node {
namespace {

void show(const scan::AdvisoryStats& stats) {
  fmt::print("{} advisories, {} rows, newest of {}, imported {}\n", stats.advisories, stats.rows,
             rfc3339(stats.newest_modified), rfc3339(stats.imported_at));
  for (const auto& release : stats.releases) {
    fmt::print("  {:<16} {:>7} advisories on {:>6} packages\n", release.name, release.advisories,
               release.packages);
  }
}

}  // namespace

std::string advisory_file(const Config& config) {
  return config.data + "/advisories/advisories.db";
}

int import_advisories(const Config& config, const std::vector<std::string>& paths) {
  auto report = scan::import_advisories(paths, advisory_file(config), scan::ImportMode::add, SystemClock());
  if (!report.ok()) return complain(report.error());
  fmt::print("read {} records in {} ms: {} used, {} of other systems, {} withdrawn, {} unreadable\n",
             report->records, report->duration_ms, report->used, report->ignored, report->withdrawn,
             report->damaged);
  show(report->stats);
  return exit_ok;
}

int update_advisories(const Config& config, const std::vector<std::string>&) {
  auto fetched = fetch_advisories(config);
  if (!fetched.ok()) return complain(fetched.error());
  int code = import_advisories(config, *fetched);
  std::error_code error;
  for (const auto& file : *fetched) std::filesystem::remove(file, error);
  return code;
}

int show_advisories(const Config& config, const std::vector<std::string>&) {
  auto database = scan::AdvisoryDb::open(advisory_file(config));
  if (!database.ok()) {
    if (database.error().reason == Reason::not_found) {
      return complain(
          fail(Reason::not_found, "no advisory data was imported yet: wharfage vulndb import PATH…"));
    }
    return complain(database.error());
  }
  show((*database)->stats());
  return exit_ok;
}

}  // namespace wharfage::node
