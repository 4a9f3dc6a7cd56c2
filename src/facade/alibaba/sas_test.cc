// Security Center's registries, as their clients use them.
#include "facade/alibaba/alibaba_fixture.h"

using namespace wharfage;
using namespace wharfage::alibaba;

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
