#include <doctest/doctest.h>

#include <set>

#include "sync/sync.h"

using namespace wharfage;
using namespace wharfage::sync;

namespace {

Rule regex(std::string repository, std::string tag) {
  Rule rule{.name = "r", .source_namespace = "team", .patterns = Patterns::regex};
  rule.repository_pattern = std::move(repository);
  rule.tag_pattern = std::move(tag);
  return rule;
}
Rule glob(std::string repository, std::string tag) {
  Rule rule = regex(std::move(repository), std::move(tag));
  rule.source_namespace.clear();
  rule.patterns = Patterns::glob;
  return rule;
}
std::string shape(Rule rule) {
  Status status = check_shape(rule);
  return status.ok() ? "ok" : std::string(reason_name(status.error().reason));
}

}  // namespace

TEST_CASE("expressions match the whole name, as ACR means them") {
  CHECK(selects_repository(regex("app.*", ""), "team", "app/web"));
  CHECK_FALSE(selects_repository(regex("app", ""), "team", "app/web"));
  CHECK_FALSE(selects_repository(regex("app.*", ""), "other", "app"));
  CHECK(selects_tag(regex("", "release-v.*"), "release-v1"));
  CHECK_FALSE(selects_tag(regex("", "v1"), "v1.0"));
  CHECK(selects_tag(regex("", "(?<major>[0-9]+)\\..*"), "1.2"));
  CHECK(selects_tag(regex("", ""), "anything"));
}

TEST_CASE("globs are about the full name, or about the repository when they name no namespace") {
  CHECK(selects_repository(glob("team/**", ""), "team", "app/web"));
  CHECK_FALSE(selects_repository(glob("team/*", ""), "team", "app/web"));
  CHECK(selects_repository(glob("**", ""), "any", "thing"));
  CHECK(selects_repository(glob("app*", ""), "any", "app1"));
  CHECK(selects_repository(glob("", ""), "any", "thing"));
  CHECK(selects_tag(glob("", "{v1,v2}*"), "v2.0"));
  CHECK_FALSE(selects_tag(glob("", "v?"), "v10"));
}

TEST_CASE("a rule for one repository takes that one only") {
  Rule rule = regex("", "");
  rule.scope = Scope::repository;
  rule.source_repository = "app";
  CHECK(selects_repository(rule, "team", "app"));
  CHECK_FALSE(selects_repository(rule, "team", "app2"));
}

TEST_CASE("targets keep what a rule does not rename") {
  Rule rule = regex("", "");
  rule.connection_id = 7;
  CHECK(target_of(rule, {1, "team", "a/b", "t"}).full_name() == "team/a/b");
  CHECK(target_of(rule, {1, "team", "a/b", "t"}).connection_id == 7);
  rule.target_namespace = "mirror";
  rule.target_repository = "ignored without repository scope";
  CHECK(target_of(rule, {1, "team", "a/b", "t"}).full_name() == "mirror/a/b");
  CHECK(target_of(rule, {1, "", "ubuntu", "t"}).full_name() == "mirror/ubuntu");
  rule.scope = Scope::repository;
  rule.target_repository = "c";
  CHECK(target_of(rule, {1, "team", "a/b", "t"}).full_name() == "mirror/c");
}

TEST_CASE("rules that cannot be are refused") {
  CHECK(shape(regex("app.*", "v.*")) == "ok");
  CHECK(shape(regex("(", "")) == "invalid_parameter");
  CHECK(shape(regex("", "a(?=b)")) == "invalid_parameter");
  CHECK(shape(glob("{a", "")) == "invalid_parameter");
  CHECK(shape(regex(std::string(1000, 'a'), "")) == "invalid_parameter");
  Rule rule = regex("", "");
  rule.name.clear();
  CHECK(shape(rule) == "name_invalid");
  rule = regex("", "");
  rule.trigger = Trigger::scheduled;
  CHECK(shape(rule) == "invalid_parameter");
  rule.cron = "0 0 1 * * *";
  CHECK(shape(rule) == "ok");
  rule.direction = Direction::pull;
  CHECK(shape(rule) == "ok");
  rule.trigger = Trigger::event;
  CHECK(shape(rule) == "unsupported");
  rule = regex("", "");
  rule.scope = Scope::repository;
  CHECK(shape(rule) == "missing_parameter");
  rule = regex("", "");
  rule.extras = "[]";
  CHECK(shape(rule) == "invalid_parameter");
}

TEST_CASE("a glob that begins with a plain namespace lies in it") {
  for (auto [pattern, lies_in] : {std::pair{"team/**", "team"}, {"te*/x", ""}, {"**", ""}, {"app", ""}}) {
    Rule rule = glob(pattern, "");
    REQUIRE(check_shape(rule).ok());
    CHECK(rule.source_namespace == lies_in);
  }
}

TEST_CASE("every failure has an issue, and words come back as what they were") {
  CHECK(issue_of(Reason::remote_unreachable) == Issue::network);
  CHECK(issue_of(Reason::denied) == Issue::denied);
  CHECK(issue_of(Reason::tag_immutable) == Issue::tag_conflict);
  CHECK(issue_of(Reason::manifest_invalid) == Issue::unsupported);
  CHECK(issue_of(Reason::size_invalid) == Issue::too_long);
  CHECK(issue_of(Reason::manifest_unknown) == Issue::internal);
  for (State state : {State::pending, State::running, State::succeeded, State::failed, State::canceled}) {
    CHECK(parse<State>(name_of(state)) == state);
  }
  for (Issue issue : {Issue::none, Issue::network, Issue::denied, Issue::tag_conflict, Issue::unsupported,
                      Issue::too_long, Issue::internal}) {
    CHECK(parse<Issue>(name_of(issue)) == issue);
  }
  CHECK_FALSE(parse<Trigger>("never"));
}
