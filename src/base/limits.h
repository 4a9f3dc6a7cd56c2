// Bounds that several rooms know; those of one room are in its own. Sizes in bytes, times in milliseconds
// unless the name says otherwise.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wharfage::limits {

// Requests
constexpr std::size_t request_line_max = 128 * 1024;       // the Alibaba SDK puts all input into the query
constexpr std::size_t request_headers_max = 192 * 1024;    // line included; X-Auth-Token may be 32 KiB
constexpr std::size_t request_body_max = 8 * 1024 * 1024;  // buffered bodies; blobs stream
constexpr std::size_t connections_max = 4096;
constexpr std::int64_t request_header_timeout_ms = 20'000;
constexpr std::int64_t request_body_idle_timeout_ms = 60'000;
constexpr std::int64_t response_idle_timeout_ms = 120'000;
constexpr std::int64_t keep_alive_timeout_ms = 75'000;
constexpr std::int64_t drain_timeout_ms = 20'000;
constexpr std::size_t request_fields_max = 256;
constexpr std::size_t chunk_line_max = 4096;            // one chunk-size line with its extensions
constexpr std::size_t chunk_overhead_max = 64 * 1024;   // all extensions and trailers of one body
constexpr std::size_t stream_chunk_bytes = 256 * 1024;  // of a body that a client of ours sends or receives
constexpr std::size_t response_slice_bytes = 1024 * 1024;  // sent before other connections get their turn
constexpr std::size_t pipelined_requests_max = 32;         // likewise
constexpr std::int64_t connection_linger_ms = 5'000;       // for the other side to read a refusal

// Registry
constexpr std::size_t manifest_bytes_max = 4 * 1024 * 1024;
constexpr std::size_t manifest_references_max = 4096;  // layers or children of one manifest
constexpr std::size_t manifest_tags_per_push_max = 32;
constexpr std::int64_t blob_bytes_max = std::int64_t{64} << 30;
constexpr std::size_t uploads_per_repository_max = 1000;
constexpr std::int64_t upload_lifetime_ms = 24 * 3600 * 1000;
constexpr std::size_t list_page_max = 1000;
constexpr std::size_t repository_name_max = 255;
constexpr std::size_t repository_text_max = 64 * 1024;  // summary and detail, each
constexpr std::size_t namespace_metadata_max = 64 * 1024;
constexpr std::size_t repository_cache_max = 4096;  // entries
constexpr std::size_t manifest_cache_bytes_max = 16 * 1024 * 1024;
constexpr std::size_t referrers_bytes_max = 16 * 1024 * 1024;  // manifests loaded for one page
constexpr std::size_t pull_buffer_max = 8192;                  // manifests with pulls not yet folded
constexpr std::int64_t fold_repositories_max = 500;            // per transaction
constexpr std::int64_t mount_candidates_max = 1000;            // repositories looked at for a blob
constexpr std::int64_t collect_batch = 256;                    // rows of one kind per collect()
constexpr std::int64_t blob_link_renew_ms = 10 * 60 * 1000;    // a HEAD renews a link without manifest
constexpr std::int64_t artifact_tags_max = 100;                // shown with one manifest in a list
constexpr std::size_t deleted_tags_told_max = 100;             // tag names in one image.deleted event
constexpr std::size_t json_depth_max = 64;

// Database
constexpr std::size_t write_queue_max = 1024;       // callers beyond that wait for room
constexpr std::size_t write_batch_max = 128;        // transactions that share one commit
constexpr std::size_t readers_idle_max = 8;         // connections kept open between reads
constexpr std::size_t reader_statements_max = 128;  // prepared statements kept per connection
constexpr std::size_t writer_statements_max = 256;
constexpr int writer_page_cache_kib = 32 * 1024;
constexpr int reader_page_cache_kib = 1024;
constexpr int database_busy_timeout_ms = 10'000;  // another process holds the write lock
constexpr std::int64_t database_wal_bytes_kept = 64 * 1024 * 1024;
constexpr std::int64_t id_block = 64;  // integer ids reserved per transaction
constexpr std::int64_t id_max = (std::int64_t{1} << 31) - 1;

// Blobs
constexpr std::size_t upload_hashes_max = 512;  // hash states kept between two chunks of an upload
constexpr std::size_t blob_copy_chunk = 1024 * 1024;

// Accounts
constexpr int password_failures_max = 10;  // per user and address, then throttled
constexpr std::int64_t password_failure_window_ms = 60'000;
constexpr int password_hashes_at_once_max = 4;                // 19 MiB each
constexpr std::int64_t password_memory_kib_max = 256 * 1024;  // of a stored hash that we did not make
constexpr std::int64_t password_passes_max = 16;
constexpr std::int64_t password_lanes_max = 16;
constexpr std::size_t token_bytes_max = 16 * 1024;  // a JSON Web Token
constexpr std::size_t token_header_depth_max = 8;
constexpr std::size_t signed_headers_max = 128;    // named by one request signature
constexpr std::size_t signed_params_max = 10'000;  // of a query or form under a signature
constexpr std::size_t credential_cache_max = 4096;
constexpr std::int64_t credential_cache_lifetime_ms = 60'000;
constexpr std::size_t password_failure_entries_max = 16'384;  // pairs of user and address that are watched
constexpr std::size_t password_bytes_min = 8;
constexpr std::size_t password_bytes_max = 128;
constexpr std::size_t login_name_max = 256;
constexpr std::size_t description_bytes_max = 1024;
constexpr std::size_t standing_cache_max = 4096;  // principals whose grants are kept in memory
constexpr std::size_t grants_per_subject_max = 4096;
constexpr std::size_t access_keys_per_user_max = 100;
constexpr std::size_t access_key_cache_max = 4096;
constexpr std::size_t tokens_per_subject_max = 1000;  // the newest survive; the same for temporary logins
constexpr std::int64_t temporary_credential_lifetime_max_ms = 24 * 3600 * 1000;
constexpr std::size_t registry_token_cache_max = 4096;  // verified ones
constexpr std::int64_t registry_token_leeway_s = 30;    // of nbf: clocks of two nodes differ
constexpr std::size_t nonce_cache_max = 200'000;
constexpr std::size_t audit_queue_max = 10'000;
constexpr std::int64_t registry_token_lifetime_s = 300;
constexpr std::int64_t iam_token_lifetime_ms = 24 * 3600 * 1000;

// Jobs
constexpr int job_attempts_max = 5;
constexpr std::int64_t job_lease_ms = 30'000;
constexpr std::size_t job_log_line_max = 16 * 1024;
constexpr std::size_t job_log_lines_max = 200'000;
constexpr std::size_t job_threads_max = 16;  // running at once on a node
constexpr std::int64_t job_retry_base_ms = 5'000;
constexpr std::int64_t job_retry_max_ms = 5 * 60 * 1000;
constexpr std::int64_t job_kept_ms = std::int64_t{30} * 24 * 3600 * 1000;
constexpr std::int64_t job_prune_batch = 200;
constexpr std::int64_t job_count_max = 10'000;  // listings count no further
constexpr std::size_t job_payload_max = 64 * 1024;
constexpr std::size_t job_error_max = 2 * 1024;
constexpr std::size_t job_log_stage_max = 64;
constexpr std::size_t job_log_buffer_max = 1024 * 1024;  // not yet flushed, per running job
constexpr std::size_t job_log_chunk_max = 64 * 1024;     // one stored row of lines
constexpr std::int64_t job_log_wait_ms = 5'000;          // for room in that buffer, then lines are lost
constexpr std::int64_t job_log_page_max = 2000;
constexpr std::size_t event_data_max = 64 * 1024;
constexpr int event_attempts_max = 30;
constexpr std::int64_t event_kept_ms = 24 * 3600 * 1000;
constexpr std::int64_t event_waiting_kept_ms =
    std::int64_t{7} * 24 * 3600 * 1000;  // whose subscriber is gone
constexpr std::int64_t event_batch = 32;
constexpr std::size_t event_threads = 4;

// Build
constexpr std::int64_t build_timeout_ms = 60 * 60 * 1000;
constexpr std::size_t build_context_bytes_max = std::size_t{2} << 30;
constexpr std::size_t build_capture_max = 4 * 1024 * 1024;  // of a tool's output that we read
constexpr std::int64_t build_tool_timeout_ms = 30'000;      // ip, nft and the like
constexpr std::int64_t build_memory_bytes_max = std::int64_t{2} << 30;
constexpr std::int64_t build_pids_max = 4096;
constexpr std::int64_t build_disk_reserve_bytes = std::int64_t{1} << 30;  // less free space ends a build
constexpr std::int64_t build_cache_bytes_max = std::int64_t{20} << 30;    // layers kept for later builds
constexpr std::size_t build_networks_max = 256;                           // namespaces at once on a machine
constexpr int build_concurrency = 2;
constexpr int build_attempts_max = 2;  // an interrupted build runs once more
constexpr std::size_t build_rules_per_repository_max = 100;
constexpr std::size_t build_records_per_repository_max = 1000;  // older ones are forgotten
constexpr std::size_t builds_waiting_per_repository_max = 100;
constexpr std::int64_t build_log_kept_ms = std::int64_t{180} * 24 * 3600 * 1000;
constexpr std::size_t build_list_items_max = 64;  // arguments and platforms of a rule
constexpr std::size_t build_text_max = 4096;      // one setting of a source, provider or rule
constexpr std::size_t build_refs_max = 2000;      // of a source that a pattern is held against
constexpr std::size_t source_providers_max = 1000;

// Scan
constexpr std::size_t layer_entries_max = 2'000'000;
constexpr std::int64_t layer_bytes_max = std::int64_t{64} << 30;  // unpacked
constexpr std::int64_t layer_ratio_max = 2000;  // unpacked to packed, once layer_ratio_from is unpacked
constexpr std::int64_t layer_ratio_from = std::int64_t{1} << 30;
constexpr std::size_t layer_path_max = 4096;
constexpr std::size_t layer_whiteouts_max = 10'000;       // that concern the scanner
constexpr std::size_t system_file_bytes_max = 16 * 1024;  // os-release and its like
constexpr std::size_t package_field_max = 255;
constexpr std::size_t package_database_bytes_max = 64 * 1024 * 1024;
constexpr std::size_t advisory_json_max = 16 * 1024 * 1024;  // one record
constexpr std::size_t advisory_records_max = 4'000'000;      // of one database
constexpr std::size_t advisory_rows_max = 100'000'000;
constexpr std::size_t advisory_text_bytes_max = std::size_t{3} << 30;  // all text of one database
constexpr std::size_t advisory_description_max = 2000;
constexpr std::size_t advisory_field_max = 512;        // names, versions, addresses
constexpr std::size_t advisory_versions_max = 10'000;  // enumerated for one package
constexpr std::size_t advisory_list_max = 64;          // aliases, CVEs or references of one record
constexpr int advisory_folder_depth_max = 16;
constexpr std::size_t packages_per_image_max = 100'000;
constexpr std::size_t findings_per_image_max = 500'000;
constexpr std::size_t judged_images_kept_max = 16;  // findings kept in memory, least recently used go first
constexpr std::size_t image_contents_bytes_max = 256 * 1024 * 1024;  // a stored package list, unpacked
constexpr std::size_t scan_rules_max = 1000;
constexpr std::size_t scan_rule_names_max = 100;  // namespaces or repositories of one rule
constexpr std::size_t scan_rule_pattern_max = 512;
constexpr std::int64_t scan_tasks_kept_max = 20;         // per repository and digest; older ended ones go
constexpr std::int64_t scan_tasks_counted_max = 10'000;  // a longer list says "this many"
constexpr std::int64_t scan_rematch_batch = 100;         // images judged anew per transaction

// Other registries
constexpr std::size_t remote_json_max = 16 * 1024 * 1024;
constexpr std::size_t remote_redirects_max = 5;
constexpr int remote_pages_max = 10'000;  // of one listing
constexpr std::int64_t remote_connect_timeout_ms = 10'000;
constexpr std::int64_t remote_idle_timeout_ms = 60'000;
constexpr std::size_t remote_idle_handles_max = 32;  // kept with their connections for the next request
constexpr std::size_t remote_headers_max = 256 * 1024;
constexpr std::size_t remote_url_max = 64 * 1024;
constexpr std::size_t inventory_images_max = 200'000;  // per connection and run

// Connections, inventory, synchronisation
constexpr std::size_t registry_connections_max = 500;
constexpr std::size_t connection_name_max = 128;
constexpr std::size_t connection_password_max = 4096;
constexpr std::size_t connection_reason_max = 512;
constexpr std::size_t connection_vendor_max = 32 * 1024;  // a facade's own settings, and a CA's PEM
constexpr std::int64_t inventory_count_max = 100'000;     // listings count no further
constexpr std::int64_t inventory_batch = 500;             // images written in one transaction
constexpr std::int64_t inventory_clear_batch = 2000;      // replaced images dropped in one transaction
constexpr std::int64_t inventory_tasks_kept_ms = std::int64_t{90} * 24 * 3600 * 1000;
constexpr std::size_t inventory_children_max = 64;  // platforms of an index whose sizes are asked for
constexpr std::int64_t sync_rules_max = 2000;
constexpr std::size_t sync_pattern_max = 512;
constexpr std::size_t sync_tasks_per_execution_max = 20'000;
constexpr std::size_t sync_manifests_per_copy_max = 512;       // an index's children, signatures, referrers
constexpr int sync_accessory_depth_max = 4;                    // a signature of an SBOM of an image …
constexpr std::int64_t sync_progress_bytes = 8 * 1024 * 1024;  // between two notes of a blob's progress
constexpr std::int64_t sync_task_kept_ms = std::int64_t{30} * 24 * 3600 * 1000;
constexpr std::int64_t sync_blob_known_ms = std::int64_t{90} * 24 * 3600 * 1000;  // where to mount it from
constexpr std::int64_t sync_prune_batch = 500;

// Webhooks
constexpr int webhook_attempts_max = 6;
constexpr std::size_t webhook_response_max = 4 * 1024;
constexpr std::int64_t webhook_timeout_ms = 10'000;
constexpr std::int64_t webhook_retry_base_ms = 30'000;
constexpr std::int64_t webhooks_max = 200;
constexpr std::size_t webhook_url_max = 2048;
constexpr std::size_t webhook_secret_max = 256;
constexpr std::size_t webhook_event_types_max = 64;
constexpr int webhook_deliveries_at_once = 4;
constexpr std::int64_t webhook_waiting_max = 1000;  // deliveries to one webhook
constexpr std::int64_t webhook_delivery_kept_ms = std::int64_t{30} * 24 * 3600 * 1000;
constexpr std::int64_t webhook_prune_batch = 20;

}  // namespace wharfage::limits
