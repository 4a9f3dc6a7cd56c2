#include "registry/forgetting.h"

#include <fmt/format.h>

#include "wire/schema.h"

namespace wharfage::registry {

// What is told (registry.h, Events), and the job's payload. Not file-local: the compiler needs the members'
// names (wire/schema.h).
struct PurgeTold {
  std::int64_t repository_id = 0;
  std::string namespace_name, repository, digest;
  static constexpr auto fields() {
    return std::array{wire::field<&PurgeTold::repository_id>("repository_id", wire::required),
                      wire::field<&PurgeTold::namespace_name>("namespace"),
                      wire::field<&PurgeTold::repository>("repository"),
                      wire::field<&PurgeTold::digest>("digest")};
  }
};

void forget_repositories(Registry& registry, job::Queue& queue, const std::string& room, ForgetStep step) {
  std::string kind = room + ".forget";
  queue.add_kind({.name = kind, .run = [step = std::move(step)](job::Run& run) -> Status {
                    TRY(auto gone, wire::decode_json<PurgeTold>(run.job().payload));
                    for (bool more = true; more;) {
                      if (run.canceled()) return fail(run.why());
                      TRY_STATUS(run.commit([&](meta::Tx& tx) -> Status {
                        TRY(more, step(tx, gone.repository_id));
                        return {};
                      }));
                    }
                    return {};
                  }});
  registry.events().subscribe(
      kind, "repository.purged", [&queue, kind](meta::Tx& tx, const job::Event& event) -> Status {
        TRY(auto gone, wire::decode_json<PurgeTold>(event.data));
        auto queued =
            queue.enqueue(tx, {.kind = kind,
                               .payload = fmt::format(R"({{"repository_id":{}}})", gone.repository_id),
                               .dedupe_key = std::to_string(gone.repository_id),
                               .subject = event.subject});
        if (!queued.ok()) return queued.error();
        return {};
      });
}

std::optional<PurgedImage> purged_image(const job::Event& event) {
  auto gone = wire::decode_json<PurgeTold>(event.data);
  if (!gone.ok() || gone->digest.empty()) return std::nullopt;
  return PurgedImage{gone->repository_id, gone->digest};
}

Status tell_purged(meta::Tx& tx, job::Events& events, const Repository& repository,
                   const Manifest& manifest) {
  PurgeTold told{repository.id, repository.namespace_name, repository.name, manifest.digest->text()};
  job::Event event;
  event.type = "image.purged";
  event.subject = repository.full_name() + "@" + told.digest;
  event.namespace_id = repository.namespace_id;
  event.data = wire::encode_json(told);
  return events.emit(tx, std::move(event));
}

Status tell_purged(meta::Tx& tx, job::Events& events, const Repository& repository) {
  job::Event event;
  event.type = "repository.purged";
  event.subject = repository.full_name();
  event.namespace_id = repository.namespace_id;
  event.data = wire::encode_json(PurgeTold{repository.id, repository.namespace_name, repository.name, ""});
  return events.emit(tx, std::move(event));
}

}  // namespace wharfage::registry
