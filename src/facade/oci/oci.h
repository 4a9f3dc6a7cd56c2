// The OCI distribution protocol 1.1 (with the 1.2 drafts of ?tag= and ?digest-algorithm=) and its token
// service. Blob and manifest traffic streams straight between the sockets and the store, so it is
// deliberately no operation; what it may do is asked of auth for every request, and changes are audited.
// Thread-safe.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "auth/auth.h"
#include "base/log.h"
#include "http/server.h"
#include "op/audit.h"
#include "registry/registry.h"

namespace wharfage::oci {

struct Options {
  std::string external_url;          // "https://registry.example"; empty: from each request's Host
  bool trust_forwarded = false;      // believe X-Forwarded-Proto and -Host of a proxy in front
  std::string service = "wharfage";  // what tokens are for
  bool create_namespaces = true;     // an administrator's push creates the namespace
  // Existing namespaces (globs) in which everybody has this access, with and without a login. Here and not in
  // auth: it is for images only, and opens nothing of the management APIs.
  std::vector<std::string> anonymous_namespaces;
  auth::Access anonymous_access = auth::Access::read;
  // Whether a client at this address cannot reach external_url (an image build): it is led back to the Host
  // it came by.
  std::function<bool(std::string_view peer)> comes_by_host;
};

constexpr std::string_view token_path = "/auth/token";

class Oci {
 public:
  Oci(registry::Registry& registry, auth::Auth& auth, const auth::RegistryTokens& tokens, op::Audit& audit,
      const Clock& clock, Options options, Log log);

  // For /v2/… paths that are OCI's, and for token_path.
  http::Plan plan(const http::Request& head);
  // Whether a path has the form of an OCI request (decisions.md, Routing 1 and 3).
  static bool owns(std::string_view path);

 private:
  friend class Exchange;
  registry::Registry& x_registry;
  auth::Auth& x_auth;
  const auth::RegistryTokens& x_tokens;
  op::Audit& x_audit;
  const Clock& x_clock;
  Options x_options;
  Log x_log;
};

}  // namespace wharfage::oci
