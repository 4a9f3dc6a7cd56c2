#include "registry/retention.h"

#include "registry/policies.h"
#include "registry/registry_fixture.h"
#include "registry/retention_plan.h"

using namespace wharfage;
using namespace wharfage::registry;

namespace {

RetentionRule keeping(Keep keep, std::int64_t value, Selector selector = {}, bool untagged = false) {
  return {
      .name = "rule", .selector = std::move(selector), .keep = keep, .value = value, .untagged = untagged};
}

struct World : RegistryFixture {
  explicit World(TimeMs grace = 0) : RegistryFixture({}, {.delete_grace_ms = grace}) {
    retention.start();
    queue.start();
  }

  // Tags one image after another, a day apart; the last one now.
  std::vector<Manifest> daily(const Repository& repository, const std::vector<std::string>& tags) {
    std::vector<Manifest> made;
    for (const auto& tag : tags) {
      base.clock.advance(day_ms);
      made.push_back(push_image(repository, repository.name + tag, {tag}));
    }
    return made;
  }
  std::string plan(const Repository& repository, std::vector<RetentionRule> rules) {
    auto plan = plan_retention(*base.db, repository, rules, base.clock.now());
    REQUIRE(plan.ok());
    std::string text;
    for (const auto& item : plan->removals)
      text += (text.empty() ? "" : " ") + (item.tag.empty() ? std::string("@") : item.tag);
    return text;
  }
  RetentionRun run(const Repository& repository, std::vector<RetentionRule> rules, bool dry = false) {
    REQUIRE(retention.set_policy({.namespace_id = repository.namespace_id, .rules = std::move(rules)}).ok());
    auto begun = retention.run(repository.namespace_id, dry, "carol");
    REQUIRE(begun.ok());
    REQUIRE(queue.wait_idle(60'000));
    return *retention.get_run(repository.namespace_id, begun->id);
  }
  // "repository:tag outcome" of every item, in order; "repository@" of images.
  std::vector<std::string> items(const RetentionRun& run, const std::string& outcome = "") {
    auto page = retention.items(run.namespace_id, run.id, outcome, 0, 1000);
    REQUIRE(page.ok());
    std::vector<std::string> lines;
    for (const auto& item : *page)
      lines.push_back(item.repository + (item.tag.empty() ? "@" : ":" + item.tag) + " " + item.outcome);
    return lines;
  }
  std::vector<std::string> tags(const Repository& repository) {
    return *registry->tags_after(repository, "", 1000);
  }

  job::Queue queue{*base.db, base.clock, base.log(), {.sole_owner = true}};
  Retention retention{*registry, *base.ids, queue};
  Policies policies{*registry, *base.ids};
};
using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("each way of keeping") {
  World w;
  Repository app = w.repository("team/app");
  auto images = w.daily(app, {"a", "b", "c", "d"});
  CHECK(w.plan(app, {}) == "");
  CHECK(w.plan(app, {keeping(Keep::all, 0)}) == "");
  CHECK(w.plan(app, {keeping(Keep::pushed_count, 2)}) == "b a @ @");
  CHECK(w.plan(app, {keeping(Keep::pushed_count, 0)}) == "d c b a @ @ @ @");
  CHECK(w.plan(app, {keeping(Keep::pushed_days, 2)}) == "a @");
  CHECK(w.plan(app, {keeping(Keep::pulled_count, 10)}) == "");  // never pulled
  CHECK(w.plan(app, {keeping(Keep::pulled_count, 1)}) == "c b a @ @ @");
  w.registry->count_pull(app, images[0]);
  w.base.clock.advance(1);
  w.registry->count_pull(app, images[2]);
  REQUIRE(w.registry->fold_pulls().ok());
  CHECK(w.plan(app, {keeping(Keep::pulled_count, 1)}) == "d b a @ @ @");
  CHECK(w.plan(app, {keeping(Keep::pulled_count, 2)}) == "d b @ @");
  CHECK(w.plan(app, {keeping(Keep::pulled_count, 3)}) == "b @");
  CHECK(w.plan(app, {keeping(Keep::pulled_days, 1)}) == "b @");  // d was pushed just now
}

TEST_CASE("images are counted with all of their tags") {
  World w;
  Repository app = w.repository("team/app");
  auto oldest = w.daily(app, {"a"});
  w.base.clock.advance(day_ms);
  auto two = w.push_image(app, "two", {"b1", "b2", "b3"});
  w.daily(app, {"c"});
  CHECK(w.plan(app, {keeping(Keep::pushed_images, 0)}) == "c b3 b2 b1 a @ @ @");
  CHECK(w.plan(app, {keeping(Keep::pushed_images, 2)}) == "a @");
  CHECK(w.plan(app, {keeping(Keep::pushed_images, 2, {.except_tags = "b3"})}) == "a @");
  CHECK(w.plan(app, {keeping(Keep::pushed_images, 3)}) == "");
  CHECK(w.plan(app, {keeping(Keep::pushed_count, 3)}) == "b1 a @");
  CHECK(w.plan(app, {keeping(Keep::pulled_images, 2)}) == "a @");
  CHECK(w.plan(app, {keeping(Keep::pulled_images, 0)}) == "c b3 b2 b1 a @ @ @");
  w.registry->count_pull(app, oldest[0]);
  REQUIRE(w.registry->fold_pulls().ok());
  CHECK(w.plan(app, {keeping(Keep::pulled_images, 1)}) == "c b3 b2 b1 @ @");
  CHECK(w.plan(app, {keeping(Keep::pulled_images, 2)}) == "b3 b2 b1 @");
  w.base.clock.advance(1);
  w.registry->count_pull(app, two);
  REQUIRE(w.registry->fold_pulls().ok());
  CHECK(w.plan(app, {keeping(Keep::pulled_images, 1)}) == "c a @ @");
  CHECK(w.plan(app, {keeping(Keep::pulled_images, 2)}) == "c @");
  CHECK(w.plan(app, {keeping(Keep::pulled_count, 3)}) == "c a @ @");
}

TEST_CASE("a tag goes when a rule selects it and none keeps it") {
  World w;
  Repository app = w.repository("team/app"), other = w.repository("team/other");
  w.daily(app, {"v1", "v2", "nightly-1", "nightly-2", "latest"});
  w.daily(other, {"v1", "v2"});
  auto newest_version = keeping(Keep::pushed_count, 1, {.repositories = "app", .tags = "v*"});
  auto no_nightly = keeping(Keep::pushed_count, 0, {.repositories = "app", .tags = "nightly-*"});
  CHECK(w.plan(app, {newest_version, no_nightly}) == "nightly-2 nightly-1 v1 @ @ @");  // latest: no rule
  CHECK(w.plan(app, {newest_version, no_nightly, keeping(Keep::pushed_days, 4, {.tags = "*1"})}) ==
        "nightly-2 v1 @ @");
  CHECK(w.plan(other, {newest_version, no_nightly}) == "");
}

TEST_CASE("regular expressions spare tags, and what is not enabled or of another repository says nothing") {
  World w;
  Repository app = w.repository("team/app"), lib = w.repository("team/lib");
  w.daily(app, {"v1", "rc-1", "v2"});
  RetentionRule rule = keeping(Keep::pushed_count, 0);
  rule.spared = {"^rc-[0-9]+$", "2"};
  CHECK(w.plan(app, {rule}) == "v1 @");
  rule.enabled = false;
  CHECK(w.plan(app, {rule}).empty());
  rule = keeping(Keep::pushed_count, 1);
  rule.repository_id = lib.id;
  CHECK(w.plan(app, {rule}).empty());
  rule.repository_id = app.id;
  CHECK(w.plan(app, {rule}) == "rc-1 v1 @ @");

  auto set = [&](RetentionRule changed) {
    return outcome(w.retention.set_policy({.namespace_id = app.namespace_id, .rules = {std::move(changed)}}));
  };
  for (const std::string& pattern : {std::string("("), std::string(), std::string(513, 'a')}) {
    rule.spared = {pattern};
    CHECK(set(rule) == "invalid_parameter");
  }
  rule.spared.assign(21, "a");
  CHECK(set(rule) == "invalid_parameter");
  rule.spared.assign(20, "a");
  rule.enabled = false;
  CHECK(set(rule) == "ok");
  auto kept = w.retention.policy(app.namespace_id)->rules.at(0);
  CHECK(kept.spared.size() == 20);
  CHECK_FALSE(kept.enabled);
}

TEST_CASE("rules of a repository join its namespace's policy and are dropped without it") {
  World w;
  Repository app = w.repository("team/app"), lib = w.repository("team/lib");
  w.daily(app, {"a", "b"});
  w.daily(lib, {"a", "b"});
  auto policy = [&] { return *w.retention.policy(app.namespace_id); };
  REQUIRE(w.retention.set_repository_rules(app, {keeping(Keep::pushed_count, 1)}, "carol").ok());
  REQUIRE(w.queue.wait_idle(60'000));
  CHECK(w.tags(app) == std::vector<std::string>{"b"});
  CHECK(w.tags(lib) == std::vector<std::string>{"a", "b"});
  CHECK(policy().cron == "0 0 1 * * *");
  REQUIRE(policy().next_run_at);
  CHECK(w.retention.removed_tags(app, {})->items.at(0).tag == "a");
  CHECK(w.retention.removed_tags(app, {})->total == 1);

  // Rules of the namespace are set beside them, and need the schedule that they need.
  RetentionPolicy wanted{.namespace_id = app.namespace_id, .rules = {keeping(Keep::all, 0)}};
  CHECK(outcome(w.retention.set_policy(wanted)) == "conflict");
  wanted.cron = "0 0 3 * * *";
  REQUIRE(w.retention.set_policy(wanted).ok());
  CHECK(policy().rules.size() == 2);
  CHECK(w.retention.repository_rules(app)->size() == 1);
  CHECK(w.retention.repository_rules(lib)->empty());
  REQUIRE(w.retention.set_policy({.namespace_id = app.namespace_id}).ok());
  CHECK(policy().rules.size() == 1);
  CHECK(policy().cron == "0 0 1 * * *");

  REQUIRE(w.retention.set_repository_rules(app, {}, "carol").ok());
  CHECK(policy().rules.empty());
  CHECK(policy().cron.empty());
  CHECK_FALSE(policy().next_run_at);

  // Where runs begin only when asked, nothing begins to go by itself.
  wanted.cron.clear();
  REQUIRE(w.retention.set_policy(wanted).ok());
  CHECK(outcome(w.retention.set_repository_rules(lib, {keeping(Keep::pushed_count, 1)}, "carol")) ==
        "conflict");

  // What was said of a repository ends with it.
  REQUIRE(w.retention.set_policy({.namespace_id = app.namespace_id}).ok());
  REQUIRE(w.retention.set_repository_rules(lib, {keeping(Keep::pushed_count, 9)}, "carol").ok());
  REQUIRE(w.queue.wait_idle(60'000));
  REQUIRE(w.registry->delete_repository(lib.id).ok());
  REQUIRE(w.retention.set_repository_rules(app, {keeping(Keep::pushed_count, 9)}, "carol").ok());
  CHECK(policy().rules.size() == 1);
}

TEST_CASE("rules of a repository are set and dropped without a run of what else the namespace has") {
  World w;
  Repository app = w.repository("team/app"), lib = w.repository("team/lib");
  w.daily(app, {"old", "a", "b", "release"});
  w.daily(lib, {"old", "a"});
  RetentionPolicy wanted{
      .namespace_id = app.namespace_id,
      .cron = "0 0 3 * * *",
      .rules = {keeping(Keep::pushed_count, 0, {.tags = "old"}), keeping(Keep::all, 0, {.tags = "release"})},
      .set_by = "dave",
      .name = "first"};
  REQUIRE(w.retention.set_policy(wanted).ok());
  auto policy = [&] { return *w.retention.policy(app.namespace_id); };
  const auto next = policy().next_run_at;
  // One that spares what is old, and then one that does not but for what the namespace keeps.
  REQUIRE(
      w.retention.set_repository_rules(app, {keeping(Keep::pushed_count, 0, {.tags = "a"})}, "carol").ok());
  REQUIRE(w.queue.wait_idle(60'000));
  CHECK(w.tags(app) == Lines{"b", "old", "release"});
  CHECK(w.tags(lib) == Lines{"a", "old"});
  CHECK(w.retention.list_runs(app.namespace_id, {})->items.at(0).repositories == 1);
  REQUIRE(w.retention.set_repository_rules(app, {keeping(Keep::pushed_count, 0)}, "carol").ok());
  REQUIRE(w.queue.wait_idle(60'000));
  CHECK(w.tags(app) == Lines{"release"});
  REQUIRE(w.retention.set_repository_rules(app, {}, "carol").ok());
  REQUIRE(w.queue.wait_idle(60'000));
  CHECK(w.tags(lib) == Lines{"a", "old"});
  CHECK(w.retention.list_runs(app.namespace_id, {})->total == 2);
  CHECK(policy().set_by == "dave");
  CHECK(policy().name == "first");
  CHECK(policy().cron == wanted.cron);
  CHECK(policy().next_run_at == next);
  REQUIRE(policy().rules.size() == 2);
  CHECK_FALSE(policy().rules[0].only_keeps);
  REQUIRE(w.retention.run(app.namespace_id, false, "dave").ok());
  REQUIRE(w.queue.wait_idle(60'000));
  CHECK(w.tags(lib) == Lines{"a"});
}

TEST_CASE("a disabled policy only runs dry, and policies are listed to who may read them") {
  World w;
  Repository app = w.repository("team/app"), other = w.repository("open/app");
  RetentionPolicy policy{.namespace_id = app.namespace_id,
                         .cron = "0 0 3 * * *",
                         .rules = {keeping(Keep::all, 0)},
                         .name = "first",
                         .enabled = false};
  REQUIRE(w.retention.set_policy(policy).ok());
  CHECK_FALSE(w.retention.policy(app.namespace_id)->next_run_at);
  CHECK(outcome(w.retention.run(app.namespace_id, false, "carol")) == "conflict");
  CHECK(w.retention.run(app.namespace_id, true, "carol").ok());
  REQUIRE(w.queue.wait_idle(60'000));
  policy.namespace_id = other.namespace_id;
  policy.name = "second";
  REQUIRE(w.retention.set_policy(policy).ok());

  auto listed = [&](const std::optional<std::vector<std::int64_t>>& readable, std::int64_t id,
                    std::string_view name, Slice slice = {}) {
    auto page = w.retention.list_policies(readable, id, name, slice);
    REQUIRE(page.ok());
    std::string text = std::to_string(page->total);
    for (const auto& one : page->items) text += " " + one.namespace_name + "/" + one.policy.name;
    return text;
  };
  CHECK(listed(std::nullopt, 0, "") == "2 team/first open/second");
  CHECK(listed(std::nullopt, 0, "", {1, 1}) == "2 open/second");
  CHECK(listed(std::nullopt, app.namespace_id, "") == "1 team/first");
  CHECK(listed(std::nullopt, 0, "second") == "1 open/second");
  CHECK(listed(std::vector<std::int64_t>{app.namespace_id}, 0, "") == "1 team/first");
  CHECK(listed(std::vector<std::int64_t>{}, 0, "") == "0");
  REQUIRE(w.retention.set_policy({.namespace_id = other.namespace_id}).ok());
  CHECK(listed(std::nullopt, 0, "") == "1 team/first");
}

TEST_CASE("immutable tags stay, and so does an image with a tag that stays") {
  World w;
  Repository app = w.repository("team/app");
  w.push_image(app, "one", {"v1", "old", "older"});
  w.push_image(app, "two", {"latest", "v2"});
  REQUIRE(w.policies
              .create_rule({.namespace_id = app.namespace_id, .name = "releases", .selector = {.tags = "v1"}})
              .ok());
  auto run = w.run(app, {keeping(Keep::pushed_count, 0, {.except_tags = "latest"})});
  CHECK(run.status == "succeeded");
  CHECK(w.tags(app) == Lines{"latest", "v1"});
  CHECK(w.registry->list_manifests(app, {})->total == 2);
  CHECK(run.removed_tags == 3);
  CHECK(run.removed_images == 0);
  CHECK(w.items(run, "kept") == Lines{"app:v1 kept"});
}

TEST_CASE("an index goes with its children, an image with what is attached to it") {
  World w;
  Repository app = w.repository("team/app");
  auto shared = w.push_image(app, "shared", {}), own = w.push_image(app, "own", {});
  auto entry = [](const Manifest& m) {
    return descriptor(*m.digest, static_cast<std::size_t>(m.size), oci_manifest);
  };
  std::string both = index_json({entry(shared), entry(own)});
  auto going = w.push(app, both, {"old"}, oci_index);
  REQUIRE(w.push(app, index_json({entry(shared)}), {"kept"}, oci_index).ok());
  auto subject = descriptor(*going->manifest.digest, both.size(), oci_index);
  w.push_image(app, "sbom", {}, ",\"subject\":" + subject);
  w.push_image(app, "signature", {"sha256-" + std::string(going->manifest.digest->hex()) + ".sig"});
  auto run = w.run(app, {keeping(Keep::pushed_count, 0, {.tags = "old"})});
  CHECK(run.status == "succeeded");
  CHECK(run.failed == 0);
  CHECK(run.removed_images == 4);  // index, own child, sbom, signature
  CHECK(outcome(w.registry->get_manifest(app, own.digest->text())) == "manifest_unknown");
  CHECK(w.registry->get_manifest(app, shared.digest->text()).ok());
  CHECK(w.tags(app) == Lines{"kept"});
  CHECK(w.count("SELECT COUNT(*) FROM manifests") == 2);
}

TEST_CASE("images without a tag go when a rule says so, unless they are young or an index needs them") {
  World w;
  Repository app = w.repository("team/app");
  auto child = w.push_image(app, "child", {});
  auto lost = w.push_image(app, "lost", {});
  REQUIRE(w.push(app,
                 index_json({descriptor(*child.digest, static_cast<std::size_t>(child.size), oci_manifest)}),
                 {"multi"}, oci_index)
              .ok());
  auto rule = keeping(Keep::pushed_days, 0, {.tags = "none"}, true);
  CHECK(w.plan(app, {rule}) == "");
  w.base.clock.advance(2 * 3'600'000);
  w.push_image(app, "young", {});
  CHECK(w.plan(app, {keeping(Keep::pushed_days, 0, {.tags = "none"})}) == "");
  CHECK(w.plan(app, {rule}) == "@");
  w.run(app, {rule});
  CHECK(outcome(w.registry->get_manifest(app, lost.digest->text())) == "manifest_unknown");
  CHECK(w.registry->get_manifest(app, child.digest->text()).ok());
}

TEST_CASE("a dry run says exactly what a run then removes, and removes nothing") {
  World w(day_ms);
  Repository app = w.repository("team/app"), web = w.repository("team/web");
  w.daily(app, {"1", "2", "3", "4"});
  w.daily(web, {"1", "2"});
  w.repository("team/zero");
  std::vector<RetentionRule> rules{keeping(Keep::pushed_count, 1)};
  auto dry = w.run(app, rules, true);
  CHECK(dry.status == "succeeded");
  CHECK(dry.dry);
  CHECK(dry.repositories == 2);
  CHECK(w.tags(app).size() == 4);
  auto wet = w.run(app, rules);
  CHECK(w.items(dry) == w.items(wet));
  CHECK(w.items(wet) == Lines{"app:3 removed", "app:2 removed", "app:1 removed", "app@ removed",
                              "app@ removed", "app@ removed", "app:4 kept", "web:1 removed", "web@ removed",
                              "web:2 kept"});
  CHECK(wet.kept == 2);
  CHECK(w.tags(app) == Lines{"4"});
  CHECK(w.tags(web) == Lines{"2"});
  CHECK(w.run(app, rules).removed_tags == 0);

  auto change = w.policies.tag_history(app, "1", std::nullopt, 1)->front();
  CHECK(change.origin == "retention");
  CHECK(change.actor == "carol");
  CHECK(w.policies.restore_deleted_tag(app, "1", w.who).ok());
}

TEST_CASE("runs are listed per namespace, start by schedule, and one at a time") {
  World w;
  Repository app = w.repository("team/app"), other = w.repository("other/app");
  std::int64_t space = app.namespace_id;
  CHECK(outcome(w.retention.run(space, true, "carol")) == "invalid_parameter");
  CHECK(outcome(w.retention.set_policy({.namespace_id = space, .cron = "often"})) == "invalid_parameter");
  CHECK(outcome(w.retention.set_policy({.namespace_id = space, .rules = {keeping(Keep::all, -1)}})) ==
        "invalid_parameter");
  auto set = w.retention.set_policy({.namespace_id = space,
                                     .cron = "0 0 3 * * *",
                                     .rules = {keeping(Keep::pushed_count, 1)},
                                     .set_by = "dave"});
  REQUIRE(set.ok());
  REQUIRE(set->next_run_at);
  REQUIRE(w.retention.tick().ok());
  CHECK(w.retention.list_runs(space, {})->total == 0);
  w.base.clock.advance(day_ms);
  w.daily(app, {"1", "2"});
  REQUIRE(w.retention.tick().ok());
  REQUIRE(w.retention.tick().ok());
  REQUIRE(w.queue.wait_idle(60'000));
  auto runs = *w.retention.list_runs(space, {});
  REQUIRE(runs.total == 1);
  CHECK(runs.items[0].cause == "scheduled");
  CHECK(runs.items[0].actor == "dave");
  CHECK(runs.items[0].status == "succeeded");
  CHECK(w.tags(app) == Lines{"2"});
  CHECK(outcome(w.retention.get_run(other.namespace_id, runs.items[0].id)) == "not_found");
  CHECK(outcome(w.retention.items(other.namespace_id, runs.items[0].id, "", 0, 10)) == "not_found");
  CHECK(*w.retention.policy(space)->next_run_at > w.base.clock.now());
}
