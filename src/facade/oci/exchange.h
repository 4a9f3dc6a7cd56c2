// One OCI request while it is answered: who asks, for which repository, and the helpers all endpoints share.
// Lives on one worker thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "base/text.h"
#include "facade/oci/oci.h"
#include "facade/oci/route.h"

namespace wharfage::oci {

using Opened = std::variant<http::Response, std::unique_ptr<http::BodySink>>;

class Exchange {
 public:
  Exchange(Oci& oci, const http::Request& request, Route route);

  http::Response answer();  // everything whose body is buffered
  Opened open_body();       // uploads and whatever else streams

  // Errors become responses with a challenge where one helps.
  http::Response refuse(const Error& error) const;

  registry::Registry& registry() const { return x_oci.x_registry; }
  const auth::Principal& who() const { return x_who; }
  const Route& route() const { return x_route; }
  const http::Request& request() const { return x_request; }
  std::string upload_location(const std::string& id) const;
  std::string blob_location(const Digest& digest) const;
  void audit(std::string_view action, std::string_view resource, const Error* error = nullptr) const;

 private:
  // ---- who and what may (access.cc)
  Status authenticate();
  // The repository, when `access` to it is allowed. `create`: a push may bring it into being.
  Result<registry::Repository> repository(auth::Access access, bool create = false);
  Result<registry::Repository> repository_named(const std::string& name, auth::Access access, bool create);
  Status allow(auth::Access access, const auth::Resource& resource, const std::string& name);

  // ---- endpoints
  http::Response ping();
  http::Response catalog();
  http::Response list_tags();
  http::Response list_referrers();
  http::Response get_manifest();
  http::Response put_manifest();
  http::Response delete_manifest();
  http::Response get_blob();
  http::Response tell_blob(const registry::Repository& repository, const Digest& digest);
  http::Response send_blob(const registry::Repository& repository, const Digest& digest);
  http::Response delete_blob();
  http::Response upload_status();
  http::Response cancel_upload();
  Opened begin_upload();                 // POST
  Opened continue_upload(bool closing);  // PATCH and PUT
  Status admit(const registry::Repository& repository);
  std::optional<std::int64_t> body_length() const;  // where the client tells it
  Result<std::optional<http::Response>> try_mount(const registry::Repository& to);
  Result<bool> mount_from_anywhere(const registry::Repository& to, const Digest& digest);

  Oci& x_oci;
  const http::Request& x_request;  // the server keeps it until the last sink has gone
  Route x_route;
  Params x_query;
  auth::Principal x_who;
  std::optional<auth::RegistryTokens::Claims> x_claims;  // of a bearer token
  bool x_short_scope = false;                            // the token is good but too narrow
  auth::Access x_wanted = auth::Access::read;            // for the challenge's scope
};

http::Response answer_token(registry::Registry& registry, auth::Auth& auth,
                            const auth::RegistryTokens& tokens, const Options& options,
                            const http::Request& request);
// A password, or Huawei's login "<project>@<access key>"; the project must be ours.
Result<auth::Principal> check_login(registry::Registry& registry, auth::Auth& auth, const std::string& user,
                                    const std::string& password, const std::string& peer);
std::string external_base(const Options& options, const http::Request& request);
// Auth::authorise(), and what the settings open to everybody.
bool open_to_all(const Options& options, auth::Access access, const auth::Resource& on);
Status authorise(const Options& options, auth::Auth& auth, const auth::Principal& who, auth::Access access,
                 const auth::Resource& on);
// What a name is, whether or not it exists: an unknown namespace is nobody's.
auth::Resource resource_of(registry::Registry& registry, const registry::Name& name);

}  // namespace wharfage::oci
