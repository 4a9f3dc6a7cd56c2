// What an account may do as of now: whether it is active, an administrator, and which grants it holds. Kept
// in memory per account so that authorising costs no SQL; dropped on every change of the account, and read
// again after credential_cache_lifetime_ms for changes that another node made. Thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/lru.h"
#include "auth/records.h"
#include "base/limits.h"

namespace wharfage::auth {

struct Standing {
  bool active = false, administrator = false;
  std::optional<TimeMs> expires_at;
  std::int64_t acts_for_user = 0;
  std::string name;           // as a principal shows it
  std::vector<Grant> grants;  // ordered by namespace
  TimeMs read_at = 0;

  bool active_at(TimeMs now) const { return active && (!expires_at || now < *expires_at); }
  bool allows(Access access, const Resource& on) const;
  void add_readable_namespaces(std::vector<std::int64_t>& ids) const;
  Principal principal(const records::Subject& subject) const;
};

// Of an account that does not exist: not active.
Result<Standing> read_standing(meta::Tx& tx, const records::Subject& subject);

class Standings {
 public:
  Standings(meta::Db& db, const Clock& clock) : x_db(db), x_clock(clock) {}

  Result<std::shared_ptr<const Standing>> of(const records::Subject& subject);
  void drop(const records::Subject& subject);

 private:
  static std::string key(const records::Subject& subject);

  meta::Db& x_db;
  const Clock& x_clock;
  Lru<std::shared_ptr<const Standing>> x_known{limits::standing_cache_max};
};

}  // namespace wharfage::auth
