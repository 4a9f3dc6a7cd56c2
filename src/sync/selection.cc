// What a rule selects, and where it sends it.
#include <re2/re2.h>

#include <boost/json.hpp>

#include "base/glob.h"
#include "base/limits.h"
#include "base/text.h"
#include "job/cron.h"
#include "sync/sync.h"

namespace wharfage::sync {
namespace {

// ACR writes named groups as (?<name>…), RE2 of Debian 12 as (?P<name>…). Look-behind is not RE2's.
std::string re2_text(std::string_view pattern) {
  std::string text;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    bool group = pattern.substr(i, 3) == "(?<" && i + 3 < pattern.size() && pattern[i + 3] != '=' &&
                 pattern[i + 3] != '!' && (i == 0 || pattern[i - 1] != '\\');
    if (group) {
      text += "(?P<";
      i += 2;
    } else {
      text += pattern[i];
    }
  }
  return text;
}

RE2::Options options() {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  return options;
}

bool regex_match(std::string_view pattern, std::string_view text) {
  RE2 expression(re2_text(pattern), options());
  return expression.ok() && RE2::FullMatch(re2::StringPiece(text.data(), text.size()), expression);
}

Status check_pattern(Patterns kind, const std::string& pattern, std::string_view what) {
  if (pattern.empty()) return {};
  if (pattern.size() > limits::sync_pattern_max) {
    return fail(Reason::invalid_parameter, "the pattern is too long", std::string(what));
  }
  bool good = kind == Patterns::glob ? check_glob(pattern).ok() : RE2(re2_text(pattern), options()).ok();
  return good ? Status() : fail(Reason::invalid_parameter, "the pattern cannot be read", std::string(what));
}

// "library/**" lies in namespace "library", whatever follows.
std::string plain_namespace(const std::string& pattern) {
  auto slash = pattern.find('/');
  if (slash == pattern.npos || slash == 0) return {};
  std::string first = pattern.substr(0, slash);
  return first.find_first_of("*?{}") == first.npos ? first : std::string();
}

bool spoken(const std::string& text, std::size_t most) {
  for (char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) return false;
  }
  return text.size() <= most;
}

}  // namespace

bool selects_repository(const Rule& rule, std::string_view namespace_name, std::string_view repository) {
  if (!rule.source_namespace.empty() && rule.source_namespace != namespace_name) return false;
  bool exact = rule.scope == Scope::repository && !rule.source_repository.empty();
  if (exact && rule.source_repository != repository) return false;
  const std::string& pattern = rule.repository_pattern;
  if (pattern.empty()) return true;
  if (rule.patterns == Patterns::regex) return regex_match(pattern, repository);
  // A pattern that names no namespace is about the repository alone.
  bool whole = pattern.find('/') != pattern.npos || pattern.find("**") != pattern.npos;
  std::string full = namespace_name.empty() ? std::string(repository)
                                            : std::string(namespace_name) + "/" + std::string(repository);
  return glob_match(pattern, whole ? std::string_view(full) : repository);
}

bool selects_tag(const Rule& rule, std::string_view tag) {
  if (rule.tag_pattern.empty()) return true;
  return rule.patterns == Patterns::regex ? regex_match(rule.tag_pattern, tag)
                                          : glob_match(rule.tag_pattern, tag);
}

Side target_of(const Rule& rule, const Side& from) {
  Side to = from;
  to.connection_id = rule.direction == Direction::push ? rule.connection_id : 0;
  if (!rule.target_namespace.empty()) to.namespace_name = rule.target_namespace;
  bool renamed = rule.scope == Scope::repository && !rule.target_repository.empty();
  if (renamed) to.repository = rule.target_repository;
  return to;
}

Issue issue_of(Reason reason) {
  switch (reason) {
    case Reason::remote_unreachable:
    case Reason::remote_failed:
    case Reason::timeout:
    case Reason::address_forbidden:
    case Reason::throttled:
      return Issue::network;
    case Reason::remote_denied:
    case Reason::denied:
      return Issue::denied;
    case Reason::tag_immutable:
      return Issue::tag_conflict;
    case Reason::unsupported:
    case Reason::manifest_invalid:
      return Issue::unsupported;
    case Reason::too_large:
    case Reason::size_invalid:
      return Issue::too_long;
    default:
      return Issue::internal;
  }
}

Status check_shape(Rule& rule) {
  if (rule.name.empty() || !spoken(rule.name, 256)) {
    return fail(Reason::name_invalid, "a rule's name has 1 to 256 characters", "name");
  }
  if (!spoken(rule.description, limits::description_bytes_max)) {
    return fail(Reason::invalid_parameter, "the description is too long", "description");
  }
  TRY_STATUS(check_pattern(rule.patterns, rule.repository_pattern, "repository filter"));
  TRY_STATUS(check_pattern(rule.patterns, rule.tag_pattern, "tag filter"));
  bool derive = rule.patterns == Patterns::glob && rule.source_namespace.empty();
  if (derive) rule.source_namespace = plain_namespace(rule.repository_pattern);
  if (rule.scope == Scope::repository && rule.source_repository.empty()) {
    return fail(Reason::missing_parameter, "a rule for one repository names it", "repository");
  }
  if (rule.trigger == Trigger::scheduled) {
    TRY([[maybe_unused]] auto cron, job::Cron::parse(rule.cron));
  } else {
    rule.cron.clear();
  }
  if (rule.trigger == Trigger::event && rule.direction == Direction::pull) {
    return fail(Reason::unsupported, "another registry does not tell us of its pushes: pull by schedule");
  }
  std::string target = rule.target_namespace + rule.target_repository;
  if (!spoken(target, limits::repository_name_max)) return fail(Reason::name_invalid, "", "target");
  if (!rule.target_namespace.empty()) TRY_STATUS(registry::check_namespace_name(rule.target_namespace));
  boost::json::error_code error;
  auto extras = boost::json::parse(rule.extras, error);
  bool object = !error && extras.is_object() && rule.extras.size() <= limits::connection_vendor_max;
  return object ? Status() : fail(Reason::invalid_parameter, "further settings must be a JSON object");
}

}  // namespace wharfage::sync
