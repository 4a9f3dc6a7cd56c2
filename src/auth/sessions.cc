// IAM tokens and temporary logins: random, hashed at rest, and good only while their creator is.
#include "auth/auth.h"
#include "auth/names.h"
#include "auth/state.h"
#include "base/random.h"

namespace wharfage::auth {
namespace {

constexpr std::string_view token_prefix = "wht-";  // lets a secret scanner know it for what it is

}  // namespace

Result<Auth::Token> Auth::issue_token(const Principal& who) {
  TRY(records::Subject subject, x_state->creator(who));
  TimeMs now = x_state->clock.now();
  Token token{std::string(token_prefix) + random_secret(), now, now + limits::iam_token_lifetime_ms};
  records::TokenRow row{secret_hash(token.text), subject, token.issued_at, token.expires_at};
  TRY_STATUS(x_state->db.write([&](meta::Tx& tx) -> Status {
    TRY_STATUS(records::insert_token(tx, row));
    return records::trim_tokens(tx, subject);
  }));
  return token;
}

Result<Auth::TokenOwner> Auth::check_token(std::string_view token) {
  if (!token.starts_with(token_prefix) || token.size() > limits::token_bytes_max) {
    return fail(Reason::token_invalid);
  }
  TRY(auto row, x_state->db.read([&](meta::Tx& tx) { return records::find_token(tx, secret_hash(token)); }));
  if (!row) return fail(Reason::token_invalid);
  TimeMs now = x_state->clock.now();
  if (now >= row->expires_at) return fail(Reason::token_expired);
  TRY(auto standing, x_state->standings.of(row->subject));
  if (!standing->active_at(now)) return fail(Reason::token_invalid);
  return TokenOwner{standing->principal(row->subject), row->issued_at, row->expires_at};
}

Status Auth::revoke_token(std::string_view token) {
  TRY(bool found,
      x_state->db.write([&](meta::Tx& tx) { return records::delete_token(tx, secret_hash(token)); }));
  return found ? Status() : fail(Reason::token_invalid);
}

Result<Secret> Auth::create_temporary_login(const Principal& who, TimeMs lifetime_ms) {
  TRY(records::Subject subject, x_state->creator(who));
  TRY(TimeMs expires_at, x_state->expiry(lifetime_ms));
  Secret secret{random_id(temporary_prefix), random_secret()};
  records::LoginRow row{.name = secret.id,
                        .secret_hash = secret_hash(secret.secret),
                        .subject = subject,
                        .issued_at = x_state->clock.now(),
                        .expires_at = expires_at};
  TRY_STATUS(x_state->db.write([&](meta::Tx& tx) -> Status {
    TRY_STATUS(records::insert_login(tx, row));
    return records::trim_logins(tx, subject);
  }));
  return secret;
}

}  // namespace wharfage::auth
