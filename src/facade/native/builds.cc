// Source providers: git servers that repositories are built from.
#include "build/ops.h"
#include "facade/native/route.h"

namespace wharfage::native {
namespace {

using wire::field;
using wire::required;

struct PageQuery {
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  static constexpr auto fields() {
    return std::array{field<&PageQuery::offset>("offset"), field<&PageQuery::limit>("limit")};
  }
};
struct NameQuery {
  std::string name;
  static constexpr auto fields() { return std::array{field<&NameQuery::name>("name", required)}; }
};
struct NoQuery {
  static constexpr auto fields() { return std::array<wire::Field, 0>{}; }
};
struct Provider {
  std::string name;
  std::string type;
  std::string domain;
  std::string url_template;
  std::string credential;
  std::string username;
  std::string created_at;
  std::string updated_at;
  static constexpr auto fields() {
    return std::array{field<&Provider::name>("name"),
                      field<&Provider::type>("type"),
                      field<&Provider::domain>("domain"),
                      field<&Provider::url_template>("url_template"),
                      field<&Provider::credential>("credential"),
                      field<&Provider::username>("username"),
                      field<&Provider::created_at>("created_at"),
                      field<&Provider::updated_at>("updated_at")};
  }
};
struct ProviderList {
  std::vector<Provider> items;
  std::int64_t total = 0;
  static constexpr auto fields() {
    return std::array{field<&ProviderList::items>("items"), field<&ProviderList::total>("total")};
  }
};
struct NewProvider {
  std::string name;
  std::string type;
  std::optional<std::string> domain;
  std::string url_template;
  std::optional<std::string> credential;
  std::optional<std::string> username;
  std::optional<std::string> secret;
  std::optional<std::string> known_hosts;
  static constexpr auto fields() {
    return std::array{
        field<&NewProvider::name>("name", required),
        field<&NewProvider::type>("type", required).one_of("GITHUB|GITLAB|GITEE|CODE|CODEUP|GENERIC"),
        field<&NewProvider::domain>("domain"),
        field<&NewProvider::url_template>("url_template", required)
            .about("https://{domain}/{namespace}/{name}.git"),
        field<&NewProvider::credential>("credential").one_of("|token|ssh"),
        field<&NewProvider::username>("username"),
        field<&NewProvider::secret>("secret").about("token or private key; never shown again"),
        field<&NewProvider::known_hosts>("known_hosts")};
  }
};
struct ProviderChange {
  std::string type;
  std::optional<std::string> domain;
  std::string url_template;
  std::optional<std::string> credential;
  std::optional<std::string> username;
  std::optional<std::string> secret;
  std::optional<std::string> known_hosts;
  static constexpr auto fields() {
    return std::array{
        field<&ProviderChange::type>("type", required).one_of("GITHUB|GITLAB|GITEE|CODE|CODEUP|GENERIC"),
        field<&ProviderChange::domain>("domain"),
        field<&ProviderChange::url_template>("url_template", required)
            .about("https://{domain}/{namespace}/{name}.git"),
        field<&ProviderChange::credential>("credential").one_of("|token|ssh"),
        field<&ProviderChange::username>("username"),
        field<&ProviderChange::secret>("secret").about("token or private key; never shown again"),
        field<&ProviderChange::known_hosts>("known_hosts")};
  }
};

Provider to_wire(const build::Provider& from) {
  return {from.name,
          from.type,
          from.domain,
          from.url_template,
          from.credential,
          from.username,
          rfc3339(from.created_at),
          rfc3339(from.updated_at)};
}

template <class Body>
build::Provider to_domain(const std::string& name, const Body& body) {
  build::Provider provider;
  provider.name = name;
  provider.type = body.type;
  provider.domain = body.domain.value_or("");
  provider.url_template = body.url_template;
  provider.credential = body.credential.value_or("");
  provider.username = body.username.value_or("");
  provider.known_hosts = body.known_hosts.value_or("");
  return provider;
}

Result<ProviderList> list_providers(Call& call, const PageQuery& query, const NoBody&) {
  TRY(auto slice, page_of(query.offset, query.limit));
  TRY(auto page,
      op::invoke<build::ListProviders>(call.rooms.builds, call.context, {slice.offset, slice.limit}));
  ProviderList list;
  for (const auto& provider : page.items) list.items.push_back(to_wire(provider));
  list.total = page.total;
  return list;
}

Result<Provider> create_provider(Call& call, const NoQuery&, const NewProvider& body) {
  TRY(auto made, op::invoke<build::CreateProvider>(call.rooms.builds, call.context,
                                                   {to_domain(body.name, body), body.secret.value_or("")}));
  return to_wire(made);
}

Result<Provider> get_provider(Call& call, const NameQuery& query, const NoBody&) {
  TRY(auto provider, op::invoke<build::GetProvider>(call.rooms.builds, call.context, {query.name}));
  return to_wire(provider);
}

Result<Provider> update_provider(Call& call, const NameQuery& query, const ProviderChange& body) {
  TRY(auto changed,
      op::invoke<build::UpdateProvider>(call.rooms.builds, call.context,
                                        {to_domain(query.name, body), body.secret.value_or("")}));
  return to_wire(changed);
}

Result<Empty> delete_provider(Call& call, const NameQuery& query, const NoBody&) {
  TRY_STATUS(op::invoke<build::DeleteProvider>(call.rooms.builds, call.context, {query.name}));
  return Empty{};
}

}  // namespace

std::span<const Route> build_routes() {
  static constexpr std::array table{
      route<&list_providers>("GET", "/api/v1/source-providers").about("list git servers"),
      route<&create_provider>("POST", "/api/v1/source-providers", 201)
          .about("add a git server and its credential"),
      route<&get_provider>("GET", "/api/v1/source-providers/{name}").about("show a git server"),
      route<&update_provider>("PUT", "/api/v1/source-providers/{name}")
          .about("change a git server; no secret keeps the old"),
      route<&delete_provider>("DELETE", "/api/v1/source-providers/{name}")
          .about("remove a git server no source uses"),
  };
  return table;
}

}  // namespace wharfage::native
