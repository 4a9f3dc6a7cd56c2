#include "blob/store.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "base/failpoint.h"
#include "base/random.h"
#include "base/test_folder.h"

namespace wharfage::blob {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<Store> open_store(const std::string& root) {
  auto opened = Store::open(root);
  REQUIRE(opened.ok());
  return std::move(opened).value();
}

struct Fixture {
  TestFolder folder;
  std::unique_ptr<Store> store = open_store(folder.path("data/store"));

  std::string file(const Digest& digest, const std::string& area = "blobs") const {
    std::string algorithm = digest.algorithm() == DigestAlgorithm::sha256 ? "sha256" : "sha512";
    std::string hex(digest.hex());
    return folder.path("data/store/" + area + "/" + algorithm + "/" + hex.substr(0, 2) + "/" + hex);
  }
  std::unique_ptr<Writer> writer(const std::string& id, DigestAlgorithm algorithm = DigestAlgorithm::sha256) {
    auto opened = store->open_upload(id, algorithm);
    REQUIRE(opened.ok());
    return std::move(opened).value();
  }
  std::string begin(std::string_view bytes = {}) {
    auto id = store->begin_upload();
    REQUIRE(id.ok());
    REQUIRE(writer(*id)->append(bytes).ok());
    return *id;
  }
  Digest push(std::string_view bytes, DigestAlgorithm algorithm = DigestAlgorithm::sha256) {
    Digest digest = Digest::of(bytes, algorithm);
    auto opened = writer(begin(), algorithm);
    REQUIRE(opened->append(bytes).ok());
    REQUIRE(opened->commit(digest).ok());
    return digest;
  }
  std::string content(const Digest& digest) {
    auto blob = store->open_blob(digest);
    REQUIRE(blob.ok());
    auto bytes = blob->read(0, 1 << 30);
    REQUIRE(bytes.ok());
    return *bytes;
  }
  bool in_place(const Digest& digest) {
    auto size = store->find_size(digest);
    REQUIRE(size.ok());
    return size->has_value();
  }
  std::size_t uploads() {
    auto listed = store->uploads();
    REQUIRE(listed.ok());
    return listed->size();
  }
};

template <class T>
Reason reason(const Result<T>& result) {
  REQUIRE_FALSE(result.ok());
  return result.error().reason;
}

TEST_CASE_FIXTURE(Fixture, "a pushed blob is a plain file under its digest") {
  Digest digest = push("hello");
  CHECK(fs::file_size(file(digest)) == 5);
  CHECK(content(digest) == "hello");
  CHECK(store->find_size(digest).value() == 5);
  CHECK(uploads() == 0);
  Digest empty = push("");
  CHECK(content(empty) == "");
  Digest big = push("hello", DigestAlgorithm::sha512);
  CHECK(fs::exists(file(big)));
  CHECK(content(big) == "hello");
}

TEST_CASE_FIXTURE(Fixture, "a blob is read in pieces, and its descriptor outlives the blob's deletion") {
  Digest digest = push("0123456789");
  auto blob = store->open_blob(digest);
  REQUIRE(blob.ok());
  REQUIRE(store->remove(digest, *store->claims().mark(digest)).ok());
  CHECK(blob->size == 10);
  CHECK(blob->read(3, 4).value() == "3456");
  CHECK(blob->read(8, 100).value() == "89");
  CHECK(blob->read(10, 1).value().empty());
  CHECK(reason(blob->read(11, 1)) == Reason::range_invalid);
  CHECK(reason(blob->read(-1, 1)) == Reason::range_invalid);
  int number = *blob->descriptor;
  Blob copy = *blob;
  blob->descriptor.reset();
  CHECK(::fcntl(number, F_GETFD) >= 0);
  copy.descriptor.reset();
  CHECK(::fcntl(number, F_GETFD) < 0);
}

TEST_CASE_FIXTURE(Fixture, "an unknown blob") {
  Digest digest = Digest::of("nobody pushed this");
  CHECK(reason(store->open_blob(digest)) == Reason::blob_unknown);
  CHECK_FALSE(in_place(digest));
  CHECK(store->remove(digest, *store->claims().mark(digest)).value() == Store::Removal::absent);
}

TEST_CASE_FIXTURE(Fixture, "an upload goes on after its writer, and after a restart") {
  const std::string part(300'000, 'a');
  std::string id = begin(part);
  CHECK(store->upload_size(id).value() == 300'000);
  CHECK(uploads() == 1);
  {
    auto next = writer(id);
    CHECK(next->size() == 300'000);
    REQUIRE(next->append("bb").ok());
    REQUIRE(next->flush().ok());
  }
  store.reset();
  store = open_store(folder.path("data/store"));
  auto last = writer(id);
  CHECK(last->size() == 300'002);
  REQUIRE(last->append("c").ok());
  Digest digest = Digest::of(part + "bbc");
  REQUIRE(last->commit(digest).ok());
  last.reset();
  CHECK(content(digest) == part + "bbc");
  CHECK(reason(store->upload_size(id)) == Reason::upload_unknown);
}

TEST_CASE_FIXTURE(Fixture, "an upload changed behind the store's back is hashed again") {
  std::string id = begin("abc");
  fs::resize_file(folder.path("data/store/uploads/" + id), 2);
  auto last = writer(id);
  CHECK(last->size() == 2);
  CHECK(last->commit(Digest::of("ab")).ok());
}

TEST_CASE_FIXTURE(Fixture, "the algorithm may be known only in the end") {
  std::string id = begin("abc");
  Digest digest = Digest::of("abcd", DigestAlgorithm::sha512);
  auto last = writer(id, DigestAlgorithm::sha512);
  REQUIRE(last->append("d").ok());
  CHECK(last->commit(digest).ok());
  auto other = writer(begin("xyz"));
  CHECK(other->commit(Digest::of("xyz", DigestAlgorithm::sha512)).ok());
}

TEST_CASE_FIXTURE(Fixture, "bytes that do not hash to their name are not published") {
  std::string id = begin("abc");
  auto opened = writer(id);
  Digest wrong = Digest::of("abd");
  CHECK(reason(opened->commit(wrong)) == Reason::digest_invalid);
  CHECK_FALSE(in_place(wrong));
  CHECK(store->upload_size(id).value() == 3);
  CHECK(opened->commit(Digest::of("abc")).ok());
}

TEST_CASE_FIXTURE(Fixture, "a committed writer writes no more") {
  std::string id = begin("abc");
  auto opened = writer(id);
  REQUIRE(opened->commit(Digest::of("abc")).ok());
  CHECK(reason(opened->append("d")) == Reason::upload_unknown);
  CHECK(reason(opened->flush()) == Reason::upload_unknown);
  CHECK(reason(opened->commit(Digest::of("abc"))) == Reason::upload_unknown);
  CHECK(content(Digest::of("abc")) == "abc");
}

TEST_CASE_FIXTURE(Fixture, "an upload has one writer, also across processes") {
  std::string id = begin();
  auto first = writer(id);
  CHECK(reason(store->open_upload(id, DigestAlgorithm::sha256)) == Reason::conflict);
  auto other_process = open_store(folder.path("data/store"));
  CHECK(reason(other_process->open_upload(id, DigestAlgorithm::sha256)) == Reason::conflict);
  first.reset();
  CHECK(other_process->open_upload(id, DigestAlgorithm::sha256).ok());
  CHECK(writer(id) != nullptr);
}

TEST_CASE_FIXTURE(Fixture, "only our own ids reach the file system") {
  fs::path secret = folder.path("data/secret");
  folder.write("data/secret", "s");
  std::string traversal = "../../data/secret";
  for (const std::string& id :
       {traversal, std::string(), std::string("."), std::string("..") + std::string(34, '/'),
        std::string(36, 'a'), random_uuid_upper(), random_uuid() + "/", random_uuid()}) {
    CAPTURE(id);
    CHECK(reason(store->open_upload(id, DigestAlgorithm::sha256)) == Reason::upload_unknown);
    CHECK(reason(store->upload_size(id)) == Reason::upload_unknown);
    CHECK(reason(store->cancel_upload(id)) == Reason::upload_unknown);
  }
  CHECK(fs::exists(secret));
}

TEST_CASE_FIXTURE(Fixture, "symbolic links are not followed") {
  folder.write("outside", "outside");
  Digest digest = push("inside");
  fs::remove(file(digest));
  fs::create_symlink(folder.path("outside"), file(digest));
  CHECK_FALSE(store->open_blob(digest).ok());
  CHECK_FALSE(in_place(digest));
  std::string id = random_uuid();
  fs::create_symlink(folder.path("outside"), folder.path("data/store/uploads/" + id));
  CHECK_FALSE(store->open_upload(id, DigestAlgorithm::sha256).ok());
  CHECK(uploads() == 0);
}

TEST_CASE_FIXTURE(Fixture, "a cancelled upload is gone, also for the writer that still has it") {
  std::string id = begin("abc");
  auto opened = writer(id);
  REQUIRE(store->cancel_upload(id).ok());
  CHECK(reason(store->cancel_upload(id)) == Reason::upload_unknown);
  CHECK(opened->append("d").ok());
  CHECK(reason(opened->commit(Digest::of("abcd"))) == Reason::upload_unknown);
  CHECK_FALSE(in_place(Digest::of("abcd")));
  CHECK(uploads() == 0);
}

TEST_CASE_FIXTURE(Fixture, "uploads are listed with their size and age") {
  std::string id = begin("abc");
  CHECK(store->check_writable().ok());
  auto listed = store->uploads();
  REQUIRE(listed.ok());
  REQUIRE(listed->size() == 1);
  CHECK((*listed)[0].id == id);
  CHECK((*listed)[0].size == 3);
  auto age = SystemClock().now() - (*listed)[0].changed_at;
  CHECK(age >= -1000);
  CHECK(age < 3'600'000);
}

TEST_CASE_FIXTURE(Fixture, "the same bytes pushed at the same time by many") {
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10; ++i) {
        std::string bytes(10'000, static_cast<char>('a' + i));
        auto id = store->begin_upload();
        auto opened = id.ok() ? store->open_upload(*id, DigestAlgorithm::sha256)
                              : Result<std::unique_ptr<Writer>>(fail(Reason::internal));
        if (!opened.ok() || !(*opened)->append(bytes).ok() || !(*opened)->commit(Digest::of(bytes)).ok())
          wrong++;
        if (!store->put(bytes).ok()) wrong++;
        auto blob = store->open_blob(Digest::of(bytes));
        if (!blob.ok() || blob->read(0, 20'000).value_or("") != bytes) wrong++;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(uploads() == 0);
}

TEST_CASE_FIXTURE(Fixture, "put stores small bytes once") {
  auto digest = store->put("config");
  REQUIRE(digest.ok());
  CHECK(*digest == Digest::of("config"));
  CHECK(store->put("config").ok());
  CHECK(content(*digest) == "config");
  CHECK(uploads() == 0);
}

TEST_CASE_FIXTURE(Fixture, "a blob is removed unless somebody claims it after the mark") {
  Digest digest = push("hello"), other = push("other");
  auto mark = store->claims().mark(digest);
  REQUIRE(mark);
  {
    Claims::Claim claim(store->claims(), digest);
  }
  CHECK(store->remove(digest, *mark).value() == Store::Removal::claimed);
  CHECK(content(digest) == "hello");
  mark = store->claims().mark(digest);
  Claims::Claim claim(store->claims(), other);
  CHECK(store->remove(digest, *mark).value() == Store::Removal::removed);
  CHECK_FALSE(in_place(digest));
  CHECK(reason(store->open_blob(digest)) == Reason::blob_unknown);
  CHECK(store->remove(digest, *mark).value() == Store::Removal::absent);
  push("hello");
  CHECK(content(digest) == "hello");
  CHECK(content(other) == "other");
}

TEST_CASE_FIXTURE(Fixture, "a push heals a blob that has rotted") {
  Digest digest = push("hello");
  fs::resize_file(file(digest), 2);
  push("hello");
  CHECK(content(digest) == "hello");
}

TEST_CASE_FIXTURE(Fixture, "a failed append is undone and the upload goes on") {
  std::string id = begin("abc");
  auto opened = writer(id);
  {
    failpoint::Armed armed("blob.write");
    CHECK(reason(opened->append("xyz")) == Reason::storage_failed);
  }
  CHECK(opened->size() == 3);
  REQUIRE(opened->append("d").ok());
  CHECK(opened->commit(Digest::of("abcd")).ok());
}

TEST_CASE_FIXTURE(Fixture, "a commit that fails before the rename can be repeated") {
  std::string id = begin("abc");
  auto opened = writer(id);
  {
    failpoint::Armed armed("blob.rename");
    CHECK(reason(opened->commit(Digest::of("abc"))) == Reason::storage_failed);
  }
  CHECK_FALSE(in_place(Digest::of("abc")));
  CHECK(opened->commit(Digest::of("abc")).ok());
}

TEST_CASE_FIXTURE(Fixture, "bytes that may not have reached the disk are never published") {
  std::string id = begin("abc");
  auto opened = writer(id);
  {
    failpoint::Armed armed("blob.sync");
    CHECK(reason(opened->commit(Digest::of("abc"))) == Reason::storage_failed);
  }
  CHECK(reason(opened->commit(Digest::of("abc"))) == Reason::upload_unknown);
  CHECK_FALSE(in_place(Digest::of("abc")));
  CHECK(uploads() == 0);
  failpoint::Armed armed("blob.sync");
  CHECK_FALSE(store->put("abc").ok());
  CHECK(uploads() == 0);
}

TEST_CASE_FIXTURE(Fixture, "a name that may not have reached the disk is not acknowledged") {
  failpoint::Armed armed("blob.sync_folder", 2);  // the first is the new shelf's parent
  CHECK(reason(writer(begin("abc"))->commit(Digest::of("abc"))) == Reason::storage_failed);
  CHECK(push("abc") == Digest::of("abc"));
}

TEST_CASE_FIXTURE(Fixture, "a full disk is said, costs nothing acknowledged and passes") {
  std::string mounted = folder.path("small");
  fs::create_directory(mounted);
  if (::mount("tmpfs", mounted.c_str(), "tmpfs", 0, "size=512k") != 0) {
    MESSAGE("skipped: a small file system can be mounted by root only");
    return;
  }
  struct Unmount {
    std::string path;
    ~Unmount() { ::umount2(path.c_str(), MNT_DETACH); }
  } unmount{mounted};
  store = open_store(mounted);
  CHECK(store->free_bytes().value() <= 512 * 1024);
  Digest kept = push(std::string(100'000, 'k'));
  std::string id = begin(std::string(100'000, 'a'));
  auto opened = writer(id);
  CHECK(reason(opened->append(std::string(600'000, 'a'))) == Reason::disk_full);
  CHECK(opened->size() == 100'000);
  CHECK(store->upload_size(id).value() == 100'000);
  CHECK(reason(store->put(std::string(600'000, 'p'))) == Reason::disk_full);
  CHECK(uploads() == 1);
  std::string rest(static_cast<std::size_t>(store->free_bytes().value()), 'r');
  REQUIRE(opened->append(rest).ok());
  CHECK(reason(store->check_writable()) == Reason::disk_full);
  CHECK(content(kept).size() == 100'000);
  CHECK(store->remove(kept, *store->claims().mark(kept)).value() == Store::Removal::removed);
  CHECK(store->check_writable().ok());
  CHECK(opened->commit(Digest::of(std::string(100'000, 'a') + rest)).ok());
  opened.reset();
  store.reset();
}

TEST_CASE("a store that cannot be opened is an error") {
  TestFolder folder;
  folder.write("file", "");
  CHECK(reason(Store::open(folder.path("file"))) == Reason::storage_failed);
}

TEST_CASE_FIXTURE(Fixture, "a pipe in a blob's place is an error, and keeps nobody waiting") {
  Digest digest = push("bytes");
  REQUIRE(fs::remove(file(digest)));
  REQUIRE(::mkfifo(file(digest).c_str(), 0600) == 0);
  CHECK(reason(store->open_blob(digest)) == Reason::storage_failed);
}

}  // namespace
}  // namespace wharfage::blob
