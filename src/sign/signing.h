// Signing that cosign can verify: policies name what in a namespace is signed with which key; running one
// makes an execution, one task per repository, one sub-task and one signature per digest. A signature is one
// manifest, both the tag sha256-<hex>.sig and an OCI referrer of what it signs. Keys never leave this room
// unsealed. Callers have been authorised. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/keys.h"
#include "job/queue.h"
#include "meta/db.h"
#include "registry/registry.h"

namespace wharfage::sign {

std::vector<meta::Migration> schema();

struct Key {
  std::string uuid, name, public_pem;
  TimeMs created_at = 0;
};

// SWR's SignRuleSelector; `kind` is "doublestar".
struct Selector {
  std::string kind, decoration, pattern, extras;
};
struct ScopeRule {
  std::vector<Selector> tags;
  std::vector<Selector> repositories;
  std::string repo_scope_mode;
};

struct Policy {
  std::int64_t id = 0;
  std::int64_t namespace_id = 0;
  std::string namespace_name, name, description;
  bool enabled = true;
  std::string algorithm = "ECDSA_SHA_256";
  std::string key_uuid;
  std::string trigger = "manual";  // manual, scheduled, event_based
  std::string cron;                // six fields, UTC; only when scheduled
  std::vector<ScopeRule> rules;
  std::string creator;
  TimeMs created_at = 0, updated_at = 0;
};

struct Execution {
  std::int64_t id = 0, policy_id = 0;
  std::string status, status_text;  // InProgress, Succeed, Failed, Stopped
  std::string cause;                // manual, scheduled, event_based
  std::int64_t total = 0, succeed = 0, failed = 0, in_progress = 0, stopped = 0;  // tasks
  TimeMs created_at = 0, updated_at = 0;
};

struct Task {
  std::int64_t id = 0, execution_id = 0;
  std::string job_id, status, status_text;  // Initialized, InProgress, Success, Failed, Stopped
  std::string namespace_name, repository;
  TimeMs created_at = 0, updated_at = 0;
};

struct SubTask {
  std::int64_t id = 0;
  std::string job_id, tags, digest;  // tags joined with ','
  std::string status, status_text;   // Initialized, InProgress, Succeed, Failed, Stopped
  std::string namespace_name, repository;
  TimeMs created_at = 0, updated_at = 0;
};

struct Signature {
  std::string digest, key_uuid, key_name, signature_digest;
  std::int64_t execution_id = 0;
  TimeMs signed_at = 0;
};

template <class T>
using Page = registry::Page<T>;
using registry::Slice;

class Signing {
 public:
  struct Options {
    std::string registry_host;  // stands in signatures as docker-reference: "registry.example:5000"
    int concurrency = 4;
  };
  Signing(registry::Registry& registry, meta::Ids& ids, job::Queue& queue, const crypto::Vault& vault,
          Options options);
  void start();  // adds the job kinds and subscribes to pushes; before the queue starts

  // ---- keys: signing_key_exists, signing_key_unknown, conflict (in use), name_invalid
  Result<Key> create_key(std::string_view name);
  Result<Key> get_key(std::string_view uuid);
  Result<std::vector<Key>> list_keys();
  Status delete_key(std::string_view uuid);

  // ---- policies: sign_policy_unknown, sign_policy_exists, invalid_parameter
  Result<Policy> create_policy(Policy policy);
  Result<Policy> get_policy(std::int64_t namespace_id, std::int64_t id);
  Result<Page<Policy>> list_policies(const std::optional<std::vector<std::int64_t>>& readable, Slice slice);
  Status update_policy(Policy policy);  // by namespace and id
  Status delete_policy(std::int64_t namespace_id, std::int64_t id);

  // ---- running: sign_policy_disabled
  Result<std::int64_t> execute(const Policy& policy, std::string_view cause);
  Result<Page<Execution>> list_executions(std::int64_t policy_id, Slice slice);  // newest first
  Result<Execution> get_execution(std::int64_t policy_id, std::int64_t id);      // execution_unknown
  Result<Page<Task>> list_tasks(std::int64_t execution_id, Slice slice);
  Result<Page<SubTask>> list_sub_tasks(std::int64_t execution_id, std::int64_t task_id,
                                       std::string_view status,
                                       Slice slice);  // task_unknown
  Result<std::vector<Signature>> signatures_of(std::int64_t repository_id, const std::string& digest);

  registry::Registry& registry() { return x_registry; }

  // Starts what is due by schedule; called about every ten seconds.
  Status tick();

 private:
  // ---- jobs (execution.cc)
  Status run_event(job::Run& run);       // a push that a policy waits for: one execution with one task
  Status run_plan(job::Run& run);        // finds the repositories of an execution
  Status run_repository(job::Run& run);  // signs what is selected in one repository
  Status on_push(meta::Tx& tx, const job::Event& event);
  Status on_delete(meta::Tx& tx, const job::Event& event);
  Status start_execution(meta::Tx& tx, std::int64_t id, const Policy& policy, std::string_view origin,
                         std::string_view cause);
  Status add_task(meta::Tx& tx, std::int64_t id, std::int64_t execution_id,
                  const registry::Repository& repository, std::string_view only_tag);
  Status finish_if_done(meta::Tx& tx, std::int64_t execution_id);
  Status settle_plan(meta::Tx& tx, const job::Job& job, const Error& error);
  Status settle_task(meta::Tx& tx, const job::Job& job, const Error& error);
  Result<crypto::EcdsaKey> load_key(const std::string& uuid);

  registry::Registry& x_registry;
  meta::Ids& x_ids;
  job::Queue& x_queue;
  const crypto::Vault& x_vault;
  Options x_options;
};

// Whether a policy's rules select this repository (its name below the namespace) and tag ("" = untagged).
bool selects_repository(const Policy& policy, std::string_view repository);
bool selects_tag(const Policy& policy, std::string_view repository, std::string_view tag);
Status check_policy(const Policy& policy);  // invalid_parameter, unsupported

}  // namespace wharfage::sign
