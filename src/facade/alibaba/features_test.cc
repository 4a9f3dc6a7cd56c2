// Builds, scans, synchronisation and the connected registries, as their clients use them.
#include <fmt/format.h>

#include "facade/alibaba/alibaba_fixture.h"

using namespace wharfage;
using namespace wharfage::alibaba;

namespace {

// Refused to somebody who may not read it.
bool hidden(const std::string& refusal, const std::string& code) {
  return refusal == "403 NoPrivilege" || refusal == "200 " + code;
}

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
  CHECK(hidden(shop.refusal("GetRepoTagScanStatus", image, key), "REPO_NOT_EXIST"));
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

TEST_CASE("a repository is built from its source by its rules") {
  Shop shop;
  auto repository = shop.house.repository("team/app");
  std::string id = repository.public_id;
  std::map<std::string, std::string> source{
      {"RepoId", id}, {"CodeRepoType", "GITHUB"}, {"CodeRepoNamespaceName", "acme"}, {"CodeRepoName", "app"}};
  REQUIRE(shop.builds
              ->create_provider({.name = "github",
                                 .type = "GITHUB",
                                 .domain = "github.com",
                                 .url_template = "https://{domain}/{namespace}/{name}.git"},
                                "")
              .ok());
  CHECK(shop.refusal("GetRepoSourceCodeRepo", {{"RepoId", id}}) == "200 SOURCE_CODE_REPO_NOT_EXIST");
  auto automatic = source;
  automatic["AutoBuild"] = "true";
  CHECK(shop.refusal("CreateRepoSourceCodeRepo", automatic) == "400 UnsupportedOperation");
  source["DisableCacheBuild"] = "true";
  shop.call("CreateRepoSourceCodeRepo", source);
  CHECK(shop.refusal("CreateRepoSourceCodeRepo", source) == "200 SOURCE_CODE_REPO_ALREADY_EXIST");
  source.erase("DisableCacheBuild");
  source["CodeRepoName"] = "web";
  shop.call("UpdateRepoSourceCodeRepo", source);
  Reply got = shop.call("GetRepoSourceCodeRepo", {{"RepoId", id}});
  CHECK(got.text("CodeRepoDomain") == "github.com");
  CHECK(got.text("CodeRepoName") == "web");
  CHECK(got.at("DisableCacheBuild").as_string() == "true");
  CHECK(got.at("AutoBuild").as_string() == "false");
  source["DisableCacheBuild"] = "perhaps";
  CHECK(shop.refusal("UpdateRepoSourceCodeRepo", source) == "400 InvalidDisableCacheBuild");

  std::map<std::string, std::string> wanted{{"RepoId", id},
                                            {"PushType", "GIT_BRANCH"},
                                            {"PushName", "main"},
                                            {"ImageTag", "latest"},
                                            {"BuildArgs.1", "A=1"},
                                            {"BuildArgs.2", "B=2"},
                                            {"Platforms.1", "linux/amd64"}};
  std::string rule = shop.call("CreateRepoBuildRule", wanted).text("BuildRuleId");
  CHECK(rule.rfind("crbr-", 0) == 0);
  shop.call("UpdateRepoBuildRule",
            {{"RepoId", id}, {"BuildRuleId", rule}, {"ImageTag", "edge"}, {"BuildArgs.1", "C=3"}});
  Reply rules = shop.call("ListRepoBuildRule", {{"RepoId", id}});
  CHECK(rules.at("TotalCount").as_string() == "1");
  CHECK(rules.text("BuildRules.0.BuildRuleId") == rule);
  CHECK(rules.text("BuildRules.0.ImageTag") == "edge");
  CHECK(rules.text("BuildRules.0.PushName") == "main");
  CHECK(rules.text("BuildRules.0.BuildArgs") == R"(["C=3"])");
  CHECK(rules.text("BuildRules.0.Platforms") == R"(["linux/amd64"])");
  wanted["PushType"] = "GIT_MOON";
  CHECK(shop.refusal("CreateRepoBuildRule", wanted) == "400 InvalidPushType");

  std::map<std::string, std::string> record{
      {"RepoId", id},
      {"BuildRecordId",
       shop.call("CreateBuildRecordByRule", {{"RepoId", id}, {"BuildRuleId", rule}}).text("BuildRecordId")}};
  CHECK(shop.call("GetRepoBuildRecordStatus", record).text("BuildStatus") == "PENDING");
  Reply one = shop.call("GetRepoBuildRecord", {{"BuildRecordId", upper(record["BuildRecordId"])}});
  CHECK(one.text("BuildRecordId") == record["BuildRecordId"]);
  CHECK(one.text("Status") == "PENDING");
  CHECK(one.text("Image.RepoName") == "app");
  CHECK(one.text("Image.RepoNamespaceName") == "team");
  CHECK_FALSE(one.body.contains("StartTime"));
  CHECK_FALSE(one.body.contains("EndTime"));
  Reply log = shop.call("ListRepoBuildRecordLog", {{"BuildRecordId", record["BuildRecordId"]}});
  CHECK(log.at("TotalCount").as_string() == "0");
  CHECK(log.text("PageSize") == "100");
  CHECK(shop.refusal("ListRepoBuildRecordLog",
                     {{"BuildRecordId", record["BuildRecordId"]}, {"Offset", "-1"}}) == "400 InvalidOffset");

  shop.call("CancelRepoBuildRecord", record);
  Reply list = shop.call("ListRepoBuildRecord", {{"RepoId", id}});
  CHECK(list.at("TotalCount").as_string() == "1");
  CHECK(list.text("BuildRecords.0.BuildStatus") == "CANCELED");
  CHECK(list.at("BuildRecords.0.EndTime").is_string());
  CHECK(list.text("BuildRecords.0.Image.RepoId") == id);
  CHECK(
      shop.call("GetRepoBuildRecord", {{"BuildRecordId", record["BuildRecordId"]}}).at("EndTime").is_int64());
  CHECK(shop.refusal("CancelRepoBuildRecord", record) == "200 BUILD_FINISHED");
  CHECK(shop.call("CreateBuildRecordByRecord", record).text("BuildRecordId") != record["BuildRecordId"]);

  auto foreign = record;
  foreign["RepoId"] = shop.house.repository("team/other").public_id;
  CHECK(shop.refusal("GetRepoBuildRecordStatus", foreign) == "200 BUILD_RECORD_NOT_EXIST");
  Key key = shop.member("ann");
  CHECK(hidden(shop.refusal("GetRepoBuildRecord", {{"BuildRecordId", record["BuildRecordId"]}}, key),
               "BUILD_RECORD_NOT_EXIST"));
  shop.call("DeleteRepoBuildRule", {{"RepoId", id}, {"BuildRuleId", rule}});
  CHECK(shop.refusal("DeleteRepoBuildRule", {{"RepoId", id}, {"BuildRuleId", rule}}) ==
        "200 BUILD_RULE_NOT_EXIST");
}

TEST_CASE("synchronisation names registries by alias and region, and this instance by its own id") {
  Shop shop;
  auto repository = shop.house.repository("team/app");
  shop.house.repository("mirror/app");
  auto image = shop.house.push_image(repository, "one", {"1.0"});
  std::string own = shop.instance().cri_id, region = shop.instance().alibaba_region;
  std::map<std::string, std::string> wanted{{"NamespaceName", "team"},  {"SyncRuleName", "to mirror"},
                                            {"SyncScope", "NAMESPACE"}, {"RepoNameFilter", ".*"},
                                            {"TagFilter", "1.*"},       {"TargetInstanceId", own},
                                            {"TargetRegionId", region}, {"TargetNamespaceName", "mirror"}};
  std::string rule = shop.call("CreateRepoSyncRule", wanted).text("SyncRuleId");
  CHECK(rule.rfind("crsr-", 0) == 0);
  auto unknown = wanted;
  unknown["TargetInstanceId"] = "cri-nowhere";
  CHECK(shop.refusal("CreateRepoSyncRule", unknown) == "200 CONNECTION_NOT_EXIST");
  auto single = wanted;
  single["SyncScope"] = "REPO";
  single["SyncRuleName"] = "one";
  CHECK(shop.refusal("CreateRepoSyncRule", single) == "400 MissingRepoName");
  single["RepoName"] = "app";
  CHECK(shop.refusal("CreateRepoSyncRule", single) == "400 MissingTargetRepoName");
  single["TargetRepoName"] = "copy";
  single["SyncTrigger"] = "INITIATIVE";
  single["TargetUserId"] = "1234";
  shop.call("CreateRepoSyncRule", single);

  Reply list = shop.call("ListRepoSyncRule", {{"NamespaceName", "team"}, {"PageSize", "50"}});
  CHECK(list.at("TotalCount").as_int64() == 2);
  std::string first = list.text("SyncRules.0.SyncRuleId") == rule ? "SyncRules.0." : "SyncRules.1.";
  std::string second = first == "SyncRules.0." ? "SyncRules.1." : "SyncRules.0.";
  CHECK(list.text(first + "LocalInstanceId") == own);
  CHECK(list.text(first + "LocalNamespaceName") == "team");
  CHECK(list.text(first + "TargetInstanceId") == own);
  CHECK(list.text(first + "TargetRegionId") == region);
  CHECK(list.text(first + "TargetNamespaceName") == "mirror");
  CHECK(list.text(first + "SyncScope") == "NAMESPACE");
  CHECK(list.text(first + "SyncTrigger") == "PASSIVE");
  CHECK(list.text(first + "SyncDirection") == "FROM");
  CHECK(list.text(first + "CrossUser") == "false");
  CHECK(list.text(second + "SyncTrigger") == "INITIATIVE");
  CHECK(list.text(second + "LocalRepoName") == "app");
  CHECK(list.text(second + "TargetRepoName") == "copy");
  CHECK(list.text(second + "CrossUser") == "true");
  auto count = [&](const std::string& name, const std::string& value) {
    return shop.call("ListRepoSyncRule", {{name, value}}).text("TotalCount");
  };
  CHECK(count("RepoName", "app") == "1");
  CHECK(count("TargetInstanceId", own) == "2");
  CHECK(count("TargetInstanceId", "cri-nowhere") == "0");
  CHECK(count("TargetRegionId", region) == "2");
  CHECK(count("TargetRegionId", "moon-1") == "0");

  std::map<std::string, std::string> copy{{"RepoId", repository.public_id},
                                          {"Tag", "1.0"},
                                          {"TargetInstanceId", own},
                                          {"TargetRegionId", region},
                                          {"TargetNamespace", "mirror"},
                                          {"TargetRepoName", "app"},
                                          {"TargetTag", "2.0"}};
  std::string task = shop.call("CreateRepoSyncTask", copy).text("SyncTaskId");
  CHECK(task.rfind("rst-", 0) == 0);
  CHECK(shop.call("GetRepoSyncTask", {{"SyncTaskId", task}}).text("TaskStatus") == "PENDING");
  std::string by_rule = shop.call("CreateRepoSyncTaskByRule",
                                  {{"RepoId", repository.public_id}, {"SyncRuleId", rule}, {"Tag", "1.0"}})
                            .text("SyncTaskId");
  shop.call("CancelRepoSyncTask", {{"SyncTaskId", by_rule}});
  CHECK(shop.call("GetRepoSyncTask", {{"SyncTaskId", by_rule}}).text("TaskStatus") == "CANCELED");
  CHECK(shop.refusal("CancelRepoSyncTask", {{"SyncTaskId", by_rule}}) == "200 TASK_FINISHED");
  CHECK(shop.refusal("GetRepoSyncTask", {{"SyncTaskId", "rst-none"}}) == "200 SYNC_TASK_NOT_EXIST");

  shop.go();
  shop.settle();
  Reply done = shop.call("GetRepoSyncTask", {{"SyncTaskId", task}});
  CHECK(done.text("TaskStatus") == "SUCCESS");
  CHECK(done.text("Progress") == "1");
  CHECK(done.text("TaskTrigger") == "INITIATIVE");
  CHECK(done.text("ImageFrom.ImageTag") == "1.0");
  CHECK(done.text("ImageFrom.InstanceId") == own);
  CHECK(done.text("ImageTo.RepoNamespaceName") == "mirror");
  CHECK(done.text("ImageTo.ImageTag") == "2.0");
  CHECK(done.size("LayerTasks") > 0);
  CHECK(done.text("LayerTasks.0.TaskStatus") == "SUCCESS");
  CHECK_FALSE(done.body.contains("TaskIssue"));
  auto there = shop.house.registry->get_tag(shop.house.repository("mirror/app"), "2.0");
  REQUIRE(there.ok());
  CHECK(*there->manifest.digest == *image.digest);
  Reply tasks = shop.call("ListRepoSyncTask", {{"RepoNamespaceName", "team"}, {"RepoName", "app"}});
  CHECK(tasks.at("TotalCount").is_string());
  CHECK(tasks.size("SyncTasks") >= 2);
  CHECK(tasks.at("SyncTasks.0.ModifedTime") == tasks.at("SyncTasks.0.ModifiedTime"));
  CHECK(shop.call("ListRepoSyncTask", {{"SyncRecordId", done.text("SyncBatchTaskId")}, {"Tag", "1.0"}})
            .text("SyncTasks.0.SyncTaskId") == task);

  shop.call("DeleteRepoSyncRule", {{"SyncRuleId", rule}});
  CHECK(shop.refusal("DeleteRepoSyncRule", {{"SyncRuleId", rule}}) == "200 SYNC_RULE_NOT_EXIST");
}

TEST_CASE("connected registries are paged, changed and never tell their passwords") {
  Shop shop;
  auto ask = [&](std::string_view action, const std::map<std::string, std::string>& params) {
    return shop.ask(action, params, sas_version);
  };
  Reply own = ask("PageImageRegistry", {});
  CHECK(own.text("PageInfo.TotalCount") == "1");
  CHECK(own.text("List.0.RegistryType") == "acr");
  CHECK(own.text("List.0.DomainName") == "registry.example:5000");
  Reply added = ask("AddPrivateRegistry", {{"DomainName", "harbor.example"},
                                           {"ExtraParam", "[]"},
                                           {"NetType", "1"},
                                           {"Password", "hunter22"},
                                           {"ProtocolType", "2"},
                                           {"RegistryHostIp", "192.0.2.7"},
                                           {"RegistryRegionId", "cn-hangzhou"},
                                           {"RegistryType", "harbor"},
                                           {"RegistryVersion", "V2"},
                                           {"UserName", "robot"},
                                           {"TransPerHour", "10"}});
  CHECK(added.status == 200);
  std::string id = added.text("Data.Id");
  CHECK(added.text("Data.Password") == "******");
  Reply page = ask("PageImageRegistry", {{"RegistryTypeInList.1", "harbor"}, {"CurrentPage", "1"}});
  CHECK(page.text("PageInfo.Count") == "1");
  CHECK(page.text("List.0.DomainName") == "harbor.example");
  CHECK(page.text("List.0.GmtCreate").size() == 19);
  CHECK(page.text("List.0.Password") == "******");
  CHECK(page.text("List.0.UserName") == "robot");
  CHECK(json::serialize(page.body).find("hunter22") == std::string::npos);
  CHECK(ask("PageImageRegistry", {{"RegistryTypeNotInList.1", "harbor"}}).text("PageInfo.TotalCount") == "1");
  CHECK(ask("PageImageRegistry", {{"RegistryTypeInList.1", "moon"}}).code() == "InvalidRegistryTypeInList");
  CHECK(ask("PageImageRegistry", {{"CurrentPage", "0"}}).code() == "InvalidCurrentPage");

  CHECK(ask("ModifyImageRegistry", {{"Id", id}, {"TransPerHour", "99"}, {"Password", "******"}})
            .text("Success") == "true");
  CHECK(ask("PageImageRegistry", {{"RegistryNameLike", "harbor"}}).text("List.0.TransPerHour") == "99");
  Reply jenkins = ask("CreateJenkinsImageRegistry", {{"RegistryName", "ci"}, {"PersistenceDay", "7"}});
  CHECK(jenkins.text("Data.RegistryType") == "CI/CD");
  CHECK(jenkins.text("Data.PersistenceDay") == "7");
  CHECK_FALSE(jenkins.text("Data.Token").empty());
  CHECK(ask("ListPrivateRegistryType", {}).size("RegistryTypeInfos") == 4);
  CHECK(ask("DeletePrivateRegistry", {{"RegistryId", id}}).text("Data") == "true");
  Reply gone = ask("DeletePrivateRegistry", {{"RegistryId", id}});
  CHECK(gone.status == 404);
  CHECK(gone.code() == "CONNECTION_NOT_EXIST");
}
