#include "base/glob.h"

#include <doctest/doctest.h>

#include <string>

using namespace wharfage;

TEST_CASE("stars stay within a segment, double stars do not") {
  CHECK(glob_match("*", "app"));
  CHECK_FALSE(glob_match("*", "team/app"));
  CHECK(glob_match("**", "team/app"));
  CHECK(glob_match("team/**", "team/a/b"));
  CHECK(glob_match("**/app", "a/b/app"));
  CHECK(glob_match("v?.*", "v1.2"));
  CHECK_FALSE(glob_match("v?.*", "v10.2"));
  CHECK_FALSE(glob_match("a?b", "a/b"));
  CHECK(glob_match("", ""));
  CHECK_FALSE(glob_match("", "a"));
}

TEST_CASE("braces offer alternatives") {
  CHECK(glob_match("{app,lib*}", "libz"));
  CHECK(glob_match("v{1,2}.{0,1}", "v2.0"));
  CHECK_FALSE(glob_match("{app,lib}", "libz"));
  CHECK(check_glob("{a,b}").ok());
  CHECK_FALSE(check_glob("{a").ok());
  CHECK_FALSE(check_glob("a}").ok());
  CHECK_FALSE(check_glob("{a,{b}}").ok());
  CHECK_FALSE(check_glob("").ok());
  std::string many;
  for (int i = 0; i < 9; ++i) many += "{a,b}";
  CHECK_FALSE(check_glob(many).ok());
}

TEST_CASE("alternatives may be empty, hold stars, and stand anywhere") {
  CHECK(glob_match("app{,-dev}", "app"));
  CHECK(glob_match("app{,-dev}", "app-dev"));
  CHECK_FALSE(glob_match("app{,-dev}", "app-de"));
  CHECK(glob_match("{*,x/**}/y", "x/a/b/y"));
  CHECK(glob_match("{*,x/**}/y", "z/y"));
  CHECK_FALSE(glob_match("{*,x/**}/y", "z/a/y"));
  CHECK(glob_match("{a,ab}{c,bc}", "abbc"));
  CHECK(glob_match("{a,ab}{c,bc}", "abc"));
  CHECK_FALSE(glob_match("{a,ab}{c,bc}", "ac "));
  CHECK_FALSE(glob_match("{a", "a"));
  CHECK_FALSE(glob_match("a}", "a"));
}

TEST_CASE("a hostile pattern costs no more than its length times the text's") {
  std::string pattern, text(5000, 'a');
  for (int i = 0; i < 250; ++i) pattern += "*a";
  CHECK_FALSE(glob_match(pattern + "b", text));
  std::string braces;
  for (int i = 0; i < 8; ++i) braces += "{a,b}";
  for (int i = 0; i < 100; ++i) braces += "?*";
  CHECK_FALSE(glob_match(braces + "b", text));
  CHECK(glob_match(braces + "a", text));
}
