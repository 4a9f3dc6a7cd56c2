// Synchronisation rules and tasks, as their clients use them.
#include "facade/alibaba/alibaba_fixture.h"

using namespace wharfage;
using namespace wharfage::alibaba;

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
