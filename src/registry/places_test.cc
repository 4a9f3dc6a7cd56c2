#include "base/limits.h"
#include "registry/registry_fixture.h"

using namespace wharfage;
using namespace wharfage::registry;

namespace {

std::string names(const std::vector<std::string>& list) {
  return fmt::format("{}", fmt::join(list, " "));
}
std::string names(const Result<Page<Repository>>& page) {
  std::vector<std::string> list;
  for (const auto& repository : page->items) list.push_back(repository.full_name());
  return fmt::format("{}: {}", page->total, names(list));
}
std::string names(const Result<Page<Namespace>>& page) {
  std::vector<std::string> list;
  for (const auto& space : page->items) list.push_back(space.name);
  return fmt::format("{}: {}", page->total, names(list));
}

}  // namespace

TEST_CASE("the instance is made once and keeps its ids") {
  RegistryFixture f;
  Instance first = f.registry->instance();
  CHECK(first.cri_id.size() == 20);
  CHECK(first.cri_id.starts_with("cri-"));
  CHECK(first.project_id.size() == 32);
  CHECK(first.project_name == "cn-north-4");
  CHECK(first.alibaba_region == "cn-hangzhou");
  CHECK(std::to_string(first.ali_uid).size() == 16);
  CHECK(first.ali_uid < (std::int64_t{1} << 53));
  f.restart();
  REQUIRE(f.registry->ensure_instance({.cri_id = "cri-other00000000000", .ali_uid = 5}).ok());
  CHECK(f.registry->instance().cri_id == first.cri_id);
  CHECK(f.registry->instance().ali_uid == first.ali_uid);
  CHECK(f.registry->get_namespace("library").ok());
  CHECK(outcome(f.registry->create_namespace({.name = first.project_id})) == "name_invalid");
}

TEST_CASE("namespaces") {
  RegistryFixture f;
  Registry& registry = *f.registry;
  auto made = registry.create_namespace({.name = "team", .is_public = true, .metadata = R"({"a":1})"});
  REQUIRE(made.ok());
  CHECK(made->public_id.starts_with("crn-"));
  CHECK(outcome(registry.create_namespace({.name = "team"})) == "namespace_exists");
  CHECK(outcome(registry.create_namespace({.name = "manage"})) == "name_invalid");
  CHECK(outcome(registry.create_namespace({.name = "x", .metadata = "[]"})) == "invalid_parameter");
  CHECK(registry.get_namespace(made->id)->name == "team");
  CHECK(registry.get_namespace_by_public_id(made->public_id)->metadata == R"({"a":1})");
  CHECK(outcome(registry.get_namespace("nowhere")) == "namespace_unknown");

  REQUIRE(registry.update_namespace("team", std::nullopt, false, "{}").ok());
  auto changed = registry.get_namespace("team");
  CHECK(changed->is_public);
  CHECK_FALSE(changed->auto_create);
  CHECK(changed->metadata == "{}");
  CHECK(outcome(registry.ensure_repository({"team", "app"})) == "repository_unknown");
  CHECK(outcome(registry.ensure_repository({"nowhere", "app"})) == "namespace_unknown");

  auto repository = registry.create_repository({.namespace_name = "team", .name = "app"});
  REQUIRE(repository.ok());
  CHECK(repository->is_public);  // as its namespace
  CHECK(registry.get_namespace("team")->repository_count == 1);
  CHECK(outcome(registry.delete_namespace("team")) == "namespace_not_empty");
  REQUIRE(registry.delete_repository(repository->id).ok());
  CHECK(registry.delete_namespace("team").ok());
  CHECK(outcome(registry.delete_namespace("team")) == "namespace_unknown");
}

TEST_CASE("lists of namespaces") {
  RegistryFixture f;
  Registry& registry = *f.registry;
  auto a = registry.create_namespace({.name = "a_b"});
  f.base.clock.advance(1);
  REQUIRE(registry.create_namespace({.name = "axb", .is_public = true}).ok());
  CHECK(names(registry.list_namespaces({}, {})) == "3: a_b axb library");
  CHECK(names(registry.list_namespaces({.name_contains = "_"}, {})) == "1: a_b");
  CHECK(names(registry.list_namespaces({.name_contains = "%"}, {})) == "0: ");
  CHECK(names(registry.list_namespaces({.is_public = true}, {})) == "1: axb");
  CHECK(names(registry.list_namespaces({.newest_first = true}, {0, 1})) == "3: axb");
  CHECK(names(registry.list_namespaces({}, {1, 1})) == "3: axb");
  using Ids = std::vector<std::int64_t>;
  CHECK(names(registry.list_namespaces({.readable = Ids{}}, {})) == "1: axb");
  CHECK(names(registry.list_namespaces({.readable = Ids{a->id}}, {})) == "2: a_b axb");
  CHECK(names(registry.list_namespaces({.readable = Ids{a->id * 10 + 1, 99999}}, {})) == "1: axb");
}

TEST_CASE("repositories") {
  RegistryFixture f;
  Registry& registry = *f.registry;
  Repository app = f.repository("team/app");
  CHECK(app.public_id.starts_with("crr-"));
  CHECK(outcome(registry.create_repository({.namespace_name = "team", .name = "app"})) ==
        "repository_exists");
  CHECK(outcome(registry.create_repository({.namespace_name = "nowhere", .name = "app"})) ==
        "namespace_unknown");
  CHECK(outcome(registry.create_repository({.namespace_name = "team", .name = "A"})) == "name_invalid");
  CHECK(outcome(registry.create_repository({.namespace_name = "team", .name = "../x"})) == "name_invalid");
  CHECK(registry.find_repository({"team", "app"})->id == app.id);
  REQUIRE(registry.update_repository(app.id, {.summary = "s", .is_public = true}).ok());
  // Not what the cache knew.
  CHECK(registry.find_repository({"team", "app"})->is_public);
  CHECK(registry.get_repository("team", "app")->summary == "s");
  CHECK(registry.get_repository(app.id)->full_name() == "team/app");
  CHECK(registry.get_repository_by_public_id(app.public_id)->id == app.id);

  REQUIRE(registry.delete_repository(app.id).ok());
  CHECK(outcome(registry.find_repository({"team", "app"})) == "repository_unknown");
  CHECK(outcome(registry.get_repository(app.id)) == "repository_unknown");
  CHECK(outcome(registry.get_repository_by_public_id(app.public_id)) == "repository_unknown");
  CHECK(outcome(registry.delete_repository(app.id)) == "repository_unknown");
  CHECK(outcome(registry.put_blob(app, "late")) == "repository_unknown");
  auto told = f.told();
  CHECK(told[told.size() - 2] == "repository.deleted team/app");
  CHECK(told.back() == "repository.purged team/app");
  Repository again = f.repository("team/app");  // the name is free at once
  CHECK(again.id != app.id);
}

TEST_CASE("the catalog is in byte order and shows what may be read") {
  RegistryFixture f;
  Registry& registry = *f.registry;
  for (const char* name : {"a/z", "a-b/c", "a.b/c", "b/c", "a/y/z", "c/d"}) f.repository(name);
  REQUIRE(registry.update_repository(f.repository("c/d").id, {.is_public = true}).ok());
  CHECK(names(*registry.catalog(std::nullopt, "", 100)) == "a-b/c a.b/c a/y/z a/z b/c c/d");
  CHECK(names(*registry.catalog(std::nullopt, "a.b/c", 2)) == "a/y/z a/z");
  CHECK(names(*registry.catalog(std::nullopt, "a.b/d", 2)) == "a/y/z a/z");
  CHECK(names(*registry.catalog(std::nullopt, "c/d", 2)) == "");
  CHECK(names(*registry.catalog(std::nullopt, "", 0)) == "");
  using Ids = std::vector<std::int64_t>;
  auto a = f.repository("a/z").namespace_id, b = f.repository("b/c").namespace_id,
       c = f.repository("c/d").namespace_id;
  CHECK(names(*registry.catalog(Ids{}, "", 100)) == "c/d");
  CHECK(names(*registry.catalog(Ids{b, a, c}, "", 100)) == "a/y/z a/z b/c c/d");
  CHECK(names(*registry.catalog(Ids{b, a, c}, "a/y/z", 2)) == "a/z b/c");

  CHECK(names(registry.list_repositories({}, {})) == "6: a-b/c a.b/c a/y/z a/z b/c c/d");
  CHECK(names(registry.list_repositories({.namespace_id = a}, {1, 5})) == "2: a/z");
  CHECK(names(registry.list_repositories({.namespace_id = a, .name_contains = "y"}, {})) == "1: a/y/z");
  CHECK(names(registry.list_repositories({.namespace_id = a, .readable = Ids{b}}, {})) == "0: ");
  CHECK(names(registry.list_repositories({.namespace_id = c, .readable = Ids{b}}, {})) == "1: c/d");
  CHECK(names(registry.list_repositories({.readable = Ids{b}}, {})) == "2: b/c c/d");
  CHECK(names(registry.list_repositories({.readable = Ids{}, .newest_first = true}, {})) == "1: c/d");
  CHECK(registry.list_repositories({}, {0, 100'000})->items.size() == 6);
  CHECK(registry.list_repositories({}, {-5, -5})->items.empty());
}
