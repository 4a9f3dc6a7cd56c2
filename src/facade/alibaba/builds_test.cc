// Sources, rules and builds, as their clients use them.
#include "facade/alibaba/alibaba_fixture.h"

using namespace wharfage;
using namespace wharfage::alibaba;

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
  CHECK(shop.refusal("GetRepoBuildRecord", {{"BuildRecordId", record["BuildRecordId"]}}, key) ==
        "200 BUILD_RECORD_NOT_EXIST");
  shop.call("DeleteRepoBuildRule", {{"RepoId", id}, {"BuildRuleId", rule}});
  CHECK(shop.refusal("DeleteRepoBuildRule", {{"RepoId", id}, {"BuildRuleId", rule}}) ==
        "200 BUILD_RULE_NOT_EXIST");
}
