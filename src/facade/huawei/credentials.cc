// Docker logins for SWR users: enterprise temporary credentials, and the basic edition's secret.
#include <fmt/format.h>

#include "facade/huawei/route.h"
#include "op/accounts.h"

namespace wharfage::huawei {
namespace {

using wire::field;
using wire::required;

struct SecretQuery {
  std::optional<std::string> projectname;
  static constexpr auto fields() { return std::array{field<&SecretQuery::projectname>("projectname")}; }
};
struct Credential {
  std::string user_id;
  std::string auth_token;
  std::string created_at;
  std::string expire_date;
  std::string token_id;
  static constexpr auto fields() {
    return std::array{field<&Credential::user_id>("user_id"), field<&Credential::auth_token>("auth_token"),
                      field<&Credential::created_at>("created_at"),
                      field<&Credential::expire_date>("expire_date"),
                      field<&Credential::token_id>("token_id")};
  }
};
struct Login {
  std::string auth;
  static constexpr auto fields() { return std::array{field<&Login::auth>("auth")}; }
};
struct SecretReply {
  std::map<std::string, Login> auths;
  static constexpr auto fields() { return std::array{field<&SecretReply::auths>("auths")}; }
};

constexpr TimeMs enterprise_lifetime_ms = 24 * hour_ms;
constexpr TimeMs basic_lifetime_ms = 6 * hour_ms;

Result<op::accounts::CreateTemporaryLogin::Response> create_login(Call& call, TimeMs lifetime_ms) {
  return op::invoke<op::accounts::CreateTemporaryLogin>(call.context.auth, call.context, {lifetime_ms});
}

Result<Credential> create_temporary(Call& call, const NoQuery&, const NoBody&) {
  TRY(auto made, create_login(call, enterprise_lifetime_ms));
  return Credential{made.login.id, made.login.secret, rfc3339(made.created_at), rfc3339(made.expires_at),
                    made.login.id};
}

Result<SecretReply> create_secret(Call& call, const SecretQuery&, const NoBody&) {
  TRY(auto made, create_login(call, basic_lifetime_ms));
  std::string host(call.request.headers.get("Host"));
  std::string user = call.rooms.registry.instance().project_name + "@" + made.login.id;
  call.reply_headers.set("X-Swr-Dockerlogin",
                         fmt::format("docker login -u {} -p {} {}", user, made.login.secret, host));
  call.reply_headers.set("X-Swr-Expireat", rfc3339(made.expires_at));
  return SecretReply{{{host, {base64(user + ":" + made.login.secret)}}}};
}

}  // namespace

std::span<const Route> credential_routes() {
  static constexpr std::array table{
      route<&create_temporary>("POST", "/v2/{project_id}/instances/{instance_id}/temp-credential"),
      route<&create_secret>("POST", "/v2/manage/utils/secret"),
  };
  return table;
}

}  // namespace wharfage::huawei
