// More than one run of collect() takes: where helpers remove files beside the thread that collects.
#include <filesystem>

#include "registry/registry_fixture.h"

using namespace wharfage;
using namespace wharfage::registry;

namespace {

constexpr int many = 1300;
constexpr TimeMs grace = hour_ms;

std::string bytes_of(int number) {
  return "blob " + std::to_string(number);
}

struct Many : RegistryFixture {
  Repository app = repository("team/app");

  // As if it had been pushed, without waiting for the disk each time.
  Many() {
    REQUIRE(base.db
                ->write([&](meta::Tx& tx) -> Status {
                  for (int i = 0; i < many; ++i) TRY_STATUS(link(tx, i));
                  return {};
                })
                .ok());
    REQUIRE(registry->fold_pulls().ok());
    for (int i = 0; i < many; ++i) REQUIRE(store->put(bytes_of(i)).ok());
  }
  Status link(meta::Tx& tx, int number) const {
    std::string digest = Digest::of(bytes_of(number)).text();
    auto size = static_cast<std::int64_t>(bytes_of(number).size());
    TRY_STATUS(tx.execute("INSERT INTO blobs (digest, size, state, changed_at) VALUES ($1, $2, 0, 0)",
                          {digest, size}));
    TRY_STATUS(tx.execute("INSERT INTO registry_changes VALUES (0, 0, 0, 0, 0, 0, 0, 1, $1)", {size}));
    return tx.execute(
                 "INSERT INTO repository_blobs (repository_id, digest, linked_at, loose_since) "
                 "VALUES ($1, $2, 0, 0)",
                 {app.id, digest})
                   .ok()
               ? Status()
               : fail(Reason::internal);
  }
  Registry::Collected collect_all(TimeMs unreferenced_for) {
    Registry::Collected sum;
    for (sum.more = true; sum.more;) {
      auto collected = registry->collect(unreferenced_for);
      REQUIRE(collected.ok());
      sum.blobs += collected->blobs;
      sum.bytes += collected->bytes;
      sum.more = collected->more;
    }
    return sum;
  }
};

}  // namespace

TEST_CASE("many blobs leave, each counted once, and those that are pushed again meanwhile stay") {
  Many f;
  const std::int64_t bytes = f.registry->usage()->bytes;
  f.base.clock.advance(2 * grace);
  f.execute("UPDATE blobs SET state = 1");
  f.execute("DELETE FROM repository_blobs");
  f.execute("UPDATE registry_counts SET blobs = 0, bytes = 0 WHERE repository_id = 0");
  f.blob(f.app, bytes_of(3));               // a push
  REQUIRE(f.store->put(bytes_of(4)).ok());  // one that died before its row

  auto collected = f.collect_all(grace);
  CHECK(collected.blobs == many - 1);
  CHECK(collected.bytes == bytes - static_cast<std::int64_t>(bytes_of(3).size()));
  CHECK(f.registry->open_blob(f.app, Digest::of(bytes_of(3)))->read(0, 100).value() == bytes_of(3));
  CHECK(f.count("SELECT COUNT(*) FROM blobs") == 1);
  CHECK(f.registry->usage()->blobs == 1);
  for (int i = 0; i < many; ++i) {
    CAPTURE(i);
    CHECK(f.store->find_size(Digest::of(bytes_of(i)))->has_value() == (i == 3));
  }
}

TEST_CASE("a run takes links and their blobs along, however many") {
  Many f;
  const std::int64_t bytes = f.registry->usage()->bytes;
  f.base.clock.advance(2 * grace);
  auto collected = f.collect_all(grace);
  CHECK(collected.blobs == many);
  CHECK(collected.bytes == bytes);
  CHECK(f.registry->usage()->blobs == 0);
  CHECK(f.count("SELECT COUNT(*) FROM blobs") == 0);
}

TEST_CASE("a file that cannot be removed keeps no other from going") {
  RegistryFixture f;
  Repository app = f.repository("team/app");
  const Digest stuck = f.blob(app, "stuck"), other = f.blob(app, "other");
  std::filesystem::remove(f.file(stuck));
  std::filesystem::create_directory(f.file(stuck));
  f.base.clock.advance(hour_ms);
  CHECK(outcome(f.registry->collect(0)) == "storage_failed");
  CHECK(f.count("SELECT COUNT(*) FROM blobs") == 1);
  CHECK_FALSE(f.store->find_size(other)->has_value());
  std::filesystem::remove(f.file(stuck));
  CHECK(f.registry->collect(0)->blobs == 1);
}
