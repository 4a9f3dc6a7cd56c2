// `wharfage vulndb …`: advisory data without a running server. A server that runs on the same data notices
// the new file by itself.
#pragma once

#include <string>
#include <vector>

#include "node/config.h"

namespace wharfage::node {

int import_advisories(const Config& config, const std::vector<std::string>& paths);
int update_advisories(const Config& config, const std::vector<std::string>& paths);
int show_advisories(const Config& config, const std::vector<std::string>& paths);

// Downloads the archives of the systems we judge from scan.vulndb_mirror; the caller removes the files.
Result<std::vector<std::string>> fetch_advisories(const Config& config);
std::string advisory_file(const Config& config);

}  // namespace wharfage::node
