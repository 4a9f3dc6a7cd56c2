#include <doctest/doctest.h>

#include "registry/registry.h"

using namespace wharfage;
using namespace wharfage::registry;

namespace {

std::string parsed(std::string_view text) {
  auto name = Name::parse(text);
  return name.ok() ? name->namespace_name + " " + name->repository : "-";
}

}  // namespace

TEST_CASE("names of the distribution protocol") {
  CHECK(parsed("team/app") == "team app");
  CHECK(parsed("team/a/b.c/d__e") == "team a/b.c/d__e");
  CHECK(parsed("ubuntu") == "library ubuntu");
  CHECK(parsed("a-b/c---d/e_f") == "a-b c---d/e_f");
  for (const char* bad :
       {"",        "/",    "a/",   "/a",     "a//b",  "A/b",     "a/B",        "a/-b", "a/b-",  "a/b._c",
        "a/b___c", "a/..", "../a", "a/b..c", "a/b c", "a/b%2fc", "a/\xc3\xa9", "a/_b", "a/b\n", "a/b:c"}) {
    CAPTURE(bad);
    CHECK(parsed(bad) == "-");
  }
  CHECK(parsed(std::string(255, 'a')) == "-");  // "library/" does not fit any more
  CHECK(parsed("a/" + std::string(253, 'a')) != "-");
  CHECK(parsed("a/" + std::string(254, 'a')) == "-");
}

TEST_CASE("namespaces may not take the place of Huawei's paths") {
  CHECK(check_namespace_name("team").ok());
  CHECK(check_namespace_name(std::string(64, 'a')).ok());
  for (const std::string& bad :
       {std::string("manage"), std::string("instances"), std::string(), std::string("a/b"), std::string("A"),
        std::string(65, 'a'), std::string("a.")}) {
    CAPTURE(bad);
    CHECK_FALSE(check_namespace_name(bad).ok());
  }
}

TEST_CASE("tags") {
  for (const std::string& good :
       {std::string("1.0"), std::string("_x"), std::string("A-b.c_d"), std::string(128, 't')})
    CHECK(check_tag(good).ok());
  for (const std::string& bad : {std::string(), std::string(".a"), std::string("-a"), std::string("a/b"),
                                 std::string("a:b"), std::string("a b"), std::string(129, 't')}) {
    CAPTURE(bad);
    CHECK_FALSE(check_tag(bad).ok());
  }
  const std::string hex(64, 'a');
  CHECK(is_accessory_tag("sha256-" + hex));
  CHECK(is_accessory_tag("sha256-" + hex + ".sig"));
  CHECK(is_accessory_tag("sha256-" + hex + ".att"));
  CHECK(is_accessory_tag("sha256-" + hex + ".sbom"));
  CHECK(is_accessory_tag("sha512-" + hex + hex + ".sig"));
  CHECK_FALSE(is_accessory_tag("sha256-" + hex + ".exe"));
  CHECK_FALSE(is_accessory_tag("sha256-" + hex + "a"));
  CHECK_FALSE(is_accessory_tag("sha512-" + hex));
  CHECK_FALSE(is_accessory_tag("sha256-" + std::string(63, 'a') + "g.sig"));
  CHECK_FALSE(is_accessory_tag("1.0"));
}
