#include "base/limits.h"
#include "registry/registry.h"

namespace wharfage::registry {
namespace {

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*, the component rule of the distribution specification.
bool is_component(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && is_alphanumeric(text[at])) ++at;
  if (at == 0) return false;
  while (at < text.size()) {
    std::size_t begin = at;
    while (at < text.size() && !is_alphanumeric(text[at])) ++at;
    std::string_view separator = text.substr(begin, at - begin);
    bool known = separator == "." || separator == "_" || separator == "__" ||
                 separator.find_first_not_of('-') == separator.npos;
    if (!known || at == text.size()) return false;
    while (at < text.size() && is_alphanumeric(text[at])) ++at;
  }
  return true;
}

bool is_hex(std::string_view text, std::size_t length) {
  return text.size() == length && text.find_first_not_of("0123456789abcdef") == text.npos;
}

}  // namespace

Result<Name> Name::parse(std::string_view oci_name) {
  if (oci_name.empty() || oci_name.size() > limits::repository_name_max)
    return fail(Reason::name_invalid, "a repository name has 1 to 255 characters");
  for (std::size_t begin = 0; begin <= oci_name.size();) {
    std::size_t end = std::min(oci_name.find('/', begin), oci_name.size());
    if (!is_component(oci_name.substr(begin, end - begin)))
      return fail(Reason::name_invalid, {}, std::string(oci_name));
    begin = end + 1;
  }
  auto slash = oci_name.find('/');
  Name name;
  if (slash == oci_name.npos) {
    name = {"library", std::string(oci_name)};
  } else {
    name = {std::string(oci_name.substr(0, slash)), std::string(oci_name.substr(slash + 1))};
  }
  if (name.full().size() > limits::repository_name_max)
    return fail(Reason::name_invalid, "a repository name has 1 to 255 characters");
  return name;
}

Status check_namespace_name(std::string_view name) {
  if (name.size() > 64 || !is_component(name))
    return fail(Reason::name_invalid, {}, std::string(name.substr(0, 64)));
  // Paths that start like this belong to Huawei's API.
  if (name == "manage" || name == "instances")
    return fail(Reason::name_invalid, "this namespace name is reserved", std::string(name));
  return {};
}

Status check_tag(std::string_view tag) {
  bool valid = !tag.empty() && tag.size() <= 128 && tag[0] != '.' && tag[0] != '-';
  for (char c : tag) {
    valid = valid && (is_alphanumeric(c) || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == '-');
  }
  if (!valid) return fail(Reason::tag_invalid, {}, std::string(tag.substr(0, 128)));
  return {};
}

bool is_accessory_tag(std::string_view tag) {
  std::size_t length = tag.starts_with("sha256-") ? 64 : tag.starts_with("sha512-") ? 128 : 0;
  if (length == 0 || tag.size() < 7 + length || !is_hex(tag.substr(7, length), length)) return false;
  std::string_view rest = tag.substr(7 + length);
  return rest.empty() || rest == ".sig" || rest == ".att" || rest == ".sbom";
}

}  // namespace wharfage::registry
