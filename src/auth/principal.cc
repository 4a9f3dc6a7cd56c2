#include "auth/principal.h"

namespace wharfage::auth {

std::string_view role_name(Role role) {
  switch (role) {
    case Role::guest:
      return "guest";
    case Role::developer:
      return "developer";
    case Role::maintainer:
      return "maintainer";
  }
  return "";
}

std::optional<Role> parse_role(std::string_view name) {
  for (Role role : {Role::guest, Role::developer, Role::maintainer}) {
    if (role_name(role) == name) return role;
  }
  return std::nullopt;
}

std::optional<Role> role_needed(Access access) {
  switch (access) {
    case Access::read:
      return Role::guest;
    case Access::write:
      return Role::developer;
    case Access::remove:
    case Access::manage:
      return Role::maintainer;
    case Access::administer:
      break;
  }
  return std::nullopt;
}

}  // namespace wharfage::auth
