#include "build/rules.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>

#include "base/limits.h"
#include "base/text.h"

namespace wharfage::build {
namespace {

constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view plain_characters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-";
constexpr std::array<std::string_view, 6> provider_types = {"GITHUB", "GITLAB", "GITEE",
                                                            "CODE",   "CODEUP", "GENERIC"};
constexpr std::array<std::string_view, 6> platforms = {"linux/amd64",  "linux/arm64",  "linux/386",
                                                       "linux/arm/v7", "linux/arm/v6", "linux/ppc64le"};
constexpr std::string_view version_group = R"((?P<version>[0-9A-Za-z][0-9A-Za-z._-]*))";

Error invalid(std::string_view parameter, std::string message) {
  return fail(Reason::invalid_parameter, std::move(message), std::string(parameter));
}

bool plain(std::string_view text) {
  return !text.empty() && text.find_first_not_of(plain_characters) == text.npos;
}

// What git itself refuses in ref names (git-check-ref-format), as far as plain() lets it through.
bool ref_name(std::string_view text) {
  if (!plain(text) || text.front() == '-' || text.front() == '/' || text.back() == '/' ||
      text.back() == '.') {
    return false;
  }
  for (std::string_view part : split(text, '/')) {
    if (part.empty() || part.front() == '.' || (part.size() > 5 && part.substr(part.size() - 5) == ".lock")) {
      return false;
    }
  }
  return text.find("..") == text.npos;
}

// A relative path that stays below its folder.
bool inner_path(std::string_view path) {
  for (std::string_view part : split(path, '/')) {
    if (part == "..") return false;
  }
  return path.find('\0') == path.npos && path.find('\n') == path.npos;
}

std::string without_slashes(std::string_view path) {
  std::vector<std::string> parts;
  for (std::string_view part : split(path, '/')) {
    if (!part.empty() && part != ".") parts.emplace_back(part);
  }
  return join(parts, "/");
}

bool name_character(char c) {
  return c == '_' || letters.find(c) != letters.npos || (c >= '0' && c <= '9');
}

// Takes "${name}" or "$name" off the front; nullopt when that is not what stands there.
std::optional<std::string> take_variable(std::string_view& text) {
  std::string_view rest = text.substr(1);
  bool braced = !rest.empty() && rest.front() == '{';
  if (braced) rest.remove_prefix(1);
  std::size_t end = 0;
  while (end < rest.size() && name_character(rest[end])) ++end;
  std::string name(rest.substr(0, end));
  rest.remove_prefix(end);
  if (name.empty() || (braced && (rest.empty() || rest.front() != '}'))) return {};
  if (braced) rest.remove_prefix(1);
  text = rest;
  return name;
}

// Calls `on_text` and `on_variable` for the parts of an image tag.
template <class OnText, class OnVariable>
Status walk_tag(std::string_view image_tag, OnText on_text, OnVariable on_variable) {
  while (!image_tag.empty()) {
    if (image_tag.front() != '$') {
      on_text(image_tag.front());
      image_tag.remove_prefix(1);
      continue;
    }
    auto name = take_variable(image_tag);
    if (!name) return invalid("ImageTag", "a variable is written ${name}");
    TRY_STATUS(on_variable(*name));
  }
  return {};
}

Error unknown_variable(const std::string& name) {
  return invalid("ImageTag",
                 fmt::format("the image tag names ${{{}}}, which the push name does not define", name));
}

Status check_argument(const std::string& argument) {
  auto equals = argument.find('=');
  std::string_view name = std::string_view(argument).substr(0, equals);
  if (equals == argument.npos || name.empty() || !std::all_of(name.begin(), name.end(), name_character) ||
      argument.size() > limits::build_text_max) {
    return invalid("BuildArgs", "a build argument is NAME=value");
  }
  if (argument.find('\0') != argument.npos) return invalid("BuildArgs", "a build argument holds no NUL");
  return {};
}

}  // namespace

RefPattern::RefPattern() = default;
RefPattern::RefPattern(RefPattern&&) noexcept = default;
RefPattern& RefPattern::operator=(RefPattern&&) noexcept = default;
RefPattern::~RefPattern() = default;

std::string rewrite_named_groups(std::string_view pattern) {
  std::string out;
  bool in_class = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    char c = pattern[i];
    out += c;
    if (c == '\\' && i + 1 < pattern.size()) {
      out += pattern[++i];
    } else if (in_class) {
      in_class = c != ']';
    } else if (c == '[') {
      in_class = true;
      // "[]a]" and "[^]a]": a bracket right after the opening is a member.
      if (pattern.substr(i + 1, 1) == "^") out += pattern[++i];
      if (pattern.substr(i + 1, 1) == "]") out += pattern[++i];
    } else if (c == '(' && pattern.substr(i + 1, 2) == "?<" && i + 3 < pattern.size() &&
               name_character(pattern[i + 3])) {
      out += "?P";
      ++i;
    }
  }
  return out;
}

Result<RefPattern> RefPattern::parse(std::string_view push_name) {
  if (push_name.empty() || push_name.size() > limits::build_text_max) {
    return invalid("PushName", "the push name is empty or too long");
  }
  RefPattern result;
  std::string text(push_name);
  if (auto at = push_name.find("$version"); at != push_name.npos) {
    text = re2::RE2::QuoteMeta(text.substr(0, at)) + std::string(version_group) +
           re2::RE2::QuoteMeta(text.substr(at + 8));
  } else if (plain(push_name)) {
    if (!ref_name(push_name)) return invalid("PushName", "the push name is not a name git allows");
    result.x_exact = std::move(text);
    return result;
  } else {
    text = rewrite_named_groups(text);
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  result.x_pattern = std::make_unique<re2::RE2>(text, options);
  if (!result.x_pattern->ok()) {
    return invalid("PushName", fmt::format("the push name is not a pattern: {}", result.x_pattern->error()));
  }
  return result;
}

std::optional<RefPattern::Groups> RefPattern::match(std::string_view name) const {
  if (exact()) return name == x_exact ? std::optional<Groups>(Groups{}) : std::nullopt;
  std::vector<re2::StringPiece> found(static_cast<std::size_t>(x_pattern->NumberOfCapturingGroups()) + 1);
  if (!x_pattern->Match({name.data(), name.size()}, 0, name.size(), re2::RE2::ANCHOR_BOTH, found.data(),
                        static_cast<int>(found.size()))) {
    return {};
  }
  Groups groups;
  for (const auto& [group, number] : x_pattern->NamedCapturingGroups()) {
    groups[group] = std::string(found[static_cast<std::size_t>(number)]);
  }
  return groups;
}

std::vector<std::string> RefPattern::group_names() const {
  std::vector<std::string> names;
  if (exact()) return names;
  for (const auto& [group, number] : x_pattern->NamedCapturingGroups()) names.push_back(group);
  return names;
}

Result<std::string> fill_tag(std::string_view image_tag, const RefPattern::Groups& variables) {
  std::string out;
  TRY_STATUS(walk_tag(
      image_tag, [&](char c) { out += c; },
      [&](const std::string& name) -> Status {
        auto found = variables.find(name);
        if (found == variables.end()) return unknown_variable(name);
        out += found->second;
        return {};
      }));
  return out;
}

Status check_tag_template(std::string_view image_tag, const RefPattern& pattern) {
  if (image_tag.empty() || image_tag.size() > limits::build_text_max) {
    return invalid("ImageTag", "the image tag is empty or too long");
  }
  RefPattern::Groups sample = tag_variables({}, "ref", "0");
  for (const std::string& name : pattern.group_names()) sample[name] = "x";
  TRY(std::string filled, fill_tag(image_tag, sample));
  std::string_view rest = filled;
  if (rest.size() > 128 || rest.front() == '.' || rest.front() == '-' || !plain(rest) ||
      rest.find('/') != rest.npos) {
    return invalid("ImageTag", "the image tag is not one");
  }
  return {};
}

RefPattern::Groups tag_variables(RefPattern::Groups groups, std::string_view ref, std::string_view commit) {
  std::string name(ref);
  std::replace(name.begin(), name.end(), '/', '-');
  groups.emplace("ref", name);
  groups.emplace("commit", std::string(commit.substr(0, 12)));
  return groups;
}

Recipe normalise(Recipe recipe) {
  recipe.dockerfile_location = "/" + without_slashes(recipe.dockerfile_location);
  recipe.dockerfile_name = without_slashes(recipe.dockerfile_name);
  if (recipe.dockerfile_name.empty()) recipe.dockerfile_name = "Dockerfile";
  std::sort(recipe.platforms.begin(), recipe.platforms.end());
  recipe.platforms.erase(std::unique(recipe.platforms.begin(), recipe.platforms.end()),
                         recipe.platforms.end());
  return recipe;
}

Status check_recipe(const Recipe& recipe) {
  if (recipe.push_type != "GIT_BRANCH" && recipe.push_type != "GIT_TAG") {
    return invalid("PushType", "the push type is GIT_BRANCH or GIT_TAG");
  }
  TRY(auto pattern, RefPattern::parse(recipe.push_name));
  TRY_STATUS(check_tag_template(recipe.image_tag, pattern));
  if (!inner_path(recipe.dockerfile_location) || recipe.dockerfile_location.size() > limits::build_text_max) {
    return invalid("DockerfileLocation", "the Dockerfile's folder does not lie in the source");
  }
  if (!inner_path(recipe.dockerfile_name) || recipe.dockerfile_name.size() > limits::build_text_max) {
    return invalid("DockerfileName", "the Dockerfile does not lie in its folder");
  }
  if (recipe.arguments.size() > limits::build_list_items_max) {
    return invalid("BuildArgs", "there are too many build arguments");
  }
  for (const std::string& argument : recipe.arguments) TRY_STATUS(check_argument(argument));
  for (const std::string& platform : recipe.platforms) {
    if (std::find(platforms.begin(), platforms.end(), platform) == platforms.end()) {
      return invalid("Platforms", fmt::format("the platform {} is not known", cut(platform, 100)));
    }
  }
  return {};
}

Status check_provider(const Provider& provider) {
  if (!plain(provider.name) || provider.name.find('/') != std::string::npos || provider.name.size() > 64) {
    return invalid("name", "the name consists of letters, digits, '.', '_' and '-'");
  }
  if (std::find(provider_types.begin(), provider_types.end(), provider.type) == provider_types.end()) {
    return invalid("type", "the type is GITHUB, GITLAB, GITEE, CODE, CODEUP or GENERIC");
  }
  if (provider.credential == "ssh" && trim(provider.known_hosts).empty()) {
    return invalid("known_hosts", "an ssh server needs its host key (the output of ssh-keyscan)");
  }
  for (const std::string* text :
       {&provider.url_template, &provider.domain, &provider.username, &provider.known_hosts}) {
    if (text->size() > limits::build_text_max || text->find('\0') != std::string::npos) {
      return invalid("provider", "a setting is too long");
    }
  }
  if (provider.username.find_first_of("\r\n") != std::string::npos) {
    return invalid("username", "the user name is one line");
  }
  TRY(std::string url, clone_url(provider, "namespace", "name"));
  bool over_ssh = url.substr(0, 6) == "ssh://";
  if (over_ssh != (provider.credential == "ssh")) {
    return invalid("credential", "ssh:// URLs go with an ssh key, and no others do");
  }
  return {};
}

Status check_source_path(std::string_view space, std::string_view name) {
  if (!ref_name(space) || space.size() > 255)
    return invalid("CodeRepoNamespaceName", "the namespace is not valid");
  if (!ref_name(name) || name.size() > 255 || name.find('/') != name.npos) {
    return invalid("CodeRepoName", "the name is not valid");
  }
  return {};
}

Result<std::string> clone_url(const Provider& provider, std::string_view space, std::string_view name) {
  TRY_STATUS(check_source_path(space, name));
  std::string url;
  std::string_view rest = provider.url_template;
  auto take = [&](std::string_view word) {
    bool found = rest.substr(0, word.size()) == word;
    if (found) rest.remove_prefix(word.size());
    return found;
  };
  while (!rest.empty()) {
    if (take("{namespace}")) {
      url += space;
    } else if (take("{name}")) {
      url += name;
    } else if (take("{domain}")) {
      url += provider.domain;
    } else if (rest.front() <= ' ' || rest.front() == 127 || rest.front() == '{' || rest.front() == '}') {
      return invalid("url_template", "only {namespace}, {name} and {domain} stand for something");
    } else {
      url += rest.front();
      rest.remove_prefix(1);
    }
  }
  for (std::string_view scheme : {"https://", "http://", "ssh://", "file:///"}) {
    if (std::string_view(url).substr(0, scheme.size()) != scheme || url.size() == scheme.size()) continue;
    std::string_view host = std::string_view(url).substr(scheme.size());
    host = host.substr(0, host.find('/'));
    bool with_user = host.find('@') != host.npos;
    if (with_user && scheme.substr(0, 4) == "http") {
      return invalid("url_template", "a credential does not belong into the URL");
    }
    return url;
  }
  return invalid("url_template", "the URL starts with https://, http://, ssh:// or file:///");
}

}  // namespace wharfage::build
