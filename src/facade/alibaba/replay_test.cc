// The requests of tests/captures, as the official clients sent them, through the whole facade.
#include <fmt/format.h>

#include "crypto/cloud_signature_fixture.h"
#include "facade/alibaba/alibaba_fixture.h"

using namespace wharfage;
using namespace wharfage::alibaba;

namespace {

constexpr TimeMs captured_at = 1'795'314'163'000;  // 2026-11-22T02:22:43Z

http::Request request_of(const crypto::Captured& captured) {
  http::Request request;
  request.method = captured.method;
  request.path = captured.path;
  request.query = captured.query;
  request.target = captured.path + "?" + captured.query;
  request.body = captured.body;
  request.peer = "192.0.2.1";
  for (const auto& [name, value] : captured.headers) request.headers.add(name, value);
  return request;
}

struct Replay : Shop {
  Replay() { house.base.clock.set(captured_at); }
  Reply send(const crypto::Captured& captured) { return Reply(facade->answer(request_of(captured))); }
};

// Everything that proves who calls.
bool about_caller(const std::string& code) {
  for (const char* one :
       {"MissingAccessKeyId", "InvalidAccessKeyId", "SignatureDoesNotMatch", "IncompleteSignature",
        "InvalidSignatureMethod", "InvalidTimeStamp", "SignatureNonceUsed", "InvalidSecurityToken",
        "MissingSignatureNonce", "NoPrivilege", "NoPermission", "InvalidCredentials"}) {
    if (code.rfind(one, 0) == 0) return true;
  }
  return false;
}

bool is(const crypto::Captured& captured, std::string_view part) {
  return captured.name.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("captured requests of every client are understood") {
  CHECK(rfc3339(captured_at) == "2026-11-22T02:22:43Z");
  Replay replay;
  int answered = 0;
  for (const auto& captured : crypto::alibaba_captures().requests) {
    CAPTURE(captured.name);
    Reply reply = replay.send(captured);
    CAPTURE(json::serialize(reply.body));
    if (is(captured, "TagResources")) {
      CHECK(reply.code() == "InvalidAction.NotFound");
    } else if (is(captured, "-sts-")) {
      CHECK(reply.code() == "InvalidSecurityToken.Expired");  // not a token that we gave out
    } else if (is(captured, "PageImageRegistry")) {
      CHECK(reply.status == 200);
      CHECK(reply.text("PageInfo.PageSize") == "20");
      CHECK(reply.at("List").is_array());
      ++answered;
    } else {
      CHECK_FALSE(about_caller(reply.code()));
      // The captured instance is not ours: cr says so in a success, or with a status where Code is a number.
      CHECK(reply.code() == "INSTANCE_NOT_EXIST");
      CHECK(reply.status == (is(captured, "CreateScanRule") ? 404 : 200));
      ++answered;
    }
  }
  CHECK(answered >= 50);
}

TEST_CASE("a request counts once, in time and unaltered") {
  auto captures = crypto::alibaba_captures();
  for (const char* name : {"v3-GetRepoBuildRecord", "v3-PageImageRegistry", "pop-POST-GetRepoBuildRecord",
                           "pop-GET-GetRepoTagScanStatus", "rpcv1-newsdk-PageImageRegistry"}) {
    CAPTURE(std::string(name));
    Replay replay;
    auto captured = crypto::named(captures, name);
    auto altered = captured;
    (altered.query.empty() ? altered.body : altered.query) += "&InstanceIds=x";
    CHECK(replay.send(altered).code() == "SignatureDoesNotMatch");
    CHECK(replay.send(altered).text("Message").find("server string to sign is:") != std::string::npos);

    bool v3 = std::string_view(name).rfind("v3", 0) == 0;
    TimeMs window = (v3 ? 15 : 31) * minute_ms;
    for (TimeMs off : {-window - second_ms, window + second_ms}) {
      replay.house.base.clock.set(captured_at + off);
      CHECK(replay.send(captured).code() == "InvalidTimeStamp.Expired");
    }
    replay.house.base.clock.set(captured_at - window);
    CHECK_FALSE(about_caller(replay.send(captured).code()));
    replay.house.base.clock.set(captured_at + window);
    CHECK(replay.send(captured).code() == "SignatureNonceUsed");
  }
}

TEST_CASE("only known and enabled keys get in, and what they may do is asked each time") {
  Shop shop;
  CHECK(shop.ask("ListInstance", {}, cr_version, {"LTAInobody", "x"}).code() ==
        "InvalidAccessKeyId.NotFound");
  CHECK(shop.ask("ListInstance", {}, cr_version, {admin_key.id, "wrong"}).code() == "SignatureDoesNotMatch");
  Key key = shop.member("eve");
  CHECK(shop.ask("ListInstance", {}, cr_version, key).good());
  std::map<std::string, std::string> params{{"NamespaceName", "team"}};
  CHECK(shop.refusal("CreateNamespace", params, key) == "403 NoPrivilege");
  CHECK(shop.refusal("GetNamespace", params, key) == "200 NAMESPACE_NOT_EXIST");
  shop.call("CreateNamespace", params);
  CHECK(shop.refusal("GetNamespace", params, key) == "200 NAMESPACE_NOT_EXIST");
  auto denied = shop.ask("DeletePrivateRegistry", {{"RegistryId", "1"}}, sas_version, key);
  CHECK(denied.code() == "NoPermission");
  REQUIRE(shop.house.base.auth->set_access_key_enabled(key.id, false).ok());
  CHECK(shop.ask("ListInstance", {}, cr_version, key).code() == "InvalidAccessKeyId.Inactive");

  http::Request unsigned_one = shop.request("ListInstance", {});
  CHECK(Reply(shop.facade->answer(unsigned_one)).code() == "MissingAccessKeyId");
}

TEST_CASE("bearer tokens are our own tokens") {
  Shop shop;
  auto token = shop.house.base.auth->issue_token(shop.admin);
  REQUIRE(token.ok());
  http::Request request = shop.request("ListInstance", {{"SignatureType", "BEARERTOKEN"}});
  request.headers.set("x-acs-bearer-token", token->text);
  CHECK(Reply(shop.facade->answer(request)).good());
  request.headers.set("x-acs-bearer-token", "testBearer");
  CHECK(Reply(shop.facade->answer(request)).code() == "InvalidSecurityToken.Expired");
  http::Request old = shop.request("ListInstance", {});
  old.headers = {};
  old.headers.set("Host", "h");
  old.query = "Action=ListInstance&Version=2018-12-01&SignatureType=BEARERTOKEN&BearerToken=" +
              percent_encode(token->text);
  CHECK(Reply(shop.facade->answer(old)).good());
}

TEST_CASE("what is not there or not said is refused in the vendor's words") {
  Shop shop;
  Reply unknown = shop.ask("NoSuchAction", {});
  CHECK(unknown.status == 404);
  CHECK(unknown.code() == "InvalidAction.NotFound");
  CHECK(shop.ask("ListInstance", {}, "2016-06-07").code() == "InvalidAction.NotFound");
  CHECK(shop.ask("PageImageRegistry", {}, cr_version).code() == "InvalidAction.NotFound");
  CHECK(shop.ask("GetInstance", {}).code() == "MissingInstanceId");
  CHECK(shop.ask("GetInstance", {{"InstanceId", "cri-other"}}).code() == "INSTANCE_NOT_EXIST");
  CHECK(shop.refusal("ListNamespace", {{"PageNo", "0"}}) == "400 InvalidPageNo");
  CHECK(shop.refusal("ListNamespace", {{"PageSize", "many"}}) == "400 InvalidPageSize");
  http::Request put = shop.request("ListInstance", {}, cr_version, "PUT");
  sign(put, admin_key, shop.house.base.clock.now());
  CHECK(Reply(shop.facade->answer(put)).code() == "UnsupportedHTTPMethod");
}

TEST_CASE("parameters count wherever they stand") {
  Shop shop;
  auto request = shop.request("GetInstance", {}, cr_version);
  request.headers.set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
  request.body = "InstanceId=" + shop.instance().cri_id + "&RegionId=cn-hangzhou";
  sign(request, admin_key, shop.house.base.clock.now());
  CHECK(Reply(shop.facade->answer(request)).good());
  auto get = shop.request("GetInstance", {{"InstanceId", shop.instance().cri_id}}, cr_version, "GET");
  sign(get, admin_key, shop.house.base.clock.now());
  CHECK(Reply(shop.facade->answer(get)).good());
}
