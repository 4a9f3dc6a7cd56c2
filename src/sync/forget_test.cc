// What goes and what stays when an image or a repository is deleted.
#include "sync/sync_fixture.h"

using namespace wharfage;
using namespace wharfage::sync;

TEST_CASE("where an image was copied is forgotten with it; the tasks that did it are history") {
  SyncFixture bench;
  bench.go();
  std::int64_t own = bench.connections->own()->id;
  auto app = bench.house.repository("left/app");
  bench.house.repository("right/unused");
  auto copied = [&](const std::string& seed) {
    auto image = bench.house.push_image(app, seed, {seed});
    auto made = bench.room->create_task({.repository_id = app.id,
                                         .tag = seed,
                                         .connection_id = own,
                                         .target_namespace = "right",
                                         .target_repository = {},
                                         .target_tag = {}});
    REQUIRE(made.ok());
    bench.settle();
    REQUIRE(bench.room->copies_of(app.id, image.digest->text())->size() == 1);
    return *image.digest;
  };
  Digest gone = copied("gone"), kept = copied("kept");

  REQUIRE(bench.house.registry->delete_tag(app, "kept").ok());
  bench.house.base.clock.advance(1);
  REQUIRE(bench.house.registry->delete_manifest(app, gone).ok());
  bench.settle();
  CHECK(bench.room->copies_of(app.id, gone.text())->empty());
  CHECK(bench.room->copies_of(app.id, kept.text())->size() == 1);

  REQUIRE(bench.house.registry->delete_repository(app.id).ok());
  bench.settle();
  CHECK(bench.house.count("SELECT COUNT(*) FROM sync_copies WHERE repository_id = " +
                          std::to_string(app.id)) == 0);
  CHECK(bench.tasks().size() == 2);
}
