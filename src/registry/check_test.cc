// Damage on purpose, and what the check, the scrub and the next push make of it.
#include <filesystem>
#include <fstream>

#include "registry/inspection.h"
#include "registry/policies.h"
#include "registry/registry_fixture.h"

using namespace wharfage;
using namespace wharfage::registry;

namespace {

namespace fs = std::filesystem;

struct Follow final : Follower {
  Status alive() override {
    if (alive_for >= 0 && alive_for-- == 0) return fail(Reason::canceled);
    return {};
  }
  void found(Finding finding) override { report.add(std::move(finding)); }
  void counted(std::string_view what, std::int64_t number) override {
    report.counted[std::string(what)] += number;
  }
  Status reached(const Digest& last) override {
    at = last;
    return {};
  }
  Report report;
  std::optional<Digest> at;
  int alive_for = -1;
};

struct Damaged : RegistryFixture {
  Repository app = repository("team/app");
  std::string layer = "layer of one";
  Digest digest = Digest::of(layer);
  Manifest image = push_image(app, "one", {"1"});

  void overwrite(const std::string& bytes) { std::ofstream(file(digest), std::ios::trunc) << bytes; }
  Report check(bool mend) {
    Follow follow;
    REQUIRE(registry->check(mend, -day_ms * 3650, follow).ok());  // files of any age, whatever the clock
    return follow.report;
  }
  Report scrub() {
    Follow follow;
    REQUIRE(registry->scrub({}, follow).ok());
    return follow.report;
  }
  // The only fault, "place subject", mended or not.
  std::string only(const Report& report) {
    if (report.findings.size() != 1) return std::to_string(report.findings.size()) + " findings";
    const Finding& one = report.findings[0];
    return one.fault + " " + one.place + " " + one.subject + (one.mended ? " mended" : "");
  }
  std::string content() {
    auto blob = registry->open_blob(app, digest);
    return blob.ok() ? blob->read(0, 100).value_or("unreadable") : outcome(blob);
  }
  void check_refused() {
    CHECK(content() == "blob_unknown");
    CHECK(outcome(registry->blob_size(app, digest)) == "blob_unknown");  // so that clients push it again
    CHECK(registry->mount_blob(repository("team/other"), app, digest).value() == false);
    CHECK(registry->mount_blob(repository("team/other"), std::nullopt, digest).value() == false);
    std::string again = image_json(descriptor(digest, layer.size(), oci_config), {});
    CHECK(outcome(push(app, again, {"2"})) == "manifest_blob_unknown");
    CHECK(registry->get_manifest(app, "1").ok());
  }
  void check_healed() {
    CHECK(content() == layer);
    CHECK(registry->blob_size(app, digest).ok());
    CHECK(check(false).findings.empty());
    CHECK(scrub().findings.empty());
    CHECK(registry->usage()->bytes == count("SELECT SUM(size) FROM blobs WHERE state = 0"));
  }
};

}  // namespace

TEST_CASE_FIXTURE(Damaged, "a repository that is being emptied has no findings") {
  REQUIRE(registry->delete_repository(app.id).ok());
  // As far as collect() may have come: its manifests have gone, its links not yet.
  for (const char* table : {"tags", "manifest_blobs", "manifest_bytes", "manifests"})
    execute("DELETE FROM " + std::string(table));
  execute("DELETE FROM registry_counts");
  execute("DELETE FROM registry_changes WHERE repository_id <> 0");
  Report report = check(false);
  CHECK(report.faults["link_kept"] == 0);
  CHECK(report.counted["links"] == 2);
}

TEST_CASE_FIXTURE(Damaged, "a repository that lost its name without being deleted is looked at") {
  Digest unused = blob(app, "unused");
  execute("UPDATE repository_blobs SET loose_since = NULL WHERE digest = '" + unused.text() + "'");
  Digest stale = blob(app, "stale");
  execute("INSERT INTO manifest_blobs (manifest_id, repository_id, digest) SELECT 1000000, " +
          std::to_string(app.id) + ", '" + stale.text() + "'");
  execute("UPDATE repositories SET full_name = NULL, namespace_id = NULL");
  for (bool mend : {false, true}) {
    Report report = check(mend);
    CHECK(report.faults["link_kept"] == 1);
    CHECK(report.faults["reference_stale"] == 1);
  }
  Report report = check(false);
  CHECK(report.faults["link_kept"] == 0);
  CHECK(report.faults["reference_stale"] == 0);
  for (int i = 0; i < 3; ++i) REQUIRE(registry->collect(0).ok());
  CHECK_FALSE(fs::exists(file(unused)));
}

TEST_CASE_FIXTURE(Damaged, "a sound store has no findings and is counted") {
  (void)push(app, index_json({descriptor(*image.digest, static_cast<std::size_t>(image.size), oci_manifest)}),
             {"i"}, oci_index);
  Report report = check(true);
  CHECK(report.findings.empty());
  CHECK(report.counted["blobs"] == 2);
  CHECK(report.counted["files"] == 2);
  CHECK(report.counted["links"] == 2);
  CHECK(report.counted["manifests"] == 2);
  CHECK(report.counted["tags"] == 2);
  CHECK(report.counted["repositories"] == 1);
  CHECK(scrub().counted["blobs"] == 2);
}

TEST_CASE_FIXTURE(Damaged, "a file that is gone") {
  fs::remove(file(digest));
  CHECK(only(check(false)) == "blob_missing team/app " + digest.text());
  CHECK(registry->blob_size(app, digest).ok());  // nothing was touched
  Report mended = check(true);
  CHECK(mended.faults["blob_missing"] == 1);
  CHECK(mended.faults["image_incomplete"] == 1);
  CHECK(mended.problems() == 2);  // the blob, and its image, until somebody pushes it
  check_refused();
  CHECK(check(true).faults["blob_lost"] == 1);
  blob(app, layer);
  check_healed();
}

TEST_CASE_FIXTURE(Damaged, "corrupt bytes are put into quarantine and never served") {
  overwrite("layer of oNe");
  CHECK(check(false).findings.empty());  // the size is right: only reading tells
  CHECK(only(scrub()) == "blob_corrupt team/app " + digest.text());
  CHECK(fs::exists(file(digest, "quarantine")));
  check_refused();
  blob(app, layer);
  check_healed();
  CHECK(fs::exists(file(digest, "quarantine")));  // for the administrator, for a month
  base.clock.advance(SystemClock().now() - base.clock.now() + 31 * day_ms);
  REQUIRE(registry->collect(0).ok());
  CHECK_FALSE(fs::exists(file(digest, "quarantine")));
  check_healed();
}

TEST_CASE_FIXTURE(Damaged, "a file of another size") {
  overwrite("layer");
  CHECK(only(check(false)) == "blob_corrupt team/app " + digest.text());
  CHECK(check(true).faults["blob_corrupt"] == 1);
  check_refused();
  blob(app, layer);
  check_healed();

  execute("UPDATE blobs SET size = 7 WHERE digest = '" + digest.text() + "'");
  CHECK(check(false).faults["blob_size"] == 1);
  CHECK(check(true).faults["blob_size"] == 1);
  check(true);  // the sum of all sizes follows
  check_healed();
}

TEST_CASE_FIXTURE(Damaged, "a lost blob whose file came back") {
  fs::rename(file(digest), base.folder.path("kept"));
  check(true);
  check_refused();
  fs::rename(base.folder.path("kept"), file(digest));
  CHECK(check(true).faults["blob_returned"] == 1);
  check_healed();
}

TEST_CASE_FIXTURE(Damaged, "the last link of a lost blob takes its row along") {
  fs::remove(file(digest));
  check(true);
  REQUIRE(registry->delete_manifest(app, *image.digest).ok());
  for (int i = 0; i < 3; ++i) REQUIRE(registry->collect(0).ok());
  CHECK(count("SELECT COUNT(*) FROM blobs") == 0);
  CHECK(registry->usage()->blobs == 0);
  CHECK(check(false).findings.empty());
}

TEST_CASE_FIXTURE(Damaged, "a file that no row knows of") {
  Digest stray = *store->put("stray");
  CHECK(only(check(false)) == "file_unknown  " + stray.text());
  CHECK(only(check(true)) == "file_unknown  " + stray.text() + " mended");
  CHECK(check(false).findings.empty());
  for (int i = 0; i < 2; ++i) REQUIRE(registry->collect(0).ok());
  CHECK_FALSE(fs::exists(file(stray)));

  std::ofstream(fs::path(file(digest)).parent_path() / "core") << "x";
  CHECK(only(check(true)).rfind("file_foreign", 0) == 0);
}

TEST_CASE_FIXTURE(Damaged, "rows that contradict each other") {
  execute("UPDATE repository_blobs SET loose_since = 5 WHERE digest = '" + digest.text() + "'");
  CHECK(only(check(false)) == "link_loose team/app " + digest.text());
  CHECK(only(check(true)) == "link_loose team/app " + digest.text() + " mended");
  check_healed();

  execute("UPDATE blobs SET state = 1 WHERE digest = '" + digest.text() + "'");
  execute(
      "UPDATE registry_changes SET blobs = blobs - 1, bytes = bytes - 12 WHERE repository_id = 0 AND bytes = "
      "12");
  CHECK(check(false).faults["blob_linked"] == 1);
  CHECK(check(true).faults["blob_linked"] == 1);
  check_healed();

  Digest unused = blob(app, "unused");
  execute("UPDATE repository_blobs SET loose_since = NULL WHERE digest = '" + unused.text() + "'");
  CHECK(only(check(true)) == "link_kept team/app " + unused.text() + " mended");
  execute("DELETE FROM repository_blobs WHERE digest = '" + unused.text() + "'");
  Report unlinked = check(true);
  CHECK(unlinked.problems() == 0);
  CHECK(unlinked.faults == std::map<std::string, std::int64_t>{{"blob_unlinked", 1}, {"count_wrong", 1}});
  for (int i = 0; i < 2; ++i) REQUIRE(registry->collect(0).ok());
  CHECK_FALSE(fs::exists(file(unused)));
  check_healed();
}

TEST_CASE_FIXTURE(Damaged, "a reference of a manifest that is not there") {
  Digest unused = blob(app, "unused");
  execute("INSERT INTO manifest_blobs (manifest_id, repository_id, digest) SELECT 1000000, " +
          std::to_string(app.id) + ", '" + unused.text() + "'");
  execute("UPDATE repository_blobs SET loose_since = NULL WHERE digest = '" + unused.text() + "'");
  CHECK(only(check(false)) == "reference_stale team/app " + unused.text());
  CHECK(only(check(true)) == "reference_stale team/app " + unused.text() + " mended");
  check_healed();
  base.clock.advance(day_ms);
  for (int i = 0; i < 2; ++i) REQUIRE(registry->collect(0).ok());
  CHECK_FALSE(fs::exists(file(unused)));
}

TEST_CASE_FIXTURE(Damaged, "the references of a manifest that cannot be read go with it") {
  execute("UPDATE manifest_bytes SET bytes = x'7b7d'");
  REQUIRE(registry->delete_manifest(app, *image.digest).ok());
  CHECK(count("SELECT COUNT(*) FROM manifests") == 0);
  CHECK(count("SELECT COUNT(*) FROM manifest_blobs") == 0);
  CHECK(count("SELECT COUNT(*) FROM repository_blobs WHERE loose_since IS NULL") == 0);
}

TEST_CASE_FIXTURE(Damaged, "references, manifests and counts") {
  execute("DELETE FROM manifest_blobs WHERE digest = '" + digest.text() + "'");
  CHECK(check(false).faults["reference_missing"] == 1);
  Report mended = check(true);
  CHECK(mended.problems() == 0);
  CHECK(mended.faults["reference_missing"] == 1);
  check_healed();

  execute("UPDATE registry_changes SET tags = tags + 3 WHERE repository_id = " + std::to_string(app.id));
  CHECK(check(false).faults["count_wrong"] >= 1);
  CHECK(check(true).problems() == 0);
  CHECK(registry->get_repository(app.id)->tag_count == 1);
  check_healed();

  execute("UPDATE manifest_bytes SET bytes = x'7b7d'");
  Report corrupt = check(true);
  CHECK(only(corrupt) == "manifest_corrupt team/app " + image.digest->text());
  CHECK(corrupt.problems() == 1);
}

// An image that was pushed, and how its manifest may be lost.
struct Unreadable : RegistryFixture {
  Unreadable() : RegistryFixture({}, {.delete_grace_ms = day_ms}) {}
  Repository app = repository("team/app");
  std::string bytes = image(app, "one");
  Manifest manifest = push(app, bytes, {"1"})->manifest;
  static constexpr auto damages = {"UPDATE manifest_bytes SET bytes = x'7b7d'", "DELETE FROM manifest_bytes"};
};

TEST_CASE("a damaged manifest is served to nobody, and the next push heals it") {
  for (bool deleted_first : {false, true}) {
    for (const char* damage : Unreadable::damages) {
      CAPTURE(damage);
      Unreadable f;
      f.execute(damage);
      f.restart();
      CHECK(outcome(f.registry->get_manifest(f.app, "1")) == "manifest_unknown");
      CHECK(outcome(f.registry->get_manifest(f.app, f.manifest.digest->text())) == "manifest_unknown");
      if (deleted_first) REQUIRE(f.registry->delete_manifest(f.app, *f.manifest.digest).ok());
      CHECK(outcome(f.push(f.app, f.bytes, {"1"})) == "ok");
      REQUIRE(f.registry->get_manifest(f.app, "1").ok());
      CHECK(f.registry->get_manifest(f.app, "1")->bytes == f.bytes);
      Follow follow;
      REQUIRE(f.registry->check(false, -day_ms * 3650, follow).ok());
      CHECK(follow.report.findings.empty());
    }
  }
}

TEST_CASE(
    "an image whose manifest was lost after it was deleted comes back with its blobs when pushed again") {
  for (const char* damage : Unreadable::damages) {
    CAPTURE(damage);
    Unreadable f;
    REQUIRE(f.registry->delete_manifest(f.app, *f.manifest.digest).ok());
    REQUIRE(f.registry->delete_blob(f.app, Digest::of("layer of one")).ok());
    f.execute("DELETE FROM manifest_blobs");
    f.execute(damage);
    CHECK(outcome(f.push(f.app, f.bytes, {"1"})) == "ok");
    CHECK(f.registry->open_blob(f.app, Digest::of("layer of one")).ok());
  }
}

TEST_CASE_FIXTURE(Damaged, "a push replaces what has decayed, for every repository that has it open") {
  Repository other = repository("other/app");
  std::string large(64 * 1024, 'x');
  for (const std::string& bytes : {layer, large}) {
    CAPTURE(bytes.size());
    digest = blob(app, bytes);
    blob(other, bytes);
    auto content = [&](const Repository& of) {
      auto opened = registry->open_blob(of, digest);
      return opened.ok() ? opened->read(0, bytes.size()).value_or("") : outcome(opened);
    };
    CHECK(content(app) == bytes);
    CHECK(content(other) == bytes);
    overwrite(std::string(bytes.size(), '!'));  // in place, as a disk does
    blob(app, bytes);
    CHECK(content(app) == bytes);
    CHECK(content(other) == bytes);
  }
}

TEST_CASE_FIXTURE(Damaged, "small bytes are looked at before they are kept") {
  restart();
  overwrite("layer of oNe");
  CHECK(outcome(registry->open_blob(app, digest)) == "blob_unknown");
  blob(app, layer);
  CHECK(registry->open_blob(app, digest)->read(0, 100).value() == layer);
}

TEST_CASE_FIXTURE(Damaged, "what a namespace holds is counted again") {
  Policies policies{*registry, *base.ids};
  Repository other = repository("other/app"), gone = repository("team/gone");
  blob(gone, layer);
  blob(other, layer);
  REQUIRE(registry->delete_repository(gone.id).ok());
  CHECK(check(false).findings.empty());

  auto right = *policies.usage(app.namespace_id), untouched = *policies.usage(other.namespace_id);
  REQUIRE(policies.fold_usage().ok());
  execute(
      "UPDATE namespace_counts SET tags = tags + 3, bytes = bytes - 1, repositories = 7 "
      "WHERE namespace_id = " +
      std::to_string(app.namespace_id));
  Report told = check(false);
  CHECK(only(told) == "count_wrong team namespace");
  CHECK(only(check(true)) == "count_wrong team namespace mended");
  CHECK(check(false).findings.empty());
  CHECK(policies.usage(app.namespace_id)->tags == right.tags);
  CHECK(policies.usage(app.namespace_id)->bytes == right.bytes);
  CHECK(policies.usage(app.namespace_id)->repositories == right.repositories);
  CHECK(policies.usage(other.namespace_id)->bytes == untouched.bytes);
}

TEST_CASE_FIXTURE(Damaged, "what manifests weigh is counted again") {
  Policies policies{*registry, *base.ids};
  Repository gone = repository("team/gone");
  push_image(gone, "two", {"1"});
  REQUIRE(registry->delete_repository(gone.id).ok());
  auto right = policies.usage(app.namespace_id)->bytes;
  std::string id = std::to_string(app.id);
  execute("UPDATE registry_changes SET bytes = bytes - 5 WHERE bytes > 0 AND repository_id = " + id);
  Report told = check(true);
  // The repository's figure is right again, and the namespace's is held against it.
  CHECK(only(told) == "count_wrong team/app repository mended");
  CHECK(check(false).findings.empty());
  execute("UPDATE namespace_changes SET bytes = bytes + 7 WHERE bytes = " + std::to_string(image.size));
  CHECK(only(check(true)) == "count_wrong team namespace mended");
  CHECK(policies.usage(app.namespace_id)->bytes == right);
  CHECK(check(false).findings.empty());
}

TEST_CASE_FIXTURE(Damaged, "a check tells nothing of what is only on its way") {
  // The bytes are there and their row follows: as a second process would see it, by the age of the file.
  REQUIRE(store->put("arriving").ok());
  Follow follow;
  base.clock.advance(SystemClock().now() - base.clock.now());
  REQUIRE(registry->check(true, hour_ms, follow).ok());
  CHECK(follow.report.findings.empty());
  REQUIRE(registry->delete_manifest(app, *image.digest).ok());
  REQUIRE(registry->collect(day_ms).ok());
  REQUIRE(registry->check(true, hour_ms, follow).ok());
  CHECK(follow.report.findings.empty());
}

TEST_CASE_FIXTURE(Damaged, "a scrub ends when asked to and goes on where it was") {
  for (int i = 0; i < 20; ++i) blob(app, std::to_string(i));
  Follow first;
  first.alive_for = 8;
  CHECK(outcome(registry->scrub({}, first)) == "canceled");
  REQUIRE(first.at.has_value());
  Follow second;
  REQUIRE(registry->scrub({.bytes_per_s = 0, .after = first.at}, second).ok());
  CHECK(first.report.counted["blobs"] + second.report.counted["blobs"] == 22);
}

TEST_CASE("a report survives being written down") {
  Report report;
  report.counted["blobs"] = 3;
  for (int i = 0; i < static_cast<int>(findings_kept_max) + 5; ++i)
    report.add({"blob_corrupt", "team/app", std::to_string(i), "\"quoted\"", i % 2 == 0});
  Report read = Report::parse(report.json());
  CHECK(read.counted == report.counted);
  CHECK(read.faults["blob_corrupt"] == static_cast<std::int64_t>(findings_kept_max) + 5);
  CHECK(read.mended == report.mended);
  CHECK(read.findings.size() == findings_kept_max);
  CHECK(read.findings[1].detail == "\"quoted\"");
  CHECK(Report::parse("nonsense").findings.empty());
}
