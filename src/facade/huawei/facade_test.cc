// Routes, errors, pages and what the main answers hold.
#include <algorithm>

#include "facade/huawei/error.h"
#include "facade/huawei/huawei_fixture.h"

using namespace wharfage;
using namespace wharfage::huawei;

namespace {

using Names = std::map<std::string, std::string>;

// The template with its variables filled in.
std::string filled(std::string_view path, const Names& names) {
  std::string target(path);
  for (const auto& [name, value] : names) {
    auto at = target.find("{" + name + "}");
    if (at != target.npos) target.replace(at, name.size() + 2, value);
  }
  return target;
}

bool asks(const Route& route, std::string_view parameter) {
  auto fields = route.query();
  return std::any_of(fields.begin(), fields.end(),
                     [&](const auto& field) { return field.name == parameter; });
}

// One of everything in a namespace, and how it is named.
struct Secrets : Port {
  Secrets() {
    add_policies();
    hub = connect("hub", "http://127.0.0.1:1").id;
    there["registry_id"] = std::to_string(hub);
    Reply rule = call("POST", instance + "/replication/policies", rule_body("root/**"));
    there["rule"] = rule.text_at("id");
    Reply run = call("POST", instance + "/replication/executions", R"({"policy_id":)" + there["rule"] + "}");
    there["run"] = run.text_at("id");
    call("POST", instance + "/namespaces/root/immutabletagrules", immutable_body("v*"));
  }
  std::string rule_body(const std::string& pattern) const {
    return R"({"name":"copy","dest_registry":{"id":)" + std::to_string(hub) +
           R"(},"dest_namespace":"there","repo_scope_mode":"regular","trigger":{"type":"manual"},)" +
           R"("enabled":true,"override":true,"filters":[{"type":"name","value":")" + pattern + R"("}]})";
  }
  // The policies and executions of signing and replication have numbers of their own.
  std::string target(const Route& route, const Names& names) {
    Names of = names;
    bool replication = route.path.find("/replication/") != route.path.npos;
    of["policy_id"] = names.at(replication ? "rule" : "policy");
    of["execution_id"] = names.at(replication ? "run" : "execution");
    of["namespace"] = names.at("namespace_name");
    of["repository"] = names.at("repository_name");
    return filled(route.path, of);
  }
  std::string body(const Route& route, const Names& names) {
    if (route.body().empty()) return "";
    if (route.path.find("/immutabletagrules") != route.path.npos) return immutable_body("v*");
    if (route.path.find("/retentions") != route.path.npos) return repository_retention_body("tag_rule", "3");
    if (route.path.find("/executions") != route.path.npos &&
        route.path.find("/retention/") != route.path.npos)
      return R"({"dry_run":true})";
    if (route.path.find("/retention/") != route.path.npos) return retention_body("latestPushedK", 3);
    if (route.path.find("/signature/") != route.path.npos) return policy_body("new", "no-key");
    if (route.path.find("replication/policies") != route.path.npos)
      return rule_body(names.at("namespace_name") + "/**");
    if (route.path.find("replication/executions") != route.path.npos)
      return R"({"policy_id":)" + names.at("rule") + "}";
    return R"({"description":"d","namespace_name":")" + names.at("namespace_name") +
           R"(","metadata":{"public":"false"}})";
  }
  // What is said, but for the words it was asked in.
  std::string told(const Route& route, const Names& names, const Key& key) {
    Reply reply = ask(std::string(route.method), target(route, names), body(route, names), key);
    std::string text = std::to_string(reply.status) + " " + reply.text;
    for (const std::string& name : {names.at("namespace_name"), names.at("repository_name")}) {
      for (auto at = text.find(name); at != text.npos; at = text.find(name))
        text.replace(at, name.size(), "*");
    }
    return text;
  }

  std::int64_t hub = 0;
  Names there{{"project_id", "proj1"},
              {"instance_id", "inst-1"},
              {"namespace_name", "root"},
              {"repository_name", "libz"},
              {"reference", "1.0"},
              {"tag_name", "1.0"},
              {"policy", "3"},
              {"execution", "8"},
              {"task_id", "1"},
              {"retention_id", "1"},
              {"immutable_rule_id", "1"},
              {"rule", ""},
              {"run", ""},
              {"id", "no-such-registry"}};
};

}  // namespace

TEST_CASE("every route is found by its own path, and by no other") {
  std::set<std::string> known;
  for (const Route* route : routes()) {
    CAPTURE(std::string(route->path));
    CHECK(known.insert(std::string(route->method) + " " + std::string(route->path)).second);
    Names names{{"project_id", "a%252Fb"}, {"instance_id", "a%252Fb"}};
    std::string path(route->path);
    for (const auto& field : route->query()) names[std::string(field.name)] = "a%252Fb";
    path = filled(path, names);
    CHECK(path.find('{') == path.npos);
    Match match = find_route(route->method, path);
    CHECK(match.route == route);
    CHECK(match.service == route->service);
    for (const auto& [name, value] : match.variables) CHECK(value == "a/b");
    Match other = find_route("TRACE", path);
    CHECK_FALSE(other.route);
    CHECK(other.other_method);
    CHECK_FALSE(find_route(route->method, path + "/more").route == route);
    bool hss_path = route->path.rfind("/v5/", 0) == 0, iam_path = route->path.rfind("/v3", 0) == 0;
    CHECK(route->service == (hss_path ? hss : iam_path ? iam : swr));
  }
  CHECK(known.size() >= 60);
  Match slashes = find_route("GET", "/v2/p/instances/i/namespaces/n/repositories/a%2Fb");
  REQUIRE(slashes.route);
  CHECK(std::find(slashes.variables.begin(), slashes.variables.end(),
                  std::pair<std::string, std::string>("repository_name", "a/b")) != slashes.variables.end());
}

TEST_CASE("every reason has a code in every service") {
#define X(name, kind, text) Reason::name,
  for (Reason reason : {WHARFAGE_REASONS(X)}) {
#undef X
    CAPTURE(std::string(reason_name(reason)));
    for (Service service : {swr, hss, iam}) {
      WireError wire = wire_error(service, reason);
      CHECK(wire.status >= 400);
      CHECK(wire.status < 600);
      CHECK_FALSE(wire.code.empty());
      bool ours = reason_kind(reason) == ErrorKind::internal;
      CHECK((wire.status == 500) == ours);
      if (service == iam) CHECK((std::string(wire.code) == "Internal Server Error") == ours);
      if (service != iam && wire.status == 401) CHECK(std::string(wire.code) == "APIGW.0301");
      if (service == hss && wire.status < 500 && wire.status != 401 && wire.status != 429)
        CHECK(std::string(wire.code) != "HSS.0041");
    }
  }
  auto code = [](Service service, Reason reason) {
    WireError wire = wire_error(service, reason);
    return std::to_string(wire.status) + " " + std::string(wire.code);
  };
  CHECK(code(swr, Reason::invalid_parameter) == "400 SVCSTG.SWR.4000014");
  CHECK(code(swr, Reason::repository_unknown) == "404 SVCSTG.SWR.4040010");
  CHECK(code(swr, Reason::tag_unknown) == "404 SVCSTG.SWR.4040048");
  CHECK(code(swr, Reason::namespace_unknown) == "404 SVCSTG.SWR.4040058");
  CHECK(code(swr, Reason::unknown_action) == "404 SVCSTG.SWR.4040083");
  CHECK(code(swr, Reason::namespace_exists) == "409 SVCSTG.SWR.4090060");
  CHECK(code(swr, Reason::repository_exists) == "409 SVCSTG.SWR.4090006");
  CHECK(code(swr, Reason::namespace_not_empty) == "406 SVCSTG.SWR.4060074");
  CHECK(code(swr, Reason::repository_not_empty) == "406 SVCSTG.SWR.4060012");
  CHECK(code(swr, Reason::denied) == "403 SVCSTG.SWR.4039002");
  CHECK(code(swr, Reason::throttled) == "429 APIGW.0308");
  CHECK(code(hss, Reason::invalid_parameter) == "400 HSS.0001");
  CHECK(code(hss, Reason::too_large) == "413 HSS.0001");
  CHECK(code(hss, Reason::internal) == "500 HSS.0041");
  CHECK(code(iam, Reason::throttled) == "429 Too Many Requests");
  CHECK(code(iam, Reason::shutting_down) == "503 Service Unavailable");
}

TEST_CASE("what is not there or not said is refused in the vendor's words") {
  Port port;
  CHECK(port.refusal("GET", "/v2/proj1/no/such/path") == "404 SVCSTG.SWR.4040083");
  CHECK(port.refusal("GET", "/v5/proj1/no/such/path") == "404 HSS.0004");
  CHECK(port.refusal("GET", "/v3/no/such/path") == "404 Not Found");
  CHECK(port.refusal("PATCH", port.instance) == "405 SWR.400001");
  CHECK(port.refusal("POST", port.instance + "/namespaces", "{") == "400 SVCSTG.SWR.4000014");
  CHECK(port.refusal("POST", port.instance + "/namespaces", "{}") == "400 SVCSTG.SWR.4000014");
  CHECK(port.refusal("POST", "/v5/proj1/image/registries", "[]") == "400 HSS.0001");
  CHECK(port.refusal("GET", "/v2/another/instances") == "404 SWR.404001");
  CHECK(port.refusal("GET", "/v2/proj1/instances/another") == "404 SWR.404001");
  Reply reply = port.ask("GET", port.instance + "/namespaces/nothing");
  CHECK(reply.members().rfind("error_code error_msg", 0) == 0);
}

TEST_CASE("every route that names a project or an instance refuses another one") {
  Port port;
  const Names ours{{"project_id", "proj1"}, {"instance_id", "inst-1"}};
  int projects = 0, instances = 0;
  for (const Route* route : routes()) {
    CAPTURE(std::string(route->path));
    auto refused = [&](const std::string& name) {
      if (route->path.find("{" + name + "}") == route->path.npos) return 0;
      Names names = ours;
      names[name] = "another";
      std::string target = filled(route->path, names), body = route->body().empty() ? "" : "{}";
      std::string code = route->service == hss ? "404 HSS.0004" : "404 SWR.404001";
      CHECK(port.refusal(std::string(route->method), target, body) == code);
      return 1;
    };
    projects += refused("project_id");
    instances += refused("instance_id");
  }
  CHECK(projects >= 50);
  CHECK(instances >= 40);
}

TEST_CASE("every list refuses pages that the vendor would refuse") {
  Secrets port;
  int lists = 0;
  for (const Route* route : routes()) {
    if (route->method != "GET" || !asks(*route, "offset") || !asks(*route, "limit")) continue;
    CAPTURE(std::string(route->path));
    ++lists;
    bool of_hss = route->service == hss;
    std::string target = port.target(*route, port.there) + "?";
    std::string more = asks(*route, "type") && of_hss ? "&type=image_sync" : "";
    std::string bad = of_hss ? "400 HSS.0001" : "400 SVCSTG.SWR.4000014";
    for (const char* page : {"limit=0", "limit=-1", "limit=201", "limit=ten", "limit=10&offset=-10",
                             "limit=10&offset=x", "limit=99999999999999999999"}) {
      CAPTURE(std::string(page));
      CHECK(port.refusal("GET", target + page + more) == bad);
    }
    if (of_hss) {
      CHECK(port.refusal("GET", target + "limit=10&offset=2000001" + more) == bad);
      continue;
    }
    CHECK(port.refusal("GET", target + "limit=101") == bad);
    if (route->path == "/v2/{project_id}/instances") continue;
    CHECK(port.refusal("GET", target + "limit=10&offset=5") == bad);
  }
  CHECK(lists >= 15);
  Reply beyond = port.call("GET", port.policies + "/3/executions?limit=10&offset=1000");
  CHECK(beyond.at("executions").as_array().empty());
  CHECK(beyond.text_at("total") == "8");
  CHECK(
      port.call("GET", port.policies + "/3/executions?limit=5&offset=5").at("executions").as_array().size() ==
      3);
}

TEST_CASE("the tasks of a signing run hold what the vendor's table says") {
  Port port;
  port.add_policies();
  port.go();
  port.settle();
  Reply list = port.call("GET", port.policies + "/3/executions/8/tasks?limit=10&offset=0");
  CHECK(list.members() == "tasks total");
  CHECK(list.at("total").is_int64());
  CHECK(list.text_at("total") == "1");
  CHECK(list.members("tasks.0") ==
        "created_at execution_id id job_id namespace repository status status_text updated_at");
  CHECK(list.at("tasks.0.id").is_int64());
  CHECK(list.text_at("tasks.0.execution_id") == "8");
  CHECK(list.text_at("tasks.0.namespace") == "root");
  CHECK(list.text_at("tasks.0.repository") == "libz");
  CHECK(list.text_at("tasks.0.status") == "Success");
  CHECK(list.at("tasks.0.status_text").as_string().empty());
  CHECK(list.text_at("tasks.0.job_id").size() == 24);
  CHECK(list.text_at("tasks.0.created_at").size() == std::string("2020-12-01T07:06:35Z").size());
  std::string task = list.text_at("tasks.0.id");
  Reply below = port.call("GET", port.policies + "/3/executions/8/tasks/" + task + "/subtasks");
  CHECK(below.members("sub_tasks.0") ==
        "created_at digest id job_id namespace repository status status_text tags updated_at");
  CHECK(below.text_at("sub_tasks.0.status") == "Succeed");
  CHECK(below.text_at("sub_tasks.0.tags") == "1.0");
  Reply runs = port.call("GET", port.policies + "/3/executions");
  CHECK(runs.members("executions.0") ==
        "created_at failed id in_progress policy_id status status_text stopped succeed total trigger "
        "updated_at");
  CHECK(runs.text_at("executions.0.status") == "Succeed");
  CHECK(runs.text_at("executions.0.trigger") == "manual");
  CHECK(port.refusal("GET", port.policies + "/3/executions/99/tasks") == "404 SWR.404001");
  CHECK(port.refusal("GET", port.policies + "/2/executions/8/tasks") == "404 SWR.404001");
}

TEST_CASE("the registries of a synchronisation task hold what the vendor's table says") {
  Port port;
  port.connect("broken", "http://127.0.0.1:1", connect::Kind::harbor);
  port.go();
  CHECK(
      port.call("POST", "/v5/proj1/image/image-sync/tasks", R"({"sync_all_registries":true})").text.empty());
  port.settle();
  Reply tasks = port.call("GET", "/v5/proj1/image/tasks?type=image_sync");
  CHECK(tasks.members() == "data_list total_num");
  REQUIRE(tasks.text_at("total_num") == "1");
  std::string path =
      "/v5/proj1/image/image-sync/tasks/" + tasks.text_at("data_list.0.task_id") + "/registries";
  REQUIRE(Port::eventually([&] {  // what cannot be reached is tried again a while later
    port.house.base.clock.advance(minute_ms);
    return port.ask("GET", path + "?sync_status=running").text_at("total_num") == "0";
  }));
  Reply list = port.call("GET", path);
  CHECK(list.members() == "data_list total_num");
  CHECK(list.at("total_num").is_int64());
  CHECK(list.text_at("total_num") == "2");
  for (std::string_view status : {"finished", "failed"}) {
    Reply one = port.call("GET", path + "?sync_status=" + std::string(status));
    CAPTURE(one.text);
    REQUIRE(one.text_at("total_num") == "1");
    bool failed = status == "failed";
    CHECK(one.members("data_list.0") ==
          (failed ? "failed_reason registry_id registry_name registry_type sync_status"
                  : "registry_id registry_name registry_type sync_status"));
    CHECK(one.text_at("data_list.0.sync_status") == status);
    CHECK(one.text_at("data_list.0.registry_type") == (failed ? "Harbor" : "SwrEnterprise"));
  }
  CHECK(port.call("GET", path + "?registry_type=SwrPrivate%2CHarbor").text_at("total_num") == "1");
  CHECK(port.call("GET", path + "?registry_name=rok").text_at("data_list.0.registry_name") == "broken");
  CHECK(port.call("GET", path + "?limit=10&offset=10").at("data_list").as_array().empty());
  CHECK(port.refusal("GET", path + "?sync_status=sleeping") == "400 HSS.0001");
  CHECK(port.refusal("GET", path + "?registry_type=Moon") == "400 HSS.0001");
  CHECK(port.refusal("GET", "/v5/proj1/image/image-sync/tasks/none/registries") == "404 HSS.0004");
}

TEST_CASE("places and artifacts hold what the vendor's table says") {
  Secrets port;
  const std::string space = port.instance + "/namespaces/root", app = space + "/repositories/libz";
  auto members = [&](const std::string& target, std::string_view path = {}) {
    return port.call("GET", target).members(path);
  };
  CHECK(members(space).find("created_at") != std::string::npos);
  for (std::string_view name : {"metadata", "name", "namespace_id", "repo_count", "updated_at"})
    CHECK(members(space).find(name) != std::string::npos);
  const std::string repository =
      "artifact_count created_at description id name namespace_id namespace_name pull_count tag_count "
      "updated_at";
  CHECK(members(app) == repository);
  CHECK(members(space + "/repositories", "repositories.0") == repository);
  CHECK(members(port.instance + "/repositories", "repositories.0") == repository);
  const std::string artifact =
      "digest id manifest_media_type media_type namespace_id pull_time push_time repository_id "
      "repository_name size tags type";
  CHECK(members(app + "/artifacts", "artifacts.0") == artifact);
  CHECK(members(app + "/artifacts/1.0") == artifact);
  CHECK(members(app + "/artifacts/1.0", "tags.0") == "artifact_id id name pull_time push_time repository_id");
  const std::string tags = "/v2/instances/inst-1/namespaces/root/repositories/libz/tags";
  CHECK(members(tags, "tags.0") ==
        "artifact_id digest id manifest_media_type media_type name namespace_id pull_time push_time "
        "repository_id size type");
}

TEST_CASE("to who may read nothing, what exists is like what does not") {
  Secrets port;
  Key eve = port.member("eve");
  Names absent = port.there;
  absent["namespace_name"] = "nothing";
  absent["repository_name"] = "nil";
  absent["policy"] = absent["execution"] = absent["rule"] = absent["run"] = "999";
  absent["task_id"] = "999";
  int refused = 0;
  for (const Route* route : routes()) {
    if (route->path.rfind("/v2/", 0) != 0 || route->path.find("/registries") != route->path.npos) continue;
    if (route->path.find("credential") != route->path.npos || route->path.find("secret") != route->path.npos)
      continue;  // what they hand out differs each time
    CAPTURE(std::string(route->method) + " " + std::string(route->path));
    std::string there = port.told(*route, port.there, eve);
    CHECK(there == port.told(*route, absent, eve));
    refused += there.rfind("404 ", 0) == 0;
  }
  CHECK(refused >= 25);
}
