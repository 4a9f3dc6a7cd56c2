// What several of Huawei's answers have in common.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "wire/schema.h"

namespace wharfage::huawei {

struct IdReply {
  std::int32_t id = 0;
  static constexpr auto fields() { return std::array{wire::field<&IdReply::id>("id")}; }
};

// When a policy runs, of signing and of replication.
struct TriggerSettings {
  std::optional<std::string> cron;
  static constexpr auto fields() { return std::array{wire::field<&TriggerSettings::cron>("cron")}; }
};
struct Trigger {
  std::string type;
  std::optional<TriggerSettings> trigger_settings;
  static constexpr auto fields() {
    return std::array{
        wire::field<&Trigger::type>("type", wire::required).one_of("manual|scheduled|event_based"),
        wire::field<&Trigger::trigger_settings>("trigger_settings")};
  }
};

// A pattern of a rule, of signing and of immutable tags.
struct Selector {
  std::string kind, decoration, pattern;
  std::optional<std::string> extras;
  static constexpr auto fields() {
    return std::array{wire::field<&Selector::kind>("kind", wire::required),
                      wire::field<&Selector::decoration>("decoration", wire::required),
                      wire::field<&Selector::pattern>("pattern", wire::required).range(1, 512),
                      wire::field<&Selector::extras>("extras")};
  }
};

// What becomes of a run of a policy, of its tasks and of their parts.
constexpr std::string_view run_statuses = "Initialized|Pending|InProgress|Succeed|Failed|Stopped";

// One run of a policy, of signing and of replication.
struct Execution {
  std::int32_t id = 0, policy_id = 0;
  std::string status, status_text;
  std::int32_t total = 0, failed = 0, succeed = 0, in_progress = 0, stopped = 0;
  std::string trigger, created_at, updated_at;
  static constexpr auto fields() {
    return std::array{wire::field<&Execution::id>("id"),
                      wire::field<&Execution::policy_id>("policy_id"),
                      wire::field<&Execution::status>("status"),
                      wire::field<&Execution::status_text>("status_text"),
                      wire::field<&Execution::total>("total"),
                      wire::field<&Execution::failed>("failed"),
                      wire::field<&Execution::succeed>("succeed"),
                      wire::field<&Execution::in_progress>("in_progress"),
                      wire::field<&Execution::stopped>("stopped"),
                      wire::field<&Execution::trigger>("trigger"),
                      wire::field<&Execution::created_at>("created_at"),
                      wire::field<&Execution::updated_at>("updated_at")};
  }
};
struct ExecutionList {
  std::vector<Execution> executions;
  std::int32_t total = 0;
  static constexpr auto fields() {
    return std::array{wire::field<&ExecutionList::executions>("executions"),
                      wire::field<&ExecutionList::total>("total")};
  }
};

// A text that this API was given and that is only kept: a member of a JSON object.
std::optional<std::string> remembered(std::string_view vendor, std::string_view name);

// Whether a JSON object, as text, has the member and that is true.
bool has_flag(std::string_view json, std::string_view name);

// Ids and counts are below 2^31 here (int32 on the wire).
inline std::int32_t narrow(std::int64_t number) {
  return static_cast<std::int32_t>(number);
}

// What has not happened yet has the first time there is.
inline std::string time_text(TimeMs time) {
  return time ? rfc3339(time) : "0001-01-01T00:00:00Z";
}

}  // namespace wharfage::huawei
