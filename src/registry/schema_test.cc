#include "registry/registry_fixture.h"

using namespace wharfage;
using namespace wharfage::registry;

namespace {

constexpr const char* places = R"(
    INSERT INTO namespaces VALUES (1, 'crn', 'team', 0, 0, '', 0, 0);
    INSERT INTO repositories (id, public_id, namespace_id, full_name, name, summary, detail, is_public,
                              immutable_tags, created_at, updated_at)
    VALUES (7, 'crr', 1, 'team/app', 'app', '', '', 0, 0, 0, 0),
           (8, 'crr8', 1, 'team/b', 'b', '', '', 0, 0, 0, 0);
    INSERT INTO manifests (id, repository_id, digest, media_type, artifact_type, size, total_size,
                           is_accessory, pushed_at) VALUES (9, 7, 'm', '', '', 1, 1, 0, 0);)";

struct Store {
  TestFolder folder;
  std::unique_ptr<meta::Db> db = *meta::open_sqlite(folder.path("db"));
  std::vector<meta::Migration> all = with_registry_schemas();

  // As it was before this migration of the registry, with two repositories and a manifest; then `script`
  // fills or wrecks it.
  void make_before(int number, std::string_view script) {
    std::vector<meta::Migration> before;
    for (const auto& step : all) {
      if (step.number < number || step.number >= 400) before.push_back(step);
    }
    REQUIRE(meta::migrate(*db, before).ok());
    for (std::string_view one : {std::string_view(places), script})
      REQUIRE(db->write([&](meta::Tx& tx) { return tx.script(one); }).ok());
  }
  std::string text(std::string_view sql) {
    auto row = db->read([&](meta::Tx& tx) { return tx.first(sql); });
    REQUIRE(row.ok());
    return (*row)->text(0);
  }
  std::string list(const std::string& what, const std::string& table) {
    return text("SELECT group_concat(x, ', ') FROM (SELECT " + what + " AS x FROM " + table + " ORDER BY x)");
  }
};

}  // namespace

// As stores look whose tables somebody has edited without their keys, or whose pages were lost.
TEST_CASE_FIXTURE(Store, "an update opens a store in which links dangle") {
  make_before(315, R"(
    DROP TABLE manifest_blobs;
    DROP TABLE repository_blobs;
    CREATE TABLE repository_blobs (repository_id INTEGER, digest TEXT, namespace_id INTEGER,
                                   linked_at INTEGER, loose_since INTEGER, hidden INTEGER);
    CREATE TABLE manifest_blobs (manifest_id INTEGER, repository_id INTEGER, digest TEXT);
    INSERT INTO blobs VALUES ('whole', 5, 0, 2), ('unlinked', 6, 0, 3);
    INSERT INTO repository_blobs VALUES (7, 'whole', 1, 11, NULL, 0), (7, 'no blob', 1, 11, NULL, 0),
      (8, 'no blob', 1, 11, NULL, 0), (77, 'whole', 1, 11, NULL, 0), (77, 'nowhere', 1, 11, NULL, 0);
    INSERT INTO manifest_blobs VALUES (9, 7, 'whole'), (9, 7, 'no blob'), (9, 7, 'unlinked'),
      (99, 7, 'whole'), (9, 77, 'whole');)");
  REQUIRE(meta::migrate(*db, all).ok());
  CHECK(list("digest || ' ' || size || ' ' || state", "blobs") == "no blob 0 3, unlinked 6 0, whole 5 0");
  CHECK(list("repository_id || ' ' || digest", "repository_blobs") == "7 no blob, 7 whole, 8 no blob");
  CHECK(list("manifest_id || ' ' || digest", "manifest_blobs") == "9 no blob, 9 whole");
  CHECK(text("SELECT CAST(count(*) AS TEXT) FROM pragma_foreign_key_check") == "0");
}

TEST_CASE_FIXTURE(Store, "an update opens a store in which references dangle") {
  make_before(319, R"(
    DROP TABLE manifest_blobs;
    CREATE TABLE manifest_blobs (manifest_id INTEGER, repository_id INTEGER, digest TEXT);
    INSERT INTO blobs VALUES ('whole', 5, 0, 2), ('unlinked', 6, 0, 3);
    INSERT INTO repository_blobs (repository_id, digest, namespace_id, linked_at, hidden)
    VALUES (7, 'whole', 1, 11, 0), (8, 'whole', 1, 11, 0);
    INSERT INTO manifest_blobs VALUES (9, 7, 'whole'), (9, 7, 'unlinked'), (99, 7, 'whole'),
      (9, 77, 'whole');)");
  REQUIRE(meta::migrate(*db, all).ok());
  CHECK(list("repository_id || ' ' || digest", "repository_blobs") == "7 whole, 8 whole");
  CHECK(list("manifest_id || ' ' || repository_id || ' ' || digest", "manifest_blobs") == "9 7 whole");
  CHECK(text("SELECT CAST(count(*) AS TEXT) FROM pragma_foreign_key_check") == "0");
}

TEST_CASE_FIXTURE(Store, "blobs and references are the same after they were put in the order of their keys") {
  make_before(315, R"(
    INSERT INTO blobs VALUES ('b', 5, 0, 2), ('a', 6, 1, 3);
    INSERT INTO repository_blobs (repository_id, digest, linked_at, loose_since, hidden, namespace_id)
    VALUES (7, 'b', 11, NULL, 1, 1), (7, 'a', 12, 13, 0, 1);
    INSERT INTO manifest_blobs VALUES (9, 7, 'b');)");
  REQUIRE(meta::migrate(*db, all).ok());
  CHECK(text("SELECT group_concat(digest || size || state || changed_at) FROM blobs") == "a613,b502");
  CHECK(
      text("SELECT group_concat(repository_id || digest || linked_at || COALESCE(loose_since, '-') || hidden "
           "|| namespace_id) FROM repository_blobs") == "7a121301,7b11-11");
  CHECK(text("SELECT group_concat(manifest_id || digest || repository_id) FROM manifest_blobs") == "9b7");
  // And they still hold each other.
  for (const char* sql :
       {"DELETE FROM blobs WHERE digest = 'a'", "DELETE FROM repository_blobs WHERE digest = 'b'"}) {
    CAPTURE(sql);
    CHECK(outcome(db->write([&](meta::Tx& tx) { return tx.execute(sql); })) == "conflict");
  }
}
