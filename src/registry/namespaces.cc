#include <boost/json.hpp>

#include "base/random.h"
#include "registry/state.h"

namespace wharfage::registry {
namespace {

Status check_metadata(const std::string& metadata) {
  namespace json = boost::json;
  if (metadata.size() > limits::namespace_metadata_max)
    return fail(Reason::too_large, "the namespace's metadata is too large", "metadata");
  json::parse_options options;
  options.max_depth = limits::json_depth_max;
  json::error_code failed;
  json::value value = json::parse(metadata, failed, {}, options);
  if (failed || !value.is_object())
    return fail(Reason::invalid_parameter, "metadata must be a JSON object", "metadata");
  return {};
}

Result<Namespace> known(Result<std::optional<Namespace>> found, std::string_view what) {
  if (!found.ok()) return found.error();
  if (!*found) return fail(Reason::namespace_unknown, {}, std::string(what));
  return **std::move(found);
}

}  // namespace

Result<Namespace> Registry::create_namespace(const NewNamespace& wanted) {
  State& state = *x_state;
  TRY_STATUS(check_namespace_name(wanted.name));
  TRY_STATUS(check_metadata(wanted.metadata));
  Namespace space;
  TRY(space.id, state.ids.next("namespace"));
  space.public_id = random_id("crn-");
  space.name = wanted.name;
  space.is_public = wanted.is_public;
  space.auto_create = wanted.auto_create;
  space.metadata = wanted.metadata;
  space.created_at = space.updated_at = state.clock.now();
  TRY_STATUS(state.db.write([&](meta::Tx& tx) -> Status {
    TRY(bool project, records::is_project(tx, space.name));
    if (project) return fail(Reason::name_invalid, "this namespace name is reserved", space.name);
    return records::insert_namespace(tx, space);
  }));
  return space;
}

Result<Namespace> Registry::get_namespace(std::string_view name) {
  return x_state->db.read(
      [&](meta::Tx& tx) -> Result<Namespace> { return known(records::find_namespace(tx, name), name); });
}

Result<Namespace> Registry::get_namespace(std::int64_t id) {
  return x_state->db.read([&](meta::Tx& tx) -> Result<Namespace> {
    return known(records::find_namespace(tx, id), std::to_string(id));
  });
}

Result<Namespace> Registry::get_namespace_by_public_id(std::string_view public_id) {
  return x_state->db.read([&](meta::Tx& tx) -> Result<Namespace> {
    return known(records::find_namespace_by_public_id(tx, public_id), public_id);
  });
}

Result<Page<Namespace>> Registry::list_namespaces(const NamespaceFilter& filter, Slice slice) {
  TRY_STATUS(check_filter(filter.name_contains));
  slice = bounded(slice);
  return x_state->db.read([&](meta::Tx& tx) { return records::list_namespaces(tx, filter, slice); });
}

Status Registry::update_namespace(std::string_view name, std::optional<bool> is_public,
                                  std::optional<bool> auto_create, std::optional<std::string> metadata) {
  if (metadata) TRY_STATUS(check_metadata(*metadata));
  return x_state->db.write([&](meta::Tx& tx) -> Status {
    TRY(Namespace space, known(records::find_namespace(tx, name), name));
    if (is_public) space.is_public = *is_public;
    if (auto_create) space.auto_create = *auto_create;
    if (metadata) space.metadata = *metadata;
    space.updated_at = x_state->clock.now();
    return records::update_namespace(tx, space);
  });
}

Status Registry::delete_namespace(std::string_view name) {
  return x_state->db.write([&](meta::Tx& tx) -> Status {
    TRY(Namespace space, known(records::find_namespace(tx, name), name));
    TRY(bool used, records::has_repositories(tx, space.id));
    if (used) return fail(Reason::namespace_not_empty, {}, std::string(name));
    return records::delete_namespace(tx, space.id);
  });
}

}  // namespace wharfage::registry
