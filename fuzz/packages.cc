// Package databases and os-release files out of strangers' images, and stored analyses.
#include <algorithm>

#include "input.h"
#include "scan/packages.h"

using namespace wharfage;

namespace {

void check(const char* path, const std::vector<scan::Package>& packages) {
  auto is_clean = [](const std::string& text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
  };
  for (const auto& package : packages) {
    fuzz::demand(!package.name.empty() && !package.version.empty());
    fuzz::demand(is_clean(package.name) && is_clean(package.version) && is_clean(package.source_name));
    fuzz::demand(is_clean(package.architecture) && is_clean(package.licence));
  }
  scan::LayerAnalysis analysis;
  analysis.databases[path] = packages;
  auto again = scan::read_analysis(scan::write_analysis(analysis));
  fuzz::demand(again.ok() && *again == analysis);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = fuzz::text_of(data, size);
  check("var/lib/dpkg/status", scan::parse_dpkg(text));
  check("lib/apk/db/installed", scan::parse_apk(text));
  (void)scan::parse_os_release(text);
  if (auto analysis = scan::read_analysis(text); analysis.ok()) (void)scan::merge_layers({*analysis});
  return 0;
}
