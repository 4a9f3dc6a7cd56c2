// Rules and operations: who may ask what, and what they are told.
#include "base/limits.h"
#include "scan/scanning_fixture.h"

using namespace wharfage;
using namespace wharfage::scan;

TEST_CASE("without a rule only what is asked for is scanned") {
  Node node(false);
  auto& scanning = *node.scanning;
  Rule rule{.name = "releases",
            .scope = "REPO",
            .namespaces = {"root"},
            .repositories = {"app"},
            .tag_pattern = "v(?<n>\\d+)"};
  auto created = scanning.create_rule(rule);
  REQUIRE_MESSAGE(created.ok(), created.error().message);
  CHECK(created->id.starts_with("crscnr-"));
  std::string first = node.push("app", "v1", {base_layer()});
  std::string second = node.push("app", "v1-beta", {base_layer()});
  std::string third = node.push("other", "v1", {base_layer()});
  node.settle();
  auto is_known = [&](const std::string& name, const std::string& digest) {
    return scanning.get_latest_task(node.repository(name).id, digest).ok();
  };
  CHECK(is_known("app", first));
  CHECK(node.task("app", first).cause == "rule");
  CHECK_FALSE(is_known("app", second));
  CHECK_FALSE(is_known("other", third));

  rule = *created;
  rule.trigger = "MANUAL";
  rule.scope = "INSTANCE";
  rule.tag_pattern = ".*";
  auto updated = scanning.update_rule(rule);
  REQUIRE(updated.ok());
  CHECK(updated->trigger == "MANUAL");
  CHECK(updated->created_at == created->created_at);
  std::string fourth = node.push("other", "v2", {base_layer(), plain_layer("4")});
  node.settle();
  CHECK_FALSE(is_known("other", fourth));

  CHECK(outcome(scanning.create_rule(rule)) == "scan_rule_exists");
  CHECK(scanning.list_rules({})->total == 1);
  REQUIRE(scanning.delete_rule(rule.id).ok());
  CHECK(outcome(scanning.get_rule(rule.id)) == "scan_rule_unknown");
  CHECK(outcome(scanning.update_rule(rule)) == "scan_rule_unknown");
}

TEST_CASE("rules are checked when they are made") {
  Node node(false);
  auto told = [&](Rule rule) {
    auto made = node.scanning->create_rule(std::move(rule));
    return made.ok() ? std::string("ok") : made.error().detail;
  };
  CHECK(told({.name = "", .tag_pattern = ".*"}) == "RuleName");
  CHECK(told({.name = "r", .tag_pattern = "("}) == "RepoTagFilterPattern");
  CHECK(told({.name = "r", .tag_pattern = ""}) == "RepoTagFilterPattern");
  CHECK(told({.name = "r", .tag_pattern = std::string(513, 'a')}) == "RepoTagFilterPattern");
  CHECK(told({.name = "r", .scope = "WORLD", .tag_pattern = ".*"}) == "ScanScope");
  CHECK(told({.name = "r", .scope = "NAMESPACE", .tag_pattern = ".*"}) == "Namespaces");
  CHECK(told({.name = "r", .scope = "REPO", .namespaces = {"a"}, .tag_pattern = ".*"}) == "RepoNames");
  CHECK(told({.name = "r",
              .scope = "REPO",
              .namespaces = {"a", "b"},
              .repositories = {"c"},
              .tag_pattern = ".*"}) == "Namespaces");
  CHECK(told({.name = "r", .trigger = "SOMETIMES", .tag_pattern = ".*"}) == "TriggerType");
  CHECK(told({.name = "r", .tag_pattern = ".*"}) == "ok");
}

TEST_CASE("operations find tasks in every way callers name them") {
  Node node;
  std::string digest = node.push("app", "1.0", {base_layer(), openssl_layer()});
  node.settle();
  auto repository = node.repository("app");
  Principal root = node.accounts.user("root", true);
  node.clock.advance(1000);
  auto created = node.call<CreateTask>(root, {.image = {.task_id = "6e8ef8a8-5dbb-4b29-8a3e-9a8b9a0a2a11",
                                                        .repository_id = repository.public_id,
                                                        .tag = "1.0"}});
  REQUIRE_MESSAGE(created.ok(), created.error().message);
  CHECK(created->id == "6E8EF8A8-5DBB-4B29-8A3E-9A8B9A0A2A11");
  CHECK(created->status == TaskStatus::scanning);
  node.settle();
  std::string id = created->id;
  auto found_by = [&](const ImageReference& image) {
    auto task = node.call<GetTask>(root, image);
    return task.ok() ? (task->id == id ? "it" : "another") : outcome(task);
  };
  CHECK(found_by({.task_id = "6e8ef8a8-5dbb-4b29-8a3e-9a8b9a0a2a11"}) == "it");
  CHECK(found_by({.task_id = id, .repository_id = repository.public_id}) == "it");
  CHECK(found_by({.task_id = id, .repository_id = "crr-0000000000000000"}) == "scan_task_unknown");
  CHECK(found_by({.task_id = id, .tag = "1.0", .digest = digest.substr(7)}) == "it");
  CHECK(found_by({.task_id = id, .tag = "2.0"}) == "scan_task_unknown");
  CHECK(found_by({.task_id = id, .digest = std::string(64, 'a')}) == "scan_task_unknown");
  CHECK(found_by({.repository_id = repository.public_id, .tag = "1.0"}) == "it");
  CHECK(found_by({.repository_id = repository.public_id, .digest = digest}) == "it");
  CHECK(found_by({.namespace_name = "root", .repository_name = "app", .digest = digest.substr(7)}) == "it");
  CHECK(found_by({.repository_id = repository.public_id, .tag = "2.0"}) == "tag_unknown");
  CHECK(found_by({.repository_id = repository.public_id, .digest = "sha256:x"}) == "digest_invalid");
  CHECK(found_by({.repository_id = repository.public_id}) == "missing_parameter");
  CHECK(found_by({}) == "missing_parameter");
  CHECK(found_by({.task_id = "no such task"}) == "scan_task_unknown");
  CHECK(outcome(node.call<CreateTask>(
            root, {.image = {.task_id = id, .repository_id = repository.public_id, .tag = "1.0"}})) ==
        "conflict");

  auto scans = node.call<FindScans>(
      root, {{"root", "app", digest}, {"root", "app", "sha256:x"}, {"root", "no", digest}});
  REQUIRE(scans.ok());
  CHECK(scans->at(0).task->id == id);
  CHECK(scans->at(0).summary->counts.of(Severity::high) == 1);
  CHECK_FALSE(scans->at(1).task);
  CHECK_FALSE(scans->at(2).task);
  scans = node.call<FindScans>(node.accounts.user("nobody"), {{"root", "app", digest}});
  CHECK_FALSE(scans->at(0).task);

  auto summary = node.call<GetSummary>(root, {.task_id = id});
  REQUIRE(summary.ok());
  CHECK(summary->summary.counts.of(Severity::high) == 1);
  auto listed = [&](FindingFilter filter, Slice slice) {
    auto response = node.call<ListFindings>(
        root, {.image = {.task_id = id}, .filter = std::move(filter), .slice = slice});
    REQUIRE(response.ok());
    std::string ids = std::to_string(response->findings.page.total) + ":";
    for (const Finding& finding : response->findings.page.items) ids += " " + finding.id;
    return ids;
  };
  CHECK(listed({}, {0, 10}) == "2: CVE-2024-1 CVE-2024-2");
  CHECK(listed({}, {1, 1}) == "2: CVE-2024-2");
  CHECK(listed({}, {5, 1}) == "2:");
  CHECK(listed({.severities = {Severity::low}}, {}) == "1: CVE-2024-2");
  CHECK(listed({.severities = {Severity::critical, Severity::high}}, {}) == "1: CVE-2024-1");
  CHECK(listed({.contains = "OPENSSL"}, {}) == "1: CVE-2024-1");
  CHECK(listed({.contains = "ghsa-ABC"}, {}) == "1: CVE-2024-2");
  CHECK(listed({.contains = "nothing"}, {}) == "0:");
  auto sbom = node.call<GetSbom>(root, {.image = {.task_id = id}, .format = SbomFormat::cyclonedx});
  REQUIRE(sbom.ok());
  CHECK(sbom->find("pkg:deb/debian/libssl3@3.0.11-1?distro=debian-12") != std::string::npos);
  auto tasks = node.call<ListTasks>(root, {.namespace_name = "root", .repository_name = "app"});
  REQUIRE(tasks.ok());
  CHECK(tasks->total == 2);
  CHECK(tasks->items.at(0).id == id);
}

TEST_CASE("operations are denied by default") {
  Node node;
  std::string digest = node.push("app", "1.0", {base_layer()});
  node.settle();
  auto repository = node.repository("app");
  std::string id = node.task("app", digest).id;
  Principal guest = node.accounts.user("guest"), developer = node.accounts.user("developer"),
            maintainer = node.accounts.user("maintainer"), stranger = node.accounts.user("stranger"),
            root = node.accounts.user("root", true);
  node.accounts.grant(guest, repository.namespace_id, Role::guest);
  node.accounts.grant(developer, repository.namespace_id, Role::developer);
  node.accounts.grant(maintainer, repository.namespace_id, Role::maintainer);

  CHECK(outcome(node.call<GetTask>(guest, {.task_id = id})) == "ok");
  CHECK(outcome(node.call<GetSummary>(guest, {.task_id = id})) == "ok");
  CHECK(outcome(node.call<GetTask>(stranger, {.task_id = id})) != "ok");
  CHECK(outcome(node.call<ListFindings>(Principal::anonymous(), {.image = {.task_id = id}})) != "ok");
  CHECK(outcome(node.call<ListPackages>(stranger, {.image = {.task_id = id}})) != "ok");
  CreateTask::Request wanted{.image = {.repository_id = repository.public_id, .tag = "1.0"}};
  CHECK(outcome(node.call<CreateTask>(guest, wanted)) == "denied");
  CHECK(outcome(node.call<CreateTask>(developer, wanted)) == "ok");
  node.settle();

  Rule rule{.name = "r", .scope = "NAMESPACE", .namespaces = {"root"}, .tag_pattern = ".*"};
  CHECK(outcome(node.call<CreateRule>(developer, rule)) == "denied");
  auto made = node.call<CreateRule>(maintainer, rule);
  REQUIRE(made.ok());
  rule = *made;
  rule.scope = "INSTANCE";  // reaching further needs more
  CHECK(outcome(node.call<UpdateRule>(maintainer, rule)) == "denied");
  CHECK(outcome(node.call<UpdateRule>(root, rule)) == "ok");
  CHECK(outcome(node.call<DeleteRule>(maintainer, {rule.id})) == "denied");
  CHECK(outcome(node.call<DeleteRule>(root, {rule.id})) == "ok");
  CHECK(outcome(node.call<ImportAdvisories>(maintainer, {.paths = {"/"}})) == "denied");
  CHECK(outcome(node.call<GetAdvisories>(guest, {})) == "ok");
  CHECK(outcome(node.call<ListTasks>(guest, {})) == "missing_parameter");
  CHECK(node.call<ListTasks>(root, {})->total == 2);
}

TEST_CASE("what one may not read is refused in the words of what does not exist") {
  Node node;
  std::string digest = node.push("app", "1.0", {base_layer()});
  node.settle();
  auto repository = node.repository("app");
  std::string id = node.task("app", digest).id;
  Principal root = node.accounts.user("root", true), stranger = node.accounts.user("stranger");
  Rule rule{.name = "r", .scope = "NAMESPACE", .namespaces = {"root"}, .tag_pattern = ".*"};
  auto stored = node.call<CreateRule>(root, rule);
  REQUIRE(stored.ok());
  const std::vector<std::string> names = {repository.public_id, "crr-absent", "root/app", "root/none",
                                          "absent/app",         "absent",     "root"};
  auto same = [&](auto operation, const auto& there, const auto& absent, std::string_view reason) {
    using Operation = decltype(operation);
    std::string told = auth::told_of(node.call<Operation>(stranger, there), names);
    CHECK(told == auth::told_of(node.call<Operation>(root, absent), names));
    CHECK(told.substr(0, told.find('|')) == reason);
  };
  const std::vector<std::pair<ImageReference, ImageReference>> images = {
      {{.repository_id = repository.public_id, .tag = "1.0"}, {.repository_id = "crr-absent", .tag = "1.0"}},
      {{.namespace_name = "root", .repository_name = "app", .digest = digest},
       {.namespace_name = "root", .repository_name = "none", .digest = digest}}};
  for (const auto& [there, absent] : images) {
    same(CreateTask{}, CreateTask::Request{there}, CreateTask::Request{absent}, "repository_unknown");
    same(GetTask{}, there, absent, "repository_unknown");
    same(GetSummary{}, there, absent, "repository_unknown");
    same(ListFindings{}, ListFindings::Request{.image = there}, ListFindings::Request{.image = absent},
         "repository_unknown");
    same(ListPackages{}, ListPackages::Request{.image = there}, ListPackages::Request{.image = absent},
         "repository_unknown");
    same(GetSbom{}, GetSbom::Request{.image = there}, GetSbom::Request{.image = absent},
         "repository_unknown");
  }
  const ImageReference task{.task_id = id}, no_task{.task_id = "absent"};
  same(GetTask{}, task, no_task, "scan_task_unknown");
  same(CancelTask{}, CancelTask::Request{id}, CancelTask::Request{"absent"}, "scan_task_unknown");
  same(GetSummary{}, task, no_task, "scan_task_unknown");
  same(ListFindings{}, ListFindings::Request{.image = task}, ListFindings::Request{.image = no_task},
       "scan_task_unknown");
  same(ListTasks{}, ListTasks::Request{.namespace_name = "root"},
       ListTasks::Request{.namespace_name = "absent"}, "namespace_unknown");
  same(ListTasks{}, ListTasks::Request{.namespace_name = "root", .repository_name = "app"},
       ListTasks::Request{.namespace_name = "absent", .repository_name = "app"}, "repository_unknown");

  rule.namespaces = {"absent"};
  Rule fresh = *stored, gone = *stored;
  fresh.name = "s";
  gone.id = "crscnr-absent";
  same(CreateRule{}, fresh, rule, "namespace_unknown");
  same(GetRule{}, GetRule::Request{stored->id}, GetRule::Request{gone.id}, "scan_rule_unknown");
  same(UpdateRule{}, *stored, gone, "scan_rule_unknown");
  same(DeleteRule{}, DeleteRule::Request{stored->id}, DeleteRule::Request{gone.id}, "scan_rule_unknown");

  // A list holds only what names nothing but what may be read.
  Rule everywhere{.name = "all", .scope = "INSTANCE", .tag_pattern = ".*"};
  REQUIRE(node.call<CreateRule>(root, everywhere).ok());
  CHECK(node.call<ListRules>(root, {})->total == 2);
  auto seen = node.call<ListRules>(stranger, {});
  REQUIRE(seen.ok());
  CHECK(seen->total == 1);
  CHECK(seen->items.at(0).name == "all");
  CHECK(node.call<ListRules>(stranger, {.slice = {1, 10}})->items.empty());
  node.accounts.grant(stranger, repository.namespace_id, Role::guest);
  CHECK(node.call<ListRules>(stranger, {.slice = {1, 1}})->total == 2);
  CHECK(node.call<ListRules>(stranger, {.slice = {1, 1}})->items.size() == 1);
  CHECK(outcome(node.call<GetRule>(stranger, {stored->id})) == "ok");
}
