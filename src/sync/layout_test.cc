#include "sync/layout.h"

#include <filesystem>
#include <fstream>

#include "registry/registry_fixture.h"
#include "sync/copier.h"

using namespace wharfage;
using namespace wharfage::sync;

namespace {

struct Silent final : Watcher {
  Status planned(const std::string&, const std::vector<Piece>&, std::int64_t) override { return {}; }
  Status moving(const std::string&, std::int64_t) override { return {}; }
  Status arrived(const std::string&, std::int64_t, std::int64_t, bool) override { return {}; }
  void say(const std::string&) override {}
  Status alive() override { return {}; }
};

struct Ship : registry::RegistryFixture {
  registry::Repository from = repository("team/from"), to = repository("team/to");
  Silent watcher;

  std::string outcome_of_export(const std::string& path, const std::string& reference) {
    auto layout = LayoutWriter::create(path);
    if (!layout.ok()) return registry::outcome(layout);
    (*layout)->enter("team/from");
    auto source = place_here(*registry, from);
    auto copied = Copier(*source, **layout, watcher).copy(reference, reference, true);
    if (!copied.ok()) return registry::outcome(copied);
    if (reference == copied->digest) REQUIRE((*layout)->name(reference).ok());
    return registry::outcome((*layout)->finish());
  }
  std::string outcome_of_import(const std::string& path, const std::string& tag) {
    auto layout = LayoutReader::open(path);
    if (!layout.ok()) return registry::outcome(layout);
    (*layout)->enter("team/from");
    auto target = place_here(*registry, to);
    return registry::outcome(
        Copier(**layout, *target, watcher).copy((*layout)->entries().at(0).digest, tag, true));
  }
};

}  // namespace

TEST_CASE_FIXTURE(Ship, "a folder and a file hold the same, and come back as they went") {
  auto image = push_image(from, "one", {"1"});
  std::string subject =
      R"(,"subject":)" +
      registry::descriptor(*image.digest, static_cast<std::size_t>(image.size), registry::oci_manifest);
  auto note = push_image(from, "note", {}, subject);
  for (const char* name : {"layout", "layout.tar"}) {
    std::string path = base.folder.path(name);
    CHECK(outcome_of_export(path, "1") == "ok");
    auto reader = LayoutReader::open(path);
    REQUIRE(reader.ok());
    REQUIRE((*reader)->entries().size() == 2);
    CHECK((*reader)->entries()[0].tag == "1");
    CHECK((*reader)->entries()[0].repository == "team/from");
    CHECK((*reader)->referrers(*image.digest).value() == std::vector<std::string>{note.digest->text()});
    CHECK(outcome_of_import(path, name) == "ok");
    CHECK(registry->get_tag(to, name)->manifest.digest == image.digest);
    CHECK(registry->referrers(to, *image.digest, "")->size() == 1);
    CHECK(outcome_of_export(path, "1") == "conflict");  // nothing is overwritten
  }
}

// Their names are longer than a tar header has room for.
TEST_CASE_FIXTURE(Ship, "blobs named by sha512 travel in a tar file") {
  std::string bytes = "long";
  Digest digest = Digest::of(bytes, DigestAlgorithm::sha512);
  auto id = registry->begin_upload(from, who);
  auto writer = registry->open_upload(from, *id, who, DigestAlgorithm::sha512);
  REQUIRE((*writer)->append(bytes).ok());
  REQUIRE(registry->finish_upload(from, *id, **writer, digest).ok());
  blob(from, "{}");
  auto pushed = push(from,
                     registry::image_json(registry::descriptor(Digest::of("{}"), 2, registry::oci_config),
                                          {registry::descriptor(digest, bytes.size(), registry::oci_layer)}),
                     {"1"});
  REQUIRE(pushed.ok());
  CHECK(outcome_of_export(base.folder.path("layout.tar"), "1") == "ok");
  CHECK(outcome_of_import(base.folder.path("layout.tar"), "1") == "ok");
  CHECK(registry->open_blob(to, digest)->read(0, 10).value() == bytes);
}

TEST_CASE_FIXTURE(Ship, "an export that fails leaves nothing that looks like a layout") {
  std::string seed(10'000, 'x');  // larger than what the registry itself looks at
  auto image = push_image(from, seed, {"1"});
  std::string hex(Digest::of("layer of " + seed).hex());
  std::ofstream(base.folder.path("data/blobs/sha256/" + hex.substr(0, 2) + "/" + hex)) << "Layer of " << seed;
  CHECK(outcome_of_export(base.folder.path("layout"), "1") == "digest_invalid");
  CHECK(outcome_of_export(base.folder.path("layout.tar"), "1") == "digest_invalid");
  CHECK_FALSE(std::filesystem::exists(base.folder.path("layout.tar")));
  CHECK(std::filesystem::is_empty(base.folder.path("layout")));
  CHECK(outcome_of_export(base.folder.path("other"), "none") == "manifest_unknown");
}

TEST_CASE_FIXTURE(Ship, "a broken image is taken back, and the layout is as if it had not been tried") {
  auto good = push_image(from, "one", {"1"}), later = push_image(from, "two", {"3"});
  std::string shared = "layer of one", seed(10'000, 'x');
  push_image(from, seed, {"decayed"});
  std::string hex(Digest::of("layer of " + seed).hex());
  std::ofstream(base.folder.path("data/blobs/sha256/" + hex.substr(0, 2) + "/" + hex)) << "Layer of " << seed;
  std::string config = "config of a liar";
  auto lying = [&](std::size_t more) {
    return registry::image_json(
        registry::descriptor(blob(from, config), config.size(), registry::oci_config),
        {registry::descriptor(blob(from, shared), shared.size() + more, registry::oci_layer)});
  };
  REQUIRE(push(from, lying(1), {"lying"}).ok());
  for (const char* name : {"layout", "layout.tar"}) {
    std::string path = base.folder.path(name);
    auto layout = LayoutWriter::create(path);
    REQUIRE(layout.ok());
    (*layout)->enter("team/from");
    auto source = place_here(*registry, from);
    std::string told;
    for (const char* tag : {"decayed", "1", "lying", "3"}) {
      (*layout)->begin_image();
      auto copied = Copier(*source, **layout, watcher).copy(tag, tag, true);
      told += registry::outcome(copied) + " ";
      if (!copied.ok()) REQUIRE((*layout)->take_back().ok());
    }
    CHECK(told == "digest_invalid ok size_invalid ok ");
    REQUIRE((*layout)->finish().ok());
    layout->reset();
    auto reader = LayoutReader::open(path);
    REQUIRE(reader.ok());
    REQUIRE((*reader)->entries().size() == 2);
    CHECK((*reader)->entries()[0].tag == "1");
    CHECK((*reader)->entries()[1].digest == later.digest->text());
    CHECK_FALSE((*reader)->open_blob(Digest::of(config)).ok());
    CHECK_FALSE((*reader)->open_blob(Digest::of("layer of " + seed)).ok());
    CHECK(outcome_of_import(path, name) == "ok");
    CHECK(registry->get_tag(to, name)->manifest.digest == good.digest);
  }
}

TEST_CASE_FIXTURE(Ship, "large sizes in tar headers") {
  push_image(from, "one", {"1"});
  std::string path = base.folder.path("layout.tar");
  REQUIRE(outcome_of_export(path, "1") == "ok");
  std::string bytes;
  {
    std::ifstream file(path, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(file), {});
  }
  auto damaged = [&](const std::string& field) {
    std::string copy = bytes;
    copy.replace(124, field.size(), field);
    std::ofstream(base.folder.path("damaged.tar"), std::ios::binary) << copy;
    return outcome_of_import(base.folder.path("damaged.tar"), "x");
  };
  CHECK(damaged("7777777777\0") == "manifest_invalid");
  CHECK(damaged(std::string(1, '\x80') + std::string(11, '\xff')) == "manifest_invalid");
  CHECK(damaged("not a size!") == "manifest_invalid");
  // The same size, written as GNU does for files above 8 GiB.
  std::int64_t size = std::stoll(bytes.substr(124, 11), nullptr, 8);
  std::string binary(12, '\0');
  binary[0] = '\x80';
  for (int i = 0; i < 8; ++i)
    binary[static_cast<std::size_t>(11 - i)] = static_cast<char>(size >> (8 * i) & 0xff);
  CHECK(damaged(binary) == "ok");
}
