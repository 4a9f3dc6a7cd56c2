#include "sync/copier.h"

#include "registry/policies.h"
#include "registry/registry_fixture.h"

using namespace wharfage;
using namespace wharfage::sync;
using registry::outcome;

namespace {

struct Silent : Watcher {
  Status planned(const std::string&, const std::vector<Piece>&, std::int64_t) override { return {}; }
  Status moving(const std::string&, std::int64_t) override { return {}; }
  Status arrived(const std::string&, std::int64_t, std::int64_t, bool) override { return {}; }
  void say(const std::string&) override {}
  Status alive() override { return {}; }
};

struct Copies : registry::RegistryFixture {
  registry::Repository from = repository("team/from"), to = repository("team/to");

  std::string copy(const std::string& tag, const std::string& as) {
    auto source = place_here(*registry, from), target = place_here(*registry, to);
    Silent silent;
    return outcome(Copier(*source, *target, silent).copy(tag, as, false));
  }
  void damage(const registry::Repository& of) {
    auto harm = [&](meta::Tx& tx) {
      return tx.execute(
          "UPDATE manifest_bytes SET bytes = $2 WHERE manifest_id IN "
          "(SELECT id FROM manifests WHERE repository_id = $1)",
          {of.id, meta::Bytes{"{}"}});
    };
    REQUIRE(base.db->write(harm).ok());
    restart();
  }
  std::string named(const std::string& tag) { return registry->get_tag(to, tag)->manifest.digest->text(); }
};

}  // namespace

TEST_CASE_FIXTURE(Copies, "a tag that names a damaged image is taken") {
  push_image(from, "one", {"1"});
  registry::Manifest two = push_image(to, "two", {"stable"});
  CHECK(copy("1", "stable") == "tag_immutable");
  damage(to);
  CHECK(copy("1", "stable") == "tag_immutable");
  CHECK(named("stable") == two.digest->text());
}

TEST_CASE_FIXTURE(Copies, "a copy heals the same image, its signature too") {
  registry::Manifest image = push_image(from, "one", {"1"});
  std::string signature = "sha256-" + std::string(image.digest->hex()) + ".sig";
  push_image(from, "signature", {signature});
  CHECK(copy("1", "1") == "ok");
  damage(to);
  CHECK(outcome(registry->get_manifest(to, "1")) == "manifest_unknown");
  CHECK(copy("1", "1") == "ok");
  CHECK(outcome(registry->get_manifest(to, "1")) == "ok");
  CHECK(outcome(registry->get_manifest(to, signature)) == "ok");
}

TEST_CASE_FIXTURE(Copies, "a layer that the namespace has already costs nothing against its quota") {
  registry::Repository abroad = repository("other/from");
  registry::Policies policies(*registry, *base.ids);
  std::string layer(5000, 'x');
  Digest digest = blob(abroad, layer);
  blob(from, layer);
  REQUIRE(policies.set_quota(to.namespace_id, {.bytes = 5000}, who).ok());
  auto source = place_here(*registry, abroad), target = place_here(*registry, to);
  CHECK(outcome(target->write_blob(digest, 5000, *source, [](std::int64_t) { return Status(); })) == "ok");
  CHECK(target->has_blob(digest).value() == true);
}
