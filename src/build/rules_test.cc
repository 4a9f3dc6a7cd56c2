#include "build/rules.h"

#include <doctest/doctest.h>

using namespace wharfage;
using namespace wharfage::build;

namespace {

RefPattern pattern(std::string_view text) {
  auto parsed = RefPattern::parse(text);
  REQUIRE(parsed.ok());
  return std::move(parsed).value();
}

std::string tag(std::string_view push_name, std::string_view image_tag, std::string_view ref) {
  auto groups = pattern(push_name).match(ref);
  if (!groups) return "no match";
  auto filled = fill_tag(image_tag, tag_variables(*groups, ref, "0123456789abcdef"));
  return filled.ok() ? *filled : "error: " + filled.error().message;
}

Provider provider(std::string url_template) {
  return {.name = "p", .type = "GITHUB", .domain = "github.com", .url_template = std::move(url_template)};
}

std::string url(std::string url_template, std::string_view space = "team/sub",
                std::string_view name = "app") {
  auto made = clone_url(provider(std::move(url_template)), space, name);
  return made.ok() ? *made : "error";
}

Recipe recipe() {
  return {.push_type = "GIT_BRANCH", .push_name = "main", .image_tag = "latest"};
}

std::string refused(const Recipe& wrong) {
  Status checked = check_recipe(normalise(wrong));
  return checked.ok() ? "" : checked.error().detail;
}

}  // namespace

TEST_CASE("a plain push name is exact") {
  CHECK(pattern("main").exact());
  CHECK(pattern("release/1.0").exact());
  CHECK(tag("v1.0", "x", "v1.0") == "x");
  CHECK(tag("v1.0", "x", "v1x0") == "no match");
  CHECK(tag("main", "x", "mainly") == "no match");
}

TEST_CASE("a pattern matches the whole name and its groups fill the tag") {
  CHECK(tag("release-v(?<imageTag>\\w*)", "${imageTag}", "release-v12") == "12");
  CHECK(tag("release-v(?<imageTag>\\w*)", "${imageTag}", "a-release-v12") == "no match");
  CHECK(tag("(?P<major>\\d+)\\.(?P<minor>\\d+)", "$major-${minor}-x", "4.2") == "4-2-x");
  CHECK(tag("release-v$version", "${version}", "release-v1.0.1") == "1.0.1");
  CHECK(tag("release.v$version", "${version}", "release-v1.0.1") == "no match");
  CHECK(tag("feature/.*", "${ref}-${commit}", "feature/x/y") == "feature-x-y-0123456789ab");
  CHECK(tag("(a)|(?<b>b)", "t${b}", "a") == "t");
}

TEST_CASE("named groups are rewritten, but not what only looks like one") {
  CHECK(rewrite_named_groups("(?<a>x)(?P<b>y)") == "(?P<a>x)(?P<b>y)");
  CHECK(rewrite_named_groups("\\(?<a>") == "\\(?<a>");
  CHECK(rewrite_named_groups("[(?<a>]") == "[(?<a>]");
  CHECK(rewrite_named_groups("[]](?<a>.)[^]](?<b>.)") == "[]](?P<a>.)[^]](?P<b>.)");
  CHECK(rewrite_named_groups("(?<=a)(?<!b)") == "(?<=a)(?<!b)");
  CHECK(rewrite_named_groups("(?<") == "(?<");
}

TEST_CASE("broken patterns and names git does not allow are refused") {
  for (std::string wrong :
       {"", "(", "(?<=a)b", "-x", "a..b", "/a", "a/", "a//b", ".a", "a/.b", "a.lock", "a."}) {
    CAPTURE(wrong);
    CHECK_FALSE(RefPattern::parse(wrong).ok());
  }
  // Exponential for a backtracking engine; refused or harmless here.
  CHECK(tag("(a*)*b", "x", std::string(5000, 'a')) == "no match");
}

TEST_CASE("an image tag may only name what the push name defines") {
  CHECK(check_tag_template("v${ref}", pattern("main")).ok());
  CHECK(check_tag_template("${n}", pattern("v(?<n>.)")).ok());
  for (std::string wrong : {"", "${n}", "$", "${", "${}", "a b", "a/b", ".a", "-a", "${ref", "a$-b"}) {
    CAPTURE(wrong);
    CHECK_FALSE(check_tag_template(wrong, pattern("main")).ok());
  }
}

TEST_CASE("clone URLs come from the template and nothing else") {
  CHECK(url("https://{domain}/{namespace}/{name}.git") == "https://github.com/team/sub/app.git");
  CHECK(url("ssh://git@{domain}:22/{namespace}/{name}") == "ssh://git@github.com:22/team/sub/app");
  CHECK(url("file:///srv/git/{namespace}/{name}") == "file:///srv/git/team/sub/app");
  for (std::string wrong :
       {"", "ext::sh -c x", "git@host:{name}", "ftp://x/{name}", "https://", "https://u:p@x/{name}",
        "https://x/{other}", "https://x/a b", "file://host/x", "-x", "http:/x"}) {
    CAPTURE(wrong);
    CHECK(url(wrong) == "error");
  }
  for (std::string wrong :
       {"", "..", "a/../b", "-a", "a b", "a\n", "/a", "a?b", "a#b", "a%2e", "a@b", "a:b"}) {
    CAPTURE(wrong);
    CHECK(url("https://x/{namespace}/{name}", wrong) == "error");
    CHECK(url("https://x/{namespace}/{name}", "a", wrong) == "error");
  }
  CHECK(url("https://x/{namespace}/{name}", "a", "b/c") == "error");
}

TEST_CASE("a provider's credential fits its URL") {
  Provider one = provider("https://{domain}/{namespace}/{name}");
  CHECK(check_provider(one).ok());
  one.credential = "token";
  CHECK(check_provider(one).ok());
  one.credential = "ssh";
  CHECK_FALSE(check_provider(one).ok());
  one.url_template = "ssh://git@host/{namespace}/{name}";
  CHECK_FALSE(check_provider(one).ok());  // whose host key?
  one.known_hosts = "host ssh-ed25519 AAAA";
  CHECK(check_provider(one).ok());
  one.type = "SVN";
  CHECK_FALSE(check_provider(one).ok());
}

TEST_CASE("recipes are brought into one form and checked") {
  Recipe one = recipe();
  one.dockerfile_location = "//docker/./x/";
  one.platforms = {"linux/arm64", "linux/amd64", "linux/arm64"};
  one = normalise(one);
  CHECK(one.dockerfile_location == "/docker/x");
  CHECK(one.dockerfile_name == "Dockerfile");
  CHECK(one.platforms == std::vector<std::string>{"linux/amd64", "linux/arm64"});
  CHECK(refused(one) == "");
  CHECK(normalise(recipe()).dockerfile_location == "/");
  auto with = [](auto change) {
    Recipe wrong = recipe();
    change(wrong);
    return refused(wrong);
  };
  CHECK(with([](Recipe& r) { r.push_type = "GIT_PUSH"; }) == "PushType");
  CHECK(with([](Recipe& r) { r.dockerfile_location = "/a/../../b"; }) == "DockerfileLocation");
  CHECK(with([](Recipe& r) { r.dockerfile_name = "../Dockerfile"; }) == "DockerfileName");
  CHECK(with([](Recipe& r) { r.arguments = {"A=b", "no"}; }) == "BuildArgs");
  CHECK(with([](Recipe& r) { r.arguments = {"A-B=c"}; }) == "BuildArgs");
  CHECK(with([](Recipe& r) { r.platforms = {"windows/amd64"}; }) == "Platforms");
  CHECK(with([](Recipe& r) { r.arguments = std::vector<std::string>(65, "A=b"); }) == "BuildArgs");
}
