#include <atomic>
#include <barrier>
#include <mutex>
#include <thread>

#include "base/limits.h"
#include "registry/registry_fixture.h"
#include "registry/threads_fixture.h"
#include "registry/young_uploads.h"

using namespace wharfage;
using namespace wharfage::registry;

namespace {

constexpr TimeMs grace = hour_ms;

struct Uploads : RegistryFixture {
  std::mutex mutex;

  Registry& room() { return *registry; }
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
  Registry::Collected collect(TimeMs unreferenced_for_ms) {
    auto collected = registry->collect(unreferenced_for_ms);
    REQUIRE(collected.ok());
    return *collected;
  }
};

}  // namespace

TEST_CASE("uploads are bounded in number and age") {
  Uploads f;
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
  Uploads f;
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
  Uploads f;
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
  Uploads f;
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

  std::string id = *f.room().begin_upload(app, f.who);
  auto writer = *f.room().open_upload(app, id, f.who, DigestAlgorithm::sha256);
  CHECK(writer->check_there().ok());
  REQUIRE(f.store->cancel_upload(id).ok());  // as another process would
  CHECK(outcome(writer->check_there()) == "upload_unknown");
}

namespace {

// Several requests on one upload at once, and what each was told.
struct Contested : Uploads {
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
