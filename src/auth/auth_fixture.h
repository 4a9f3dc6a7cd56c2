// For tests only: an Auth on a database of its own, at a time that stands still.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "auth/auth.h"
#include "base/test_folder.h"

namespace wharfage::auth {

struct Silence final : LogSink {
  void write(std::string_view) override {}
};

struct AuthFixture {
  // With the schemas of rooms above, if a test needs them.
  explicit AuthFixture(std::vector<meta::Migration> migrations = {})
      : db(*meta::open_sqlite(folder.path("meta.db"))) {
    for (const meta::Migration& migration : schema()) migrations.push_back(migration);
    REQUIRE(meta::migrate(*db, migrations).ok());
    ids = std::make_unique<meta::Ids>(*db);
    restart();
  }

  // What a restart keeps is in the database; caches and throttles begin anew.
  void restart() { auth = std::make_unique<Auth>(*db, *ids, vault, clock, log()); }
  Log log() const { return Log(std::make_shared<Silence>(), LogLevel::error); }

  Principal user(const std::string& name, bool administrator = false) {
    auto made = auth->create_user(name, "password of " + name, administrator);
    REQUIRE(made.ok());
    return {.kind = Principal::Kind::user, .id = made->id, .name = name, .administrator = administrator};
  }

  Principal robot(const std::string& name, std::int64_t acts_for_user = 0) {
    auto made = auth->create_robot({.name = name, .acts_for_user = acts_for_user});
    REQUIRE(made.ok());
    return {.kind = Principal::Kind::robot,
            .id = made->first.id,
            .name = made->second.id,
            .acts_for_user = acts_for_user};
  }

  Grant grant(const Principal& who, std::int64_t namespace_id, Role role,
              const std::string& repository = "") {
    auto made = auth->put_grant({.kind = who.kind,
                                 .subject_id = who.id,
                                 .namespace_id = namespace_id,
                                 .repository = repository,
                                 .role = role});
    REQUIRE(made.ok());
    return *made;
  }

  // Every byte the database has on disk, its journal included.
  std::string bytes_on_disk() const {
    std::string all;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      all.append(std::istreambuf_iterator<char>(file), {});
    }
    return all;
  }

  TestFolder folder;
  FrozenClock clock{1'790'000'000'000};
  crypto::Vault vault = crypto::Vault::ephemeral();
  std::unique_ptr<meta::Db> db;
  std::unique_ptr<meta::Ids> ids;
  std::unique_ptr<Auth> auth;
};

// The reason a result failed with, or "ok".
template <class T>
std::string outcome(const Result<T>& result) {
  return result.ok() ? "ok" : std::string(reason_name(result.error().reason));
}

// All that a refusal tells, with "*" for each of the names it was asked by.
template <class T>
std::string told_of(const Result<T>& result, const std::vector<std::string>& names) {
  if (result.ok()) return "ok";
  std::string text = outcome(result) + "|" + result.error().message + "|" + result.error().detail;
  for (const std::string& name : names) {
    for (auto at = text.find(name); at != text.npos; at = text.find(name)) text.replace(at, name.size(), "*");
  }
  return text;
}

}  // namespace wharfage::auth
