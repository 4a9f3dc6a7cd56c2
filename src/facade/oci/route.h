// What an OCI path asks for (distribution-spec 1.1 "Endpoints"), read from the raw path: names hold no
// escapes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace wharfage::oci {

struct Route {
  enum class Kind { ping, catalog, manifest, blob, uploads, upload, tags, referrers };
  Kind kind;
  std::string name;       // repository, as in the path
  std::string reference;  // tag, digest or upload id
};

// Nullopt when the path is none of ours; `path` starts with "/v2".
std::optional<Route> parse_route(std::string_view path);
bool is_route(std::string_view path);  // the same question, cheaper

}  // namespace wharfage::oci
