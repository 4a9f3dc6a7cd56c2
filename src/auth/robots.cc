// Robots and grants: the parts of Auth that machines' accounts and everybody's roles are kept with.
#include "auth/auth.h"
#include "auth/names.h"
#include "auth/state.h"

namespace wharfage::auth {
namespace {

// A role for an account that does not exist would come true when its number is used again.
Result<std::string> need_subject(meta::Tx& tx, const records::Subject& subject) {
  if (subject.kind == Principal::Kind::user) {
    TRY(auto row, records::find_user(tx, subject.id));
    if (!row) return fail(Reason::user_unknown);
    return std::move(row->user.name);
  }
  TRY(auto row, records::find_robot(tx, subject.id));
  if (!row) return fail(Reason::robot_unknown);
  return std::move(row->robot.name);
}

Result<std::int64_t> subject_named(meta::Tx& tx, Principal::Kind kind, std::string_view name) {
  if (kind == Principal::Kind::user) {
    TRY(auto row, records::find_user(tx, name));
    if (!row) return fail(Reason::user_unknown);
    return row->user.id;
  }
  if (name.starts_with(robot_prefix)) name.remove_prefix(robot_prefix.size());
  TRY(auto row, records::find_robot(tx, name));
  if (!row) return fail(Reason::robot_unknown);
  return row->robot.id;
}

Result<Grant> add_grant(meta::Tx& tx, Grant grant) {
  if (grant.subject_id == 0) {
    TRY(grant.subject_id, subject_named(tx, grant.kind, grant.subject_name));
  }
  records::Subject subject{grant.kind, grant.subject_id};
  TRY(grant.subject_name, need_subject(tx, subject));
  TRY(grant.id, records::upsert_grant(tx, grant));
  TRY(std::int64_t count, records::count_grants(tx, subject));
  if (count > static_cast<std::int64_t>(limits::grants_per_subject_max)) return fail(Reason::quota_exceeded);
  return grant;
}

}  // namespace

Result<std::pair<Robot, Secret>> Auth::create_robot(const NewRobot& robot) {
  TRY_STATUS(check_account_name(robot.name));
  TRY_STATUS(check_description(robot.description));
  TimeMs now = x_state->clock.now();
  if (robot.expires_at && *robot.expires_at <= now) {
    return fail(Reason::invalid_parameter, "the robot would have expired already", "expires_at");
  }
  TRY(std::int64_t id, x_state->ids.next("robot"));
  Secret secret{std::string(robot_prefix) + robot.name, random_secret()};
  records::RobotRow row{.robot = {.id = id,
                                  .name = robot.name,
                                  .description = robot.description,
                                  .expires_at = robot.expires_at,
                                  .created_at = now},
                        .secret_hash = secret_hash(secret.secret),
                        .acts_for_user = robot.acts_for_user};
  TRY_STATUS(x_state->db.write([&](meta::Tx& tx) -> Status {
    if (row.acts_for_user != 0) TRY_STATUS(need_subject(tx, {Principal::Kind::user, row.acts_for_user}));
    TRY(bool added, records::insert_robot(tx, row));
    return added ? Status() : fail(Reason::robot_exists);
  }));
  return std::pair(std::move(row.robot), std::move(secret));
}

Result<Robot> Auth::get_robot(std::string_view name) {
  return x_state->db.read([&](meta::Tx& tx) -> Result<Robot> {
    TRY(auto row, records::find_robot(tx, name));
    if (!row) return fail(Reason::robot_unknown);
    return std::move(row->robot);
  });
}

Result<Page<Robot>> Auth::list_robots(std::int64_t offset, std::int64_t limit) {
  return x_state->db.read([&](meta::Tx& tx) -> Result<Page<Robot>> {
    Page<Robot> page;
    TRY(page.items, records::list_robots(tx, page_offset(offset), page_limit(limit)));
    TRY(page.total, records::count_robots(tx));
    return page;
  });
}

Status Auth::delete_robot(std::string_view name) {
  TRY(std::int64_t id, x_state->db.write([&](meta::Tx& tx) -> Result<std::int64_t> {
    TRY(auto row, records::find_robot(tx, name));
    if (!row) return fail(Reason::robot_unknown);
    TRY_STATUS(records::delete_robot(tx, row->robot.id));
    return row->robot.id;
  }));
  x_state->changed({Principal::Kind::robot, id});
  return {};
}

// ---- grants

Result<Grant> Auth::put_grant(const Grant& grant) {
  TRY_STATUS(check_grant_repository(grant.repository));
  bool account = grant.kind == Principal::Kind::user || grant.kind == Principal::Kind::robot;
  if (!account) return fail(Reason::invalid_parameter, "a grant belongs to a user or a robot", "kind");
  if (grant.namespace_id <= 0) return fail(Reason::namespace_unknown);
  Grant wanted = grant;
  TRY(wanted.id, x_state->ids.next("grant"));
  TRY(Grant added, x_state->db.write([&](meta::Tx& tx) { return add_grant(tx, wanted); }));
  x_state->changed({added.kind, added.subject_id});
  return added;
}

Result<Grant> Auth::get_grant(std::int64_t id) {
  return x_state->db.read([&](meta::Tx& tx) -> Result<Grant> {
    TRY(auto grant, records::find_grant(tx, id));
    if (!grant) return fail(Reason::grant_unknown);
    return *std::move(grant);
  });
}

Result<std::vector<Grant>> Auth::list_grants(std::int64_t namespace_id) {
  return x_state->db.read([&](meta::Tx& tx) {
    constexpr std::int64_t all = limits::list_page_max;
    return namespace_id == 0 ? records::list_grants(tx, all) : records::grants_in(tx, namespace_id, all);
  });
}

Status Auth::delete_grant(std::int64_t id) {
  TRY(Grant gone, x_state->db.write([&](meta::Tx& tx) -> Result<Grant> {
    TRY(auto grant, records::find_grant(tx, id));
    if (!grant) return fail(Reason::grant_unknown);
    TRY_STATUS(records::delete_grant(tx, id));
    return *std::move(grant);
  }));
  x_state->changed({gone.kind, gone.subject_id});
  return {};
}

Status Auth::drop_grants(std::int64_t namespace_id, std::string_view repository) {
  TRY(auto subjects, x_state->db.write([&](meta::Tx& tx) {
    return records::delete_grants_at(tx, namespace_id, repository);
  }));
  for (const records::Subject& subject : subjects) x_state->changed(subject);
  return {};
}

}  // namespace wharfage::auth
