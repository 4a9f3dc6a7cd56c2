#include "op/operation.h"

#include <chrono>

#include "op/audit.h"

namespace wharfage::op::detail {
namespace {

std::string actor_of(const auth::Principal& who) {
  return who.kind == auth::Principal::Kind::anonymous ? "anonymous" : who.name;
}

// Changes and refusals are kept; a read that worked, or that found nothing, only counts.
bool worth_keeping(const Declaration& declaration, const Error* error) {
  bool refused = error && (error->kind() == ErrorKind::denied || error->kind() == ErrorKind::unauthenticated);
  return refused || declaration.access != auth::Access::read;
}

// Whether the caller may not even know that it is there.
bool hidden(Context& context, const auth::Resource& resource) {
  return resource.namespace_id != 0 &&
         !context.auth.authorise(context.who, auth::Access::read, resource).ok();
}

}  // namespace

Status authorise(Context& context, const Declaration& declaration, const auth::Resource& resource) {
  if (declaration.self_authorising) return {};
  Status allowed = context.auth.authorise(context.who, declaration.access, resource);
  if (allowed.ok() || allowed.error().reason != Reason::denied) return allowed;
  // An operation finds a better word for it (op/visible.h); this is for the one that forgot.
  if (hidden(context, resource)) return fail(Reason::not_found);
  return fail(Reason::denied, "access is denied: " + std::string(declaration.action), resource.name);
}

void record(Context& context, const Declaration& declaration, const auth::Resource& resource,
            const Error* error, std::int64_t started_us) {
  std::string_view outcome = error ? reason_name(error->reason) : "ok";
  context.audit.count(declaration.action, outcome, now_us() - started_us);
  if (error && error->kind() == ErrorKind::internal) {
    context.log.error(error->message, {{"action", std::string(declaration.action)},
                                       {"reason", std::string(outcome)},
                                       {"detail", error->detail}});
  }
  if (!worth_keeping(declaration, error)) return;
  context.audit.record({.at = context.clock.now(),
                        .actor = actor_of(context.who),
                        .action = std::string(declaration.action),
                        .resource = resource.name,
                        .outcome = std::string(outcome),
                        .facade = context.facade,
                        .peer = context.peer,
                        .request_id = context.request_id});
}

std::int64_t now_us() {
  using namespace std::chrono;
  return duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count();
}

}  // namespace wharfage::op::detail
