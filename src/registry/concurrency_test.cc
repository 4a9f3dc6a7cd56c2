// Invariant 1 under fire: threads push, mount, delete and collect over the same few blobs, so that bytes are
// doomed, removed and needed again all the time. Whatever was acknowledged and not deleted by its own
// pusher must be there byte for byte; and when everything has been deleted, nothing may be left. Four seeds,
// or as many as WHARFAGE_SEEDS says, from WHARFAGE_FIRST_SEED on.
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <thread>

#include "registry/inspection.h"
#include "registry/registry_fixture.h"

using namespace wharfage;
using namespace wharfage::registry;

namespace {

constexpr int threads = 6;
constexpr int steps = 60;
constexpr int seeds = 4;
constexpr int pool = 40;      // different blobs: few enough to be needed again, too many to be always in use
constexpr TimeMs grace = 40;  // in steps: each moves the clock by one

class StepClock final : public Clock {
 public:
  TimeMs now() const override { return x_now; }
  void advance(TimeMs by) { x_now += by; }

 private:
  std::atomic<TimeMs> x_now{SystemClock().now()};  // uploads carry the machine's time
};

std::string content(int number) {
  std::string text = "blob " + std::to_string(number) + " ";
  for (int i = 0; i < number % 10; ++i) text += text.substr(0, 4096);
  return text;
}

struct Kept {
  Repository repository;
  std::string manifest, tag;
};

struct Doubts final : Follower {
  Status alive() override { return {}; }
  void found(Finding finding) override {
    text += finding.fault + " " + finding.place + " " + finding.subject + ": " + finding.detail + "\n";
  }
  void counted(std::string_view, std::int64_t) override {}
  Status reached(const Digest&) override { return {}; }
  std::string text;
};

int number_from(const char* variable, int otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::atoi(text) : otherwise;
}

struct World {
  explicit World(unsigned seed) : x_seed(seed) {
    open();
    REQUIRE(registry->create_namespace({.name = "team"}).ok());
    for (const char* name : {"a", "b", "c"})
      repositories.push_back(*registry->ensure_repository({"team", name}));
  }
  void open() {
    registry.reset();
    registry = std::make_unique<Registry>(*base.db, *base.ids, *store, events, clock, base.log());
  }
  void run();
  void verify();
  void inspect();
  void collect_all();
  void clear();

  unsigned x_seed;
  StepClock clock;
  auth::AuthFixture base{with_registry_schemas()};
  std::unique_ptr<blob::Store> store = *blob::Store::open(base.folder.path("data"));
  job::Events events{*base.db, base.clock, base.log()};
  std::unique_ptr<Registry> registry;
  std::vector<Repository> repositories;
  std::mutex mutex;
  std::vector<Kept> kept;
  std::atomic<int> acknowledged{0}, refused{0}, deleted{0}, mounted{0};
  std::atomic<std::int64_t> reclaimed{0};
};

// One client.
class Client {
 public:
  Client(World& world, int number)
      : x_world(world), x_number(number), x_random(world.x_seed * 1000 + static_cast<unsigned>(number)) {
    x_who = {.kind = auth::Principal::Kind::user, .id = number + 1, .name = "client"};
  }

  void run() {
    for (int step = 0; step < steps; ++step) {
      x_world.clock.advance(1);
      int dice = below(10);
      if (dice < 4) push(step);
      if (dice >= 4 && dice < 8) remove_own();
      if (dice == 8 && below(2) == 0) remove_own_tag();
      if (dice == 8) remove_some_blob();
      if (dice == 9) renew_shared(step);
    }
    std::lock_guard lock(x_world.mutex);
    for (auto& one : x_kept) x_world.kept.push_back(std::move(one));
  }

 private:
  int below(int bound) { return static_cast<int>(x_random() % static_cast<unsigned>(bound)); }
  Repository& some_repository() { return x_world.repositories[static_cast<std::size_t>(below(3))]; }

  Status bring(const Repository& to, int number, bool trust) {
    const std::string bytes = content(number);
    const Digest digest = Digest::of(bytes);
    if (trust && x_world.registry->blob_size(to, digest).ok()) return {};
    if (trust && below(2) == 0) {
      TRY(bool mounted, below(2) == 0 ? x_world.registry->mount_blob(to, some_repository(), digest)
                                      : x_world.registry->mount_blob(to, std::nullopt, digest));
      x_world.mounted += mounted ? 1 : 0;
      if (mounted) return {};
    }
    if (below(4) == 0) {
      TRY_STATUS(x_world.registry->put_blob(to, bytes));
      return {};
    }
    TRY(std::string id, x_world.registry->begin_upload(to, x_who));
    TRY(auto writer, x_world.registry->open_upload(to, id, x_who, DigestAlgorithm::sha256));
    TRY_STATUS(writer->append(bytes));
    return x_world.registry->finish_upload(to, id, *writer, digest);
  }

  Status try_push(const Repository& to, const std::string& manifest, const std::vector<int>& blobs,
                  bool trust, const std::string& tag) {
    for (int number : blobs) TRY_STATUS(bring(to, number, trust));
    ManifestPush push{.bytes = manifest, .media_type = oci_manifest, .tags = {tag}, .event_origin = "push"};
    TRY_STATUS(x_world.registry->put_manifest(to, push, x_who));
    return {};
  }

  std::string manifest_of(const std::vector<int>& blobs, int step) {
    auto part = [](int number) {
      return descriptor(Digest::of(content(number)), content(number).size(), oci_layer);
    };
    std::vector<std::string> layers;
    for (std::size_t i = 1; i < blobs.size(); ++i) layers.push_back(part(blobs[i]));
    return image_json(part(blobs[0]), layers,
                      fmt::format(R"(,"annotations":{{"made":"{}/{}"}})", x_number, step));
  }

  void push(int step) {
    std::vector<int> blobs{below(pool), below(pool), below(pool)};
    Repository to = some_repository();
    std::string manifest = manifest_of(blobs, step), tag = fmt::format("{}-{}", x_number, step);
    for (int attempt = 0; attempt < 10; ++attempt) {
      Status pushed = try_push(to, manifest, blobs, attempt == 0, tag);
      if (pushed.ok()) {
        ++x_world.acknowledged;
        x_kept.push_back({to, manifest, tag});
        return;
      }
      // Only this may happen: a blob without a manifest was collected before the manifest came.
      CHECK(outcome(pushed) == "manifest_blob_unknown");
    }
    ++x_world.refused;
  }

  void remove_own() {
    if (x_kept.empty()) return;
    auto chosen = x_kept.begin() + below(static_cast<int>(x_kept.size()));
    CHECK(outcome(x_world.registry->delete_manifest(chosen->repository, Digest::of(chosen->manifest))) ==
          "ok");
    ++x_world.deleted;
    x_kept.erase(chosen);
  }

  // The image stays, by its digest.
  void remove_own_tag() {
    if (x_kept.empty()) return;
    auto& chosen = x_kept[static_cast<std::size_t>(below(static_cast<int>(x_kept.size())))];
    if (chosen.tag.empty()) return;
    CHECK(outcome(x_world.registry->delete_tag(chosen.repository, chosen.tag)) == "ok");
    chosen.tag.clear();
  }

  void remove_some_blob() {
    std::string told =
        outcome(x_world.registry->delete_blob(some_repository(), Digest::of(content(below(pool)))));
    CHECK((told == "ok" || told == "conflict" || told == "blob_unknown"));
  }

  // A repository everybody fills and deletes: its images are nobody's.
  void renew_shared(int step) {
    auto shared = x_world.registry->ensure_repository({"team", "shared"});
    if (!shared.ok()) return;
    std::vector<int> blobs{below(pool), below(pool)};
    (void)try_push(*shared, manifest_of(blobs, step), blobs, true, "latest");
    if (below(3) == 0) (void)x_world.registry->delete_repository(shared->id);
  }

  World& x_world;
  const int x_number;
  std::mt19937 x_random;
  auth::Principal x_who;
  std::vector<Kept> x_kept;
};

void World::run() {
  std::atomic<bool> done{false};
  std::thread collector([&] {
    while (!done) {
      clock.advance(grace / 4);
      auto collected = registry->collect(grace);
      CHECK(outcome(collected) == "ok");
      if (collected.ok()) reclaimed += collected->bytes;
      CHECK(outcome(registry->fold_pulls()) == "ok");
    }
  });
  std::vector<std::thread> running;
  for (int number = 0; number < threads; ++number)
    running.emplace_back([this, number] { Client(*this, number).run(); });
  for (auto& thread : running) thread.join();
  done = true;
  collector.join();
}

void World::verify() {
  for (const auto& [repository, manifest, tag] : kept) {
    auto pulled = registry->get_manifest(repository, Digest::of(manifest).text());
    REQUIRE(pulled.ok());
    CHECK(pulled->bytes == manifest);
    if (!tag.empty()) CHECK(registry->get_tag(repository, tag)->manifest.digest == pulled->digest);
    for (int number = 0; number < pool; ++number) {
      const std::string bytes = content(number);
      const Digest digest = Digest::of(bytes);
      if (manifest.find(digest.text()) == manifest.npos) continue;
      auto blob = registry->open_blob(repository, digest);
      REQUIRE(blob.ok());
      CHECK(blob->read(0, bytes.size() + 1).value() == bytes);
    }
  }
}

// Rows, files and figures agree, and every byte is what its name says.
void World::inspect() {
  Doubts doubts;
  CHECK(outcome(registry->check(false, 0, doubts)) == "ok");
  CHECK(outcome(registry->scrub({}, doubts)) == "ok");
  CHECK(doubts.text == "");
}

// One call takes a bounded number of steps.
void World::collect_all() {
  constexpr int calls_max = 1000;
  for (int calls = 0; calls < calls_max; ++calls) {
    auto collected = registry->collect(0);
    REQUIRE(collected.ok());
    if (!collected->more) return;
  }
  FAIL("collecting does not come to an end");
}

// Deletes all, and looks for leftovers.
void World::clear() {
  for (const auto& one : kept)
    CHECK(outcome(registry->delete_manifest(one.repository, Digest::of(one.manifest))) == "ok");
  if (auto shared = registry->find_repository({"team", "shared"}); shared.ok())
    CHECK(outcome(registry->delete_repository(shared->id)) == "ok");
  for (int i = 0; i < 4; ++i) collect_all();
  for (int number = 0; number < pool; ++number)
    CHECK_FALSE(store->find_size(Digest::of(content(number)))->has_value());
  CHECK(store->uploads()->empty());
  auto usage = registry->usage();
  CHECK(usage->blobs == 0);
  CHECK(usage->bytes == 0);
  CHECK(usage->tags == 0);
  CHECK(usage->manifests == 0);
  CHECK(usage->repositories == 3);
  for (const char* area : {"blobs", "uploads", "quarantine"}) {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(base.folder.path("data/" + std::string(area))))
      CHECK_FALSE(entry.is_regular_file());
  }
  auto rows = base.db->read([](meta::Tx& tx) { return tx.first("SELECT COUNT(*) FROM blobs"); });
  CHECK((*rows)->integer(0) == 0);
}

}  // namespace

TEST_CASE("no interleaving of pushes, deletions and collections loses an acknowledged image") {
  const int first = number_from("WHARFAGE_FIRST_SEED", 1), many = number_from("WHARFAGE_SEEDS", seeds);
  int acknowledged = 0, refused = 0, deleted = 0, mounted = 0;
  std::int64_t reclaimed = 0;
  for (int seed = first; seed < first + many; ++seed) {
    CAPTURE(seed);
    World world(static_cast<unsigned>(seed));
    world.run();
    world.verify();
    world.open();  // nothing of it lived in memory
    world.clock.advance(10 * minute_ms);
    REQUIRE(world.registry->collect(grace).ok());
    world.verify();
    world.inspect();
    world.clear();
    world.inspect();
    acknowledged += world.acknowledged;
    refused += world.refused;
    deleted += world.deleted;
    mounted += world.mounted;
    reclaimed += world.reclaimed;
  }
  MESSAGE(acknowledged, " pushes acknowledged, ", refused, " given up, ", deleted, " deleted, ", mounted,
          " mounts, ", reclaimed, " bytes reclaimed meanwhile");
  CHECK(acknowledged > many * threads);
  CHECK(reclaimed > 0);
}
