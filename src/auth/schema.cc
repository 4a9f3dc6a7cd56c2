// The tables of accounts and credentials: migrations 100…199. Subjects are (subject_kind, subject_id) with
// kind 1 = user, 2 = robot. Nothing in here is a secret in clear: passwords are Argon2id, random secrets are
// SHA-256, what must be known again is sealed by the vault.
#include "auth/auth.h"

namespace wharfage::auth {

std::vector<meta::Migration> schema() {
  return {
      {100, "auth: accounts", R"ddl(
        CREATE TABLE auth_users (
          id INTEGER PRIMARY KEY,
          name TEXT NOT NULL UNIQUE,
          public_id TEXT NOT NULL UNIQUE,
          password TEXT NOT NULL,
          administrator INTEGER NOT NULL,
          enabled INTEGER NOT NULL,
          created_at BIGINT NOT NULL
        );
        CREATE INDEX auth_users_administrators ON auth_users (administrator, enabled);
        CREATE TABLE auth_robots (
          id INTEGER PRIMARY KEY,
          name TEXT NOT NULL UNIQUE,
          description TEXT NOT NULL,
          secret_hash TEXT NOT NULL,
          enabled INTEGER NOT NULL,
          acts_for_user INTEGER NOT NULL,
          expires_at BIGINT,
          created_at BIGINT NOT NULL
        );
        CREATE INDEX auth_robots_expiry ON auth_robots (expires_at);
        CREATE INDEX auth_robots_acts_for ON auth_robots (acts_for_user, name);
        CREATE TABLE auth_grants (
          id INTEGER PRIMARY KEY,
          subject_kind INTEGER NOT NULL,
          subject_id INTEGER NOT NULL,
          namespace_id INTEGER NOT NULL,
          repository TEXT NOT NULL,
          role INTEGER NOT NULL,
          UNIQUE (subject_kind, subject_id, namespace_id, repository)
        );
        CREATE INDEX auth_grants_place ON auth_grants (namespace_id, repository);
      )ddl"},
      {101, "auth: credentials", R"ddl(
        CREATE TABLE auth_access_keys (
          id TEXT NOT NULL PRIMARY KEY,
          user_id INTEGER NOT NULL REFERENCES auth_users (id) ON DELETE CASCADE,
          sealed_secret TEXT NOT NULL,
          sealed_token TEXT NOT NULL,
          description TEXT NOT NULL,
          enabled INTEGER NOT NULL,
          expires_at BIGINT,
          created_at BIGINT NOT NULL
        );
        CREATE INDEX auth_access_keys_user ON auth_access_keys (user_id, created_at);
        CREATE INDEX auth_access_keys_expiry ON auth_access_keys (expires_at);
        CREATE TABLE auth_tokens (
          hash TEXT NOT NULL PRIMARY KEY,
          subject_kind INTEGER NOT NULL,
          subject_id INTEGER NOT NULL,
          issued_at BIGINT NOT NULL,
          expires_at BIGINT NOT NULL
        );
        CREATE INDEX auth_tokens_subject ON auth_tokens (subject_kind, subject_id, issued_at);
        CREATE INDEX auth_tokens_expiry ON auth_tokens (expires_at);
        CREATE TABLE auth_temporary_logins (
          name TEXT NOT NULL PRIMARY KEY,
          secret_hash TEXT NOT NULL,
          subject_kind INTEGER NOT NULL,
          subject_id INTEGER NOT NULL,
          issued_at BIGINT NOT NULL,
          expires_at BIGINT NOT NULL
        );
        CREATE INDEX auth_temporary_logins_subject
          ON auth_temporary_logins (subject_kind, subject_id, issued_at);
        CREATE INDEX auth_temporary_logins_expiry ON auth_temporary_logins (expires_at);
        CREATE TABLE auth_sealed_keys (
          name TEXT NOT NULL PRIMARY KEY,
          sealed TEXT NOT NULL
        );
      )ddl"},
  };
}

}  // namespace wharfage::auth
