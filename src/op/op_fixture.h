// For tests only, of this room: accounts, an audit log, and somebody who asks.
#pragma once

#include <memory>

#include "auth/auth_fixture.h"
#include "op/audit.h"
#include "op/operation.h"

namespace wharfage::op {

struct OpFixture {
  Context context(const auth::Principal& who) {
    return {.who = who,
            .request_id = "r1",
            .peer = "192.0.2.7",
            .facade = "native",
            .auth = *fixture.auth,
            .audit = *audit,
            .clock = fixture.clock,
            .log = fixture.log()};
  }

  auth::AuthFixture fixture{op::schema()};
  std::unique_ptr<Audit> audit = std::make_unique<Audit>(*fixture.db, fixture.clock);
  auth::Principal root = fixture.user("root", true), alice = fixture.user("alice");
};

}  // namespace wharfage::op
