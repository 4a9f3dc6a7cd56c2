// For tests only: a whole node without its facades, and images to scan.
#pragma once

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "auth/auth_fixture.h"
#include "op/audit.h"
#include "scan/layer_fixture.h"
#include "scan/ops.h"
#include "scan/scanning.h"

namespace wharfage::scan {

using auth::outcome;
using auth::Principal;
using auth::Role;
using testing::Folder;
using testing::gzip;
using testing::Tar;

inline constexpr std::int64_t patience_ms = 60'000;

class ManualClock final : public Clock {
 public:
  TimeMs now() const override { return x_now; }
  void advance(TimeMs by) { x_now += by; }

 private:
  std::atomic<TimeMs> x_now{1'790'000'000'000};
};

inline std::vector<meta::Migration> all_schemas() {
  std::vector<meta::Migration> all = scan::schema();
  for (const auto& room : {registry::schema(), job::schema(), op::schema()})
    all.insert(all.end(), room.begin(), room.end());
  return all;
}

inline std::string config_of(std::string_view note) {
  return R"({"architecture":"amd64","note":")" + std::string(note) + "\"}";
}

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
  auth::AuthFixture accounts{all_schemas()};
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

inline std::string base_layer() {
  Tar tar;
  tar.file("etc/os-release",
           "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n");
  tar.file("var/lib/dpkg/status", "Package: bash\nStatus: install ok installed\nVersion: 5.2.15-2\n");
  return gzip(tar.bytes());
}

inline std::string openssl_layer() {
  Tar tar;
  tar.file("var/lib/dpkg/status",
           "Package: bash\nStatus: install ok installed\nVersion: 5.2.15-2\n\n"
           "Package: libssl3\nStatus: install ok installed\nSource: openssl\nVersion: 3.0.11-1\n");
  return gzip(tar.bytes());
}

inline std::string plain_layer(std::string_view note) {
  return gzip(Tar().file("app/note", note).bytes());
}

}  // namespace wharfage::scan
