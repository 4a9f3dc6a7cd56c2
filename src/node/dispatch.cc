#include "node/dispatch.h"

#include "base/text.h"
#include "facade/oci/oci.h"

namespace wharfage::node {
namespace {

bool starts(std::string_view text, std::string_view with) {
  return text.substr(0, with.size()) == with;
}

std::string_view segment(std::string_view path, std::size_t at) {
  auto end = path.find('/', at);
  return path.substr(at, end == path.npos ? path.npos : end - at);
}

// /v2/<unknown project>/instances/… and the like: answered in Huawei's form, "unknown project".
bool huawei_template(std::string_view path) {
  std::string_view after = path.substr(4 + segment(path, 4).size());
  for (std::string_view literal : {"/instances", "/repositories", "/jobs", "/feature-gates"}) {
    if (after == literal || starts(after, std::string(literal) + "/")) return true;
  }
  return false;
}

}  // namespace

Destination destination(const http::Request& head, bool (*is_project)(std::string_view, const void*),
                        const void* context) {
  std::string_view path = head.path;
  if (path == "/livez" || path == "/readyz" || path == "/healthz" || path == "/metrics")
    return Destination::health;
  if (path == "/v2" || path == "/v2/" || starts(path, "/v2/_")) return Destination::oci;
  if (starts(path, "/v2/")) {
    std::string_view first = segment(path, 4);
    bool reserved = first == "manage" || first == "instances" || is_project(first, context);
    if (reserved || path.find('%') != path.npos) return Destination::huawei;
    if (oci::Oci::owns(path)) return Destination::oci;
    return huawei_template(path) ? Destination::huawei : Destination::oci;
  }
  if (starts(path, "/v3/") || starts(path, "/v3.0/") || starts(path, "/v5/") || starts(path, "/v1.0/")) {
    return Destination::huawei;
  }
  if (path == oci::token_path) return Destination::oci;
  if (starts(path, "/api/")) return Destination::native;
  if (path == "/") {
    bool alibaba = head.method == "POST" || head.headers.has("x-acs-action") ||
                   find_param(parse_query(head.query), "Action").has_value();
    if (alibaba) return Destination::alibaba;
    bool huawei = starts(head.headers.get("Authorization"), "SDK-") || head.headers.has("X-Auth-Token");
    if (huawei) return Destination::huawei;
  }
  return Destination::console;
}

}  // namespace wharfage::node
