#include "build/builds.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/random.h"
#include "base/text.h"
#include "build/account.h"
#include "build/records.h"
#include "build/rules.h"
#include "build/runner.h"
#include "wire/schema.h"

namespace wharfage::build {
namespace {

struct Deleted {
  std::int64_t repository_id = 0;
  static constexpr auto fields() {
    return std::array{wire::field<&Deleted::repository_id>("repository_id", wire::required)};
  }
};

std::int64_t page_limit(std::int64_t limit) {
  return std::clamp<std::int64_t>(limit, 1, limits::list_page_max);
}

std::int64_t page_offset(std::int64_t offset) {
  return std::max<std::int64_t>(offset, 0);
}

template <class T>
Result<T> found(Result<std::optional<T>> row, Reason otherwise) {
  if (!row.ok()) return row.error();
  if (!*row) return fail(otherwise);
  return **std::move(row);
}

Status changed(Result<bool> row, Reason otherwise) {
  if (!row.ok()) return row.error();
  if (!*row) return fail(otherwise);
  return {};
}

}  // namespace

Builds::Builds(meta::Db& db, meta::Ids& ids, registry::Registry& registry, auth::Auth& auth,
               job::Queue& queue, const crypto::Vault& vault, const Clock& clock, Options options, Log log)
    : x_db(db),
      x_ids(ids),
      x_registry(registry),
      x_auth(auth),
      x_queue(queue),
      x_vault(vault),
      x_clock(clock),
      x_options(std::move(options)),
      x_log(std::move(log)),
      x_runner(std::make_unique<Runner>(db, registry, auth, vault, clock, x_options, x_log)) {
  x_queue.add_kind(x_runner->kind());
  x_registry.events().subscribe(
      "build.forget", "repository.purged",
      [this](meta::Tx& tx, const job::Event& event) { return forget_repository(tx, event); });
}

Builds::~Builds() = default;

Status Builds::start() {
  return x_runner->recover();
}

std::string Builds::obstacle() const {
  return build::obstacle();
}

// ---- providers

Result<Provider> Builds::create_provider(Provider provider, std::string_view secret) {
  TRY_STATUS(check_provider(provider));
  if (provider.credential.empty() != secret.empty() || secret.size() > limits::build_text_max * 4) {
    return fail(Reason::invalid_parameter, "the secret does not go with the kind of credential", "secret");
  }
  TRY(provider.id, x_ids.next("source_provider"));
  if (provider.id > static_cast<std::int64_t>(limits::id_max)) return fail(Reason::quota_exceeded);
  provider.created_at = provider.updated_at = x_clock.now();
  records::ProviderRow row{provider, x_vault.seal(secret, Runner::secret_purpose(provider.id))};
  TRY_STATUS(x_db.write([&](meta::Tx& tx) -> Status {
    TRY(auto present, records::list_providers(tx, 0, 1));
    if (present.total >= static_cast<std::int64_t>(limits::source_providers_max))
      return fail(Reason::quota_exceeded);
    return changed(records::insert_provider(tx, row), Reason::source_provider_exists);
  }));
  return provider;
}

Result<Provider> Builds::update_provider(Provider provider, std::string_view secret) {
  TRY_STATUS(check_provider(provider));
  if (secret.size() > limits::build_text_max * 4) return fail(Reason::invalid_parameter, {}, "secret");
  return x_db.write([&](meta::Tx& tx) -> Result<Provider> {
    TRY(auto row, found(records::find_provider(tx, provider.name), Reason::source_provider_unknown));
    bool same_kind = row.provider.credential == provider.credential;
    if (secret.empty() && !provider.credential.empty() && !same_kind) {
      return fail(Reason::missing_parameter, "another kind of credential needs its secret", "secret");
    }
    // A kept secret may only go where it has gone so far.
    if (secret.empty() && !provider.credential.empty() &&
        (row.provider.url_template != provider.url_template || row.provider.domain != provider.domain)) {
      return fail(Reason::missing_parameter, "a new URL needs its secret again", "secret");
    }
    Provider next = provider;
    next.id = row.provider.id;
    next.created_at = row.provider.created_at;
    next.updated_at = x_clock.now();
    bool keep = secret.empty() && !provider.credential.empty();
    std::string sealed = keep ? row.sealed : x_vault.seal(secret, Runner::secret_purpose(next.id));
    TRY_STATUS(changed(records::update_provider(tx, {next, sealed}), Reason::source_provider_unknown));
    return next;
  });
}

Result<Provider> Builds::get_provider(std::string_view name) {
  TRY(auto row, x_db.read([&](meta::Tx& tx) {
    return found(records::find_provider(tx, name), Reason::source_provider_unknown);
  }));
  return row.provider;
}

Result<Page<Provider>> Builds::list_providers(std::int64_t offset, std::int64_t limit) {
  return x_db.read(
      [&](meta::Tx& tx) { return records::list_providers(tx, page_offset(offset), page_limit(limit)); });
}

Status Builds::delete_provider(std::string_view name) {
  return x_db.write([&](meta::Tx& tx) -> Status {
    TRY(auto row, found(records::find_provider(tx, name), Reason::source_provider_unknown));
    TRY(bool used, records::provider_in_use(tx, row.provider.id));
    if (used)
      return fail(Reason::conflict,
                  "repositories are built from this provider, or deleted ones that can come back");
    return changed(records::delete_provider(tx, row.provider.id), Reason::source_provider_unknown);
  });
}

// ---- sources

Result<Source> Builds::source_of(const registry::Repository& repository, const NewSource& wanted) {
  TRY_STATUS(check_source_path(wanted.space, wanted.name));
  TRY(auto row, x_db.read([&](meta::Tx& tx) {
    return wanted.provider.empty()
               ? found(records::first_provider_of_type(tx, wanted.type), Reason::source_provider_unknown)
               : found(records::find_provider(tx, wanted.provider), Reason::source_provider_unknown);
  }));
  TRY_STATUS(clone_url(row.provider, wanted.space, wanted.name));
  TimeMs now = x_clock.now();
  return Source{.repository_id = repository.id,
                .provider_id = row.provider.id,
                .provider_name = row.provider.name,
                .provider_type = row.provider.type,
                .domain = row.provider.domain,
                .space = wanted.space,
                .name = wanted.name,
                .disable_cache = wanted.disable_cache,
                .created_at = now,
                .updated_at = now};
}

Result<Source> Builds::create_source(const registry::Repository& repository, const NewSource& wanted) {
  TRY(Source source, source_of(repository, wanted));
  TRY_STATUS(x_db.write(
      [&](meta::Tx& tx) { return changed(records::insert_source(tx, source), Reason::source_exists); }));
  return source;
}

Result<Source> Builds::update_source(const registry::Repository& repository, const NewSource& wanted) {
  TRY(Source source, source_of(repository, wanted));
  TRY_STATUS(x_db.write(
      [&](meta::Tx& tx) { return changed(records::update_source(tx, source), Reason::source_unknown); }));
  return get_source(repository);
}

Result<Source> Builds::get_source(const registry::Repository& repository) {
  return x_db.read(
      [&](meta::Tx& tx) { return found(records::find_source(tx, repository.id), Reason::source_unknown); });
}

Status Builds::delete_source(const registry::Repository& repository) {
  return x_db.write([&](meta::Tx& tx) {
    return changed(records::delete_source(tx, repository.id), Reason::source_unknown);
  });
}

// ---- rules

Result<Rule> Builds::create_rule(const registry::Repository& repository, const Recipe& recipe) {
  Rule rule{.id = random_id("crbr-"), .repository_id = repository.id, .recipe = normalise(recipe)};
  TRY_STATUS(check_recipe(rule.recipe));
  rule.created_at = rule.updated_at = x_clock.now();
  TRY(std::int64_t number, x_ids.next("build_rule"));
  TRY_STATUS(x_db.write([&](meta::Tx& tx) -> Status {
    TRY(auto present, records::list_rules(tx, repository.id, 0, 1));
    if (present.total >= static_cast<std::int64_t>(limits::build_rules_per_repository_max)) {
      return fail(Reason::quota_exceeded, "the repository has too many build rules");
    }
    return records::insert_rule(tx, number, rule);
  }));
  return rule;
}

Result<Rule> Builds::update_rule(const registry::Repository& repository, std::string_view id,
                                 const Recipe& recipe) {
  Recipe next = normalise(recipe);
  TRY_STATUS(check_recipe(next));
  return x_db.write([&](meta::Tx& tx) -> Result<Rule> {
    TRY(Rule rule, found(records::find_rule(tx, repository.id, id), Reason::build_rule_unknown));
    rule.recipe = next;
    rule.updated_at = x_clock.now();
    TRY_STATUS(changed(records::update_rule(tx, rule), Reason::build_rule_unknown));
    return rule;
  });
}

Result<Rule> Builds::get_rule(const registry::Repository& repository, std::string_view id) {
  return x_db.read([&](meta::Tx& tx) {
    return found(records::find_rule(tx, repository.id, id), Reason::build_rule_unknown);
  });
}

Result<Page<Rule>> Builds::list_rules(const registry::Repository& repository, std::int64_t offset,
                                      std::int64_t limit) {
  return x_db.read([&](meta::Tx& tx) {
    return records::list_rules(tx, repository.id, page_offset(offset), page_limit(limit));
  });
}

Status Builds::delete_rule(const registry::Repository& repository, std::string_view id) {
  return x_db.write([&](meta::Tx& tx) {
    return changed(records::delete_rule(tx, repository.id, id), Reason::build_rule_unknown);
  });
}

// ---- builds

Result<Record> Builds::build(const registry::Repository& repository, std::string_view rule_id,
                             const auth::Principal& who) {
  TRY(Rule rule, get_rule(repository, rule_id));
  return enqueue(repository, rule.id, rule.recipe, who);
}

Result<Record> Builds::build_again(const Record& record, const auth::Principal& who) {
  TRY(auto repository, x_registry.get_repository(record.repository_id));
  return enqueue(repository, record.rule_id, record.recipe, who);
}

Result<Record> Builds::enqueue(const registry::Repository& repository, const std::string& rule_id,
                               const Recipe& recipe, const auth::Principal& who) {
  Record record;
  TRY(record.number, x_ids.next("build_record"));
  record.id = random_uuid();
  record.repository_id = repository.id;
  record.namespace_id = repository.namespace_id;
  record.repository_public_id = repository.public_id;
  record.namespace_name = repository.namespace_name;
  record.repository_name = repository.name;
  record.rule_id = rule_id;
  record.recipe = recipe;
  // A tag without variables is known at once.
  if (auto tag = fill_tag(recipe.image_tag, {}); tag.ok()) record.image_tag = *tag;
  record.creator_id = who.kind == auth::Principal::Kind::user ? who.id : who.acts_for_user;
  record.creator = who.name;
  record.created_at = x_clock.now();
  TRY_STATUS(x_db.write([&](meta::Tx& tx) -> Status {
    TRY_STATUS(found(records::find_source(tx, repository.id), Reason::source_unknown));
    TRY(std::int64_t waiting, records::count_unfinished(tx, repository.id));
    if (waiting >= static_cast<std::int64_t>(limits::builds_waiting_per_repository_max)) {
      return fail(Reason::quota_exceeded, "too many builds of this repository are waiting");
    }
    TRY(record.job_id, x_queue.enqueue(tx, {.kind = job_kind,
                                            .payload = Runner::payload(record.id),
                                            .subject = repository.full_name(),
                                            .attempts_max = limits::build_attempts_max}));
    TRY_STATUS(records::insert_record(tx, record));
    return records::prune_records(tx, repository.id, limits::build_records_per_repository_max);
  }));
  return record;
}

Result<Record> Builds::get_record(std::string_view id) {
  std::string key = lower(id);
  return x_db.read(
      [&](meta::Tx& tx) { return found(records::find_record(tx, key), Reason::build_record_unknown); });
}

Result<std::vector<Record>> Builds::records_of(std::int64_t repository_id, std::string_view digest) {
  return x_db.read([&](meta::Tx& tx) { return records::records_of_image(tx, repository_id, digest); });
}

Result<Page<Record>> Builds::list_records(const registry::Repository& repository, std::int64_t offset,
                                          std::int64_t limit) {
  return x_db.read([&](meta::Tx& tx) {
    return records::list_records(tx, repository.id, page_offset(offset), page_limit(limit));
  });
}

Result<job::Queue::LogPage> Builds::log(const Record& record, std::int64_t offset, std::int64_t limit) {
  return x_db.read(
      [&](meta::Tx& tx) { return x_queue.log(tx, record.job_id, page_offset(offset), page_limit(limit)); });
}

Status Builds::cancel(const Record& record) {
  return x_db.write([&](meta::Tx& tx) -> Status {
    TRY(Record now, found(records::find_record(tx, record.id), Reason::build_record_unknown));
    if (ended(now.progress)) return fail(Reason::build_finished);
    Status canceled = x_queue.cancel(tx, now.job_id);
    if (!canceled.ok() && canceled.error().reason == Reason::task_finished)
      return fail(Reason::build_finished);
    return canceled;
  });
}

Status Builds::forget_repository(meta::Tx& tx, const job::Event& event) {
  TRY(auto gone, wire::decode_json<Deleted>(event.data));
  TRY(auto running, records::unfinished(tx, gone.repository_id, limits::builds_waiting_per_repository_max));
  for (const Record& record : running) {
    Status canceled = x_queue.cancel(tx, record.job_id);
    if (!canceled.ok() && canceled.error().kind() == ErrorKind::internal) return canceled;
  }
  return records::delete_of_repository(tx, gone.repository_id);
}

}  // namespace wharfage::build
