#include "node/dispatch.h"

#include <doctest/doctest.h>

using namespace wharfage;
using namespace wharfage::node;

namespace {

Destination to(std::string method, std::string target, http::Headers headers = {}) {
  http::Request head;
  head.method = std::move(method);
  head.target = target;
  auto question = target.find('?');
  head.path = target.substr(0, question);
  if (question != target.npos) head.query = target.substr(question + 1);
  head.headers = std::move(headers);
  return destination(head, [](std::string_view segment, const void*) { return segment == "p1"; }, nullptr);
}

http::Headers with(std::string name, std::string value) {
  http::Headers headers;
  headers.add(std::move(name), std::move(value));
  return headers;
}

}  // namespace

TEST_CASE("the registry's own paths stay the registry's") {
  for (const char* path :
       {"/v2", "/v2/", "/v2/_catalog", "/v2/_oci/ext/discover", "/v2/root/app/manifests/latest",
        "/v2/root/instances/tags/list", "/v2/p2/instances/blobs/uploads/", "/v2/root", "/auth/token"}) {
    CAPTURE(path);
    CHECK(to("GET", path) == Destination::oci);
  }
}

TEST_CASE("the Huawei paths are told apart by their first segment") {
  for (const char* path : {"/v2/manage/namespaces", "/v2/instances/i/namespaces/n/repositories/r/tags",
                           "/v2/p1/instances", "/v2/p1/instances/i/namespaces/n/repositories/tags/list",
                           "/v2/%7Bproject_id%7D/instances", "/v2/unknown/instances/i", "/v3/auth/tokens",
                           "/v3.0/OS-CREDENTIAL/securitytokens", "/v5/p1/image/tasks"}) {
    CAPTURE(path);
    CHECK(to("GET", path) == Destination::huawei);
  }
}

TEST_CASE("the root is Alibaba's, Huawei's or the console's") {
  CHECK(to("POST", "/") == Destination::alibaba);
  CHECK(to("GET", "/?Action=GetInstance&Version=2018-12-01") == Destination::alibaba);
  CHECK(to("GET", "/", with("x-acs-action", "GetRepoTag")) == Destination::alibaba);
  CHECK(to("GET", "/", with("X-Auth-Token", "t")) == Destination::huawei);
  CHECK(to("GET", "/", with("Authorization", "SDK-HMAC-SHA256 Access=a")) == Destination::huawei);
  CHECK(to("GET", "/") == Destination::console);
  CHECK(to("GET", "/?page=1") == Destination::console);
}

TEST_CASE("health and the native API have their own places") {
  CHECK(to("GET", "/livez") == Destination::health);
  CHECK(to("GET", "/metrics") == Destination::health);
  CHECK(to("GET", "/api/v1/users") == Destination::native);
}
