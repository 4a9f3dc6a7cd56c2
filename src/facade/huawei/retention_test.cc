// SWR's image retention: the enterprise edition's policies of namespaces and the basic edition's of images.
#include <algorithm>

#include "facade/huawei/huawei_fixture.h"

using namespace wharfage;
using namespace wharfage::huawei;

namespace {

struct Retained : Port {
  Retained() : web(house.repository("root/app/web")) {
    // A day apart, the last one now.
    for (const char* tag : {"v1", "v2", "rc-1", "v3", "v4"}) {
      house.base.clock.advance(day_ms);
      house.push_image(web, tag, {tag});
    }
  }
  std::string tags(const registry::Repository& repository) {
    std::string text;
    const auto kept = *house.registry->tags_after(repository, "", 1000);
    for (const auto& tag : kept) text += (text.empty() ? "" : " ") + tag;
    return text;
  }
  std::string named(const std::string& path, std::string_view member, const Reply& reply) {
    std::string text;
    const json::value rows = reply.at(path);
    for (const auto& row : rows.as_array()) {
      const json::value& value = row.at(member);
      text += (text.empty() ? "" : " ") +
              (value.is_string() ? std::string(value.get_string()) : json::serialize(value));
    }
    return text;
  }

  registry::Repository web;
  const std::string all = instance + "/retention/policies";
  const std::string of_space = instance + "/namespaces/root/retention/policies";
  const std::string of_image = "/v2/manage/namespaces/root/repos/app$web/retentions";
  const std::string bad = "400 SVCSTG.SWR.4000014";
};

}  // namespace

TEST_CASE("a namespace has one retention policy, which is listed, changed and dropped") {
  Retained port;
  CHECK(port.call("GET", port.all).text_at("total") == "0");
  Reply made =
      port.call("POST", port.of_space,
                Port::retention_body("nDaysSinceLastPush", 7,
                                     R"({"type":"scheduled","trigger_settings":{"cron":"0 0 0 1 * ?"}})"));
  CHECK(made.status == 201);
  const std::string policy = port.of_space + "/" + made.text_at("id");
  CHECK(port.refusal("POST", port.of_space, Port::retention_body("latestPushedK", 1)) == "409 SWR.409001");

  Reply list = port.call("GET", port.all + "?limit=10&name=keep");
  CHECK(list.members() == "retentions total");
  CHECK(list.text_at("total") == "1");
  CHECK(list.members("retentions.0") ==
        "algorithm enabled id name namespace_id namespace_name rules trigger");
  CHECK(list.text_at("retentions.0.namespace_name") == "root");
  CHECK(port.call("GET", port.all + "?name=other").text_at("total") == "0");
  CHECK(port.call("GET", port.all + "?namespace_id=99").text_at("total") == "0");

  Reply shown = port.call("GET", policy);
  CHECK(shown.text_at("trigger.trigger_settings.cron") == "0 0 0 1 * ?");
  CHECK(shown.members("rules.0") ==
        "action disabled id params priority repo_scope_mode scope_selectors tag_selectors template");
  CHECK(shown.text_at("rules.0.template") == "nDaysSinceLastPush");
  CHECK(shown.text_at("rules.0.params.nDaysSinceLastPush") == "7");
  CHECK(shown.text_at("rules.0.tag_selectors.0.pattern") == "**");
  CHECK(shown.text_at("rules.0.scope_selectors.repository.0.decoration") == "repoMatches");

  CHECK(port.call("PUT", policy, Port::retention_body("latestPulledN", 2)).text.empty());
  shown = port.call("GET", policy);
  CHECK(shown.text_at("trigger.type") == "manual");
  CHECK(shown.text_at("rules.0.params.latestPulledN") == "2");
  Key reader = port.member("reader", port.web.namespace_id), stranger = port.member("stranger");
  CHECK(port.ask("GET", port.all, "", reader).text_at("total") == "1");
  CHECK(port.ask("GET", port.all, "", stranger).text_at("total") == "0");
  CHECK(port.refusal("DELETE", policy, "", reader) == "403 SVCSTG.SWR.4039002");
  CHECK(port.call("DELETE", policy).text.empty());
  CHECK(port.refusal("GET", policy) == "404 SWR.404001");
  CHECK(port.call("GET", port.all).text_at("total") == "0");
}

TEST_CASE("what a retention policy of a namespace cannot say is refused") {
  Retained port;
  auto refused = [&](std::string body, std::string_view from, const std::string& to) {
    body.replace(body.find(from), from.size(), to);
    return port.refusal("POST", port.of_space, body);
  };
  const std::string body = Port::retention_body("latestPushedK", 3);
  CHECK(refused(body, "\"or\"", "\"and\"") == port.bad);
  CHECK(refused(body, "manual", "event_based") == port.bad);
  CHECK(refused(body, "manual", "scheduled") == port.bad);
  CHECK(refused(body, "\"latestPushedK\":3", "\"latestPulledN\":3") == port.bad);
  CHECK(refused(body, ":3}", ":0}") == port.bad);
  CHECK(refused(body, ":3}", ":\"three\"}") == port.bad);
  CHECK(refused(body, ":3}", ":1000000}") == port.bad);
  CHECK(refused(body, "doublestar", "regexp") == port.bad);
  for (const std::string pattern : {"v[0-9]", R"(v\\*)", "**/v1"})  // what doublestar reads otherwise
    CHECK(refused(body, R"("pattern":"**")", R"("pattern":")" + pattern + '"') == port.bad);
  CHECK(refused(body, R"("matches")", R"("excludes","extras":"{\"untagged\":true}")") == port.bad);
  CHECK(refused(body, "\"repository\":", "\"project\":") == port.bad);
  CHECK(port.call("GET", port.all).text_at("total") == "0");
  std::string texts = body;
  texts.replace(texts.find(":3}"), 3, ":\"3\"}");  // as some clients write numbers
  CHECK(port.call("POST", port.of_space, texts).status == 201);
}

TEST_CASE("a retention policy of a namespace survives being shown and sent back") {
  Retained port;
  auto set = [&](registry::RetentionRule rule) {
    rule.name = "rule";
    REQUIRE(port.retention->set_policy({.namespace_id = port.web.namespace_id, .rules = {rule}}).ok());
  };
  set({.selector = {.except_tags = "v1"},
       .keep = registry::Keep::pulled_count,
       .value = 3,
       .untagged = true});
  const std::string path = port.of_space + "/" + std::to_string(port.web.namespace_id);
  Reply shown = port.call("GET", path);
  CHECK(port.named("rules.0.tag_selectors", "decoration", shown) == "matches excludes");
  CHECK(port.ask("PUT", path, shown.text).status == 200);
  CHECK(port.call("GET", path).text == shown.text);
  CHECK(port.retention->policy(port.web.namespace_id)->rules.at(0).untagged);
  // Regular expressions cannot be shown.
  set({.keep = registry::Keep::pushed_count, .value = 3, .spared = {"^rc"}});
  CHECK(port.refusal("PUT", path, port.call("GET", path).text) == "409 SWR.409001");
  CHECK(port.retention->policy(port.web.namespace_id)->rules.at(0).spared.size() == 1);
  CHECK(port.call("DELETE", path).status == 200);
}

TEST_CASE("what was pulled or pushed last is counted by images, and has room for those never pulled") {
  Retained port;
  Reply made = port.call("POST", port.of_space, Port::retention_body("latestPulledN", 10));
  const std::string policy = port.of_space + "/" + made.text_at("id");
  port.go();
  auto execute = [&] {
    port.call("POST", policy + "/executions", R"({"dry_run":false})");
    port.settle();
    return port.tags(port.web);
  };
  CHECK(execute() == "rc-1 v1 v2 v3 v4");
  port.house.base.clock.advance(day_ms);
  port.house.push_image(port.web, "newest", {"v5", "stable", "latest"});
  port.call("PUT", policy, Port::retention_body("latestPushedK", 2));
  CHECK(execute() == "latest stable v4 v5");
}

TEST_CASE("an execution of a retention policy tells what it removed, repository by repository") {
  Retained port;
  port.house.push_image(port.house.repository("root/small"), "one", {"only"});
  Reply made = port.call("POST", port.of_space, Port::retention_body("latestPushedK", 2));
  const std::string executions = port.of_space + "/" + made.text_at("id") + "/executions";
  port.go();
  auto execute = [&](const std::string& dry) {
    Reply begun = port.call("POST", executions, R"({"dry_run":)" + dry + "}");
    CHECK(begun.status == 201);
    port.settle();
    return executions + "/" + begun.text_at("id") + "/tasks";
  };
  std::string tasks = execute("true");
  CHECK(port.tags(port.web) == "rc-1 v1 v2 v3 v4");
  CHECK(port.call("GET", tasks).text_at("tasks.0.retained") == "2");
  tasks = execute("false");
  CHECK(port.tags(port.web) == "v3 v4");

  Reply runs = port.call("GET", executions);
  CHECK(runs.members("executions.0") == "dry_run end_time id policy_id start_time status trigger");
  CHECK(port.named("executions", "dry_run", runs) == "false true");
  CHECK(port.named("executions", "status", runs) == "Succeed Succeed");
  CHECK(runs.text_at("executions.0.trigger") == "manual");
  Reply list = port.call("GET", tasks);
  CHECK(list.members("tasks.0") ==
        "end_time execution_id id job_id repository retained start_time status status_code status_revision "
        "total");
  CHECK(port.named("tasks", "repository", list) == "app/web small");
  CHECK(port.named("tasks", "total", list) == "5 1");
  CHECK(port.named("tasks", "retained", list) == "2 1");
  CHECK(port.call("GET", tasks + "?status=Failed").text_at("total") == "0");
  CHECK(port.call("GET", tasks + "?status=Pending").text_at("total") == "0");
  CHECK(port.call("GET", tasks + "?limit=1&offset=1&status=Succeed").text_at("tasks.0.repository") ==
        "small");

  const std::string below = tasks + "/" + list.text_at("tasks.0.id") + "/subtasks";
  Reply parts = port.call("GET", below);
  CHECK(parts.members("sub_tasks.0") ==
        "action digest id job_id namespace op_time repository status status_text tag");
  CHECK(port.named("sub_tasks", "tag", parts) == "rc-1 v2 v1   ");  // and the three images
  CHECK(parts.text_at("sub_tasks.0.action") == "DEL");
  CHECK(parts.text_at("sub_tasks.0.status") == "Succeed");
  CHECK(port.call("GET", below + "?status=Failed").text_at("total") == "0");
  CHECK(port.call("GET", below + "?limit=4&offset=4").at("sub_tasks").as_array().size() == 2);
  CHECK(port.refusal("GET", tasks + "/99/subtasks") == "404 SWR.404001");
  CHECK(port.refusal("GET", executions + "/99/tasks") == "404 SWR.404001");
}

TEST_CASE("the retention of an image holds at once, and its history tells what went") {
  Retained port;
  port.go();
  CHECK(port.call("GET", port.of_image).text == "[]");
  const std::string spared = R"({"kind":"label","pattern":"v1"},{"kind":"regexp","pattern":"^rc-[0-9]$"})";
  Reply made = port.call("POST", port.of_image, Port::repository_retention_body("tag_rule", "1", spared));
  CHECK(made.status == 201);
  port.settle();
  CHECK(port.tags(port.web) == "rc-1 v1 v4");

  Reply list = port.call("GET", port.of_image);
  CHECK(list.members("0") == "algorithm id rules scope");
  const std::string retention = port.of_image + "/" + made.text_at("id");
  Reply shown = port.call("GET", retention);
  CHECK(shown.text_at("rules.0.template") == "tag_rule");
  CHECK(shown.text_at("rules.0.params") == R"({"num":"1"})");
  CHECK(port.named("rules.0.tag_selectors", "kind", shown) == "label regexp");
  CHECK(port.named("rules.0.tag_selectors", "pattern", shown) == "v1 ^rc-[0-9]$");

  Reply history = port.call("GET", port.of_image + "/histories?limit=10&offset=0");
  CHECK(history.members() == "retention_log total");
  CHECK(history.members("retention_log.0") == "created_at id namespace repo retention_id rule_type tag");
  std::string gone = port.named("retention_log", "tag", history);
  CHECK(gone == "v3 v2");
  CHECK(port.named("retention_log", "id", history) == "2 1");
  CHECK(history.text_at("retention_log.0.rule_type") == "tag_rule");
  CHECK(history.text_at("retention_log.0.repo") == "app/web");
  CHECK(history.headers.get("Content-Range") == "0-2/2");
  CHECK(port.call("GET", port.of_image + "/histories?filter=limit%3A%3A1%7Coffset%3A%3A1")
            .text_at("retention_log.0.tag") == "v2");
  CHECK(port.refusal("GET", port.of_image + "/histories?filter=limit%3A%3Ax") == port.bad);

  CHECK(port.refusal("POST", port.of_image, Port::repository_retention_body("tag_rule", "1")) ==
        "409 SWR.409001");
  CHECK(port.call("PATCH", retention, Port::repository_retention_body("date_rule", "1")).status == 201);
  port.settle();
  CHECK(port.tags(port.web) == "v4");
  CHECK(port.call("DELETE", retention).status == 200);
  CHECK(port.refusal("GET", retention) == "404 SWR.404001");
  CHECK(port.refusal("DELETE", retention) == "404 SWR.404001");
}

TEST_CASE("what the retention of an image cannot say is refused") {
  Retained port;
  auto refused = [&](const std::string& kind, const std::string& value, const std::string& spared = "") {
    return port.refusal("POST", port.of_image, Port::repository_retention_body(kind, value, spared));
  };
  CHECK(refused("tag_rule", "0") == port.bad);
  CHECK(refused("tag_rule", "1001") == port.bad);
  CHECK(refused("date_rule", "366") == port.bad);
  CHECK(refused("date_rule", "ten") == port.bad);
  CHECK(refused("date_rule", "1", R"({"kind":"glob","pattern":"v*"})") == port.bad);
  CHECK(refused("date_rule", "1", R"({"kind":"label","pattern":"{v1,v2}"})") == port.bad);
  CHECK(refused("date_rule", "1", R"({"kind":"regexp","pattern":"("})") == port.bad);
  CHECK(port.refusal("POST", port.of_image, R"({"algorithm":"or","rules":[]})") == port.bad);
  CHECK(port.refusal("POST", "/v2/manage/namespaces/root/repos/none/retentions",
                     Port::repository_retention_body("tag_rule", "1")) == "404 SVCSTG.SWR.4040010");
  CHECK(port.call("GET", port.of_image).text == "[]");
  Key reader = port.member("reader", port.web.namespace_id);
  CHECK(port.refusal("POST", port.of_image, Port::repository_retention_body("tag_rule", "1"), reader) ==
        "403 SVCSTG.SWR.4039002");
}

TEST_CASE("the retention of an image joins its namespace's, which must have a schedule") {
  Retained port;
  const std::string scheduled = R"({"type":"scheduled","trigger_settings":{"cron":"0 0 2 * * ?"}})";
  const std::string body = Port::repository_retention_body("tag_rule", "2");
  Reply policy = port.call("POST", port.of_space, Port::retention_body("latestPushedK", 9));
  CHECK(port.refusal("POST", port.of_image, body) == "409 SWR.409001");
  const std::string path = port.of_space + "/" + policy.text_at("id");
  port.call("PUT", path, Port::retention_body("latestPushedK", 9, scheduled));
  CHECK(port.call("POST", port.of_image, body).status == 201);
  CHECK(port.call("GET", path).at("rules").as_array().size() == 1);
  CHECK(port.refusal("PUT", path, Port::retention_body("latestPushedK", 9)) == "409 SWR.409001");
  port.call("DELETE", path);
  CHECK(port.call("GET", port.of_image).text_at("0.rules.0.params.num") == "2");
  CHECK(port.retention->policy(port.web.namespace_id)->cron == "0 0 1 * * *");
  CHECK(port.call("GET", port.all).text_at("total") == "0");
}
