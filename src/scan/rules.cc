#include "scan/rules.h"

#include <re2/re2.h>
#include <algorithm>

#include "base/limits.h"

namespace wharfage::scan {
namespace {

Error invalid(std::string message, std::string_view parameter) {
  return fail(Reason::invalid_parameter, std::move(message), std::string(parameter));
}

// ACR writes named groups as (?<name>…); RE2 of this age knows only (?P<name>…).
std::string rewrite_groups(std::string_view pattern) {
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    std::string_view rest = pattern.substr(i);
    bool escaped = rest.size() > 1 && rest[0] == '\\';
    bool named = rest.starts_with("(?<") && !rest.starts_with("(?<=") && !rest.starts_with("(?<!");
    if (escaped) {
      out += rest.substr(0, 2);
      ++i;
    } else if (named) {
      out += "(?P<";
      i += 2;
    } else {
      out += rest[0];
    }
  }
  return out;
}

RE2::Options quiet() {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  return options;
}

bool holds(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Status check_scope(const Rule& rule) {
  std::size_t names_max = limits::scan_rule_names_max;
  if (rule.namespaces.size() > names_max) return invalid("there are too many namespaces", "Namespaces");
  if (rule.repositories.size() > names_max) return invalid("there are too many repositories", "RepoNames");
  if (rule.scope == "INSTANCE") return {};
  if (rule.scope != "NAMESPACE" && rule.scope != "REPO") {
    return invalid("the scope must be INSTANCE, NAMESPACE or REPO", "ScanScope");
  }
  if (rule.namespaces.empty()) return invalid("name at least one namespace", "Namespaces");
  if (rule.scope == "NAMESPACE") return {};
  if (rule.namespaces.size() != 1)
    return invalid("the repositories lie in exactly one namespace", "Namespaces");
  return rule.repositories.empty() ? invalid("name at least one repository", "RepoNames") : Status{};
}

}  // namespace

Status check_rule(const Rule& rule) {
  if (rule.name.empty() || rule.name.size() > 64)
    return invalid("the name must have 1 to 64 bytes", "RuleName");
  if (rule.trigger != "AUTO" && rule.trigger != "MANUAL") {
    return invalid("the trigger must be AUTO or MANUAL", "TriggerType");
  }
  if (rule.scan_type != "VUL") return fail(Reason::unsupported, "only VUL scans are supported", "ScanType");
  TRY_STATUS(check_scope(rule));
  if (rule.tag_pattern.empty() || rule.tag_pattern.size() > limits::scan_rule_pattern_max) {
    return invalid("the pattern must have 1 to 512 bytes", "RepoTagFilterPattern");
  }
  RE2 pattern(rewrite_groups(rule.tag_pattern), quiet());
  if (!pattern.ok()) return invalid("the pattern is not valid: " + pattern.error(), "RepoTagFilterPattern");
  return {};
}

bool rule_selects(const Rule& rule, std::string_view namespace_name, std::string_view repository,
                  std::string_view tag) {
  if (rule.scope != "INSTANCE" && !holds(rule.namespaces, namespace_name)) return false;
  if (rule.scope == "REPO" && !holds(rule.repositories, repository)) return false;
  RE2 pattern(rewrite_groups(rule.tag_pattern), quiet());
  return pattern.ok() && RE2::FullMatch(re2::StringPiece(tag.data(), tag.size()), pattern);
}

}  // namespace wharfage::scan
