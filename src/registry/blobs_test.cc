#include <mutex>

#include "base/limits.h"
#include "registry/registry_fixture.h"
#include "registry/threads_fixture.h"

using namespace wharfage;
using namespace wharfage::registry;

namespace {

constexpr TimeMs grace = hour_ms;

struct Blobs : RegistryFixture {
  std::mutex mutex;

  Registry& room() { return *registry; }

  Status upload(const Repository& to, const std::string& bytes) {
    TRY(std::string id, registry->begin_upload(to, who));
    TRY(auto writer, registry->open_upload(to, id, who, DigestAlgorithm::sha256));
    TRY_STATUS(writer->append(bytes));
    return registry->finish_upload(to, id, *writer, Digest::of(bytes));
  }
  std::string content(const Repository& of, const Digest& digest) {
    auto blob = registry->open_blob(of, digest);
    if (!blob.ok()) return outcome(blob);
    return blob->read(0, static_cast<std::size_t>(blob->size)).value_or("unreadable");
  }
  Registry::Collected collect(TimeMs unreferenced_for_ms = 0) {
    auto collected = registry->collect(unreferenced_for_ms);
    REQUIRE(collected.ok());
    return *collected;
  }
  // "0", "1", "2" or "-".
  std::string state(const Digest& digest) {
    auto row = base.db->read(
        [&](meta::Tx& tx) { return tx.first("SELECT state FROM blobs WHERE digest = $1", {digest.text()}); });
    return *row ? std::to_string((*row)->integer(0)) : "-";
  }
  bool stored(const Digest& digest) { return store->find_size(digest)->has_value(); }
};

}  // namespace

TEST_CASE("an upload becomes a blob of its repository only") {
  Blobs f;
  Repository app = f.repository("team/app"), other = f.repository("team/other");
  REQUIRE(f.upload(app, "bytes").ok());
  const Digest digest = Digest::of("bytes");
  CHECK(f.content(app, digest) == "bytes");
  CHECK(f.room().blob_size(app, digest).value() == 5);
  CHECK(f.content(other, digest) == "blob_unknown");
  CHECK(outcome(f.room().blob_size(other, digest)) == "blob_unknown");
  CHECK(f.upload(other, "bytes").ok());
  CHECK(f.content(other, digest) == "bytes");
  CHECK(f.upload(app, "").ok());
  CHECK(f.content(app, Digest::of("")) == "");
  CHECK(f.count("SELECT COUNT(*) FROM uploads") == 0);
}

TEST_CASE("an upload is its owner's, in its repository") {
  Blobs f;
  Repository app = f.repository("team/app"), other = f.repository("team/other");
  auto id = f.room().begin_upload(app, f.who);
  REQUIRE(id.ok());
  auth::Principal bob{.kind = auth::Principal::Kind::user, .id = 2, .name = "bob"};
  auth::Principal robot{.kind = auth::Principal::Kind::robot, .id = f.who.id, .name = "robot$x"};
  for (const auto& [where, who] : {std::pair(app, bob), std::pair(app, robot), std::pair(other, f.who)}) {
    CHECK(outcome(f.room().open_upload(where, *id, who, DigestAlgorithm::sha256)) == "upload_unknown");
    CHECK(outcome(f.room().upload_size(where, *id, who)) == "upload_unknown");
    CHECK(outcome(f.room().cancel_upload(where, *id, who)) == "upload_unknown");
  }
  for (const char* made_up : {"", "../../etc/passwd", "00000000-0000-4000-8000-000000000000"})
    CHECK(outcome(f.room().open_upload(app, made_up, f.who, DigestAlgorithm::sha256)) == "upload_unknown");
  {
    auto writer = f.room().open_upload(app, *id, f.who, DigestAlgorithm::sha256);
    REQUIRE(writer.ok());
    REQUIRE((*writer)->append("12345").ok());
    CHECK(outcome(f.room().finish_upload(other, *id, **writer, Digest::of("nope"))) == "digest_invalid");
    // A writer of this repository's upload cannot bring its bytes into another one.
    CHECK(outcome(f.room().finish_upload(other, *id, **writer, Digest::of("12345"))) == "upload_unknown");
  }
  CHECK(outcome(f.room().blob_size(other, Digest::of("12345"))) == "blob_unknown");
  CHECK(f.state(Digest::of("12345")) == "1");  // nobody's: collect() takes it
  f.collect();
  CHECK_FALSE(f.stored(Digest::of("12345")));
  REQUIRE(f.room().cancel_upload(app, *id, f.who).ok());
  CHECK(outcome(f.room().cancel_upload(app, *id, f.who)) == "upload_unknown");
}

TEST_CASE("mounting") {
  Blobs f;
  Repository app = f.repository("team/app"), other = f.repository("other/app"),
             third = f.repository("third/app");
  Digest digest = f.blob(app, "bytes");
  CHECK(f.room().mount_blob(other, third, digest).value() == false);
  CHECK(f.room().mount_blob(other, app, Digest::of("absent")).value() == false);
  CHECK(f.content(other, digest) == "blob_unknown");
  CHECK(f.room().mount_blob(other, app, digest).value() == true);
  CHECK(f.room().mount_blob(other, app, digest).value() == true);
  CHECK(f.content(other, digest) == "bytes");
  // From anywhere the caller may read.
  using Ids = std::vector<std::int64_t>;
  CHECK(f.room().mount_blob(third, Ids{}, digest).value() == false);
  CHECK(f.room().mount_blob(third, Ids{third.namespace_id}, digest).value() == false);
  CHECK(f.room().mount_blob(third, Ids{third.namespace_id, other.namespace_id}, digest).value() == true);
  Repository fourth = f.repository("fourth/app");
  CHECK(f.room().mount_blob(fourth, std::nullopt, digest).value() == true);
  Repository fifth = f.repository("fifth/app");
  REQUIRE(f.room().update_repository(app.id, {.is_public = true}).ok());
  CHECK(f.room().mount_blob(fifth, Ids{}, digest).value() == true);
  REQUIRE(f.room().delete_repository(fifth.id).ok());
  CHECK(outcome(f.room().mount_blob(fifth, app, digest)) == "repository_unknown");
  CHECK(outcome(f.room().mount_blob(app, fifth, digest)) == "repository_unknown");
}

TEST_CASE("deleting a blob") {
  Blobs f;
  Repository app = f.repository("team/app");
  Manifest image = f.push_image(app, "one", {"1"});
  const Digest layer = Digest::of("layer of one");
  CHECK(outcome(f.room().delete_blob(app, Digest::of("x"))) == "blob_unknown");
  CHECK(outcome(f.room().delete_blob(app, layer)) == "conflict");
  REQUIRE(f.room().delete_manifest(app, *image.digest).ok());
  CHECK(f.content(app, layer) == "layer of one");
  REQUIRE(f.room().delete_blob(app, layer).ok());
  CHECK(f.content(app, layer) == "blob_unknown");
  CHECK(outcome(f.room().delete_blob(app, layer)) == "blob_unknown");
  CHECK(f.state(layer) == "1");
  CHECK(f.collect().blobs >= 1);
  CHECK(f.state(layer) == "-");
  CHECK_FALSE(f.stored(layer));
}

TEST_CASE("what no manifest needs goes after the grace period, what is shared stays") {
  Blobs f;
  Repository app = f.repository("team/app"), other = f.repository("team/other");
  Manifest image = f.push_image(app, "one", {"1"});
  const Digest layer = Digest::of("layer of one"), config = *image.config;
  REQUIRE(f.room().mount_blob(other, app, layer).value());
  f.base.clock.advance(10 * grace);
  CHECK(f.collect(grace).blobs == 0);  // other's link had no manifest for too long, app's has one
  CHECK(f.content(other, layer) == "blob_unknown");
  CHECK(f.content(app, layer) == "layer of one");

  REQUIRE(f.room().delete_manifest(app, *image.digest).ok());
  f.base.clock.advance(grace - 1);
  CHECK(f.collect(grace).blobs == 0);
  CHECK(f.room().blob_size(app, layer).ok());  // somebody asks: it starts again for this one
  f.base.clock.advance(1);
  auto collected = f.collect(grace);
  CHECK(f.state(config) == "-");
  CHECK_FALSE(f.stored(config));
  CHECK(collected.blobs == 1);
  CHECK(collected.bytes == f.push_image(f.repository("x/y"), "one", {"1"}).total_size - image.size - 12);
  CHECK(f.content(app, layer) == "layer of one");
  f.base.clock.advance(grace);
  f.collect(grace);
  CHECK(f.content(app, layer) == "blob_unknown");
}

TEST_CASE("a blob on its way out comes back with a push") {
  for (bool collected : {false, true}) {
    CAPTURE(collected);
    Blobs f;
    Repository app = f.repository("team/app");
    REQUIRE(f.upload(app, "bytes").ok());
    const Digest digest = Digest::of("bytes");
    REQUIRE(f.room().delete_blob(app, digest).ok());
    if (collected) f.collect(grace);
    CHECK(f.stored(digest) != collected);
    REQUIRE(f.upload(app, "bytes").ok());
    CHECK(f.state(digest) == "0");
    CHECK(f.content(app, digest) == "bytes");
    f.base.clock.advance(grace / 2);
    f.collect(grace);
    CHECK(f.content(app, digest) == "bytes");
    CHECK(f.room().usage()->blobs == 1);
    CHECK(f.room().usage()->bytes == 5);
  }
}

TEST_CASE("the bytes of a deleted repository go in bounded steps") {
  Blobs f;
  Repository app = f.repository("team/app"), other = f.repository("team/other");
  const std::string config = descriptor(f.blob(app, "{}"), 2, oci_config);
  f.blob(app, "only here");
  std::vector<std::string> children;
  in_threads(300, [&](int number) {
    std::string bytes = image_json(config, {}, fmt::format(R"(,"annotations":{{"n":"{}"}})", number));
    auto pushed = f.push(app, bytes, {fmt::format("t{}", number), fmt::format("u{}", number)});
    std::lock_guard lock(f.mutex);
    children.push_back(descriptor(*pushed->manifest.digest, bytes.size(), oci_manifest));
  });
  REQUIRE(f.push(app, index_json(children), {"all"}, oci_index).ok());
  f.push_image(other, "7", {"kept"});
  REQUIRE(f.room().begin_upload(app, f.who).ok());
  Manifest pulled = *f.room().get_manifest(app, "t1");
  f.room().count_pull(app, pulled);
  REQUIRE(f.room().fold_pulls().ok());

  REQUIRE(f.room().delete_repository(app.id).ok());
  CHECK(outcome(f.room().get_manifest(pulled.id)) == "manifest_unknown");
  int rounds = 0;
  while (f.collect(0).more) ++rounds;
  CHECK(rounds > 0);
  for (const char* table : {"manifests", "manifest_bytes", "manifest_blobs", "manifest_absent_blobs",
                            "manifest_children", "tags", "repository_blobs", "uploads", "manifest_pulls"}) {
    CAPTURE(table);
    CHECK(f.count(fmt::format("SELECT COUNT(*) FROM {} WHERE 1 = 1", table)) <= 2);
  }
  CHECK(f.count("SELECT COUNT(*) FROM repositories") == 1);
  CHECK(f.count("SELECT COUNT(*) FROM blobs") == 2);
  CHECK(f.store->uploads()->empty());
  CHECK(f.content(other, Digest::of("layer of 7")) == "layer of 7");
  CHECK_FALSE(f.stored(Digest::of("only here")));
  for (int folded = 0; folded < 2; ++folded) {
    auto usage = f.room().usage();
    CHECK(usage->repositories == 1);
    CHECK(usage->tags == 1);
    CHECK(usage->manifests == 1);
    CHECK(usage->blobs == 2);
    CHECK(usage->bytes == f.count("SELECT SUM(size) FROM blobs"));
    REQUIRE(f.room().fold_pulls().ok());
  }
}
