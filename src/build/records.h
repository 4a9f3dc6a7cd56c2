// The SQL of this room: providers, sources, rules and records as rows. Each function runs in the transaction
// it is given and checks nothing beyond what the statement itself does. Credentials pass through sealed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "build/model.h"
#include "meta/db.h"

namespace wharfage::build::records {

struct ProviderRow {
  Provider provider;
  std::string sealed;
};
Result<bool> insert_provider(meta::Tx& tx, const ProviderRow& row);  // false: the name is taken
Result<bool> update_provider(meta::Tx& tx, const ProviderRow& row);  // not its name
Result<bool> delete_provider(meta::Tx& tx, std::int64_t id);
Result<std::optional<ProviderRow>> find_provider(meta::Tx& tx, std::string_view name);
Result<std::optional<ProviderRow>> find_provider(meta::Tx& tx, std::int64_t id);
Result<std::optional<ProviderRow>> first_provider_of_type(meta::Tx& tx, std::string_view type);
Result<Page<Provider>> list_providers(meta::Tx& tx, std::int64_t offset, std::int64_t limit);
Result<bool> provider_in_use(meta::Tx& tx, std::int64_t id);

Result<bool> insert_source(meta::Tx& tx, const Source& source);  // false: the repository has one
Result<bool> update_source(meta::Tx& tx, const Source& source);
Result<bool> delete_source(meta::Tx& tx, std::int64_t repository_id);
Result<std::optional<Source>> find_source(meta::Tx& tx, std::int64_t repository_id);

Status insert_rule(meta::Tx& tx, std::int64_t number, const Rule& rule);
Result<bool> update_rule(meta::Tx& tx, const Rule& rule);
Result<bool> delete_rule(meta::Tx& tx, std::int64_t repository_id, std::string_view id);
Result<std::optional<Rule>> find_rule(meta::Tx& tx, std::int64_t repository_id, std::string_view id);
Result<Page<Rule>> list_rules(meta::Tx& tx, std::int64_t repository_id, std::int64_t offset,
                              std::int64_t limit);

Status insert_record(meta::Tx& tx, const Record& record);
Result<std::optional<Record>> find_record(meta::Tx& tx, std::string_view id);
// The builds that made this image, newest first.
Result<std::vector<Record>> records_of_image(meta::Tx& tx, std::int64_t repository_id,
                                             std::string_view digest);
Result<Page<Record>> list_records(meta::Tx& tx, std::int64_t repository_id, std::int64_t offset,
                                  std::int64_t limit);  // newest first
Result<std::int64_t> count_unfinished(meta::Tx& tx, std::int64_t repository_id);
Result<std::vector<Record>> unfinished(meta::Tx& tx, std::int64_t repository_id, std::int64_t limit);
// Robots of builds that have ended: left by a server that died.
Result<std::vector<Record>> ended_with_robot(meta::Tx& tx, std::int64_t limit);

// The following change unfinished records only; false: it has ended.
Result<bool> begin_record(meta::Tx& tx, std::string_view id, TimeMs now);
Result<bool> note_source(meta::Tx& tx, const Record& record);  // url, reference, commit, image tag
Result<bool> note_failure(meta::Tx& tx, std::string_view id, std::string_view stage, std::string_view step);
Result<bool> end_record(meta::Tx& tx,
                        const Record& record);  // progress, digest, stage, step, error, ended_at
Status set_robot(meta::Tx& tx, std::string_view id, std::string_view robot);
// Forgets ended records of a repository beyond the newest `keep`.
Status prune_records(meta::Tx& tx, std::int64_t repository_id, std::int64_t keep);
Status delete_of_repository(meta::Tx& tx, std::int64_t repository_id);

}  // namespace wharfage::build::records
