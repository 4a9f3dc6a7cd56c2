#include "base/failpoint.h"
#include "base/limits.h"
#include "scan/scanning_fixture.h"

using namespace wharfage;
using namespace wharfage::scan;

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
