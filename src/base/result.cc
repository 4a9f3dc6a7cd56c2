#include "base/result.h"

namespace wharfage {
namespace {

struct Row {
  std::string_view name;
  ErrorKind kind;
  std::string_view text;
};

constexpr Row rows[] = {
#define X(name, kind, text) {#name, ErrorKind::kind, text},
    WHARFAGE_REASONS(X)
#undef X
};

const Row& row(Reason reason) {
  return rows[static_cast<int>(reason)];
}

}  // namespace

std::string_view reason_name(Reason reason) {
  return row(reason).name;
}
std::string_view reason_text(Reason reason) {
  return row(reason).text;
}
ErrorKind reason_kind(Reason reason) {
  return row(reason).kind;
}

Error fail(Reason reason) {
  return {reason, std::string(reason_text(reason)), {}};
}

Error fail(Reason reason, std::string message, std::string detail) {
  if (message.empty()) message = reason_text(reason);
  return {reason, std::move(message), std::move(detail)};
}

}  // namespace wharfage
