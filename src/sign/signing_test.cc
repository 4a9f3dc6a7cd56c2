#include "sign/signing.h"

#include <utility>

#include "registry/registry_fixture.h"
#include "sign/records.h"

namespace wharfage::sign {
namespace {

struct Fixture : registry::RegistryFixture {
  Fixture() : registry::RegistryFixture(schema()) {
    signing.start();
    queue.start();
  }
  ~Fixture() {
    queue.stop();
    events->stop();
  }
  void settle() {
    if (!std::exchange(started, true)) events->start();
    for (int round = 0; round < 3; ++round) {
      REQUIRE(events->wait_idle(60'000));
      REQUIRE(queue.wait_idle(60'000));
    }
  }
  void note(std::int64_t repository_id, const std::string& digest, const std::string& key = "k") {
    REQUIRE(base.db
                ->write([&](meta::Tx& tx) {
                  return records::put_signature(tx, repository_id,
                                                {.digest = digest,
                                                 .key_uuid = key,
                                                 .key_name = {},
                                                 .signature_digest = "s",
                                                 .execution_id = 1,
                                                 .signed_at = base.clock.now()});
                })
                .ok());
  }
  std::size_t noted(std::int64_t repository_id, const Digest& digest) {
    return signing.signatures_of(repository_id, digest.text())->size();
  }

  bool started = false;  // events: by the first settle()
  job::Queue queue{*base.db, base.clock, base.log(), {.sole_owner = true, .poll_ms = 20, .tick_ms = 20}};
  Signing signing{*registry, *base.ids, queue, base.vault, {.registry_host = "registry.example"}};
};

TEST_CASE_FIXTURE(Fixture, "that an image is signed is forgotten with the image, not with its tag") {
  registry::Repository app = repository("team/app");
  auto gone = push_image(app, "gone", {"1"}), kept = push_image(app, "kept", {"2"});
  note(app.id, gone.digest->text());
  note(app.id, gone.digest->text(), "another");
  note(app.id, kept.digest->text());
  REQUIRE(registry->delete_tag(app, "1").ok());
  settle();
  CHECK(noted(app.id, *gone.digest) == 2);
  base.clock.advance(1);
  REQUIRE(registry->delete_manifest(app, *gone.digest).ok());
  settle();
  CHECK(noted(app.id, *gone.digest) == 0);
  CHECK(noted(app.id, *kept.digest) == 1);
}

TEST_CASE_FIXTURE(Fixture, "a signature newer than the deletion stays") {
  registry::Repository app = repository("team/app");
  auto image = push_image(app, "one", {"1"});
  REQUIRE(registry->delete_manifest(app, *image.digest).ok());
  base.clock.advance(1);
  push_image(app, "one", {"1"});
  note(app.id, image.digest->text());
  settle();
  CHECK(noted(app.id, *image.digest) == 1);
}

TEST_CASE_FIXTURE(Fixture, "a deleted repository's signatures are forgotten in bounded steps") {
  registry::Repository app = repository("team/app"), other = repository("team/other");
  const int many = static_cast<int>(records::forget_batch) * 2 + 3;
  for (int i = 0; i < many; ++i) note(app.id, Digest::of(std::to_string(i)).text());
  note(other.id, Digest::of("0").text());
  REQUIRE(registry->delete_repository(app.id).ok());
  settle();
  CHECK(count("SELECT COUNT(*) FROM signatures WHERE repository_id = " + std::to_string(app.id)) == 0);
  CHECK(noted(other.id, Digest::of("0")) == 1);
}

}  // namespace
}  // namespace wharfage::sign
