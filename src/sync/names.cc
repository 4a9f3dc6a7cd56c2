#include <array>
#include <utility>

#include "sync/model.h"

namespace wharfage::sync {
namespace {

template <class T, std::size_t count>
using Names = std::array<std::pair<T, std::string_view>, count>;

constexpr Names<Direction, 2> directions{{{Direction::push, "push"}, {Direction::pull, "pull"}}};
constexpr Names<Scope, 2> scopes{{{Scope::repository, "repository"}, {Scope::whole_namespace, "namespace"}}};
constexpr Names<Trigger, 3> triggers{
    {{Trigger::manual, "manual"}, {Trigger::event, "event"}, {Trigger::scheduled, "scheduled"}}};
constexpr Names<Patterns, 2> patterns{{{Patterns::regex, "regex"}, {Patterns::glob, "glob"}}};
constexpr Names<State, 5> states{{{State::pending, "pending"},
                                  {State::running, "running"},
                                  {State::succeeded, "succeeded"},
                                  {State::failed, "failed"},
                                  {State::canceled, "canceled"}}};
constexpr Names<Issue, 7> issues{{{Issue::none, ""},
                                  {Issue::network, "network"},
                                  {Issue::denied, "denied"},
                                  {Issue::tag_conflict, "tag_conflict"},
                                  {Issue::unsupported, "unsupported"},
                                  {Issue::too_long, "too_long"},
                                  {Issue::internal, "internal"}}};

template <class List, class T>
std::string_view find_name(const List& list, T value) {
  for (const auto& [one, name] : list) {
    if (one == value) return name;
  }
  return {};
}

template <class T, class List>
std::optional<T> find_value(const List& list, std::string_view name) {
  for (const auto& [one, word] : list) {
    if (word == name) return one;
  }
  return std::nullopt;
}

}  // namespace

std::string_view name_of(Direction value) {
  return find_name(directions, value);
}
std::string_view name_of(Scope value) {
  return find_name(scopes, value);
}
std::string_view name_of(Trigger value) {
  return find_name(triggers, value);
}
std::string_view name_of(Patterns value) {
  return find_name(patterns, value);
}
std::string_view name_of(State value) {
  return find_name(states, value);
}
std::string_view name_of(Issue value) {
  return find_name(issues, value);
}

template <>
std::optional<Direction> parse(std::string_view name) {
  return find_value<Direction>(directions, name);
}
template <>
std::optional<Scope> parse(std::string_view name) {
  return find_value<Scope>(scopes, name);
}
template <>
std::optional<Trigger> parse(std::string_view name) {
  return find_value<Trigger>(triggers, name);
}
template <>
std::optional<Patterns> parse(std::string_view name) {
  return find_value<Patterns>(patterns, name);
}
template <>
std::optional<State> parse(std::string_view name) {
  return find_value<State>(states, name);
}
template <>
std::optional<Issue> parse(std::string_view name) {
  return find_value<Issue>(issues, name);
}

}  // namespace wharfage::sync
