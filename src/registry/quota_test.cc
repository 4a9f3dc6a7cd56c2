#include "base/limits.h"
#include "registry/policies.h"
#include "registry/registry_fixture.h"
#include "registry/upload_bytes.h"

using namespace wharfage;
using namespace wharfage::registry;

namespace {

struct World : RegistryFixture {
  explicit World(TimeMs grace = 0) : RegistryFixture({}, {.delete_grace_ms = grace}) {}
  void limit(const Repository& of, const Quota& quota) {
    REQUIRE(policies.set_quota(of.namespace_id, quota, who).ok());
  }
  NamespaceUsage usage(const Repository& of) { return *policies.usage(of.namespace_id); }
  void empty_all() {
    for (int round = 0; round < 20; ++round) REQUIRE(registry->collect(0).ok());
  }
  Policies policies{*registry, *base.ids};
};

constexpr TimeMs abandoned = 5 * 60 * 1000;

}  // namespace

TEST_CASE("what a namespace holds: every blob once, tags without those of accessories") {
  World w;
  Repository app = w.repository("team/app"), web = w.repository("team/web"),
             other = w.repository("other/app");
  std::string bytes(1000, 'x');
  w.blob(app, bytes);
  w.blob(app, bytes);
  w.blob(web, bytes);
  w.blob(other, bytes);
  CHECK(w.usage(app).bytes == 1000);
  CHECK(w.usage(app).blobs == 1);
  CHECK(w.usage(other).bytes == 1000);
  CHECK(w.usage(app).repositories == 2);
  auto image = w.push_image(app, "one", {"1", "2", "sha256-" + std::string(64, 'a') + ".sig"});
  CHECK(w.usage(app).tags == 2);
  auto before = w.usage(app);
  REQUIRE(w.policies.fold_usage().ok());
  CHECK(w.count("SELECT COUNT(*) FROM namespace_changes") == 0);
  CHECK(w.usage(app).bytes == before.bytes);
  CHECK(w.usage(app).tags == 2);

  REQUIRE(w.registry->delete_tag(app, "1").ok());
  CHECK(w.usage(app).tags == 1);
  REQUIRE(w.registry->delete_manifest(app, *image.digest).ok());
  CHECK(w.usage(app).tags == 0);
  w.base.clock.advance(1000);
  w.empty_all();
  CHECK(w.usage(app).bytes == 0);
  CHECK(w.usage(app).blobs == 0);
}

TEST_CASE("manifests count with their own bytes, until they are purged") {
  World w(day_ms);
  Repository app = w.repository("team/app"), web = w.repository("team/web");
  std::string image = w.image(app, "one", R"(,"annotations":{"a":")" + std::string(4000, 'x') + "\"}");
  auto blobs = w.usage(app).bytes;
  auto size = static_cast<std::int64_t>(image.size());
  auto pushed = w.push(app, image, {"1"});
  REQUIRE(pushed.ok());
  CHECK(w.usage(app).bytes == blobs + size);
  REQUIRE(w.push(app, image, {"2"}).ok());  // the same again
  CHECK(w.usage(app).bytes == blobs + size);
  CHECK(w.registry->usage()->bytes == blobs);  // of the store: its blobs
  REQUIRE(w.registry->fold_pulls().ok());
  CHECK(w.registry->usage()->bytes == blobs);

  std::string next = w.image(app, "one", R"(,"annotations":{"b":")" + std::string(4000, 'x') + "\"}");
  w.limit(app, {.bytes = blobs + 2 * size - 1});
  CHECK(outcome(w.push(app, next, {"3"})) == "quota_exceeded");
  CHECK(outcome(w.registry->get_tag(app, "3")) == "tag_unknown");
  w.limit(app, {.bytes = blobs + 2 * size});
  CHECK(w.push(app, next, {"3"}).ok());
  CHECK(w.push(app, image, {"4"}).ok());  // brings nothing

  REQUIRE(w.registry->delete_manifest(app, *pushed->manifest.digest).ok());
  CHECK(w.usage(app).bytes == blobs + 2 * size);  // it can come back
  CHECK(w.push(app, image, {"1"}).ok());
  CHECK(w.usage(app).bytes == blobs + 2 * size);
  REQUIRE(w.registry->delete_manifest(app, *pushed->manifest.digest).ok());
  REQUIRE(w.policies.purge_manifest(app, *pushed->manifest.digest).ok());
  CHECK(w.usage(app).bytes == blobs + size);
  CHECK(w.registry->usage()->bytes == blobs);
}

TEST_CASE("manifests of a deleted repository count until it has been emptied") {
  for (bool folded : {false, true}) {
    World w(day_ms);
    Repository app = w.repository("team/app"), web = w.repository("team/web");
    auto gone = w.push_image(app, "one", {"1"}), kept = w.push_image(app, "two", {"2"});
    auto full = w.usage(app).bytes;
    REQUIRE(w.registry->delete_manifest(app, *gone.digest).ok());
    REQUIRE(w.registry->delete_repository(app.id).ok());
    if (folded) {
      REQUIRE(w.registry->fold_pulls().ok());
      REQUIRE(w.policies.fold_usage().ok());
    }
    CHECK(w.usage(web).bytes == full);
    w.base.clock.advance(day_ms);
    while (*w.policies.purge()) {
    }
    w.base.clock.advance(1000);
    w.empty_all();
    CHECK(w.count("SELECT COUNT(*) FROM repositories") == 1);
    CHECK(w.usage(web).bytes == 0);
    REQUIRE(w.registry->fold_pulls().ok());
    CHECK(w.registry->usage()->bytes == 0);
    CHECK(w.count("SELECT COUNT(*) FROM registry_counts WHERE repository_id <> 0 AND bytes <> 0") == 0);
  }
}

TEST_CASE("a store from before counts the manifests it has") {
  World w(day_ms);
  Repository app = w.repository("team/app"), gone = w.repository("team/gone");
  auto one = w.push_image(app, "one", {"1"});
  w.push_image(app, "two", {"2"});
  w.push_image(gone, "three", {"3"});
  REQUIRE(w.registry->delete_manifest(app, *one.digest).ok());
  REQUIRE(w.registry->delete_repository(gone.id).ok());
  auto right = w.usage(app);
  auto run = [&w](const std::string& sql) {
    REQUIRE(w.base.db->write([&](meta::Tx& tx) { return tx.execute(sql); }).ok());
  };
  std::string held = "(SELECT SUM(size) FROM manifests)";
  run("UPDATE registry_changes SET bytes = 0 WHERE repository_id <> 0");
  run("INSERT INTO namespace_changes SELECT id, 0, 0, 0, -" + held + " FROM namespaces");
  CHECK(w.usage(app).bytes < right.bytes);
  for (const auto& step : schema()) {
    if (step.number != 316) continue;
    for (std::size_t from = 0, to; (to = step.sql.find(';', from)) != std::string::npos; from = to + 1)
      run(std::string(step.sql.substr(from, to - from)));
  }
  CHECK(w.usage(app).bytes == right.bytes);
  REQUIRE(w.registry->delete_manifest(app, *w.registry->get_tag(app, "2")->manifest.digest).ok());
  w.base.clock.advance(day_ms + 1);
  while (*w.policies.purge()) {
  }
  w.empty_all();
  CHECK(w.usage(app).bytes == 0);
}

TEST_CASE("a deleted repository counts no longer, its bytes until they are purged") {
  World w(day_ms);
  Repository app = w.repository("team/app");
  w.push_image(app, "one", {"1", "2"});
  auto full = w.usage(app);
  REQUIRE(w.registry->delete_repository(app.id).ok());
  CHECK(w.usage(app).repositories == 0);
  CHECK(w.usage(app).tags == 0);
  CHECK(w.usage(app).bytes == full.bytes);
  REQUIRE(w.policies.restore_repository(app.namespace_id, app.id).ok());
  CHECK(w.usage(app).tags == 2);
  REQUIRE(w.registry->delete_repository(app.id).ok());
  REQUIRE(w.policies.purge_namespace(app.namespace_id).ok());
  w.base.clock.advance(1000);
  w.empty_all();
  CHECK(w.usage(app).bytes == 0);
}

TEST_CASE("what is over the quota is refused, whichever way it comes") {
  World w;
  Repository app = w.repository("team/app"), other = w.repository("other/app");
  std::string small(600, 's'), big(600, 'b');
  w.blob(app, small);
  auto elsewhere = w.blob(other, big);
  w.limit(app, {.bytes = 1000});
  CHECK(w.registry->put_blob(app, small).ok());  // is there already
  auto refused = w.registry->put_blob(app, big);
  CHECK(outcome(refused) == "quota_exceeded");
  CHECK(refused.error().message.find("1000 bytes") != std::string::npos);
  CHECK(outcome(w.registry->mount_blob(app, other, elsewhere)) == "quota_exceeded");
  CHECK(outcome(w.registry->mount_blob(app, std::nullopt, elsewhere)) == "quota_exceeded");
  // Of what one may not read, not even its size is told.
  CHECK(w.registry->mount_blob(app, std::vector<std::int64_t>{app.namespace_id}, elsewhere).value() == false);
  CHECK(outcome(w.registry->admit(app, 401)) == "quota_exceeded");
  CHECK(w.registry->admit(app, 400).ok());
  auto id = *w.registry->begin_upload(app, w.who);
  auto writer = *w.registry->open_upload(app, id, w.who, DigestAlgorithm::sha256);
  CHECK(outcome(writer->append(big)) == "quota_exceeded");
  CHECK(outcome(w.registry->upload_size(app, id, w.who)) == "upload_unknown");
  CHECK(outcome(w.registry->open_blob(app, Digest::of(big))) == "blob_unknown");
  w.limit(app, {});
  CHECK(w.registry->put_blob(app, big).ok());
}

namespace {

struct Uploading : World {
  Repository app = repository("team/app");

  std::unique_ptr<UploadWriter> writer(const std::string& id, const std::optional<Digest>& becomes = {}) {
    auto opened = registry->open_upload(app, id, who, DigestAlgorithm::sha256, becomes);
    REQUIRE(opened.ok());
    return *std::move(opened);
  }
  std::string begin(bool kept = false) {
    std::string id = *registry->begin_upload(app, who);
    auto first = writer(id);
    if (kept) REQUIRE(registry->keep_upload(app, id, who).ok());
    return id;
  }
  void check_gone(const std::string& id) {
    CHECK(outcome(registry->upload_size(app, id, who)) == "upload_unknown");
    CHECK(outcome(store->upload_size(id)) == "upload_unknown");
    CHECK(count("SELECT COUNT(*) FROM uploads") == 0);
  }
};

}  // namespace

TEST_CASE_FIXTURE(Uploading, "an upload is refused as soon as it is too large, and has gone then") {
  limit(app, {.bytes = 1000});
  for (bool kept : {false, true}) {
    CAPTURE(kept);
    std::string id = begin(kept);
    REQUIRE(writer(id)->append(std::string(600, 'a')).ok());
    {
      auto second = writer(id);
      REQUIRE(second->append(std::string(400, 'a')).ok());
      CHECK(second->check_there().ok());
      CHECK(outcome(second->append("a")) == "quota_exceeded");
      CHECK(outcome(second->append("a")) != "ok");
      CHECK(outcome(second->check_there()) == "upload_unknown");
    }
    check_gone(id);
    id = begin(kept);
    CHECK(writer(id)->expect(1000).ok());
    CHECK(outcome(writer(id)->expect(1001)) == "quota_exceeded");
    check_gone(id);
  }
  blob(app, std::string(900, 'b'));
  std::string id = begin();
  CHECK(outcome(writer(id)->append(std::string(101, 'a'))) == "quota_exceeded");
  // What is there already may come again, and nothing under its name that is larger.
  std::string same(900, 'b');
  id = begin();
  CHECK(writer(id, Digest::of(same))->append(same).ok());
  CHECK(outcome(writer(id, Digest::of(same))->append("b")) == "quota_exceeded");
  check_gone(id);
}

TEST_CASE_FIXTURE(Uploading, "an upload that was overtaken by others is refused at its end, and has gone") {
  limit(app, {.bytes = 1000});
  std::string id = begin(true), bytes(600, 'a');
  {
    auto late = writer(id);
    REQUIRE(late->append(bytes).ok());
    blob(app, std::string(500, 'b'));
    CHECK(outcome(registry->finish_upload(app, id, *late, Digest::of(bytes))) == "quota_exceeded");
  }
  check_gone(id);
}

TEST_CASE_FIXTURE(Uploading, "all unfinished uploads of a namespace hold no more than its quota") {
  limit(app, {.bytes = 1000});
  std::string first = begin(), second = begin(), third = begin();
  {
    auto last = writer(first);
    REQUIRE(last->append(std::string(600, 'a')).ok());
    {
      auto other = writer(second);
      REQUIRE(other->append(std::string(400, 'b')).ok());
      CHECK(outcome(writer(third)->append("c")) == "quota_exceeded");
    }
    REQUIRE(registry->cancel_upload(app, second, who).ok());
    third = begin();
    REQUIRE(writer(third)->append(std::string(300, 'c')).ok());
    REQUIRE(registry->finish_upload(app, first, *last, Digest::of(std::string(600, 'a'))).ok());
  }
  auto more = writer(third);
  CHECK(more->append(std::string(100, 'c')).ok());  // 400 finished bytes are left to it
  CHECK(outcome(more->append("c")) == "quota_exceeded");
  // Another namespace does not notice.
  Repository other = repository("other/app");
  std::string id = *registry->begin_upload(other, who);
  CHECK(
      (*registry->open_upload(other, id, who, DigestAlgorithm::sha256))->append(std::string(5000, 'd')).ok());
}

TEST_CASE_FIXTURE(Uploading, "uploads that nobody writes to give way to one that is written to") {
  limit(app, {.bytes = 1000});
  for (bool kept : {false, true}) {
    CAPTURE(kept);
    std::string oldest = begin(kept), older = begin(kept), written = begin(kept), next = begin(kept);
    REQUIRE(writer(oldest)->append(std::string(300, 'a')).ok());
    REQUIRE(writer(older)->append(std::string(300, 'b')).ok());
    {
      auto busy = writer(written);
      REQUIRE(busy->append(std::string(400, 'c')).ok());
      CHECK(outcome(writer(begin(kept))->append(std::string(200, 'd'))) == "quota_exceeded");  // too soon
      base.clock.advance(abandoned);
      CHECK(writer(next)->append(std::string(200, 'd')).ok());
      CHECK(outcome(registry->upload_size(app, oldest, who)) == "upload_unknown");
      CHECK(outcome(store->upload_size(oldest)) == "upload_unknown");
      CHECK(outcome(registry->open_upload(app, oldest, who, DigestAlgorithm::sha256)) == "upload_unknown");
      CHECK(registry->upload_size(app, older, who).value_or(0) == 300);
      // None gives way in vain.
      CHECK(outcome(writer(begin(kept))->append(std::string(601, 'e'))) == "quota_exceeded");
      CHECK(registry->upload_size(app, older, who).ok());
      base.clock.advance(abandoned);
      std::string last = begin(kept);
      CHECK(writer(last)->append(std::string(599, 'e')).ok());
      CHECK(outcome(registry->upload_size(app, older, who)) == "upload_unknown");
      REQUIRE(registry->cancel_upload(app, last, who).ok());
      CHECK(busy->append("c").ok());
      CHECK(registry->upload_size(app, written, who).value_or(0) == 401);
    }
    REQUIRE(registry->cancel_upload(app, written, who).ok());
    check_gone(next);
    CHECK(store->uploads()->empty());
  }
}

TEST_CASE_FIXTURE(Uploading, "an upload that another process writes to does not give way") {
  limit(app, {.bytes = 1000});
  std::string id = begin(true);
  REQUIRE(writer(id)->append(std::string(900, 'a')).ok());
  REQUIRE((*store->open_upload(id, DigestAlgorithm::sha256))->append("b").ok());
  base.clock.advance(abandoned);
  CHECK(writer(begin())->append(std::string(200, 'c')).ok());
  CHECK(registry->upload_size(app, id, who).value_or(0) == 901);
}

TEST_CASE_FIXTURE(Uploading, "an upload whose file or repository has gone holds nothing") {
  limit(app, {.bytes = 1000});
  Repository web = repository("team/web");
  auto fill = [&](const Repository& into) {
    std::string id = *registry->begin_upload(into, who);
    auto opened = *registry->open_upload(into, id, who, DigestAlgorithm::sha256);
    REQUIRE(opened->append(std::string(1000, 'a')).ok());
    REQUIRE(registry->keep_upload(into, id, who).ok());
    return std::pair(id, std::move(opened));
  };
  auto lost = fill(web);
  REQUIRE(store->cancel_upload(lost.first).ok());
  lost.second.reset();
  auto emptied = fill(web);
  REQUIRE(registry->delete_repository(web.id).ok());
  empty_all();
  CHECK(outcome(emptied.second->append("")) == "upload_unknown");
  CHECK(writer(begin())->append(std::string(1000, 'b')).ok());
}

TEST_CASE("what unfinished uploads hold") {
  UploadBytes uploads;
  using Verdict = UploadBytes::Verdict;
  CHECK(uploads.grow("a", 1, {}) == Verdict::gone);
  uploads.open("a", {7, 1}, 100, 0);
  uploads.open("b", {7, 1}, 0, 0);
  CHECK(uploads.grow("b", 50, 150) == Verdict::fine);
  CHECK(uploads.grow("b", 1, 150) == Verdict::over);
  CHECK(uploads.grow("a", 1, {}) == Verdict::fine);
  CHECK(uploads.held(7) == 151);
  uploads.close("a", 90, 10);
  CHECK(uploads.held(7) == 140);
  uploads.drop("b");
  uploads.close("b", 50, 10);
  CHECK_FALSE(uploads.holds("b"));
  CHECK(uploads.held(7) == 90);
  uploads.open("c", {8, 1}, 1, limits::upload_lifetime_ms + 9);
  CHECK(uploads.holds("a"));
  uploads.open("d", {8, 1}, 1, limits::upload_lifetime_ms + 10);  // "a" was written to last at 10
  CHECK_FALSE(uploads.holds("a"));
  CHECK(uploads.held(7) == 0);
  uploads.open("e", {8, 1}, 0, 20 * limits::upload_lifetime_ms);
  CHECK(uploads.holds("c"));  // somebody writes
  for (int i = 0; i < 65'540; ++i) {
    uploads.open(std::to_string(i), {9, 1}, 1, 21 * limits::upload_lifetime_ms);
    uploads.close(std::to_string(i), 1, 21 * limits::upload_lifetime_ms);
  }
  CHECK(uploads.held(9) <= 65'537);
  CHECK_FALSE(uploads.holds("0"));
  CHECK(uploads.holds("65539"));
}

TEST_CASE("what comes back is admitted like a push") {
  World w(day_ms);
  Repository app = w.repository("team/app");
  auto one = w.push_image(app, "one", {"1", "2", "sha256-" + std::string(64, 'a') + ".sig"});
  w.limit(app, {.tags = 2, .repositories = 1});
  REQUIRE(w.registry->delete_manifest(app, *one.digest).ok());
  w.push_image(app, "two", {"3"});
  CHECK(outcome(w.policies.restore_manifest(app, *one.digest, w.who)) == "quota_exceeded");
  CHECK(outcome(w.policies.restore_deleted_tag(app, "1", w.who)) == "quota_exceeded");
  CHECK(outcome(w.registry->get_manifest(app, one.digest->text())) == "manifest_unknown");
  CHECK(w.usage(app).tags == 1);
  CHECK(outcome(w.policies.restore_tag(app, "1", *one.digest, w.who)) == "quota_exceeded");
  w.limit(app, {.tags = 3, .repositories = 1});
  CHECK(w.policies.restore_deleted_tag(app, "1", w.who).ok());
  CHECK(w.usage(app).tags == 3);

  REQUIRE(w.registry->delete_tag(app, "1").ok());
  REQUIRE(w.push(app, w.image(app, "two"), {"4"}).ok());
  CHECK(outcome(w.policies.restore_deleted_tag(app, "1", w.who)) == "quota_exceeded");
  CHECK(outcome(w.policies.restore_tag(app, "1", *one.digest, w.who)) == "quota_exceeded");

  REQUIRE(w.registry->delete_repository(app.id).ok());
  Repository second = w.repository("team/second");
  CHECK(outcome(w.policies.restore_repository(app.namespace_id, app.id)) == "quota_exceeded");
  w.limit(app, {.tags = 3, .repositories = 2});
  w.push_image(second, "two", {"1"});
  CHECK(outcome(w.policies.restore_repository(app.namespace_id, app.id)) == "quota_exceeded");
  CHECK(w.usage(app).repositories == 1);
  REQUIRE(w.registry->delete_tag(second, "1").ok());
  CHECK(w.policies.restore_repository(app.namespace_id, app.id).ok());
  CHECK(w.usage(app).tags == 3);
}

TEST_CASE("what comes back with an image is admitted before any of it does") {
  World w(day_ms);
  Repository app = w.repository("team/app");
  auto child = w.push_image(app, "child", {"child"});
  std::string list =
      index_json({descriptor(*child.digest, static_cast<std::size_t>(child.size), oci_manifest)});
  auto index = w.push(app, list, {"multi"}, oci_index);
  REQUIRE(index.ok());
  auto note = w.push_image(app, "note", {"note"},
                           ",\"subject\":" + descriptor(*index->manifest.digest, list.size(), oci_index));
  for (const auto& digest : {*index->manifest.digest, *child.digest, *note.digest})
    REQUIRE(w.registry->delete_manifest(app, digest).ok());
  w.limit(app, {.tags = 2});
  CHECK(outcome(w.policies.restore_manifest(app, *index->manifest.digest, w.who)) == "quota_exceeded");
  CHECK(outcome(w.policies.restore_deleted_tag(app, "multi", w.who)) == "quota_exceeded");
  CHECK(w.usage(app).tags == 0);
  CHECK(w.policies.deleted_manifests(app, {0, 10})->size() == 3);
  w.limit(app, {.tags = 3});
  CHECK(w.policies.restore_deleted_tag(app, "multi", w.who).ok());
  CHECK(w.usage(app).tags == 3);
}

TEST_CASE("tags and repositories have quotas of their own") {
  World w;
  Repository app = w.repository("team/app");
  std::string image = w.image(app, "one");
  REQUIRE(w.push(app, image, {"1"}).ok());
  w.limit(app, {.tags = 2, .repositories = 1});
  CHECK(outcome(w.push(app, image, {"2", "3"})) == "quota_exceeded");
  CHECK(w.push(app, image, {"2"}).ok());
  CHECK(outcome(w.push(app, image, {"3"})) == "quota_exceeded");
  CHECK(w.push(app, w.image(app, "two"), {"2"}).ok());  // moved, not made
  CHECK(w.push(app, image, {"sha256-" + std::string(64, 'a') + ".sig"}).ok());
  CHECK(outcome(w.registry->create_repository({.namespace_name = "team", .name = "more"})) ==
        "quota_exceeded");
  CHECK(outcome(w.registry->ensure_repository(*Name::parse("team/more"))) == "quota_exceeded");
  REQUIRE(w.registry->delete_tag(app, "1").ok());
  CHECK(w.push(app, image, {"3"}).ok());
}

TEST_CASE("an event warns once that a namespace is nearly full") {
  World w;
  Repository app = w.repository("team/app");
  w.limit(app, {.bytes = 1000});
  auto warned = [&] { return w.count("SELECT COUNT(*) FROM events WHERE type = 'quota.warning'"); };
  w.blob(app, std::string(849, 'a'));
  REQUIRE(w.policies.fold_usage().ok());
  CHECK(warned() == 0);
  w.blob(app, "b");
  REQUIRE(w.policies.fold_usage().ok());
  CHECK(warned() == 1);
  w.blob(app, "c");
  REQUIRE(w.policies.fold_usage().ok());
  CHECK(warned() == 1);
}
