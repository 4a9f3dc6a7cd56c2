// What is answered on the event loop, and that it is never older than the last change.
#include <unistd.h>

#include "base/text.h"
#include "crypto/keys.h"
#include "facade/oci/oci.h"
#include "registry/registry_fixture.h"

using namespace wharfage;

namespace {

struct Front {
  registry::RegistryFixture base;
  auth::Auth& auth = *base.base.auth;
  auth::RegistryTokens tokens{*crypto::EcdsaKey::generate(), base.base.clock};
  op::Audit audit{*base.base.db, base.base.clock};
  oci::Oci oci{*base.registry, auth, tokens, audit, base.base.clock, {}, base.base.log()};
  auth::Principal alice = base.base.user("alice");
  registry::Repository app = base.repository("team/app");
  auth::Grant grant = base.base.grant(alice, app.namespace_id, auth::Role::developer);

  http::Request request(const std::string& method, const std::string& path) const {
    http::Request head;
    head.method = method;
    head.path = head.target = path;
    head.headers.add("Host", "h");
    head.headers.add("Authorization", "Basic " + base64("alice:password of alice"));
    return head;
  }
  // Nothing when a worker has to find out.
  std::optional<http::Response> at_once(const http::Request& head) {
    http::Plan plan = oci.plan(head);
    auto answered = std::get_if<http::Answered>(&plan);
    return answered ? std::optional(std::move(answered->response)) : std::nullopt;
  }
  http::Response in_the_end(http::Request head) {
    http::Plan plan = oci.plan(head);
    if (auto answered = std::get_if<http::Answered>(&plan)) return std::move(answered->response);
    return std::get<http::Buffered>(plan).handle(head);
  }
};

std::string text_of(const http::Response& response) {
  if (auto text = std::get_if<std::string>(&response.body)) return *text;
  const auto& range = std::get<http::FileRange>(response.body);
  std::string bytes(static_cast<std::size_t>(range.length), '\0');
  REQUIRE(::pread(*range.descriptor, bytes.data(), bytes.size(), range.offset) == range.length);
  return bytes;
}

}  // namespace

TEST_CASE("the first pull of a manifest asks the database, the next is answered at once") {
  Front front;
  registry::Manifest image = front.base.push_image(front.app, "one", {"v1"});
  auto head = front.request("GET", "/v2/team/app/manifests/v1");
  CHECK_FALSE(front.at_once(head));
  http::Response slow = front.in_the_end(head);
  REQUIRE(slow.status == 200);
  auto fast = front.at_once(head);
  REQUIRE(fast);
  CHECK(fast->status == 200);
  CHECK(text_of(*fast) == text_of(slow));
  CHECK(fast->headers.get("Docker-Content-Digest") == image.digest->text());
  REQUIRE(front.base.registry->fold_pulls().ok());
  CHECK(front.base.registry->get_tag(front.app, "v1")->manifest.pull_count == 2);
}

TEST_CASE("a moved or deleted tag is not answered from memory") {
  Front front;
  front.base.push_image(front.app, "one", {"v1"});
  auto head = front.request("GET", "/v2/team/app/manifests/v1");
  front.in_the_end(head);
  REQUIRE(front.at_once(head));
  registry::Manifest next = front.base.push_image(front.app, "two", {"v1"});
  CHECK_FALSE(front.at_once(head));
  CHECK(front.in_the_end(head).headers.get("Docker-Content-Digest") == next.digest->text());
  REQUIRE(front.base.registry->delete_tag(front.app, "v1").ok());
  CHECK_FALSE(front.at_once(head));
  CHECK(front.in_the_end(head).status == 404);
  auto by_digest = front.request("GET", "/v2/team/app/manifests/" + next.digest->text());
  CHECK(front.in_the_end(by_digest).status == 200);
  REQUIRE(front.base.registry->delete_manifest(front.app, *next.digest).ok());
  CHECK(front.in_the_end(by_digest).status == 404);
}

TEST_CASE("a blob is sent at once while it is open, and not after it was deleted") {
  Front front;
  Digest digest = front.base.blob(front.app, "some layer");
  std::string path = "/v2/team/app/blobs/" + digest.text();
  auto head = front.request("GET", path);
  CHECK_FALSE(front.at_once(head));
  CHECK(text_of(front.in_the_end(head)) == "some layer");
  auto fast = front.at_once(head);
  REQUIRE(fast);
  CHECK(text_of(*fast) == "some layer");
  auto part = front.request("GET", path);
  part.headers.add("Range", "bytes=5-");
  CHECK(text_of(*front.at_once(part)) == "layer");
  CHECK_FALSE(front.at_once(front.request("HEAD", path)));  // tells the collection that it will be needed
  REQUIRE(front.base.registry->delete_blob(front.app, digest).ok());
  CHECK_FALSE(front.at_once(head));
  CHECK(front.in_the_end(head).status == 404);
}

TEST_CASE("what an account may no longer read is not answered from memory") {
  Front front;
  front.base.push_image(front.app, "one", {"v1"});
  auto head = front.request("HEAD", "/v2/team/app/manifests/v1");
  front.in_the_end(head);
  REQUIRE(front.at_once(head)->status == 200);
  REQUIRE(front.auth.delete_grant(front.grant.id).ok());
  CHECK_FALSE(front.at_once(head));
  CHECK(front.in_the_end(head).status == 403);
  auto anonymous = front.request("HEAD", "/v2/team/app/manifests/v1");
  anonymous.headers.remove("Authorization");
  CHECK(front.in_the_end(anonymous).status == 401);
  auto wrong = front.request("HEAD", "/v2/team/app/manifests/v1");
  wrong.headers.set("Authorization", "Basic " + base64("alice:guess"));
  CHECK_FALSE(front.at_once(wrong));
  CHECK(front.in_the_end(wrong).status == 401);
}
