// What callers may sign in with: tokens, temporary keys, and docker logins.
#include <algorithm>

#include "facade/huawei/huawei_fixture.h"

using namespace wharfage;
using namespace wharfage::huawei;

TEST_CASE("tokens of IAM stand for the one who signed in") {
  Port port;
  port.house.base.user("alice");
  auto sign_in = [&](const std::string& password) {
    http::Request request = port.request(
        "POST", "/v3/auth/tokens",
        R"({"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"alice","password":")" +
            password + R"(","domain":{"name":"wharfage"}}}},"scope":{"project":{"id":"proj1"}}}})");
    return port.answer(request);
  };
  Reply wrong = sign_in("not her password");
  CHECK(wrong.status == 401);
  CHECK(wrong.members("error") == "code message title");
  CHECK(wrong.headers.get("X-Subject-Token").empty());
  REQUIRE(port.house.base.auth->update_user("alice", "a good password", std::nullopt, std::nullopt).ok());
  Reply in = sign_in("a good password");
  CAPTURE(in.text);
  REQUIRE(in.status == 201);
  std::string token(in.headers.get("X-Subject-Token"));
  CHECK(token.size() > 20);
  CHECK(in.text.find(token) == std::string::npos);
  CHECK(in.members("token") == "catalog expires_at issued_at methods project roles user");
  CHECK(in.text_at("token.user.name") == "alice");
  CHECK(in.text_at("token.project.id") == "proj1");
  CHECK(in.text_at("token.issued_at").size() == std::string("2026-11-23T00:00:00.000000Z").size());

  auto with_token = [&](const std::string& method, const std::string& target) {
    http::Request request = port.request(method, target);
    request.headers.set("X-Auth-Token", token);
    request.headers.set("X-Subject-Token", token);
    return port.answer(request);
  };
  CHECK(with_token("GET", port.instance + "/namespaces").status == 200);
  CHECK(with_token("GET", "/v5/proj1/image/tasks?type=image_scan").status == 200);
  CHECK(with_token("GET", "/v5/proj1/image/registries").status == 403);  // she may copy to none
  CHECK(with_token("GET", "/v3/auth/tokens").text_at("token.user.name") == "alice");
  CHECK(with_token("DELETE", port.instance + "/namespaces/library").status == 404);  // she reads nothing
  Reply projects = with_token("GET", "/v3/projects?name=cn-north-4");
  CHECK(projects.at("projects").as_array().size() == 1);
  CHECK(projects.members("projects.0") == "description domain_id enabled id is_domain links name parent_id");
  CHECK(with_token("GET", "/v3/projects?name=mars-1").at("projects").as_array().empty());
  CHECK(with_token("GET", "/v3/auth/domains").members("domains.0") == "description enabled id links name");
  port.house.base.clock.advance(25 * hour_ms);
  Reply late = with_token("GET", port.instance + "/namespaces");
  CHECK(late.status == 401);
  CHECK(late.code() == "APIGW.0301");
}

TEST_CASE("temporary keys sign with their token, and not without") {
  Port port;
  Reply made = port.call("POST", "/v3.0/OS-CREDENTIAL/securitytokens",
                         R"({"auth":{"identity":{"methods":["token"],"token":{"duration_seconds":900}}}})");
  CHECK(made.status == 201);
  CHECK(made.members("credential") == "access expires_at secret securitytoken");
  Key key{made.text_at("credential.access"), made.text_at("credential.secret")};
  http::Request request = port.request("GET", port.instance + "/namespaces");
  sign_request(request, key, port.house.base.clock.now());
  CHECK(port.answer(request).status == 401);
  request.headers.set("X-Security-Token", made.text_at("credential.securitytoken"));
  CHECK(port.answer(request).status == 200);
}

TEST_CASE("a docker login is handed out to who is signed in") {
  Port port;
  Key alice = port.member("alice");
  Reply made = port.ask("POST", port.instance + "/temp-credential", "", alice);
  CHECK(made.members() == "auth_token created_at expire_date token_id user_id");
  auto who = port.house.base.auth->check_password(made.text_at("user_id"), made.text_at("auth_token"), "p");
  REQUIRE(who.ok());
  CHECK(who->name == "alice");
  Reply secret = port.ask("POST", "/v2/manage/utils/secret?projectname=cn-north-4", "", alice);
  CHECK(secret.members("auths") == "registry.example:5000");
  CHECK(std::string(secret.headers.get("X-Swr-Dockerlogin")).rfind("docker login -u cn-north-4@", 0) == 0);
  port.audit.flush();
  auto entries = port.audit.list({});
  REQUIRE(entries.ok());
  auto kept = std::count_if(entries->begin(), entries->end(), [](const auto& entry) {
    return entry.action == "accounts:CreateTemporaryLogin" && entry.actor == "alice" &&
           entry.facade == "huawei";
  });
  CHECK(kept == 2);
}
