#include "auth/standing.h"

#include <algorithm>

#include "auth/names.h"
#include "auth/numbers.h"

namespace wharfage::auth {

bool Standing::allows(Access access, const Resource& on) const {
  auto needed = role_needed(access);
  if (!needed || on.namespace_id == 0) return false;
  auto before = [](const Grant& grant, std::int64_t id) { return grant.namespace_id < id; };
  auto grant = std::lower_bound(grants.begin(), grants.end(), on.namespace_id, before);
  for (; grant != grants.end() && grant->namespace_id == on.namespace_id; ++grant) {
    bool covers = grant->repository.empty() || grant->repository == on.name;
    if (covers && grant->role >= *needed) return true;
  }
  return false;
}

void Standing::add_readable_namespaces(std::vector<std::int64_t>& ids) const {
  for (const Grant& grant : grants) {
    if (grant.repository.empty()) ids.push_back(grant.namespace_id);
  }
}

Principal Standing::principal(const records::Subject& subject) const {
  return {.kind = subject.kind,
          .id = subject.id,
          .name = name,
          .administrator = administrator,
          .acts_for_user = acts_for_user};
}

Result<Standing> read_standing(meta::Tx& tx, const records::Subject& subject) {
  Standing standing;
  if (subject.kind == Principal::Kind::user) {
    TRY(auto row, records::find_user(tx, subject.id));
    if (!row || !row->user.enabled) return standing;
    standing.administrator = row->user.administrator;
    standing.name = row->user.name;
  } else {
    TRY(auto row, records::find_robot(tx, subject.id));
    if (!row || !row->robot.enabled) return standing;
    standing.name = std::string(robot_prefix) + row->robot.name;
    standing.expires_at = row->robot.expires_at;
    standing.acts_for_user = row->acts_for_user;
  }
  standing.active = true;
  TRY(standing.grants, records::grants_of(tx, subject));
  return standing;
}

std::string Standings::key(const records::Subject& subject) {
  return std::to_string(number_of(subject.kind)) + ":" + std::to_string(subject.id);
}

Result<std::shared_ptr<const Standing>> Standings::of(const records::Subject& subject) {
  std::string name = key(subject);
  TimeMs now = x_clock.now();
  if (auto known = x_known.find(name)) {
    TimeMs age = now - (*known)->read_at;
    if (age >= 0 && age < limits::credential_cache_lifetime_ms) return *std::move(known);
  }
  std::uint64_t version = x_known.version();
  TRY(Standing read, x_db.read([&](meta::Tx& tx) { return read_standing(tx, subject); }));
  read.read_at = now;
  auto standing = std::make_shared<const Standing>(std::move(read));
  x_known.put(name, standing, version);
  return std::shared_ptr<const Standing>(standing);
}

void Standings::drop(const records::Subject& subject) {
  x_known.erase(key(subject));
}

}  // namespace wharfage::auth
