// The room's class: sources, rules and builds of repositories, and the job "build.run" that does them. Made
// by node/ after the queue and before it is started; start() takes away what a crashed server has left.
// Events: "build.completed", "build.failed" and "build.canceled", written with the record's end; data is
// {instance, namespace, repository (below the namespace), repository_id, record_id, rule_id, status, tag,
// digest, reference, commit, error, failing_stage, failing_step, actor, started_at, ended_at}. Callers have
// been authorised. Thread-safe, blocking.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/auth.h"
#include "base/log.h"
#include "base/result.h"
#include "base/time.h"
#include "build/model.h"
#include "build/options.h"
#include "crypto/keys.h"
#include "job/queue.h"
#include "meta/db.h"
#include "registry/registry.h"

namespace wharfage::build {

std::vector<meta::Migration> schema();

class Runner;

class Builds {
 public:
  Builds(meta::Db& db, meta::Ids& ids, registry::Registry& registry, auth::Auth& auth, job::Queue& queue,
         const crypto::Vault& vault, const Clock& clock, Options options, Log log);
  ~Builds();

  // Before the queue starts. Removes leftovers and revokes credentials of builds that have ended.
  Status start();
  // Why this machine cannot build, or "": for the console and the server's log.
  std::string obstacle() const;

  // ---- providers: source_provider_unknown, source_provider_exists, conflict (in use), invalid_parameter
  // `secret` is the token or the private key; on update an empty one keeps the old.
  Result<Provider> create_provider(Provider provider, std::string_view secret);
  Result<Provider> update_provider(Provider provider, std::string_view secret);
  Result<Provider> get_provider(std::string_view name);
  Result<Page<Provider>> list_providers(std::int64_t offset, std::int64_t limit);
  Status delete_provider(std::string_view name);

  // ---- what a repository is built from: source_unknown, source_exists, source_provider_unknown
  struct NewSource {
    std::string provider;  // its name; "": the oldest provider of `type`
    std::string type;
    std::string space, name;
    bool disable_cache = false;
  };
  Result<Source> create_source(const registry::Repository& repository, const NewSource& wanted);
  Result<Source> update_source(const registry::Repository& repository, const NewSource& wanted);
  Result<Source> get_source(const registry::Repository& repository);
  Status delete_source(const registry::Repository& repository);

  // ---- rules: build_rule_unknown, invalid_parameter, quota_exceeded
  Result<Rule> create_rule(const registry::Repository& repository, const Recipe& recipe);
  Result<Rule> update_rule(const registry::Repository& repository, std::string_view id, const Recipe& recipe);
  Result<Rule> get_rule(const registry::Repository& repository, std::string_view id);
  Result<Page<Rule>> list_rules(const registry::Repository& repository, std::int64_t offset,
                                std::int64_t limit);
  Status delete_rule(const registry::Repository& repository, std::string_view id);

  // ---- builds: build_record_unknown, build_finished, source_unknown, quota_exceeded
  Result<Record> build(const registry::Repository& repository, std::string_view rule_id,
                       const auth::Principal& who);
  Result<Record> build_again(const Record& record, const auth::Principal& who);
  Result<Record> get_record(std::string_view id);  // UUID in any case
  // The builds that made this image, newest first, at most 20.
  Result<std::vector<Record>> records_of(std::int64_t repository_id, std::string_view digest);
  Result<Page<Record>> list_records(const registry::Repository& repository, std::int64_t offset,
                                    std::int64_t limit);  // newest first
  Result<job::Queue::LogPage> log(const Record& record, std::int64_t offset, std::int64_t limit);
  Status cancel(const Record& record);

  registry::Registry& registry() { return x_registry; }

 private:
  Result<Source> source_of(const registry::Repository& repository, const NewSource& wanted);
  Result<Record> enqueue(const registry::Repository& repository, const std::string& rule_id,
                         const Recipe& recipe, const auth::Principal& who);
  Status forget_repository(meta::Tx& tx, const job::Event& event);

  meta::Db& x_db;
  meta::Ids& x_ids;
  registry::Registry& x_registry;
  auth::Auth& x_auth;
  job::Queue& x_queue;
  const crypto::Vault& x_vault;
  const Clock& x_clock;
  const Options x_options;
  const Log x_log;
  std::unique_ptr<Runner> x_runner;
};

}  // namespace wharfage::build
