// How long reclaiming takes and what pushes feel of it. Skipped unless WHARFAGE_BENCH_MANIFESTS says how many
// images a repository holds when it is deleted:
//   WHARFAGE_BENCH_MANIFESTS=250000 build/release/src/registry_test -ns -tc="*while others push*"
// WHARFAGE_BENCH_PUSHERS: how many threads push meanwhile (4).
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "registry/registry_fixture.h"

using namespace wharfage;
using namespace wharfage::registry;

namespace {

int number_from(const char* variable, int otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::atoi(text) : otherwise;
}

constexpr int shared_layers = 1000;
constexpr int rows_per_transaction = 2000;
constexpr std::int64_t baseline_ms = 5'000;
constexpr TimeMs grace_ms = 2'000;  // a push needs less between its blobs and its manifest

struct Bench {
  SystemClock clock;
  auth::AuthFixture base{with_registry_schemas()};
  std::unique_ptr<blob::Store> store = *blob::Store::open(base.folder.path("data"));
  job::Events events{*base.db, clock, base.log()};
  Registry registry{*base.db, *base.ids, *store, events, clock, base.log()};
  auth::Principal who = auth::Principal::system();
  Repository full, busy;
  std::atomic<std::int64_t> pushed{0}, slowest{0};
  std::atomic<bool> done{false};

  Bench() {
    REQUIRE(registry.create_namespace({.name = "team"}).ok());
    full = *registry.ensure_repository({"team", "full"});
    busy = *registry.ensure_repository({"team", "busy"});
  }

  // As if `bytes` had been pushed, without waiting for the disk.
  Status blob(meta::Tx& tx, const std::string& bytes) {
    Digest digest = Digest::of(bytes);
    std::string hex(digest.hex()), shelf = base.folder.path("data/blobs/sha256/" + hex.substr(0, 2));
    std::filesystem::create_directories(shelf);
    std::ofstream(shelf + "/" + hex) << bytes;
    auto size = static_cast<std::int64_t>(bytes.size());
    TRY_STATUS(tx.execute("INSERT INTO blobs (digest, size, state, changed_at) VALUES ($1, $2, 0, 0)",
                          {digest.text(), size}));
    TRY_STATUS(
        tx.execute("INSERT INTO repository_blobs (repository_id, digest, linked_at, loose_since) "
                   "VALUES ($1, $2, 0, NULL)",
                   {full.id, digest.text()}));
    TRY_STATUS(tx.execute("INSERT INTO registry_changes VALUES (0, 0, 0, 0, 0, 0, 0, 1, $1)", {size}));
    return {};
  }
  // An image of its own config and one of the shared layers, with a tag.
  Status image(meta::Tx& tx, int number) {
    std::string config = "config " + std::to_string(number),
                layer = "layer " + std::to_string(number % shared_layers);
    TRY_STATUS(blob(tx, config));
    std::string bytes = image_json(descriptor(Digest::of(config), config.size(), oci_config),
                                   {descriptor(Digest::of(layer), layer.size(), oci_layer)});
    std::int64_t id = 1'000'000 + number;
    TRY_STATUS(
        tx.execute("INSERT INTO manifests (id, repository_id, digest, media_type, artifact_type, size, "
                   "total_size, is_accessory, pushed_at) VALUES ($1, $2, $3, $4, '', $5, $5, 0, 0)",
                   {id, full.id, Digest::of(bytes).text(), oci_manifest, std::int64_t(bytes.size())}));
    TRY_STATUS(tx.execute("INSERT INTO manifest_bytes VALUES ($1, $2)", {id, meta::Bytes{bytes}}));
    TRY_STATUS(
        tx.execute("INSERT INTO tags (id, repository_id, name, manifest_id, is_accessory, created_at, "
                   "updated_at) VALUES ($1, $2, $3, $1, 0, 0, 0)",
                   {id, full.id, "t" + std::to_string(number)}));
    for (const auto& part : {config, layer}) {
      TRY_STATUS(tx.execute("INSERT INTO manifest_blobs VALUES ($1, $2, $3)",
                            {id, full.id, Digest::of(part).text()}));
    }
    TRY_STATUS(tx.execute("INSERT INTO registry_changes VALUES ($1, 0, 1, 0, 1, 0, 0, 0, 0)", {full.id}));
    return {};
  }
  void fill(int many) {
    REQUIRE(base.db
                ->write([&](meta::Tx& tx) -> Status {
                  for (int i = 0; i < shared_layers; ++i) TRY_STATUS(blob(tx, "layer " + std::to_string(i)));
                  return {};
                })
                .ok());
    for (int from = 0; from < many; from += rows_per_transaction) {
      REQUIRE(base.db
                  ->write([&](meta::Tx& tx) -> Status {
                    for (int i = from; i < std::min(many, from + rows_per_transaction); ++i)
                      TRY_STATUS(image(tx, i));
                    return {};
                  })
                  .ok());
    }
    while (registry.fold_pulls().ok() && count("SELECT COUNT(*) FROM registry_changes") > 0) {
    }
  }
  std::int64_t count(std::string_view sql) {
    return (*base.db->read([&](meta::Tx& tx) { return tx.first(sql); }))->integer(0);
  }
  Status push(int pusher, int number) {
    std::string seed = std::to_string(pusher) + "/" + std::to_string(number), layer(4096, 'l');
    layer += seed;
    TRY(std::string id, registry.begin_upload(busy, who));
    TRY(auto writer, registry.open_upload(busy, id, who, DigestAlgorithm::sha256));
    TRY_STATUS(writer->append(layer));
    TRY_STATUS(registry.finish_upload(busy, id, *writer, Digest::of(layer)));
    std::string config = "config of " + seed;
    TRY_STATUS(registry.put_blob(busy, config));
    ManifestPush wanted{.bytes = image_json(descriptor(Digest::of(config), config.size(), oci_config),
                                            {descriptor(Digest::of(layer), layer.size(), oci_layer)}),
                        .media_type = oci_manifest,
                        .tags = {"p" + std::to_string(pusher)},
                        .event_origin = "push"};
    TRY_STATUS(registry.put_manifest(busy, wanted, who));
    return {};
  }
  void keep_pushing(int pusher) {
    for (int number = 0; !done; ++number) {
      std::int64_t begun = monotonic_ms();
      if (!push(pusher, number).ok()) continue;
      ++pushed;
      std::int64_t took = monotonic_ms() - begun, slow = slowest;
      while (took > slow && !slowest.compare_exchange_weak(slow, took)) {
      }
    }
  }
  double rate(std::int64_t images, std::int64_t ms) {
    return static_cast<double>(images) * 1000 / static_cast<double>(ms);
  }
};

}  // namespace

TEST_CASE("a large repository is collected while others push" * doctest::skip()) {
  const int many = number_from("WHARFAGE_BENCH_MANIFESTS", 2000);
  const int pushers = number_from("WHARFAGE_BENCH_PUSHERS", 4);
  Bench bench;
  std::int64_t begun = monotonic_ms();
  bench.fill(many);
  MESSAGE(many, " images made in ", monotonic_ms() - begun, " ms");

  std::vector<std::thread> threads;
  for (int i = 0; i < pushers; ++i) threads.emplace_back([&bench, i] { bench.keep_pushing(i); });
  begun = monotonic_ms();
  while (monotonic_ms() - begun < baseline_ms) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const double alone = bench.rate(bench.pushed.exchange(0), monotonic_ms() - begun);
  const std::int64_t slowest_alone = bench.slowest.exchange(0);

  REQUIRE(bench.registry.delete_repository(bench.full.id).ok());
  begun = monotonic_ms();
  std::int64_t blobs = 0, bytes = 0;
  for (bool more = true; more;) {
    auto collected = bench.registry.collect(grace_ms);
    REQUIRE(collected.ok());
    blobs += collected->blobs;
    bytes += collected->bytes;
    more = collected->more;
  }
  const std::int64_t took = monotonic_ms() - begun;
  const double beside = bench.rate(bench.pushed, took);
  bench.done = true;
  for (auto& thread : threads) thread.join();
  MESSAGE(blobs, " blobs, ", bytes, " bytes reclaimed in ", took, " ms; pushes/s alone ", alone, " (slowest ",
          slowest_alone, " ms), beside ", beside, " (slowest ", bench.slowest.load(),
          " ms): ", 100 * beside / alone, " %");
  CHECK(bench.count("SELECT COUNT(*) FROM manifests WHERE id >= 1000000 AND id < 2000000") == 0);
}
