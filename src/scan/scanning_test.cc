#include "scan/scanning.h"

#include <doctest/doctest.h>

#include <atomic>

#include "auth/auth_fixture.h"
#include "base/failpoint.h"
#include "base/limits.h"
#include "op/audit.h"
#include "scan/layer_fixture.h"
#include "scan/ops.h"

using namespace wharfage;
using namespace wharfage::scan;
using auth::outcome;
using auth::Principal;
using auth::Role;
using testing::Folder;
using testing::gzip;
using testing::Tar;

namespace {

constexpr std::int64_t patience_ms = 60'000;

class ManualClock final : public Clock {
 public:
  TimeMs now() const override { return x_now; }
  void advance(TimeMs by) { x_now += by; }

 private:
  std::atomic<TimeMs> x_now{1'790'000'000'000};
};

std::vector<meta::Migration> schemas() {
  std::vector<meta::Migration> all = scan::schema();
  for (const auto& room : {registry::schema(), job::schema(), op::schema()})
    all.insert(all.end(), room.begin(), room.end());
  return all;
}

std::string config_of(std::string_view note) {
  return R"({"architecture":"amd64","note":")" + std::string(note) + "\"}";
}

// A whole node without its facades.
struct Node {
  explicit Node(bool every_push = true, bool with_advisories = true) {
    store = *blob::Store::open(folder.path("store"));
    events = std::make_unique<job::Events>(*accounts.db, clock, accounts.log());
    job::QueueOptions options;
    options.sole_owner = true;
    queue = std::make_unique<job::Queue>(*accounts.db, clock, accounts.log(), options);
    registry = std::make_unique<registry::Registry>(*accounts.db, *accounts.ids, *store, *events, clock,
                                                    accounts.log());
    REQUIRE(registry->ensure_instance({}).ok());
    audit = std::make_unique<op::Audit>(*accounts.db, clock);
    scanning = std::make_unique<Scanning>(
        *registry, *queue,
        Scanning::Options{.advisory_file = folder.path("advisories.db"), .every_push = every_push},
        accounts.log());
    scanning->start();
    events->subscribe("test", "scan.completed",
                      [this](meta::Tx&, const job::Event& event) { return remember(event); });
    events->subscribe("test2", "scan.failed",
                      [this](meta::Tx&, const job::Event& event) { return remember(event); });
    if (with_advisories) import("3.0.14-1");
    events->start();
    queue->start();
  }
  ~Node() {
    queue->stop();
    events->stop();
  }

  Status remember(const job::Event& event) {
    std::lock_guard lock(mutex);
    told += event.type + " " + event.subject + "\n";
    last_data = event.data;
    return {};
  }

  void import(const std::string& fixed) {
    folder.write("osv/CVE-2024-1.json", R"({"id":"CVE-2024-1","modified":"2024-01-0)" +
                                            std::to_string(++imports) +
                                            R"(T00:00:00Z","details":"A hole.","severity":[{"type":"CVSS_V3",
                     "score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}],"affected":[
                     {"package":{"ecosystem":"Debian:12","name":"openssl"},
                      "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":")" +
                                            fixed + R"("}]}]}]})");
    folder.write("osv/CVE-2024-2.json",
                 R"({"id":"CVE-2024-2","modified":"2024-01-01T00:00:00Z","aliases":["GHSA-abc"],"affected":[
                     {"package":{"ecosystem":"Debian:12","name":"bash"},"ecosystem_specific":{"urgency":"low"},
                      "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]}]})");
    auto report = scanning->import({folder.path("osv")}, ImportMode::add);
    REQUIRE_MESSAGE(report.ok(), report.error().message);
  }

  registry::Repository repository(const std::string& name) {
    auto made = registry->get_repository("root", name);
    if (made.ok()) return *made;
    if (!registry->get_namespace("root").ok()) REQUIRE(registry->create_namespace({.name = "root"}).ok());
    auto created = registry->create_repository({.namespace_name = "root", .name = name});
    REQUIRE(created.ok());
    return *created;
  }

  std::string descriptor(const registry::Repository& repository, const std::string& bytes,
                         const std::string& type) {
    auto digest = registry->put_blob(repository, bytes);
    REQUIRE(digest.ok());
    return R"({"mediaType":")" + type + R"(","digest":")" + digest->text() + R"(","size":)" +
           std::to_string(bytes.size()) + "}";
  }

  // Pushes an image of these layers; "" pushes it by digest only. Its digest.
  std::string push(const std::string& name, const std::string& tag, const std::vector<std::string>& layers) {
    clock.advance(1000);
    auto target = repository(name);
    std::string list;
    for (const std::string& layer : layers) {
      list += (list.empty() ? "" : ",") +
              descriptor(target, layer, "application/vnd.oci.image.layer.v1.tar+gzip");
    }
    std::string manifest =
        R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)" +
        descriptor(target, config_of(name + tag), "application/vnd.oci.image.config.v1+json") +
        R"(,"layers":[)" + list + "]}";
    return put(target, tag, manifest, "application/vnd.oci.image.manifest.v1+json");
  }

  std::string put(const registry::Repository& target, const std::string& tag, const std::string& manifest,
                  const std::string& type) {
    registry::ManifestPush push{.bytes = manifest, .media_type = type, .event_origin = "push"};
    if (tag.empty()) push.digest = Digest::of(manifest);
    if (!tag.empty()) push.tags = {tag};
    auto pushed = registry->put_manifest(target, push, Principal::system());
    REQUIRE_MESSAGE(pushed.ok(), pushed.error().message);
    return pushed->manifest.digest->text();
  }

  void settle() {
    REQUIRE(events->wait_idle(patience_ms));
    REQUIRE(queue->wait_idle(patience_ms));
    REQUIRE(events->wait_idle(patience_ms));
  }

  Task task(const std::string& name, const std::string& digest) {
    auto found = scanning->get_latest_task(repository(name).id, digest);
    REQUIRE_MESSAGE(found.ok(), digest);
    return *found;
  }

  std::int64_t layers_read() {
    std::int64_t lines = 0;
    auto counted = accounts.db->read([&](meta::Tx& tx) -> Status {
      TRY(auto jobs, queue->list(tx, {.kind = "scan.image", .limit = 1000}));
      for (const auto& job : jobs.jobs) {
        TRY(auto log, queue->log(tx, job.id, 0, 1000));
        for (const auto& line : log.lines) lines += line.text.starts_with("reading layer");
      }
      return {};
    });
    REQUIRE(counted.ok());
    return lines;
  }

  template <class Operation>
  Result<typename Operation::Response> call(const Principal& who,
                                            const typename Operation::Request& request) {
    op::Context context{.who = who,
                        .request_id = "r1",
                        .facade = "native",
                        .auth = *accounts.auth,
                        .audit = *audit,
                        .clock = clock,
                        .log = accounts.log()};
    return op::invoke<Operation>(*scanning, context, request);
  }

  ManualClock clock;
  auth::AuthFixture accounts{schemas()};
  Folder folder;
  std::unique_ptr<blob::Store> store;
  std::unique_ptr<job::Events> events;
  std::unique_ptr<job::Queue> queue;
  std::unique_ptr<registry::Registry> registry;
  std::unique_ptr<op::Audit> audit;
  std::unique_ptr<Scanning> scanning;
  std::mutex mutex;
  std::string told, last_data;
  int imports = 0;
};

std::string base_layer() {
  Tar tar;
  tar.file("etc/os-release",
           "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n");
  tar.file("var/lib/dpkg/status", "Package: bash\nStatus: install ok installed\nVersion: 5.2.15-2\n");
  return gzip(tar.bytes());
}

std::string openssl_layer() {
  Tar tar;
  tar.file("var/lib/dpkg/status",
           "Package: bash\nStatus: install ok installed\nVersion: 5.2.15-2\n\n"
           "Package: libssl3\nStatus: install ok installed\nSource: openssl\nVersion: 3.0.11-1\n");
  return gzip(tar.bytes());
}

std::string plain_layer(std::string_view note) {
  return gzip(Tar().file("app/note", note).bytes());
}

}  // namespace

TEST_CASE("a pushed image is scanned, and each finding knows its layer") {
  Node node;
  std::string digest = node.push("app", "1.0", {base_layer(), plain_layer("x"), openssl_layer()});
  node.settle();
  Task task = node.task("app", digest);
  CHECK(task.status == TaskStatus::complete);
  CHECK(task.cause == "push");
  CHECK(task.tag == "1.0");
  CHECK(task.image == digest);
  auto findings = node.scanning->findings(digest, {}, {});
  REQUIRE(findings.ok());
  CHECK(findings->page.total == 2);
  const Finding& worst = findings->page.items.at(0);
  CHECK(worst.id == "CVE-2024-1");
  CHECK(worst.severity == Severity::high);
  CHECK(worst.fixed_version == "3.0.14-1");
  CHECK(findings->layers.at(static_cast<std::size_t>(worst.layer)).digest ==
        Digest::of(openssl_layer()).text());
  CHECK(findings->page.items.at(1).layer == 0);
  CHECK(findings->summary.counts.total() == 2);
  CHECK(findings->summary.system == "Debian GNU/Linux 12 (bookworm)");
  CHECK(findings->summary.packages == 2);
  CHECK(node.told == "scan.completed root/app:1.0\n");
  CHECK(node.last_data.find("\"high\":1") != std::string::npos);
  auto packages = node.scanning->packages(digest, "SSL", {});
  REQUIRE(packages.ok());
  CHECK(packages->page.total == 1);
  CHECK(packages->page.items.at(0).layer == 2);
}

TEST_CASE("no layer is read twice") {
  Node node;
  node.push("app", "1.0", {base_layer(), openssl_layer()});
  node.settle();
  CHECK(node.layers_read() == 2);
  std::string second = node.push("app", "1.1", {base_layer(), openssl_layer(), plain_layer("new")});
  std::string third = node.push("other", "1.0", {base_layer()});
  node.settle();
  CHECK(node.layers_read() == 3);
  CHECK(node.task("app", second).status == TaskStatus::complete);
  CHECK(node.task("other", third).status == TaskStatus::complete);
  CHECK(node.scanning->summarise(third)->counts.total() == 1);

  // Asked for again by hand: nothing is read, and a new task tells the same.
  node.clock.advance(1000);
  auto again =
      node.scanning->create_task({.repository = node.repository("app"), .tag = "1.1", .digest = second});
  REQUIRE(again.ok());
  node.settle();
  CHECK(node.scanning->get_task(again->id)->status == TaskStatus::complete);
  CHECK(node.layers_read() == 3);
}

TEST_CASE("what cannot be judged fails with the reason, and is judged once it can be") {
  Node node(true, false);
  std::string digest = node.push("app", "1.0", {base_layer(), openssl_layer()});
  node.settle();
  Task task = node.task("app", digest);
  CHECK(task.status == TaskStatus::failed);
  CHECK(task.reason == "scan_impossible");
  CHECK(task.message.find("no advisories have been imported") != std::string::npos);
  CHECK(node.scanning->summarise(digest).error().reason == Reason::scan_impossible);
  CHECK(node.scanning->packages(digest, "", {})->page.total == 2);
  CHECK(node.told == "scan.failed root/app:1.0\n");
  CHECK_FALSE(node.scanning->advisories());

  node.import("3.0.14-1");
  node.settle();
  CHECK(node.task("app", digest).status == TaskStatus::complete);
  CHECK(node.scanning->summarise(digest)->counts.of(Severity::high) == 1);
  CHECK(node.told == "scan.failed root/app:1.0\nscan.completed root/app:1.0\n");
  CHECK(node.layers_read() == 2);
  CHECK(node.scanning->advisories()->advisories == 2);
}

TEST_CASE("new advisories change the answers and rescan nothing") {
  Node node;
  std::string digest = node.push("app", "1.0", {base_layer(), openssl_layer()});
  node.settle();
  CHECK(node.scanning->summarise(digest)->counts.total() == 2);
  node.import("3.0.10-1");  // it was fixed earlier than was thought
  CHECK(node.scanning->summarise(digest)->counts.total() == 1);
  node.settle();
  auto stored = node.scanning->find_summaries({digest, "sha256:" + std::string(64, '0')});
  REQUIRE(stored.ok());
  REQUIRE(stored->size() == 1);
  CHECK(stored->at(0).counts.total() == 1);
  CHECK(stored->at(0).generation == node.scanning->advisories()->generation);
  CHECK(node.layers_read() == 2);
}

TEST_CASE("images that tell too little are never clean") {
  Node node;
  Tar fedora;
  fedora.file("etc/os-release", "ID=fedora\nVERSION_ID=40\nPRETTY_NAME=\"Fedora 40\"\n");
  struct Case {
    std::string layer, message;
  };
  int number = 0;
  for (const auto& [layer, message] :
       {Case{gzip(fedora.bytes()), "the operating system is not supported: Fedora 40"},
        Case{plain_layer("scratch"), "the image names no operating system"},
        Case{"this is no layer, whatever the manifest says about it, and it is long enough", "tar archive"},
        Case{base_layer().substr(0, 60), "too early"}}) {
    std::string digest = node.push("odd", "v" + std::to_string(++number), {layer});
    node.settle();
    Task task = node.task("odd", digest);
    CHECK(task.status == TaskStatus::failed);
    CHECK_MESSAGE(task.message.find(message) != std::string::npos, task.message);
    auto summary = node.call<GetSummary>(Principal::system(), {.task_id = task.id});
    REQUIRE_FALSE(summary.ok());
    CHECK(summary.error().reason == Reason::scan_impossible);
    CHECK(summary.error().message == task.message);
  }
}

TEST_CASE("an index is judged by its linux/amd64 image") {
  Node node;
  std::string arm = node.push("multi", "", {plain_layer("arm")});
  std::string amd = node.push("multi", "", {base_layer()});
  auto child = [](const std::string& digest, const std::string& platform) {
    return R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","size":7,"digest":")" + digest +
           R"(","platform":)" + platform + "}";
  };
  std::string index =
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)" +
      child(arm, R"({"os":"linux","architecture":"arm64"})") + "," +
      child(amd, R"({"os":"linux","architecture":"amd64"})") + "]}";
  std::string digest =
      node.put(node.repository("multi"), "1.0", index, "application/vnd.oci.image.index.v1+json");
  node.settle();
  Task task = node.task("multi", digest);
  CHECK(task.status == TaskStatus::complete);
  CHECK(task.image == amd);
  CHECK(outcome(node.scanning->get_latest_task(task.repository_id, arm)) == "scan_task_unknown");
}

TEST_CASE("artifacts are not scanned by themselves") {
  Node node;
  auto target = node.repository("chart");
  std::string manifest =
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)" +
      node.descriptor(target, "{}", "application/vnd.cncf.helm.config.v1+json") + R"(,"layers":[)" +
      node.descriptor(target, "chart", "application/vnd.cncf.helm.chart.content.v1.tar+gzip") + "]}";
  std::string digest = node.put(target, "1.0", manifest, "application/vnd.oci.image.manifest.v1+json");
  node.settle();
  CHECK(outcome(node.scanning->get_latest_task(target.id, digest)) == "scan_task_unknown");
  auto asked = node.scanning->create_task({.repository = target, .tag = "1.0", .digest = digest});
  REQUIRE(asked.ok());
  node.settle();
  CHECK(node.scanning->get_task(asked->id)->message == "it is not a container image");
}

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

TEST_CASE("what is deleted leaves nothing behind") {
  Node node;
  std::string kept = node.push("keep", "1.0", {base_layer()});
  std::string gone = node.push("app", "1.0", {base_layer(), openssl_layer()});
  node.settle();
  auto repository = node.repository("app");
  REQUIRE(node.registry->delete_manifest(repository, *Digest::parse(gone)).ok());
  node.settle();
  CHECK(outcome(node.scanning->get_latest_task(repository.id, gone)) == "scan_task_unknown");
  CHECK(outcome(node.scanning->summarise(gone)) == "scan_task_unknown");
  CHECK(node.scanning->summarise(kept).ok());
  auto count = [&](std::string_view sql) {
    auto rows = node.accounts.db->read([&](meta::Tx& tx) { return tx.query(sql); });
    REQUIRE(rows.ok());
    return rows->at(0).integer(0);
  };
  CHECK(count("SELECT COUNT(*) FROM scan_layers") == 1);
  CHECK(count("SELECT COUNT(*) FROM scan_blobs") == 1);
  REQUIRE(node.registry->delete_repository(node.repository("keep").id).ok());
  node.settle();
  CHECK(count("SELECT COUNT(*) FROM scan_layers") + count("SELECT COUNT(*) FROM scan_images") +
            count("SELECT COUNT(*) FROM scan_image_layers") + count("SELECT COUNT(*) FROM scan_tasks") ==
        0);
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

TEST_CASE("a task that is cancelled before it ran has failed") {
  Node node(false);
  std::string digest = node.push("app", "1.0", {base_layer()});
  node.queue->stop();
  auto task =
      node.scanning->create_task({.repository = node.repository("app"), .tag = "1.0", .digest = digest});
  REQUIRE(task.ok());
  CHECK(outcome(node.call<GetSummary>(Principal::system(), {.task_id = task->id})) == "conflict");
  REQUIRE(node.scanning->cancel_task(task->id).ok());
  CHECK(node.scanning->get_task(task->id)->status == TaskStatus::failed);
  CHECK(node.scanning->get_task(task->id)->reason == "canceled");
  CHECK(outcome(node.scanning->cancel_task(task->id)) == "task_finished");
}

TEST_CASE("a scan that fails for a passing reason is tried again") {
  Node node;
  std::string digest;
  {
    failpoint::Armed armed("scan.layer");
    digest = node.push("app", "1.0", {base_layer(), openssl_layer()});
    node.settle();  // the second attempt is not due: time stands still
    Task task = node.task("app", digest);
    CHECK(task.status == TaskStatus::retrying);
    CHECK(task.reason == "storage_failed");
    CHECK(outcome(node.call<GetSummary>(Principal::system(), {.task_id = task.id})) == "conflict");
  }
  node.clock.advance(hour_ms);
  node.settle();
  CHECK(node.task("app", digest).status == TaskStatus::complete);
  CHECK(node.task("app", digest).message.empty());

  failpoint::Armed armed("scan.layer", 1, 1000);
  std::string hopeless = node.push("app", "2.0", {plain_layer("never read")});
  for (int attempt = 0; attempt < limits::job_attempts_max; ++attempt) {
    node.settle();
    node.clock.advance(day_ms);
  }
  Task task = node.task("app", hopeless);
  CHECK(task.status == TaskStatus::failed);
  CHECK(task.reason == "storage_failed");
  CHECK(node.told == "scan.completed root/app:1.0\nscan.failed root/app:2.0\n");
}
