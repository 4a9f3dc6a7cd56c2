#include "sign/signer.h"

#include <atomic>
#include <thread>

#include "base/text.h"
#include "registry/registry_fixture.h"
#include "registry/stop_fixture.h"
#include "sign/cosign.h"

namespace wharfage::sign {
namespace {

using registry::Registry;

constexpr const char* host = "registry.example";

struct Fixture : registry::RegistryFixture {
  registry::Stop stop;
  registry::StoppedDb stopped{*base.db, stop};
  Registry other{stopped, *base.ids, *store, *events, base.clock, base.log()};  // another node
  registry::Repository app = repository("team/app");
  Digest image = *push_image(app, "one", {"1"}).digest;
  std::string tag = signature_tag(image);

  crypto::EcdsaKey key() { return *crypto::EcdsaKey::generate(); }
  Result<std::string> sign(Registry& node, const crypto::EcdsaKey& with) {
    return sign_image(node, app, image.text(), with, host);
  }
  // How many of the signatures that the tag holds are this key's.
  int signatures_by(const crypto::EcdsaKey& key) {
    restart();  // with a cache of its own
    auto manifest = registry->get_manifest(app, tag);
    REQUIRE(manifest.ok());
    auto layers = read_signatures(manifest->bytes);
    REQUIRE(layers.ok());
    std::string payload = signature_payload(std::string(host) + "/team/app", image);
    int count = 0;
    for (const auto& layer : *layers) {
      CHECK(layer.payload == Digest::of(payload));
      count += *crypto::ecdsa_verify(key.public_pem(), payload, *unbase64(layer.signature)) ? 1 : 0;
    }
    return count;
  }
};

TEST_CASE_FIXTURE(Fixture, "a second key appends, the same key does not") {
  auto first = key(), second = key();
  REQUIRE(sign(*registry, first).ok());
  auto both = sign(*registry, second);
  REQUIRE(both.ok());
  CHECK(sign(*registry, first).value() == *both);
  CHECK(signatures_by(first) == 1);
  CHECK(signatures_by(second) == 1);
  CHECK(registry->referrers(app, image, "", 0)->back().digest->text() == *both);
}

TEST_CASE_FIXTURE(Fixture, "a signature that comes in between is kept, whenever it comes") {
  auto before = key();
  REQUIRE(sign(*registry, before).ok());
  bool finished = false;
  int at = 1;
  for (; !finished; ++at) {
    CAPTURE(at);
    auto mine = key(), theirs = key();
    finished = true;
    stop = {at, 0, [&] {
              finished = false;
              REQUIRE(registry::outcome(sign(*registry, theirs)) == "ok");
            }};
    REQUIRE(registry::outcome(sign(other, mine)) == "ok");
    CHECK(signatures_by(mine) == 1);
    CHECK(signatures_by(theirs) == (finished ? 0 : 1));
    CHECK(signatures_by(before) == 1);
    stop = {};
  }
  CHECK(at > 5);
}

TEST_CASE_FIXTURE(Fixture, "a signature tag that is deleted in between is begun anew") {
  auto first = key();
  bool finished = false;
  for (int at = 1; !finished; ++at) {
    CAPTURE(at);
    REQUIRE(sign(*registry, first).ok());
    auto mine = key();
    finished = true;
    stop = {at, 0, [&] {
              finished = false;
              auto held = registry->get_manifest(app, tag);
              REQUIRE(held.ok());
              REQUIRE(registry->delete_manifest(app, *held->digest).ok());
              REQUIRE(registry->collect(0).ok());
            }};
    auto written = sign(other, mine);
    CHECK(registry::outcome(written) == "ok");
    CHECK(signatures_by(mine) == 1);
    stop = {};
  }
}

TEST_CASE_FIXTURE(Fixture, "many keys at once") {
  constexpr int writers = 6;
  std::vector<crypto::EcdsaKey> keys;
  for (int i = 0; i < writers; ++i) keys.push_back(key());
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < writers; ++i) {
    threads.emplace_back([&, i] {
      if (!sign(*registry, keys[static_cast<std::size_t>(i)]).ok()) ++failed;
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(failed == 0);
  for (const auto& one : keys) CHECK(signatures_by(one) == 1);
}

TEST_CASE_FIXTURE(Fixture,
                  "a tag that always moves ends the attempts, and one that holds no signatures stays") {
  int visits = 0;
  struct Restless final : meta::Db {
    meta::Db& db;
    std::function<void()> before_write;
    explicit Restless(meta::Db& to) : db(to) {}
    Status backup(const std::string& file) override { return db.backup(file); }
    Status ping() override { return db.ping(); }
    Status write_any(const Work& work) override {
      before_write();
      return db.write(work);
    }
    Status read_any(const Work& work) override { return db.read(work); }
  } restless(*base.db);
  restless.before_write = [&] {
    ++visits;
    CHECK(registry::outcome(sign(*registry, key())) == "ok");
  };
  Registry node(restless, *base.ids, *store, *events, base.clock, base.log());
  CHECK(registry::outcome(sign(node, key())) == "conflict");
  CHECK(visits >= sign_attempts_max);
  CHECK(visits < 10 * sign_attempts_max);
  restless.before_write = [] {};

  auto plain = push_image(app, "no signature", {tag});
  CHECK(registry::outcome(sign(*registry, key())) == "manifest_invalid");
  CHECK(registry->get_tag(app, tag)->manifest.digest == plain.digest);
}

}  // namespace
}  // namespace wharfage::sign
