#include "registry/registry.h"

#include <boost/json.hpp>

#include "base/check.h"
#include "base/random.h"
#include "registry/state.h"

namespace wharfage::registry {

Registry::Registry(meta::Db& db, meta::Ids& ids, blob::Store& blobs, job::Events& events, const Clock& clock,
                   Log log, Options options)
    : x_state(new State{db, ids, blobs, events, clock, std::move(log), options}) {}

Registry::~Registry() {
  if (Status folded = fold_pulls(); !folded.ok())
    x_state->log.warning("pulls were not counted", {{"error", folded.error().message}});
}

meta::Db& Registry::db() {
  return x_state->db;
}
blob::Store& Registry::blobs() {
  return x_state->blobs;
}
job::Events& Registry::events() {
  return x_state->events;
}
const Clock& Registry::clock() const {
  return x_state->clock;
}

const Instance& Registry::instance() const {
  CHECK(x_state->instance.has_value(), "ensure_instance() comes first");
  return *x_state->instance;
}

Result<Registry::Usage> Registry::usage() {
  return x_state->db.read([](meta::Tx& tx) -> Result<Usage> {
    TRY(auto counts, records::store_counts(tx));
    Usage usage;
    TRY(usage.namespaces, records::count_namespaces(tx));
    usage.repositories = counts.repositories;
    usage.tags = counts.tags + counts.accessory_tags;
    usage.manifests = counts.manifests + counts.accessories;
    usage.blobs = counts.blobs;
    usage.bytes = counts.bytes;
    return usage;
  });
}

// ---------------------------------------------------------------- shared state

Result<Repository> Registry::State::current(meta::Tx& tx, const Repository& repository) const {
  TRY(auto found, records::find_repository(tx, repository.id));
  if (!found) return fail(Reason::repository_unknown, {}, repository.full_name());
  return *std::move(found);
}

void Registry::State::forget(meta::Tx& tx, std::int64_t repository_id, std::vector<std::string> references) {
  tx.on_commit([this, repository_id, references = std::move(references)] {
    for (const auto& reference : references) manifests.drop(manifest_key(repository_id, reference));
  });
}

Status Registry::State::tell_deleted(meta::Tx& tx, const Repository& repository, const Manifest& manifest,
                                     std::string_view tag, const std::vector<std::string>& tags) {
  boost::json::object data{{"instance", instance ? instance->cri_id : ""},
                           {"namespace", repository.namespace_name},
                           {"repository", repository.name},
                           {"repository_id", repository.id},
                           {"manifest_id", manifest.id},
                           {"digest", manifest.digest->text()},
                           {"tag", std::string(tag)}};
  if (!tags.empty()) data["tags"] = boost::json::value_from(tags);
  job::Event event;
  event.type = "image.deleted";
  event.subject =
      repository.full_name() + (tag.empty() ? "@" + manifest.digest->text() : ":" + std::string(tag));
  event.namespace_id = repository.namespace_id;
  event.data = boost::json::serialize(data);
  return events.emit(tx, std::move(event));
}

}  // namespace wharfage::registry
