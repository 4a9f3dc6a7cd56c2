#include "facade/oci/route.h"

namespace wharfage::oci {
namespace {

bool ends(std::string_view text, std::string_view with) {
  return text.size() > with.size() && text.substr(text.size() - with.size()) == with;
}

// "<name>/<marker>/<reference>", the reference being one segment.
std::optional<Route> split_at(std::string_view rest, std::string_view marker, Route::Kind kind) {
  auto slash = rest.rfind('/');
  if (slash == rest.npos || slash + 1 == rest.size()) return std::nullopt;
  std::string_view front = rest.substr(0, slash);
  if (!ends(front, marker)) return std::nullopt;
  return Route{kind, std::string(front.substr(0, front.size() - marker.size())),
               std::string(rest.substr(slash + 1))};
}

}  // namespace

std::optional<Route> parse_route(std::string_view path) {
  if (path == "/v2" || path == "/v2/") return Route{Route::Kind::ping, {}, {}};
  if (path.substr(0, 4) != "/v2/") return std::nullopt;
  std::string_view rest = path.substr(4);
  if (rest == "_catalog") return Route{Route::Kind::catalog, {}, {}};
  if (ends(rest, "/tags/list"))
    return Route{Route::Kind::tags, std::string(rest.substr(0, rest.size() - 10)), {}};
  for (std::string_view suffix : {"/blobs/uploads/", "/blobs/uploads"}) {
    if (ends(rest, suffix)) {
      return Route{Route::Kind::uploads, std::string(rest.substr(0, rest.size() - suffix.size())), {}};
    }
  }
  if (auto route = split_at(rest, "/blobs/uploads", Route::Kind::upload)) return route;
  if (auto route = split_at(rest, "/manifests", Route::Kind::manifest)) return route;
  if (auto route = split_at(rest, "/blobs", Route::Kind::blob)) return route;
  return split_at(rest, "/referrers", Route::Kind::referrers);
}

}  // namespace wharfage::oci
