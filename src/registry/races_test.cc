// Two nodes on one database and one blob store, the second stopped at every point where the first may get in
// between: what is decided under the write lock must hold whatever happened before it.
#include <filesystem>

#include "registry/registry_fixture.h"
#include "registry/stop_fixture.h"

using namespace wharfage;
using namespace wharfage::registry;

namespace {

struct Nodes : RegistryFixture {
  Stop stop;
  StoppedDb stopped_db{*base.db, stop};
  StoppedStore stopped_store{*store, stop};
  Registry other{stopped_db, *base.ids, stopped_store, *events, base.clock, base.log()};
  Repository app = repository("team/app"), from = repository("team/from");
  const Digest digest = Digest::of("bytes");

  void interrupt(int at, std::function<void()> action) { stop = {at, 0, std::move(action)}; }
  Status upload(Registry& node, const Repository& to) {
    TRY(std::string id, node.begin_upload(to, who));
    TRY(auto writer, node.open_upload(to, id, who, DigestAlgorithm::sha256));
    TRY_STATUS(writer->append("bytes"));
    return node.finish_upload(to, id, *writer, digest);
  }
  std::string content(const Repository& of) {
    auto blob = registry->open_blob(of, digest);
    return blob.ok() ? blob->read(0, 100).value_or("unreadable") : outcome(blob);
  }
  std::string manifest() { return image_json(descriptor(digest, 5, oci_layer), {}); }
  // Nothing that a link promises may be missing, and nothing may stay that nobody links.
  void check_whole() {
    bool linked = registry->blob_size(app, digest).ok();
    if (linked) CHECK(content(app) == "bytes");
    if (auto pulled = registry->get_manifest(app, "1"); pulled.ok()) CHECK(linked);
  }
  void check_nothing_left() {
    stop = {};
    if (auto image = registry->get_manifest(app, "1"); image.ok())
      REQUIRE(registry->delete_manifest(app, *image->digest).ok());
    for (int i = 0; i < 3; ++i) REQUIRE(registry->collect(0).ok());
    CHECK(count("SELECT COUNT(*) FROM blobs") == 0);
    CHECK_FALSE(store->find_size(digest)->has_value());
    CHECK(registry->usage()->blobs == 0);
  }
};

}  // namespace

TEST_CASE("a push keeps its bytes, whatever is deleted and collected beside it") {
  for (bool put : {false, true}) {
    Nodes f;
    bool interrupted = true;
    for (int at = 1; interrupted; ++at) {
      CAPTURE(put);
      CAPTURE(at);
      REQUIRE(f.upload(*f.registry, f.from).ok());
      interrupted = false;
      f.interrupt(at, [&] {
        interrupted = true;
        if (f.registry->blob_size(f.from, f.digest).ok())
          REQUIRE(f.registry->delete_blob(f.from, f.digest).ok());
        for (int i = 0; i < 2; ++i) REQUIRE(f.registry->collect(0).ok());
      });
      if (put) CHECK(f.other.put_blob(f.app, "bytes").ok());
      if (!put) CHECK(f.upload(f.other, f.app).ok());
      f.stop = {};
      CHECK(f.content(f.app) == "bytes");
      f.base.clock.advance(hour_ms / 2);
      REQUIRE(f.registry->collect(hour_ms).ok());
      CHECK(f.content(f.app) == "bytes");
      f.check_nothing_left();
    }
  }
}

TEST_CASE("a push whose file somebody else removes before its row is refused and can be repeated") {
  Nodes f;
  int refused = 0;
  for (int at = 1; at < 12; ++at) {
    CAPTURE(at);
    f.interrupt(at, [&] { std::filesystem::remove(f.file(f.digest)); });
    auto pushed = f.other.put_blob(f.app, "bytes");
    if (!pushed.ok()) {
      ++refused;
      CHECK(outcome(pushed) == "upload_invalid");
      CHECK(f.content(f.app) == "blob_unknown");
      f.stop = {};
      CHECK(f.other.put_blob(f.app, "bytes").ok());
    }
    CHECK(f.content(f.app) == "bytes");
    f.check_nothing_left();
  }
  CHECK(refused > 0);
}

TEST_CASE("whatever comes in between two steps of a collection wins") {
  using Action = std::function<void(Nodes&)>;
  const std::vector<std::pair<std::string, Action>> actions = {
      {"upload", [](Nodes& f) { CHECK(f.upload(*f.registry, f.app).ok()); }},
      {"put", [](Nodes& f) { CHECK(f.registry->put_blob(f.app, "bytes").ok()); }},
      {"mount and push",
       [](Nodes& f) {
         auto mounted = f.registry->mount_blob(f.app, f.from, f.digest);
         REQUIRE(mounted.ok());
         auto pushed = f.push(f.app, f.manifest(), {"1"});
         CHECK(outcome(pushed) == (*mounted ? "ok" : "manifest_blob_unknown"));
       }},
      {"upload and push",
       [](Nodes& f) {
         CHECK(f.upload(*f.registry, f.app).ok());
         CHECK(f.push(f.app, f.manifest(), {"1"}).ok());
       }},
      {"upload and delete",
       [](Nodes& f) {
         CHECK(f.upload(*f.registry, f.app).ok());
         CHECK(f.registry->delete_blob(f.app, f.digest).ok());
       }},
  };
  for (const auto& [name, action] : actions) {
    for (bool doomed : {false, true}) {
      Nodes f;
      bool finished = false;
      for (int at = 1; !finished; ++at) {
        CAPTURE(name);
        CAPTURE(doomed);
        CAPTURE(at);
        REQUIRE(f.upload(*f.registry, f.from).ok());  // loose: the collection drops this link
        if (doomed) REQUIRE(f.registry->delete_blob(f.from, f.digest).ok());
        finished = true;
        f.interrupt(at, [&] {
          finished = false;
          action(f);
        });
        REQUIRE(f.other.collect(0).ok());
        f.check_whole();
        if (name != "upload and delete" && f.registry->get_manifest(f.app, "1").ok())
          CHECK(f.content(f.app) == "bytes");
        REQUIRE(f.other.collect(hour_ms).ok());
        f.check_whole();
        f.check_nothing_left();
      }
    }
  }
}

TEST_CASE("whoever asked for a blob during a collection still has it afterwards") {
  Nodes f;
  bool finished = false;
  for (int at = 1; !finished; ++at) {
    CAPTURE(at);
    REQUIRE(f.upload(*f.registry, f.app).ok());
    f.base.clock.advance(hour_ms);
    finished = true;
    bool promised = false;
    f.interrupt(at, [&] {
      finished = false;
      promised = f.registry->blob_size(f.app, f.digest).ok();
    });
    REQUIRE(f.other.collect(hour_ms / 2).ok());
    if (promised) CHECK(f.content(f.app) == "bytes");
    f.check_nothing_left();
  }
}

TEST_CASE("bytes of a push that died before its row are collected with what was there before") {
  Nodes f;
  REQUIRE(f.upload(*f.registry, f.app).ok());
  REQUIRE(f.registry->delete_blob(f.app, f.digest).ok());
  REQUIRE(f.store->put("bytes").ok());
  f.base.clock.advance(hour_ms);
  f.check_nothing_left();
}
