#include "build/attempt.h"

#include <fmt/format.h>

#include "base/text.h"
#include "build/records.h"
#include "build/rules.h"

namespace wharfage::build {
namespace {

constexpr std::int64_t disk_look_ms = 1'000;
constexpr TimeMs robot_margin_ms = 5 * minute_ms;
constexpr std::size_t step_bytes_max = 1000;

// What ends the attempt without saying anything about the build.
bool interruption(const Error& error) {
  return error.reason == Reason::canceled || error.reason == Reason::lease_lost ||
         error.reason == Reason::shutting_down || error.reason == Reason::database_failed ||
         error.reason == Reason::internal;
}

Error failed(std::string message) {
  return fail(Reason::conflict, std::move(message));
}

Result<Record> needed(Result<bool> changed, const Record& record) {
  if (!changed.ok()) return changed.error();
  if (!*changed) return fail(Reason::lease_lost);  // somebody else has ended it
  return record;
}

}  // namespace

Attempt::~Attempt() {
  clean_up(false);
}

Status Attempt::run() {
  x_deadline_ms = monotonic_ms() + x_runner.x_options.timeout_ms;
  if (x_record.progress == Progress::building)
    x_run.log(x_stage, "the build was interrupted by a restart and begins again");
  Status done = stages();
  clean_up(x_clean);
  if (done.ok()) return finish();
  return explain(done.error());
}

Status Attempt::stages() {
  TRY_STATUS(x_run.commit([&](meta::Tx& tx) -> Status {
    TimeMs now = x_runner.x_clock.now();
    if (x_record.started_at == 0) x_record.started_at = now;
    TRY_STATUS(needed(records::begin_record(tx, x_record.id, now), x_record));
    return {};
  }));
  revoke();  // of an earlier attempt
  if (!x_runner.x_options.enabled) return fail(Reason::unsupported, "builds are turned off on this server");
  TRY(x_repository, x_runner.x_registry.get_repository(x_record.repository_id));
  std::string store = fmt::format("{}-{}{}", x_record.repository_id, x_record.creator_id,
                                  foreign(x_record.recipe) ? "-platforms" : "");
  TRY(x_lease, x_runner.x_stores.lease(store));
  TRY(x_sandbox, Sandbox::open(x_runner.x_options, x_record.id, x_lease->folder()));
  TRY_STATUS(clone());
  TRY_STATUS(build());
  TRY_STATUS(push());
  return verify();
}

Status Attempt::clone() {
  Remote remote;
  TRY(auto provider, x_runner.x_db.read([&](meta::Tx& tx) -> Result<records::ProviderRow> {
    TRY(auto source, records::find_source(tx, x_record.repository_id));
    if (!source) return failed("the repository has no source any more");
    x_source = *source;
    TRY(auto row, records::find_provider(tx, source->provider_id));
    if (!row) return fail(Reason::source_provider_unknown);
    return *std::move(row);
  }));
  TRY(remote.url, clone_url(provider.provider, x_source.space, x_source.name));
  remote.credential = provider.provider.credential;
  remote.username = provider.provider.username;
  remote.known_hosts = provider.provider.known_hosts;
  if (!remote.credential.empty()) {
    TRY(remote.secret,
        x_runner.x_vault.unseal(provider.sealed, Runner::secret_purpose(provider.provider.id)));
  }
  TRY(Checkout checkout,
      fetch_source(*x_sandbox, x_runner.x_options, remote, x_record.recipe, progressing()));
  x_record.source_url = remote.url;
  x_record.reference = checkout.reference;
  x_record.commit = checkout.commit;
  auto variables = tag_variables(checkout.groups, checkout.name, checkout.commit);
  TRY(x_record.image_tag, fill_tag(x_record.recipe.image_tag, variables));
  if (!registry::check_tag(x_record.image_tag).ok()) {
    return failed(fmt::format("\"{}\" cannot be an image tag", cut(x_record.image_tag, 200)));
  }
  x_run.progress(10);
  return x_run.commit([&](meta::Tx& tx) -> Status {
    TRY_STATUS(needed(records::note_source(tx, x_record), x_record));
    return {};
  });
}

ImageBuild Attempt::image() const {
  ImageBuild image{.repository = x_record.repository(),
                   .tag = x_record.image_tag,
                   .recipe = &x_record.recipe,
                   .use_cache = !x_source.disable_cache};
  image.annotations = {"org.opencontainers.image.revision=" + x_record.commit};
  if (x_record.source_url.compare(0, 5, "file:") != 0) {
    image.annotations.push_back("org.opencontainers.image.source=" + x_record.source_url);
  }
  return image;
}

Status Attempt::build() {
  x_stage = stage::build;
  TRY_STATUS(give_login());
  Status built = build_image(*x_sandbox, image(), progressing(), x_step);
  // Another error than buildah's own means that it was ended from outside.
  x_clean = built.ok() || built.error().reason == Reason::conflict;
  x_run.progress(80);
  return built;
}

Status Attempt::push() {
  x_stage = stage::push;
  x_step.clear();
  x_clean = false;
  x_run.log(x_stage, fmt::format("pushing {}:{}", x_record.repository(), x_record.image_tag));
  auto digest = push_image(*x_sandbox, image(), progressing());
  x_clean = digest.ok() || digest.error().reason == Reason::conflict;
  if (!digest.ok()) return digest.error();
  x_record.image_digest = *digest;
  return {};
}

// buildah said so; the registry has to agree. (The tag may have been moved by somebody else since.)
Status Attempt::verify() {
  auto digest = Digest::parse(x_record.image_digest);
  if (!digest.ok()) return failed("buildah does not tell the digest of what it pushed");
  auto manifest = x_runner.x_registry.get_manifest(x_repository, digest->text());
  if (!manifest.ok()) return failed("the pushed image is not in the registry: " + manifest.error().message);
  x_run.log(x_stage, fmt::format("digest {}", x_record.image_digest));
  return {};
}

Status Attempt::finish() {
  x_record.progress = Progress::success;
  x_record.ended_at = x_runner.x_clock.now();
  return x_run.complete([&](meta::Tx& tx) -> Status {
    TRY_STATUS(needed(records::end_record(tx, x_record), x_record));
    return x_runner.emit(tx, x_record);
  });
}

void Attempt::clean_up(bool keep_layers) {
  x_sandbox.reset();
  if (x_lease && keep_layers) x_lease->keep();
  x_lease.reset();
  revoke();
}

Status Attempt::give_login() {
  std::string name = fmt::format("build-{}-{}", x_record.id, x_run.job().attempt);
  TRY_STATUS(x_run.commit([&](meta::Tx& tx) { return records::set_robot(tx, x_record.id, name); }));
  x_record.robot = name;
  TimeMs expires = x_runner.x_clock.now() + x_runner.x_options.timeout_ms + robot_margin_ms;
  TRY(auto robot, x_runner.x_auth.create_robot({.name = name,
                                                .description = "one build of " + x_record.repository(),
                                                .expires_at = expires,
                                                .acts_for_user = x_record.creator_id}));
  TRY_STATUS(x_runner.x_auth.put_grant({.kind = auth::Principal::Kind::robot,
                                        .subject_id = robot.first.id,
                                        .namespace_id = x_record.namespace_id,
                                        .repository = x_record.repository(),
                                        .role = auth::Role::developer}));
  return configure_registries(*x_sandbox, x_runner.x_options, {robot.second.id, robot.second.secret});
}

void Attempt::revoke() {
  if (x_record.robot.empty()) return;
  Status revoked = x_runner.x_auth.delete_robot(x_record.robot);
  if (!revoked.ok() && revoked.error().reason != Reason::robot_unknown) {
    x_runner.x_log.error("a build's credential cannot be revoked", {{"record", x_record.id}});
    return;
  }
  // Without the job only the mark stays, for the next start to look at.
  Status noted = x_run.commit([&](meta::Tx& tx) { return records::set_robot(tx, x_record.id, ""); });
  if (noted.ok()) x_record.robot.clear();
}

// Makes every failure of the build itself final.
Status Attempt::explain(Error error) {
  if (interruption(error)) return error;
  if (error.reason == Reason::timeout) {
    error.message =
        fmt::format("the build took longer than {} seconds", x_runner.x_options.timeout_ms / second_ms);
  }
  x_run.log(x_stage, error.message);
  TRY_STATUS(x_run.commit([&](meta::Tx& tx) -> Status {
    TRY_STATUS(
        needed(records::note_failure(tx, x_record.id, x_stage, cut(x_step, step_bytes_max)), x_record));
    return {};
  }));
  return fail(Reason::conflict, error.message);
}

Status Attempt::stop() {
  if (x_run.canceled()) return fail(x_run.why());
  std::int64_t now = monotonic_ms();
  if (now - x_looked_at < disk_look_ms) return {};
  x_looked_at = now;
  if (x_sandbox->free_bytes() >= x_runner.x_options.disk_reserve_bytes) return {};
  return fail(Reason::disk_full, "the build has filled the disk");
}

Progressing Attempt::progressing() {
  return {.log = [this](std::string_view line) { x_run.log(x_stage, line); },
          .stop = [this] { return stop(); },
          .deadline_ms = x_deadline_ms};
}

}  // namespace wharfage::build
