#include <set>

#include "op/audit.h"
#include "registry/ops/artifacts.h"
#include "registry/ops/instance.h"
#include "registry/ops/namespaces.h"
#include "registry/ops/repositories.h"
#include "registry/ops/tags.h"
#include "registry/registry_fixture.h"

using namespace wharfage;
using namespace wharfage::registry;
using namespace wharfage::registry::ops;
using auth::Principal;
using auth::Role;
using auth::told_of;

namespace {

struct Operations : RegistryFixture {
  template <class Operation>
  Result<typename Operation::Response> call(const Principal& who,
                                            const typename Operation::Request& request = {}) {
    op::Context context{.who = who,
                        .request_id = "r1",
                        .peer = "192.0.2.7",
                        .facade = "native",
                        .auth = *base.auth,
                        .audit = audit,
                        .clock = base.clock,
                        .log = base.log()};
    return op::invoke<Operation>(*registry, context, request);
  }
  template <class Operation>
  std::string told(const Principal& who, const typename Operation::Request& request = {}) {
    return outcome(call<Operation>(who, request));
  }

  std::string told_of_namespace(const Principal& who, const NamespaceRef& ref,
                                const std::vector<std::string>& names) {
    return told_of(call<GetNamespace>(who, ref), names);
  }
  std::string told_of_list(const Principal& who, const NamespaceRef& ref,
                           const std::vector<std::string>& names) {
    return told_of(call<ListRepositories>(who, {.space = ref, .name_contains = "app"}), names);
  }

  op::Audit audit{*base.db, base.clock};
  Repository secret = repository("team/app"), open = repository("team/open");
  Principal nobody = Principal::anonymous(), root = base.user("root", true), stranger = base.user("stranger"),
            guest = base.user("guest"), developer = base.user("developer"),
            maintainer = base.user("maintainer");

  Operations() {
    base.grant(guest, secret.namespace_id, Role::guest);
    base.grant(developer, secret.namespace_id, Role::developer);
    base.grant(maintainer, secret.namespace_id, Role::maintainer);
    REQUIRE(registry->update_repository(open.id, {.is_public = true}).ok());
  }
  RepositoryRef ref(const Repository& repository) { return {.public_id = repository.public_id}; }
};

template <class T>
std::string names(const Result<Page<T>>& page) {
  std::string text = std::to_string(page->total) + ":";
  for (const auto& item : page->items) text += " " + item.name;
  return text;
}

}  // namespace

TEST_CASE("what a caller may not read is not there") {
  Operations o;
  o.push_image(o.secret, "one", {"1"});
  const std::vector<RepositoryRef> references = {
      {.namespace_name = "team", .name = "app"}, {.public_id = o.secret.public_id}, {.id = o.secret.id}};
  const RepositoryRef absent{.namespace_name = "team", .name = "absent"};
  for (const auto& reference : references) {
    CHECK(o.told<GetRepository>(o.guest, reference) == "ok");
    CHECK(o.told<GetRepository>(o.stranger, reference) == o.told<GetRepository>(o.stranger, absent));
    CHECK(o.told<GetRepository>(o.stranger, reference) == "repository_unknown");
    CHECK(o.told<ListTags>(o.stranger, {.repository = reference}) == "repository_unknown");
    CHECK(o.told<GetTag>(o.stranger, {reference, "1"}) == "repository_unknown");
    CHECK(o.told<DeleteTag>(o.stranger, {reference, "1"}) == "repository_unknown");
    CHECK(o.told<CreateTag>(o.stranger, {reference, "1", "2"}) == "repository_unknown");
    CHECK(o.told<GetArtifact>(o.stranger, {reference, "1"}) == "repository_unknown");
    CHECK(o.told<DeleteArtifact>(o.stranger, {reference, "1"}) == "repository_unknown");
    CHECK(o.told<ListArtifacts>(o.stranger, {.repository = reference}) == "repository_unknown");
    CHECK(o.told<ListAccessories>(o.stranger, {.repository = reference, .reference = "1"}) ==
          "repository_unknown");
    CHECK(o.told<GetHistory>(o.stranger, {reference, "1"}) == "repository_unknown");
    CHECK(o.told<UpdateRepository>(o.stranger, {.repository = reference}) == "repository_unknown");
    CHECK(o.told<DeleteRepository>(o.stranger, reference) == "repository_unknown");
    CHECK(o.told<GetRepository>(o.nobody, reference) == "unauthenticated");
  }
  CHECK(o.told<GetNamespace>(o.stranger, {.name = "team"}) == "namespace_unknown");
  CHECK(o.told<UpdateNamespace>(o.stranger, {.space = {.name = "team"}}) == "namespace_unknown");
  CHECK(o.told<DeleteNamespace>(o.stranger, {.id = o.secret.namespace_id}) == "namespace_unknown");
  CHECK(o.told<CreateRepository>(o.stranger, {.namespace_name = "team", .name = "x"}) == "namespace_unknown");
  CHECK(o.told<GetNamespace>(o.guest, {}) == "missing_parameter");
  CHECK(o.told<GetRepository>(o.guest, {.name = "app"}) == "missing_parameter");
  // Public: everybody reads, nobody more than that.
  CHECK(o.told<GetRepository>(o.nobody, o.ref(o.open)) == "ok");
  CHECK(o.told<ListTags>(o.stranger, {.repository = o.ref(o.open)}) == "ok");
  CHECK(o.told<DeleteRepository>(o.stranger, o.ref(o.open)) == "denied");
  CHECK(o.told<DeleteRepository>(o.nobody, o.ref(o.open)) == "unauthenticated");
}

TEST_CASE("a refusal tells nothing but that it is not there") {
  Operations o;
  const std::vector<std::string> asked = {o.secret.public_id, "crr-absent", "team/app", "team/absent"};
  const std::vector<std::pair<RepositoryRef, RepositoryRef>> repositories = {
      {{.namespace_name = "team", .name = "app"}, {.namespace_name = "team", .name = "absent"}},
      {{.public_id = o.secret.public_id}, {.public_id = "crr-absent"}}};
  for (const auto& [there, absent] : repositories) {
    CHECK(told_of(o.call<GetRepository>(o.stranger, there), asked) ==
          told_of(o.call<GetRepository>(o.root, absent), asked));
    CHECK(told_of(o.call<DeleteTag>(o.stranger, {there, "1"}), asked) ==
          told_of(o.call<DeleteTag>(o.root, {absent, "1"}), asked));
  }
  auto by_number = o.call<GetRepository>(o.stranger, {.id = o.secret.id});
  CHECK(by_number.error().detail == std::to_string(o.secret.id));
  auto space = o.registry->get_namespace(o.secret.namespace_id);
  const std::vector<std::string> names = {space->public_id, "crn-absent"};
  for (auto call : {&Operations::told_of_namespace, &Operations::told_of_list}) {
    std::string told = (o.*call)(o.stranger, {.public_id = space->public_id}, names);
    CHECK(told == (o.*call)(o.root, {.public_id = "crn-absent"}, names));
  }
}

TEST_CASE("each rung of the ladder") {
  Operations o;
  for (const char* tag : {"1", "2", "3"}) o.push_image(o.secret, tag, {tag});
  auto can = [&](auto call) {
    std::string who;
    for (const auto& [letter, principal] : {std::pair('g', o.guest), std::pair('d', o.developer),
                                            std::pair('m', o.maintainer), std::pair('r', o.root)}) {
      if (call(principal) != "denied") who += letter;
    }
    return who;
  };
  const RepositoryRef app = o.ref(o.secret);
  CHECK(can([&](auto& p) { return o.told<GetArtifact>(p, {app, "1"}); }) == "gdmr");
  CHECK(can([&](auto& p) { return o.told<GetUsage>(p); }) == "gdmr");
  CHECK(can([&](auto& p) { return o.told<GetInstance>(p); }) == "gdmr");
  CHECK(can([&](auto& p) { return o.told<CreateTag>(p, {app, "1", "new"}); }) == "dmr");
  CHECK(can([&](auto& p) {
          return o.told<CreateRepository>(p, {.namespace_name = "team", .name = p.name});
        }) == "dmr");
  CHECK(can([&](auto& p) { return o.told<DeleteTag>(p, {app, "1"}); }) == "mr");
  CHECK(can([&](auto& p) { return o.told<DeleteArtifact>(p, {app, "2"}); }) == "mr");
  CHECK(can([&](auto& p) { return o.told<UpdateRepository>(p, {.repository = app}); }) == "mr");
  CHECK(can([&](auto& p) { return o.told<UpdateNamespace>(p, {.space = {.name = "team"}}); }) == "mr");
  CHECK(can([&](auto& p) { return o.told<CreateNamespace>(p, {.name = "n" + p.name}); }) == "r");
  CHECK(o.told<CreateNamespace>(o.nobody, {.name = "x"}) == "unauthenticated");
  CHECK(can([&](auto& p) { return o.told<DeleteRepository>(p, app); }) == "mr");
  CHECK(can([&](auto& p) { return o.told<DeleteNamespace>(p, {.name = "team"}); }) == "mr");
}

TEST_CASE("lists hold what the caller may read") {
  Operations o;
  o.repository("other/app");
  CHECK(names(o.call<ListRepositories>(o.root)) == "3: app app open");
  CHECK(names(o.call<ListRepositories>(o.guest)) == "2: app open");
  CHECK(names(o.call<ListRepositories>(o.stranger)) == "1: open");
  CHECK(names(o.call<ListRepositories>(o.nobody)) == "1: open");
  CHECK(names(o.call<ListRepositories>(o.guest, {.space = {.name = "team"}})) == "2: app open");
  CHECK(names(o.call<ListRepositories>(o.stranger, {.space = {.name = "team"}})) == "1: open");
  CHECK(names(o.call<ListRepositories>(o.nobody, {.space = {.name = "team"}})) == "1: open");
  for (const auto& who : {o.stranger, o.nobody}) {
    CHECK(o.told<ListRepositories>(who, {.space = {.name = "other"}}) == "namespace_unknown");
    CHECK(o.told<ListRepositories>(who, {.space = {.name = "absent"}}) == "namespace_unknown");
  }
  CHECK(names(o.call<ListNamespaces>(o.root)) == "3: library other team");
  CHECK(names(o.call<ListNamespaces>(o.guest)) == "1: team");
  CHECK(names(o.call<ListNamespaces>(o.stranger)) == "0:");
  o.push_image(o.secret, "one", {"1"});
  o.push_image(o.open, "one", {"1"});
  CHECK(o.call<ListAllArtifacts>(o.guest)->size() == 2);
  CHECK(o.call<ListAllArtifacts>(o.stranger)->size() == 1);
}

TEST_CASE("artifacts come with their tags, pulls and accessories") {
  Operations o;
  Registry& registry = *o.registry;
  Manifest image = o.push_image(o.secret, "one", {"1", "latest"});
  registry.count_pull(o.secret, image);
  REQUIRE(registry.fold_pulls().ok());
  auto artifact = o.call<GetArtifact>(o.guest, {o.ref(o.secret), "latest"});
  REQUIRE(artifact.ok());
  CHECK(artifact->manifest.id == image.id);
  CHECK(artifact->manifest.pull_count == 1);
  CHECK(artifact->manifest.bytes.empty());
  REQUIRE(artifact->tags.size() == 2);
  CHECK(artifact->tags[1].name == "latest");

  std::string subject = R"(,"subject":)" + descriptor(*image.digest, 1, oci_manifest);
  Manifest signature =
      o.push_image(o.secret, "sig", {"sha256-" + std::string(image.digest->hex()) + ".sig"}, subject);
  Manifest sbom = o.push_image(o.secret, "sbom", {}, subject + R"(,"artifactType":"application/spdx+json")");
  o.push_image(o.secret, "att", {"sha256-" + std::string(image.digest->hex()) + ".att"});
  auto all = o.call<ListAccessories>(o.guest, {.repository = o.ref(o.secret), .reference = "1"});
  REQUIRE(all->items.size() == 3);  // the signature is both a tag and a referrer, and counts once
  CHECK(all->items[0].type == "signature.cosign");
  CHECK(all->items[0].manifest.id == signature.id);
  CHECK(all->items[0].subject_id == image.id);
  CHECK(all->items[1].type == "attestation.cosign");
  CHECK(all->items[2].type == "application/spdx+json");
  auto paged = o.call<ListAccessories>(
      o.guest,
      {.repository = o.ref(o.secret), .reference = "1", .type = "signature.cosign", .slice = {0, 1}});
  CHECK(paged->total == 1);
  CHECK(o.call<ListAccessories>(o.guest, {.repository = o.ref(o.secret), .reference = "1", .slice = {2, 5}})
            ->items.size() == 1);
  CHECK(o.call<ListAccessories>(o.guest, {.repository = o.ref(o.secret), .reference = "1", .slice = {9, 5}})
            ->items.empty());
  CHECK(o.call<ListArtifacts>(o.guest, {.repository = o.ref(o.secret)})->total == 1);

  auto tag = o.call<CreateTag>(o.developer, {o.ref(o.secret), image.digest->text(), "copy"});
  REQUIRE(tag.ok());
  CHECK(tag->manifest.id == image.id);
  CHECK(o.told<DeleteArtifact>(o.maintainer, {o.ref(o.secret), "1"}) == "ok");
  CHECK(o.told<GetTag>(o.guest, {o.ref(o.secret), "copy"}) == "tag_unknown");
}

TEST_CASE("an image whose manifest is damaged or lost can be deleted by its tag and by its digest") {
  for (const char* damage : {"UPDATE manifest_bytes SET bytes = x'7b7d'", "DELETE FROM manifest_bytes"}) {
    for (bool by_tag : {true, false}) {
      CAPTURE(damage);
      CAPTURE(by_tag);
      Operations o;
      Manifest image = o.push_image(o.secret, "one", {"1"});
      REQUIRE(o.base.db->write([&](meta::Tx& tx) { return tx.execute(damage); }).ok());
      std::string reference = by_tag ? "1" : image.digest->text();
      CHECK(o.told<DeleteArtifact>(o.maintainer, {o.ref(o.secret), "2"}) == "manifest_unknown");
      CHECK(o.told<DeleteArtifact>(o.maintainer, {o.ref(o.secret), reference}) == "ok");
      CHECK(o.told<DeleteArtifact>(o.maintainer, {o.ref(o.secret), reference}) == "manifest_unknown");
      CHECK(outcome(o.registry->get_tag(o.secret, "1")) == "tag_unknown");
    }
  }
}

TEST_CASE("the history of an image") {
  Operations o;
  const std::string config =
      R"({"history":[{"created":"2026-01-02T03:04:05Z","created_by":"ADD x"},)"
      R"({"created_by":"CMD y","empty_layer":true},{"created_by":"RUN z"},{"created_by":"too many"}]})";
  const std::string a = "layer a", b = "layer b";
  o.blob(o.secret, a);
  o.blob(o.secret, b);
  std::string bytes = image_json(
      descriptor(o.blob(o.secret, config), config.size(), oci_config),
      {descriptor(Digest::of(a), a.size(), oci_layer), descriptor(Digest::of(b), b.size(), oci_layer)});
  REQUIRE(o.push(o.secret, bytes, {"1"}).ok());
  auto history = o.call<GetHistory>(o.guest, {o.ref(o.secret), "1"});
  REQUIRE(history.ok());
  REQUIRE(history->size() == 4);
  CHECK((*history)[0].created == "2026-01-02T03:04:05Z");
  CHECK((*history)[0].digest == Digest::of(a).text());
  CHECK((*history)[1].empty_layer);
  CHECK((*history)[1].digest.empty());
  CHECK((*history)[2].created_by == "RUN z");
  CHECK((*history)[2].digest == Digest::of(b).text());
  CHECK((*history)[2].size == 7);
  CHECK((*history)[3].digest.empty());
  o.push_image(o.secret, "plain", {"plain"});
  CHECK(o.call<GetHistory>(o.guest, {o.ref(o.secret), "plain"})->empty());
  std::string broken = image_json(descriptor(o.blob(o.secret, "no json"), 7, oci_config), {});
  REQUIRE(o.push(o.secret, broken, {"broken"}).ok());
  CHECK(o.told<GetHistory>(o.guest, {o.ref(o.secret), "broken"}) == "unsupported");
}

// Whoever makes a place of the same name again must not meet the old one's grants.
TEST_CASE("grants end with their repository and with their namespace") {
  Operations o;
  auto grants = [&](const Principal& of) {
    std::int64_t count = 0;
    auto list = o.base.auth->list_grants(0);
    for (const auto& grant : *list) count += grant.subject_id == of.id ? 1 : 0;
    return count;
  };
  Repository near = o.repository("team/app/near"), other = o.repository("other/app");
  o.base.grant(o.stranger, o.secret.namespace_id, Role::developer, "team/app");
  o.base.grant(o.stranger, o.secret.namespace_id, Role::developer, "team/app/near");
  o.base.grant(o.stranger, other.namespace_id, Role::developer, "other/app");
  CHECK(o.told<GetRepository>(o.stranger, o.ref(o.secret)) == "ok");
  REQUIRE(o.told<DeleteRepository>(o.root, o.ref(o.secret)) == "ok");
  CHECK(grants(o.stranger) == 2);
  CHECK(grants(o.guest) == 1);  // of the whole namespace
  CHECK(o.told<GetRepository>(o.stranger, o.ref(o.repository("team/app"))) == "repository_unknown");
  CHECK(o.told<GetRepository>(o.stranger, o.ref(near)) == "ok");
  CHECK(o.told<GetRepository>(o.guest, {.namespace_name = "team", .name = "app"}) == "ok");

  for (const char* name : {"team/app", "team/app/near", "team/open"})
    REQUIRE(o.told<DeleteRepository>(o.root, o.ref(o.repository(name))) == "ok");
  REQUIRE(o.told<DeleteNamespace>(o.root, {.name = "team"}) == "ok");
  CHECK(grants(o.guest) + grants(o.developer) + grants(o.maintainer) == 0);
  CHECK(grants(o.stranger) == 1);
  CHECK(o.told<GetRepository>(o.stranger, o.ref(other)) == "ok");
  Repository again = o.repository("team/app");
  CHECK(o.told<GetRepository>(o.guest, o.ref(again)) == "repository_unknown");
}
