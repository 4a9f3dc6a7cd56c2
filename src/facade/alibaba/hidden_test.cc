// Every action, asked by somebody without any right, of what exists and of what does not: no difference.
#include "facade/alibaba/alibaba_fixture.h"

using namespace wharfage;
using namespace wharfage::alibaba;

namespace {

using Params = std::map<std::string, std::string>;

// One of everything in a namespace, and how it is named.
struct Secrets : Shop {
  Secrets() {
    house.repository("mirror/copy");
    auto repository = house.repository("team/app");
    house.push_image(repository, "one", {"1.0"});
    there["RepoId"] = repository.public_id;
    there["NamespaceId"] = house.registry->get_namespace("team")->public_id;
    REQUIRE(builds
                ->create_provider({.name = "github",
                                   .type = "GITHUB",
                                   .domain = "github.com",
                                   .url_template = "https://{domain}/{namespace}/{name}.git"},
                                  "")
                .ok());
    made("CreateRepoSourceCodeRepo");
    there["BuildRuleId"] = made("CreateRepoBuildRule").text("BuildRuleId");
    there["BuildRecordId"] = made("CreateBuildRecordByRule").text("BuildRecordId");
    there["ScanTaskId"] = made("CreateRepoTagScanTask").text("RequestId");
    there["ScanRuleId"] = made("CreateScanRule").text("ScanRuleId");
    there["SyncRuleId"] = made("CreateRepoSyncRule").text("SyncRuleId");
    there["SyncTaskId"] = made("CreateRepoSyncTask").text("SyncTaskId");
    there["SyncRecordId"] = call("GetRepoSyncTask", there).text("SyncBatchTaskId");
  }
  Reply made(const std::string& action) {
    Params params = there;
    if (action == "CreateRepoTagScanTask") params.erase("ScanTaskId");
    return call(action, params);
  }
  // What is said, but for the words it was asked in.
  std::string told(std::string_view action, const Params& params, const Key& key) {
    Params all = common;
    all.insert(params.begin(), params.end());
    Reply reply = ask(action, all, cr_version, key);
    reply.body.erase("RequestId");
    std::string text = std::to_string(reply.status) + " " + json::serialize(reply.body);
    for (const Params* names : {static_cast<const Params*>(&there), &absent}) {
      for (const auto& [name, value] : *names) {
        REQUIRE_FALSE(value.empty());
        for (auto at = text.find(value); at != text.npos; at = text.find(value))
          text.replace(at, value.size(), "*");
      }
    }
    return text;
  }

  const Params common{{"InstanceId", instance().cri_id},
                      {"Tag", "1.0"},
                      {"FromTag", "1.0"},
                      {"ToTag", "2.0"},
                      {"CodeRepoType", "GITHUB"},
                      {"CodeRepoNamespaceName", "acme"},
                      {"CodeRepoName", "web"},
                      {"PushType", "GIT_BRANCH"},
                      {"PushName", "main"},
                      {"ImageTag", "latest"},
                      {"Summary", "s"},
                      {"RepoType", "PRIVATE"},
                      {"RuleName", "r"},
                      {"ScanScope", "NAMESPACE"},
                      {"TriggerType", "AUTO"},
                      {"RepoTagFilterPattern", ".*"},
                      {"SyncRuleName", "s"},
                      {"SyncScope", "NAMESPACE"},
                      {"RepoNameFilter", ".*"},
                      {"TagFilter", ".*"},
                      {"TargetInstanceId", instance().cri_id},
                      {"TargetRegionId", instance().alibaba_region},
                      {"TargetNamespaceName", "mirror"},
                      {"TargetNamespace", "mirror"},
                      {"TargetRepoName", "copy"},
                      {"TargetTag", "3.0"},
                      {"ModuleName", "Registry"},
                      {"EndpointType", "internet"}};
  Params there{{"NamespaceName", "team"},
               {"RepoNamespaceName", "team"},
               {"Namespaces", R"(["team"])"},
               {"RepoName", "app"}};
  const Params absent{{"NamespaceName", "nothing"},
                      {"RepoNamespaceName", "nothing"},
                      {"Namespaces", R"(["nothing"])"},
                      {"RepoName", "nil"},
                      {"RepoId", "crr-0000000000000000"},
                      {"NamespaceId", "crn-0000000000000000"},
                      {"BuildRuleId", "crbr-0000000000000000"},
                      {"BuildRecordId", "00000000-0000-4000-8000-000000000000"},
                      {"ScanTaskId", "00000000-0000-4000-8000-000000000001"},
                      {"ScanRuleId", "crscnr-0000000000000000"},
                      {"SyncRuleId", "crsr-0000000000000000"},
                      {"SyncTaskId", "rst-00000000-0000-4000-8000-000000000002"},
                      {"SyncRecordId", "00000000-0000-4000-8000-000000000003"}};

  // The same words before there was anything, to be added to those of `there`.
  Reply call(const std::string& action, const Params& params) {
    Params all = common;
    all.insert(params.begin(), params.end());
    return Shop::call(action, all);
  }
};

Params without(Params params, const std::vector<const char*>& names) {
  for (const char* name : names) params.erase(name);
  return params;
}

}  // namespace

TEST_CASE("to who may read nothing, what exists is like what does not") {
  Secrets shop;
  Key eve = shop.member("eve");
  int refused = 0;
  // Named in every way, by ids of its own only, and by names only.
  const std::vector<std::vector<const char*>> ways = {
      {},
      {"RepoId", "NamespaceId"},
      {"RepoId", "ScanTaskId", "RepoName", "NamespaceId"},
      {"RepoName", "RepoNamespaceName", "NamespaceName", "ScanTaskId"}};
  for (const Action* action : actions(cr_version)) {
    bool of_caller = action->name == "GetAuthorizationToken";
    if (of_caller) continue;
    for (const auto& left_out : ways) {
      CAPTURE(std::string(action->name));
      std::string there = shop.told(action->name, without(shop.there, left_out), eve);
      std::string absent = shop.told(action->name, without(shop.absent, left_out), eve);
      CHECK(there == absent);
      // What an administrator is told of what is not there; he may do more, but sees no more.
      bool is_not_there = absent.find("_NOT_EXIST") != absent.npos;
      if (!is_not_there) continue;
      ++refused;
      CHECK(absent == shop.told(action->name, without(shop.absent, left_out), admin_key));
    }
  }
  CHECK(refused > 60);
}

TEST_CASE("the same questions have answers for those who may read") {
  Secrets shop;
  auto team = shop.house.registry->get_namespace("team");
  Key guest = shop.member("guest", team->id, auth::Role::guest);
  for (const char* action :
       {"GetNamespace", "GetRepository", "ListRepository", "ListRepoTag", "GetRepoSourceCodeRepo",
        "ListRepoBuildRule", "GetRepoBuildRecord", "GetRepoBuildRecordStatus", "ListRepoBuildRecord",
        "ListRepoBuildRecordLog", "GetRepoTagScanStatus", "GetScanRule", "GetRepoSyncTask"}) {
    CAPTURE(std::string(action));
    CHECK(shop.told(action, shop.there, guest).find("NOT_EXIST") == std::string::npos);
    CHECK(shop.told(action, shop.absent, guest).find("NOT_EXIST") != std::string::npos);
  }
}
