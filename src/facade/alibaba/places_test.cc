// Instances, namespaces, repositories and tags, as their clients use them.
#include <set>

#include "facade/alibaba/alibaba_fixture.h"

using namespace wharfage;
using namespace wharfage::alibaba;

TEST_CASE("the instance introduces itself, and its login opens docker's door") {
  Shop shop;
  Reply list = shop.ask("ListInstance", {{"InstanceName", shop.instance().name}});
  CHECK(list.text("TotalCount") == "1");
  CHECK(list.text("Instances.0.InstanceId") == shop.instance().cri_id);
  CHECK(list.at("Instances.0.CreateTime").is_string());
  CHECK(list.text("Instances.0.InstanceStatus") == "RUNNING");
  CHECK(shop.ask("ListInstance", {{"InstanceName", "other"}}).size("Instances") == 0);
  CHECK(shop.ask("ListInstance", {{"InstanceStatus", "STOPPED"}}).text("TotalCount") == "0");
  CHECK(shop.ask("ListInstance", {{"PageNo", "2"}}).size("Instances") == 0);

  Reply one = shop.call("GetInstance", {});
  CHECK(one.at("CreateTime").is_int64());
  CHECK(one.text("InstanceName") == shop.instance().name);
  CHECK(shop.call("ListInstanceEndpoint", {}).text("Endpoints.0.Domains.0.Domain") ==
        "registry.example:5000");
  CHECK(shop.call("ListInstanceEndpoint", {{"ModuleName", "Chart"}}).size("Endpoints") == 0);
  CHECK(shop.call("GetInstanceEndpoint", {{"EndpointType", "Internet"}}).text("Enable") == "true");
  CHECK(shop.call("GetInstanceEndpoint", {{"EndpointType", "vpc"}}).text("Enable") == "false");
  CHECK(shop.refusal("GetInstanceEndpoint", {{"EndpointType", "moon"}}) == "400 InvalidEndpointType");

  Reply labels = shop.ask("ListTagResources", {{"RegionId", "cn-hangzhou"}, {"ResourceType", "Instance"}});
  CHECK(labels.body.size() == 2);
  CHECK(labels.at("TagResources.TagResource").is_array());
  CHECK(shop.ask("ListTagResources", {{"RegionId", "x"}}).code() == "MissingResourceType");

  Reply token = shop.call("GetAuthorizationToken", {{"ExpiresInHours", "2"}});
  CHECK(token.at("ExpireTime").as_int64() == shop.house.base.clock.now() + 2 * hour_ms);
  auto who = shop.house.base.auth->check_password(token.text("TempUsername"),
                                                  token.text("AuthorizationToken"), "192.0.2.9");
  REQUIRE(who.ok());
  CHECK(who->administrator);
  CHECK(shop.call("GetAuthorizationToken", {}).at("ExpireTime").as_int64() ==
        shop.house.base.clock.now() + hour_ms);
  CHECK(shop.refusal("GetAuthorizationToken", {{"ExpiresInHours", "25"}}) == "400 InvalidExpiresInHours");
}

TEST_CASE("namespaces are made, shown, changed and removed") {
  Shop shop;
  std::map<std::string, std::string> name{{"NamespaceName", "team.a-b_1"}};
  auto wanted = name;
  wanted["AutoCreateRepo"] = "false";
  wanted["DefaultRepoConfiguration"] = R"({"RepoType":"PUBLIC","TagImmutability":false})";
  shop.call("CreateNamespace", wanted);
  CHECK(shop.refusal("CreateNamespace", wanted) == "200 NAMESPACE_ALREADY_EXIST");
  Reply got = shop.call("GetNamespace", name);
  CHECK(got.text("NamespaceId").rfind("crn-", 0) == 0);
  CHECK(got.text("AutoCreateRepo") == "false");
  CHECK(got.text("DefaultRepoType") == "PUBLIC");
  CHECK(got.text("DefaultRepoConfiguration.RepoType") == "PUBLIC");
  CHECK(got.text("NamespaceStatus") == "NORMAL");
  CHECK(shop.call("GetNamespace", {{"NamespaceId", got.text("NamespaceId")}}).text("NamespaceName") ==
        "team.a-b_1");
  CHECK(shop.refusal("GetNamespace", {}) == "400 MissingNamespaceName");

  auto change = name;
  change["DefaultRepoType"] = "PRIVATE";
  shop.call("UpdateNamespace", change);
  got = shop.call("GetNamespace", name);
  CHECK(got.text("DefaultRepoType") == "PRIVATE");
  CHECK(got.text("AutoCreateRepo") == "false");
  change["DefaultRepoType"] = "SECRET";
  CHECK(shop.refusal("UpdateNamespace", change) == "400 InvalidDefaultRepoType");
  change["DefaultRepoType"] = "";
  change["DefaultRepoConfiguration"] = R"({"ArtifactBuildRuleParameters":{"ImageIndexOnly":true}})";
  CHECK(shop.refusal("UpdateNamespace", change) == "400 UnsupportedOperation");

  for (const char* bad : {"x", "Team", "-a", "a_", "a b", "a/b"})
    CHECK(shop.refusal("CreateNamespace", {{"NamespaceName", bad}}) == "400 InvalidNamespaceName");

  shop.call("CreateNamespace", {{"NamespaceName", "other"}});
  CHECK(shop.call("GetNamespace", {{"NamespaceName", "other"}}).text("DefaultRepoType") == "PRIVATE");
  Reply list = shop.call("ListNamespace", {{"PageSize", "1"}, {"PageNo", "2"}});
  CHECK(list.at("TotalCount").as_string() == "3");  // "library" is always there
  CHECK(list.text("PageNo") == "2");
  CHECK(list.text("PageSize") == "1");
  CHECK(list.size("Namespaces") == 1);
  CHECK(shop.call("ListNamespace", {{"NamespaceName", "oth"}}).at("TotalCount").as_string() == "1");
  CHECK(shop.call("ListNamespace", {{"NamespaceStatus", "DELETING"}}).size("Namespaces") == 0);
  CHECK(shop.call("ListNamespace", {{"PageSize", "1000"}}).text("PageSize") == "100");

  shop.call("DeleteNamespace", name);
  CHECK(shop.refusal("DeleteNamespace", name) == "200 NAMESPACE_NOT_EXIST");
  CHECK(shop.refusal("GetNamespace", name) == "200 NAMESPACE_NOT_EXIST");
}

TEST_CASE("the tags of a namespace are immutable when it says so") {
  Shop shop;
  auto configured = [](const char* configuration) {
    return std::map<std::string, std::string>{{"NamespaceName", "team"},
                                              {"DefaultRepoConfiguration", configuration}};
  };
  auto is_immutable = [&] {
    std::string one = shop.call("GetNamespace", {{"NamespaceName", "team"}})
                          .text("DefaultRepoConfiguration.TagImmutability");
    Reply list = shop.call("ListNamespace", {{"NamespaceName", "team"}});
    CHECK(list.text("Namespaces.0.DefaultRepoConfiguration.TagImmutability") == one);
    return one == "true";
  };
  shop.call("CreateNamespace", configured(R"({"TagImmutability":true})"));
  CHECK(is_immutable());
  registry::Repository app = shop.house.repository("team/app");
  shop.house.push_image(app, "one", {"v1"});
  auto move = [&](const std::string& seed) {
    return auth::outcome(shop.house.push(app, shop.house.image(app, seed), {"v1"}));
  };
  CHECK(move("two") == "tag_immutable");
  shop.call("UpdateNamespace", configured(R"({"RepoType":"PUBLIC"})"));
  CHECK(is_immutable());
  shop.call("UpdateNamespace", configured(R"({"TagImmutability":true})"));
  CHECK(shop.policies->list_rules(app.namespace_id)->size() == 1);
  shop.call("UpdateNamespace", configured(R"({"TagImmutability":false})"));
  CHECK_FALSE(is_immutable());
  CHECK(move("two") == "ok");

  // Rules about some tags are another matter.
  REQUIRE(shop.policies
              ->create_rule({.namespace_id = app.namespace_id, .name = "some", .selector = {.tags = "r*"}})
              .ok());
  CHECK_FALSE(is_immutable());
  shop.call("UpdateNamespace", configured(R"({"TagImmutability":false})"));
  CHECK(shop.policies->list_rules(app.namespace_id)->size() == 1);
  Key dev = shop.member("dev", app.namespace_id, auth::Role::developer);
  CHECK(shop.refusal("UpdateNamespace", configured(R"({"TagImmutability":true})"), dev).starts_with("403 "));
}

TEST_CASE("repositories are found by id and by name") {
  Shop shop;
  shop.call("CreateNamespace", {{"NamespaceName", "team"}});
  std::map<std::string, std::string> name{{"RepoNamespaceName", "team"}, {"RepoName", "app"}};
  auto wanted = name;
  wanted["RepoType"] = "PRIVATE";
  CHECK(shop.refusal("CreateRepository", wanted) == "400 MissingSummary");
  wanted["Summary"] = "an app";
  wanted["TagImmutability"] = "true";
  std::string id = shop.call("CreateRepository", wanted).text("RepoId");
  CHECK(id.rfind("crr-", 0) == 0);
  CHECK(shop.refusal("CreateRepository", wanted) == "200 REPO_ALREADY_EXIST");
  auto bad = wanted;
  bad["RepoName"] = "App";
  CHECK(shop.refusal("CreateRepository", bad) == "400 InvalidRepoName");
  bad = wanted;
  bad["RepoNamespaceName"] = "nowhere";
  CHECK(shop.refusal("CreateRepository", bad) == "200 NAMESPACE_NOT_EXIST");
  CHECK(shop.refusal("DeleteNamespace", {{"NamespaceName", "team"}}) == "200 NAMESPACE_NOT_EMPTY");

  for (const auto& key : {name, {{"RepoId", id}}}) {
    Reply got = shop.call("GetRepository", key);
    CHECK(got.text("RepoId") == id);
    CHECK(got.text("Summary") == "an app");
    CHECK(got.text("RepoType") == "PRIVATE");
    CHECK(got.text("TagImmutability") == "true");
    CHECK(got.at("CreateTime").is_int64());
  }
  CHECK(shop.refusal("GetRepository", {{"RepoName", "app"}}) == "400 MissingRepoId");
  CHECK(shop.refusal("GetRepository", {{"RepoId", "crr-none"}}) == "200 REPO_NOT_EXIST");

  shop.call("UpdateRepository",
            {{"RepoId", id}, {"RepoType", "PUBLIC"}, {"Summary", "s"}, {"Detail", "long"}});
  Reply got = shop.call("GetRepository", name);
  CHECK(got.text("RepoType") == "PUBLIC");
  CHECK(got.text("Detail") == "long");
  CHECK(got.text("TagImmutability") == "true");
  shop.call("UpdateRepository", {{"RepoId", id}, {"RepoType", "PUBLIC"}, {"Summary", "t"}});
  CHECK(shop.call("GetRepository", name).text("Detail") == "long");

  shop.call("DeleteRepository", name);
  CHECK(shop.refusal("DeleteRepository", {{"RepoId", id}}) == "200 REPO_NOT_EXIST");
}

TEST_CASE("lists of repositories are paged by number and by token") {
  Shop shop;
  for (int i = 0; i < 5; ++i) shop.house.repository("team/app" + std::to_string(i));
  shop.house.repository("other/app");
  Reply page =
      shop.call("ListRepository", {{"RepoNamespaceName", "team"}, {"PageNo", "2"}, {"PageSize", "2"}});
  CHECK(page.at("TotalCount").as_string() == "5");
  CHECK(page.size("Repositories") == 2);
  CHECK(page.text("PageSize") == "2");
  CHECK(page.at("MaxResults").is_null());
  CHECK(page.at("NextToken").is_null());
  CHECK(shop.call("ListRepository", {{"RepoStatus", "NORMAL"}}).text("TotalCount") == "6");
  CHECK(shop.call("ListRepository", {{"RepoStatus", "DELETING"}}).text("TotalCount") == "0");
  CHECK(shop.call("ListRepository", {{"RepoName", "app3"}}).text("Repositories.0.RepoName") == "app3");

  std::set<std::string> seen;
  std::string token;
  int turns = 0;
  do {
    std::map<std::string, std::string> params{{"MaxResults", "4"}};
    if (!token.empty()) params["NextToken"] = token;
    Reply reply = shop.call("ListRepository", params);
    CHECK(reply.text("MaxResults") == "4");
    json::value rows = reply.at("Repositories");
    for (const auto& one : rows.as_array()) seen.insert(json::serialize(one.at("RepoId")));
    token = reply.text("NextToken");
  } while (!token.empty() && ++turns < 5);
  CHECK(seen.size() == 6);
  CHECK(turns == 1);
  CHECK(shop.refusal("ListRepository", {{"NextToken", "b2Zmc2V0Oi0x"}}) == "400 InvalidNextToken");
  CHECK(shop.refusal("ListRepository", {{"NextToken", "!"}}) == "400 InvalidNextToken");
  CHECK(shop.refusal("ListRepository", {{"MaxResults", "0"}}) == "400 InvalidMaxResults");

  // Who may read one namespace sees that one.
  auto space = shop.house.registry->get_namespace("team");
  Key key = shop.member("ann", space->id);
  CHECK(shop.call("ListRepository", {}, key).text("TotalCount") == "5");
}

TEST_CASE("tags are listed with bare digests, copied and removed") {
  Shop shop;
  auto repository = shop.house.repository("team/app");
  auto image = shop.house.push_image(repository, "one", {"1.0", "latest"});
  shop.house.push_image(repository, "sig", {"sha256-" + std::string(image.digest->hex()) + ".sig"});
  std::string id = repository.public_id;
  Reply list = shop.call("ListRepoTag", {{"RepoId", id}});
  CHECK(list.at("TotalCount").as_string() == "2");
  CHECK(list.text("PageSize") == "30");
  REQUIRE(list.size("Images") == 2);
  CHECK(list.text("Images.0.Digest") == image.digest->hex());
  CHECK(list.text("Images.0.ImageId") == image.config->hex());
  CHECK(list.at("Images.0.ImageSize").as_int64() == image.total_size);
  CHECK(list.at("Images.0.ImageUpdate").is_string());
  CHECK(list.text("Images.0.Status") == "NORMAL");
  Reply first = shop.call("ListRepoTag", {{"RepoId", id}, {"MaxResults", "1"}});
  Reply second =
      shop.call("ListRepoTag", {{"RepoId", id}, {"MaxResults", "1"}, {"NextToken", first.text("NextToken")}});
  CHECK(first.text("Images.0.Tag") != second.text("Images.0.Tag"));
  CHECK(second.text("NextToken").empty());

  Reply one = shop.call("GetRepoTag", {{"RepoId", id}, {"Tag", "1.0"}});
  CHECK(one.text("Digest") == image.digest->hex());
  CHECK(one.at("ImageUpdate").is_int64());
  CHECK(shop.refusal("GetRepoTag", {{"RepoId", id}, {"Tag", "9"}}) == "200 REPO_TAG_NOT_EXIST");
  CHECK(shop.refusal("ListRepoTag", {{"RepoId", "crr-none"}}) == "200 REPO_NOT_EXIST");

  shop.call("CreateRepoTag",
            {{"NamespaceName", "team"}, {"RepoName", "app"}, {"FromTag", "1.0"}, {"ToTag", "stable"}});
  CHECK(shop.call("GetRepoTag", {{"RepoId", id}, {"Tag", "stable"}}).text("Digest") == image.digest->hex());
  shop.call("DeleteRepoTag", {{"RepoId", id}, {"Tag", "stable"}});
  CHECK(shop.refusal("DeleteRepoTag", {{"RepoId", id}, {"Tag", "stable"}}) == "200 REPO_TAG_NOT_EXIST");

  Reply usage = shop.call("GetInstanceUsage", {});
  CHECK(usage.at("NamespaceUsage").as_string() == "2");
  CHECK(usage.at("RepoUsage").as_string() == "1");
  CHECK(usage.at("RepoQuota").as_string() == "2147483647");
}
