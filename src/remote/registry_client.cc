#include "remote/registry_client.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/limits.h"
#include "base/text.h"
#include "remote/challenge.h"
#include "wire/json.h"

namespace wharfage::remote {
namespace {

namespace json = boost::json;

constexpr std::string_view manifest_types[] = {"application/vnd.oci.image.index.v1+json",
                                               "application/vnd.oci.image.manifest.v1+json",
                                               "application/vnd.docker.distribution.manifest.list.v2+json",
                                               "application/vnd.docker.distribution.manifest.v2+json"};

constexpr std::size_t list_values_max = 1024 * 1024;  // names in one page of a list

// The registry's own words, shortened: they are shown to people as a reason.
std::string said(const http::ClientResponse& response) {
  auto body = wire::parse_json(response.body);
  if (body.ok() && body->is_object()) {
    auto* errors = body->get_object().if_contains("errors");
    bool listed =
        errors && errors->is_array() && !errors->get_array().empty() && errors->get_array()[0].is_object();
    if (listed) {
      auto* message = errors->get_array()[0].get_object().if_contains("message");
      if (message && message->is_string()) return ": " + cut(std::string(message->get_string()), 200);
    }
  }
  return {};
}

Error failure(const http::ClientResponse& response, std::string_view doing) {
  Reason reason = response.status == 401 || response.status == 403 ? Reason::remote_denied
                  : response.status == 429                         ? Reason::throttled
                                                                   : Reason::remote_failed;
  return fail(reason, fmt::format("{}: the registry answered {}{}", doing, response.status, said(response)));
}

std::string pull_scope(const std::string& repository) {
  return fmt::format("repository:{}:pull", repository);
}
std::string push_scope(const std::string& repository) {
  return fmt::format("repository:{}:pull,push", repository);
}

// The target of Link: <…>; rel="next", or empty.
std::string next_page(const http::ClientResponse& response) {
  std::string_view link = response.headers.get("Link");
  auto open = link.find('<'), close = link.find('>');
  bool next =
      open != link.npos && close != link.npos && open < close && link.find("next", close) != link.npos;
  return next ? std::string(link.substr(open + 1, close - open - 1)) : std::string();
}

}  // namespace

RegistryClient::RegistryClient(http::Client& http, Endpoint endpoint, std::function<bool()> canceled)
    : x_http(http), x_endpoint(std::move(endpoint)), x_canceled(std::move(canceled)) {
  while (!x_endpoint.url.empty() && x_endpoint.url.back() == '/') x_endpoint.url.pop_back();
}

std::string RegistryClient::absolute(const std::string& path) const {
  return path.rfind("http://", 0) == 0 || path.rfind("https://", 0) == 0 ? path : x_endpoint.url + path;
}

Result<http::ClientResponse> RegistryClient::send_once(const Call& call, const std::string& authorization) {
  http::ClientRequest request;
  request.method = call.method;
  request.url = absolute(call.path);
  request.headers = call.headers;
  request.body = call.body;
  request.body_source = call.source;
  request.body_length = call.length;
  request.body_sink = call.sink;
  request.response_max = call.response_max ? call.response_max : limits::remote_json_max;
  request.verify_tls = x_endpoint.verify_tls;
  request.ca_pem = x_endpoint.ca_pem;
  request.client_certificate_pem = x_endpoint.client_certificate_pem;
  request.client_key_pem = x_endpoint.client_key_pem;
  request.canceled = x_canceled;
  // An upload's location may be on another host (a signed URL): that host gets no credentials of ours.
  auto own = http::parse_url(x_endpoint.url), target = http::parse_url(request.url);
  bool same_origin = own.ok() && target.ok() && own->origin() == target->origin();
  if (!authorization.empty() && same_origin) request.headers.set("Authorization", authorization);
  return x_http.send(request);
}

// Sends with what is known, and once more after a challenge. A body that streams is never sent twice: its
// caller has made a call with the same scope before, so the token is at hand.
Result<http::ClientResponse> RegistryClient::send(const Call& call) {
  auto known = x_authorization.find(call.scope);
  TRY(auto response, send_once(call, known == x_authorization.end() ? "" : known->second));
  bool challenged = response.status == 401 && !call.source;
  if (!challenged) return response;
  auto authorization = authorization_for(std::string(response.headers.get("WWW-Authenticate")), call.scope);
  if (!authorization.ok()) return authorization.error();
  if (authorization->empty()) return response;
  x_authorization[call.scope] = *authorization;
  return send_once(call, *authorization);
}

Result<std::string> RegistryClient::authorization_for(const std::string& header, const std::string& scope) {
  auto challenge = parse_challenge(header);
  if (!challenge) return std::string();
  if (!challenge->bearer) {
    if (x_endpoint.username.empty()) return std::string();
    return "Basic " + base64(x_endpoint.username + ":" + x_endpoint.password);
  }
  TRY(std::string token,
      fetch_token(challenge->realm, challenge->service, scope.empty() ? challenge->scope : scope));
  return "Bearer " + token;
}

Result<std::string> RegistryClient::fetch_token(const std::string& realm, const std::string& service,
                                                const std::string& scope) {
  if (!trusted_realm(x_endpoint.url, realm)) {
    return fail(Reason::remote_denied,
                "the registry's token service lies on another domain: " + cut(realm, 200));
  }
  http::ClientRequest request;
  request.url = realm + (realm.find('?') == realm.npos ? "?" : "&") + "service=" + percent_encode(service);
  for (std::string_view part : split(scope, ' ')) {
    if (!part.empty()) request.url += "&scope=" + percent_encode(part);
  }
  if (!x_endpoint.username.empty()) {
    request.headers.set("Authorization", "Basic " + base64(x_endpoint.username + ":" + x_endpoint.password));
  }
  request.response_max = limits::request_headers_max;
  request.verify_tls = x_endpoint.verify_tls;
  request.ca_pem = x_endpoint.ca_pem;
  request.client_certificate_pem = x_endpoint.client_certificate_pem;
  request.client_key_pem = x_endpoint.client_key_pem;
  request.canceled = x_canceled;
  TRY(auto response, x_http.send(request));
  if (response.status != 200) return failure(response, "asking for a token");
  auto body = wire::parse_json(response.body);
  for (const char* name : {"token", "access_token"}) {
    auto* token = body.ok() && body->is_object() ? body->get_object().if_contains(name) : nullptr;
    if (token && token->is_string() && !token->get_string().empty()) return std::string(token->get_string());
  }
  return fail(Reason::remote_failed, "the token service gave no token");
}

Status RegistryClient::ping() {
  TRY(auto response, send({.method = "GET", .path = "/v2/"}));
  if (response.status != 200) return failure(response, "signing in");
  return {};
}

Result<std::vector<std::string>> RegistryClient::list(const std::string& path, const std::string& scope,
                                                      const char* member, std::size_t most) {
  std::vector<std::string> items;
  int pages = 0;
  for (std::string page = path; !page.empty();) {
    if (++pages > limits::remote_pages_max) return fail(Reason::too_large, "the registry's list has no end");
    TRY(auto response, send({.method = "GET", .path = page, .scope = scope}));
    if (response.status == 404) return fail(Reason::repository_unknown, "listing: the registry answered 404");
    if (response.status != 200) return failure(response, "listing");
    auto body = wire::parse_json(response.body, wire::Doubled::last_counts, list_values_max);
    if (!body.ok() || !body->is_object())
      return fail(Reason::remote_failed, "listing: the registry answered no JSON object");
    auto* array = body->get_object().if_contains(member);
    if (array && array->is_array()) {
      for (const json::value& item : array->get_array()) {
        if (item.is_string()) items.emplace_back(item.get_string());
      }
    }
    if (items.size() > most)
      return fail(Reason::too_large, fmt::format("the registry lists more than {} entries", most));
    std::string next = next_page(response);
    page = next == page ? std::string() : next;
  }
  return items;
}

Result<std::vector<std::string>> RegistryClient::catalog(std::size_t most) {
  return list("/v2/_catalog?n=1000", "registry:catalog:*", "repositories", most);
}

Result<std::vector<std::string>> RegistryClient::tags(const std::string& repository, std::size_t most) {
  return list(fmt::format("/v2/{}/tags/list?n=1000", repository), pull_scope(repository), "tags", most);
}

Result<std::optional<std::string>> RegistryClient::find_digest(const std::string& repository,
                                                               const std::string& reference) {
  Call call{.method = "HEAD",
            .path = fmt::format("/v2/{}/manifests/{}", repository, reference),
            .scope = pull_scope(repository)};
  for (std::string_view type : manifest_types) call.headers.add("Accept", std::string(type));
  TRY(auto response, send(call));
  if (response.status == 404) return std::optional<std::string>();
  if (response.status != 200) return failure(response, "looking for a manifest");
  auto digest = Digest::parse(response.headers.get("Docker-Content-Digest"));
  if (digest.ok()) return std::optional(digest->text());
  TRY(auto manifest, find_manifest(repository, reference));
  return manifest ? std::optional(manifest->digest) : std::nullopt;
}

Result<std::optional<RemoteManifest>> RegistryClient::find_manifest(const std::string& repository,
                                                                    const std::string& reference) {
  Call call{.method = "GET",
            .path = fmt::format("/v2/{}/manifests/{}", repository, reference),
            .scope = pull_scope(repository)};
  for (std::string_view type : manifest_types) call.headers.add("Accept", std::string(type));
  call.response_max = limits::manifest_bytes_max;
  TRY(auto response, send(call));
  if (response.status == 404) return std::optional<RemoteManifest>();
  if (response.status != 200) return failure(response, "reading a manifest");
  std::string_view type = response.headers.get("Content-Type");
  RemoteManifest manifest{.digest = {},
                          .media_type = std::string(trim(type.substr(0, type.find(';')))),
                          .bytes = std::move(response.body)};
  auto asked = Digest::parse(reference);
  auto algorithm = asked.ok() ? asked->algorithm() : DigestAlgorithm::sha256;
  manifest.digest = Digest::of(manifest.bytes, algorithm).text();
  if (asked.ok() && manifest.digest != reference) {
    return fail(Reason::digest_invalid, "the registry sent a manifest that does not match its digest",
                reference);
  }
  return std::optional(std::move(manifest));
}

Result<bool> RegistryClient::has_blob(const std::string& repository, const Digest& digest) {
  TRY(auto response, send({.method = "HEAD",
                           .path = fmt::format("/v2/{}/blobs/{}", repository, digest.text()),
                           .scope = push_scope(repository)}));
  if (response.status == 404) return false;
  if (response.status != 200) return failure(response, "looking for a blob");
  return true;
}

Status RegistryClient::get_blob(const std::string& repository, const Digest& digest,
                                std::function<Status(std::string_view)> sink) {
  TRY(auto response, send({.method = "GET",
                           .path = fmt::format("/v2/{}/blobs/{}", repository, digest.text()),
                           .scope = pull_scope(repository),
                           .sink = std::move(sink)}));
  if (response.status == 404)
    return fail(Reason::blob_unknown, "the registry has no such blob", digest.text());
  if (response.status != 200) return failure(response, "reading a blob");
  return {};
}

Result<bool> RegistryClient::mount_blob(const std::string& repository, const std::string& from,
                                        const Digest& digest) {
  TRY(auto response, send({.method = "POST",
                           .path = fmt::format("/v2/{}/blobs/uploads/?mount={}&from={}", repository,
                                               digest.text(), percent_encode(from)),
                           .scope = push_scope(repository) + " " + pull_scope(from)}));
  if (response.status == 201) return true;
  if (response.status != 202) return failure(response, "mounting a blob");
  // The registry opened an upload we do not need: give it back, whatever it answers.
  std::string location(response.headers.get("Location"));
  if (!location.empty()) (void)send({.method = "DELETE", .path = location, .scope = push_scope(repository)});
  return false;
}

Status RegistryClient::push_blob(const std::string& repository, const Digest& digest, std::int64_t size,
                                 std::function<Result<std::size_t>(char*, std::size_t)> source) {
  TRY(auto started, send({.method = "POST",
                          .path = fmt::format("/v2/{}/blobs/uploads/", repository),
                          .scope = push_scope(repository)}));
  if (started.status != 202) return failure(started, "starting an upload");
  std::string location(started.headers.get("Location"));
  if (location.empty()) return fail(Reason::remote_failed, "the registry gave no place to upload to");
  location += (location.find('?') == location.npos ? "?" : "&") + ("digest=" + percent_encode(digest.text()));
  Call put{.method = "PUT", .path = location, .scope = push_scope(repository)};
  put.headers.set("Content-Type", "application/octet-stream");
  put.source = std::move(source);
  put.length = size;
  TRY(auto response, send(put));
  if (response.status != 201) return failure(response, "uploading a blob");
  return {};
}

Result<bool> RegistryClient::put_manifest(const std::string& repository, const std::string& reference,
                                          const std::string& media_type, const std::string& bytes) {
  Call call{.method = "PUT",
            .path = fmt::format("/v2/{}/manifests/{}", repository, reference),
            .scope = push_scope(repository)};
  call.headers.set("Content-Type", media_type);
  call.body = bytes;
  TRY(auto response, send(call));
  if (response.status != 201) return failure(response, "writing a manifest");
  return !response.headers.get("OCI-Subject").empty();
}

Result<std::optional<std::vector<std::string>>> RegistryClient::referrers(const std::string& repository,
                                                                          const Digest& digest,
                                                                          std::size_t most) {
  std::vector<std::string> digests;
  std::string page = fmt::format("/v2/{}/referrers/{}", repository, digest.text());
  for (int pages = 0; !page.empty(); ++pages) {
    if (pages >= limits::remote_pages_max) return fail(Reason::too_large, "the registry's list has no end");
    TRY(auto response, send({.method = "GET", .path = page, .scope = pull_scope(repository)}));
    if (response.status == 404 || response.status == 405) return std::optional<std::vector<std::string>>();
    if (response.status != 200) return failure(response, "listing referrers");
    auto body = wire::parse_json(response.body);
    auto* list = body.ok() && body->is_object() ? body->get_object().if_contains("manifests") : nullptr;
    if (!list || !list->is_array()) return std::optional<std::vector<std::string>>();
    for (const json::value& item : list->get_array()) {
      auto* name = item.is_object() ? item.get_object().if_contains("digest") : nullptr;
      bool good = name && name->is_string() && Digest::parse(std::string_view(name->get_string())).ok();
      if (good) digests.emplace_back(name->get_string());
    }
    if (digests.size() > most) return fail(Reason::too_large, "an image has too many referrers");
    std::string next = next_page(response);
    page = next == page ? std::string() : next;
  }
  return std::optional(std::move(digests));
}

}  // namespace wharfage::remote
