#include "registry/policies.h"

#include "base/limits.h"
#include "registry/policy_limits.h"
#include "registry/registry_fixture.h"

using namespace wharfage;
using namespace wharfage::registry;

namespace {

const std::string signature_tag = "sha256-" + std::string(64, 'a') + ".sig";

struct World : RegistryFixture {
  explicit World(TimeMs grace = 0) : RegistryFixture({}, {.delete_grace_ms = grace}) {}

  ImmutabilityRule rule(const Repository& of, const Selector& selector) {
    auto made = policies.create_rule(
        {.namespace_id = of.namespace_id, .name = "releases", .selector = selector, .creator = "alice"});
    REQUIRE(made.ok());
    return *made;
  }
  Status drop(const Repository& repository, const Manifest& manifest) {
    return registry->delete_manifest(repository, *manifest.digest, {.actor = "bob"});
  }
  // "created one@push by alice" …, newest first.
  std::string history(const Repository& repository, const std::string& tag = "") {
    auto page = policies.tag_history(repository, tag, std::nullopt, 100);
    REQUIRE(page.ok());
    std::string text;
    for (const auto& change : *page) {
      text += (text.empty() ? "" : "; ") + change.tag + " " + std::string(change.kind()) + " by " +
              change.actor + "/" + change.origin;
    }
    return text;
  }

  Policies policies{*registry, *base.ids};
};

}  // namespace

TEST_CASE("an immutable tag can be made, but neither moved nor deleted, nor can its image") {
  World w;
  Repository app = w.repository("team/app"), other = w.repository("team/web/site");
  auto rule = w.rule(app, {.repositories = "{app,web/*}", .tags = "v*", .except_tags = "*-rc*"});
  auto one = w.push_image(app, "one", {"v1", "latest", "v1-rc1"});
  std::string two = w.image(app, "two");

  auto moved = w.push(app, two, {"v1"});
  CHECK(outcome(moved) == "tag_immutable");
  CHECK(moved.error().message.find("\"releases\"") != std::string::npos);
  CHECK(outcome(w.push(app, two, {"latest", "v1"})) == "tag_immutable");
  CHECK(w.registry->get_tag(app, "latest")->manifest.digest == one.digest);  // nothing of that push remained
  CHECK(outcome(w.registry->delete_tag(app, "v1")) == "tag_immutable");
  CHECK(outcome(w.drop(app, one)) == "tag_immutable");
  CHECK(outcome(w.registry->delete_repository(app.id)) == "tag_immutable");

  CHECK(w.push(app, two, {"latest", "v1-rc1", "v2"}).ok());
  CHECK(w.registry->delete_tag(app, "v1-rc1").ok());
  CHECK(w.push(app, w.image(app, "one"), {"v1"}).ok());  // the same again is no change
  w.push_image(other, "one", {"v1"});
  CHECK(outcome(w.registry->delete_tag(other, "v1")) == "tag_immutable");

  rule.enabled = false;
  REQUIRE(w.policies.update_rule(rule).ok());
  CHECK(w.registry->delete_tag(app, "v1").ok());
  CHECK(w.registry->delete_repository(app.id).ok());
}

TEST_CASE("no rule holds the tags of accessories back") {
  World w;
  Repository app = w.repository("team/app");
  w.rule(app, {});
  w.push_image(app, "signature", {signature_tag});
  CHECK(w.push(app, w.image(app, "second signature"), {signature_tag}).ok());
  CHECK(w.registry->delete_tag(app, signature_tag).ok());
}

TEST_CASE("a rule is found in its namespace only, and its patterns are checked") {
  World w;
  Repository app = w.repository("team/app"), foreign = w.repository("other/app");
  auto rule = w.rule(app, {.tags = "v*"});
  CHECK(outcome(w.policies.get_rule(foreign.namespace_id, rule.id)) == "not_found");
  CHECK(outcome(w.policies.delete_rule(foreign.namespace_id, rule.id)) == "not_found");
  w.push_image(foreign, "one", {"v1"});
  CHECK(w.registry->delete_tag(foreign, "v1").ok());
  ImmutabilityRule wrong{.namespace_id = app.namespace_id, .name = "wrong", .selector = {.tags = "{a"}};
  CHECK(outcome(w.policies.create_rule(wrong)) == "invalid_parameter");
  CHECK(outcome(w.policies.create_rule({.namespace_id = app.namespace_id, .name = ""})) ==
        "invalid_parameter");
  for (std::int64_t made = 1; made < limits::immutability_rules_max; ++made) w.rule(app, {.tags = "x"});
  CHECK(outcome(w.policies.create_rule({.namespace_id = app.namespace_id, .name = "one more"})) ==
        "quota_exceeded");
  REQUIRE(w.policies.delete_rule(app.namespace_id, rule.id).ok());
  CHECK(w.policies.list_rules(app.namespace_id)->size() == limits::immutability_rules_max - 1);
  REQUIRE(w.registry->delete_repository(app.id).ok());
  while (w.registry->collect(0)->more) {
  }
  CHECK(w.registry->delete_namespace("team").ok());  // its rules go with it
  CHECK(w.count("SELECT COUNT(*) FROM immutability_rules") == 0);
}

TEST_CASE("the history of a tag tells who moved it from where to where, and it can go back") {
  World w;
  Repository app = w.repository("team/app");
  auto one = w.push_image(app, "one", {"latest", signature_tag});
  w.base.clock.advance(1000);
  auto two = w.push_image(app, "two", {"latest"});
  w.base.clock.advance(1000);
  REQUIRE(w.registry->delete_tag(app, "latest", {.actor = "bob"}).ok());
  CHECK(w.history(app) ==
        "latest deleted by bob/api; latest moved by alice/push; latest created by alice/push");
  auto changes = *w.policies.tag_history(app, "latest", std::nullopt, 100);
  REQUIRE(changes.size() == 3);
  CHECK(changes[1].from == one.digest->text());
  CHECK(changes[1].to == two.digest->text());
  CHECK(changes[1].number == 2);
  CHECK(changes[1].at == changes[2].at + 1000);

  auto back = w.policies.restore_tag(app, "latest", *one.digest, w.who);
  REQUIRE(back.ok());
  CHECK(back->manifest.digest == one.digest);
  CHECK(w.history(app).starts_with("latest created by alice/restore; latest deleted by bob/api"));
  REQUIRE(w.policies.restore_tag(app, "latest", *two.digest, w.who).ok());
  CHECK(outcome(w.policies.restore_tag(app, "other", *two.digest, w.who)) == "manifest_unknown");

  w.rule(app, {});
  CHECK(outcome(w.policies.restore_tag(app, "latest", *one.digest, w.who)) == "tag_immutable");
}

TEST_CASE("the history comes in pages and is bounded") {
  World w;
  Repository app = w.repository("team/app");
  std::string images[2] = {w.image(app, "even"), w.image(app, "odd")};
  for (int i = 0; i < limits::tag_history_per_tag_max + 20; ++i) {
    w.base.clock.advance(i % 3);
    REQUIRE(w.push(app, images[i % 2], {"latest", "n" + std::to_string(i)}).ok());
  }
  CHECK(w.count("SELECT COUNT(*) FROM tag_history WHERE tag = 'latest'") == limits::tag_history_per_tag_max);
  std::size_t seen = 0;
  std::optional<TagChangeKey> after;
  TimeMs last = INT64_MAX;
  for (;;) {
    auto page = *w.policies.tag_history(app, "", after, 7);
    for (const auto& change : page) {
      CHECK(change.at <= last);
      last = change.at;
    }
    seen += page.size();
    if (page.size() < 7) break;
    after = TagChangeKey{page.back().at, page.back().tag, page.back().number};
  }
  CHECK(seen == static_cast<std::size_t>(w.count("SELECT COUNT(*) FROM tag_history")));

  REQUIRE(w.policies.prune_history().ok());
  CHECK(w.count("SELECT COUNT(*) FROM tag_history") == static_cast<std::int64_t>(seen));
  w.base.clock.advance(91 * day_ms);
  REQUIRE(w.policies.prune_history().ok());
  CHECK(w.count("SELECT COUNT(*) FROM tag_history") == 0);
  REQUIRE(w.push(app, images[0], {"latest", "again"}).ok());
  CHECK(w.history(app, "latest") == "latest moved by alice/push");
}

TEST_CASE("what was deleted is found no longer and comes back whole") {
  World w(day_ms);
  Repository app = w.repository("team/app");
  auto one = w.push_image(app, "one", {"1", "latest"});
  auto pushed_at = one.pushed_at;
  w.base.clock.advance(1000);
  REQUIRE(w.drop(app, one).ok());
  CHECK(outcome(w.registry->get_manifest(app, one.digest->text())) == "manifest_unknown");
  CHECK(outcome(w.registry->get_manifest(app, "latest")) == "manifest_unknown");
  CHECK(outcome(w.registry->get_manifest(one.id)) == "manifest_unknown");
  CHECK(w.registry->list_manifests(app, {})->items.empty());
  CHECK(w.registry->list_manifests(app, {})->total == 0);
  CHECK(w.registry->list_tags(app, {}, {})->total == 0);
  CHECK(w.registry->manifests_after(std::nullopt, 0, 10)->empty());
  CHECK(outcome(w.drop(app, one)) == "manifest_unknown");

  auto deleted = *w.policies.deleted_manifests(app, {});
  REQUIRE(deleted.size() == 1);
  CHECK(deleted[0].manifest.digest == one.digest);
  CHECK(deleted[0].actor == "bob");
  CHECK(deleted[0].purge_at == deleted[0].deleted_at + day_ms);
  CHECK(w.policies.deleted_tags(app, {})->size() == 2);

  w.base.clock.advance(day_ms / 2);
  REQUIRE(w.registry->collect(0).ok());
  CHECK_FALSE(*w.policies.purge());
  auto other = w.push_image(app, "two", {"latest"});  // this name is taken now
  auto back = w.policies.restore_manifest(app, *one.digest, w.who);
  REQUIRE(back.ok());
  CHECK(back->pushed_at == pushed_at);
  CHECK(w.registry->get_tag(app, "1")->manifest.digest == one.digest);
  CHECK(w.registry->get_tag(app, "latest")->manifest.digest == other.digest);
  CHECK(w.registry->open_blob(app, *back->config).ok());
  CHECK(w.registry->get_repository(app.id)->artifact_count == 2);
  CHECK(w.policies.deleted_manifests(app, {})->empty());
}

TEST_CASE("what nobody wanted back is purged when its time is over, or before when asked") {
  World w(day_ms);
  Repository app = w.repository("team/app");
  auto one = w.push_image(app, "one", {"1"}), two = w.push_image(app, "two", {"2"});
  REQUIRE(w.drop(app, one).ok());
  w.base.clock.advance(day_ms - 1);
  REQUIRE(w.drop(app, two).ok());
  CHECK_FALSE(*w.policies.purge());
  CHECK(w.policies.deleted_manifests(app, {})->size() == 2);
  w.base.clock.advance(1);
  CHECK_FALSE(*w.policies.purge());
  CHECK(w.policies.deleted_manifests(app, {})->size() == 1);
  CHECK(outcome(w.policies.restore_manifest(app, *one.digest, w.who)) == "manifest_unknown");
  REQUIRE(w.policies.purge_manifest(app, *two.digest).ok());
  CHECK(outcome(w.policies.purge_manifest(app, *two.digest)) == "manifest_unknown");
  CHECK(w.count("SELECT COUNT(*) FROM manifests") == 0);
  CHECK(w.count("SELECT COUNT(*) FROM deleted_tags") == 0);
  CHECK(w.told().back() == "image.purged team/app@" + two.digest->text());
  w.base.clock.advance(day_ms);
  while (w.registry->collect(0)->more) {
  }
  REQUIRE(w.registry->collect(0).ok());
  CHECK(w.registry->usage()->blobs == 0);
}

TEST_CASE("pushing again what was deleted revives it") {
  World w(day_ms);
  Repository app = w.repository("team/app");
  std::string bytes = w.image(app, "one");
  auto one = w.push(app, bytes, {"1"});
  REQUIRE(w.drop(app, one->manifest).ok());
  auto again = w.push(app, bytes, {"2"});
  REQUIRE(again.ok());
  CHECK(again->created);
  CHECK(again->manifest.id == one->manifest.id);
  CHECK(outcome(w.registry->get_tag(app, "1")) == "tag_unknown");
  CHECK(w.registry->get_tag(app, "2").ok());
  CHECK(w.registry->get_repository(app.id)->artifact_count == 1);
  w.base.clock.advance(2 * day_ms);
  CHECK_FALSE(*w.policies.purge());
  CHECK(w.registry->get_tag(app, "2").ok());
}

TEST_CASE("an index comes back with its children, an image with what was attached to it") {
  World w(day_ms);
  Repository app = w.repository("team/app");
  auto child = w.push_image(app, "child", {});
  std::string list =
      index_json({descriptor(*child.digest, static_cast<std::size_t>(child.size), oci_manifest)});
  auto index = w.push(app, list, {"multi"}, oci_index);
  REQUIRE(index.ok());
  auto signature = w.push_image(
      app, "signature", {}, ",\"subject\":" + descriptor(*index->manifest.digest, list.size(), oci_index));
  std::string stem = "sha256-" + std::string(index->manifest.digest->hex());
  auto tagged = w.push_image(app, "old signature", {stem + ".sig"});
  REQUIRE(w.drop(app, index->manifest).ok());
  CHECK(outcome(w.policies.purge_manifest(app, *child.digest)) == "manifest_unknown");
  REQUIRE(w.drop(app, child).ok());
  REQUIRE(w.drop(app, signature).ok());
  REQUIRE(w.drop(app, tagged).ok());
  CHECK(outcome(w.push(app, list, {"multi"}, oci_index)) == "manifest_blob_unknown");
  CHECK(outcome(w.policies.purge_manifest(app, *child.digest)) == "conflict");

  REQUIRE(w.policies.restore_manifest(app, *index->manifest.digest, w.who).ok());
  CHECK(w.registry->get_manifest(app, child.digest->text()).ok());
  CHECK(w.registry->get_tag(app, "multi").ok());
  CHECK(w.registry->referrers(app, *index->manifest.digest, "")->size() == 1);
  CHECK(w.registry->get_tag(app, stem + ".sig")->manifest.accessory);
  CHECK(w.policies.deleted_manifests(app, {})->empty());

  REQUIRE(w.drop(app, index->manifest).ok());
  w.base.clock.advance(1);
  REQUIRE(w.drop(app, child).ok());
  w.base.clock.advance(2 * day_ms);
  CHECK_FALSE(*w.policies.purge());
  CHECK(w.count("SELECT COUNT(*) FROM manifest_children") == 0);
  CHECK(outcome(w.policies.restore_manifest(app, *child.digest, w.who)) == "manifest_unknown");
}

TEST_CASE("a deleted tag comes back with its image, unless its name was taken") {
  World w(day_ms);
  Repository app = w.repository("team/app");
  auto one = w.push_image(app, "one", {"1"});
  REQUIRE(w.registry->delete_tag(app, "1", {.actor = "bob"}).ok());
  REQUIRE(w.drop(app, one).ok());
  auto gone = *w.policies.deleted_tags(app, {});
  REQUIRE(gone.size() == 1);
  CHECK(gone[0].digest == one.digest->text());
  REQUIRE(w.policies.restore_deleted_tag(app, "1", w.who).ok());
  CHECK(w.registry->get_manifest(app, "1")->digest == one.digest);
  CHECK(outcome(w.policies.restore_deleted_tag(app, "1", w.who)) == "tag_unknown");
  REQUIRE(w.registry->delete_tag(app, "1").ok());
  w.push_image(app, "two", {"1"});
  CHECK(outcome(w.policies.restore_deleted_tag(app, "1", w.who)) == "conflict");
  CHECK(w.policies.restore_tag(app, "1", *one.digest, w.who).ok());
}

TEST_CASE("a blob that a deleted image needs can be deleted and comes back with it") {
  World w(day_ms);
  Repository app = w.repository("team/app");
  auto one = w.push_image(app, "one", {"1"});
  CHECK(outcome(w.registry->delete_blob(app, *one.config)) == "conflict");
  REQUIRE(w.drop(app, one).ok());
  REQUIRE(w.registry->delete_blob(app, *one.config).ok());
  CHECK(outcome(w.registry->open_blob(app, *one.config)) == "blob_unknown");
  CHECK(outcome(w.registry->delete_blob(app, *one.config)) == "blob_unknown");
  CHECK(outcome(w.push(app, image_json(descriptor(*one.config, 10, oci_config), {}), {"new"})) ==
        "manifest_blob_unknown");
  REQUIRE(w.registry->collect(0).ok());
  REQUIRE(w.policies.restore_manifest(app, *one.digest, w.who).ok());
  CHECK(w.registry->open_blob(app, *one.config).ok());

  REQUIRE(w.drop(app, one).ok());
  REQUIRE(w.registry->delete_blob(app, *one.config).ok());
  w.blob(app, R"({"os":"linux","seed":"one"})");  // uploading it again
  CHECK(w.registry->open_blob(app, *one.config).ok());
}

TEST_CASE("a deleted repository comes back with everything until it is purged") {
  World w(day_ms);
  Repository app = w.repository("team/app");
  w.push_image(app, "one", {"1"});
  auto gone = w.push_image(app, "two", {"2"});
  REQUIRE(w.drop(app, gone).ok());
  REQUIRE(w.registry->delete_repository(app.id, {.actor = "bob"}).ok());
  CHECK(outcome(w.registry->find_repository(*Name::parse("team/app"))) == "repository_unknown");
  while (w.registry->collect(0)->more) {
  }
  auto deleted = *w.policies.deleted_repositories(app.namespace_id, {});
  REQUIRE(deleted.size() == 1);
  CHECK(deleted[0].name == "app");
  CHECK(deleted[0].actor == "bob");
  CHECK(outcome(w.policies.restore_repository(app.namespace_id + 1, app.id)) == "repository_unknown");

  auto fresh = w.repository("team/app");
  CHECK(outcome(w.policies.restore_repository(app.namespace_id, app.id)) == "repository_exists");
  REQUIRE(w.registry->delete_repository(fresh.id).ok());
  auto back = w.policies.restore_repository(app.namespace_id, app.id);
  REQUIRE(back.ok());
  CHECK(back->public_id == app.public_id);
  CHECK(back->tag_count == 1);
  CHECK(w.registry->usage()->repositories == 1);
  CHECK(w.registry->get_manifest(*back, "1").ok());
  CHECK(w.policies.restore_manifest(*back, *gone.digest, w.who).ok());

  REQUIRE(w.registry->delete_repository(app.id).ok());
  w.base.clock.advance(1);
  REQUIRE(w.policies.purge_repository(app.namespace_id, app.id).ok());
  CHECK(outcome(w.policies.restore_repository(app.namespace_id, app.id)) == "repository_unknown");
  REQUIRE(w.policies.purge_repository(app.namespace_id, fresh.id).ok());
  for (int round = 0; round < 20; ++round) REQUIRE(w.registry->collect(0).ok());
  CHECK(w.count("SELECT COUNT(*) FROM repositories") == 0);
  CHECK(w.count("SELECT COUNT(*) FROM events WHERE type = 'repository.purged'") == 2);
  auto usage = *w.registry->usage();
  CHECK(usage.manifests == 0);
  CHECK(usage.tags == 0);
}

TEST_CASE("what was deleted under a grace period does not disturb a node without one") {
  World w(day_ms);
  Repository app = w.repository("team/app");
  auto child = w.push_image(app, "child", {});
  auto index =
      w.push(app, index_json({descriptor(*child.digest, static_cast<std::size_t>(child.size), oci_manifest)}),
             {"m"}, oci_index);
  REQUIRE(w.drop(app, index->manifest).ok());
  Registry strict(*w.base.db, *w.base.ids, *w.store, *w.events, w.base.clock, w.base.log());
  REQUIRE(strict.ensure_instance({}).ok());
  REQUIRE(strict.delete_manifest(app, *child.digest).ok());
  CHECK(outcome(strict.get_manifest(app, child.digest->text())) == "manifest_unknown");
  w.base.clock.advance(2 * day_ms);
  CHECK_FALSE(*w.policies.purge());
  CHECK(w.count("SELECT COUNT(*) FROM manifests") == 0);
}

TEST_CASE("an image comes back with all its tags, however many they were") {
  World w(day_ms);
  Repository app = w.repository("team/app");
  std::string image = w.image(app, "one");
  constexpr int pushes = 40;
  for (int i = 0; i < pushes; ++i) {
    std::vector<std::string> tags;
    for (std::size_t k = 0; k < limits::manifest_tags_per_push_max; ++k)
      tags.push_back("t" + std::to_string(i) + "-" + std::to_string(k));
    REQUIRE(w.push(app, image, tags).ok());
  }
  constexpr std::int64_t all = pushes * static_cast<std::int64_t>(limits::manifest_tags_per_push_max);
  REQUIRE(w.drop(app, w.registry->get_tag(app, "t0-0")->manifest).ok());
  auto other = w.push_image(app, "two", {"t9-9"});  // this name is taken now
  REQUIRE(w.policies.restore_manifest(app, Digest::of(image), w.who).ok());
  CHECK(w.count("SELECT COUNT(*) FROM tags") == all);
  CHECK(w.registry->get_tag(app, "t9-9")->manifest.digest == other.digest);
  CHECK(w.count("SELECT COUNT(*) FROM deleted_tags") == 1);
}
