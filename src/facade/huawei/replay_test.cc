// The requests of tests/captures, as the official clients sent them, through the whole facade.
#include "crypto/cloud_signature_fixture.h"
#include "facade/huawei/huawei_fixture.h"

using namespace wharfage;
using namespace wharfage::huawei;
using crypto::Captured;

namespace {

http::Request request_of(const Captured& captured) {
  http::Request request;
  request.method = captured.method;
  request.path = captured.path;
  request.query = captured.query;
  request.target = captured.path + (captured.query.empty() ? "" : "?" + captured.query);
  request.body = captured.body;
  request.peer = "192.0.2.1";
  request.id = "request-1";
  for (const auto& [name, value] : captured.headers) request.headers.add(name, std::string(trim(value)));
  return request;
}

struct Replay : Port {
  Replay() { add_policies(); }
  Reply send(Captured captured, TimeMs late = 0) {
    auto time = crypto::signature_time(*captured.read());
    REQUIRE(time.ok());
    house.base.clock.set(*time + late);
    return answer(request_of(captured));
  }
};

bool is(const Captured& captured, std::string_view method, std::string_view part) {
  return captured.method == method && captured.path.find(part) != std::string::npos;
}

// What the recorded request gets from a node that has the policy 3, its execution 8 and nothing else.
std::string expected(const Captured& captured) {
  auto* authorization = const_cast<Captured&>(captured).header("Authorization");
  if (authorization->find("TMPAK") != std::string::npos) return "401 APIGW.0301";  // a key we never gave out
  if (is(captured, "POST", "/v3/auth/tokens")) return "401 Unauthorized";          // nobody is called bob
  if (is(captured, "GET", "/v3/")) return "200";
  if (captured.path.rfind("/v5/", 0) == 0) {
    bool ours = captured.path.rfind("/v5/proj1/", 0) == 0;
    bool all = captured.body.find("true") != std::string::npos;
    return ours && all ? "200" : "404 HSS.0004";
  }
  if (is(captured, "POST", "/v2/manage/utils/secret")) return "200";
  if (captured.path.rfind("/v2/manage", 0) == 0) return "404 SVCSTG.SWR.4040083";
  // A raw slash makes it a path that there is none of.
  if (captured.path.find("/repositories/a/b") != std::string::npos) return "404 SVCSTG.SWR.4040083";
  if (captured.path.find("/instances/inst-1/") == std::string::npos) return "404 SWR.404001";
  if (is(captured, "GET", "/tasks")) return "200";
  if (is(captured, "POST", "/executions")) return "201";
  if (is(captured, "DELETE", "/policies/3")) return "200";
  if (is(captured, "POST", "/policies")) return "404 SWR.404001";  // key-1 does not exist
  return "";
}

std::string seen(const Reply& reply) {
  std::string text = std::to_string(reply.status);
  return reply.status < 300 ? text : text + " " + reply.code();
}

// The gateway's words about a credential, or IAM's.
void check_refused(const Reply& reply, bool iam) {
  CAPTURE(reply.text);
  CHECK(reply.status == 401);
  if (iam) {
    CHECK(reply.members() == "error");
    CHECK(reply.members("error") == "code message title");
    CHECK(reply.text_at("error.code") == "401");
    return;
  }
  bool described = reply.text.find("error_description") != std::string::npos;  // HSS says it twice
  CHECK(reply.members() == (described ? "error_code error_description error_msg request_id"
                                      : "error_code error_msg request_id"));
  CHECK(reply.text_at("error_code") == "APIGW.0301");
  CHECK(reply.text_at("error_msg").rfind("Incorrect IAM authentication information: ", 0) == 0);
  CHECK(reply.text_at("request_id") == "request-1");
}

// Every copy of a request that somebody on the way might have made of it.
std::vector<std::pair<std::string, Captured>> altered(const Captured& captured) {
  std::vector<std::pair<std::string, Captured>> copies;
  auto add = [&](std::string what) -> Captured& {
    copies.emplace_back(std::move(what), captured);
    return copies.back().second;
  };
  add("path").path.back() ^= 1;
  Captured& query = add("query");
  query.query += query.query.empty() ? "a=b" : "0";
  add("body").body += " ";
  auto of = [](Captured& copy, std::string_view name) -> std::string& {
    std::string* value = copy.header(name);
    REQUIRE(value);
    return *value;
  };
  std::string authorization = of(add("signature"), "Authorization");
  copies.back().second.header("Authorization")->back() ^= 1;
  std::string& other = of(add("another's key"), "Authorization");
  auto access = other.find("Access=") + 7;
  other.replace(access, other.find(',', access) - access, "AKOTHER000000000");
  std::string& nobody = of(add("nobody's key"), "Authorization");
  nobody.replace(access, nobody.find(',', access) - access, "AKNOBODY00000000");
  auto from = authorization.find("SignedHeaders=") + 14;
  std::string names = authorization.substr(from, authorization.find(',', from) - from);
  for (std::string_view name : split(names, ';')) {
    std::string& value = of(add("header " + std::string(name)), name);
    value.back() = value.back() == '0' ? '1' : '0';
  }
  return copies;
}

}  // namespace

TEST_CASE("captured requests of every client are understood") {
  int answered = 0;
  auto captures = crypto::huawei_captures();
  Replay replay;
  for (const auto& captured : captures.requests) {
    CAPTURE(captured.name);
    CAPTURE(captured.path);
    bool destroys = captured.method == "DELETE" && captured.path.find("/policies/3") != std::string::npos;
    Reply reply = destroys ? Replay().send(captured) : replay.send(captured);
    CAPTURE(reply.text);
    CHECK(seen(reply) == expected(captured));
    answered += reply.status < 300;
  }
  CHECK(captures.requests.size() == 46);
  CHECK(answered == 14);
}

TEST_CASE("a captured request is refused when a byte of it is another, or its date is") {
  Replay replay;
  auto other = replay.house.base.user("other");
  REQUIRE(
      replay.house.base.auth->put_access_key("other", "AKOTHER000000000", "anothersecret0123456789").ok());
  int refused = 0;
  for (const auto& captured : crypto::huawei_captures().requests) {
    if (is(captured, "POST", "/v3/auth/tokens")) continue;  // needs no credential but its password
    CAPTURE(captured.name);
    bool iam = captured.path.rfind("/v3", 0) == 0;
    for (const auto& [what, copy] : altered(captured)) {
      CAPTURE(what);
      auto time = crypto::signature_time(*captured.read());
      replay.house.base.clock.set(*time);
      check_refused(replay.answer(request_of(copy)), iam);
      ++refused;
    }
    for (TimeMs late : {-15 * minute_ms - second_ms, 15 * minute_ms + second_ms}) {
      CAPTURE(late);
      check_refused(replay.send(captured, late), iam);
    }
    for (TimeMs late : {-15 * minute_ms, 15 * minute_ms})
      CHECK((replay.send(captured, late).status == 401) == (expected(captured).rfind("401", 0) == 0));
  }
  CHECK(refused > 400);
}

TEST_CASE("the gateway says why a credential is refused") {
  Port port;
  const std::string target = port.instance + "/namespaces";
  auto why = [&](const Reply& reply) {
    std::string text = reply.text_at("error_msg");
    return text.substr(text.find(": ") + 2);
  };
  CHECK(why(port.answer(port.request("GET", target))) == "x-auth-token not found");
  CHECK(why(port.ask("GET", target, "", {"AKTEST0000000000", "wrong"})) == "verify aksk signature fail");
  CHECK(why(port.ask("GET", target, "", {"AKNOBODY", "wrong"})) ==
        "Get secretKey failed,ak:AKNOBODY,err:ak not exist");
  http::Request token = port.request("GET", target);
  token.headers.set("X-Auth-Token", "not ours");
  CHECK(why(port.answer(token)) == "decrypt token fail");
  REQUIRE(port.house.base.auth->set_access_key_enabled(admin_key.id, false).ok());
  CHECK(why(port.ask("GET", target)) == "the access key is disabled");
}
