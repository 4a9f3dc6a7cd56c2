#include "auth/names.h"

#include <algorithm>

#include "base/limits.h"

namespace wharfage::auth {
namespace {

constexpr std::size_t account_name_max = 64;
constexpr std::size_t access_key_id_max = 128;

bool lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool punctuation(char c) {
  return c == '.' || c == '_' || c == '-';
}

bool control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

}  // namespace

Status check_account_name(std::string_view name) {
  bool good =
      !name.empty() && name.size() <= account_name_max && lower_or_digit(name.front()) &&
      std::all_of(name.begin(), name.end(), [](char c) { return lower_or_digit(c) || punctuation(c); });
  if (name == "system" || name == "anonymous") {  // the audit log's own actors
    return fail(Reason::name_invalid, "this name is reserved", "name");
  }
  if (good) return {};
  return fail(Reason::name_invalid,
              "a name is 1 to 64 of a-z, 0-9, '.', '_' and '-', and starts with a letter or digit", "name");
}

Status check_new_password(std::string_view password) {
  if (password.size() < limits::password_bytes_min || password.size() > limits::password_bytes_max) {
    return fail(Reason::invalid_parameter, "a password has 8 to 128 characters", "password");
  }
  if (std::any_of(password.begin(), password.end(), control)) {
    return fail(Reason::invalid_parameter, "a password has no control characters", "password");
  }
  return {};
}

Status check_description(std::string_view description) {
  if (description.size() <= limits::description_bytes_max) return {};
  return fail(Reason::invalid_parameter, "the description is too long", "description");
}

Status check_access_key_id(std::string_view id) {
  auto allowed = [](char c) { return lower_or_digit(c) || (c >= 'A' && c <= 'Z') || punctuation(c); };
  if (!id.empty() && id.size() <= access_key_id_max && std::all_of(id.begin(), id.end(), allowed)) return {};
  return fail(Reason::invalid_parameter, "an access key id is 1 to 128 letters, digits, '.', '_' and '-'",
              "id");
}

Status check_grant_repository(std::string_view repository) {
  auto allowed = [](char c) { return lower_or_digit(c) || punctuation(c) || c == '/'; };
  auto slash = repository.find('/');
  bool good = repository.empty() ||
              (repository.size() <= limits::repository_name_max && slash != repository.npos && slash > 0 &&
               repository.back() != '/' && std::all_of(repository.begin(), repository.end(), allowed));
  if (good) return {};
  return fail(Reason::name_invalid, "a grant names a repository as namespace/name", "repository");
}

}  // namespace wharfage::auth
