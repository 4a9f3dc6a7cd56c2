#include "registry/ops/repositories.h"

#include <algorithm>

namespace wharfage::registry::ops {

Result<auth::Resource> CreateRepository::resource(Registry& room, op::Context& context,
                                                  const Request& request) {
  TRY(Namespace space, find_namespace(room, context, {.name = request.namespace_name}));
  return auth::Resource{space.id, space.name + "/" + request.name, space.is_public};
}

Result<Repository> CreateRepository::run(Registry& room, op::Context&, const Request& request) {
  return room.create_repository(request);
}

Result<auth::Resource> GetRepository::resource(Registry& room, op::Context& context, const Request& request) {
  return resource_of(room, context, request);
}

Result<Repository> GetRepository::run(Registry& room, op::Context& context, const Request& request) {
  return find_repository(room, context, request);
}

Result<auth::Resource> ListRepositories::resource(Registry&, op::Context&, const Request& request) {
  return auth::Resource{.name = request.space.name.empty() ? "repositories" : request.space.name};
}

Result<Page<Repository>> ListRepositories::run(Registry& room, op::Context& context, const Request& request) {
  Registry::RepositoryFilter filter;
  filter.name_contains = request.name_contains;
  filter.newest_first = request.newest_first;
  TRY(filter.readable, context.auth.readable_namespaces(context.who));
  if (request.space.empty()) return room.list_repositories(filter, request.slice);

  // A private namespace may hold public repositories: those are shown to everybody, and without any of them
  // the namespace is not there.
  auto found = find_namespace(room, context, request.space);
  if (found.ok()) {
    filter.namespace_id = found->id;
    return room.list_repositories(filter, request.slice);
  }
  if (found.error().reason != Reason::namespace_unknown && found.error().reason != Reason::unauthenticated)
    return found.error();
  TRY(Namespace hidden, any_namespace(room, request.space));
  filter.namespace_id = hidden.id;
  TRY(auto page, room.list_repositories(filter, request.slice));
  if (page.total == 0) return absent(request.space);
  return page;
}

Result<auth::Resource> UpdateRepository::resource(Registry& room, op::Context& context,
                                                  const Request& request) {
  return resource_of(room, context, request.repository);
}

Result<Repository> UpdateRepository::run(Registry& room, op::Context& context, const Request& request) {
  TRY(Repository repository, find_repository(room, context, request.repository));
  TRY_STATUS(room.update_repository(repository.id, request.change));
  return room.get_repository(repository.id);
}

Result<auth::Resource> DeleteRepository::resource(Registry& room, op::Context& context,
                                                  const Request& request) {
  return resource_of(room, context, request);
}

Result<op::Nothing> DeleteRepository::run(Registry& room, op::Context& context, const Request& request) {
  TRY(Repository repository, find_repository(room, context, request));
  TRY_STATUS(room.delete_repository(repository.id, {.actor = context.who.name}));
  // Whoever makes a repository of this name again must not meet the old one's grants.
  TRY_STATUS(context.auth.drop_grants(repository.namespace_id, repository.full_name()));
  return op::Nothing{};
}

}  // namespace wharfage::registry::ops
