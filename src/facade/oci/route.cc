#include "facade/oci/route.h"

namespace wharfage::oci {
namespace {

using Kind = Route::Kind;

// The same as a Route, without a copy.
struct Parts {
  Kind kind;
  std::string_view name = {}, reference = {};
};

bool ends(std::string_view text, std::string_view with) {
  return text.size() > with.size() && text.ends_with(with);
}

struct Ending {
  std::string_view text;
  Kind kind;
};
constexpr Ending endings[] = {
    {"/tags/list", Kind::tags}, {"/blobs/uploads/", Kind::uploads}, {"/blobs/uploads", Kind::uploads}};
// Followed by a reference, which is one segment. A longer one comes before what it ends with.
constexpr Ending markers[] = {{"/manifests", Kind::manifest},
                              {"/blobs/uploads", Kind::upload},
                              {"/blobs", Kind::blob},
                              {"/referrers", Kind::referrers}};

std::optional<Parts> take_apart(std::string_view path) {
  if (path == "/v2" || path == "/v2/") return Parts{Kind::ping};
  if (!path.starts_with("/v2/")) return std::nullopt;
  std::string_view rest = path.substr(4);
  if (rest == "_catalog") return Parts{Kind::catalog};
  for (const auto& [text, kind] : endings) {
    if (ends(rest, text)) return Parts{kind, rest.substr(0, rest.size() - text.size())};
  }
  auto slash = rest.rfind('/');
  if (slash == rest.npos || slash + 1 == rest.size()) return std::nullopt;
  std::string_view front = rest.substr(0, slash);
  for (const auto& [text, kind] : markers) {
    if (ends(front, text))
      return Parts{kind, front.substr(0, front.size() - text.size()), rest.substr(slash + 1)};
  }
  return std::nullopt;
}

}  // namespace

bool is_route(std::string_view path) {
  return take_apart(path).has_value();
}

std::optional<Route> parse_route(std::string_view path) {
  auto parts = take_apart(path);
  if (!parts) return std::nullopt;
  return Route{parts->kind, std::string(parts->name), std::string(parts->reference)};
}

}  // namespace wharfage::oci
