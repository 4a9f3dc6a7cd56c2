// The operations of accounts.h that authorise themselves: the caller's access keys, password and sessions.
#include "op/accounts.h"

#include "auth/names.h"

namespace wharfage::op::accounts {
namespace {

using auth::Principal;

auth::Resource own(const Context& context, std::string_view what) {
  return {.name = "users/" + context.who.name + "/" + std::string(what)};
}

// The caller, when he is a user whose account is good as of now.
Status need_user(const Context& context) {
  if (context.who.kind == Principal::Kind::anonymous) return fail(Reason::unauthenticated);
  if (context.who.kind != Principal::Kind::user) return fail(Reason::denied);
  return context.auth.authorise(context.who, auth::Access::read, {});
}

bool administers(const Context& context) {
  return context.auth.authorise(context.who, auth::Access::administer, {}).ok();
}

// Whose keys are meant: the caller's own, or, for administrators, somebody else's.
Result<std::int64_t> keys_of(auth::Auth& room, const Context& context, const std::string& user) {
  if (!administers(context)) {
    TRY_STATUS(need_user(context));
    if (!user.empty() && user != context.who.name) return fail(Reason::denied);
    return context.who.id;
  }
  if (!user.empty()) {
    TRY(auth::User other, room.get_user(user));
    return other.id;
  }
  TRY_STATUS(need_user(context));
  return context.who.id;
}

// A key that is not the caller's is reported like one that is not there.
Result<auth::AccessKey> reachable_key(auth::Auth& room, const Context& context, const std::string& id) {
  bool all = administers(context);
  if (!all) TRY_STATUS(need_user(context));
  TRY(auth::AccessKey key, room.get_access_key(id));
  if (!all && key.user_id != context.who.id) {
    return fail(Reason::not_found, "the access key does not exist");
  }
  return key;
}

}  // namespace

// ---- access keys

Result<auth::Resource> ListAccessKeys::resource(auth::Auth&, Context& context, const Request&) {
  return own(context, "access-keys");
}

Result<ListAccessKeys::Response> ListAccessKeys::run(auth::Auth& room, Context& context,
                                                     const Request& request) {
  if (request.everybody) {
    TRY_STATUS(context.auth.authorise(context.who, auth::Access::administer, {}));
    return room.list_access_keys(0);
  }
  TRY(std::int64_t user_id, keys_of(room, context, request.user));
  return room.list_access_keys(user_id);
}

Result<auth::Resource> CreateAccessKey::resource(auth::Auth&, Context& context, const Request& request) {
  if (request.user.empty()) return own(context, "access-keys");
  return auth::Resource{.name = "users/" + request.user + "/access-keys"};
}

Result<CreateAccessKey::Response> CreateAccessKey::run(auth::Auth& room, Context& context,
                                                       const Request& request) {
  TRY(std::int64_t user_id, keys_of(room, context, request.user));
  TRY(auto made, room.create_access_key(user_id, request.description));
  return Response{std::move(made.first), std::move(made.second)};
}

Result<auth::Resource> UpdateAccessKey::resource(auth::Auth&, Context&, const Request& request) {
  return auth::Resource{.name = "access-keys/" + request.id};
}

Result<UpdateAccessKey::Response> UpdateAccessKey::run(auth::Auth& room, Context& context,
                                                       const Request& request) {
  TRY(auth::AccessKey key, reachable_key(room, context, request.id));
  TRY_STATUS(room.set_access_key_enabled(key.id, request.enabled));
  key.enabled = request.enabled;
  return key;
}

Result<auth::Resource> DeleteAccessKey::resource(auth::Auth&, Context&, const Request& request) {
  return auth::Resource{.name = "access-keys/" + request.id};
}

Result<Nothing> DeleteAccessKey::run(auth::Auth& room, Context& context, const Request& request) {
  TRY(auth::AccessKey key, reachable_key(room, context, request.id));
  TRY_STATUS(room.delete_access_key(key.id));
  return Nothing{};
}

// ---- the caller himself

Result<auth::Resource> WhoAmI::resource(auth::Auth&, Context& context, const Request&) {
  return own(context, "self");
}

Result<WhoAmI::Response> WhoAmI::run(auth::Auth& room, Context& context, const Request&) {
  Response response{.who = context.who};
  if (context.who.kind == Principal::Kind::anonymous) return fail(Reason::unauthenticated);
  if (context.who.kind == Principal::Kind::user) {
    TRY(response.user, room.get_user(context.who.id));
  }
  return response;
}

Result<auth::Resource> ChangeOwnPassword::resource(auth::Auth&, Context& context, const Request&) {
  return own(context, "password");
}

// The old password is asked for and throttled like a login: a session left open must not be enough.
Result<Nothing> ChangeOwnPassword::run(auth::Auth& room, Context& context, const Request& request) {
  TRY_STATUS(need_user(context));
  TRY_STATUS(auth::check_new_password(request.new_password));
  TRY(Principal checked, room.check_password(context.who.name, request.old_password, context.peer));
  if (checked.kind != context.who.kind || checked.id != context.who.id) return fail(Reason::bad_credentials);
  TRY_STATUS(room.update_user(context.who.name, request.new_password, {}, {}));
  return Nothing{};
}

Result<auth::Resource> IssueToken::resource(auth::Auth&, Context& context, const Request&) {
  return own(context, "tokens");
}

Result<IssueToken::Response> IssueToken::run(auth::Auth& room, Context& context, const Request&) {
  if (context.who.kind == Principal::Kind::anonymous) return fail(Reason::unauthenticated);
  return room.issue_token(context.who);
}

Result<auth::Resource> CreateTemporaryLogin::resource(auth::Auth&, Context& context, const Request&) {
  return own(context, "temporary-logins");
}

Result<CreateTemporaryLogin::Response> CreateTemporaryLogin::run(auth::Auth& room, Context& context,
                                                                 const Request& request) {
  if (context.who.kind == Principal::Kind::anonymous) return fail(Reason::unauthenticated);
  TRY(auto login, room.create_temporary_login(context.who, request.lifetime_ms));
  TimeMs now = context.clock.now();
  return Response{std::move(login), now, now + request.lifetime_ms};
}

Result<auth::Resource> RevokeToken::resource(auth::Auth&, Context& context, const Request&) {
  return own(context, "tokens");
}

Result<Nothing> RevokeToken::run(auth::Auth& room, Context& context, const Request& request) {
  if (context.who.kind == Principal::Kind::anonymous) return fail(Reason::unauthenticated);
  TRY(auto owner, room.check_token(request.token));
  bool his = owner.who.kind == context.who.kind && owner.who.id == context.who.id;
  if (!his && !administers(context)) return fail(Reason::token_invalid);
  TRY_STATUS(room.revoke_token(request.token));
  return Nothing{};
}

}  // namespace wharfage::op::accounts
