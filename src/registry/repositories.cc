#include <algorithm>

#include "base/random.h"
#include "registry/state.h"

namespace wharfage::registry {
namespace {

Status check_text(std::string_view text, const char* name) {
  if (text.size() > limits::repository_text_max) return fail(Reason::too_large, "a text is too long", name);
  return {};
}

Status fill_counts(meta::Tx& tx, Repository& repository) {
  TRY(auto counts, records::counts(tx, repository.id));
  repository.tag_count = counts.tags;
  repository.artifact_count = counts.manifests;
  repository.pull_count = counts.pulls;
  TRY(repository.pulled_at, records::last_pull(tx, repository.id));
  return {};
}

// With counts.
Result<Repository> whole(meta::Tx& tx, Result<std::optional<Repository>> found, std::string_view what) {
  if (!found.ok()) return found.error();
  if (!*found) return fail(Reason::repository_unknown, {}, std::string(what));
  TRY_STATUS(fill_counts(tx, **found));
  return **std::move(found);
}

std::string full(std::string_view namespace_name, std::string_view name) {
  return std::string(namespace_name) + "/" + std::string(name);
}

}  // namespace

Result<Repository> Registry::create_repository(const NewRepository& wanted) {
  State& state = *x_state;
  TRY_STATUS(check_namespace_name(wanted.namespace_name));
  TRY_STATUS(Name::parse(full(wanted.namespace_name, wanted.name)));
  TRY_STATUS(check_text(wanted.summary, "summary"));
  TRY_STATUS(check_text(wanted.detail, "detail"));
  Repository repository;
  TRY(repository.id, state.ids.next("repository"));
  repository.public_id = random_id("crr-");
  repository.namespace_name = wanted.namespace_name;
  repository.name = wanted.name;
  repository.summary = wanted.summary;
  repository.detail = wanted.detail;
  repository.immutable_tags = wanted.immutable_tags;
  repository.created_at = repository.updated_at = state.clock.now();
  TRY_STATUS(state.db.read([&](meta::Tx& tx) -> Status {
    TRY(auto space, records::find_namespace(tx, wanted.namespace_name));
    return space ? state.admit(tx, space->id, space->name, {.repositories = 1}) : Status();
  }));
  TRY_STATUS(state.db.write([&](meta::Tx& tx) -> Status {
    TRY(auto space, records::find_namespace(tx, wanted.namespace_name));
    if (!space) return fail(Reason::namespace_unknown, {}, wanted.namespace_name);
    repository.namespace_id = space->id;
    repository.is_public = wanted.is_public.value_or(space->is_public);
    TRY(bool inserted, records::insert_repository(tx, repository));
    if (!inserted) return fail(Reason::repository_exists, {}, repository.full_name());
    TRY_STATUS(records::append_usage(tx, space->id, {.repositories = 1}));
    return records::append_change(tx, 0, {.repositories = 1});
  }));
  return repository;
}

Result<Repository> Registry::get_repository(std::string_view namespace_name, std::string_view name) {
  std::string full_name = full(namespace_name, name);
  return x_state->db.read([&](meta::Tx& tx) -> Result<Repository> {
    return whole(tx, records::find_repository(tx, full_name), full_name);
  });
}

Result<Repository> Registry::get_repository(std::int64_t id) {
  return x_state->db.read([&](meta::Tx& tx) -> Result<Repository> {
    return whole(tx, records::find_repository(tx, id), std::to_string(id));
  });
}

Result<Repository> Registry::get_repository_by_public_id(std::string_view public_id) {
  return x_state->db.read([&](meta::Tx& tx) -> Result<Repository> {
    return whole(tx, records::find_repository_by_public_id(tx, public_id), public_id);
  });
}

Result<Repository> Registry::find_repository(const Name& name) {
  State& state = *x_state;
  std::string full_name = name.full();
  if (auto kept = state.repositories.find(full_name)) return *kept;
  auto ticket = state.repositories.ticket();
  TRY(auto found, state.db.read([&](meta::Tx& tx) { return records::find_repository(tx, full_name); }));
  if (!found) return fail(Reason::repository_unknown, {}, full_name);
  state.repositories.keep(ticket, full_name, *found, 1);
  return *std::move(found);
}

Result<Repository> Registry::ensure_repository(const Name& name) {
  auto found = find_repository(name);
  if (found.ok() || found.error().reason != Reason::repository_unknown) return found;
  TRY(Namespace space, get_namespace(name.namespace_name));
  if (!space.auto_create) return fail(Reason::repository_unknown, {}, name.full());
  auto created = create_repository({.namespace_name = name.namespace_name, .name = name.repository});
  if (!created.ok() && created.error().reason == Reason::repository_exists) return find_repository(name);
  return created;
}

Result<Page<Repository>> Registry::list_repositories(const RepositoryFilter& filter, Slice slice) {
  TRY_STATUS(check_filter(filter.name_contains));
  slice = bounded(slice);
  return x_state->db.read([&](meta::Tx& tx) -> Result<Page<Repository>> {
    TRY(auto page, records::list_repositories(tx, filter, slice));
    for (auto& repository : page.items) TRY_STATUS(fill_counts(tx, repository));
    return page;
  });
}

// One keyset query per readable namespace and one for public repositories, merged: the cost depends on the
// page and the caller's namespaces, never on the size of the store.
Result<std::vector<std::string>> Registry::catalog(const std::optional<std::vector<std::int64_t>>& readable,
                                                   std::string_view last, std::int64_t limit) {
  limit = bounded_and_one(limit);
  return x_state->db.read([&](meta::Tx& tx) -> Result<std::vector<std::string>> {
    if (!readable) return records::names_after(tx, last, limit);
    TRY(auto names, records::public_names_after(tx, last, limit));
    for (std::int64_t id : *readable) {
      TRY(auto more, records::names_after(tx, id, last, limit));
      names.insert(names.end(), more.begin(), more.end());
      std::sort(names.begin(), names.end());
      names.erase(std::unique(names.begin(), names.end()), names.end());
      if (names.size() > static_cast<std::size_t>(limit)) names.resize(static_cast<std::size_t>(limit));
    }
    return names;
  });
}

Status Registry::update_repository(std::int64_t id, const RepositoryChange& change) {
  if (change.summary) TRY_STATUS(check_text(*change.summary, "summary"));
  if (change.detail) TRY_STATUS(check_text(*change.detail, "detail"));
  State& state = *x_state;
  return state.db.write([&](meta::Tx& tx) -> Status {
    TRY(auto found, records::find_repository(tx, id));
    if (!found) return fail(Reason::repository_unknown, {}, std::to_string(id));
    Repository& repository = *found;
    if (change.summary) repository.summary = *change.summary;
    if (change.detail) repository.detail = *change.detail;
    if (change.is_public) repository.is_public = *change.is_public;
    if (change.immutable_tags) repository.immutable_tags = *change.immutable_tags;
    repository.updated_at = state.clock.now();
    tx.on_commit([&state, name = repository.full_name()] { state.repositories.drop(name); });
    return records::update_repository(tx, repository);
  });
}

}  // namespace wharfage::registry
