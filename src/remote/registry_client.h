// A client of any OCI registry, for copying and for taking inventory. One object serves one connection for
// one job: it remembers the tokens it was given, and belongs to one thread. Every address is checked by the
// HTTP client; credentials go only to the registry itself and to a token service of its own domain.
//
// Errors, unless said otherwise: remote_unreachable, remote_denied (401, 403), remote_failed (5xx and
// nonsense), throttled (429), timeout, canceled, address_forbidden.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/digest.h"
#include "http/client.h"

namespace wharfage::remote {

struct Endpoint {
  std::string url;  // "https://registry.example[:port]"
  std::string username, password;
  bool verify_tls = true;
  std::string ca_pem;
  std::string client_certificate_pem = {}, client_key_pem = {};  // for servers that ask for one
};

struct RemoteManifest {
  std::string digest, media_type, bytes;  // digest: computed from the bytes
};

class RegistryClient {
 public:
  // `http` must outlive this. `canceled` may be empty.
  RegistryClient(http::Client& http, Endpoint endpoint, std::function<bool()> canceled = {});

  Status ping();  // GET /v2/ with our credentials
  // Repository names; stops with too_large after `most`.
  Result<std::vector<std::string>> catalog(std::size_t most);
  Result<std::vector<std::string>> tags(const std::string& repository, std::size_t most);
  // The digest a tag stands for, without its bytes. Nullopt: there is no such tag.
  Result<std::optional<std::string>> find_digest(const std::string& repository, const std::string& reference);
  Result<std::optional<RemoteManifest>> find_manifest(const std::string& repository,
                                                      const std::string& reference);
  Result<bool> has_blob(const std::string& repository, const Digest& digest);
  // Streams a blob; the caller checks the digest. blob_unknown.
  Status get_blob(const std::string& repository, const Digest& digest,
                  std::function<Status(std::string_view)> sink);
  // False when the registry wants the bytes instead.
  Result<bool> mount_blob(const std::string& repository, const std::string& from, const Digest& digest);
  Status push_blob(const std::string& repository, const Digest& digest, std::int64_t size,
                   std::function<Result<std::size_t>(char*, std::size_t)> source);
  // True when the registry has taken note of the manifest's subject (OCI-Subject): it answers referrers().
  Result<bool> put_manifest(const std::string& repository, const std::string& reference,
                            const std::string& media_type, const std::string& bytes);
  // Digests of the manifests that name `digest` as their subject; nullopt: the registry has no such list.
  Result<std::optional<std::vector<std::string>>> referrers(const std::string& repository,
                                                            const Digest& digest, std::size_t most);

 private:
  struct Call {
    std::string method, path;  // path below the registry's URL, or an absolute URL of an upload
    std::string scope;         // what a token must cover
    http::Headers headers;
    std::string body;
    std::function<Result<std::size_t>(char*, std::size_t)> source;
    std::int64_t length = -1;
    std::function<Status(std::string_view)> sink;
    std::size_t response_max = 0;
  };
  Result<http::ClientResponse> send(const Call& call);
  Result<http::ClientResponse> send_once(const Call& call, const std::string& authorization);
  Result<std::string> authorization_for(const std::string& challenge, const std::string& scope);
  Result<std::string> fetch_token(const std::string& realm, const std::string& service,
                                  const std::string& scope);
  std::string absolute(const std::string& path) const;
  Result<std::vector<std::string>> list(const std::string& path, const std::string& scope, const char* member,
                                        std::size_t most);

  http::Client& x_http;
  Endpoint x_endpoint;
  std::function<bool()> x_canceled;
  std::map<std::string, std::string> x_authorization;  // by scope
};

}  // namespace wharfage::remote
