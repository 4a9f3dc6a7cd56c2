#include "base/retry.h"

#include <algorithm>
#include <string_view>

#include "base/text.h"

namespace wharfage {
namespace {

constexpr std::string_view before = "; try again in ";
constexpr std::string_view after = " seconds";

}  // namespace

Error try_again_in(std::int64_t wait_ms, Reason reason, std::string what) {
  std::int64_t seconds = std::max<std::int64_t>(1, (wait_ms + 999) / 1000);
  what.append(before).append(std::to_string(seconds)).append(after);
  return fail(reason, std::move(what));
}

std::int64_t retry_after_s(const Error& error) {
  std::string_view text = error.message;
  auto at = text.rfind(before);
  if (at == text.npos || !text.ends_with(after)) return 1;
  text.remove_prefix(at + before.size());
  text.remove_suffix(after.size());
  return std::max<std::int64_t>(1, parse_integer(text).value_or(1));
}

}  // namespace wharfage
