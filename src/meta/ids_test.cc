#include <doctest/doctest.h>

#include <mutex>
#include <set>
#include <thread>

#include "base/limits.h"
#include "base/test_folder.h"
#include "meta/db.h"

namespace wharfage::meta {
namespace {

struct Fixture {
  TestFolder folder;
  std::unique_ptr<Db> db = open();

  std::unique_ptr<Db> open() {
    auto opened = open_sqlite(folder.path("meta.db"));
    REQUIRE(opened.ok());
    REQUIRE(migrate(**opened, {}).ok());
    return std::move(opened).value();
  }
};

TEST_CASE_FIXTURE(Fixture, "ids start at 1, per kind") {
  Ids ids(*db);
  CHECK(ids.next("repository").value() == 1);
  CHECK(ids.next("repository").value() == 2);
  CHECK(ids.next("tag").value() == 1);
}

TEST_CASE_FIXTURE(Fixture, "ids are unique over threads, generators and restarts") {
  constexpr int threads = 8, each = 300;
  std::mutex mutex;
  std::set<std::int64_t> seen;
  for (int start = 0; start < 2; ++start) {
    Ids shared(*db), other(*db);
    std::vector<std::thread> takers;
    for (int t = 0; t < threads; ++t) {
      takers.emplace_back([&, t] {
        for (int i = 0; i < each; ++i) {
          auto id = (t % 2 == 0 ? shared : other).next("repository");
          std::lock_guard lock(mutex);
          if (id.ok()) seen.insert(*id);
        }
      });
    }
    for (auto& taker : takers) taker.join();
    db.reset();
    db = open();
  }
  CHECK(seen.size() == 2 * threads * each);
  CHECK(*seen.begin() == 1);
}

TEST_CASE_FIXTURE(Fixture, "ids end below 2^31") {
  auto near_the_end = db->write([](Tx& tx) {
    return tx.execute("INSERT INTO id_blocks (kind, next_id) VALUES ('repository', $1)",
                      {limits::id_max + 1 - limits::id_block});
  });
  REQUIRE(near_the_end.ok());
  Ids ids(*db);
  std::int64_t last = 0;
  for (int i = 0; i < limits::id_block; ++i) last = ids.next("repository").value();
  CHECK(last == limits::id_max);
  for (int i = 0; i < 2; ++i) {
    auto refused = ids.next("repository");
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().reason == Reason::quota_exceeded);
  }
}

}  // namespace
}  // namespace wharfage::meta
