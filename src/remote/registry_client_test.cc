#include "remote/registry_client.h"

#include <cstring>

#include "remote/docker_registry_fixture.h"

using namespace wharfage;
using namespace wharfage::remote;

namespace {

struct Peer {
  explicit Peer(bool password = false) : registry(password) {}
  RegistryClient client(const std::string& username = "", const std::string& password = "") {
    return RegistryClient(http,
                          {.url = registry.url(), .username = username, .password = password, .ca_pem = {}});
  }
  DockerRegistry registry;
  http::Client http{{.allow_private = true, .allowed = {}}, "wharfage-test"};
};

Status send(RegistryClient& client, const std::string& repository, const std::string& bytes) {
  std::size_t at = 0;
  return client.push_blob(repository, Digest::of(bytes), static_cast<std::int64_t>(bytes.size()),
                          [&](char* buffer, std::size_t size) -> Result<std::size_t> {
                            std::size_t count = std::min(size, bytes.size() - at);
                            std::memcpy(buffer, bytes.data() + at, count);
                            at += count;
                            return count;
                          });
}

std::string image_of(const std::string& config) {
  return fmt::format(
      R"({{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",)"
      R"("config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{}","size":{}}},)"
      R"("layers":[]}})",
      Digest::of(config).text(), config.size());
}

template <class T>
std::string outcome(const Result<T>& result) {
  return result.ok() ? "ok" : std::string(reason_name(result.error().reason));
}

}  // namespace

TEST_CASE("an image is written to a registry, listed, mounted and read back") {
  if (!have_docker_registry()) return;
  Peer peer(true);
  auto client = peer.client("robot", "secret");
  REQUIRE(client.ping().ok());
  std::string config = R"({"os":"linux"})", manifest = image_of(config);
  Digest digest = Digest::of(config);
  CHECK_FALSE(*client.has_blob("team/app", digest));
  REQUIRE(send(client, "team/app", config).ok());
  CHECK(*client.has_blob("team/app", digest));
  auto put = client.put_manifest("team/app", "1.0", "application/vnd.oci.image.manifest.v1+json", manifest);
  REQUIRE(put.ok());
  CHECK_FALSE(*put);  // distribution 2.8 takes no note of subjects
  CHECK(*client.catalog(10) == std::vector<std::string>{"team/app"});
  CHECK(*client.tags("team/app", 10) == std::vector<std::string>{"1.0"});
  CHECK(**client.find_digest("team/app", "1.0") == Digest::of(manifest).text());
  CHECK(client.find_manifest("team/app", "1.0").value()->bytes == manifest);
  CHECK_FALSE(client.find_digest("team/app", "2.0").value());
  CHECK(*client.mount_blob("team/other", "team/app", digest));
  CHECK(*client.has_blob("team/other", digest));
  CHECK_FALSE(*client.mount_blob("team/other", "team/app", Digest::of("nowhere")));
  std::string read;
  REQUIRE(client
              .get_blob("team/app", digest,
                        [&](std::string_view piece) -> Status {
                          read += piece;
                          return {};
                        })
              .ok());
  CHECK(read == config);
  CHECK_FALSE(client.referrers("team/app", digest, 10).value());
  CHECK(outcome(client.tags("team/none", 10)) == "repository_unknown");
}

TEST_CASE("wrong credentials, a closed port and a silent peer are told apart") {
  if (!have_docker_registry()) return;
  Peer peer(true);
  CHECK(outcome(peer.client("robot", "wrong").ping()) == "remote_denied");
  CHECK(outcome(peer.client().ping()) == "remote_denied");
  SilentPeer closed;
  std::string url = closed.url();
  closed.close();
  CHECK(outcome(RegistryClient(peer.http, {.url = url, .ca_pem = {}}).ping()) == "remote_unreachable");
  SilentPeer silent;
  RegistryClient patient(peer.http, {.url = silent.url(), .ca_pem = {}}, [] { return true; });
  CHECK(outcome(patient.ping()) == "canceled");
  http::Client careful({}, "wharfage-test");
  CHECK(outcome(RegistryClient(careful, {.url = peer.registry.url(), .ca_pem = {}}).ping()) ==
        "address_forbidden");
}
