#include "registry/maintenance.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "registry/ops/maintenance.h"
#include "registry/registry_fixture.h"

using namespace wharfage;
using namespace wharfage::registry;

namespace {

struct Caretaker : RegistryFixture {
  explicit Caretaker(TimeMs grace = 0) : RegistryFixture({}, {.delete_grace_ms = grace}) {
    maintenance.start();
    push_image(repository("team/app"), "one", {"1"});
  }
  ~Caretaker() { queue.stop(); }

  MaintenanceRun done(const Maintenance::Wanted& wanted) {
    base.clock.advance(1);
    auto begun = maintenance.begin(wanted);
    REQUIRE(begun.ok());
    if (!std::exchange(started, true)) queue.start();
    REQUIRE(queue.wait_idle(60'000));
    return *maintenance.get(begun->id);
  }
  std::string file(const Digest& of) const {
    std::string hex(of.hex());
    return base.folder.path("data/blobs/sha256/" + hex.substr(0, 2) + "/" + hex);
  }

  bool started = false;
  job::Queue queue{*base.db, base.clock, base.log(), {.sole_owner = true, .poll_ms = 20, .tick_ms = 20}};
  Policies policies{*registry, *base.ids};
  Maintenance maintenance{policies, queue, {.unreferenced_for_ms = 0}};
};

struct Lenient : Caretaker {
  Lenient() : Caretaker(hour_ms) {}
};

}  // namespace

TEST_CASE_FIXTURE(Lenient, "a collection purges what is due, and then its bytes go") {
  Repository app = *registry->find_repository(*Name::parse("team/app"));
  Manifest image = *registry->get_manifest(app, "1");
  REQUIRE(registry->delete_manifest(app, *image.digest).ok());
  done({.kind = "collect"});
  CHECK(policies.deleted_manifests(app, {0, 10}).value().size() == 1);
  REQUIRE(policies.purge_namespace(app.namespace_id).ok());
  for (int round = 0; round < 3; ++round) done({.kind = "collect"});
  CHECK(policies.deleted_manifests(app, {0, 10}).value().empty());
  CHECK_FALSE(std::filesystem::exists(file(Digest::of("layer of one"))));
}

TEST_CASE_FIXTURE(Caretaker, "runs are jobs, and what they found can be read") {
  MaintenanceRun check = done({.kind = "check"});
  CHECK(check.state == "succeeded");
  CHECK(check.report.counted["blobs"] == 2);
  CHECK(check.report.problems() == 0);

  Digest layer = Digest::of("layer of one");
  std::filesystem::remove(file(layer));
  check = done({.kind = "check", .mend = true});
  CHECK(check.report.faults["blob_missing"] == 1);
  CHECK(check.mend);
  CHECK(base.db->read([&](meta::Tx& tx) { return queue.log(tx, check.id, 0, 10); })->total >= 1);

  REQUIRE(store->put("stray").ok());
  base.clock.advance(SystemClock().now() - base.clock.now() + hour_ms);
  CHECK(done({.kind = "collect"}).report.counted["strays"] == 1);
  CHECK(done({.kind = "collect"}).report.counted["bytes"] == 5);
  CHECK(done({.kind = "scrub", .bytes_per_s = -1}).report.counted["blobs"] == 1);

  auto listed = maintenance.list(10);
  REQUIRE(listed->size() == 5);
  CHECK((*listed)[0].kind == "scrub");
  for (const auto& run : *listed) CHECK(run.report.findings.empty());
  CHECK(outcome(maintenance.get("000000000000000000000000")) == "job_unknown");
  CHECK(outcome(maintenance.begin({.kind = "nonsense"})) == "invalid_parameter");
}

TEST_CASE_FIXTURE(Caretaker, "who asks for what waits already gets that") {
  auto first = maintenance.begin({.kind = "check"}), second = maintenance.begin({.kind = "check"});
  CHECK(first->id == second->id);
  CHECK(maintenance.begin({.kind = "check", .mend = true})->id != first->id);
  CHECK(maintenance.begin({.kind = "scrub"})->id != first->id);
}

TEST_CASE_FIXTURE(Caretaker, "a cancelled run says so") {
  auto begun = maintenance.begin({.kind = "scrub"});
  REQUIRE(base.db->write([&](meta::Tx& tx) { return queue.cancel(tx, begun->id); }).ok());
  CHECK(maintenance.get(begun->id)->state == "canceled");
}

TEST_CASE_FIXTURE(Caretaker, "a scrub goes on where an interrupted one was") {
  auto begun = maintenance.begin({.kind = "scrub"});
  Digest last = std::max(Digest::of("layer of one"), Digest::of(R"({"os":"linux","seed":"one"})"));
  REQUIRE(base.db
              ->write([&](meta::Tx& tx) -> Status {
                TRY(auto rows, tx.execute("UPDATE maintenance_runs SET after_digest = $1", {last.text()}));
                (void)rows;
                return {};
              })
              .ok());
  CHECK(done({.kind = "scrub"}).report.counted["blobs"] == 0);
}

TEST_CASE_FIXTURE(Caretaker, "a scrub is due a week after the last one") {
  auto scrubs = [&] { return count("SELECT COUNT(*) FROM maintenance_runs WHERE kind = 'scrub'"); };
  REQUIRE(maintenance.tick().ok());
  CHECK(scrubs() == 0);
  for (int week = 1; week <= 2; ++week) {
    base.clock.advance(7 * day_ms);
    for (int i = 0; i < 3; ++i) REQUIRE(maintenance.tick().ok());
    CHECK(scrubs() == week);
    done({.kind = "check"});
  }
  Maintenance off(policies, queue, {.scrub_weekly = false});
  base.clock.advance(30 * day_ms);
  REQUIRE(off.tick().ok());
  CHECK(scrubs() == 2);
}

TEST_CASE_FIXTURE(Caretaker, "only the newest runs are kept") {
  for (int i = 0; i < static_cast<int>(runs_kept_max) + 5; ++i) {
    base.clock.advance(1);
    done({.kind = "collect"});
  }
  CHECK(maintenance.list(1000)->size() == static_cast<std::size_t>(runs_kept_max));
}
