// The native API as a whole: its document, its errors, and who may ask what.
#include "facade/native/native.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>

#include "base/text.h"
#include "facade/fixture/builds_fixture.h"
#include "facade/fixture/facade_fixture.h"
#include "facade/native/route.h"
#include "http/test_peer.h"
#include "notify/webhooks.h"
#include "sign/signing.h"

using namespace wharfage;
using namespace wharfage::native;
namespace json = boost::json;

namespace {

std::vector<meta::Migration> more_schemas() {
  std::vector<meta::Migration> all;
  for (const auto& list : {build::schema(), sign::schema(), notify::schema()})
    all.insert(all.end(), list.begin(), list.end());
  return all;
}

struct Reply {
  int status = 0;
  http::Headers headers;
  std::string text;
  json::value body;
  std::string error(std::string_view member) const {
    return std::string(body.at("error").at(member).as_string());
  }
};

struct House : facade::FacadeFixture {
  House()
      : facade::FacadeFixture(more_schemas(), {"AKTEST0000000000", "sk-test-secret"}),
        builds(facade::make_builds(*this)) {
    auto& base = house.base;
    signing = std::make_unique<sign::Signing>(*house.registry, *base.ids, *queue, base.vault,
                                              sign::Signing::Options{.registry_host = "registry.example"});
    webhooks = std::make_unique<notify::Webhooks>(*base.db, *base.ids, *queue, *house.events, base.vault,
                                                  http, base.clock, base.log(), "wharfage/test");
    maintenance = std::make_unique<registry::Maintenance>(*policies, *queue, registry::MaintenanceOptions{});
    Rooms rooms{*house.registry, *policies, *retention,   *queue,     *builds,   *scans,
                *signing,        *sync,     *connections, *inventory, *webhooks, *maintenance};
    facade = std::make_unique<Native>(rooms, *base.auth, audit, base.clock, "1.2.3", base.log());
  }
  ~House() {
    halt();
    house.events->stop();
  }
  Reply ask(std::string_view method, const std::string& target, const std::string& body = "",
            const std::string& authorization = "") {
    http::Request request = facade::request_of(method, target, body);
    if (!authorization.empty()) request.headers.set("Authorization", authorization);
    http::Response response = facade->answer(request);
    Reply reply{response.status, response.headers, std::get<std::string>(response.body), {}};
    INFO(reply.text);
    if (!reply.text.empty()) reply.body = json::parse(reply.text);
    return reply;
  }
  std::string as(const auth::Principal& who) {
    auto token = house.base.auth->issue_token(who);
    REQUIRE(token.ok());
    return "Bearer " + token->text;
  }

  auth::Principal root = house.base.user("root", true), eve = house.base.user("eve");
  std::unique_ptr<build::Builds> builds;
  std::unique_ptr<sign::Signing> signing;
  std::unique_ptr<notify::Webhooks> webhooks;
  std::unique_ptr<registry::Maintenance> maintenance;
  std::unique_ptr<Native> facade;
};

// A type, or what any value may be, all the way down.
void check_schema(const json::value& schema) {
  INFO(json::serialize(schema));
  REQUIRE(schema.is_object());
  const json::object& object = schema.as_object();
  if (object.empty()) return;
  REQUIRE(object.contains("type"));
  std::string type(object.at("type").is_string() ? object.at("type").as_string().c_str() : "any of several");
  CHECK(std::set<std::string>{"object", "array", "string", "integer", "number", "boolean", "any of several"}
            .contains(type));
  if (type == "array") check_schema(object.at("items"));
  if (!object.contains("properties")) return;
  for (const auto& property : object.at("properties").as_object()) check_schema(property.value());
  if (!object.contains("required")) return;
  for (const auto& name : object.at("required").as_array())
    CHECK(object.at("properties").as_object().contains(name.as_string()));
}

void check_parameters(const Route& route, const json::object& operation) {
  std::set<std::string> in_path;
  for (const auto& parameter : operation.at("parameters").as_array()) {
    const json::object& fields = parameter.as_object();
    check_schema(fields.at("schema"));
    std::string name(fields.at("name").as_string());
    bool path = fields.at("in").as_string() == "path";
    CHECK((path || fields.at("in").as_string() == "query"));
    if (path) CHECK(fields.at("required").as_bool());
    if (path) CHECK(in_path.insert(name).second);
  }
  CHECK(operation.at("parameters").as_array().size() == route.query().size());
  auto braces = std::count(route.path.begin(), route.path.end(), '{');
  CHECK(in_path.size() == static_cast<std::size_t>(braces));
  for (const auto& name : in_path) CHECK(route.path.find("{" + name + "}") != route.path.npos);
}

const json::value& json_schema_of(const json::value& holder) {
  return holder.at("content").at("application/json").at("schema");
}

std::string sample(const Route& route) {
  std::string path(route.path);
  for (auto at = path.find('{'); at != path.npos; at = path.find('{'))
    path.replace(at, path.find('}') - at + 1, "1");
  return path;
}

}  // namespace

TEST_CASE("the document describes every route, and nothing else") {
  House house;
  Reply reply = house.ask("GET", "/api/v1/openapi.json");
  REQUIRE(reply.status == 200);
  CHECK(reply.body.at("openapi").as_string() == "3.1.0");
  CHECK(reply.body.at("info").at("version").as_string() == "1.2.3");
  const json::object& paths = reply.body.at("paths").as_object();
  std::set<std::string> ids;
  std::size_t described = 0;
  for (const auto& path : paths) described += path.value().as_object().size();
  CHECK(described == routes().size());
  for (const Route* route : routes()) {
    CAPTURE(std::string(route->method) + " " + std::string(route->path));
    REQUIRE(paths.contains(route->path));
    const json::object& operation = paths.at(route->path).at(lower(route->method)).as_object();
    CHECK(ids.insert(std::string(operation.at("operationId").as_string())).second);
    CHECK_FALSE(operation.at("summary").as_string().empty());
    check_parameters(*route, operation);
    CHECK(operation.contains("requestBody") == !route->body().empty());
    if (!route->body().empty()) check_schema(json_schema_of(operation.at("requestBody")));
    const json::object& responses = operation.at("responses").as_object();
    const json::value& done = responses.at(route->reply().empty() ? "204" : std::to_string(route->status));
    if (!route->reply().empty()) check_schema(json_schema_of(done));
    CHECK(responses.at("default").at("$ref").as_string() == "#/components/responses/Error");
  }
  CHECK(ids.contains("getWebhooksByIdDeliveries"));
  const json::value& form = json_schema_of(reply.body.at("components").at("responses").at("Error"));
  check_schema(form);
  CHECK(form.at("properties").at("error").at("properties").as_object().size() == 4);
}

TEST_CASE("an error says what, of what, and for which request") {
  House house;
  std::string root = house.as(house.root);
  Reply reply = house.ask("GET", "/api/v1/users/nobody", "", root);
  CHECK(reply.status == 404);
  CHECK(reply.error("code") == "user_unknown");
  CHECK(reply.error("message") == "the user does not exist");
  CHECK(reply.error("request_id") == "request-1");
  CHECK(reply.body.at("error").as_object().size() == 4);
  CHECK(house.ask("GET", "/api/v1/nothing", "", root).error("code") == "not_found");
  CHECK(house.ask("GET", "/api/v1/nothing", "", root).status == 404);
  CHECK(house.ask("PATCH", "/api/v1/users", "", root).status == 405);
  for (const char* body : {"", "{", "[]", "null", "{\"name\":1}", "{}"}) {
    CAPTURE(std::string(body));
    Reply bad = house.ask("POST", "/api/v1/users", body, root);
    CHECK(bad.status == 400);
    CHECK(bad.error("request_id") == "request-1");
  }
  CHECK(house.ask("GET", "/api/v1/users?limit=0", "", root).error("detail") == "limit");
  CHECK(house.ask("GET", "/api/v1/users?limit=1001", "", root).status == 400);
  CHECK(house.ask("GET", "/api/v1/users?offset=-1", "", root).error("detail") == "offset");
}

TEST_CASE("a body above the limit is refused before it is read") {
  House house;
  http::Site site{[&](const http::Request& head) { return house.facade->plan(head); }};
  http::ClientRequest request{.method = "POST", .url = site.url("/api/v1/users")};
  request.body = std::string(1024 * 1024 + 1, ' ');
  auto over = house.http.send(request);
  REQUIRE(over.ok());
  CHECK(over->status == 413);
  request.body.pop_back();
  auto within = house.http.send(request);
  REQUIRE(within.ok());
  CHECK(within->status == 401);
}

TEST_CASE("without a credential every route is refused, and with a wrong one too") {
  House house;
  for (const Route* route : routes()) {
    CAPTURE(std::string(route->method) + " " + std::string(route->path));
    CHECK_FALSE(route->anonymous);
    for (const char* credential : {"", "Bearer none", "Basic eDp5", "Basic !", "Digest x"}) {
      CAPTURE(std::string(credential));
      Reply reply = house.ask(route->method, sample(*route), "{}", credential);
      CHECK((reply.status == 401 || reply.status == 429));
      if (reply.status == 401) CHECK_FALSE(reply.headers.get("WWW-Authenticate").empty());
    }
  }
}

TEST_CASE("to who may read nothing, what exists is like what does not") {
  House house;
  house.house.push_image(house.house.repository("team/app"), "one", {"1.0"});
  std::string root = house.as(house.root), eve = house.as(house.eve);
  Reply hook =
      house.ask("POST", "/api/v1/webhooks",
                R"({"name":"w","url":"http://127.0.0.1:1/","namespace":"team","event_types":[]})", root);
  REQUIRE_MESSAGE(hook.status == 201, hook.text);
  std::string id = json::serialize(hook.body.at("webhook").at("id"));
  Reply grant = house.ask("POST", "/api/v1/grants",
                          R"({"kind":"user","subject":"root","namespace":"team","role":"guest"})", root);
  REQUIRE_MESSAGE(grant.status == 201, grant.text);
  std::string number = json::serialize(grant.body.at("id"));
  struct Question {
    std::string method, there, absent, body_there, body_absent;
  };
  auto image = [](std::string_view route, std::string_view name) {
    return "/api/v1/" + std::string(route) + "?repository=" + std::string(name) + "&reference=1.0";
  };
  const std::vector<Question> questions = {
      {"GET", image("waybill", "team/app"), image("waybill", "team/none"), "", ""},
      {"GET", image("findings", "team/app"), image("findings", "none/app"), "", ""},
      {"GET", image("packages", "team/app"), image("packages", "none/app"), "", ""},
      {"GET", "/api/v1/grants?namespace=team", "/api/v1/grants?namespace=none", "", ""},
      {"POST", "/api/v1/grants", "/api/v1/grants",
       R"({"kind":"user","subject":"eve","namespace":"team","role":"guest"})",
       R"({"kind":"user","subject":"eve","namespace":"none","role":"guest"})"},
      {"DELETE", "/api/v1/grants/" + number, "/api/v1/grants/999999", "", ""},
      {"GET", "/api/v1/webhooks?namespace=team", "/api/v1/webhooks?namespace=none", "", ""},
      {"POST", "/api/v1/webhooks", "/api/v1/webhooks",
       R"({"name":"x","url":"http://127.0.0.1:1/","namespace":"team","event_types":[]})",
       R"({"name":"x","url":"http://127.0.0.1:1/","namespace":"none","event_types":[]})"},
      {"GET", "/api/v1/webhooks/" + id, "/api/v1/webhooks/999999", "", ""},
      {"PUT", "/api/v1/webhooks/" + id, "/api/v1/webhooks/999999", "{}", "{}"},
      {"DELETE", "/api/v1/webhooks/" + id, "/api/v1/webhooks/999999", "", ""},
      {"POST", "/api/v1/webhooks/" + id + "/ping", "/api/v1/webhooks/999999/ping", "", ""},
      {"GET", "/api/v1/webhooks/" + id + "/deliveries", "/api/v1/webhooks/999999/deliveries", "", ""}};
  for (const auto& question : questions) {
    CAPTURE(question.method + " " + question.there);
    auto told = [&](const std::string& target, const std::string& body, const std::string& who) {
      Reply reply = house.ask(question.method, target, body, who);
      std::string text = std::to_string(reply.status) + " " + reply.text;
      for (const std::string& name :
           {std::string("team/app"), std::string("team/none"), std::string("none/app"),
            std::string("\"team\""), std::string("\"none\""), "\"" + id + "\"", std::string("\"999999\"")}) {
        for (auto at = text.find(name); at != text.npos; at = text.find(name))
          text.replace(at, name.size(), "*");
      }
      return text;
    };
    std::string there = told(question.there, question.body_there, eve);
    CHECK(there == told(question.absent, question.body_absent, eve));
    CHECK(there == told(question.absent, question.body_absent, root));
    CHECK(there.rfind("404 ", 0) == 0);
  }
  CHECK(house.ask("GET", "/api/v1/users", "", eve).status == 403);
  CHECK(house.ask("GET", "/api/v1/jobs", "", eve).status == 403);
}
