#include <fmt/format.h>

#include "base/limits.h"
#include "facade/oci/error.h"
#include "facade/oci/exchange.h"

namespace wharfage::oci {
namespace {

bool is_digest(std::string_view reference) {
  return reference.find(':') != reference.npos;
}

// The type without parameters: "application/json; charset=utf-8" -> "application/json".
std::string media_type(std::string_view content_type) {
  return std::string(trim(content_type.substr(0, content_type.find(';'))));
}

}  // namespace

http::Response Exchange::get_manifest() {
  auto repository = this->repository(auth::Access::read);
  if (!repository.ok()) return refuse(repository.error());
  if (is_digest(x_route.reference)) {
    if (auto digest = Digest::parse(x_route.reference); !digest.ok()) return refuse(digest.error());
  }
  auto manifest = registry().get_manifest(*repository, x_route.reference);
  if (!manifest.ok()) return refuse(manifest.error());
  http::Response response;
  std::string etag = "\"" + manifest->digest->text() + "\"";
  response.headers.add("Content-Type", manifest->media_type);
  response.headers.add("Docker-Content-Digest", manifest->digest->text());
  response.headers.add("ETag", etag);
  response.headers.add("Docker-Distribution-Api-Version", "registry/2.0");
  if (x_request.headers.get("If-None-Match") == etag) {
    response.status = 304;
    return response;
  }
  if (x_request.method == "GET") registry().count_pull(*repository, *manifest);
  response.body = std::move(manifest->bytes);
  return response;
}

http::Response Exchange::put_manifest() {
  auto repository = this->repository(auth::Access::write, true);
  if (!repository.ok()) return refuse(repository.error());
  registry::ManifestPush push{.bytes = x_request.body,
                              .media_type = media_type(x_request.headers.get("Content-Type")),
                              .digest = std::nullopt,
                              .tags = {},
                              .event_origin = x_who.acts_for_user != 0 ? "build" : "push"};
  if (is_digest(x_route.reference)) {
    auto digest = Digest::parse(x_route.reference);
    if (!digest.ok()) return refuse(digest.error());
    push.digest = *digest;
    for (const auto& [name, value] : x_query) {
      if (name == "tag") push.tags.push_back(value);
    }
    if (push.tags.size() > limits::manifest_tags_per_push_max) {
      http::Response response = error_response(fail(Reason::too_large, "too many tags in one request"));
      response.status = 414;
      return response;
    }
  } else {
    push.tags.push_back(x_route.reference);
  }
  auto pushed = registry().put_manifest(*repository, push, x_who);
  std::string place = repository->full_name() + (push.digest ? "@" : ":") + x_route.reference;
  audit("oci:PushManifest", place, pushed.ok() ? nullptr : &pushed.error());
  if (!pushed.ok()) return refuse(pushed.error());
  http::Response response;
  response.status = 201;
  const std::string& digest = pushed->manifest.digest->text();
  response.headers.add("Location", fmt::format("/v2/{}/manifests/{}", x_route.name, digest));
  response.headers.add("Docker-Content-Digest", digest);
  response.headers.add("Docker-Distribution-Api-Version", "registry/2.0");
  if (pushed->manifest.subject) response.headers.add("OCI-Subject", pushed->manifest.subject->text());
  if (push.digest) {
    for (const auto& tag : push.tags) response.headers.add("OCI-Tag", tag);
  }
  return response;
}

http::Response Exchange::delete_manifest() {
  auto repository = this->repository(auth::Access::remove);
  if (!repository.ok()) return refuse(repository.error());
  Status removed;
  if (is_digest(x_route.reference)) {
    auto digest = Digest::parse(x_route.reference);
    removed = digest.ok() ? registry().delete_manifest(*repository, *digest, {.actor = x_who.name})
                          : Status(digest.error());
  } else {
    removed = registry().delete_tag(*repository, x_route.reference, {.actor = x_who.name});
  }
  std::string place =
      repository->full_name() + (is_digest(x_route.reference) ? "@" : ":") + x_route.reference;
  audit("oci:DeleteManifest", place, removed.ok() ? nullptr : &removed.error());
  if (!removed.ok()) return refuse(removed.error());
  http::Response response;
  response.status = 202;
  return response;
}

}  // namespace wharfage::oci
