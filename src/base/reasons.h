// Every way an expected failure can be named, once. A facade maps each reason to its own wire code and a
// test proves that mapping total, so a new failure is one line here and one line per facade.
//
// WHARFAGE_REASONS(X): X(name, kind, "default message")
#pragma once

#define WHARFAGE_REASONS(X)                                                                     \
  X(invalid_parameter, invalid, "a parameter is not valid")                                     \
  X(missing_parameter, invalid, "a required parameter is missing")                              \
  X(malformed_body, invalid, "the request body cannot be read")                                 \
  X(unknown_action, not_found, "there is no such action")                                       \
  X(method_not_allowed, invalid, "the method is not allowed here")                              \
  X(unsupported, invalid, "this is not supported")                                              \
  X(too_large, invalid, "the request is too large")                                             \
  X(name_invalid, invalid, "the name is not valid")                                             \
  X(digest_invalid, invalid, "the digest is not valid or does not match the content")           \
  X(manifest_invalid, invalid, "the manifest is not valid")                                     \
  X(manifest_blob_unknown, not_found, "the manifest names a blob or manifest that is not here") \
  X(tag_invalid, invalid, "the tag is not valid")                                               \
  X(range_invalid, invalid, "the range cannot be satisfied")                                    \
  X(size_invalid, invalid, "the content does not have the declared length")                     \
  X(unauthenticated, unauthenticated, "authentication is required")                             \
  X(bad_credentials, unauthenticated, "the user name or password is wrong")                     \
  X(signature_mismatch, unauthenticated, "the request signature does not match")                \
  X(signature_malformed, unauthenticated, "the request signature cannot be read")               \
  X(signature_unsupported, unauthenticated, "the signature method is not supported")            \
  X(signature_expired, unauthenticated, "the request date is outside the accepted window")      \
  X(nonce_replayed, unauthenticated, "the signature nonce was already used")                    \
  X(access_key_unknown, unauthenticated, "the access key does not exist")                       \
  X(access_key_inactive, unauthenticated, "the access key is disabled")                         \
  X(token_invalid, unauthenticated, "the token is not valid")                                   \
  X(token_expired, unauthenticated, "the token has expired")                                    \
  X(denied, denied, "access is denied")                                                         \
  X(throttled, exhausted, "too many requests")                                                  \
  X(quota_exceeded, exhausted, "the quota is used up")                                          \
  X(disk_full, exhausted, "there is no space left to store this")                               \
  X(instance_unknown, not_found, "the instance does not exist")                                 \
  X(project_unknown, not_found, "the project does not exist")                                   \
  X(namespace_unknown, not_found, "the namespace does not exist")                               \
  X(namespace_exists, conflict, "the namespace already exists")                                 \
  X(namespace_not_empty, conflict, "the namespace still holds repositories")                    \
  X(repository_unknown, not_found, "the repository does not exist")                             \
  X(repository_exists, conflict, "the repository already exists")                               \
  X(repository_not_empty, conflict, "the repository still holds images")                        \
  X(tag_unknown, not_found, "the tag does not exist")                                           \
  X(tag_immutable, conflict, "the tag may not be changed")                                      \
  X(manifest_unknown, not_found, "the manifest does not exist")                                 \
  X(blob_unknown, not_found, "the blob does not exist")                                         \
  X(upload_unknown, not_found, "the upload does not exist")                                     \
  X(upload_invalid, invalid, "the upload cannot go on like this")                               \
  X(user_unknown, not_found, "the user does not exist")                                         \
  X(user_exists, conflict, "the user already exists")                                           \
  X(robot_unknown, not_found, "the robot does not exist")                                       \
  X(robot_exists, conflict, "the robot already exists")                                         \
  X(grant_unknown, not_found, "the grant does not exist")                                       \
  X(source_provider_unknown, not_found, "the source provider does not exist")                   \
  X(source_provider_exists, conflict, "the source provider already exists")                     \
  X(source_unknown, not_found, "the repository has no source")                                  \
  X(source_exists, conflict, "the repository already has a source")                             \
  X(build_rule_unknown, not_found, "the build rule does not exist")                             \
  X(build_record_unknown, not_found, "the build record does not exist")                         \
  X(build_finished, conflict, "the build has already ended")                                    \
  X(scan_task_unknown, not_found, "the scan task does not exist")                               \
  X(scan_rule_unknown, not_found, "the scan rule does not exist")                               \
  X(scan_rule_exists, conflict, "the scan rule already exists")                                 \
  X(scan_impossible, conflict, "the image could not be judged")                                 \
  X(signing_key_unknown, not_found, "the signing key does not exist")                           \
  X(signing_key_exists, conflict, "the signing key already exists")                             \
  X(sign_policy_unknown, not_found, "the signature policy does not exist")                      \
  X(sign_policy_exists, conflict, "the signature policy already exists")                        \
  X(sign_policy_disabled, conflict, "the signature policy is disabled")                         \
  X(execution_unknown, not_found, "the execution does not exist")                               \
  X(task_unknown, not_found, "the task does not exist")                                         \
  X(task_finished, conflict, "the task has already ended")                                      \
  X(connection_unknown, not_found, "the registry connection does not exist")                    \
  X(connection_exists, conflict, "the registry connection already exists")                      \
  X(connection_in_use, conflict, "the registry connection is still used by a rule")             \
  X(sync_rule_unknown, not_found, "the synchronisation rule does not exist")                    \
  X(sync_rule_exists, conflict, "the synchronisation rule already exists")                      \
  X(sync_rule_disabled, conflict, "the synchronisation rule is disabled")                       \
  X(webhook_unknown, not_found, "the webhook does not exist")                                   \
  X(delivery_unknown, not_found, "the delivery does not exist")                                 \
  X(job_unknown, not_found, "the job does not exist")                                           \
  X(not_found, not_found, "not found")                                                          \
  X(conflict, conflict, "the request conflicts with the current state")                         \
  X(address_forbidden, denied, "connections to this address are not allowed")                   \
  X(remote_unreachable, unavailable, "the other side cannot be reached")                        \
  X(remote_failed, unavailable, "the other side answered with an error")                        \
  X(remote_denied, unavailable, "the other side refused our credentials")                       \
  X(timeout, unavailable, "it took too long")                                                   \
  X(canceled, conflict, "it was cancelled")                                                     \
  X(lease_lost, conflict, "another worker has taken over")                                      \
  X(shutting_down, unavailable, "the server is stopping")                                       \
  X(schema_newer, internal, "the stored schema is newer than this program")                     \
  X(database_failed, internal, "the database reported an error")                                \
  X(storage_failed, internal, "the blob store reported an error")                               \
  X(internal, internal, "an internal error occurred")
