#include "auth/records.h"

#include "auth/numbers.h"

namespace wharfage::auth::records {
namespace {

template <class T>
Result<std::optional<T>> first_as(meta::Tx& tx, std::string_view sql, const meta::Arguments& arguments,
                                  T (*read)(const meta::Row&)) {
  TRY(auto row, tx.first(sql, arguments));
  if (!row) return std::optional<T>();
  return std::optional<T>(read(*row));
}

template <class T>
Result<std::vector<T>> all_as(meta::Tx& tx, std::string_view sql, const meta::Arguments& arguments,
                              T (*read)(const meta::Row&)) {
  TRY(auto rows, tx.query(sql, arguments));
  std::vector<T> items;
  items.reserve(rows.size());
  for (const meta::Row& row : rows) items.push_back(read(row));
  return items;
}

Result<std::int64_t> number(meta::Tx& tx, std::string_view sql, const meta::Arguments& arguments) {
  TRY(auto row, tx.first(sql, arguments));
  return row ? row->integer(0) : 0;
}

Status run(meta::Tx& tx, std::string_view sql, const meta::Arguments& arguments) {
  TRY_STATUS(tx.execute(sql, arguments));
  return {};
}

Result<bool> changed(meta::Tx& tx, std::string_view sql, const meta::Arguments& arguments) {
  TRY(std::int64_t count, tx.execute(sql, arguments));
  return count > 0;
}

std::int64_t id_at(const meta::Row& row) {
  return row.integer(0);
}

Subject subject_at(const meta::Row& row) {
  return {.kind = kind_of_number(row.integer(0)), .id = row.integer(1)};
}

User user_at(const meta::Row& row) {
  return {.id = row.integer(0),
          .name = row.text(1),
          .public_id = row.text(2),
          .administrator = row.integer(3) != 0,
          .enabled = row.integer(4) != 0,
          .created_at = row.integer(5)};
}

UserRow user_row_at(const meta::Row& row) {
  return {.user = user_at(row), .password = row.text(6)};
}

Robot robot_at(const meta::Row& row) {
  return {.id = row.integer(0),
          .name = row.text(1),
          .description = row.text(2),
          .enabled = row.integer(3) != 0,
          .expires_at = row.optional_integer(4),
          .created_at = row.integer(5)};
}

RobotRow robot_row_at(const meta::Row& row) {
  return {.robot = robot_at(row), .secret_hash = row.text(6), .acts_for_user = row.integer(7)};
}

}  // namespace

// ---- users

Result<bool> insert_user(meta::Tx& tx, const UserRow& row) {
  const User& user = row.user;
  return changed(
      tx, R"sql(
      INSERT INTO auth_users (id, name, public_id, administrator, enabled, created_at, password)
      VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (name) DO NOTHING
    )sql",
      {user.id, user.name, user.public_id, user.administrator, user.enabled, user.created_at, row.password});
}

Result<std::optional<UserRow>> find_user(meta::Tx& tx, std::string_view name) {
  return first_as(tx, R"sql(
      SELECT id, name, public_id, administrator, enabled, created_at, password
      FROM auth_users WHERE name = $1
    )sql",
                  {name}, user_row_at);
}

Result<std::optional<UserRow>> find_user(meta::Tx& tx, std::int64_t id) {
  return first_as(tx, R"sql(
      SELECT id, name, public_id, administrator, enabled, created_at, password
      FROM auth_users WHERE id = $1
    )sql",
                  {id}, user_row_at);
}

Result<std::vector<User>> list_users(meta::Tx& tx, std::int64_t offset, std::int64_t limit) {
  return all_as(tx, R"sql(
      SELECT id, name, public_id, administrator, enabled, created_at
      FROM auth_users ORDER BY name LIMIT $1 OFFSET $2
    )sql",
                {limit, offset}, user_at);
}

Result<std::int64_t> count_users(meta::Tx& tx) {
  return number(tx, R"sql( SELECT COUNT(*) FROM auth_users )sql", {});
}

Result<bool> any_user(meta::Tx& tx) {
  TRY(auto row, tx.first(R"sql( SELECT id FROM auth_users LIMIT 1 )sql"));
  return row.has_value();
}

Status update_user(meta::Tx& tx, const UserRow& row) {
  return run(tx, R"sql(
      UPDATE auth_users SET password = $2, administrator = $3, enabled = $4 WHERE id = $1
    )sql",
             {row.user.id, row.password, row.user.administrator, row.user.enabled});
}

Result<bool> other_administrator(meta::Tx& tx, std::int64_t but_id) {
  TRY(auto row, tx.first(R"sql(
      SELECT id FROM auth_users WHERE administrator = 1 AND enabled = 1 AND id <> $1 LIMIT 1
    )sql",
                         {but_id}));
  return row.has_value();
}

Status delete_user(meta::Tx& tx, std::int64_t id) {
  Subject user{Principal::Kind::user, id};
  TRY_STATUS(delete_grants_of(tx, user));
  TRY_STATUS(delete_sessions_of(tx, user));
  TRY_STATUS(run(tx, R"sql( DELETE FROM auth_access_keys WHERE user_id = $1 )sql", {id}));
  return run(tx, R"sql( DELETE FROM auth_users WHERE id = $1 )sql", {id});
}

// ---- robots

Result<bool> insert_robot(meta::Tx& tx, const RobotRow& row) {
  const Robot& robot = row.robot;
  return changed(tx, R"sql(
      INSERT INTO auth_robots
        (id, name, description, enabled, expires_at, created_at, secret_hash, acts_for_user)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (name) DO NOTHING
    )sql",
                 {robot.id, robot.name, robot.description, robot.enabled, robot.expires_at, robot.created_at,
                  row.secret_hash, row.acts_for_user});
}

Result<std::optional<RobotRow>> find_robot(meta::Tx& tx, std::string_view name) {
  return first_as(tx, R"sql(
      SELECT id, name, description, enabled, expires_at, created_at, secret_hash, acts_for_user
      FROM auth_robots WHERE name = $1
    )sql",
                  {name}, robot_row_at);
}

Result<std::optional<RobotRow>> find_robot(meta::Tx& tx, std::int64_t id) {
  return first_as(tx, R"sql(
      SELECT id, name, description, enabled, expires_at, created_at, secret_hash, acts_for_user
      FROM auth_robots WHERE id = $1
    )sql",
                  {id}, robot_row_at);
}

Result<std::vector<Robot>> list_robots(meta::Tx& tx, std::int64_t offset, std::int64_t limit) {
  return all_as(tx, R"sql(
      SELECT id, name, description, enabled, expires_at, created_at
      FROM auth_robots WHERE acts_for_user = 0 ORDER BY name LIMIT $1 OFFSET $2
    )sql",
                {limit, offset}, robot_at);
}

Result<std::int64_t> count_robots(meta::Tx& tx) {
  return number(tx, R"sql( SELECT COUNT(*) FROM auth_robots WHERE acts_for_user = 0 )sql", {});
}

Result<std::vector<std::int64_t>> robots_acting_for(meta::Tx& tx, std::int64_t user_id) {
  return all_as(tx, R"sql( SELECT id FROM auth_robots WHERE acts_for_user = $1 ORDER BY name )sql", {user_id},
                id_at);
}

Result<std::vector<std::int64_t>> expired_robots(meta::Tx& tx, TimeMs now, std::int64_t limit) {
  return all_as(tx, R"sql(
      SELECT id FROM auth_robots WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2
    )sql",
                {now, limit}, id_at);
}

Status delete_robot(meta::Tx& tx, std::int64_t id) {
  Subject robot{Principal::Kind::robot, id};
  TRY_STATUS(delete_grants_of(tx, robot));
  TRY_STATUS(delete_sessions_of(tx, robot));
  return run(tx, R"sql( DELETE FROM auth_robots WHERE id = $1 )sql", {id});
}

// ---- grants

namespace {

// Columns 0-4: where and what; the subject's name, if asked for, is column 6.
Grant grant_at(const meta::Row& row) {
  Grant grant{.id = row.integer(0),
              .kind = kind_of_number(row.integer(1)),
              .subject_id = row.integer(2),
              .namespace_id = row.integer(3),
              .repository = row.text(4),
              .role = role_of_number(row.integer(5))};
  if (row.size() > 6) grant.subject_name = row.text(6);
  return grant;
}

}  // namespace

Result<std::int64_t> upsert_grant(meta::Tx& tx, const Grant& grant) {
  return number(tx, R"sql(
      INSERT INTO auth_grants (id, subject_kind, subject_id, namespace_id, repository, role)
      VALUES ($1, $2, $3, $4, $5, $6)
      ON CONFLICT (subject_kind, subject_id, namespace_id, repository) DO UPDATE SET role = excluded.role
      RETURNING id
    )sql",
                {grant.id, number_of(grant.kind), grant.subject_id, grant.namespace_id, grant.repository,
                 number_of(grant.role)});
}

Result<std::optional<Grant>> find_grant(meta::Tx& tx, std::int64_t id) {
  return first_as(tx, R"sql(
      SELECT g.id, g.subject_kind, g.subject_id, g.namespace_id, g.repository, g.role,
             COALESCE(u.name, r.name)
      FROM auth_grants g
      LEFT JOIN auth_users u ON g.subject_kind = 1 AND u.id = g.subject_id
      LEFT JOIN auth_robots r ON g.subject_kind = 2 AND r.id = g.subject_id
      WHERE g.id = $1
    )sql",
                  {id}, grant_at);
}

Result<std::vector<Grant>> list_grants(meta::Tx& tx, std::int64_t limit) {
  return all_as(tx, R"sql(
      SELECT g.id, g.subject_kind, g.subject_id, g.namespace_id, g.repository, g.role,
             COALESCE(u.name, r.name)
      FROM auth_grants g
      LEFT JOIN auth_users u ON g.subject_kind = 1 AND u.id = g.subject_id
      LEFT JOIN auth_robots r ON g.subject_kind = 2 AND r.id = g.subject_id
      WHERE COALESCE(r.acts_for_user, 0) = 0
      ORDER BY g.namespace_id, g.repository, g.id LIMIT $1
    )sql",
                {limit}, grant_at);
}

Result<std::vector<Grant>> grants_in(meta::Tx& tx, std::int64_t namespace_id, std::int64_t limit) {
  return all_as(tx, R"sql(
      SELECT g.id, g.subject_kind, g.subject_id, g.namespace_id, g.repository, g.role,
             COALESCE(u.name, r.name)
      FROM auth_grants g
      LEFT JOIN auth_users u ON g.subject_kind = 1 AND u.id = g.subject_id
      LEFT JOIN auth_robots r ON g.subject_kind = 2 AND r.id = g.subject_id
      WHERE g.namespace_id = $1 AND COALESCE(r.acts_for_user, 0) = 0
      ORDER BY g.repository, g.id LIMIT $2
    )sql",
                {namespace_id, limit}, grant_at);
}

Result<std::vector<Grant>> grants_of(meta::Tx& tx, const Subject& subject) {
  return all_as(tx, R"sql(
      SELECT id, subject_kind, subject_id, namespace_id, repository, role
      FROM auth_grants WHERE subject_kind = $1 AND subject_id = $2 ORDER BY namespace_id, repository
    )sql",
                {number_of(subject.kind), subject.id}, grant_at);
}

Result<std::int64_t> count_grants(meta::Tx& tx, const Subject& subject) {
  return number(tx, R"sql(
      SELECT COUNT(*) FROM auth_grants WHERE subject_kind = $1 AND subject_id = $2
    )sql",
                {number_of(subject.kind), subject.id});
}

Result<bool> delete_grant(meta::Tx& tx, std::int64_t id) {
  return changed(tx, R"sql( DELETE FROM auth_grants WHERE id = $1 )sql", {id});
}

Status delete_grants_of(meta::Tx& tx, const Subject& subject) {
  return run(tx, R"sql( DELETE FROM auth_grants WHERE subject_kind = $1 AND subject_id = $2 )sql",
             {number_of(subject.kind), subject.id});
}

Result<std::vector<Subject>> delete_grants_at(meta::Tx& tx, std::int64_t namespace_id,
                                              std::string_view repository) {
  return all_as(tx, R"sql(
      DELETE FROM auth_grants WHERE namespace_id = $1 AND ($2 = '' OR repository = $2)
      RETURNING subject_kind, subject_id
    )sql",
                {namespace_id, repository}, subject_at);
}

}  // namespace wharfage::auth::records
