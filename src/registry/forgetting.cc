#include "registry/forgetting.h"

#include <fmt/format.h>

#include "wire/schema.h"

namespace wharfage::registry {

// What the registry tells of a deletion (registry.h, Events), and the job's payload. Not file-local: the
// compiler needs the members' names (wire/schema.h).
struct DeletionTold {
  std::int64_t repository_id = 0;
  std::string digest, tag;
  static constexpr auto fields() {
    return std::array{wire::field<&DeletionTold::repository_id>("repository_id", wire::required),
                      wire::field<&DeletionTold::digest>("digest"), wire::field<&DeletionTold::tag>("tag")};
  }
};

void forget_repositories(Registry& registry, job::Queue& queue, const std::string& room, ForgetStep step) {
  std::string kind = room + ".forget";
  queue.add_kind({.name = kind, .run = [step = std::move(step)](job::Run& run) -> Status {
                    TRY(auto gone, wire::decode_json<DeletionTold>(run.job().payload));
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
      kind, "repository.deleted", [&queue, kind](meta::Tx& tx, const job::Event& event) -> Status {
        TRY(auto gone, wire::decode_json<DeletionTold>(event.data));
        auto queued =
            queue.enqueue(tx, {.kind = kind,
                               .payload = fmt::format(R"({{"repository_id":{}}})", gone.repository_id),
                               .dedupe_key = std::to_string(gone.repository_id),
                               .subject = event.subject});
        if (!queued.ok()) return queued.error();
        return {};
      });
}

std::optional<DeletedImage> deleted_image(const job::Event& event) {
  auto gone = wire::decode_json<DeletionTold>(event.data);
  if (!gone.ok() || !gone->tag.empty() || gone->digest.empty()) return std::nullopt;
  return DeletedImage{gone->repository_id, gone->digest};
}

}  // namespace wharfage::registry
