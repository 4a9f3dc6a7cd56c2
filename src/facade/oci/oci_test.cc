#include <doctest/doctest.h>

#include "facade/oci/error.h"
#include "facade/oci/exchange.h"
#include "facade/oci/range.h"
#include "facade/oci/route.h"

using namespace wharfage;
using namespace wharfage::oci;

namespace {

std::string shown(std::string_view path) {
  auto route = parse_route(path);
  return route ? std::to_string(static_cast<int>(route->kind)) + " " + route->name + " " + route->reference
               : "none";
}

Result<std::optional<ByteRange>> range(std::string_view text) {
  return parse_range(text, 1000);
}

}  // namespace

TEST_CASE("paths are read from their end, since names may hold any component") {
  CHECK(shown("/v2/") == "0  ");
  CHECK(shown("/v2/_catalog") == "1  ");
  CHECK(shown("/v2/a/b/manifests/latest") == "2 a/b latest");
  CHECK(shown("/v2/a/manifests/manifests/sha256:1") == "2 a/manifests sha256:1");
  CHECK(shown("/v2/a/blobs/sha256:1") == "3 a sha256:1");
  CHECK(shown("/v2/a/blobs/uploads/") == "4 a ");
  CHECK(shown("/v2/a/blobs/uploads/1-2") == "5 a 1-2");
  CHECK(shown("/v2/a/tags/list") == "6 a ");
  CHECK(shown("/v2/a/referrers/sha256:1") == "7 a sha256:1");
  CHECK(shown("/v2/a") == "none");
  CHECK(shown("/v2/manifests/latest") == "none");
  CHECK(shown("/v3/a/tags/list") == "none");
}

TEST_CASE("ranges are cut to the blob or refused") {
  CHECK(range("bytes=500-1499").value()->length == 500);
  CHECK(range("bytes=500-").value()->first == 500);
  CHECK(range("bytes=-300").value()->first == 700);
  CHECK(range("bytes=-3000").value()->first == 0);
  CHECK_FALSE(range("bytes=0-1,5-6").value());
  CHECK_FALSE(range("bytes=x-").value());
  CHECK_FALSE(range("").value());
  CHECK_FALSE(range("bytes=500-0").ok());
  CHECK_FALSE(range("bytes=1000-").ok());
  CHECK_FALSE(range("bytes=-0").ok());
}

TEST_CASE("chunk ranges are start-end") {
  CHECK(parse_content_range("5-9")->length == 5);
  CHECK(parse_content_range("bytes 5-9/*")->first == 5);
  CHECK_FALSE(parse_content_range("9-5").ok());
  CHECK_FALSE(parse_content_range("-5").ok());
  CHECK_FALSE(parse_content_range("5").ok());
}

TEST_CASE("every reason has a status and a code"){
#define X(name, kind, text)                      \
  CHECK(wire_error(Reason::name).status >= 400); \
  CHECK_FALSE(wire_error(Reason::name).code.empty());
    WHARFAGE_REASONS(X)
#undef X
}

TEST_CASE("only named namespaces are open to all, and only so far") {
  using auth::Access;
  Options options;
  auth::Resource app{7, "scratch-a/deep/app", false};
  CHECK_FALSE(open_to_all(options, Access::read, app));  // by default nothing is
  options.anonymous_access = Access::administer;
  CHECK_FALSE(open_to_all(options, Access::read, app));
  options.anonymous_namespaces = {"other", "scratch-*"};
  options.anonymous_access = Access::write;
  CHECK(open_to_all(options, Access::read, app));
  CHECK(open_to_all(options, Access::write, app));
  for (Access more : {Access::remove, Access::manage, Access::administer})
    CHECK_FALSE(open_to_all(options, more, app));
  CHECK_FALSE(open_to_all(options, Access::read, {8, "scratch/a", false}));
  CHECK_FALSE(open_to_all(options, Access::read, {8, "deep/scratch-a", false}));
  CHECK_FALSE(
      open_to_all(options, Access::read, {-1, "scratch-a/app", false}));  // there is no such namespace
  options = {.anonymous_namespaces = {"**"}, .anonymous_access = Access::administer};
  CHECK(open_to_all(options, Access::remove, app));
  CHECK_FALSE(open_to_all(options, Access::manage, app));
  CHECK_FALSE(open_to_all(options, Access::read, {0, "", false}));  // the installation
}

TEST_CASE("too many requests say when to come back") {
  http::Response response = error_response(fail(Reason::throttled));
  CHECK(response.status == 429);
  CHECK(response.headers.get("Retry-After") == "1");
  CHECK(std::get<std::string>(response.body).find("TOOMANYREQUESTS") != std::string::npos);
  CHECK_FALSE(error_response(fail(Reason::denied)).headers.has("Retry-After"));
}
