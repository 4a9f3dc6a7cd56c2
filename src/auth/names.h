// What accounts may be called and what a password must look like. Prefixes keep the kinds of logins apart:
// no user name can hold '$', '~' or '@'.
#pragma once

#include <string_view>

#include "base/result.h"

namespace wharfage::auth {

constexpr std::string_view robot_prefix = "robot$";
constexpr std::string_view temporary_prefix = "temp~";  // '~' means nothing to a shell, a URL or a form

// [a-z0-9][a-z0-9._-]{0,63}, of users and robots. Error: name_invalid.
Status check_account_name(std::string_view name);
// 8 to 128 bytes without control characters. Error: invalid_parameter (detail "password").
Status check_new_password(std::string_view password);
Status check_description(std::string_view description);
// [A-Za-z0-9._-]{1,128}: those we make are narrower, but an administrator may bring his own.
Status check_access_key_id(std::string_view id);
// "" or "namespace/rest". Error: name_invalid.
Status check_grant_repository(std::string_view repository);

}  // namespace wharfage::auth
