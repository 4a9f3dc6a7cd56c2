#include "scan/matcher.h"

#include <doctest/doctest.h>

#include <cstdlib>

#include "scan/advisory_builder.h"
#include "scan/advisory_import.h"
#include "scan/layer_fixture.h"

using namespace wharfage;
using namespace wharfage::scan;
using testing::Folder;

namespace {

ImageContents debian(std::string_view status) {
  ImageContents image{.system = {.id = "debian", .version_id = "12"}, .has_database = true};
  int layer = 0;
  for (Package& package : parse_dpkg(status)) image.packages.push_back({std::move(package), layer++});
  return image;
}

Advisory advisory(std::string id, std::string package, std::string introduced, std::string fixed) {
  Advisory advisory{.family = "Debian", .id = std::move(id), .summary = "summary"};
  advisory.secondary = !advisory.id.starts_with("CVE-");
  advisory.ranges.push_back({.release = "Debian:12",
                             .package = std::move(package),
                             .introduced = std::move(introduced),
                             .limit = fixed,
                             .limit_kind = fixed.empty() ? LimitKind::none : LimitKind::fixed});
  return advisory;
}

std::shared_ptr<const AdvisoryDb> build(const Folder& folder, const std::vector<Advisory>& advisories) {
  AdvisoryBuilder builder;
  for (const Advisory& advisory : advisories) REQUIRE(builder.put(advisory).ok());
  auto bytes = builder.build(1'800'000'000'000);
  REQUIRE(bytes.ok());
  REQUIRE(replace_file(folder.path("db"), *bytes).ok());
  auto db = AdvisoryDb::open(folder.path("db"));
  REQUIRE(db.ok());
  return *db;
}

Judgement judged(const ImageContents& image, const AdvisoryDb& db) {
  auto judgement = judge(image, &db);
  REQUIRE_MESSAGE(judgement.ok(), judgement.error().message);
  return *std::move(judgement);
}

std::string ids_of(const Judgement& judgement) {
  std::string ids;
  for (const Finding& finding : judgement.findings) ids += finding.id + " ";
  return ids;
}

}  // namespace

TEST_CASE("findings speak of the source package and name its binaries") {
  Folder folder;
  Advisory hole = advisory("CVE-2024-1", "openssl", "", "3.0.14-1~deb12u1");
  hole.cvss_vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H";
  hole.cvss = score_cvss(hole.cvss_vector);
  hole.aliases = {"GHSA-1"};
  hole.details = "Reading too far.";
  auto db = build(folder, {hole});
  auto image = debian(
      "Package: libc6\nVersion: 2.36\nSource: glibc\n\nPackage: libssl3\nVersion: 3.0.11-1~deb12u2\nSource: "
      "openssl\n\n"
      "Package: openssl\nVersion: 3.0.11-1~deb12u2\n");
  auto judgement = judged(image, *db);
  REQUIRE(judgement.findings.size() == 1);
  const Finding& finding = judgement.findings[0];
  CHECK(finding.id == "CVE-2024-1");
  CHECK(finding.package == "openssl");
  CHECK(finding.version == "3.0.11-1~deb12u2");
  CHECK(finding.binaries == std::vector<std::string>{"libssl3", "openssl"});
  CHECK(finding.fixed_version == "3.0.14-1~deb12u1");
  CHECK(finding.severity == Severity::high);
  CHECK(finding.severity_source == SeveritySource::cvss);
  CHECK(finding.cvss_tenths == 75);
  CHECK(finding.layer == 1);
  CHECK(finding.link == "https://security-tracker.debian.org/tracker/CVE-2024-1");
  CHECK(finding.fix_command == "apt-get update && apt-get install -y --only-upgrade libssl3 openssl");
  CHECK(finding.description == "Reading too far.");
  CHECK(finding.aliases == std::vector<std::string>{"GHSA-1"});
  CHECK(judgement.release == "Debian:12");
  CHECK(judgement.generation == db->generation());
  CHECK(judgement.counts.of(Severity::high) == 1);
  CHECK(judgement.counts.total() == 1);
  CHECK(judgement.counts.fixable == 1);
}

TEST_CASE("the source's version decides, not the binary's") {
  Folder folder;
  auto db = build(folder, {advisory("CVE-1-1", "gcc-12", "", "12.2.0-14")});
  CHECK(judged(debian("Package: a\nVersion: 1\nSource: gcc-12 (12.2.0-14)\n"), *db).findings.empty());
  CHECK(judged(debian("Package: a\nVersion: 99\nSource: gcc-12 (12.2.0-13)\n"), *db).findings.size() == 1);
  CHECK(judged(debian("Package: gcc-12\nVersion: 12.2.0-14~x\n"), *db).findings.size() == 1);
}

TEST_CASE("the ends of a range") {
  Folder folder;
  Advisory last = advisory("CVE-1-2", "p", "2", "3");
  last.ranges[0].limit_kind = LimitKind::last_affected;
  Advisory exact = advisory("CVE-1-3", "p", "7", "");
  exact.ranges[0].limit_kind = LimitKind::exact;
  auto db =
      build(folder, {advisory("CVE-1-1", "p", "2", "3"), last, exact, advisory("CVE-1-4", "p", "9", "")});
  auto at = [&](std::string version) {
    return ids_of(judged(debian("Package: p\nVersion: " + version + "\n"), *db));
  };
  CHECK(at("1").empty());
  CHECK(at("2") == "CVE-1-1 CVE-1-2 ");
  CHECK(at("3") == "CVE-1-2 ");
  CHECK(at("3.1").empty());
  CHECK(at("7") == "CVE-1-3 ");
  CHECK(at("9") == "CVE-1-4 ");
  CHECK(at("99") == "CVE-1-4 ");
}

TEST_CASE("a notice counts only for CVEs without a record of their own") {
  Folder folder;
  Advisory notice = advisory("DSA-1-1", "p", "", "2");
  notice.cves = {"CVE-1-1", "CVE-1-2"};
  Advisory later = advisory("DLA-2-1", "p", "", "3");
  later.cves = {"CVE-1-2"};
  auto db =
      build(folder, {notice, later, advisory("CVE-1-1", "p", "", "1.5"), advisory("DSA-3-1", "p", "", "4")});
  auto judgement = judged(debian("Package: p\nVersion: 1.9\n"), *db);
  CHECK(ids_of(judgement) == "CVE-1-2 DSA-3-1 ");
  CHECK(judgement.findings[0].fixed_version == "3");  // both notices must be followed
  CHECK(judgement.findings[0].aliases.at(0) == "DLA-2-1");
  CHECK(judgement.findings[0].link.ends_with("/CVE-1-2"));
}

TEST_CASE("the vendor's word comes before the score, and unimportant things are hidden") {
  Folder folder;
  auto with_score = [](Advisory advisory, std::optional<Severity> vendor) {
    advisory.cvss = CvssScore{31, 98};
    advisory.ranges[0].vendor_severity = vendor;
    return advisory;
  };
  auto db = build(folder, {with_score(advisory("CVE-1-1", "p", "", ""), Severity::low),
                           with_score(advisory("CVE-1-2", "p", "", ""), std::nullopt),
                           with_score(advisory("CVE-1-3", "p", "", ""), Severity::negligible),
                           advisory("CVE-1-4", "p", "", "")});
  auto judgement = judged(debian("Package: p\nVersion: 1\n"), *db);
  CHECK(ids_of(judgement) == "CVE-1-2 CVE-1-1 CVE-1-3 CVE-1-4 ");
  CHECK(judgement.findings[0].severity == Severity::critical);
  CHECK(judgement.findings[1].severity_source == SeveritySource::vendor);
  CHECK(judgement.findings[2].hidden == HiddenBecause::unimportant);
  CHECK(judgement.findings[3].severity == Severity::unknown);
  CHECK(judgement.counts.hidden == 1);
  CHECK(judgement.counts.total() == 3);
  CHECK(judgement.counts.of(Severity::negligible) == 0);
  CHECK(judgement.findings[0].fix_command.empty());
}

TEST_CASE("kernel headers do not make an image vulnerable") {
  Folder folder;
  auto db = build(folder, {advisory("CVE-1-1", "linux", "", "7")});
  auto headers = judged(debian("Package: linux-libc-dev\nVersion: 6\nSource: linux\n"), *db);
  CHECK(headers.findings.at(0).hidden == HiddenBecause::kernel_headers);
  CHECK(headers.counts.total() == 0);
  auto kernel = judged(debian("Package: linux-libc-dev\nVersion: 6\nSource: linux\n\n"
                              "Package: linux-image-amd64\nVersion: 6\nSource: linux\n"),
                       *db);
  CHECK(kernel.counts.total() == 1);
}

TEST_CASE("a package's name never becomes part of a shell command unless it is harmless") {
  Folder folder;
  auto db = build(folder, {advisory("CVE-1-1", "p", "", "7")});
  auto judgement = judged(debian("Package: $(reboot)\nVersion: 6\nSource: p\n"), *db);
  CHECK(judgement.findings.at(0).fix_command.empty());
  CHECK(judgement.findings.at(0).fixed_version == "7");
}

TEST_CASE("what cannot be judged is never clean") {
  Folder folder;
  auto db = build(folder, {advisory("CVE-1-1", "p", "", "7")});
  auto message = [&](ImageContents image, const AdvisoryDb* advisories) {
    auto judgement = judge(image, advisories);
    REQUIRE_FALSE(judgement.ok());
    CHECK(judgement.error().reason == Reason::scan_impossible);
    return judgement.error().message;
  };
  ImageContents image = debian("Package: p\nVersion: 6\n");
  CHECK(message(image, nullptr).find("no advisories have been imported") != std::string::npos);
  image.system.version_id = "11";
  CHECK(message(image, db.get()) == "there are no advisories for Debian:11");
  image.system = {.id = "fedora", .version_id = "40", .pretty_name = "Fedora 40"};
  CHECK(message(image, db.get()) == "the operating system is not supported: Fedora 40");
  image.system = {};
  CHECK(message(image, db.get()) == "the image names no operating system");
  image = debian("");
  image.has_database = false;
  CHECK(message(image, db.get()) == "the image holds no package database");
  CHECK(judge(debian(""), db.get()).ok());  // an empty database is knowledge, too
}

TEST_CASE("real images against real advisories") {
  const char* data = std::getenv("WHARFAGE_TEST_DATA");
  if (!data) {
    MESSAGE("WHARFAGE_TEST_DATA is not set: skipped");
    return;
  }
  Folder folder;
  FrozenClock clock(1'800'000'000'000);
  std::string osv = std::string(data) + "/osv/";
  REQUIRE(import_advisories({osv + "Debian.zip", osv + "Alpine.zip"}, folder.path("db"), ImportMode::replace,
                            clock)
              .ok());
  auto db = *AdvisoryDb::open(folder.path("db"));
  auto judgement = judged(
      debian(
          "Package: libssl3\nVersion: 3.0.7-1\nSource: openssl\n\nPackage: xz-utils\nVersion: 5.4.1-0.2\n"),
      *db);
  CHECK(ids_of(judgement).find("CVE-2023-0286 ") != std::string::npos);
  CHECK(ids_of(judgement).find("CVE-2024-3094 ") == std::string::npos);  // never was in Debian 12
  for (const Finding& finding : judgement.findings) {
    if (finding.id != "CVE-2023-0286") continue;
    CHECK(finding.fixed_version == "3.0.8-1");
    CHECK(finding.severity == Severity::high);
  }
  ImageContents eleven = debian("Package: openssl\nVersion: 1.1.1k-1+deb11u1\n");
  eleven.system.version_id = "11";
  CHECK(ids_of(judged(eleven, *db)).find("CVE-2022-0778 ") != std::string::npos);  // only a DSA tells of it

  ImageContents alpine{.system = {.id = "alpine", .version_id = "3.19.0"}, .has_database = true};
  for (Package& package :
       parse_apk("P:busybox-binsh\nV:1.36.1-r15\no:busybox\n\nP:musl\nV:1.2.4_git20230717-r4\n")) {
    alpine.packages.push_back({package, 0});
  }
  auto found = judged(alpine, *db);
  CHECK(ids_of(found).find("CVE-2023-42363 ") != std::string::npos);
  CHECK(found.findings.at(0).fix_command == "apk update && apk upgrade busybox-binsh");
}
