// Scans and the rules that start them, as their clients use them.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "facade/alibaba/alibaba_fixture.h"

using namespace wharfage;
using namespace wharfage::alibaba;

namespace {

// One file in a tar archive.
std::string tar_entry(const std::string& path, const std::string& content) {
  std::string head(512, '\0');
  auto put = [&](std::size_t at, const std::string& text) { head.replace(at, text.size(), text); };
  put(0, path);
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, fmt::format("{:011o}", content.size()));
  put(136, "00000000000");
  put(148, "        ");
  put(156, "0");
  put(257, std::string("ustar\0", 6) + "00");
  unsigned sum = 0;
  for (char c : head) sum += static_cast<unsigned char>(c);
  put(148, fmt::format("{:06o}", sum));
  head[154] = '\0';
  std::string padded = content;
  padded.resize((content.size() + 511) / 512 * 512, '\0');
  return head + padded;
}

// A Debian with one package, in one layer that is not compressed.
std::string debian(Shop& shop, const registry::Repository& repository) {
  std::string layer =
      tar_entry("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n") +
      tar_entry("var/lib/dpkg/status",
                "Package: libssl3\nStatus: install ok installed\nSource: openssl\nVersion: 3.0.11-1\n") +
      std::string(1024, '\0');
  std::string config = R"({"architecture":"amd64","os":"linux"})";
  using registry::descriptor;
  return registry::image_json(
      descriptor(shop.house.blob(repository, config), config.size(), registry::oci_config),
      {descriptor(shop.house.blob(repository, layer), layer.size(),
                  "application/vnd.oci.image.layer.v1.tar")});
}

void import_advisories(Shop& shop) {
  std::string folder = shop.house.base.folder.path("osv");
  std::filesystem::create_directory(folder);
  auto write = [&](const std::string& id, const std::string& severity) {
    std::ofstream(folder + "/" + id + ".json") << fmt::format(
        R"({{"id":"{}","modified":"2024-01-01T00:00:00Z","details":"A hole.",{}"affected":[{{"package":{{)"
        R"("ecosystem":"Debian:12","name":"openssl"}},"ranges":[{{"type":"ECOSYSTEM","events":[)"
        R"({{"introduced":"0"}},{{"fixed":"3.0.14-1"}}]}}]}}]}})",
        id, severity);
  };
  write("CVE-2024-1",
        R"("severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],)");
  write("CVE-2024-2", "");
  auto report = shop.scans->import({folder}, scan::ImportMode::add);
  REQUIRE_MESSAGE(report.ok(), report.error().message);
}

}  // namespace

TEST_CASE("a scan is started, followed by its request's id, and read") {
  Shop shop;
  auto repository = shop.house.repository("team/app");
  std::string id = repository.public_id;
  auto pushed = shop.house.push(repository, debian(shop, repository), {"1.0"});
  REQUIRE(pushed.ok());
  std::string digest = pushed->manifest.digest->text();
  import_advisories(shop);
  std::map<std::string, std::string> image{{"RepoId", id}, {"Tag", "1.0"}};
  CHECK(shop.refusal("GetRepoTagScanStatus", image) == "200 SCAN_TASK_NOT_EXIST");
  CHECK(shop.refusal("GetRepoTagScanStatus", {{"RepoId", id}}) == "400 MissingTag");
  CHECK(shop.refusal("GetRepoTagScanStatus", {}) == "400 MissingRepoId");
  auto elsewhere = image;
  elsewhere["ScanService"] = "SAS_SCAN_SERVICE";
  CHECK(shop.refusal("CreateRepoTagScanTask", elsewhere) == "400 InvalidScanService");

  Reply made = shop.call("CreateRepoTagScanTask", image);
  CHECK(made.body.size() == 3);
  std::map<std::string, std::string> task{{"ScanTaskId", made.text("RequestId")}};
  Reply status = shop.call("GetRepoTagScanStatus", task);
  CHECK(status.text("Status") == "SCANNING");
  CHECK(status.text("ScanService") == "ACR_SCAN_SERVICE");
  CHECK(shop.refusal("GetRepoTagScanSummary", task) == "200 CONFLICT");

  shop.go();
  shop.settle();
  task["ScanTaskId"] = lower(task["ScanTaskId"]);
  for (const auto& key :
       {task, image, {{"RepoId", id}, {"Digest", digest}}, {{"RepoId", id}, {"Digest", digest.substr(7)}}}) {
    CHECK(shop.call("GetRepoTagScanStatus", key).text("Status") == "COMPLETE");
    Reply summary = shop.call("GetRepoTagScanSummary", key);
    CHECK(summary.text("HighSeverity") == "1");  // critical, in truth
    CHECK(summary.text("UnknownSeverity") == "1");
    CHECK(summary.text("LowSeverity") == "0");
    CHECK(summary.text("TotalSeverity") == "2");
  }

  Reply results = shop.call("ListRepoTagScanResult", image);
  CHECK(results.at("TotalCount").as_int64() == 2);
  CHECK(results.text("Vulnerabilities.0.CveName") == "CVE-2024-1");
  CHECK(results.text("Vulnerabilities.0.Severity") == "High");
  CHECK(results.text("Vulnerabilities.0.Feature") == "openssl");
  CHECK(results.text("Vulnerabilities.0.Version") == "3.0.11-1");
  CHECK(results.text("Vulnerabilities.0.VersionFixed") == "3.0.14-1");
  CHECK(results.text("Vulnerabilities.0.VersionFormat") == "dpkg");
  CHECK(results.text("Vulnerabilities.0.ScanType") == "cve");
  CHECK(results.text("Vulnerabilities.0.AddedBy").rfind("sha256:", 0) == 0);
  auto with = [&](const std::string& name, const std::string& value) {
    auto params = image;
    params[name] = value;
    return shop.call("ListRepoTagScanResult", params);
  };
  CHECK(with("Severity", "High").text("TotalCount") == "1");
  CHECK(with("Severity", "Medium").text("TotalCount") == "0");
  CHECK(with("Severity", "Unknown").text("Vulnerabilities.0.CveName") == "CVE-2024-2");
  CHECK(with("VulQueryKey", "2024-2").text("TotalCount") == "1");
  CHECK(with("ScanType", "sca").text("TotalCount") == "0");
  CHECK(with("PageSize", "1").size("Vulnerabilities") == 1);
  Reply commands = with("FilterValue", "FixCmd");
  CHECK(commands.at("Vulnerabilities.0").as_object().size() == 1);
  CHECK(commands.text("Vulnerabilities.0.FixCmd").find("openssl") + 1 +
            commands.text("Vulnerabilities.0.FixCmd").find("libssl3") + 1 >
        0);
}

TEST_CASE("a scan that fails says why, and its results are refused") {
  Shop shop;
  auto repository = shop.house.repository("team/app");
  shop.house.push_image(repository, "no system in here", {"1.0"});
  std::map<std::string, std::string> image{{"RepoId", repository.public_id}, {"Tag", "1.0"}};
  shop.call("CreateRepoTagScanTask", image);
  shop.go();
  shop.settle();
  CHECK(shop.call("GetRepoTagScanStatus", image).text("Status") == "FAILED");
  CHECK(shop.refusal("GetRepoTagScanSummary", image) == "200 SCAN_NOT_POSSIBLE");
  CHECK(shop.refusal("ListRepoTagScanResult", image) == "200 SCAN_NOT_POSSIBLE");
  Key key = shop.member("ann");
  CHECK(shop.refusal("GetRepoTagScanStatus", image, key) == "200 REPO_NOT_EXIST");
}

TEST_CASE("scan rules answer with the codes their clients can read") {
  Shop shop;
  shop.house.repository("team/app");
  std::map<std::string, std::string> rule{{"RuleName", "all"},           {"ScanScope", "REPO"},
                                          {"TriggerType", "AUTO"},       {"RepoTagFilterPattern", "v.*"},
                                          {"Namespaces", R"(["team"])"}, {"RepoNames", R"(["app","web"])"}};
  Reply made = shop.call("CreateScanRule", rule);
  CHECK(made.at("Code").as_int64() == 200);
  CHECK_FALSE(made.body.contains("IsSuccess"));
  std::string id = made.text("ScanRuleId");
  CHECK(id.rfind("crscnr-", 0) == 0);
  // A refusal with HTTP 200 would carry a Code that is no number.
  CHECK(shop.refusal("CreateScanRule", rule) == "400 SCAN_RULE_ALREADY_EXIST");

  Reply got = shop.call("GetScanRule", {{"ScanRuleId", id}});
  CHECK(got.code() == "success");
  CHECK(got.at("ScanRule.CreateTime").is_int64());
  CHECK(got.text("ScanRule.RepoNames") == R"(["app","web"])");
  CHECK(got.text("ScanRule.ScanType") == "VUL");
  auto change = rule;
  change["ScanRuleId"] = id;
  change["ScanScope"] = "INSTANCE";
  change["RuleName"] = "every";
  CHECK(shop.call("UpdateScanRule", change).at("Code").as_int64() == 200);
  Reply list = shop.call("ListScanRule", {});
  CHECK(list.at("TotalCount").as_int64() == 1);
  CHECK(list.text("ScanRules.0.RuleName") == "every");
  CHECK(list.text("ScanRules.0.ScanScope") == "INSTANCE");
  CHECK(shop.call("ListScanRule", {{"ScanType", "SBOM"}}).text("TotalCount") == "0");
  CHECK(shop.ask("ListScanRule", {}).good());

  Reply deleted = shop.call("DeleteScanRule", {{"ScanRuleId", id}});
  CHECK(deleted.code() == "success");
  CHECK(deleted.body.size() == 2);
  CHECK(shop.refusal("GetScanRule", {{"ScanRuleId", id}}) == "200 SCAN_RULE_NOT_EXIST");
  CHECK(shop.refusal("DeleteScanRule", {}) == "400 MissingScanRuleId");
  rule["ScanScope"] = "GALAXY";
  CHECK(shop.refusal("CreateScanRule", rule) == "400 InvalidScanScope");
  rule["ScanScope"] = "NAMESPACE";
  rule["RepoTagFilterPattern"] = "(";
  CHECK(shop.refusal("CreateScanRule", rule) == "400 InvalidRepoTagFilterPattern");
}
