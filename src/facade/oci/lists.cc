#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/limits.h"
#include "base/log.h"
#include "facade/oci/error.h"
#include "facade/oci/exchange.h"
#include "wire/json.h"

namespace wharfage::oci {
namespace {

struct PageOf {
  std::int64_t size;
  std::string last;
};

// n is clamped, not refused, above the limit; without n a page has the limit's size and a Link.
Result<PageOf> read_page(const Params& query) {
  PageOf page{limits::list_page_max, find_param(query, "last").value_or("")};
  auto text = find_param(query, "n");
  if (!text) return page;
  bool digits = !text->empty() && text->find_first_not_of("0123456789") == text->npos;
  if (!digits) return fail(Reason::invalid_parameter, "n must be a number from 0", "n");
  page.size = std::min<std::int64_t>(parse_integer(*text).value_or(page.size), page.size);
  return page;
}

std::string json_list(const std::vector<std::string>& items) {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "" : ",") + json_string(item);
  return "[" + text + "]";
}

// One more than the page was asked for: when it came, there is a next page.
void link_next(http::Response& response, std::string_view path, const PageOf& page,
               std::vector<std::string>& items) {
  if (static_cast<std::int64_t>(items.size()) <= page.size) return;
  items.resize(page.size);
  if (items.empty()) return;
  response.headers.set(
      "Link", fmt::format("<{}?n={}&last={}>; rel=\"next\"", path, page.size, percent_encode(items.back())));
}

// The registry ends a page early when its manifests are large. A link too many leads to an empty page.
bool may_go_on(const std::vector<registry::Manifest>& page) {
  std::size_t bytes = limits::manifest_bytes_max;
  for (const auto& manifest : page) bytes += static_cast<std::size_t>(manifest.size);
  return page.size() >= limits::list_page_max || bytes > limits::referrers_bytes_max;
}

std::string descriptor(const registry::Manifest& manifest) {
  namespace json = boost::json;
  std::string text = fmt::format(R"({{"mediaType":{},"digest":"{}","size":{})",
                                 json_string(manifest.media_type), manifest.digest->text(), manifest.size);
  if (!manifest.artifact_type.empty()) text += ",\"artifactType\":" + json_string(manifest.artifact_type);
  auto parsed = wire::parse_json(manifest.bytes);
  if (parsed.ok() && parsed->is_object()) {
    auto* annotations = parsed->get_object().if_contains("annotations");
    if (annotations && annotations->is_object()) text += ",\"annotations\":" + json::serialize(*annotations);
  }
  return text + "}";
}

// What distribution's own registry asks for: the scope "registry:catalog:*".
bool covers_catalog(const auth::RegistryTokens::Claims& claims) {
  return std::any_of(claims.access.begin(), claims.access.end(), [](const auth::RegistryAccess& one) {
    return one.type == "registry" && one.name == "catalog" &&
           std::find(one.actions.begin(), one.actions.end(), "*") != one.actions.end();
  });
}

}  // namespace

http::Response Exchange::catalog() {
  bool presented = !x_request.headers.get("Authorization").empty();
  if (!presented) return refuse(fail(Reason::unauthenticated));
  if (x_claims && !covers_catalog(*x_claims)) {
    x_short_scope = true;
    return refuse(fail(Reason::unauthenticated, "the token does not cover the catalog"));
  }
  auto page = read_page(x_query);
  if (!page.ok()) return refuse(page.error());
  auto readable = x_oci.x_auth.readable_namespaces(x_who);
  if (!readable.ok()) return refuse(readable.error());
  auto names = registry().catalog(*readable, page->last, page->size + 1);
  if (!names.ok()) return refuse(names.error());
  http::Response response;
  link_next(response, "/v2/_catalog", *page, *names);
  response.headers.set("Content-Type", "application/json");
  response.body = "{\"repositories\":" + json_list(*names) + "}";
  return response;
}

http::Response Exchange::list_tags() {
  auto repository = this->repository(auth::Access::read);
  if (!repository.ok()) return refuse(repository.error());
  auto page = read_page(x_query);
  if (!page.ok()) return refuse(page.error());
  auto tags = registry().tags_after(*repository, page->last, page->size + 1);
  if (!tags.ok()) return refuse(tags.error());
  http::Response response;
  link_next(response, x_request.path, *page, *tags);
  response.headers.set("Content-Type", "application/json");
  response.body = fmt::format("{{\"name\":{},\"tags\":{}}}", json_string(x_route.name), json_list(*tags));
  return response;
}

http::Response Exchange::list_referrers() {
  auto repository = this->repository(auth::Access::read);
  // What is not there has no referrers; 404 would say that there is no such endpoint.
  bool nowhere = !repository.ok() && repository.error().reason == Reason::repository_unknown;
  if (!repository.ok() && !nowhere) return refuse(repository.error());
  auto digest = Digest::parse(x_route.reference);
  if (!digest.ok()) return refuse(digest.error());
  std::string type = find_param(x_query, "artifactType").value_or("");
  auto last = parse_integer(find_param(x_query, "last").value_or("0"));
  if (!last || *last < 0) return refuse(fail(Reason::invalid_parameter, "last is not from a Link", "last"));
  auto found = nowhere ? Result(std::vector<registry::Manifest>())
                       : registry().referrers(*repository, *digest, type, *last);
  if (!found.ok()) return refuse(found.error());
  std::string descriptors;
  for (const auto& manifest : *found) descriptors += (descriptors.empty() ? "" : ",") + descriptor(manifest);
  http::Response response;
  response.headers.set("Content-Type", "application/vnd.oci.image.index.v1+json");
  if (!type.empty()) response.headers.set("OCI-Filters-Applied", "artifactType");
  if (may_go_on(*found)) {
    std::string filter = type.empty() ? "" : "artifactType=" + percent_encode(type) + "&";
    response.headers.set(
        "Link", fmt::format("<{}?{}last={}>; rel=\"next\"", x_request.path, filter, found->back().id));
  }
  response.body =
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)" +
      descriptors + "]}";
  return response;
}

}  // namespace wharfage::oci
