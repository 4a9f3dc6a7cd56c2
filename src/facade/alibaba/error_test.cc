#include "facade/alibaba/error.h"

#include <doctest/doctest.h>

#include <boost/json.hpp>

using namespace wharfage;
using namespace wharfage::alibaba;

namespace {

std::string code(Reason reason, std::string detail = "") {
  return wire_error(fail(reason, "", std::move(detail))).code;
}

boost::json::object body(const http::Response& response) {
  return boost::json::parse(std::get<std::string>(response.body)).as_object();
}

}  // namespace

TEST_CASE("every reason has a code of its own kind") {
  for (Reason reason : {
#define X(name, kind, text) Reason::name,
           WHARFAGE_REASONS(X)
#undef X
       }) {
    CAPTURE(reason_name(reason));
    WireError wire = wire_error(fail(reason));
    CHECK_FALSE(wire.code.empty());
    CHECK(wire.code.find("_UNKNOWN") == std::string::npos);
    CHECK(wire.status >= 400);
    CHECK(wire.status < 600);
    ErrorKind kind = reason_kind(reason);
    bool ours = kind == ErrorKind::internal || kind == ErrorKind::unavailable || reason == Reason::disk_full;
    CHECK((wire.status >= 500) == ours);
    // Only what cr decides about its own things may come as a success.
    if (wire.business) {
      bool about_things = kind == ErrorKind::not_found || kind == ErrorKind::conflict;
      CHECK((about_things || reason == Reason::quota_exceeded));
    }
    for (Dialect dialect : {Dialect::cr, Dialect::cr_status, Dialect::sas}) {
      auto response = error_response(fail(reason), "ID", "host:1", dialect);
      // Older SDKs assert that all five are strings, and take an empty message for success.
      for (const char* name : {"RequestId", "HostId", "Code", "Message", "Recommend"})
        CHECK(body(response).at(name).is_string());
      CHECK_FALSE(body(response).at("Message").as_string().empty());
      CHECK((response.status == 200) == (wire.business && dialect == Dialect::cr));
      CHECK(body(response).contains("IsSuccess") == (response.status == 200));
    }
  }
}

TEST_CASE("codes name the parameter, or the noun") {
  CHECK(code(Reason::missing_parameter, "InstanceId") == "MissingInstanceId");
  CHECK(code(Reason::missing_parameter) == "MissingParameter");
  CHECK(code(Reason::invalid_parameter, "Tag.1.Key") == "InvalidTag");
  CHECK(code(Reason::invalid_parameter, "repository filter") == "InvalidParameter");
  CHECK(code(Reason::invalid_parameter, "Not-a-name") == "InvalidParameter");
  CHECK(code(Reason::namespace_unknown) == "NAMESPACE_NOT_EXIST");
  CHECK(code(Reason::repository_unknown) == "REPO_NOT_EXIST");
  CHECK(code(Reason::connection_exists) == "CONNECTION_ALREADY_EXIST");
  CHECK(code(Reason::execution_unknown) == "EXECUTION_NOT_EXIST");
  CHECK(code(Reason::denied) == "NoPrivilege");
}

TEST_CASE("dialects differ in how they tell") {
  Error missing = fail(Reason::repository_unknown);
  CHECK(error_response(missing, "ID", "h", Dialect::cr).status == 200);
  CHECK(error_response(missing, "ID", "h", Dialect::cr_status).status == 404);
  CHECK(error_response(missing, "ID", "h", Dialect::sas).status == 404);
  auto denied = error_response(fail(Reason::denied), "ID", "h", Dialect::sas);
  CHECK(body(denied).at("Code").as_string() == "NoPermission");
  auto busy = error_response(fail(Reason::throttled), "ID", "h", Dialect::cr);
  CHECK(busy.headers.get("x-acs-retry-after") == "1000");
  auto quoted = error_response(fail(Reason::denied, "\"\n\x01"), "ID", "\"", Dialect::cr);
  CHECK(body(quoted).at("HostId").as_string() == "\"");
}
