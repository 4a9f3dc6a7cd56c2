#include "op/rest.h"

#include <doctest/doctest.h>

using namespace wharfage;

namespace {

std::string matched(std::string_view pattern, std::string_view path) {
  Params variables;
  if (!op::match_path(pattern, path, variables)) return "no";
  std::string text;
  for (const auto& [name, value] : variables) text += name + "=" + value + ";";
  return text;
}

}  // namespace

TEST_CASE("paths match segment by segment, on the raw path") {
  CHECK(matched("/v2/{p}/instances", "/v2/p1/instances") == "p=p1;");
  CHECK(matched("/v2/{p}/instances", "/v2/p1/instances/") == "p=p1;");
  CHECK(matched("/v2/{p}/instances", "/v2//instances") == "no");
  CHECK(matched("/v2/{p}/instances", "/v2/p1") == "no");
  CHECK(matched("/v2/{p}", "/v2/p1/instances") == "no");
  CHECK(matched("/a", "/b") == "no");
}

TEST_CASE("a slash inside a name may be encoded once or twice") {
  CHECK(matched("/r/{r}/tags", "/r/a%2Fb/tags") == "r=a/b;");
  CHECK(matched("/r/{r}/tags", "/r/a%252Fb/tags") == "r=a/b;");
  CHECK(matched("/r/{r}/tags", "/r/a%20b/tags") == "r=a b;");
}
