// Users: the part of Auth that people's accounts are kept with.
#include "auth/auth.h"
#include "auth/names.h"
#include "auth/state.h"
#include "base/random.h"

namespace wharfage::auth {
namespace {

Error last_administrator() {
  return fail(Reason::conflict, "the last administrator must stay");
}

Result<records::UserRow> need_user(meta::Tx& tx, std::string_view name) {
  TRY(auto row, records::find_user(tx, name));
  if (!row) return fail(Reason::user_unknown);
  return *std::move(row);
}

// Neither disabling, demoting nor deleting may leave nobody in charge.
Status keep_an_administrator(meta::Tx& tx, const User& before) {
  if (!before.administrator || !before.enabled) return {};
  TRY(bool other, records::other_administrator(tx, before.id));
  return other ? Status() : last_administrator();
}

}  // namespace

Result<bool> Auth::ensure_admin(std::string_view password) {
  TRY(bool exists, x_state->db.read([](meta::Tx& tx) { return records::any_user(tx); }));
  if (exists) return false;
  TRY_STATUS(check_new_password(password));
  TRY(std::string hash, crypto::hash_password(password));
  TRY(std::int64_t id, x_state->ids.next("user"));
  records::UserRow row{.user = {.id = id,
                                .name = "admin",
                                .public_id = random_hex(16),
                                .administrator = true,
                                .created_at = x_state->clock.now()},
                       .password = std::move(hash)};
  return x_state->db.write([&](meta::Tx& tx) -> Result<bool> {
    TRY(bool meanwhile, records::any_user(tx));
    if (meanwhile) return false;
    return records::insert_user(tx, row);
  });
}

Result<User> Auth::create_user(std::string_view name, std::string_view password, bool administrator) {
  TRY_STATUS(check_account_name(name));
  TRY_STATUS(check_new_password(password));
  TRY(std::string hash, crypto::hash_password(password));
  TRY(std::int64_t id, x_state->ids.next("user"));
  records::UserRow row{.user = {.id = id,
                                .name = std::string(name),
                                .public_id = random_hex(16),
                                .administrator = administrator,
                                .created_at = x_state->clock.now()},
                       .password = std::move(hash)};
  TRY(bool added, x_state->db.write([&](meta::Tx& tx) { return records::insert_user(tx, row); }));
  if (!added) return fail(Reason::user_exists);
  return row.user;
}

Result<User> Auth::get_user(std::string_view name) {
  return x_state->db.read([&](meta::Tx& tx) -> Result<User> {
    TRY(auto row, need_user(tx, name));
    return std::move(row.user);
  });
}

Result<User> Auth::get_user(std::int64_t id) {
  return x_state->db.read([&](meta::Tx& tx) -> Result<User> {
    TRY(auto row, records::find_user(tx, id));
    if (!row) return fail(Reason::user_unknown);
    return std::move(row->user);
  });
}

Result<Page<User>> Auth::list_users(std::int64_t offset, std::int64_t limit) {
  return x_state->db.read([&](meta::Tx& tx) -> Result<Page<User>> {
    Page<User> page;
    TRY(page.items, records::list_users(tx, page_offset(offset), page_limit(limit)));
    TRY(page.total, records::count_users(tx));
    return page;
  });
}

Status Auth::update_user(std::string_view name, std::optional<std::string> password,
                         std::optional<bool> administrator, std::optional<bool> enabled) {
  std::string hash;
  if (password) {
    TRY_STATUS(check_new_password(*password));
    TRY(hash, crypto::hash_password(*password));
  }
  TRY(std::int64_t id, x_state->db.write([&](meta::Tx& tx) -> Result<std::int64_t> {
    TRY(auto row, need_user(tx, name));
    const User before = row.user;
    row.user.administrator = administrator.value_or(before.administrator);
    row.user.enabled = enabled.value_or(before.enabled);
    if (!row.user.administrator || !row.user.enabled) TRY_STATUS(keep_an_administrator(tx, before));
    if (password) row.password = hash;
    TRY_STATUS(records::update_user(tx, row));
    if (password || !row.user.enabled) {
      TRY_STATUS(records::delete_sessions_of(tx, {Principal::Kind::user, before.id}));
      TRY_STATUS(records::delete_temporary_access_keys(tx, before.id));
    }
    return before.id;
  }));
  x_state->changed({Principal::Kind::user, id});
  return {};
}

Status Auth::delete_user(std::string_view name) {
  TRY(auto gone, x_state->db.write([&](meta::Tx& tx) -> Result<std::vector<records::Subject>> {
    TRY(auto row, need_user(tx, name));
    TRY_STATUS(keep_an_administrator(tx, row.user));
    records::Subject user{Principal::Kind::user, row.user.id};
    std::vector<records::Subject> subjects{user};
    TRY(auto robots, records::robots_acting_for(tx, row.user.id));
    for (std::int64_t robot : robots) {
      TRY_STATUS(records::delete_robot(tx, robot));
      subjects.push_back({Principal::Kind::robot, robot});
    }
    TRY_STATUS(records::delete_user(tx, row.user.id));
    return subjects;
  }));
  for (const records::Subject& subject : gone) x_state->changed(subject);
  return {};
}

}  // namespace wharfage::auth
