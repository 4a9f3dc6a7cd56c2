// What is told of images, and which of their tags may not change.
#include "facade/huawei/huawei_fixture.h"

using namespace wharfage;
using namespace wharfage::huawei;

TEST_CASE("artifacts are filtered before they are paged") {
  Port port;
  registry::Repository app = port.house.repository("root/app");
  const std::string chart = R"(,"artifactType":"application/vnd.cncf.helm.config.v1+json")";
  for (int i = 0; i < 7; ++i) {
    port.house.base.clock.advance(1000);
    std::string tag = "t" + std::to_string(i);
    port.house.push_image(app, tag, {tag, "also-" + tag}, i % 2 ? chart : "");
  }
  const std::string list = port.instance + "/namespaces/root/repositories/app/artifacts?";
  auto listed = [&](const std::string& query) {
    Reply reply = port.call("GET", list + query);
    std::string text = reply.text_at("total") + ":";
    const json::value artifacts = reply.at("artifacts");
    for (const auto& artifact : artifacts.as_array())
      text += " " + std::string(artifact.at("tags").as_array().back().at("name").as_string());
    return text;
  };
  CHECK(listed("limit=3") == "7: t6 t5 t4");
  CHECK(listed("limit=2&type=IMAGE") == "4: t6 t4");
  CHECK(listed("limit=2&offset=2&type=IMAGE") == "4: t2 t0");
  CHECK(listed("limit=2&offset=2&type=CHART") == "3: t1");
  CHECK(listed("tags=t1%2C%20also-t2%2Ct2%2Cnone") == "2: t2 t1");
  CHECK(listed("limit=1&offset=1&tags=t1%2Ct2") == "2: t1");
  CHECK(listed("tags=t1%2Ct2&type=CHART") == "1: t1");
  CHECK(listed("tags=none") == "0:");
  std::string many = "tags=a";
  for (int i = 0; i < 100; ++i) many += "%2Ca";
  CHECK(port.refusal("GET", list + many) == "400 SVCSTG.SWR.4000014");
  CHECK(port.refusal("GET", list + "type=BOAT") == "400 SVCSTG.SWR.4000014");
  port.call("DELETE", port.instance + "/namespaces/root/repositories/app/artifacts/t1");
  CHECK(listed("type=CHART") == "2: t5 t3");
}

TEST_CASE("rules of immutable tags are kept, listed and held") {
  Port port;
  const std::string rules = port.instance + "/namespaces/root/immutabletagrules";
  const std::string all = port.instance + "/immutabletagrules";
  registry::Repository app = port.house.repository("root/app/web");
  port.house.push_image(app, "one", {"v1", "latest"});
  CHECK(port.call("GET", all).text_at("total") == "0");
  Reply made = port.call("POST", rules, Port::immutable_body("v*"));
  CHECK(made.status == 201);
  const std::string rule = rules + "/" + made.text_at("id");

  Reply list = port.call("GET", all + "?limit=10&namespace_id=" + std::to_string(app.namespace_id));
  CHECK(list.members() == "immutable_rules total");
  CHECK(list.members("immutable_rules.0") ==
        "action disabled id namespace_id namespace_name priority scope_selectors tag_selectors template");
  CHECK(list.text_at("immutable_rules.0.namespace_name") == "root");
  CHECK(list.text_at("immutable_rules.0.action") == "immutable");
  CHECK(list.text_at("immutable_rules.0.tag_selectors.0.pattern") == "v*");
  CHECK(list.text_at("immutable_rules.0.scope_selectors.repository.0.decoration") == "repoMatches");
  CHECK(port.call("GET", all + "?namespace_id=99").text_at("total") == "0");

  auto moved = [&](const std::string& tag) {
    return outcome(port.house.push(app, port.house.image(app, "two"), {tag}));
  };
  CHECK(moved("v1") == "tag_immutable");
  CHECK(moved("latest") == "ok");
  CHECK(port.call("PUT", rule, Port::immutable_body("l*", "excludes")).text.empty());
  list = port.call("GET", all);
  CHECK(list.text_at("immutable_rules.0.tag_selectors.0.decoration") == "excludes");
  CHECK(list.text_at("immutable_rules.0.tag_selectors.1").empty());
  CHECK(moved("v1") == "tag_immutable");
  CHECK(moved("latest") == "ok");
  std::string off = Port::immutable_body("v*");
  off.insert(1, R"("disabled":true,)");
  port.call("PUT", rule, off);
  CHECK(port.call("GET", all).text_at("immutable_rules.0.disabled") == "true");
  CHECK(moved("v1") == "ok");

  auto refused = [&](const std::string& body) { return port.refusal("POST", rules, body); };
  CHECK(refused(Port::immutable_body("")) == "400 SVCSTG.SWR.4000014");
  CHECK(refused(Port::immutable_body("v*", "likes")) == "400 SVCSTG.SWR.4000014");
  CHECK(refused(R"({"tag_selectors":[],"scope_selectors":{}})") == "400 SVCSTG.SWR.4000014");
  Key reader = port.member("reader", app.namespace_id), stranger = port.member("stranger");
  CHECK(port.ask("GET", all, "", reader).text_at("total") == "1");
  CHECK(port.ask("GET", all, "", stranger).text_at("total") == "0");
  CHECK(port.refusal("DELETE", rule, "", reader) == "403 SVCSTG.SWR.4039002");
  CHECK(port.call("DELETE", rule).text.empty());
  CHECK(port.refusal("DELETE", rule).starts_with("404 "));
  CHECK(port.call("GET", all).text_at("total") == "0");
}

TEST_CASE("images of our own registry tell how far their scans are") {
  Port port;
  registry::Repository app = port.house.repository("root/app");
  registry::Manifest one = port.house.push_image(app, "one", {"1.0"});
  port.house.push_image(app, "two", {"2.0"});
  port.go();
  port.call("POST", "/v5/proj1/image/image-sync/tasks", R"({"sync_all_registries":true})");
  port.settle();
  auto told = [&] {
    Reply list = port.call("GET", "/v5/proj1/image/registries/images?limit=10");
    std::string text;
    const json::value rows = list.at("data_list");
    for (const auto& row : rows.as_array()) {
      text += std::string(row.at("image_version").as_string()) + " " +
              std::string(row.at("scan_status").as_string()) +
              (row.as_object().contains("latest_scan_time") ? " at, " : ", ");
    }
    return text;
  };
  CHECK(told() == "1.0 unscan, 2.0 unscan, ");
  REQUIRE(port.scans->create_task({.repository = app, .tag = "1.0", .digest = one.digest->text()}).ok());
  port.settle();
  CHECK(told() == "1.0 failed at, 2.0 unscan, ");  // it holds nothing that could be judged
  port.halt();
  port.house.base.clock.advance(1);
  REQUIRE(port.scans->create_task({.repository = app, .tag = "1.0", .digest = one.digest->text()}).ok());
  CHECK(told() == "1.0 scanning at, 2.0 unscan, ");
}
