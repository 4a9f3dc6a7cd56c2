#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/text.h"
#include "scan/advisory_builder.h"
#include "scan/advisory_import.h"
#include "scan/ecosystem.h"
#include "scan/layer_fixture.h"
#include "scan/osv.h"

using namespace wharfage;
using namespace wharfage::scan;
using testing::Folder;

namespace {

const FrozenClock frozen(1'800'000'000'000);

OsvRecord read_osv(std::string_view json) {
  OsvReader reader;
  auto record = reader.read(json);
  REQUIRE(record.ok());
  return *std::move(record);
}

// Whether any row of the package says that the version is affected is the matcher's business; here it is
// rows.
std::string rows_of(const AdvisoryDb& db, std::string_view release, std::string_view package) {
  std::string out;
  for (const auto& row : db.find_rows(release, package)) {
    out += std::string(db.view(row.advisory).id) + "[" + std::string(row.introduced) + "," +
           std::string(row.limit) + "]" + std::to_string(static_cast<int>(row.limit_kind)) + " ";
  }
  return out;
}

std::shared_ptr<const AdvisoryDb> import(const Folder& folder, ImportMode mode = ImportMode::add) {
  auto report = import_advisories({folder.path("in")}, folder.path("advisories.db"), mode, frozen);
  REQUIRE_MESSAGE(report.ok(), report.error().message);
  auto db = AdvisoryDb::open(folder.path("advisories.db"));
  REQUIRE(db.ok());
  return *std::move(db);
}

std::string record(std::string_view id, std::string_view modified, std::string_view rest) {
  return R"({"id":")" + std::string(id) + R"(","modified":")" + std::string(modified) + R"(",)" +
         std::string(rest) + "}";
}

std::string affected(std::string_view ecosystem, std::string_view package, std::string_view events) {
  return R"({"package":{"ecosystem":")" + std::string(ecosystem) + R"(","name":")" + std::string(package) +
         R"("},"ranges":[{"type":"ECOSYSTEM","events":[)" + std::string(events) + "]}]}";
}

}  // namespace

TEST_CASE("an OSV record becomes one advisory per family") {
  auto record = read_osv(
      R"json({"id":"DEBIAN-CVE-2024-1","modified":"2024-05-01T00:00:00.5Z","published":"2024-04-01T00:00:00Z",
    "summary":"A\u0007 hole","details":"Text\u0000.","upstream":["CVE-2024-1"],"aliases":["GHSA-x","CVE-2024-1"],
    "severity":[{"type":"CVSS_V2","score":"AV:N/AC:L/Au:N/C:C/I:C/A:C"},
                {"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}],
    "references":[{"type":"WEB","url":"https://example.org/a"},{"type":"WEB","url":"javascript:alert(1)"}],
    "affected":[
      {"package":{"ecosystem":"Debian:12","name":"openssl"},"ecosystem_specific":{"urgency":"low**"},
       "ranges":[{"type":"GIT","events":[{"introduced":"abc"}]},
                 {"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"3.0"}]}],"versions":["1.0","9.0"]},
      {"package":{"ecosystem":"Debian:13","name":"openssl"},"ecosystem_specific":{"urgency":"end-of-life"},
       "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"0"}]}]},
      {"package":{"ecosystem":"Alpine:v3.19","name":"openssl"},
       "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"last_affected":"3.1.4-r5"}]}]},
      {"package":{"ecosystem":"npm","name":"left-pad"},"ranges":[]}]})json");
  REQUIRE(record.advisories.size() == 2);
  const Advisory& alpine = record.advisories[0];
  const Advisory& debian = record.advisories[1];
  CHECK(debian.family == "Debian");
  CHECK(debian.id == "CVE-2024-1");
  CHECK_FALSE(debian.secondary);
  CHECK(debian.summary == "A  hole");
  CHECK(debian.aliases == std::vector<std::string>{"DEBIAN-CVE-2024-1", "GHSA-x"});
  CHECK(debian.references == std::vector<std::string>{"https://example.org/a"});
  CHECK(debian.cvss->tenths == 75);
  CHECK(rfc3339_ms(debian.modified) == "2024-05-01T00:00:00.500Z");
  REQUIRE(debian.ranges.size() == 2);
  CHECK(debian.ranges[0].limit == "3.0");
  CHECK(debian.ranges[0].vendor_severity == Severity::low);
  CHECK(debian.ranges[1].limit_kind == LimitKind::exact);  // 1.0 is inside the range, 9.0 is not
  CHECK(debian.ranges[1].introduced == "9.0");
  REQUIRE(alpine.ranges.size() == 1);
  CHECK(alpine.ranges[0].limit_kind == LimitKind::last_affected);
}

TEST_CASE("events are read in version order") {
  auto advisory =
      read_osv(record("CVE-1-1", "2024-01-01T00:00:00Z",
                      R"("affected":[)" +
                          affected("Debian:12", "p",
                                   R"({"fixed":"5"},{"introduced":"4"},{"introduced":"0"},{"fixed":"2"},
                                                                  {"introduced":"10"})") +
                          "]"))
          .advisories.at(0);
  REQUIRE(advisory.ranges.size() == 3);
  CHECK(advisory.ranges[0].limit == "2");
  CHECK(advisory.ranges[1].introduced == "4");
  CHECK(advisory.ranges[1].limit == "5");
  CHECK(advisory.ranges[2].introduced == "10");
  CHECK(advisory.ranges[2].limit_kind == LimitKind::none);
}

TEST_CASE("records that are not advisories are errors") {
  OsvReader reader;
  for (std::string_view json :
       {"", "{", "[]", "{}", "\"x\"", R"({"id":5})", R"({"id":"a b"})", "{\"id\":\"\xff\"}"}) {
    CHECK_MESSAGE(!reader.read(json).ok(), std::string(json));
  }
  auto odd =
      reader.read(R"({"id":"CVE-1","affected":[1,{},{"package":7},{"package":{"ecosystem":"Debian:12"}},
    {"package":{"ecosystem":"Debian:12","name":"p"},"ranges":7,"versions":{}}],"severity":"x","aliases":[1,null]})");
  REQUIRE(odd.ok());
  CHECK(odd->advisories.at(0).ranges.empty());
}

TEST_CASE("ecosystems are named as OSV names them") {
  CHECK(find_ecosystem("Debian:12")->release == "Debian:12");
  CHECK(find_ecosystem("Ubuntu:22.04:LTS")->release == "Ubuntu:22.04");
  CHECK(find_ecosystem("Wolfi")->scheme == VersionScheme::apk);
  for (std::string_view other :
       {"npm", "Debian", "Debian:", "Ubuntu:Pro:22.04:LTS", "AlmaLinux:9", "", "GIT"}) {
    CHECK_FALSE(find_ecosystem(other));
  }
  CHECK(find_ecosystem(OperatingSystem{.id = "debian", .version_id = "12"})->release == "Debian:12");
  CHECK(find_ecosystem(OperatingSystem{.id = "debian", .codename = "trixie"})->release == "Debian:13");
  CHECK(find_ecosystem(OperatingSystem{.id = "alpine", .version_id = "3.19.1"})->release == "Alpine:v3.19");
  CHECK(find_ecosystem(OperatingSystem{.id = "ubuntu", .version_id = "22.04"})->release == "Ubuntu:22.04");
  CHECK_FALSE(find_ecosystem(OperatingSystem{.id = "alpine", .version_id = "3.21_alpha20240807"}).ok());
  CHECK_FALSE(find_ecosystem(OperatingSystem{.id = "debian"}).ok());
  CHECK_FALSE(find_ecosystem(OperatingSystem{.id = "fedora", .version_id = "40"}).ok());
  CHECK(find_ecosystem(OperatingSystem{}).error().reason == Reason::scan_impossible);
}

TEST_CASE("an import adds, renews and forgets") {
  Folder folder;
  folder.write(
      "in/a.json",
      record("CVE-1-1", "2024-01-01T00:00:00Z",
             R"("affected":[)" + affected("Debian:12", "p", R"({"introduced":"0"},{"fixed":"2"})") + "]"));
  folder.write("in/deep/b.json",
               record("CVE-1-2", "2024-01-01T00:00:00Z",
                      R"("affected":[)" + affected("Alpine:v3.19", "p", R"({"introduced":"1"})") + "]"));
  folder.write("in/c.json",
               record("GHSA-1", "2024-01-01T00:00:00Z", R"("affected":[)" + affected("npm", "p", "") + "]"));
  folder.write("in/broken.json", "{");
  folder.write("in/readme.txt", "no advisory");
  auto first = import(folder);
  CHECK(rows_of(*first, "Debian:12", "p") == "CVE-1-1[,2]1 ");
  CHECK(rows_of(*first, "Alpine:v3.19", "p") == "CVE-1-2[1,]0 ");
  CHECK(rows_of(*first, "Debian:12", "q").empty());
  CHECK(rows_of(*first, "Debian:11", "p").empty());
  CHECK(first->has_release("Debian:12"));
  CHECK_FALSE(first->has_release("Debian:1"));

  // The same again is the same database.
  CHECK(import(folder)->generation() == first->generation());

  std::filesystem::remove_all(folder.path("in"));
  folder.write(
      "in/a.json",
      record("CVE-1-1", "2024-02-01T00:00:00Z",
             R"("affected":[)" + affected("Debian:12", "p", R"({"introduced":"0"},{"fixed":"3"})") + "]"));
  folder.write("in/b.json", record("CVE-1-2", "2024-02-01T00:00:00Z",
                                   R"("withdrawn":"2024-02-01T00:00:00Z","affected":[)" +
                                       affected("Alpine:v3.19", "p", "") + "]"));
  auto second = import(folder);
  CHECK(rows_of(*second, "Debian:12", "p") == "CVE-1-1[,3]1 ");
  CHECK(rows_of(*second, "Alpine:v3.19", "p").empty());
  CHECK(second->generation() != first->generation());
  CHECK(rows_of(*first, "Debian:12", "p") == "CVE-1-1[,2]1 ");  // who holds the old one keeps it

  // An older record changes nothing; starting anew forgets everything else.
  std::filesystem::remove_all(folder.path("in"));
  folder.write(
      "in/a.json",
      record("CVE-1-1", "2023-01-01T00:00:00Z",
             R"("affected":[)" + affected("Debian:12", "p", R"({"introduced":"0"},{"fixed":"1"})") + "]"));
  CHECK(rows_of(*import(folder), "Debian:12", "p") == "CVE-1-1[,3]1 ");
  CHECK(rows_of(*import(folder, ImportMode::replace), "Debian:12", "p") == "CVE-1-1[,1]1 ");
}

TEST_CASE("the first import makes the database's folder") {
  Folder folder;
  std::string database = folder.path("not there yet/advisories.db");
  folder.write("in/a.json", record("GHSA-1", "2024-01-01T00:00:00Z",
                                   R"("affected":[)" + affected("Debian:12", "p", "") + "]"));
  CHECK(import_advisories({folder.path("in")}, database, ImportMode::add, frozen).ok());
  CHECK(AdvisoryDb::open(database).ok());
}

TEST_CASE("an import that brings nothing changes nothing") {
  Folder folder;
  std::string database = folder.path("advisories.db");
  folder.write("in/a.json",
               record("GHSA-1", "2024-01-01T00:00:00Z", R"("affected":[)" + affected("npm", "p", "") + "]"));
  auto nothing = import_advisories({folder.path("in")}, database, ImportMode::add, frozen);
  REQUIRE_FALSE(nothing.ok());
  CHECK(nothing.error().reason == Reason::invalid_parameter);
  for (const std::string& elsewhere : {database, folder.path("not there yet/advisories.db")}) {
    auto missing = import_advisories({folder.path("missing")}, elsewhere, ImportMode::add, frozen);
    CHECK(missing.error().reason == Reason::invalid_parameter);
  }
  folder.write("bad.zip", "PK\3\4 this is no zip");
  CHECK_FALSE(import_advisories({folder.path("bad.zip")}, database, ImportMode::add, frozen).ok());
  CHECK(import_advisories({}, database, ImportMode::add, frozen).error().reason == Reason::missing_parameter);
  CHECK(AdvisoryDb::open(database).error().reason == Reason::not_found);
}

TEST_CASE("a damaged database is an error, whatever byte is wrong") {
  Folder folder;
  folder.write("in/a.json",
               record("CVE-1-1", "2024-01-01T00:00:00Z",
                      R"("aliases":["GHSA-1"],"affected":[)" +
                          affected("Debian:12", "p", R"({"introduced":"0"},{"fixed":"2"})") + "]"));
  import(folder);
  std::string good = folder.read("advisories.db");
  REQUIRE(good.size() > 300);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x55);
    folder.write("bad.db", bad);
    CHECK_MESSAGE(AdvisoryDb::open(folder.path("bad.db")).error().reason == Reason::storage_failed, i);
  }
  for (std::size_t size = 0; size < good.size(); size += 13) {
    folder.write("bad.db", good.substr(0, size));
    CHECK_FALSE(AdvisoryDb::open(folder.path("bad.db")).ok());
  }
}

TEST_CASE("real advisories of Debian and Alpine") {
  const char* data = std::getenv("WHARFAGE_TEST_DATA");
  if (!data) {
    MESSAGE("WHARFAGE_TEST_DATA is not set: skipped");
    return;
  }
  Folder folder;
  std::string osv = std::string(data) + "/osv/";
  auto report = import_advisories({osv + "Debian.zip", osv + "Alpine.zip"}, folder.path("advisories.db"),
                                  ImportMode::replace, frozen);
  REQUIRE(report.ok());
  CHECK(report->records == 38'347);
  CHECK(report->damaged == 0);
  CHECK(report->stats.rows > 130'000);
  CHECK(report->stats.bytes < 20'000'000);
  auto db = *AdvisoryDb::open(folder.path("advisories.db"));
  CHECK(db->find_rows("Debian:12", "linux").size() == 5968);
  CHECK(rows_of(*db, "Alpine:v3.19", "busybox").find("CVE-2023-42363[,1.36.1-r17]1") != std::string::npos);
  auto heartbleed_successor = db->find_advisory("Debian", "CVE-2023-0286");
  REQUIRE(heartbleed_successor);
  CHECK(db->view(*heartbleed_successor).cvss->tenths == 74);
  CHECK_FALSE(db->find_advisory("Debian", "CVE-2022-0778"));  // only in DSA-5103-1
  CHECK(db->view(*db->find_advisory("Debian", "DSA-5103-1")).cves.size() == 2);

  // AlmaLinux alone is nothing we judge.
  CHECK_FALSE(
      import_advisories({osv + "AlmaLinux.zip"}, folder.path("advisories.db"), ImportMode::add, frozen).ok());
}
