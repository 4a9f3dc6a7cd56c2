#include "blob/listing.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <set>

#include "base/test_folder.h"
#include "base/time.h"

namespace wharfage::blob {
namespace {

namespace fs = std::filesystem;

struct Fixture {
  TestFolder folder;
  std::unique_ptr<Store> store = *Store::open(folder.path("store"));

  std::string file(const Digest& digest, const std::string& area = "blobs") const {
    std::string algorithm = digest.algorithm() == DigestAlgorithm::sha256 ? "sha256" : "sha512";
    std::string hex(digest.hex());
    return folder.path("store/" + area + "/" + algorithm + "/" + hex.substr(0, 2) + "/" + hex);
  }
  std::vector<Digest> all(Area area, std::size_t limit) {
    std::vector<Digest> found;
    for (std::optional<Digest> last;;) {
      auto page = store->list(area, last, limit);
      REQUIRE(page.ok());
      CHECK(page->files.size() <= limit);
      for (const auto& one : page->files) found.push_back(one.digest);
      if (page->end) return found;
      REQUIRE(page->files.size() == limit);
      last = found.back();
    }
  }
};

TEST_CASE_FIXTURE(Fixture, "files are listed in order, page by page, each once") {
  std::set<Digest> wanted;
  for (int i = 0; i < 300; ++i) wanted.insert(*store->put(std::to_string(i)));
  auto id = *store->begin_upload();
  {
    auto writer = *store->open_upload(id, DigestAlgorithm::sha512);
    REQUIRE(writer->append("long").ok());
    REQUIRE(writer->commit(Digest::of("long", DigestAlgorithm::sha512)).ok());
  }
  wanted.insert(Digest::of("long", DigestAlgorithm::sha512));
  const std::vector<Digest> expected(wanted.begin(), wanted.end());
  for (std::size_t limit : {1, 7, 301, 1000}) CHECK(all(Area::blobs, limit) == expected);
  CHECK(all(Area::quarantine, 10).empty());

  REQUIRE(store->remove(expected[5], *store->claims().mark(expected[5])).ok());
  CHECK(all(Area::blobs, 50).size() == 300);
}

TEST_CASE_FIXTURE(Fixture, "a listed file tells its size and when it came") {
  Digest digest = *store->put("hello");
  fs::last_write_time(file(digest), fs::file_time_type::clock::now() - std::chrono::hours(48));
  auto page = store->list(Area::blobs, std::nullopt, 10);
  REQUIRE(page->files.size() == 1);
  CHECK(page->files[0].size == 5);
  // A file that has just been moved into place is new, however old its bytes are.
  CHECK(page->files[0].changed_at > SystemClock().now() - hour_ms);
}

TEST_CASE_FIXTURE(Fixture, "what cannot be a blob is told once and never followed") {
  std::vector<Digest> digests;
  for (int i = 0; i < 40; ++i) digests.push_back(*store->put(std::to_string(i)));
  std::string shelf = fs::path(file(digests[0])).parent_path();
  folder.write("outside", "x");
  fs::create_symlink(folder.path("outside"), shelf + "/" + std::string(64, '0'));
  std::ofstream(shelf + "/notes.txt") << "x";
  std::ofstream(shelf + "/" + std::string(Digest::of("elsewhere").hex())) << "x";
  fs::create_directory(shelf + "/" + std::string(digests[0].hex().substr(0, 2)) + std::string(62, '1'));
  std::size_t strays = 0, files = 0;
  for (std::optional<Digest> last;;) {
    auto page = store->list(Area::blobs, last, 3);
    REQUIRE(page.ok());
    strays += page->strays.size();
    files += page->files.size();
    if (page->end) break;
    last = page->files.back().digest;
  }
  CHECK(files == 40);
  CHECK(strays == 4);
}

TEST_CASE_FIXTURE(Fixture, "only the very file that was read goes into quarantine") {
  Digest digest = *store->put("hello");
  auto seen = *store->open_blob(digest);
  // Replaced while it was read: the new one stays.
  fs::remove(file(digest));
  REQUIRE(store->put("hello").ok());
  CHECK(store->quarantine(digest, seen).value() == false);
  CHECK(store->find_size(digest)->has_value());

  CHECK(store->quarantine(digest, *store->open_blob(digest)).value());
  CHECK_FALSE(store->find_size(digest)->has_value());
  CHECK(fs::exists(file(digest, "quarantine")));
  CHECK(all(Area::quarantine, 10) == std::vector<Digest>{digest});
  CHECK(store->quarantine(digest, seen).value() == false);
  CHECK(store->discard_quarantined(digest).value() == 5);
  CHECK(store->discard_quarantined(digest).value() == 0);
}

TEST_CASE_FIXTURE(Fixture, "damaged bytes are replaced by the next push") {
  Digest digest = *store->put("hello");
  for (const char* damage : {"hellO", "hell", ""}) {
    std::ofstream(file(digest), std::ios::trunc) << damage;
    REQUIRE(store->put("hello").ok());
    CHECK(store->open_blob(digest)->read(0, 10).value() == "hello");
    std::ofstream(file(digest), std::ios::trunc) << damage;
    auto id = *store->begin_upload();
    auto writer = *store->open_upload(id, DigestAlgorithm::sha256);
    REQUIRE(writer->append("hello").ok());
    REQUIRE(writer->commit(digest).ok());
    CHECK(store->open_blob(digest)->read(0, 10).value() == "hello");
  }
}

}  // namespace
}  // namespace wharfage::blob
