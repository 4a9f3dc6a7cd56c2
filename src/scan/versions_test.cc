#include "scan/versions.h"

#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <vector>

#include "base/text.h"

using namespace wharfage;
using namespace wharfage::scan;

namespace {

std::vector<std::vector<std::string>> read_rows(const std::string& name) {
  std::ifstream file(WHARFAGE_SOURCE_DIR "/tests/data/version-vectors/" + name);
  REQUIRE_MESSAGE(file.good(), name);
  std::vector<std::vector<std::string>> rows;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::vector<std::string> columns;
    for (std::string_view column : split(line, '\t')) columns.emplace_back(column);
    rows.push_back(columns);
  }
  return rows;
}

std::string relation(std::weak_ordering order) {
  return order < 0 ? "<" : order > 0 ? ">" : "=";
}

int count_disagreements(const std::string& name, VersionScheme scheme) {
  int wrong = 0;
  auto rows = read_rows(name);
  CHECK(rows.size() > 90);
  for (const auto& row : rows) {
    if (row.size() < 3) continue;
    std::string expected = row[1];
    std::string opposite = expected == "<" ? ">" : expected == ">" ? "<" : "=";
    bool right = relation(compare_versions(scheme, row[0], row[2])) == expected &&
                 relation(compare_versions(scheme, row[2], row[0])) == opposite;
    CHECK_MESSAGE(right, row[0], " ", expected, " ", row[2]);
    wrong += !right;
  }
  return wrong;
}

}  // namespace

TEST_CASE("dpkg versions compare as dpkg compares them") {
  CHECK(count_disagreements("deb.tsv", VersionScheme::dpkg) == 0);
}

TEST_CASE("apk versions compare as apk compares them") {
  CHECK(count_disagreements("apk.tsv", VersionScheme::apk) == 0);
}

TEST_CASE("apk versions are recognised") {
  int seen = 0;
  for (const auto& row : read_rows("apk-validity.tsv")) {
    if (row.size() < 2 || row[1] == "fuzzy") continue;
    CHECK_MESSAGE(apk_version_valid(row[0]) == (row[1] == "valid"), row[0]);
    ++seen;
  }
  CHECK(seen > 25);
}

TEST_CASE("numbers longer than any integer type still compare as numbers") {
  CHECK(compare_dpkg_versions("1.99999999999999999999", "1.100000000000000000000") < 0);
  CHECK(compare_apk_versions("1_git20240101123456789012", "1_git20240101123456789013") < 0);
  CHECK(compare_dpkg_versions("4294967296:1", "1:1") > 0);
}

TEST_CASE("a commit stands between suffix and revision") {
  CHECK(compare_apk_versions("1.0_git20240101~abc-r0", "1.0_git20240101~abc-r1") < 0);
  CHECK(compare_apk_versions("1.0~abc", "1.0~abd") < 0);
  CHECK(compare_apk_versions("1.0", "1.0~abc") < 0);
}

TEST_CASE("hostile text sorts without failing") {
  for (std::string text :
       {"", ":", "-", "~", "1:", ":1-", "\xff\xff", "_", "-r", "1_alpha_", "....", "1-r-1"}) {
    CHECK(compare_dpkg_versions(text, text) == 0);
    CHECK(compare_apk_versions(text, text) == 0);
    CHECK((compare_dpkg_versions(text, "1") < 0) == (compare_dpkg_versions("1", text) > 0));
    CHECK((compare_apk_versions(text, "1") < 0) == (compare_apk_versions("1", text) > 0));
  }
}
