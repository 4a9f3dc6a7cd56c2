// The job "build.run": one build from its record to its end. Straight-line: clone, build, push, verify,
// settle. Whatever happens, the sandbox is gone and the one-build credential revoked before the record ends.
// Only an interruption (the server ends, the lease is lost) runs a build again, once and under the same
// record; every other failure is final.
#pragma once

#include <string>

#include "auth/auth.h"
#include "build/model.h"
#include "build/options.h"
#include "build/stores.h"
#include "crypto/keys.h"
#include "job/queue.h"
#include "registry/registry.h"

namespace wharfage::build {

inline constexpr const char* job_kind = "build.run";

class Runner {
 public:
  Runner(meta::Db& db, registry::Registry& registry, auth::Auth& auth, const crypto::Vault& vault,
         const Clock& clock, const Options& options, Log log);

  job::Kind kind();
  Status recover();  // before the queue starts
  static std::string payload(const std::string& record_id);
  static std::string secret_purpose(std::int64_t provider_id);

 private:
  friend class Attempt;
  Status run(job::Run& run);
  Status settle(meta::Tx& tx, const job::Job& job, const Error& error);
  Status emit(meta::Tx& tx, const Record& record);

  meta::Db& x_db;
  registry::Registry& x_registry;
  auth::Auth& x_auth;
  const crypto::Vault& x_vault;
  const Clock& x_clock;
  const Options& x_options;
  const Log x_log;
  Stores x_stores;
};

}  // namespace wharfage::build
