// The bounds of what namespaces may decide about their images. Times in milliseconds unless the name says
// otherwise.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wharfage::limits {

constexpr std::int64_t immutability_rules_max = 100;  // of one namespace
constexpr std::size_t policy_name_max = 128;

// Tag history. A day of a busy pipeline is kept whole; what is older goes by age.
constexpr std::int64_t tag_history_per_tag_max = 100;
constexpr std::int64_t tag_history_per_repository_max = 20'000;
constexpr std::int64_t tag_history_prune_repositories = 100;  // looked at in one go
constexpr std::int64_t tag_history_prune_batch = 1000;        // rows removed in one transaction

// Quotas
constexpr std::int64_t quota_warning_percent = 85;
constexpr std::int64_t fold_namespaces_max = 100;  // in one go

// Retention
constexpr std::size_t retention_rules_max = 15;    // of one namespace
constexpr std::size_t repository_rules_max = 200;  // of its repositories together
constexpr std::size_t retention_name_max = 256;
constexpr std::size_t retention_spared_max = 20;            // regular expressions of a rule
constexpr std::size_t retention_pattern_max = 512;          // bytes of one of them
constexpr std::int64_t retention_pattern_memory = 1 << 20;  // bytes one of them may take
constexpr std::int64_t retention_value_max = 10'000;        // tags or days of a rule
constexpr std::int64_t retention_page = 1000;               // tags read at once
constexpr std::int64_t retention_removals_max = 50'000;     // of one plan; the run plans again
constexpr std::int64_t retention_kept_told_max = 1000;      // kept tags of one plan that are told one by one
constexpr std::size_t retention_batch = 50;                 // removals in one transaction
constexpr std::int64_t retention_runs_kept = 50;            // of one namespace, with what they tell
constexpr std::int64_t retention_due_max = 100;             // runs begun in one go
constexpr std::int64_t retention_untagged_age_ms = 3600 * 1000;  // younger images may be about to get a tag

// What was deleted and can come back.
constexpr std::int64_t purge_batch = 64;  // manifests or tags removed for good in one transaction
// Of their manifests, in which a reference takes 100 bytes at least.
constexpr std::int64_t purge_batch_bytes = 256 * 1024;
constexpr int purge_batches_max = 64;  // in one go
constexpr int restore_depth_max = 4;   // an index of indexes; a signature of an SBOM of an image

}  // namespace wharfage::limits
