// Expected outcomes are values: a 404 is part of every push, and a throw costs a hundred returns.
// Result<T> holds a T or an Error and may not be dropped. Nothing here allocates on success.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/reasons.h"

namespace wharfage {

enum class Reason {
#define X(name, kind, text) name,
  WHARFAGE_REASONS(X)
#undef X
};

// What a caller can do about a failure, whatever its name.
enum class ErrorKind {
  invalid,
  unauthenticated,
  denied,
  not_found,
  conflict,
  exhausted,
  unavailable,
  internal
};

std::string_view reason_name(Reason reason);
std::string_view reason_text(Reason reason);
ErrorKind reason_kind(Reason reason);

struct Error {
  Reason reason;
  std::string message;  // one sentence for the caller; never a secret, never an internal path
  std::string detail;   // what it concerns: a parameter's name, a digest; may be empty

  ErrorKind kind() const { return reason_kind(reason); }
};

// An error with the reason's own text (also for an empty `message`), or with a better sentence.
Error fail(Reason reason);
Error fail(Reason reason, std::string message, std::string detail = {});

template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  Result(T value) : x_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : x_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return x_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() & { return std::get<0>(x_); }
  const T& value() const& { return std::get<0>(x_); }
  T&& value() && { return std::get<0>(std::move(x_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T value_or(T other) const { return ok() ? value() : std::move(other); }
  const Error& error() const& { return std::get<1>(x_); }
  Error&& error() && { return std::get<1>(std::move(x_)); }

 private:
  std::variant<T, Error> x_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;
  Result() = default;
  Result(Error error) : x_(std::move(error)) {}

  bool ok() const { return !x_; }
  explicit operator bool() const { return ok(); }
  const Error& error() const& { return *x_; }
  Error&& error() && { return std::move(*x_); }

 private:
  std::optional<Error> x_;
};

using Status = Result<void>;

}  // namespace wharfage

#define WHARFAGE_JOIN_(a, b) a##b
#define WHARFAGE_JOIN(a, b) WHARFAGE_JOIN_(a, b)

// TRY(auto tag, store.find_tag(name)); declares `tag`, or returns the error from the enclosing function.
#define TRY(declaration, ...) TRY_(WHARFAGE_JOIN(try_, __COUNTER__), declaration, __VA_ARGS__)
#define TRY_(name, declaration, ...)              \
  auto name = (__VA_ARGS__);                      \
  if (!name.ok()) return std::move(name).error(); \
  declaration = std::move(name).value()

// TRY_STATUS(store.remove(name)); returns the error, or goes on.
#define TRY_STATUS(...)                                                                             \
  do {                                                                                              \
    if (auto try_status_ = (__VA_ARGS__); !try_status_.ok()) return std::move(try_status_).error(); \
  } while (false)
