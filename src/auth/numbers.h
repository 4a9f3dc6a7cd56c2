// The numbers that stand for kinds and roles in the database. They are stored, so they never change.
#pragma once

#include <cstdint>

#include "auth/principal.h"

namespace wharfage::auth {

inline std::int64_t number_of(Principal::Kind kind) {
  return kind == Principal::Kind::robot ? 2 : 1;
}
inline Principal::Kind kind_of_number(std::int64_t number) {
  return number == 2 ? Principal::Kind::robot : Principal::Kind::user;
}

inline std::int64_t number_of(Role role) {
  return role == Role::maintainer ? 3 : role == Role::developer ? 2 : 1;
}
inline Role role_of_number(std::int64_t number) {
  return number == 3 ? Role::maintainer : number == 2 ? Role::developer : Role::guest;
}

}  // namespace wharfage::auth
