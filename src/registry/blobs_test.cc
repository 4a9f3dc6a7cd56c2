#include <atomic>
#include <barrier>
#include <mutex>
#include <thread>

#include "base/limits.h"
#include "registry/registry_fixture.h"
#include "registry/young_uploads.h"

using namespace wharfage;
using namespace wharfage::registry;

namespace {

constexpr TimeMs grace = hour_ms;

// Commits that wait for the disk together.
template <class F>
void in_threads(int count, F&& work) {
  constexpr int threads = 16;
  std::vector<std::thread> running;
  for (int number = 0; number < threads; ++number) {
    running.emplace_back([&work, count, number] {
      for (int i = number; i < count; i += threads) work(i);
    });
  }
  for (auto& thread : running) thread.join();
}

struct Blobs : RegistryFixture {
  std::mutex mutex;

  Registry& room() { return *registry; }

  Status upload(const Repository& to, const std::string& bytes) {
    TRY(std::string id, registry->begin_upload(to, who));
    TRY(auto writer, registry->open_upload(to, id, who, DigestAlgorithm::sha256));
    TRY_STATUS(writer->append(bytes));
    return registry->finish_upload(to, id, *writer, Digest::of(bytes));
  }
  std::string keep(const Repository& to, const std::string& id) { return keep(to, id, who); }
  std::string keep(const Repository& to, const std::string& id, const auth::Principal& owner) {
    auto writer = registry->open_upload(to, id, owner, DigestAlgorithm::sha256);
    if (!writer.ok()) return outcome(writer);
    if ((*writer)->size() == 0) (void)(*writer)->append("kept");
    return outcome(registry->keep_upload(to, id, owner));
  }
  auth::Principal someone_else() const {
    return {.kind = auth::Principal::Kind::user, .id = 4711, .name = "zoe"};
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

TEST_CASE("uploads are bounded in number and age") {
  Blobs f;
  Repository app = f.repository("team/app");
  std::vector<std::string> ids(limits::uploads_per_repository_max);
  auto owner = [&](int i) {
    auto who = f.who;
    who.id += i % static_cast<int>(limits::uploads_per_repository_max / uploads_per_owner_max);
    return who;
  };
  in_threads(static_cast<int>(ids.size()), [&](int i) {
    ids[static_cast<std::size_t>(i)] = f.room().begin_upload(app, owner(i)).value_or("");
  });
  CHECK(outcome(f.room().begin_upload(app, f.someone_else())) == "throttled");
  CHECK(f.room().begin_upload(f.repository("team/other"), f.who).ok());
  CHECK(f.store->uploads()->empty());
  // And the same for those that are kept.
  in_threads(static_cast<int>(ids.size()),
             [&](int i) { CHECK(f.keep(app, ids[static_cast<std::size_t>(i)], owner(i)) == "ok"); });
  auto one_more = f.room().begin_upload(app, f.someone_else());
  CHECK(f.keep(app, *one_more, f.someone_else()) == "throttled");
  CHECK(f.count("SELECT COUNT(*) FROM uploads") == limits::uploads_per_repository_max);
  CHECK(f.store->uploads()->size() == limits::uploads_per_repository_max + 1);
  // The files carry the machine's time.
  SystemClock real;
  f.base.clock.set(real.now() + limits::upload_lifetime_ms - hour_ms);
  CHECK(f.collect(grace).uploads == 0);
  REQUIRE(f.store->cancel_upload(ids.back()).ok());  // as if the server had died behind commit()
  f.base.clock.advance(2 * hour_ms);
  for (auto collected = f.collect(grace); collected.more; collected = f.collect(grace)) {
  }
  CHECK(f.store->uploads()->empty());
  CHECK(f.count("SELECT COUNT(*) FROM uploads") == 0);
  CHECK(f.keep(app, *f.room().begin_upload(app, f.who)) == "ok");
}

TEST_CASE("uploads of one leave room in the repository for others") {
  Blobs f;
  Repository app = f.repository("team/app");
  std::vector<std::string> ids(uploads_per_owner_max);
  for (auto& id : ids) id = *f.room().begin_upload(app, f.who);
  auto refused = f.room().begin_upload(app, f.who);
  CHECK(outcome(refused) == "throttled");
  CHECK(refused.error().message.find("yours") != std::string::npos);
  CHECK(f.room().begin_upload(app, f.someone_else()).ok());
  CHECK(f.room().begin_upload(f.repository("team/other"), f.who).ok());
  in_threads(static_cast<int>(ids.size()),
             [&](int i) { CHECK(f.keep(app, ids[static_cast<std::size_t>(i)]) == "ok"); });
  std::string young = *f.room().begin_upload(app, f.who);
  CHECK(f.keep(app, young) == "throttled");
  CHECK(f.keep(app, *f.room().begin_upload(app, f.someone_else()), f.someone_else()) == "ok");
  REQUIRE(f.room().cancel_upload(app, ids[7], f.who).ok());
  CHECK(f.keep(app, young) == "ok");
}

TEST_CASE("an upload survives its process once it is kept") {
  Blobs f;
  Repository app = f.repository("team/app");
  std::string young = *f.room().begin_upload(app, f.who), kept = *f.room().begin_upload(app, f.who);
  CHECK(f.room().upload_size(app, young, f.who).value() == 0);
  CHECK(f.keep(app, kept) == "ok");
  CHECK(f.keep(app, kept) == "ok");
  CHECK(f.count("SELECT COUNT(*) FROM uploads") == 1);
  CHECK(outcome(f.room().keep_upload(f.repository("team/other"), young, f.who)) == "upload_unknown");
  {
    auto writer = *f.room().open_upload(app, young, f.who, DigestAlgorithm::sha256);
    REQUIRE(writer->append("half").ok());
    CHECK(outcome(f.room().open_upload(app, young, f.who, DigestAlgorithm::sha256)) == "conflict");
    CHECK(outcome(f.room().finish_upload(app, young, *writer, Digest::of("whole"))) == "digest_invalid");
  }
  CHECK(f.room().upload_size(app, young, f.who).value() == 4);  // goes on where it was
  f.restart();
  CHECK(outcome(f.room().upload_size(app, young, f.who)) == "upload_unknown");
  CHECK(outcome(f.room().open_upload(app, young, f.who, DigestAlgorithm::sha256)) == "upload_unknown");
  CHECK(f.room().upload_size(app, kept, f.who).value() == 4);
  auto writer = *f.room().open_upload(app, kept, f.who, DigestAlgorithm::sha256);
  CHECK(f.room().finish_upload(app, kept, *writer, Digest::of("kept")).ok());
  CHECK(f.content(app, Digest::of("kept")) == "kept");
  CHECK(f.count("SELECT COUNT(*) FROM uploads") == 0);
}

TEST_CASE("whoever writes to an upload that is cancelled hears of it") {
  Blobs f;
  Repository app = f.repository("team/app");
  for (bool kept : {false, true}) {
    for (bool closing : {false, true}) {
      std::string id = *f.room().begin_upload(app, f.who);
      auto writer = *f.room().open_upload(app, id, f.who, DigestAlgorithm::sha256);
      if (kept) REQUIRE(f.room().keep_upload(app, id, f.who).ok());
      REQUIRE(writer->append("half").ok());
      REQUIRE(f.room().cancel_upload(app, id, f.who).ok());
      CHECK(outcome(writer->check_there()) == "upload_unknown");
      if (closing)
        CHECK(outcome(f.room().finish_upload(app, id, *writer, Digest::of("half"))) == "upload_unknown");
      else
        CHECK(outcome(writer->append("more")) == "upload_unknown");
      writer.reset();
      CHECK(outcome(f.room().open_upload(app, id, f.who, DigestAlgorithm::sha256)) == "upload_unknown");
      CHECK(f.store->uploads()->empty());
    }
  }
  CHECK(f.count("SELECT COUNT(*) FROM uploads") == 0);
}

namespace {

// Several requests on one upload at once, and what each was told.
struct Contested : Blobs {
  Repository app = repository("team/app");
  std::string id;
  std::string bytes;
  std::atomic<int> kept{0}, finished{0}, cancelled{0};
  std::atomic<std::int64_t> acknowledged{0};

  bool fine(const Status& told) {
    std::string text = outcome(told);
    INFO(text);
    CHECK((text == "ok" || text == "upload_unknown" || text == "conflict"));
    return told.ok();
  }
  void piece() {
    auto writer = registry->open_upload(app, id, who, DigestAlgorithm::sha256);
    if (!writer.ok()) return (void)fine(writer.error());
    if (!fine(registry->keep_upload(app, id, who)) || !fine((*writer)->append("x"))) return;
    if (!fine((*writer)->check_there())) return;
    acknowledged = (*writer)->size();
    ++kept;
  }
  void close() {
    auto writer = registry->open_upload(app, id, who, DigestAlgorithm::sha256);
    if (!writer.ok()) return (void)fine(writer.error());
    std::string all(static_cast<std::size_t>((*writer)->size()), 'x');
    if (!fine((*writer)->append("x"))) return;
    all += "x";
    if (fine(registry->finish_upload(app, id, **writer, Digest::of(all)))) {
      std::lock_guard lock(mutex);
      bytes = all;
      ++finished;
    }
  }
  void cancel() {
    if (fine(registry->cancel_upload(app, id, who))) ++cancelled;
  }
  void at_once(std::vector<void (Contested::*)()> requests) {
    std::barrier start(static_cast<std::ptrdiff_t>(requests.size()));
    std::vector<std::thread> threads;
    for (auto request : requests) {
      threads.emplace_back([this, &start, request] {
        start.arrive_and_wait();
        (this->*request)();
      });
    }
    for (auto& thread : threads) thread.join();
  }
};

}  // namespace

TEST_CASE("several requests on one upload at once: one of them ends it, and nothing is left") {
  Contested f;
  using C = Contested;
  const std::vector<std::vector<void (C::*)()>> mixes{{&C::piece, &C::cancel},
                                                      {&C::piece, &C::close},
                                                      {&C::close, &C::close},
                                                      {&C::close, &C::cancel},
                                                      {&C::piece, &C::piece, &C::close, &C::cancel}};
  for (int round = 0; round < 40; ++round) {
    for (std::size_t mix = 0; mix < mixes.size(); ++mix) {
      CAPTURE(mix);
      f.kept = f.finished = f.cancelled = 0;
      f.acknowledged = 0;
      f.id = *f.room().begin_upload(f.app, f.who);
      if (round % 2 == 1) f.piece();
      f.at_once(mixes[mix]);
      CHECK(f.finished + f.cancelled <= 1);
      auto size = f.room().upload_size(f.app, f.id, f.who);
      if (f.finished + f.cancelled == 1) {
        CHECK(outcome(size) == "upload_unknown");
        if (f.finished == 1) {
          CHECK(f.content(f.app, Digest::of(f.bytes)) == f.bytes);
          CHECK(static_cast<std::int64_t>(f.bytes.size()) >= f.acknowledged);
        }
      } else {
        CHECK(size.value() >= f.acknowledged);
        f.cancel();
        CHECK(f.cancelled == 1);
      }
      CHECK(f.store->uploads()->empty());
      CHECK(f.count("SELECT COUNT(*) FROM uploads") == 0);
    }
  }
}

TEST_CASE("uploads of this process are forgotten when they are old, finished or cancelled, and bounded") {
  YoungUploads young;
  // Of five in each repository.
  auto owner = [](int number) { return number / 20 % 5 == 0 ? "me" : std::to_string(number / 20 % 5); };
  auto add = [&](int number, TimeMs at) {
    return young.add({std::to_string(number), number % 20, owner(number), at});
  };
  constexpr int most = 16'384;
  int number = 0;
  while (number < most && add(number, number) == YoungUploads::Verdict::noted) ++number;
  CHECK(number == most);
  CHECK(add(most, most) == YoungUploads::Verdict::full);
  CHECK(young.holds("7", 7, "me"));
  CHECK_FALSE(young.holds("7", 7, "you"));
  CHECK_FALSE(young.take("7", 8));
  CHECK(young.take("7", 7));
  CHECK_FALSE(young.take("7", 7));
  CHECK(add(most, most) == YoungUploads::Verdict::noted);
  CHECK(add(most + 1, limits::upload_lifetime_ms + 99) == YoungUploads::Verdict::noted);
  CHECK_FALSE(young.holds("99", 19, "4"));
  CHECK(young.holds("100", 0, "me"));
  CHECK_FALSE(young.write("100", 0, "you"));
  CHECK(young.write("100", 0, "me"));
  CHECK(add(most + 2, 2 * limits::upload_lifetime_ms) == YoungUploads::Verdict::noted);
  CHECK(young.holds("100", 0, "me"));  // bytes come
  CHECK_FALSE(young.holds("101", 1, "me"));
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
  f.collect(grace);
  CHECK(f.state(config) == "2");
  CHECK_FALSE(f.stored(config));
  CHECK(f.content(app, layer) == "layer of one");
  f.base.clock.advance(limits::trash_keep_ms);
  auto collected = f.collect(grace);
  CHECK(collected.blobs == 1);
  CHECK(collected.bytes == f.push_image(f.repository("x/y"), "one", {"1"}).total_size - image.size - 12);
  CHECK(f.content(app, layer) == "layer of one");
  f.base.clock.advance(grace);
  f.collect(grace);
  CHECK(f.content(app, layer) == "blob_unknown");
}

TEST_CASE("a blob on its way out comes back with a push") {
  for (int collections = 0; collections < 4; ++collections) {
    CAPTURE(collections);
    Blobs f;
    Repository app = f.repository("team/app");
    REQUIRE(f.upload(app, "bytes").ok());
    const Digest digest = Digest::of("bytes");
    REQUIRE(f.room().delete_blob(app, digest).ok());
    if (collections == 1) f.collect(grace);  // in the trash
    if (collections == 2) f.collect(0);      // gone
    if (collections == 3) {                  // bytes in the trash although the row does not say so
      REQUIRE(f.store->trash(digest).ok());
    }
    REQUIRE(f.upload(app, "bytes").ok());
    CHECK(f.state(digest) == "0");
    CHECK(f.content(app, digest) == "bytes");
    CHECK(f.store->purge(digest).value() == 0);  // no copy was left behind
    f.base.clock.advance(2 * limits::trash_keep_ms);
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
